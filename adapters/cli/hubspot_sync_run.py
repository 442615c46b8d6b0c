"""What the commands of `hubspot sync` do: look, show the exact calls, write, approve."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from adapters.cli.hubspot_sync import opened, settings_read, update_day
from adapters.cli.options import EXIT, open_house, out, show
from adapters.hubspot.api.portal import Portal
from adapters.hubspot.sync.apply import MOST, Outcome, Sync
from adapters.hubspot.sync.changed import CURSOR, changed
from adapters.hubspot.sync.plan import MARKETABLE, ORDER, Plan
from adapters.hubspot.sync.rehearsal import Shown, rehearsed
from adapters.hubspot.sync.store import Book
from adapters.losses import Open, standing_files
from adapters.report.masking import mask_email
from adapters.settings import Settings
from adapters.wiring import House, now
from ledger.database import chunks


class Run:
    """One run over many contacts, as it is told of."""

    def __init__(self) -> None:
        self.contacts = 0
        self.steps: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.equal = self.raises = self.waiting = self.held_back = self.demotions = self.pending = self.gone = 0
        self.refused: list[str] = []
        self.calls: list[Shown] = []
        self.lost: list[Open] = []

    def add(self, outcome: Outcome) -> None:
        """Count what was planned and what became of it."""
        plan: Plan = outcome.plan
        self.steps.update(step.call for step in plan.steps)
        self.answers.update(one.status for one in outcome.results)
        self.equal += plan.equal
        self.raises += len(plan.raises)
        self.waiting += len(plan.waiting)
        self.held_back += len(plan.held_back)
        self.demotions += len(plan.demotions)
        self.pending += sum(one.pending for one in plan.demotions)
        self.gone += len(outcome.gone)
        self.refused += [f"{one.reference}: {one.call} {one.code} {one.detail}".rstrip() for one in outcome.refused]


def run_sync(ledger: Path | None, *, apply: bool, full: bool, most: int, json: bool) -> int:
    """Look, or write; the exit code."""
    settings = settings_read()
    with ExitStack() as stack:
        house, portal, sync = opened(ledger, settings, stack)
        book = stack.enter_context(Book.open(house))
        position, looked_at = (0, None) if full else book.cursor(CURSOR)
        head, began = house.ledger.log.last_position(), now()
        run = Run()
        run.lost = standing_files(house, house.catalogue)
        if apply:
            for name in sync.prepare():
                show(f"made the property {name} in HubSpot")
        found = dict.fromkeys([*book.unfinished(), *changed(house, position, looked_at, began)])
        for part in chunks(list(found), MOST):
            _one_part(run, sync, portal, part, apply)
        if apply:
            book.advance(CURSOR, head, began)
    if json:
        out(msgspec.json.format(msgspec.json.encode(_as_json(run, apply)), indent=2))
    else:
        for line in _told(run, settings, most, apply):
            out(line.encode())
    return EXIT.FINDINGS if run.refused else EXIT.OK


def _one_part(run: Run, sync: Sync, portal: Portal, part: Sequence[str], apply: bool) -> None:
    run.contacts += len(part)
    if apply:
        run.add(sync.apply(part))
        return
    outcome = sync.look(part, run.raises)
    run.add(outcome)
    run.calls += rehearsed(outcome.plan, portal, mask_email)


def _told(run: Run, settings: Settings, most: int, apply: bool) -> Iterator[str]:
    for one in run.lost:
        if one.unread:
            yield f"{one.name}: this file was not read and may hold opt-outs."
            yield "  Nobody is raised until it is given in a form that can be read, or,"
        else:
            yield f"{one.name}: {_rows(one.rows)} may be anybody's opt-out, or hide it."
            nobody = "Whoever no later export shows is not raised" if one.in_part else "Nobody is raised"
            yield f"  {nobody} until the file is mended, another shows who opted out, or,"
        yield f"  with audit or import: --accept-lost-stops {one.name}={one.rows} --by NAME"
    yield f"{run.contacts:,} contacts were compared; {run.equal:,} of their values need no change."
    yield from (_counted(_WORDS[call], run.steps[call]) for call in ORDER if run.steps[call])
    if run.raises or run.waiting:
        yield _counted("further marketing contacts by this", run.raises)
        yield _counted("further marketing contacts to be approved", run.waiting)
    if run.waiting:
        yield f"    consent-ledger hubspot approve {run.waiting} --by NAME --role ROLE --reason WHY"
    if run.held_back:
        yield _counted("marketing contacts held back for lost stops", run.held_back)
    if run.demotions:
        day = update_day(settings, now().date())
        yield _counted("contacts that should become non-marketing", run.demotions)
        yield _counted(f"  taken off by HubSpot {f'on {day}' if day else 'at its next update'}", run.pending)
        if day is None:
            yield "    CONSENT_LEDGER_CRM_UPDATE_DAY says on which day that is"
    if run.gone:
        yield f"Records that HubSpot does not hold any more: {run.gone:,}"
    if apply:
        answers = ", ".join(f"{count:,} {status}" for status, count in sorted(run.answers.items()))
        yield f"Written: {answers or 'nothing'}"
        yield from (f"  refused {line}" for line in run.refused)
        return
    told = f"Nothing was written. The calls that --apply makes, {len(run.calls):,} in all:"
    yield told if run.calls else "Nothing would be written."
    yield from _examples(run.calls, most)


def _examples(calls: Sequence[Shown], most: int) -> Iterator[str]:
    """The calls, kind by kind: how many there are, and so many of each; of a batch, so many of its parts. 0: all."""
    kinds: dict[str, list[Shown]] = {}
    for call in calls:
        kinds.setdefault(f"{call.method} {_ONE_OF_MANY.sub('/…', call.path)}", []).append(call)
    left_out = False
    for kind, found in kinds.items():
        yield f"  {len(found):,} × {kind}" if len(found) > 1 else f"  {found[0].method} {found[0].path}"
        for call in found[: most or None]:
            if len(found) > 1 and kind != f"{call.method} {call.path}":
                yield f"    {call.path}"
            if call.body is not None:
                body, more = _shortened(call.body, most)
                left_out = left_out or bool(more)
                yield f"    {msgspec.json.encode(body).decode()}{more}"
        left_out = left_out or bool(most and len(found) > most)
    if left_out:
        yield "  --show 0 shows every call whole, --json all of it for a program"


def _shortened(body: object, most: int) -> tuple[object, str]:
    """A body with so many of its inputs, and how many are left out."""
    inputs = body.get("inputs") if isinstance(body, dict) else None
    if not most or not isinstance(body, dict) or not isinstance(inputs, list) or len(inputs) <= most:
        return body, ""
    return body | {"inputs": inputs[:most]}, f" and {len(inputs) - most:,} more"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _counted(what: str, count: int) -> str:
    return f"  {what:<44} {count:>9,}"


_ONE_OF_MANY = re.compile(r"/[^/]*(?:[0-9]{3}|[@…])[^/]*")
"""A part of a path that names one person or record."""
_WORDS = {
    "unsubscribe_all": "addresses to be taken off all e-mail",
    "unsubscribe": "subscriptions to be switched off",
    "update": "records whose verdict is to be written",
    "subscribe": "subscriptions to be switched on",
}


def _as_json(run: Run, apply: bool) -> dict[str, object]:
    return {
        "applied": apply,
        "contacts": run.contacts,
        "steps": {call: run.steps[call] for call in ORDER},
        "equal": run.equal,
        "raises": run.raises,
        "waiting": run.waiting,
        "held_back": run.held_back,
        "lost_stops": [{"file": one.name, "sha256": one.sha256, "lost": one.rows} for one in run.lost],
        "demotions": run.demotions,
        "pending": run.pending,
        "gone": run.gone,
        "answers": dict(run.answers),
        "refused": run.refused,
        "calls": [one._asdict() for one in run.calls],
    }


def run_approve(ledger: Path | None, raises: int, signed: tuple[str, str, str]) -> int:
    """Keep an approval, unless the cap is in the way; the exit code."""
    settings = settings_read()
    with ExitStack() as stack:
        house, portal, _ = opened(ledger, settings, stack)
        book = stack.enter_context(Book.open(house))
        marketing = _marketing(portal)
        promised = sum(one.left for one in book.approvals())
        if settings.crm_cap is not None and marketing + promised + raises > settings.crm_cap:
            room = max(0, settings.crm_cap - marketing - promised)
            show(
                f"HubSpot has {marketing:,} marketing contacts, {promised:,} more are approved, and "
                f"CONSENT_LEDGER_CRM_CAP is {settings.crm_cap:,}: no more than {room:,} can be approved"
            )
            return EXIT.ERROR
        number = book.approve(raises, marketing, signed, now())
    out(f"approval {number}: {raises:,} more, beside the {marketing:,} marketing contacts of now".encode())
    return EXIT.OK


def _marketing(portal: Portal) -> int:
    """How many marketing contacts there are, counted one by one: HubSpot has no call that says it."""
    count, after = 0, None
    while True:
        page = portal.contacts(after, [MARKETABLE])
        count += sum(one.properties.get(MARKETABLE) == "true" for one in page.items)
        if page.after is None:
            return count
        after = page.after


def run_approvals(ledger: Path | None, *, json: bool) -> int:
    """List them; the exit code."""
    with ExitStack() as stack:
        house: House = stack.enter_context(open_house(ledger))
        given = stack.enter_context(Book.open(house)).approvals()
    if json:
        out(msgspec.json.format(msgspec.json.encode([one._asdict() for one in given]), indent=2))
        return EXIT.OK
    for one in given:
        out(f"{one.number:>4}  {one.at:%Y-%m-%d}  {one.used:,} of {one.raises:,} used".encode())
        out(f"      {one.name}, {one.role}: {one.reason}".encode())
    if not given:
        out(b"nothing was approved; consent-ledger hubspot approve N approves")
    return EXIT.OK
