"""`consent-ledger policy ...`: look at the rule set, test it against cases, adopt it."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.options import EXIT, Flag, JsonOut, LedgerDir, console, open_house, out, show

if TYPE_CHECKING:
    from adapters.wiring import House
    from ledger.policy.cases import Case
    from ledger.policy.rules import Policy, Rule

app = typer.Typer(help="The rule set: list, show, compare, test, adopt.", no_args_is_help=True)

Which = Annotated[
    str, typer.Argument(help="`shipped`, `adopted`, the hash (or its beginning) of a rule set, or a folder")
]
RuleId = Annotated[str, typer.Argument(help="the rule's id, from `policy list`")]


@app.command("list")
def list_(json: JsonOut = False, ledger: LedgerDir = None) -> None:
    """List the rules, and say which rule set is in force."""
    import msgspec
    from rich.table import Table

    policy, adopted = _in_force(ledger)
    if json:
        rules = [msgspec.to_builtins(rule) for rule in policy.rules.values()]
        out(msgspec.json.encode({"hash": policy.hash, "adopted_by": adopted, "rules": rules}))
        return
    table = Table("rule", "kind", "basis", "confidence", "checked by counsel", box=None, pad_edge=False)
    for rule in policy.rules.values():
        checked = f"{rule.checked_by}, {rule.checked_on}" if rule.checked_by else "not checked by counsel"
        table.add_row(rule.id, rule.kind, rule.basis or "", rule.confidence, checked)
    screen = console()
    screen.print(f"rule set {policy.hash[:16]}, adopted by {adopted or 'nobody'}", style="bold")
    screen.print(table)


@app.command("show")
def show_rule(rule_id: RuleId, ledger: LedgerDir = None) -> None:
    """Show one rule: what it says, where it comes from, what it needs."""
    policy, _ = _in_force(ledger)
    rule = policy.rules.get(rule_id)
    if rule is None:
        near = difflib.get_close_matches(rule_id, policy.rules, 3, 0.4)
        show(f"no rule {rule_id!r}" + (f"; did you mean {', '.join(near)}?" if near else ""))
        raise typer.Exit(EXIT.ERROR)
    screen = console()
    for name, value in _lines(rule):
        screen.print(f"{name:<16}{value}", markup=False)


def _lines(rule: Rule) -> list[tuple[str, str]]:
    lines = [("rule", rule.id)]
    for name in rule.__struct_fields__:
        value = getattr(rule, name)
        if name in ("id", "checked_by", "checked_on") or value in (None, (), {}, ""):
            continue
        text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
        lines.append((name, " ".join(text.split())))
    checked = f"{rule.checked_by}, {rule.checked_on}" if rule.checked_by else "not checked by counsel"
    return [*lines, ("checked", checked)]


@app.command()
def diff(a: Which, b: Which, ledger: LedgerDir = None) -> None:
    """Show what differs between two rule sets, file by file."""
    first, second = _policy(a, ledger), _policy(b, ledger)
    for name in sorted(first.files.keys() | second.files.keys()):
        old = first.files.get(name, b"").decode().splitlines(keepends=True)
        new = second.files.get(name, b"").decode().splitlines(keepends=True)
        sys.stdout.writelines(difflib.unified_diff(old, new, f"{a}/{name}", f"{b}/{name}"))


@app.command("test")
def try_cases(
    files: Annotated[list[Path] | None, typer.Argument(help="case files; without one, the shipped suites")] = None,
    policy: Annotated[str, typer.Option(help="the rule set to test")] = "shipped",
    ledger: LedgerDir = None,
) -> None:
    """Decide the cases. It fails on a mismatch, and on a word that the format does not know."""
    from ledger.policy.cases import run
    from ledger.policy.shipped import all_cases

    cases = [case for file in files for case in _cases(file)] if files else list(all_cases())
    result = run(cases, _policy(policy, ledger))
    typer.echo(result.render())
    raise typer.Exit(EXIT.OK if result.passes else EXIT.ERROR)


def _cases(file: Path) -> Sequence[Case]:
    """The cases of a file. Raises CaseError, which names it."""
    from ledger.policy.cases import CaseError, load

    try:
        return load(file.read_bytes())
    except CaseError as error:
        raise CaseError(f"{file} is {error}") from error


@app.command()
def adopt(
    by: Annotated[str, typer.Option("--by", help="your name")],
    role: Annotated[str, typer.Option(help="your role")],
    policy: Annotated[str, typer.Option(help="the rule set to adopt")] = "shipped",
    yes: Annotated[bool, Flag("--yes", help="do it without asking")] = False,
    dry_run: Annotated[bool, Flag("--dry-run", help="only show who changes")] = False,
    ledger: LedgerDir = None,
) -> None:
    """Show whose answer changes, then record that you adopt the rule set."""
    from adapters.adopting import adopt as record_adoption
    from adapters.adopting import preview
    from adapters.report import wording

    with open_house(ledger) as house:
        chosen = _resolve(policy, house)
        changes = preview(house, chosen)
        gains = sum(change.gains for change in changes)
        show(f"rule set {chosen.hash[:16]}: {gains} answers become allowed, {len(changes) - gains} become not allowed")
        for change in changes[:20]:
            word = "allowed" if change.gains else "not allowed"
            rules = ", ".join(change.after or change.before)
            show(f"  contact {change.contact[:8]}, {wording.purpose(change.purpose)}: {word} ({rules})")
        if dry_run:
            return
        if sys.stdin.isatty() and not yes and not typer.confirm("adopt it?", default=False):
            raise typer.Exit(EXIT.ERROR)
        position = record_adoption(house, chosen, by, role)
    show(f"adopted by {by}, {role} (position {position})")


def _in_force(ledger: Path | None) -> tuple[Policy, str | None]:
    """The rule set in force in a ledger, or the shipped one where there is no ledger."""
    house = _house(ledger)
    if house is None:
        from ledger.policy.shipped import policy

        return policy(), None
    with house:
        adopted = house.adopted
        return house.policy, f"{adopted.name}, {adopted.role}" if adopted else None


def _policy(which: str, ledger: Path | None) -> Policy:
    house = _house(ledger)
    if house is None:
        return _resolve(which, None)
    with house:
        return _resolve(which, house)


def _resolve(which: str, house: House | None) -> Policy:
    from ledger.policy.rules import Policy
    from ledger.policy.shipped import policy as shipped

    if which == "shipped":
        return shipped()
    if Path(which).is_dir():
        return Policy({file.name: file.read_bytes() for file in sorted(Path(which).glob("*.toml"))})
    if house is not None:
        return house.policy_of(house.catalogue.policy if which == "adopted" else which)
    if shipped().hash.startswith(which):
        return shipped()
    raise LookupError(f"no rule set {which!r}: write `shipped`, a folder, or name a ledger with --ledger")


def _house(ledger: Path | None) -> House | None:
    """The ledger, if there is one: rules can be looked at without."""
    import os

    from adapters.settings import Settings
    from adapters.wiring import is_ledger

    settings = Settings.read(os.environ)
    where = ledger or settings.dir
    return open_house(where) if is_ledger(where) or settings.database_url else None
