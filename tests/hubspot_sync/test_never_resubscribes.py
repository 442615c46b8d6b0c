"""No way of interleaving turns an address on that was turned off, and in the end every stop is in HubSpot.

Whatever happens in the ledger, in the portal, and on the way between: opt-ins and stops of every width, declarations,
webhooks in any order, twice, and again; echoes of our own writes; people, users and other apps in HubSpot; merges
there; old status values; outages in the middle of a run, processes that end between two calls, and somebody who opts
out between what we read and what we write.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from adapters.cli.hubspot_sync import HubSpotKeeper
from adapters.hubspot.api.client import Call
from adapters.hubspot.api.portal import Portal
from adapters.kafka.crm import keeping
from adapters.kafka.messages import Place, status_message
from adapters.kafka.records import Record
from adapters.receiving import AwayError
from ledger import events as e
from projections.announcing import encode
from projections.contact_status import ContactStatus
from tests.hubspot.state import MARKETING_INFORMATION, PRODUCT_NEWS
from tests.hubspot_sync.world import Crash, World, world

PEOPLE = ("ada@example.com", "bob@example.com", "cyd@example.com")
PURPOSES = ("marketing.similar", "marketing.survey", "marketing.*")
KINDS = (MARKETING_INFORMATION, PRODUCT_NEWS)
NAMES = ("marketing-information", "product-news")
people, kinds = st.sampled_from(PEOPLE), st.sampled_from((*KINDS, None))
numbers = st.integers(0, 2**16)


class Interleavings(RuleBasedStateMachine):
    """One ledger, one portal, three people."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.here: World = self.stack.enter_context(world(folder / "ledger"))
        self.revision = 0
        self.told: list[Record] = []

    @initialize(enterprise=st.booleans())
    def begin(self, enterprise: bool) -> None:
        self.here.state.enterprise(enterprise)
        self.here.declares("product-news", "marketing.similar")
        for email in PEOPLE:
            self.here.person(email)

    # --- in the ledger

    @rule(who=people, purpose=st.sampled_from(PURPOSES))
    def opts_in(self, who: str, purpose: str) -> None:
        self.here.opts_in(who, purpose)

    @rule(who=people, purpose=st.sampled_from(PURPOSES))
    def opts_out(self, who: str, purpose: str) -> None:
        self.here.opts_out(who, purpose)

    @rule(who=people)
    def objects_at_this_address(self, who: str) -> None:
        self.here.says(who, e.Objected, by="data_subject", address_only=True)

    @rule(who=people)
    def complains(self, who: str) -> None:
        self.here.says(who, e.Complained, by="data_subject")

    @rule(name=st.sampled_from(NAMES), purpose=st.sampled_from(PURPOSES), withdrawn=st.booleans())
    def somebody_declares(self, name: str, purpose: str, withdrawn: bool) -> None:
        self.here.declares(name, purpose, withdrawn=withdrawn)

    @rule(raises=st.integers(1, 3))
    def somebody_approves(self, raises: int) -> None:
        self.here.book.approve(raises, 0, ("Ada Officer", "DPO", "a test"), self.here.clock.tick())

    # --- in HubSpot

    @rule(who=people, kind=kinds)
    def leaves_in_the_portal(self, who: str, kind: int | None) -> None:
        self.here.clock.tick()
        self.here.state.person_opts_out(who, kind)

    @rule(who=people, kind=st.sampled_from(KINDS))
    def joins_in_the_portal(self, who: str, kind: int) -> None:
        self.here.clock.tick()
        self.here.state.person_opts_in(who, type_id=kind)

    @rule(who=people, kind=kinds, on=st.booleans())
    def a_user_sets(self, who: str, kind: int | None, on: bool) -> None:
        self.here.clock.tick()
        self.here.state.user_sets_status(who, on, kind)

    @rule(who=people, kind=kinds, on=st.booleans())
    def another_app_sets(self, who: str, kind: int | None, on: bool) -> None:
        self.here.clock.tick()
        self.here.state.app_sets_status(who, on, kind)

    @rule(who=people, marketing=st.booleans())
    def a_user_sets_marketing(self, who: str, marketing: bool) -> None:
        self.here.clock.tick()
        with suppress(KeyError):  # it is deleted
            self.here.state.user_sets_marketing(who, marketing)

    @rule(pair=st.permutations(PEOPLE))
    def two_become_one(self, pair: list[str]) -> None:
        self.here.clock.tick()
        with suppress(KeyError):
            self.here.state.merge(pair[0], pair[1])

    @rule(place=st.integers(0, 2), back=st.booleans())
    def one_is_deleted_or_restored(self, place: int, back: bool) -> None:
        self.here.clock.tick()
        record = self.here.records[place]
        with suppress(KeyError):
            (self.here.state.restore if back else self.here.state.delete)(record)

    @rule()
    def the_update_date_comes(self) -> None:
        self.here.clock.tick()
        self.here.state.marketing.update_date()

    # --- between them

    @rule(seed=numbers)
    def the_ledger_hears(self, seed: int) -> None:
        self.here.clock.tick()
        self.here.hear(Random(seed))

    @rule(who=people)
    def a_status_is_told(self, who: str) -> None:
        self.told.append(self._record(who))

    @rule(seed=numbers)
    def statuses_arrive(self, seed: int) -> None:
        """Any of those told so far, in any order, some of them again, as old as they are."""
        random = Random(seed)
        with suppress(AwayError):
            self._deliver(random.choices(self.told, k=min(len(self.told), 5)))

    @rule(who=people)
    def somebody_is_brought_in_step(self, who: str) -> None:
        self.here.clock.tick()
        with suppress(AwayError):
            self.here.sync.apply([self.here.contact(who)])

    @rule(after=st.integers(1, 5))
    def the_process_ends_in_the_middle(self, after: int) -> None:
        self._interrupted(after, self._crash)

    @rule(after=st.integers(1, 5), seconds=st.sampled_from((5, 600)))
    def hubspot_is_away_in_the_middle(self, after: int, seconds: int) -> None:
        self._interrupted(after, lambda: self.here.state.chaos.outage(seconds))

    @rule(after=st.integers(1, 5), who=people, kind=kinds)
    def somebody_leaves_in_the_middle(self, after: int, who: str, kind: int | None) -> None:
        self._interrupted(after, lambda: self.here.state.person_opts_out(who, kind))

    @precondition(lambda self: len(self.here.records) < len(PEOPLE) + 4)
    @rule(after=st.integers(1, 6), kind=kinds)
    def a_newcomer_opts_in_and_leaves_in_the_middle(self, after: int, kind: int | None) -> None:
        who = f"new-{len(self.here.records)}@example.com"
        self.here.person(who)
        self.here.opts_in(who, "marketing.*")
        self._interrupted(after, lambda: self.here.state.person_opts_out(who, kind))

    @rule(after=st.integers(1, 5), who=people)
    def a_stop_comes_in_the_middle(self, after: int, who: str) -> None:
        self._interrupted(after, lambda: self.here.opts_out(who))

    @rule(times=st.integers(1, 3), status=st.sampled_from((423, 429, 500, 502)), done=st.booleans())
    def hubspot_stumbles(self, times: int, status: int, done: bool) -> None:
        """`done`: what was asked for is done, and only the answer is lost."""
        self.here.state.chaos.fail_next(times, status, done=done)

    @rule(who=people)
    def an_address_is_locked(self, who: str) -> None:
        self.here.state.chaos.lock(who)

    # --- what must hold

    @invariant()
    def nobody_was_turned_on_by_us(self) -> None:
        assert self.here.flips_by_us() == []

    @invariant()
    def no_more_were_raised_than_were_approved(self) -> None:
        """A raise is what the portal's workflow makes of a verdict that we wrote."""
        raised = [
            one
            for one in self.here.state.changes(actor="workflow")
            if one.name == "hs_marketable_status" and one.after == "true" and one.before != "true"
        ]
        assert len(raised) <= sum(one.raises for one in self.here.book.approvals())

    def teardown(self) -> None:
        try:
            self._settles()
        finally:
            self.stack.close()

    def _settles(self) -> None:
        """With HubSpot there, everything heard and everybody looked at: every stop is there, and nothing is left."""
        here = self.here
        here.after_call = lambda: None
        here.state.chaos.recover()
        for seed in range(3):
            here.hear(Random(seed))
            here.sync.apply(here.everybody())
        assert here.missing_stops() == []
        assert here.sync.look(here.everybody()).plan.steps == ()
        assert here.flips_by_us() == []

    def _record(self, who: str) -> Record:
        self.revision += 1
        contact = self.here.contact(who)
        told = ContactStatus(
            contact=contact,
            controller=self.here.house.ledger.id,
            revision=self.revision,
            cause="event",
            position=1,
            at=self.here.clock.now(),
            policy="",
            marketing_status="marketing",
            cells=(),
        )
        made = status_message(told.controller, contact, self.revision, encode(told), "2026-11-01T00:00:00Z")
        return Record(Place(made.topic, 0, self.revision), made.key, made.value, made.headers)

    def _deliver(self, records: list[Record]) -> None:
        here = self.here
        here.clock.tick()
        keeper = HubSpotKeeper(here.sync, here.portal, True, False, lambda *_: None)
        effects = keeping(keeper, here.house.ledger.id, "", here.clock.now)(records)
        assert effects.dead == 0
        assert not any(email.encode() in (one.value or b"") for one in effects.messages for email in PEOPLE)

    def _interrupted(self, after: int, act: Any) -> None:
        here = self.here
        here.clock.tick()
        left = [after]

        def count() -> None:
            left[0] -= 1
            if left[0] == 0:
                act()

        here.after_call = count
        try:
            here.sync.apply(here.everybody())
        except (Crash, AwayError):
            pass
        finally:
            here.after_call = lambda: None

    @staticmethod
    def _crash() -> None:
        raise Crash


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(
    max_examples=int(os.environ.get("CONSENT_LEDGER_SYNC_RUNS", "20")),
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def test_a_call_that_may_turn_on_would_be_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The invariant is able to fail: with the newer call in place of `subscribe`, a race turns somebody on."""

    def newer(self: Portal, changes: Any) -> Any:
        path = self.client.path("status")
        bodies = [
            {"subscriptionId": int(one.type_id), "statusState": "SUBSCRIBED", "channel": "EMAIL"} for one in changes
        ]
        calls = [
            Call("POST", path, {"email": one.email}, {"channel": "EMAIL"}, body)
            for one, body in zip(changes, bodies, strict=True)
        ]
        self.client.calls(calls)
        return [SimpleNamespace(key=one.email, status="done", code=200, detail="") for one in changes]

    def flips() -> int:
        with tempfile.TemporaryDirectory(dir=tmp_path) as folder, world(Path(folder) / "ledger") as here:
            here.declares("product-news", "marketing.similar")
            here.person("ada@example.com")
            here.opts_in("ada@example.com", "marketing.similar")
            here.portal.may()
            calls: list[int] = []

            def in_the_middle() -> None:
                calls.append(1)
                if len(calls) == 4:  # the types, the record, both states of the address; then what is written
                    here.state.person_opts_out("ada@example.com", PRODUCT_NEWS)

            here.after_call = in_the_middle
            here.sync.apply([here.contact("ada@example.com")])
            return len(here.flips_by_us())

    assert flips() == 0
    monkeypatch.setattr(Portal, "subscribe", newer)
    assert flips() == 1
