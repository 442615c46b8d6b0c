"""Every e-mail sent, with the answer as it was known then and as it is known now.

The answers are those of `projections.explain`, found person by person: all facts of one are read once, and a fold
is made only where what was known changed between two mails.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import accumulate, islice
from typing import Literal, NamedTuple

import msgspec

from ledger import catalogue as catalogues
from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.codec import decode, topic_of
from ledger.contact import Contact, Entry, fold
from ledger.database import Location, uuid_text
from ledger.log import Log
from ledger.log_schema import HEAD
from ledger.policy.dossier import Dossier
from ledger.policy.judge import STOP_TIME_UNKNOWN, Bench, stop_reason
from ledger.policy.jurisdictions import candidates
from ledger.policy.question import Candidate, Decision, Question
from ledger.policy.rules import Policy
from ledger.scanning import Scan, scanning
from ledger.terms import BEGINNING, END, LEDGER_STREAM, MARKETING_PURPOSES
from projections.bulk import pairs_of
from projections.folding import entries_of
from projections.groups import kin, neighbours, reach
from projections.verdicts import Speaker, speaker_of

SENDS = (topic_of(e.EmailSent(stream="", source="")), topic_of(e.CampaignMailSent(stream="", source="")))
_MAILS = "SELECT stream, position, version, state FROM entry WHERE topic IN (?, ?) AND position <= ?"
_AT_A_TIME = 500

Finding = Literal["after_stop", "stop_day_unknown", "no_basis", "cannot_be_shown", "allowed"]
FINDINGS: tuple[Finding, ...] = ("after_stop", "stop_day_unknown", "no_basis", "cannot_be_shown", "allowed")
"""What an e-mail comes to, on all that is known now; the gravest first.

after_stop        a stop that covered it had been made when it went out, whenever this ledger came to record it
stop_day_unknown  there is a stop, and no day of it: it may have come before the e-mail, or after it
no_basis          no stop, and nothing that allows it
cannot_be_shown   a basis is claimed, or a stop of about that day may have come before the e-mail or after it
"""


class Window(NamedTuple):
    """Which mails: those whose moment of sending lies in it, both ends included."""

    since: datetime = BEGINNING
    until: datetime = END

    def holds(self, event: e.Event) -> bool:
        """Whether an e-mail went out in it. One that nobody dated counts when it came to be known."""
        return self.since <= event.latest <= self.until


class Sending(NamedTuple):
    """One e-mail. `purpose`: as declared by now; None: nobody classified it, and the best marketing answer is given.

    then    the answer on what was recorded when it went out; None: nothing was, of this person
    now     the answer about that same moment on all that is recorded now
    stop    the stop that makes the finding, where one does: of several the person's own, the first that stood
    """

    entry: Entry
    at: datetime
    purpose: str | None
    then: Decision | None
    now: Decision
    finding: Finding
    stop: Entry | None = None

    @property
    def stopped_by(self) -> Speaker | None:
        """Who decided that stop."""
        return speaker_of(stop_reason(self.stop.event)) if self.stop else None

    @property
    def stop_on_record(self) -> bool:
        """Whether this ledger had the stop on record when the e-mail went out."""
        recorded = self.stop.event.recorded_at if self.stop else None
        return recorded is not None and recorded <= self.at

    @property
    def days_after_stop(self) -> int | None:
        """Whole days from the last moment at which the stop can have been made; None: nobody knows its day."""
        made = _made(self.stop) if self.finding == "after_stop" else None
        return None if made is None else (self.at - made).days

    @property
    def days_to_record(self) -> int | None:
        """Whole days from there until this ledger recorded the stop."""
        made = _made(self.stop) if self.finding == "after_stop" else None
        if self.stop is None or made is None or self.stop.event.recorded_at is None:
            return None
        return max(0, (self.stop.event.recorded_at - made).days)


def _made(stop: Entry | None) -> datetime | None:
    """By when a stop had been made; None: nobody knows the day."""
    return stop.event.latest if stop is not None and stop.event.earliest > BEGINNING else None


class AfterStop(msgspec.Struct, kw_only=True):
    """Sums over the mails that went out after a stop.

    on_record    of them, those before which this ledger had recorded the stop
    day_unknown  of them, those after a stop without a day, which are in no median
    days         whole days between stop and mail -> mails; `to_record`: between the stop and its being recorded here
    """

    mails: int = 0
    on_record: int = 0
    day_unknown: int = 0
    days: dict[int, int] = {}
    to_record: dict[int, int] = {}

    def add(self, one: Sending) -> None:
        """Count one e-mail."""
        after, recorded = one.days_after_stop, one.days_to_record
        self.mails += 1
        self.on_record += one.stop_on_record
        self.day_unknown += after is None
        for counts, days in ((self.days, after), (self.to_record, recorded)):
            if days is not None:
                counts[days] = counts.get(days, 0) + 1


def median_of(counts: Mapping[int, int]) -> int | None:
    """The value in the middle (of two, the smaller), from value -> how often it comes; None: of nothing."""
    half, seen = (sum(counts.values()) + 1) // 2, 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= half:
            return value
    return None


class Totals(msgspec.Struct, kw_only=True):
    """Sums over the mails looked at.

    findings  each `Finding` -> mails; `then_*`: as known when they went out
    after     those of the finding `after_stop`, by who decided the stop
    """

    sends: int = 0
    contacts: int = 0
    not_classified: int = 0
    not_dated: int = 0
    then_allowed: int = 0
    then_refused: int = 0
    then_nothing_held: int = 0
    findings: dict[Finding, int] = msgspec.field(default_factory=lambda: dict.fromkeys(FINDINGS, 0))
    after: dict[Speaker, AfterStop] = msgspec.field(default_factory=lambda: {who: AfterStop() for who in Speaker})

    def add(self, one: Sending) -> None:
        """Count one e-mail; `contacts` is counted by whoever knows where a person ends."""
        self.sends += 1
        self.not_classified += one.purpose is None
        self.not_dated += one.entry.event.occurred_from is None
        self.then_nothing_held += one.then is None
        self.then_allowed += one.then is not None and one.then.allowed
        self.then_refused += one.then is not None and not one.then.allowed
        self.findings[one.finding] += 1
        if one.finding == "after_stop" and one.stopped_by is not None:
            self.after[one.stopped_by].add(one)


class Timetable:
    """The ledger-wide fold as it stood at any moment: each state once."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        listed = list(entries)
        self._states = list(accumulate(listed, catalogues.evolve, initial=Catalogue()))
        recorded = [entry.event.recorded_at or BEGINNING for entry in listed]
        self._known = list(accumulate(recorded, max))  # what is recorded after a later moment is not known before it

    def at(self, moment: datetime) -> Catalogue:
        """What was known by a moment."""
        return self._states[bisect_right(self._known, moment)]

    @property
    def now(self) -> Catalogue:
        """What is known."""
        return self._states[-1]


def audited(log: Log, location: Location, policy: Policy, window: Window, totals: Totals) -> Iterator[Sending]:
    """Every e-mail of a window, person by person; `totals` grows on the way."""
    with scanning(location) as source:
        (stop,) = source.driver.execute(HEAD).fetchone()
        wanted = iter(_recipients(source, window, stop))
        partners = neighbours(pairs_of(source, stop))
    ledger_wide = (Entry(p, v, decode(state)) for p, v, state in log.stream(LEDGER_STREAM, stop))
    times = Timetable(ledger_wide)
    while some := list(islice(wanted, _AT_A_TIME)):
        families = {one: reach([one], lambda name: partners.get(name, ())) for one in some}
        entries = entries_of(log, set().union(*families.values()), stop)
        for contact, family in families.items():
            totals.contacts += 1
            for sending in Person(contact, {one: entries.get(one, []) for one in family}, policy, times).sent(window):
                totals.add(sending)
                yield sending


def _recipients(source: Scan, window: Window, stop: int) -> dict[str, None]:
    """Who was sent something, in the order of their first e-mail. Reads each e-mail's entry and nothing else."""
    found: dict[bytes, None] = {}
    everything = window == Window()
    for stream, _, _, state in source.rows(_MAILS, (*SENDS, stop)):
        if stream not in found and (everything or window.holds(decode(state))):
            found[stream] = None
    return {uuid_text(stream): None for stream in found}


class _Bar(NamedTuple):
    """A group of contacts as it was known at some moment, ready to be asked."""

    bench: Bench
    laws: tuple[Candidate, ...]

    def decide(self, purpose: str, sent: e.Event, law_at: datetime | None) -> Decision:
        return self.bench.decide(self._question(purpose, sent, law_at))[0]

    def standing(self, purpose: str, sent: e.Event) -> list[Entry]:
        """The stops that stood and that no later opt-in had turned, whatever else forbade it."""
        return self.bench.standing(self._question(purpose, sent, None))

    def _question(self, purpose: str, sent: e.Event, law_at: datetime | None) -> Question:
        return Question(
            purpose=purpose,
            channel="email",
            at=sent.latest,
            address=sent.address,
            jurisdictions=self.laws,
            law_at=law_at,
        )


class Person:
    """One contact and those ever linked with it: folded once for now, and anew for each earlier state of knowledge."""

    def __init__(self, contact: str, entries: Mapping[str, Sequence[Entry]], policy: Policy, times: Timetable) -> None:
        self._contact, self._entries = contact, entries
        self._policy, self._times = policy, times
        self._recorded = sorted(n.event.recorded_at or BEGINNING for found in entries.values() for n in found)
        self._first = min(n.event.recorded_at or BEGINNING for n in entries[contact])
        self._now = self._bar(times.now, None)
        self._kept: tuple[tuple[int, int], _Bar] = ((len(self._recorded), times.now.position), self._now)

    def sent(self, window: Window) -> Iterator[Sending]:
        """Its e-mails of a window, in the order of the log."""
        for entry in self._now.bench.dossier.owner.sendings:
            own = entry.event.stream == self._contact
            if own and isinstance(entry.event, e.EmailSent) and window.holds(entry.event):
                yield self._judged(entry, entry.event)

    def _judged(self, entry: Entry, sent: e.EmailSent) -> Sending:
        now = _best(self._now, sent, None)
        then = self._then(sent)
        finding, stop = self._found(sent, now)
        return Sending(entry, sent.latest, sent.purpose, then, now, finding, stop)

    def _then(self, sent: e.EmailSent) -> Decision | None:
        """By what was recorded as it went out, and the law declared by then."""
        at = sent.latest
        if at < self._first:
            return None
        catalogue = self._times.at(at)
        state = (bisect_right(self._recorded, at), catalogue.position)
        if self._kept[0] != state:
            self._kept = (state, self._bar(catalogue, at))
        return _best(self._kept[1], sent, at)

    def _bar(self, catalogue: Catalogue, known_at: datetime | None) -> _Bar:
        folds = {name: fold(name, _known(entries, known_at)) for name, entries in self._entries.items()}
        group = kin(self._contact, folds).group
        bench = Bench(group, self._policy, catalogue)
        return _Bar(bench, candidates(_signs(group, bench.dossier), catalogue))

    def _found(self, sent: e.EmailSent, now: Decision) -> tuple[Finding, Entry | None]:
        if now.allowed:
            return "allowed", None
        stops = [n for n in self._now.bench.dossier.stops if _covered(n, sent)]
        before = self._stop_before(sent) if stops else None
        if before is not None:
            return "after_stop", before
        if now.reason == STOP_TIME_UNKNOWN:
            stop = min([n for n in stops if n.event.latest > sent.latest], key=_persons_first, default=None)
            undated = stop is not None and stop.event.earliest == BEGINNING
            return "stop_day_unknown" if undated else "cannot_be_shown", stop
        return ("cannot_be_shown" if now.claimed is not None or now.uncertain else "no_basis"), None

    def _stop_before(self, sent: e.EmailSent) -> Entry | None:
        """The stop that stood when an e-mail went out; None: none did, or not for each purpose it may have had.

        Of several the first, as from then on it should not have gone out; the person's own before another's.
        """
        found = [self._now.standing(purpose, sent) for purpose in _purposes(sent)]
        if not all(found):
            return None
        return max((min(stops, key=_persons_first) for stops in found), key=_persons_first)


def _persons_first(stop: Entry) -> tuple[bool, datetime, int]:
    return speaker_of(stop_reason(stop.event)) is not Speaker.PERSON, stop.event.latest, stop.position


def _best(bar: _Bar, sent: e.EmailSent, law_at: datetime | None) -> Decision:
    """The answer for its purpose; of a mail that nobody classified, the best that any marketing purpose would give."""
    if sent.purpose is not None:
        return bar.decide(sent.purpose, sent, law_at)
    answers = [bar.decide(purpose, sent, law_at) for purpose in MARKETING_PURPOSES]
    return max(answers, key=lambda d: (d.allowed, d.claimed is not None or d.uncertain))


def _covered(stop: Entry, sent: e.EmailSent) -> bool:
    """Whether a stop had come, or may have, when the e-mail went out, and speaks of it. Undated ones are not told."""
    if sent.occurred_from is None or sent.latest < stop.event.earliest:
        return False
    return any(Dossier.covers(stop, purpose, "email", sent.address) for purpose in _purposes(sent))


def _purposes(sent: e.EmailSent) -> tuple[str, ...]:
    return MARKETING_PURPOSES if sent.purpose is None else (sent.purpose,)


def _known(entries: Sequence[Entry], known_at: datetime | None) -> Iterable[Entry]:
    if known_at is None:
        return entries
    return (n for n in entries if n.event.recorded_at is not None and n.event.recorded_at <= known_at)


def _signs(group: Sequence[Contact], dossier: Dossier) -> list[Entry]:
    return dossier.country_entries() if any(member.countries for member in group) else []
