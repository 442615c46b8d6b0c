"""The grounds of the page about one person: names on the left, what is known of each on the right."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.report import wording
from adapters.report.why import Why, WhyDeclaration, WhyDocument, WhyLinked, WhyLooked
from adapters.report.why_blocks import Para, Quote, line, lines, stamp

Fact = tuple[str, tuple[str, ...]]
AGAINST_SHOWN = 4
DOCUMENTS_SHOWN = 3
EXCERPT = 220
NOTES_SHOWN = 2
_MET = {True: "met", False: "not met", None: "not shown"}


def grounds(why: Why) -> Iterator[Fact]:
    """The law, the rule, each condition, the evidence, the platform's terms, what would have changed it."""
    yield "Whose rules", tuple(f"{one.name or one.code}: {'; '.join(one.evidence)}" for one in why.jurisdictions)
    if why.basis:
        yield "Legal basis", (wording.basis(why.basis),)
    if why.rule:
        rule = why.rule
        checked = f"checked by {line(rule.checked_by, 80)}" if rule.checked_by else "not checked by counsel"
        checked += f" on {rule.checked_on}" if rule.checked_by and rule.checked_on else ""
        yield (
            "Rule",
            (
                f"{rule.law} ({rule.id}): {rule.text}",
                f"Source: {rule.source} ({rule.confidence} confidence, {checked}).",
            ),
        )
    yield from _conditions(why)
    if why.claimed:
        missing = f" Missing: {'; '.join(why.claimed.missing)}." if why.claimed.missing else ""
        law = f"{why.claimed.law}." if why.claimed.law else "No rule that counts here could accept what is claimed."
        yield "Claimed, not shown", (f"{law}{missing}",)
    if why.spoke_against:
        more = len(why.spoke_against) - AGAINST_SHOWN
        rest = (f"and {more} more",) if more > 0 else ()
        yield "What counted against it", (*why.spoke_against[:AGAINST_SHOWN], *rest)
    resting = "Earlier legal basis" if why.verdict == wording.NOT_ALLOWED else "Rests on"
    for one in why.declarations:
        yield resting, (declared(one),)
    yield (
        "Evidence, SHA-256",
        tuple(_evidence(one) for one in why.documents[:DOCUMENTS_SHOWN]) or ("No document is kept with it.",),
    )
    if len(why.documents) > DOCUMENTS_SHOWN:
        yield "", (f"{wording.counted(len(why.documents) - DOCUMENTS_SHOWN, 'more document')}: see the annex.",)
    if why.platform:
        said = "permission shown" if why.platform.shown else "permission not shown"
        accepted = ", ".join(wording.basis(name) for name in why.platform.accepts)
        yield (
            f"{why.platform.platform}'s terms",
            (f"{said}. They accept: {accepted}. This is not law, and never a legal basis.",),
        )
    yield "Would change it", tuple(_last(why.would_change, why))
    if why.obligations:
        yield "The message must", ("; ".join(why.obligations) + ".",)
    if why.liabilities:
        yield "The law's own grace", why.liabilities


def _conditions(why: Why) -> Iterator[Fact]:
    """Each need of the rule, by whether it is met: the answer names them all."""
    told = []
    for met, word in _MET.items():
        names = [one.name for one in why.conditions if one.met is met]
        if names:
            told.append(f"{word}: {'; '.join(names)}")
    if told:
        where = sorted({position for one in why.conditions for position in one.positions})
        yield "Conditions", (*told, f"Looked for in {_positions(where)}.") if where else tuple(told)


def _positions(where: list[int]) -> str:
    return f"position{'s' if len(where) > 1 else ''} " + ", ".join(map(str, where))


def declared(one: WhyDeclaration) -> str:
    """A declaration, who answers for it, and what shows it."""
    shown = f"shown by {len(one.evidence)} kept file" + ("s" if len(one.evidence) > 1 else "")
    shown = shown if one.evidence else "without a file that shows it: it counts as unknown"
    return (
        f"declaration {one.position} by {line(one.by, 80)}, {line(one.role, 80)}, {line(one.on, 30)}: "
        f"{one.says}; {shown}."
    )


def _evidence(one: WhyDocument) -> str:
    where = f" [{', '.join(map(str, one.positions))}]" if one.positions else ""
    said = f": “{line(' '.join(one.text.split()), EXCERPT)}”" if one.text else f": {form(one)}"
    return f"{one.role}{where}{said} {one.sha256}"


def form(one: WhyDocument) -> str:
    """What kind of file it is."""
    size = f", {one.size:,} bytes" if one.size is not None else ""
    return f"{one.form}{size}"


def _last(items: tuple[str, ...], why: Why) -> Iterator[str]:
    yield "; ".join(items) + "." if items else "nothing named"
    if why.changes_at:
        yield f"It changes by itself on {why.changes_at.isoformat()}."


def _linked(one: WhyLinked) -> str:
    if one.stops_only:
        return f"{one.reference} may be the same person: what forbids there (stops, a hold, a minor) forbids here too"
    return f"{one.reference} ({'; '.join(one.addresses) or 'no address'}), merged by {line(one.merged, 160)}"


def around(why: Why, annexed: bool) -> Iterator[Fact]:
    """Other addresses and records, what is still owed, whose rule set, what was looked at and what not."""
    addresses = "; ".join(why.other_addresses) or "no other address"
    records = "; ".join(line(one, 60) for one in why.records) or "no CRM record"
    yield "Addresses, records", (f"{addresses}; {records}",)
    yield (
        "Linked records",
        tuple(map(_linked, why.linked)) or ("none",),
    )
    yield (
        "Open requests",
        tuple(
            f"{one.kind}, received {one.received}, to be answered by {one.due} (one month, GDPR 12(3)) [{one.position}]"
            for one in why.requests
        )
        or ("none on record",),
    )
    adopted = f"adopted by {line(why.adopted_by, 120)}" if why.adopted_by else "not adopted by anybody yet"
    adopted += f" on {why.adopted_on}" if why.adopted_on else ""
    yield "Rule set", (f"{why.policy_hash}, {adopted}.",)
    yield "Looked at", ("; ".join(looked(one) for one in why.looked_at) or "no file; facts told by hand alone",)
    yield from _not_looked_at(why, annexed)


def _not_looked_at(why: Why, annexed: bool) -> Iterator[Fact]:
    """What nobody brought, what could change this answer first; how to get it here, or in the annex if there is one."""
    telling = [one.name if annexed else f"{one.name} ({one.get})" for one in why.not_looked_at if one.could_change]
    others = [one.name for one in why.not_looked_at if not one.could_change]
    said = [f"Could change this answer: {'; '.join(telling)}."] if telling else []
    said += [f"Others: {'; '.join(others)}."] if others else []
    if annexed and said:
        said.append("How to get each: annex.")
    if said:
        yield "Not looked at", (" ".join(said),)


def looked(one: WhyLooked) -> str:
    """One kind of source that was taken in."""
    files = f" ({one.files} files)" if one.files > 1 else ""
    taken = f", taken {one.taken_on}" if one.taken_on else ""
    period = f", facts of {one.first} to {one.last}" if one.first and one.last else ", period not on record"
    return f"{one.name}{files}{taken}{period}"


def notes(why: Why) -> Iterator[Para]:
    """What was noted before, the newest on the page."""
    for one in why.notes[-NOTES_SHOWN:]:
        yield Para(f"{stamp(one.recorded)}, {line(one.by, 80)}, {line(one.role, 80)}: {lines(one.text, 600)}")
    if len(why.notes) > NOTES_SHOWN:
        yield Para(f"{len(why.notes) - NOTES_SHOWN} older notes: see `history`.", small=True)


def quotes(why: Why) -> Iterator[Quote]:
    """The words of documents that did not fit on the page."""
    for number, one in enumerate(why.documents):
        if one.text and (len(" ".join(one.text.split())) > EXCERPT or number >= DOCUMENTS_SHOWN):
            more = ", shortened" if one.shortened else ""
            yield Quote(lines(one.text), f"{one.role}, {form(one)}{more}, SHA-256 {one.sha256}")
