# consent-ledger. Needs make and Python 3.11 or newer; `make help` lists the verbs.
# Everything is installed into .venv beside this file: the packages here are named ledger, projections and
# adapters, and PyPI has an `adapters` of its own, so a shared environment is not an option.

PYTHON ?=
FILE   ?=
ARGS   ?=
JOBS   ?= 2
EXAMPLES    ?= 10000
SOAK_RUNS   ?= 30
SOAK_OUTAGE ?= 60
CRM_RUNS    ?= 30
CRM_FAULT   ?= 3

SHELL   := /bin/sh
VENV    := .venv
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
SOURCES := ledger projections adapters tests
LOCKS := requirements.lock requirements-dev.lock
LOCK_COMMAND := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
                --no-emit-find-links --upgrade --quiet --custom-compile-command "make lock" pyproject.toml

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_REQUIRE_VIRTUALENV := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo demo-streams demo-crm audit test fuzz soak soak-crm lint fmt types imports asyncapi docs bench lock \
        audit-deps clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1@\2/p' Makefile | awk -F@ '{ printf "%-18s %s\n", $$1, $$2 }'

demo: $(READY) ## audit the synthetic export that ships with the project
	@rm -rf build/demo
	@$(BIN)/consent-ledger demo --out build/demo $(ARGS)

demo-streams: $(READY) ## the way of a fact: PostgreSQL, Kafka, ledger, publisher, mirror; needs Java 17 and Maven
	@$(BIN)/python -m tests.demo_streams

demo-crm: $(READY) ## HubSpot kept in step, on a fake of 5,000 contacts; ARGS='--contacts 300' is quicker; needs Java 17 and Maven
	@$(BIN)/python -m tests.demo_crm $(ARGS)

audit: $(READY) ## audit your own export: make audit FILE=contacts.csv [ARGS='--controller "Example Ltd"']
	@if [ -z "$$FILE" ]; then echo 'Name the file: make audit FILE=contacts.csv' >&2; exit 2; fi
	@if [ -e "$$FILE" ]; then $(BIN)/consent-ledger audit "$$FILE" $(ARGS); \
	else $(BIN)/consent-ledger audit $$FILE $(ARGS); fi

.PHONY: test-slow test-load properties
test: $(READY) ## the tests that need no service; ARGS go to pytest
	@$(BIN)/python -m pytest -n $(JOBS) -m "not bench and not slow" $(ARGS)

test-slow: $(READY) ## the other tests: PostgreSQL, Kafka, faults, made-up calls, demonstrations; ARGS go to pytest
	@$(BIN)/python -m pytest -n $(JOBS) -m "slow and not bench" $(ARGS)

test-load: $(READY) ## make test while a busy loop runs for each core: no test may decide by time
	@set -eu; busy=; trap 'kill $$busy' EXIT; trap 'exit 130' INT TERM; \
	for core in $$(seq "$$($(BIN)/python -c 'import os; print(os.cpu_count())')"); do \
	  $(BIN)/python -c 'while True: pass' & busy="$$busy $$!"; \
	done; \
	$(BIN)/python -m pytest -n $(JOBS) -m "not bench and not slow" $(ARGS)

properties: $(READY) ## the properties, each on at least EXAMPLES=10000 examples; for hours
	@CONSENT_LEDGER_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -n $(JOBS) -m "hypothesis and not bench" $(ARGS)

fuzz: $(READY) ## 5,000 made-up calls to the HTTP service
	@CONSENT_LEDGER_FUZZ=5000 $(BIN)/python -m pytest tests/adapters/web/test_fuzz.py $(ARGS)

soak: $(READY) ## for hours: faults on Kafka, races and kills on PostgreSQL, 5,000 calls; SOAK_RUNS=30 SOAK_OUTAGE=60
	@CONSENT_LEDGER_FAULT_RUNS=$(SOAK_RUNS) CONSENT_LEDGER_FAULT_OUTAGE=$(SOAK_OUTAGE) \
	  CONSENT_LEDGER_RACE=50000 CONSENT_LEDGER_KILLS=50 CONSENT_LEDGER_FUZZ=5000 \
	  $(BIN)/python -m pytest -s tests/contract/test_racing.py tests/contract/test_postgres.py \
	  tests/adapters/web/test_fuzz.py tests/faults/test_faults.py tests/faults/test_server_kills.py $(ARGS)

soak-crm: $(READY) ## faults between ledger and HubSpot, one run after the other; CRM_RUNS=30 CRM_FAULT=3
	@CONSENT_LEDGER_CRM_RUNS=$(CRM_RUNS) CONSENT_LEDGER_CRM_FAULT=$(CRM_FAULT) \
	  $(BIN)/python -m pytest -s tests/faults/test_crm.py $(ARGS)

lint: $(READY) ## ruff: rules and formatting
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)

fmt: $(READY) ## ruff: mend what can be mended
	@$(BIN)/ruff check --fix $(SOURCES)
	@$(BIN)/ruff format $(SOURCES)

types: $(READY) ## mypy, strict
	@$(BIN)/mypy

imports: $(READY) ## import-linter: ledger <- projections <- adapters
	@$(BIN)/lint-imports

asyncapi: ## hold docs/reference/asyncapi.json against AsyncAPI 3.0, by its own parser; needs Node 18
	@if ! node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null || ! npm --version >/dev/null 2>&1; then \
	  echo 'make asyncapi needs Node 18 or newer with npm: the parser of AsyncAPI is written for it' >&2; exit 1; fi
	@mkdir -p build/asyncapi
	@cp tests/asyncapi/*.json tests/asyncapi/*.mjs build/asyncapi
	@cd build/asyncapi && npm ci --ignore-scripts --no-audit --no-fund --silent
	@node build/asyncapi/validate.mjs docs/reference/asyncapi.json

docs: $(READY) ## write the generated parts of docs/ and README.md again
	@$(BIN)/python -m tests.test_docs --write

bench: $(READY) ## measure; writes build/bench.json and docs/benchmarks.md
	@$(BIN)/python -m tests.bench $(ARGS)

setup: $(READY) ## only install

# Redone when the lock or pyproject.toml is newer than the stamp. Made anew when its interpreter is too old or
# gone, or when the folder was moved: the stamp holds where it was made.
ifneq ($(shell cat $(READY) 2>/dev/null),$(CURDIR))
$(READY): moved
endif
.PHONY: moved
moved:

$(READY): requirements-dev.lock pyproject.toml
	@set -eu; \
	new='import sys; raise SystemExit(sys.version_info < (3, 11))'; \
	if { [ -e $(READY) ] && [ "$$(cat $(READY))" != "$(CURDIR)" ]; } || ! $(BIN)/python -c "$$new" 2>/dev/null || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	  found=; \
	  for python in $(if $(PYTHON),"$(PYTHON)",python3 python3.14 python3.13 python3.12 python3.11 python); do \
	    if "$$python" -c "$$new" 2>/dev/null; then found=$$python; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "consent-ledger needs Python 3.11 or newer; found: $$($(or $(PYTHON),python3) --version 2>&1 | head -n 1)" >&2; \
	    echo "Install one, or name it: make PYTHON=/path/to/python3.13 demo" >&2; \
	    exit 1; \
	  fi; \
	  echo "Making $(VENV) with $$("$$found" --version)" >&2; \
	  "$$found" -m venv --clear $(VENV) || { \
	    echo "This Python cannot make virtual environments (on Debian and Ubuntu: apt install python3-venv)." >&2; \
	    exit 1; }; \
	fi; \
	echo "Installing the locked packages into $(VENV), once" >&2; \
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock; \
	$(BIN)/python -m pip install --quiet --no-deps -e .; \
	echo "$(CURDIR)" >$(READY)

audit-deps: $(READY) ## what the image installs: build/sbom.cdx.json, and known vulnerabilities that a release mends
	@$(BIN)/python -m tests.audit_deps

lock: $(READY) ## choose the newest allowed versions; write requirements.lock (what runs) and requirements-dev.lock again
	@mkdir -p build
	@$(BIN)/python -m venv --clear build/lock-venv
	@build/lock-venv/bin/python -m pip install --quiet uv
	@PATH="$(CURDIR)/build/lock-venv/bin:$$PATH" $(LOCK_COMMAND) --extra all -o requirements.lock
	@PATH="$(CURDIR)/build/lock-venv/bin:$$PATH" $(LOCK_COMMAND) --extra dev -c requirements.lock -o requirements-dev.lock
	@rm -rf build/lock-venv
	@if grep -nE '://|--(index|extra-index|find-links|trusted)' $(LOCKS); then \
	  echo 'a lock names a host or a path of this machine' >&2; exit 1; fi

clean: ## remove what was built and installed; a ledger is never touched
	@rm -rf build dist $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage*
	@find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
