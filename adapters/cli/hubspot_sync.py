"""`consent-ledger hubspot sync`, `approve`, `approvals` and `recipe`: what the ledger answers, written to HubSpot."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adapters.cli.options import EXIT, Flag, JsonOut, LedgerDir, open_house, out, show

if TYPE_CHECKING:
    from adapters.hubspot.api.portal import Portal
    from adapters.hubspot.sync.apply import Outcome, Sync
    from adapters.kafka.crm import Kept
    from adapters.settings import Settings
    from adapters.wiring import House

Apply = Annotated[bool, Flag("--apply", help="write; without it nothing is written, and the calls are shown")]
ByName = Annotated[str, typer.Option("--by", help="your name")]
Role = Annotated[str, typer.Option(help="your role")]
Reason = Annotated[str, typer.Option(help="why; it is kept with what is recorded")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the group."""
    for command in (sync, approve, approvals, recipe):
        app.command()(command)


def sync(
    apply: Apply = False,
    full: Annotated[bool, Flag("--full", help="look at everybody again, not only at who changed")] = False,
    most: Annotated[
        int, typer.Option("--show", help="how many calls of each kind to show, and parts of each; 0: all", min=0)
    ] = 3,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Bring HubSpot in step with the ledger: our properties, opt-outs, and subscriptions nobody has decided.

    CONSENT_LEDGER_HUBSPOT_TOKEN opens HubSpot. Nothing it writes turns on who was turned off.
    """
    from adapters.cli.hubspot_sync_run import run_sync

    raise typer.Exit(run_sync(ledger, apply=apply, full=full, most=most, json=json))


def approve(
    raises: Annotated[int, typer.Argument(help="how many more marketing contacts there may be", min=1)],
    by: ByName,
    role: Role,
    reason: Reason,
    ledger: LedgerDir = None,
) -> None:
    """Approve so many further marketing contacts: HubSpot's price may go up at once, and not down before renewal."""
    from adapters.cli.hubspot_sync_run import run_approve

    raise typer.Exit(run_approve(ledger, raises, (by, role, reason)))


def approvals(json: JsonOut = False, ledger: LedgerDir = None) -> None:
    """List what was approved, by whom and why, and how much of it is used."""
    from adapters.cli.hubspot_sync_run import run_approvals

    raise typer.Exit(run_approvals(ledger, json=json))


def recipe() -> None:
    """Show how a workflow in the portal sets the marketing status from our property: no API can."""
    from adapters.hubspot.sync.recipe import RECIPE

    out(RECIPE.encode())


@contextmanager
def portal_opened() -> Iterator[Portal]:
    """The portal that the environment names. Ends the command where its token may not write."""
    from adapters.cli.hubspot import opened_client

    with opened_client() as client:
        from adapters.hubspot.api.portal import Portal
        from adapters.hubspot.sync.apply import NotAllowedError

        try:
            yield Portal(client)
        except NotAllowedError as error:
            show(str(error))
            raise typer.Exit(EXIT.ERROR) from None


class HubSpotKeeper:
    """A portal as the worker keeps it: written to, or, without `apply`, only told what would be written."""

    def __init__(
        self,
        sync: Sync,
        portal: Portal,
        apply: bool,
        record_ids: bool,
        told: Callable[[str, str, int], None],
    ) -> None:
        self._sync, self._portal, self._apply = sync, portal, apply
        self._record_ids, self._told = record_ids, told

    def keep(self, contacts: Sequence[str]) -> Kept:
        """See `adapters.kafka.crm.Keeper`."""
        from adapters.hubspot.sync.rehearsal import rehearsed
        from adapters.kafka.crm import Kept
        from adapters.report.masking import mask_email

        if not self._apply:
            for call in rehearsed(self._sync.look(contacts).plan, self._portal, mask_email):
                inputs = call.body.get("inputs") if isinstance(call.body, dict) else None
                self._told(call.method, call.path, len(inputs) if inputs else 1)
            return Kept()
        return _kept(self._sync.apply(contacts), self._record_ids)


def _kept(outcome: Outcome, record_ids: bool) -> Kept:
    from adapters.kafka.crm import Kept
    from adapters.kafka.messages import CrmResult

    results = [
        CrmResult(
            contact=one.contact,
            call=one.call,
            status=one.status,
            code=one.code,
            at=one.at,
            reference=one.reference,
            subscription_type=one.about or None,
            record_id=one.record if record_ids else None,
        )
        for one in outcome.results
    ]
    return Kept(results, {one.contact: f"HubSpot refuses {one.call}: {one.code}" for one in outcome.refused})


@contextmanager
def hubspot_keeper(
    house: House, settings: Settings, apply: bool, told: Callable[[str, str, int], None]
) -> Iterator[HubSpotKeeper]:
    """What the worker `crm` writes to, with our properties made where they are missing."""
    from adapters.hubspot.sync.apply import Sync
    from adapters.hubspot.sync.store import Book
    from adapters.wiring import now

    with ExitStack() as stack:
        portal = stack.enter_context(portal_opened())
        sync = Sync(house, portal, stack.enter_context(Book.open(house)), now, settings.crm_cap)
        if apply:
            sync.prepare()
        yield HubSpotKeeper(sync, portal, apply, settings.record_ids, told)


def settings_read() -> Settings:
    """The environment's settings."""
    from adapters.settings import Settings

    return Settings.read(os.environ)


def opened(ledger: Path | None, settings: Settings, stack: ExitStack) -> tuple[House, Portal, Sync]:
    """The ledger, the portal, and what brings one in step with the other."""
    from adapters.hubspot.sync.apply import Sync
    from adapters.hubspot.sync.store import Book
    from adapters.wiring import now

    house = stack.enter_context(open_house(ledger))
    portal = stack.enter_context(portal_opened())
    book = stack.enter_context(Book.open(house))
    return house, portal, Sync(house, portal, book, now, settings.crm_cap)


def update_day(settings: Settings, today: date) -> date | None:
    """When HubSpot next lowers the number of marketing contacts; None: nobody said which day that is."""
    from adapters.hubspot.sync.plan import next_update

    return None if settings.crm_update_day is None else next_update(settings.crm_update_day, today)
