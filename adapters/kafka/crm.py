"""The contacts' answers on their way into a CRM: whoever is told of is brought in step there, and each call is told.

A record of the status topic says of whom; what holds is asked of the ledger when it is written. So an old value, one
that comes twice or out of order, writes nothing old.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from adapters.kafka.dead_letters import dead_letter
from adapters.kafka.messages import CrmResult, crm_message
from adapters.kafka.mirror import read_status
from adapters.kafka.records import Effects, Failed, Handle, Record
from adapters.kafka.topics import STATUS_DLQ, named

MOST = 100
"""Records at a time: a CRM takes them at its own rate, and none is acknowledged before all are written."""


class Kept(NamedTuple):
    """What was done for some contacts. `failed`: contact -> why the CRM did not take it, without a value in it."""

    results: Sequence[CrmResult] = ()
    failed: Mapping[str, str] = {}


class Keeper(Protocol):
    """A CRM to be kept in step."""

    def keep(self, contacts: Sequence[str]) -> Kept:
        """Bring these in step. Done again, it changes nothing. Raises AwayError when the CRM does not answer."""
        ...


def keeping(keeper: Keeper, ledger_id: str, prefix: str, clock: Callable[[], datetime], epoch: str = "") -> Handle:
    """A handler of the status topic. A contact that the CRM refuses becomes a dead letter; the others go on."""

    def handle(records: Sequence[Record]) -> Effects:
        failed: list[Failed] = []
        newest: dict[str, Record] = {}
        for record in records:
            told = read_status(record)
            if isinstance(told, Failed):
                failed.append(told)
            elif told.status is not None:  # of who is gone the ledger knows no address any more
                newest.pop(told.contact, None)
                newest[told.contact] = record
        kept = keeper.keep(list(newest))
        failed += [Failed(newest[contact], why) for contact, why in kept.failed.items() if contact in newest]
        at = clock()
        messages = [crm_message(ledger_id, one, prefix, epoch) for one in kept.results]
        messages += [dead_letter(named(STATUS_DLQ, prefix), one, at, None) for one in failed]
        return Effects(messages, len(failed))

    return handle
