"""What goes out, as records: the log's entries, the contacts' answers, the answers to submitted facts.

No record holds personal data: ids, facts and commitments alone. An entry goes out as the bytes the log holds.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

from adapters.kafka.cloudevents import Headers, attributes
from adapters.kafka.topics import CRM_RESULTS, EVENTS, RESULTS, STATUS, named
from adapters.reasons import Reason
from ledger.codec import instant
from ledger.terms import Moment

STATUS_TYPE = "contact.status.v1"
RESULT_TYPE = "fact.answered.v1"
CRM_TYPE = "crm.written.v1"
EPOCH = "ce_epoch"
"""The extension that names the epoch of the ledger: another one, and what was read by position is read anew."""

_new = tuple.__new__  # half the time of a NamedTuple's own
_encode = msgspec.json.Encoder(order="deterministic").encode
_RECORDED_AT, _STREAM, _TYPE = b'"recorded_at":"', b'"stream":"', b'"type":"'


class Message(NamedTuple):
    """A record for a producer. `value` None: a tombstone."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers


class Place(NamedTuple):
    """Where a record lies. As text it is a key: `topic/partition/offset`."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class ResultValue(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The value of `consent.facts-results.v1`: what became of one submitted fact.

    place          topic/partition/offset of the submission: the one name every submission has
    status         recorded; unchanged: known already, word for word; conflict: the same source and id, but
                   other content, so that nothing was recorded; rejected: see `reasons`
    position       of the entry in the log; null: none was made
    contact        the contact the fact is about; null: not found out
    id             the submitted event's own id, only if that is a UUID
    correlationid  the submitted event's extension of that name, only if it is a UUID
    reasons        which field, and what is wrong with it; never the value that was given
    warnings       of a stop that was recorded: what of it was not understood, so that it reaches further than it says
    known          the ledger had met the person before; null: not found out
    changed        some answer about marketing to the person by e-mail is another one now; of facts taken together, what
                   all of them changed; null: not found out
    """

    place: str
    status: Literal["recorded", "unchanged", "conflict", "rejected"]
    position: int | None = None
    contact: str | None = None
    id: str | None = None
    correlationid: str | None = None
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()
    known: bool | None = None
    changed: bool | None = None


class CrmResult(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The value of `consent.crm-results.v1`: one thing written to the CRM, and what it said. Holds no address.

    call               what was to be done
    status             done; unchanged: it stood so already; refused; gone: the CRM has no such record any more
    code               of the CRM's answer, as HTTP has it
    at                 when
    reference          under which the ledger shows why: `consent-ledger why CL-...`
    subscription_type  the type's id in the CRM; null: the call is of none
    record_id          the record's id in the CRM, only where a setting says so
    """

    contact: str
    call: Literal["unsubscribe_all", "unsubscribe", "update", "subscribe"]
    status: Literal["done", "unchanged", "refused", "gone"]
    code: int
    at: Moment
    reference: str
    subscription_type: str | None = None
    record_id: str | None = None


def event_message(
    ledger_id: str, position: int, version: int, state: bytes, prefix: str = "", epoch: str = ""
) -> Message:
    """An entry of the log as a record. Raises ValueError for bytes that are no entry.

    Entries are canonical, their strings have no quotes and no escapes: three look-ups find what the
    headers need, without decoding.
    """
    at = state.index(_RECORDED_AT) + len(_RECORDED_AT)
    begins = state.index(_STREAM, at) + len(_STREAM)
    stream = state[begins : begins + 36]
    named_from = state.index(_TYPE, begins) + len(_TYPE)
    place = b"%d" % position
    headers = attributes(
        place,
        b"urn:uuid:" + ledger_id.encode(),
        state[named_from : state.index(b'"', named_from)],
        state[at : state.index(b'"', at)],
        stream,
        stream,
    )
    headers.append(("ce_position", place))
    headers.append(("ce_streamversion", b"%d" % version))
    if epoch:
        headers.append((EPOCH, epoch.encode()))
    return _new(Message, (named(EVENTS, prefix), stream, state, headers))


def status_message(
    ledger_id: str, contact: str, revision: int, value: bytes | None, at: str, prefix: str = "", epoch: str = ""
) -> Message:
    """A contact's answers, `value` as `ContactStatus` in JSON; None: a tombstone, for an erased contact."""
    key = contact.encode()
    headers = attributes(
        b"%b:%d" % (key, revision),
        b"urn:uuid:" + ledger_id.encode(),
        STATUS_TYPE.encode(),
        at.encode(),
        key,
        key,
    )
    headers.append(("ce_revision", b"%d" % revision))
    if epoch:
        headers.append((EPOCH, epoch.encode()))
    if value is None:
        headers.remove(("content-type", b"application/json"))
    return Message(named(STATUS, prefix), key, value, headers)


def result_message(ledger_id: str, value: ResultValue, at: str, prefix: str = "", epoch: str = "") -> Message:
    """What became of a submitted fact. Its id is the fact's place: sent twice, it is the same answer."""
    key = value.place.encode()
    source = b"urn:uuid:" + ledger_id.encode()
    headers = attributes(key, source, RESULT_TYPE.encode(), at.encode(), key, key)
    if epoch:
        headers.append((EPOCH, epoch.encode()))
    return Message(named(RESULTS, prefix), key, _encode(value), headers)


def crm_message(ledger_id: str, value: CrmResult, prefix: str = "", epoch: str = "") -> Message:
    """What became of one thing that was to be written to a CRM."""
    key, at = value.contact.encode(), instant(value.at)
    about = f"{value.contact}:{value.call}:{value.subscription_type or ''}:{value.reference}:{at}".encode()
    source = b"urn:uuid:" + ledger_id.encode()
    headers = attributes(about, source, CRM_TYPE.encode(), at.encode(), key, key)
    if epoch:
        headers.append((EPOCH, epoch.encode()))
    return Message(named(CRM_RESULTS, prefix), key, _encode(value), headers)
