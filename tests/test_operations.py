"""What is needed to run it as a service, without an engine here: compose file, alert rules, dashboard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from adapters.cli.database import OWNER_URL
from adapters.kafka.publisher_metrics import RANKS, PublisherMetrics
from adapters.kafka.readiness import Watchdog
from adapters.kafka.worker import _counted as counted
from adapters.kafka.worker import _gauges as gauges
from adapters.metrics import Metrics
from adapters.settings import PREFIX, Settings
from tests.compose import ALONE, BESIDE, COMPOSE, OURS, PROFILES, SERVICES, check, check_program, profiles
from tests.ledgers import open_house

ROOT = Path(__file__).parent.parent
OPERATIONS = ROOT / "docs/operations"

METRICS: Mapping[str, frozenset[str]] = {
    name: frozenset(labels.split())
    for name, labels in {
        "consent_ledger_log_position": "",
        "consent_ledger_projection_lag_entries": "",
        "consent_ledger_stored_answer_alarms": "",
        "consent_ledger_facts_total": "type status",
        "consent_ledger_gate_answers_total": "allowed",
        "consent_ledger_http_request_duration_seconds": "route method status",
        "consent_ledger_webhook_deliveries_total": "receiver status",
        "consent_ledger_webhook_refusals_total": "receiver status",
        "consent_ledger_webhook_ends_total": "receiver status",
        "consent_ledger_webhooks_waiting": "",
        "consent_ledger_webhooks_dead": "",
        "consent_ledger_crm_flips_total": "",
        "consent_ledger_publisher_position": "",
        "consent_ledger_publisher_lag_entries": "",
        "consent_ledger_publisher_lag_seconds": "",
        "consent_ledger_publisher_leads": "",
        "consent_ledger_publisher_failures_total": "",
        "consent_ledger_outbox_contacts": "rank",
        "consent_ledger_worker_lag": "",
        "consent_ledger_worker_ready": "",
        "consent_ledger_worker_records_total": "",
        "consent_ledger_worker_dead_letters_total": "",
        "consent_ledger_worker_retries_total": "",
    }.items()
}
"""Every measure and its labels."""
ALLOWED_WORDS = {"--if-absent", "facts", "mirror", "crm", "--apply", "--writer", "ledger_writer"}
"""Arguments in the compose file, behind the command's name."""
ADDED_BY_PROMETHEUS = {"le", "job", "instance"}


# --- the compose files --------------------------------------------------------------------------


def test_the_command_line_needs_no_profile_and_has_no_network() -> None:
    """As it was before there was a service."""
    assert [name for name in SERVICES if not profiles(name)] == ["cli"]
    assert SERVICES["cli"]["network_mode"] == "none"
    assert set().union(*map(profiles, SERVICES)) == set(PROFILES)


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned(name: str) -> None:
    """To a version, and to its bytes where they are known; or it is built here."""
    image, _, tag = SERVICES[name]["image"].partition(":")
    assert image
    assert "build" in SERVICES[name] or re.fullmatch(r"v?\d+(\.\d+)*(@sha256:[0-9a-f]{64})?", tag), f"{name}: {tag}"


def test_kafka_is_of_the_version_that_is_tested() -> None:
    """The tests run the same broker from jars."""
    jars = re.search(r"<kafka>([\d.]+)</kafka>", (ROOT / "tests/services/kafka.pom.xml").read_text("utf-8"))
    assert jars is not None
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{jars[1]}"


@pytest.mark.parametrize("name", OURS)
def test_our_containers_may_do_nothing_but_their_work(name: str) -> None:
    """No root file system to write to, no capabilities, no way to more rights."""
    assert OURS[name]["read_only"] is True
    assert OURS[name]["cap_drop"] == ["ALL"]
    assert OURS[name]["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_alone(name: str) -> None:
    """Who opens them further does so knowingly."""
    for port in SERVICES[name].get("ports", ()):
        assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port)


def mounts(service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(source, target) of what a service mounts."""
    for volume in service.get("volumes", ()):
        if isinstance(volume, str):
            source, target, *_ = volume.split(":")
            yield source, target
        else:
            yield volume["source"], volume["target"]


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there(name: str) -> None:
    """A file of the repository, a volume that is declared, or a folder the user names."""
    for source, target in mounts(SERVICES[name]):
        assert target.startswith("/")
        assert (
            source.startswith("${") or source in COMPOSE["volumes"] or (source[0] == "." and (ROOT / source).exists())
        )


def test_every_volume_is_used() -> None:
    """None is left over."""
    used = {source for service in SERVICES.values() for source, _ in mounts(service)}
    assert set(COMPOSE["volumes"]) <= used


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_waits_for_comes_up_with_it(name: str) -> None:
    """It is in the same profile or in one that is needed before, and says when it is well."""
    before = {
        "core": {"core"},
        "streams": {"core", "streams"},
        "crm": {"core", "streams", "crm"},
        "observe": {"observe"},
    }
    for other, condition in SERVICES[name].get("depends_on", {}).items():
        assert all(profiles(other) <= before[profile] for profile in profiles(name))
        if condition["condition"] == "service_healthy":
            assert "test" in SERVICES[other]["healthcheck"]
        else:
            assert condition["condition"] == "service_completed_successfully"
            assert "restart" not in SERVICES[other]


@pytest.mark.parametrize("name", [name for name, service in SERVICES.items() if "restart" in service])
def test_what_stays_up_says_whether_it_is_well(name: str) -> None:
    """Each has a check that ends."""
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout", "retries"} <= set(check)


def environment() -> Iterator[tuple[str, str, str]]:
    """(service, variable, value) of all."""
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            yield name, variable, "" if value is None else str(value)


def test_our_settings_are_settings() -> None:
    """No name that nothing reads."""
    known = {PREFIX + field.upper() for field in Settings.model_fields} | {OWNER_URL}
    assert {variable for name, variable, _ in environment() if name in OURS} <= known
    for name in OURS:
        given = {
            variable: re.sub(r"\$\{[^}]*\}", "set", value)
            for service, variable, value in environment()
            if service == name and value
        }
        Settings.read(given)


def test_what_runs_is_no_owner_of_the_tables() -> None:
    """The owner's URL is given to what sets the database up, and to nothing else."""
    owner = SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    assert {name for name, _, value in environment() if f"//{owner}:" in value} == {"database"}
    created = re.search(r"CREATE ROLE (\w+)", (OPERATIONS / "postgres.sql").read_text("utf-8"))
    assert created is not None
    assert SERVICES["database"]["command"][-1] == created[1]
    assert f"//{created[1]}:" in SERVICES["service"]["environment"]["CONSENT_LEDGER_DATABASE_URL"]


def test_no_password_stands_in_a_file_and_none_has_a_default() -> None:
    """Each is a variable, without which nothing starts: nobody can forget to change what is there."""
    found = [
        (variable, value)
        for _, variable, value in environment()
        if "PASSWORD" in variable or ("://" in value and "@" in value)
    ]
    assert len(found) > 5
    for variable, value in found:
        assert re.search(r"\$\{CONSENT_LEDGER_\w+_PASSWORD:\?[^}]+\}", value), f"{variable}: {value}"
    needed = re.compile(r"\$\{(\w+):\?")
    told = (OPERATIONS / "running.md").read_text("utf-8")
    (example,) = re.findall(r"^```text \.env\n(.*?)^```$", told, re.MULTILINE | re.DOTALL)
    given = dict(line.split("=", 1) for line in example.splitlines())
    assert set(needed.findall(BESIDE.read_text("utf-8"))) == given.keys() - {"COMPOSE_FILE"}
    assert [ROOT / name for name in given["COMPOSE_FILE"].split(":")] == [ALONE, BESIDE]
    asked = set(re.findall(r"\$\{(\w+)", ALONE.read_text("utf-8") + BESIDE.read_text("utf-8")))
    assert {name for name in asked if f"`{name}`" not in told} == {"CONSENT_LEDGER_IN", "CONSENT_LEDGER_OUT"}


def test_the_command_line_starts_without_a_password() -> None:
    """Compose wants every variable of a file before it looks at profiles: so none that is needed stands in its file."""
    assert ":?" not in ALONE.read_text("utf-8")
    alone = yaml.safe_load(ALONE.read_text("utf-8"))
    beside = yaml.safe_load(BESIDE.read_text("utf-8"))
    assert list(alone["services"]) == ["cli"]
    assert alone["x-image"] == beside["x-image"]


@pytest.mark.parametrize("name", [name for name, service in OURS.items() if "command" in service])
def test_a_command_is_one_of_the_program(name: str) -> None:
    """With the words it takes."""
    assert [word for word in check_program(OURS[name]["command"]) if word not in ALLOWED_WORDS] == []


@pytest.mark.parametrize(
    "wrong",
    [
        "docker compose up nothing",
        "docker compose --profile nothing up",
        "docker compose run --rm postgres serve",
        "docker compose run --rm cli unheard-of",
        "docker compose run --rm topics streams setup --unheard-of",
        "docker compose exec facts sh",
        "docker swarm init",
    ],
)
def test_a_wrong_command_in_the_documentation_would_be_found(wrong: str) -> None:
    """The check that test_docs.py makes."""
    with pytest.raises(AssertionError):
        check(wrong.split())


# --- what is measured ----------------------------------------------------------------------------


def rules() -> list[dict[str, Any]]:
    """The alert rules."""
    groups = yaml.safe_load((OPERATIONS / "alerts.yml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    """The dashboard."""
    shown: dict[str, Any] = json.loads((OPERATIONS / "grafana/dashboards/consent-ledger.json").read_text("utf-8"))
    return shown


def expressions() -> Iterator[str]:
    """Every PromQL expression that is shipped."""
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in dashboard()["panels"] for target in panel["targets"])


def measures(expression: str) -> Iterator[tuple[str, set[str]]]:
    """(metric, labels asked of it) in an expression."""
    for name, selected in re.findall(r"(consent_ledger_\w+)(?:\{([^}]*)\})?", expression):
        base = re.sub(r"_(bucket|count|sum)$", "", name)
        yield base if base in METRICS else name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selected))


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_an_expression_asks_for_what_is_measured(expression: str) -> None:
    """A name or a label that nothing has would be an alert that never comes."""
    asked = list(measures(expression))
    assert asked or expression.startswith("up{")
    for name, labels in asked:
        assert labels <= METRICS[name]
    grouped = {label for group in re.findall(r"by \(([^)]*)\)", expression) for label in re.split(r",\s*", group)}
    assert grouped <= set().union(ADDED_BY_PROMETHEUS, *(METRICS[name] for name, _ in asked))
    assert expression.count("(") == expression.count(")")


def test_what_is_measured_is_listed(tmp_path: Path) -> None:
    """By the service, a publisher and a worker: nothing else, and each with its labels."""
    registry = CollectorRegistry()
    service = Metrics(registry)
    service.facts.labels("contact.opted_out.v1", "recorded")
    service.gate_answers.labels("true")
    service.request_seconds("/v1/gate", "GET", "200")
    for counter in (service.webhooks, service.webhook_refusals, service.webhook_ends):
        counter.labels("hubspot", "done")
    counted(registry)
    gauges(registry, Watchdog("one", 60.0))
    with open_house(tmp_path, {}) as house:
        PublisherMetrics(house.ledger.log, house.views, registry)._waiting.labels("stop")
    found: dict[str, set[str]] = {}
    for family in registry.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        found[name] = {label for sample in family.samples for label in sample.labels} - ADDED_BY_PROMETHEUS
    assert found == METRICS


def test_a_rank_that_is_asked_for_is_one() -> None:
    """The label's values are a closed list."""
    assert set(re.findall(r'rank="(\w+)"', " ".join(expressions()))) <= set(RANKS.values())


def test_every_measure_is_explained() -> None:
    """On the page about running it, with its labels."""
    text = (OPERATIONS / "running.md").read_text("utf-8")
    rows = re.findall(r"^\| `(consent_ledger_\w+)` \|([^|]*)\|", text, re.MULTILINE)
    assert {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows} == METRICS


def test_every_measure_is_shown_or_watched() -> None:
    """None is measured for nobody."""
    assert {name for expression in expressions() for name, _ in measures(expression)} == set(METRICS)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_to_do(rule: dict[str, Any]) -> None:
    """It names no label that its expression has taken away, and the page about running explains it."""
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert set(rule["annotations"]) == {"summary", "do"}
    assert f"`{rule['alert']}`" in (OPERATIONS / "running.md").read_text("utf-8")
    told = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
    kept = {label for group in re.findall(r"by \(([^)]*)\)", rule["expr"]) for label in re.split(r",\s*", group)}
    assert told <= kept | ({"instance"} if rule["expr"].startswith("up{") else set())


def test_the_alerts_of_the_issue_are_there() -> None:
    """Lag, dead letters, stuck workers, a publisher without lease, answers that are behind."""
    assert {"PublisherBehind", "DeadLetters", "WorkerStuck", "PublisherWithoutLease", "ProjectionBehind"} <= {
        rule["alert"] for rule in rules()
    }


def test_prometheus_asks_those_that_answer() -> None:
    """Each target is a service of the compose file, at the port it was told."""
    config = yaml.safe_load((OPERATIONS / "prometheus.yml").read_text("utf-8"))
    assert [(OPERATIONS / file).exists() for file in config["rule_files"]] == [True]
    jobs = config["scrape_configs"]
    asked = {target for job in jobs for group in job.get("static_configs", ()) for target in group["targets"]}
    looked_up = [group for job in jobs for group in job.get("dns_sd_configs", ())]
    asked |= {f"{name}:{group['port']}" for group in looked_up for name in group["names"]}
    answers = {
        f"{name}:{value}"
        for name, variable, value in environment()
        if variable in (f"{PREFIX}METRICS_PORT", f"{PREFIX}HTTP_PORT")
    }
    assert asked == answers


def test_the_dashboard_is_one() -> None:
    """Panels have a title, words, and a place of their own; the data source is the one provisioned."""
    sources = yaml.safe_load((OPERATIONS / "grafana/provisioning/datasources/prometheus.yml").read_text("utf-8"))
    known = {source["uid"] for source in sources["datasources"]}
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)
    for panel in panels:
        assert panel["title"]
        assert panel["description"]
        assert panel["datasource"]["uid"] in known
