"""The audit on a terminal: what a reader needs before opening the report, in 80 columns."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from adapters.report import changes, figures, lost, money, prose, resting, sources, wording
from adapters.report.masking import printable
from adapters.report.screen import Screen
from adapters.report.why_text import render_why
from adapters.report.wording import verb as _verb
from projections.verdicts import Action, Audit, Bucket, Count

__all__ = ["render_audit", "render_why"]

_LABEL = 9
_NOTES = 30


def render_audit(audit: Audit, console: Console, out: Path, written: list[Path]) -> None:
    """Print the audit: counts, waste, risk, what was looked at, and where the files are. Money is not guessed."""
    screen = Screen(console)
    _lost(audit, screen)
    _read(audit, screen)
    _marketing(audit, screen)
    _others(audit, screen)
    _notes(audit, screen)
    _findings(audit, screen)
    _looked_at(audit, screen)
    _files(screen, out, written)


def _lost(audit: Audit, screen: Screen) -> None:
    """What could not be read or is not shown, and may be opt-outs, comes before all else."""
    sentences = lost.sentences(audit.lost_stops)
    first = next(iter(audit.lost_stops), None)
    label = "NOT SHOWN" if first is not None and first.hidden else "NOT READ"
    for number, one in enumerate(sentences):
        screen.wrapped(label if number == 0 else "", prose.plain(one), max(_LABEL, len(label) + 1), style="bold")
    if sentences:
        screen.line()


def _company(audit: Audit) -> str:
    named = wording.company(audit.controller)
    return f"{named}: {wording.NAME_IT}" if named == wording.NOT_NAMED else printable(named)


def _read(audit: Audit, screen: Screen) -> None:
    adopted = f"adopted by {audit.rule_set.adopted_by}" if audit.rule_set.adopted_by else "which nobody has adopted yet"
    screen.wrapped(
        "",
        f"{_company(audit)} · {wording.moment(audit.at)} · rule set {audit.rule_set.hash[:12]}, {adopted}",
        0,
    )
    for one in audit.files:
        assumed = ", assumed" if one.encoding_assumed else ""
        delimiter = {"\t": "tab", "": "no delimiter"}.get(one.delimiter, f"'{one.delimiter}'")
        rejected = f", {one.rejected:,} rejected" if one.rejected else ""
        screen.wrapped("read ", f"{one.name} ({one.encoding}{assumed}, {delimiter}, {one.rows:,} rows{rejected})", 5)
    _seen(audit, screen)
    for number, sentence in enumerate(audit.warnings):
        screen.wrapped("note " if number == 0 else "", printable(sentence, 4000), 5, style="bold")
    screen.line(wording.NOTHING_LEFT)
    screen.line()


def _seen(audit: Audit, screen: Screen) -> None:
    """Every file that was come across, a line each; those not read that may hold somebody's no, first and loud."""
    unread = [one for one in audit.files_seen if one.unread]
    for one in unread:
        screen.wrapped("NOT READ ", f"{printable(one.name, 200)}: {printable(one.became, 1000)}", 9, style="bold")
    for one in audit.files_seen:
        if not one.unread:
            screen.wrapped("file ", f"{printable(one.name, 200)}: {printable(one.became, 1000)}", 5)


def _marketing(audit: Audit, screen: Screen) -> None:
    marketing = audit.totals.get("marketing", 0)
    screen.columns(" MARKETING CONTACTS TODAY", f"{marketing:,}")
    for line in wording.lines(audit):
        number = line.records.marketing
        waits = line.bucket is Bucket.BASIS_PROVEN and lost.stands(audit)
        step = f" → {wording.BUCKET_STEPS[Bucket.CONFLICT] if waits else line.step}" if number else ""
        screen.columns(f"   {line.name.lower()}", f"{number:,}", f"{wording.percent(number, marketing):>5}{step}")


def _others(audit: Audit, screen: Screen) -> None:
    contacts, marketing = audit.totals.get("contacts", 0), audit.totals.get("marketing", 0)
    unknown = audit.totals.get("marketing_unknown", 0)
    screen.columns(" NON-MARKETING CONTACTS", f"{contacts - marketing - unknown:,}")
    if unknown:
        screen.columns(" HUBSPOT FLAG UNKNOWN", f"{unknown:,}", "they are not counted as paid for")
    done = ", ".join(f"{wording.ACTIONS[action][0].lower()} {audit.actions.get(action, 0):,}" for action in Action)
    screen.wrapped(" ACTIONS", f"for all {contacts:,}: {done}", _LABEL + 1, figures=True)
    for sentence in figures.sentences(audit):
        screen.wrapped("", prose.plain(sentence), _LABEL + 1, figures=True)
    screen.line()


def _findings(audit: Audit, screen: Screen) -> None:
    if audit.before:
        said = "; ".join(changes.changed(audit))
        screen.wrapped(" CHANGED", f"{changes.since(audit)}: {said}", _LABEL)
    if on_file := resting.lines(audit):
        _listed(screen, " ON FILE", [(number, prose.plain(words)) for number, words in on_file])
    _listed(screen, " WASTED", _wasted(audit))
    for number, line in enumerate(line for line in (*money.lines(audit), money.missing(audit)) if line):
        screen.wrapped(" MONEY" if number == 0 else "", line, _LABEL, figures=True)
    _listed(screen, " RISK", _risks(audit))
    dont = (
        "Do not mail all of them to ask: that mail is itself marketing. The ICO fined Honda and Flybe for it "
        "in 2017. The report says why."
    )
    screen.wrapped(" DON'T", dont, _LABEL, style="bold")
    rules = audit.rule_set
    soft = rules.resting_on_medium + rules.resting_on_policy
    if rules.rules_unchecked or soft:
        unchecked = wording.counted(rules.rules_unchecked, "rule")
        on_soft = wording.counted(soft, "contact rests", "contacts rest")
        are = "is" if rules.rules_unchecked == 1 else "are"
        said = f"{unchecked} {are} not checked by counsel; {on_soft} on rules of medium confidence or our own choice"
        screen.wrapped(" RULES", said, _LABEL, figures=True)
    if audit.corrections:
        was = wording.counted(len(audit.corrections), "stop was", "stops were")
        said = f"{was} undone as recorded by mistake: see the report"
        screen.wrapped(" UNDONE", said, _LABEL, figures=True)
    screen.line()


def _notes(audit: Audit, screen: Screen) -> None:
    """What was not understood or not certain, in the words of whoever read it."""
    for number, note in enumerate(audit.notes[:_NOTES]):
        screen.wrapped(" CHECK" if number == 0 else "", note, _LABEL)
    if len(audit.notes) > _NOTES:
        screen.wrapped("", f"{len(audit.notes) - _NOTES} more notes stand in the report", _LABEL)
    if audit.notes:
        screen.line()


def _wasted(audit: Audit) -> list[tuple[int, str]]:
    drop, dead, soon = audit.avoidable_marketing, audit.undeliverable_marketing, audit.scheduled
    return [
        (drop, f"marketing contact{_s(drop)} {_verb(drop, 'is', 'are')} avoidable: set-non-marketing.csv"),
        (
            dead,
            f"of all marketing contacts {_verb(dead, 'takes', 'take')} no mail",
        ),
        (soon, f"more {_verb(soon, 'turns', 'turn')} non-marketing at HubSpot's next update"),
    ]


def _risks(audit: Audit) -> list[tuple[int, str]]:
    first = min((item.month for item in audit.expiring), default="")
    claimed = audit.buckets.get(Bucket.BASIS_CLAIMED, Count()).marketing
    torn = audit.buckets.get(Bucket.CONFLICT, Count()).contacts
    unknown = audit.jurisdictions.get("XX", Count()).contacts
    ending = sum(item.contacts for item in audit.expiring)
    more = [
        *(["their other addresses"] if audit.with_others else []),
        *(["whoever is named in rows that could not be read"] if any(one.held for one in audit.lost_stops) else []),
    ]
    besides = f"; it also lists {wording.listed(more)}" if more else ""
    return [
        *((audit.stopped_by.get(who, Count()).marketing, words) for who, words in wording.STILL_MARKETING.items()),
        (claimed, f"{_verb(claimed, 'rests', 'rest')} on claims that nothing here shows"),
        (audit.do_not_send, f"must not be mailed now: do-not-send.csv{besides}"),
        (torn, f"{_verb(torn, 'has', 'have')} records that contradict"),
        (unknown, f"{_verb(unknown, 'is', 'are')} of unknown country: the strictest rules apply"),
        (
            ending,
            f"legal {_verb(ending, 'basis', 'bases')} with evidence {_verb(ending, 'ends', 'end')} by "
            f"{_verb(ending, 'itself', 'themselves')}, the first in {wording.month(first)}",
        ),
    ]


def _s(number: int) -> str:
    return "" if number == 1 else "s"


def _listed(screen: Screen, label: str, found: list[tuple[int, str]]) -> None:
    """A label beside its findings, one on a line; those of nobody are left out."""
    lines = [one for one in found if one[0]] or [(0, "found in what was read")]
    for place, (number, what) in enumerate(lines):
        screen.figure(label if place == 0 else "", number, what, _LABEL)


def _looked_at(audit: Audit, screen: Screen) -> None:
    """What was looked at and what was not, in short: the report says how to get it."""
    if not audit.looked_at:
        return
    seen = ", ".join(f"{sources.name(one)} (taken {sources.taken(one)})" for one in sources.seen(audit))
    screen.wrapped(" LOOKED AT", seen or "nothing", _LABEL + 2)
    asked, others = sources.missing(audit)
    unseen = [f"{sources.name(one)} (could change {one.could_change:,})" for one in asked]
    unseen += [sources.name(one) for one in others]
    if unseen:
        screen.wrapped(" NOT", ", ".join(unseen), _LABEL + 2)
    screen.line()


def _files(screen: Screen, out: Path, written: list[Path]) -> None:
    screen.line(f" wrote    {printable(str(out), 4000)}/")
    names = ", ".join(path.name for path in written)
    screen.wrapped("", names or "no files", _LABEL)
    if any(path.name == "report.html" for path in written):
        screen.line(f" open     {printable(str(out / 'report.html'), 4000)}")
    if any(path.name == "NEXT-STEPS.html" for path in written):
        screen.line(f" then     {printable(str(out / 'NEXT-STEPS.html'), 4000)}")
    screen.line()
    screen.wrapped("", wording.NOT_ADVICE, 0)
