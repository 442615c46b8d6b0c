"""One answer on a terminal: the verdict first, then what it rests on, then what would change it."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console

from adapters.report import wording
from adapters.report.screen import Screen
from adapters.report.why import Why, WhyCondition, WhyRow

_INDENT = 14
_STYLES = {wording.ALLOWED: "bold green", wording.NOT_ALLOWED: "bold red", wording.NOT_SHOWN: "bold yellow"}
_MARKS = {True: "met", False: "NOT MET", None: "unknown"}


def render_why(why: Why, console: Console) -> None:
    """Print the whole answer in 80 columns."""
    screen = Screen(console)
    _verdict(why, screen)
    _rule(why, screen)
    _timeline(why, screen)
    for label, items in (
        ("against", why.spoke_against),
        ("obliged to", why.obligations),
        ("liable", why.liabilities),
        ("would change", why.would_change),
    ):
        _listed(screen, label, items)
    if why.changes_at:
        screen.wrapped("changes on", f"{why.changes_at.isoformat()}, by itself", _INDENT, style="bold")
    _frame(why, screen)


def _verdict(why: Why, screen: Screen) -> None:
    asked = why.question
    screen.wrapped("who", f"{why.email_masked}  ({why.reference})", _INDENT, style="bold")
    screen.wrapped("question", f"{asked.purpose} by {asked.channel}, on {_moment(asked.on)}", _INDENT, style="bold")
    screen.wrapped(
        "as known",
        f"{_moment(asked.known_at)}, under the rules as declared by {_moment(asked.law_at)}",
        _INDENT,
    )
    screen.line()
    screen.line(why.verdict[:1].upper() + why.verdict[1:] + ".", style=_STYLES[why.verdict])
    if why.sentence:
        screen.wrapped("", why.sentence, 0)
    screen.line()


def _rule(why: Why, screen: Screen) -> None:
    screen.wrapped("basis", why.basis or "none", _INDENT, style="bold")
    if why.rule:
        rule = why.rule
        screen.wrapped("rule", f"{rule.id}: {rule.text}", _INDENT, style="bold")
        checked = f"checked by {rule.checked_by}" if rule.checked_by else "not checked by counsel"
        screen.wrapped("source", f"{rule.source} ({rule.confidence} confidence, {checked})", _INDENT)
    for number, condition in enumerate(why.conditions):
        screen.wrapped("needs" if number == 0 else "", _condition(condition), _INDENT)
    if why.claimed:
        basis = f" ({why.claimed.basis})" if why.claimed.basis else ""
        missing = "; ".join(why.claimed.missing) or "nothing named"
        screen.wrapped("claimed", f"{why.claimed.rule}{basis}, not shown. Missing: {missing}", _INDENT, style="bold")
    screen.line()


def _condition(condition: WhyCondition) -> str:
    where = ", ".join(str(position) for position in condition.positions)
    return f"{_MARKS[condition.met]:<8} {condition.name}" + (f"  [{where}]" if where else "")


def _timeline(why: Why, screen: Screen) -> None:
    if not why.timeline:
        screen.wrapped("history", "nothing on record", _INDENT, style="bold")
        screen.line()
        return
    screen.line(f"{'position':<9}{'happened':<18}{'source held it':<18}{'we hold it':<18}note", style="bold")
    for row in why.timeline:
        held = _moment(row.held_since, short=True) if row.held_since else "not shown"
        happened, more = _happened(row)
        clocks = f"{happened:<18}{held:<18}{_moment(row.recorded_at, short=True):<18}"
        screen.line(f"{row.position:<9}{clocks}{row.note or ''}".rstrip())
        screen.wrapped("", more + row.what, 9)
    screen.wrapped("", "Times are UTC.", 9)
    screen.line()


def _happened(row: WhyRow) -> tuple[str, str]:
    """When it happened, for a narrow column, and what has to be said beside the fact if that is not all."""
    start, end = row.happened_from, row.happened_to
    if start is None:
        return (f"by {_moment(end)[:10]}", "") if end else ("unknown", "")
    if row.precision in ("day", "month", "year"):
        return _moment(start)[: {"day": 10, "month": 7, "year": 4}[row.precision]], ""
    if end is not None and end != start:
        return f"from {_moment(start)[:10]}", f"until {_moment(end)[:10]} at the latest: "
    return _moment(start, short=True), ""


def _listed(screen: Screen, label: str, items: tuple[str, ...]) -> None:
    for number, item in enumerate(items):
        screen.wrapped(label if number == 0 else "", f"- {item}", _INDENT, style="bold")
    if items:
        screen.line()


def _frame(why: Why, screen: Screen) -> None:
    for number, one in enumerate(why.jurisdictions):
        shown = "; ".join(one.evidence) or "no evidence"
        screen.wrapped("rules of" if number == 0 else "", f"{one.code}: {shown}", _INDENT, style="bold")
    adopted = f"adopted by {why.adopted_by}" if why.adopted_by else "adopted by nobody"
    screen.wrapped("rule set", f"{why.policy_hash}, {adopted}", _INDENT, style="bold")
    screen.line()
    screen.wrapped("", wording.NOT_ADVICE, 0)


def _moment(at: datetime, *, short: bool = False) -> str:
    shown = f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
    return shown if short else f"{shown} UTC"
