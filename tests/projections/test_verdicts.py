"""The audit's buckets and actions, as sentences: given facts, when audited, then this verdict."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import hypothesis
import msgspec
import pytest
from hypothesis import strategies as st

from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.contact import Contact, Entry, fold
from ledger.policy.shipped import policy
from projections.audit import Auditor, Record
from projections.verdicts import REASONS, Action, Bucket, Verdict

CONTACT, ADDRESS, RECORD, OTHER = (str(UUID(int=n)) for n in (1, 2, 3, 4))
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SENDER = e.ControllerDescribed(stream=str(UUID(int=0)), source="test", country="DE")


def fact(kind_of: type[e.Event], /, at: datetime = NOW - timedelta(days=30), **fields: Any) -> e.Event:
    """A fact about the one address, recorded when it happened."""
    common: dict[str, Any] = {"stream": CONTACT, "source": "test", "address": ADDRESS, "record": RECORD}
    common |= {"recorded_at": at, "captured_at": at, "occurred_from": at}
    return kind_of(**common | fields)


LINKED = fact(e.AddressLinked, record=None)
GERMAN = fact(e.CountryEvidenced, hints=(e.CountryHint("DE", "declared"),))
MARKED = fact(e.MarketingStatusObserved, marketing=True)
UNMARKED = fact(e.MarketingStatusObserved, marketing=False)
SCHEDULED = fact(e.MarketingStatusObserved, marketing=True, until_next_update=True)
SALE = fact(
    e.ContractStarted,
    kind="purchase",
    seller="own",
    refusal_offered=True,
    refused=False,
    collected_from_person=True,
)
CLAIM = fact(e.BasisClaimed, claims=("consent",))
OPTED_OUT = fact(
    e.OptedOut, occurred_from=None, occurred_to=NOW - timedelta(days=1), channels=("email",), via="hubspot"
)
BOUNCE = fact(e.Bounced, kind="hard")
OPT_IN = fact(
    e.OptedIn,
    act="unticked_box",
    by="data_subject",
    purposes=("marketing.*",),
    channels=("email",),
    to=("own",),
    informed=True,
    specific=True,
    proof="individual",
    address_verified=True,
)


LATER = msgspec.structs.replace(OPT_IN, **dict.fromkeys(("occurred_from", "captured_at", "recorded_at"), NOW))
HOLD = fact(e.ReviewDecided, at=NOW, outcome="hold")
LIFTED = (
    fact(e.OptOutShown, at=NOW - timedelta(days=9), opted_out=True),
    fact(e.OptOutShown, at=NOW - timedelta(days=2), opted_out=False),
)


def given(*facts: e.Event) -> Contact:
    """The fold of a contact with an address in Germany and these facts."""
    entries = [Entry(n, n, event) for n, event in enumerate((LINKED, GERMAN, *facts), start=1)]
    return fold(CONTACT, entries)


def audited(contact: Contact, at: datetime = NOW, purpose: str | None = None, **marks: Any) -> Verdict:
    """The verdict of an audit by a German sender."""
    catalogue = Catalogue(controller=Entry(1, 1, SENDER))
    record = Record(CONTACT, RECORD, ADDRESS, "101", "ana@example.com", **marks)
    return Auditor(policy(), catalogue, at, purpose).verdict([contact], record)


@pytest.mark.parametrize(
    ("facts", "bucket", "action", "reason"),
    [
        ((MARKED,), "no_basis", "set_non_marketing", "nothing_known"),
        ((), "no_basis", "set_non_marketing", "nothing_known"),
        ((UNMARKED,), "no_basis", "none", "nothing_known"),
        ((SCHEDULED,), "no_basis", "none", "already_scheduled"),
        ((MARKED, SALE), "basis_proven", "keep", "proven"),
        ((UNMARKED, SALE), "basis_proven", "none", "proven"),
        ((SCHEDULED, SALE), "basis_proven", "none", "already_scheduled"),
        ((MARKED, CLAIM), "basis_claimed", "review", "claimed_consent"),
        ((UNMARKED, CLAIM), "basis_claimed", "review", "claimed_consent"),
        ((SCHEDULED, CLAIM), "basis_claimed", "review", "claimed_consent"),
        ((MARKED, OPTED_OUT), "stopped", "set_non_marketing", "opted_out"),
        ((MARKED, OPTED_OUT, CLAIM), "stopped", "set_non_marketing", "opted_out"),
        ((MARKED, OPTED_OUT, SALE), "stopped", "set_non_marketing", "opted_out"),
        ((UNMARKED, OPTED_OUT), "stopped", "none", "opted_out"),
        ((MARKED, SALE, BOUNCE), "basis_proven", "set_non_marketing", "undeliverable"),
        ((MARKED, CLAIM, BOUNCE), "basis_claimed", "set_non_marketing", "undeliverable"),
        ((SALE, BOUNCE), "basis_proven", "keep", "proven"),
        ((SCHEDULED, CLAIM, BOUNCE), "basis_claimed", "review", "claimed_consent"),
    ],
)
def test_each_record_falls_into_its_bucket(facts: tuple[e.Event, ...], bucket: str, action: str, reason: str) -> None:
    """The table of buckets and actions, flag by flag."""
    verdict = audited(given(*facts))
    assert (verdict.bucket, verdict.action, verdict.reason) == (bucket, action, reason)
    assert verdict.reason in REASONS


def test_an_opt_in_within_an_unknown_time_of_the_stop_is_a_conflict() -> None:
    """Which came last is not known: the stop wins, and a person must look."""
    verdict = audited(given(MARKED, OPT_IN, OPTED_OUT))
    assert (verdict.bucket, verdict.action) == (Bucket.CONFLICT, Action.REVIEW)
    assert (verdict.reason, verdict.allowed) == ("times_overlap", False)


def test_an_opt_in_after_the_stop_was_seen_revives() -> None:
    """P2: the person's own later opt-in, fully valid."""
    later = fact(e.OptedIn, at=NOW - timedelta(hours=1), **_own(OPT_IN))
    assert audited(given(MARKED, OPTED_OUT, later)).bucket is Bucket.BASIS_PROVEN


def _own(event: e.Event) -> dict[str, Any]:
    names = set(event.__struct_fields__) - set(e.Event.__struct_fields__) | {"by"}
    return {name: getattr(event, name) for name in names}


def test_a_stop_the_crm_shows_lifted_is_a_conflict() -> None:
    """Nobody but the person lifts a stop."""
    shown = fact(e.OptOutShown, at=NOW - timedelta(days=9), opted_out=True)
    lifted = fact(e.OptOutShown, at=NOW - timedelta(days=2), opted_out=False)
    verdict = audited(given(MARKED, OPTED_OUT, shown, lifted))
    assert (verdict.bucket, verdict.reason) == (Bucket.CONFLICT, "stop_shown_lifted")
    assert audited(given(MARKED, OPTED_OUT, shown)).bucket is Bucket.STOPPED


@pytest.mark.parametrize(
    ("mark", "reason"),
    [("differs", "same_record_twice"), ("shared", "shared_address"), ("astray", "two_contacts")],
)
def test_records_that_contradict_each_other_are_a_conflict(mark: str, reason: str) -> None:
    """Facts that cannot all hold, and no precedence rule settles."""
    verdict = audited(given(MARKED, SALE), **dict[str, Any]({mark: True}))
    assert (verdict.bucket, verdict.reason, verdict.action) == (Bucket.CONFLICT, reason, Action.REVIEW)


def test_a_shared_address_without_a_proven_basis_is_no_conflict() -> None:
    """One of the people must be proven for the question to arise."""
    assert audited(given(MARKED), shared=True).bucket is Bucket.NO_BASIS


@pytest.mark.parametrize(
    ("facts", "marks", "bucket", "reason", "action"),
    [
        ((MARKED, OPTED_OUT), {}, "stopped", "opted_out", "set_non_marketing"),
        ((MARKED, OPT_IN, OPTED_OUT), {}, "conflict", "times_overlap", "review"),
        ((MARKED, SALE), {"shared": True}, "conflict", "shared_address", "review"),
        ((MARKED, SALE), {"astray": True}, "conflict", "two_contacts", "review"),
        ((MARKED, OPTED_OUT, *LIFTED), {}, "conflict", "stop_shown_lifted", "review"),
        ((MARKED, CLAIM), {}, "basis_claimed", "under_review", "review"),
        ((MARKED,), {}, "no_basis", "under_review", "review"),
        ((MARKED, SALE), {}, "basis_claimed", "under_review", "review"),
    ],
)
def test_a_hold_leaves_a_stop_a_stop_and_a_contradiction_one(
    facts: tuple[e.Event, ...], marks: dict[str, Any], bucket: str, reason: str, action: str
) -> None:
    """It allows nothing; what it waits beside stays in sight."""
    verdict = audited(given(*facts, HOLD), **marks)
    assert (verdict.bucket, verdict.reason, verdict.action) == (bucket, reason, action)
    assert not verdict.allowed
    assert verdict.question == (None if bucket == "stopped" else reason)
    assert verdict.stopped_all is audited(given(*facts), **marks).stopped_all


SHOWN = [
    fact(e.OptOutShown, at=NOW - timedelta(days=days), opted_out=opted_out)
    for days, opted_out in ((9, True), (5, False), (2, True))
]
ANYTHING = st.lists(
    st.sampled_from((SALE, CLAIM, OPT_IN, OPTED_OUT, BOUNCE, LATER, *SHOWN, fact(e.Complained, via="hubspot"))),
    max_size=5,
)


@hypothesis.given(ANYTHING, st.sampled_from((MARKED, UNMARKED, SCHEDULED)), st.booleans(), st.booleans())
def test_a_hold_moves_nobody_but_the_allowed(facts: list[e.Event], flag: e.Event, shared: bool, differs: bool) -> None:
    """The bucket is the same with a hold as without, and a basis shown is not relied on meanwhile."""
    free = audited(given(flag, *facts), shared=shared, differs=differs)
    held = audited(given(flag, *facts, HOLD), shared=shared, differs=differs)
    assert held.bucket == (Bucket.BASIS_CLAIMED if free.bucket is Bucket.BASIS_PROVEN else free.bucket)
    assert (held.allowed, held.stopped_all) == (False, free.stopped_all)
    released = fact(e.ReviewDecided, at=NOW, outcome="release_hold")
    again = audited(given(flag, *facts, HOLD, released), shared=shared, differs=differs)
    assert (again.bucket, again.allowed, again.reason) == (free.bucket, free.allowed, free.reason)


def test_a_stop_for_some_purposes_leaves_the_others() -> None:
    """`stopped` means every marketing purpose."""
    partly = fact(e.OptedOut, purposes=("marketing.similar",), channels=("email",))
    assert audited(given(MARKED, partly)).bucket is Bucket.NO_BASIS
    assert audited(given(MARKED, partly), purpose="marketing.similar").bucket is Bucket.STOPPED


def test_an_address_in_no_file_has_no_basis() -> None:
    """A record without an address cannot be written to."""
    contact = fold(CONTACT, [Entry(1, 1, fact(e.MarketingStatusObserved, marketing=True, address=None))])
    record = Record(CONTACT, RECORD, None, "101", None)
    verdict = Auditor(policy(), Catalogue(), NOW).verdict([contact], record)
    assert (verdict.bucket, verdict.reason) == (Bucket.NO_BASIS, "no_address")


def test_a_role_address_alone_claims_nothing() -> None:
    """`info@` says nothing of who reads it: no rule for business recipients is even tried."""
    french = fact(e.CountryEvidenced, hints=(e.CountryHint("FR", "declared"),))
    role = fact(e.RecipientDescribed, role_address=True)
    contact = fold(CONTACT, [Entry(n, n, f) for n, f in enumerate((LINKED, french, MARKED, role), 1)])
    assert audited(contact).bucket is Bucket.NO_BASIS


def test_an_ip_alone_never_makes_the_us_opt_out_regime() -> None:
    """The recipient's country must be declared, not guessed."""
    american = e.ControllerDescribed(stream=str(UUID(int=0)), source="test", country="US")
    catalogue = Catalogue(controller=Entry(1, 1, american))
    record = Record(CONTACT, RECORD, ADDRESS, "101", "ana@example.com")

    def bucket(kind: str) -> Bucket:
        hint = fact(e.CountryEvidenced, hints=(e.CountryHint("US", kind),))  # type: ignore[arg-type]
        contact = fold(CONTACT, [Entry(1, 1, LINKED), Entry(2, 2, hint), Entry(3, 3, MARKED)])
        return Auditor(policy(), catalogue, NOW).verdict([contact], record).bucket

    assert bucket("ip") is Bucket.NO_BASIS
    assert bucket("declared") is Bucket.BASIS_PROVEN


def test_what_lapses_by_itself_says_when() -> None:
    """The French rule ends three years after the sale."""
    french = fact(e.CountryEvidenced, hints=(e.CountryHint("FR", "declared"),))
    sender = e.ControllerDescribed(stream=str(UUID(int=0)), source="test", country="FR")
    contact = fold(CONTACT, [Entry(n, n, f) for n, f in enumerate((LINKED, french, MARKED, SALE), 1)])
    record = Record(CONTACT, RECORD, ADDRESS, "101", "ana@example.com")
    verdict = Auditor(policy(), Catalogue(controller=Entry(1, 1, sender)), NOW).verdict([contact], record)
    assert verdict.rule == "FR-L34-5-EXC"
    assert verdict.expires_at is not None
    assert verdict.expires_at.isoformat() == "2029-10-24"


def test_a_stop_of_a_linked_contact_stops_everything_for_this_record_too() -> None:
    """So the list of opt-outs to import names it, wherever the objection was filed."""
    other = fold(OTHER, [Entry(9, 1, fact(e.Objected, stream=OTHER, address=None, record=None))])
    record = Record(CONTACT, RECORD, ADDRESS, "101", "ana@example.com")
    verdict = Auditor(policy(), Catalogue(controller=Entry(1, 1, SENDER)), NOW).verdict([given(MARKED), other], record)
    assert (verdict.bucket, verdict.stopped_all) == (Bucket.STOPPED, True)
