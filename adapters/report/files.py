"""`write_outputs`: the folder of an audit, in one pass over its decisions."""

from __future__ import annotations

import importlib.metadata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from adapters.report.cells import Sheet, fits_import, reading_cell
from adapters.report.documents import audit_json, manifest_json
from adapters.report.figures import Besides
from adapters.report.html import page
from adapters.report.next_steps import next_steps, steps
from adapters.report.order import ByHand, import_order
from adapters.report.permission import route
from adapters.report.sections import Listed
from adapters.report.staging import Staging
from adapters.report.tally import Tally
from adapters.report.twins import twin, twin_of
from adapters.report.wording import ACTIONS, company, next_step_sentence, reason_sentence
from adapters.report.wording import basis as basis_name
from adapters.report.wording import bucket as bucket_name
from projections.audit import ROW_UNREAD
from projections.verdicts import Action, Audit, Bucket, Verdict

VERDICTS = "verdicts.csv"
OPT_OUT = "opt-out-list.csv"
DO_NOT_SEND = "do-not-send.csv"
NON_MARKETING = "set-non-marketing.csv"
MAY_BE_ASKED = "may-be-asked.csv"
REJECTED = "rejected.csv"

_HEADERS = {
    VERDICTS: (
        "Record ID",
        "bucket",
        "action",
        "basis",
        "rule",
        "reason",
        "reference",
        "next_step",
        "question",
        "declaration",
        "platform",
        "bucket in words",
        "action in words",
        "legal basis in words",
        "reason in words",
        "next step in words",
    ),
    OPT_OUT: ("Email",),
    DO_NOT_SEND: ("Record ID", "Email", "bucket", "reason", "reason in words"),
    NON_MARKETING: ("Record ID", "Email", "wave"),
    MAY_BE_ASKED: ("Record ID", "Email", "route", "last day"),
    REJECTED: ("file", "row", "column", "reason"),
}

_TITLES = {"NEXT-STEPS.md": "Next steps", "IMPORT-ORDER.md": "What to import, in which order"}
_PLATFORM = {True: "shown", False: "not shown", None: ""}
# Rules, bases and reasons are few; references and addresses are not.
_token = lru_cache(maxsize=4096)(reading_cell)


class Rejected(Protocol):
    """An input row that was not read, whoever's type it is."""

    @property
    def file(self) -> str: ...
    @property
    def row(self) -> int: ...
    @property
    def column(self) -> str | None: ...
    @property
    def reason(self) -> str: ...


class Named(Protocol):
    """Somebody whom a row names that could not be read, by address or by record id."""

    @property
    def email(self) -> str | None: ...
    @property
    def record_id(self) -> str | None: ...


class Beside(Protocol):
    """One more file of the folder, made by somebody else from the same pass: it sees every decision, then is asked."""

    @property
    def name(self) -> str: ...
    def see(self, verdict: Verdict) -> None: ...
    def content(self, audit: Audit) -> bytes: ...


def write_outputs(
    audit: Audit,
    verdicts: Iterable[Verdict],
    rejected: Iterable[Rejected],
    out: Path,
    beside: Sequence[Beside] = (),
    *,
    held: Sequence[Named] = (),
    tool_version: str | None = None,
) -> list[Path]:
    """Write every file of the audit into the folder `out`; the paths written, the report first.

    `verdicts` is read once and not kept; `audit` and `rejected` are read after it, so a generator may
    complete them on its way; so are the files `beside`. Whoever is `held` is not to be mailed, whatever else is known.
    The same arguments give the same bytes. Raises
    `tally.SumsDisagreeError`, writing nothing, if the verdicts do not add up to the audit.
    """
    version = tool_version or _installed_version()
    tally = Tally()
    by_hand: list[ByHand] = []
    with Staging(out) as staging:
        sheets = {name: Sheet(staging.text(name), header) for name, header in _HEADERS.items()}
        writer = _Writer(sheets, by_hand)
        for verdict in verdicts:
            tally.see(verdict)
            writer.add(verdict)
            for one in beside:
                one.see(verdict)
        besides = Besides(writer.add_others(), writer.hold(held))
        for row in rejected:
            sheets[REJECTED].add(*(reading_cell(_shown(cell)) for cell in (row.file, row.row, row.column, row.reason)))
        tally.check(audit)
        rows = {name: sheet.rows for name, sheet in sheets.items()}
        for one in beside:
            staging.whole(one.name, one.content(audit))
        todo = steps(audit, tally, rows, besides)
        listed = Listed(rows, Counter(one.file for one in by_hand), frozenset(one.name for one in beside), besides)
        written_pages = {
            "NEXT-STEPS.md": next_steps(audit, todo),
            "IMPORT-ORDER.md": import_order(audit, rows, by_hand, tally.waves),
        }
        beside_them = {*rows, *listed.beside, *written_pages, "report.html", "audit.json", "manifest.json"}
        pages = {"report.html": page(audit, tally, todo, listed, version)} | written_pages
        for name, words in written_pages.items():
            pages[twin_of(name)] = twin(words, f"{_TITLES[name]}: {company(audit.controller)}", beside_them)
        for name, words in pages.items():
            staging.whole(name, words.encode("utf-8", "backslashreplace"))
        staging.whole("audit.json", audit_json(audit))
        staging.whole("manifest.json", manifest_json(audit, sorted(staging.settled()), version))
        written = staging.publish()
    return sorted(written, key=lambda path: (path.name != "report.html", path.name))


class _Writer:
    """Puts each verdict into the sheets it belongs in."""

    def __init__(self, sheets: dict[str, Sheet], by_hand: list[ByHand]) -> None:
        self._sheets = sheets
        self._by_hand = by_hand
        self._opted_out: set[str] = set()
        self._kept_out: set[str] = set()
        self._others: dict[str, tuple[str, tuple[Bucket, str, str]]] = {}

    def add(self, verdict: Verdict) -> None:
        """One record, in input order."""
        self._sheets[VERDICTS].add(
            reading_cell(verdict.record_id),
            verdict.bucket,
            verdict.action,
            _token(verdict.basis),
            _token(verdict.rule),
            _token(verdict.reason),
            reading_cell(verdict.reference),
            _token(verdict.next_step),
            _token(verdict.question),
            "" if verdict.declaration is None else verdict.declaration,
            _PLATFORM[verdict.platform_shown],
            *_in_words(verdict.bucket, verdict.action, verdict.basis, verdict.reason, verdict.next_step),
        )
        if verdict.stopped_all and verdict.shown_stopped is not True:
            self._opt_out(verdict)
        if verdict.kept_out:
            why = (verdict.bucket, _token(verdict.reason), reason_sentence(verdict.reason))
            self._for_import(DO_NOT_SEND, verdict, *why)
            self._kept_out.update(_keys(verdict.email, verdict.record_id))
            for email in verdict.others:
                self._others.setdefault(email.strip().casefold(), (email.strip(), why))
        if verdict.action is Action.SET_NON_MARKETING:
            self._for_import(NON_MARKETING, verdict, verdict.wave or "")
        if verdict.may_be_asked:
            last = verdict.ask_until.isoformat() if verdict.ask_until else ""
            self._for_import(MAY_BE_ASKED, verdict, route(verdict.ask_basis), last)

    def add_others(self) -> int:
        """The other addresses of whoever is kept out, for which no record has its own row; how many there are."""
        found = [(email, *why) for key, (email, why) in self._others.items() if key not in self._kept_out]
        return sum(self._keep_out("", *one) for one in found)

    def hold(self, people: Iterable[Named]) -> int:
        """Who is not to be mailed besides, whether a record of the export or not; how many there are."""
        why = (Bucket.CONFLICT, ROW_UNREAD, reason_sentence(ROW_UNREAD))
        added = 0
        for who in people:
            email, record = who.email or "", who.record_id or ""
            if self._kept_out.isdisjoint(_keys(email, record)):
                added += self._keep_out(record, email, *why)
        return added

    def _keep_out(self, record: str, email: str, *why: str) -> bool:
        """A row that is no record's; False where it does not fit in, and is to be done by hand.

        Whoever is another address of a record's has no record id there: an import by it would write over its own.
        """
        self._kept_out.update(_keys(email, record))
        fits = fits_import(email or record)
        if fits:
            self._sheets[DO_NOT_SEND].add(record, email, *why)
        else:
            self._by_hand.append(ByHand(DO_NOT_SEND, f"address {email}" if email else f"Record ID {record}"))
        return fits

    def _opt_out(self, verdict: Verdict) -> None:
        address = (verdict.email or "").strip()
        key = address.casefold()
        if not address or key in self._opted_out:
            return
        self._opted_out.add(key)
        if fits_import(address):
            self._sheets[OPT_OUT].add(address)
        else:
            self._by_hand.append(ByHand(OPT_OUT, _handle(verdict)))

    def _for_import(self, file: str, verdict: Verdict, *more: str | int) -> None:
        record, address = verdict.record_id or "", (verdict.email or "").strip()
        kept_record = record if fits_import(record) else ""
        kept_address = address if fits_import(address) else ""
        if kept_record or kept_address:
            # An empty cell changes nothing in HubSpot; a changed address would overwrite the real one.
            self._sheets[file].add(kept_record, kept_address, *more)
        else:
            self._by_hand.append(ByHand(file, _handle(verdict)))


@lru_cache(maxsize=4096)
def _in_words(bucket: Bucket, action: Action, basis: str | None, reason: str, step: str) -> tuple[str, ...]:
    """The tokens of a row for who reads it: what a machine goes by stands before them."""
    return (
        bucket_name(bucket),
        ACTIONS[action][0],
        basis_name(basis) if basis else "",
        reason_sentence(reason),
        next_step_sentence(step),
    )


def _keys(email: str | None, record: str | None) -> set[str]:
    """By what somebody is known in a list: an address holds an @, a record id does not."""
    return {key for key in ((email or "").strip().casefold(), (record or "").strip()) if key}


def _handle(verdict: Verdict) -> str:
    """What finds the record in the CRM: its id, else its address, else where the ledger holds it."""
    if verdict.record_id:
        return f"Record ID {verdict.record_id}"
    return f"address {verdict.email}" if verdict.email else f"reference {verdict.reference}"


def _shown(cell: object) -> str:
    return "" if cell is None else str(cell)


def _installed_version() -> str:
    try:
        return importlib.metadata.version("consent-ledger")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
