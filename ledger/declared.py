"""What people answered for, and facts read in that light: one pure function, asked before every judgement.

A source shows that a box was ticked, a deal won, a subscription type left; what that meant is said by a named
person's declaration, recorded like any fact. So a grant that rests on a declaration ends when the declaration
is withdrawn, and comes with it, without one fact being written again.

A declaration without evidence counts as unknown, never as yes; one that would narrow a stop, not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ledger import events as e
from ledger.contact import Contact, Entry
from ledger.terms import ALL_MARKETING, BEGINNING, END, Act

_KEPT = tuple(name for name in e.Event.__struct_fields__ if name not in ("commitment", "evidence"))


class Declared(msgspec.Struct, frozen=True):
    """The declarations in force: by their keys, and by what they speak of, the newest first.

    forms  by form and box; no box: sending the form in was the act
    types  subscription type -> the purposes it means, by each name and number that it is known by
    names  subscription type -> every name and number of the same type, where a CRM ties several
    """

    by_key: dict[str, Entry] = {}
    forms: dict[tuple[str, str | None], tuple[Entry, ...]] = {}
    minors: frozenset[tuple[str, str]] = frozenset()
    sales: tuple[Entry, ...] = ()
    types: dict[str, tuple[str, ...]] = {}
    campaigns: dict[str, str] = {}
    names: dict[str, frozenset[str]] = {}

    def after(self, entry: Entry) -> Declared:
        """Folded on by one declaration, or by one name of a subscription type. Never raises."""
        event = entry.event
        if isinstance(event, e.TypeNamed):
            return _indexed(self.by_key, _tied(self.names, event.number, event.name))
        if not isinstance(event, e.Declaration):
            return self
        kept = {key: held for key, held in self.by_key.items() if key != event.key}
        if not event.withdrawn:
            kept[event.key] = entry
        return _indexed(kept, self.names)

    def known_as(self, kind: str) -> frozenset[str]:
        """Every name and number of a subscription type."""
        return self.names.get(kind) or frozenset((kind,))


class Reading(NamedTuple):
    """A contact as declarations let it be read. `resting`: position of a fact -> that of its declaration."""

    contact: Contact
    resting: Mapping[int, int]


NOTHING_DECLARED = Declared()
_NOTHING: Mapping[int, int] = {}


def as_declared(contact: Contact, declared: Declared) -> Reading:
    """The same person, with boxes, sign-ups, deals, subscription types and campaigns read as declared."""
    changes: dict[str, tuple[Entry, ...]] = {}
    resting: dict[int, int] = {}
    if contact.deals:
        changes["contracts"] = (*contact.contracts, *_sales(contact.deals, declared, resting))
    if contact.answers or contact.activity:
        opted_in = tuple(_opt_ins((*contact.answers, *contact.activity), declared, resting))
        if opted_in:
            changes["opt_ins"] = (*contact.opt_ins, *opted_in)
    if declared.minors and contact.answers:
        changes["described"] = (*contact.described, *_minors(contact.answers, declared))
    if declared.types and contact.stops:
        changes["stops"] = tuple(_narrowed(entry, declared) for entry in contact.stops)
    if declared.campaigns and contact.sendings:
        changes["sendings"] = tuple(_classified(entry, declared) for entry in contact.sendings)
    if not changes:
        return Reading(contact, _NOTHING)
    return Reading(msgspec.structs.replace(contact, **changes), resting)


def all_as_declared(contacts: Sequence[Contact], declared: Declared) -> tuple[Sequence[Contact], Mapping[int, int]]:
    """A group read together; where each of its facts rests."""
    if declared is NOTHING_DECLARED and not any(c.deals or c.answers or c.activity for c in contacts):
        return contacts, _NOTHING
    readings = [as_declared(contact, declared) for contact in contacts]
    resting = {at: on for reading in readings for at, on in reading.resting.items()}
    return [reading.contact for reading in readings], resting


def _tied(names: dict[str, frozenset[str]], number: str, name: str) -> dict[str, frozenset[str]]:
    one = names.get(number, frozenset((number,))) | names.get(name, frozenset((name,)))
    return names | dict.fromkeys(one, one)


def _indexed(by_key: dict[str, Entry], names: dict[str, frozenset[str]]) -> Declared:
    forms: dict[tuple[str, str | None], tuple[Entry, ...]] = {}
    sales: list[Entry] = []
    minors: set[tuple[str, str]] = set()
    types: dict[str, tuple[str, ...]] = {}
    campaigns: dict[str, str] = {}
    for entry in sorted(by_key.values(), key=lambda held: held.position):
        match entry.event:
            case e.FormDeclared(form=form, box=box):
                forms[form, box] = (entry, *forms.get((form, box), ()))
            case e.MinorDeclared(form=form, box=box):
                minors.add((form, box))
            case e.SaleDeclared():
                sales.insert(0, entry)
            case e.TypeDeclared(subscription_type=kind, purposes=purposes, evidence=evidence) if evidence and purposes:
                # what two names of one type are declared to mean, leaving it stops
                for one in names.get(kind, (kind,)):
                    types[one] = tuple(dict.fromkeys((*types.get(one, ()), *purposes)))
            case e.CampaignDeclared(campaign=campaign, purpose=purpose, evidence=evidence) if evidence:
                campaigns[campaign] = purpose
    return Declared(by_key, forms, frozenset(minors), tuple(sales), types, campaigns, names)


def _in_force(declarations: Iterable[Entry], fact: e.Event) -> Entry | None:
    """The first that speaks of the whole time in which the fact may have happened."""
    if fact.occurred_from is None:
        return None
    for entry in declarations:
        said = entry.event
        assert isinstance(said, e.Declaration)  # noqa: S101 - filed by type
        if (said.shown_from or BEGINNING) <= fact.earliest and fact.latest < (said.shown_to or END):
            return entry
    return None


def _opt_ins(facts: Iterable[Entry], declared: Declared, resting: dict[int, int]) -> Iterator[Entry]:
    """What the person's own acts meant, as declared; what nobody has declared yet may have been a yes.

    Of a form of which a box is declared, the box speaks: to have sent it in and left the box is none.
    """
    boxed = {form for form, box in (*declared.forms, *declared.minors) if box is not None}
    for position, version, fact in facts:
        box: str | None = None
        if isinstance(fact, e.BoxAnswered):
            if not fact.ticked:
                continue
            box = fact.box
        elif not isinstance(fact, e.FormSubmitted):
            continue
        form = _declared_as(fact.form)
        said = _in_force(declared.forms.get((form, box), ()), fact)
        if said is not None and isinstance(said.event, e.FormDeclared):
            resting[position] = said.position
            yield Entry(position, version, _opted_in(fact, said.event))
        elif (form, box) not in declared.minors and (box is not None or form not in boxed):
            yield Entry(position, version, _undeclared(fact))


def _undeclared(fact: e.Event) -> e.OptedIn:
    """What nobody has said the meaning of: everything but who did it, and when, is unknown."""
    return e.OptedIn(**_of_the_fact(fact), act="unknown", proof="none", form=getattr(fact, "form", None))


def _declared_as(form: str | None) -> str:
    """The form as a declaration names it, by a token: the facts of some senders have a dot before theirs."""
    return (form or "").replace(".", "-")


def _opted_in(fact: e.Event, said: e.FormDeclared) -> e.OptedIn:
    words = None if said.wording is None else True
    return e.OptedIn(
        **_of_the_fact(fact),
        act=_act(said),
        purposes=said.purposes,
        channels=said.channels,
        to=said.to,
        informed=words,
        specific=words,
        proof="individual" if said.evidence else "declared",
        wording=said.wording,
        form=said.form,
    )


def _of_the_fact(fact: e.Event) -> dict[str, Any]:
    """Clocks, people and places stay those of the fact; only what it meant is declared."""
    return {name: getattr(fact, name) for name in _KEPT}


def _act(said: e.FormDeclared) -> Act:
    if said.box is None:
        return "signup"
    if said.ticked_before:
        return "pre_ticked"
    if said.required:
        return "required_box"
    return "unknown" if None in (said.ticked_before, said.required) else "unticked_box"


def _minors(answers: Iterable[Entry], declared: Declared) -> Iterator[Entry]:
    """Who once said so is taken for one: whichever days the box was shown."""
    for entry in answers:
        answer = entry.event
        if isinstance(answer, e.BoxAnswered) and answer.ticked and (answer.form, answer.box) in declared.minors:
            minor = e.RecipientDescribed(**_of_the_fact(answer) | {"address": None}, minor=True)
            yield entry._replace(event=minor)


def _sales(deals: Iterable[Entry], declared: Declared, resting: dict[int, int]) -> Iterator[Entry]:
    """Every won deal is a contract of unknown kind, unless a declaration with evidence says more."""
    for position, version, fact in deals:
        assert isinstance(fact, e.DealWon)  # noqa: S101 - filed by type
        said = _in_force((n for n in declared.sales if _of_pipeline(n.event, fact.pipeline)), fact)
        if said is not None:
            resting[position] = said.position
        yield Entry(position, version, _contract(fact, said.event if said else None))


def _of_pipeline(said: e.Event, pipeline: str | None) -> bool:
    return isinstance(said, e.SaleDeclared) and said.pipeline in (None, pipeline)


def _contract(fact: e.DealWon, said: e.Event | None) -> e.ContractStarted:
    shown = said if isinstance(said, e.SaleDeclared) and said.evidence else None
    return e.ContractStarted(
        **_of_the_fact(fact),
        contract=fact.deal,
        kind=shown.kind if shown else "unknown",
        seller=shown.seller if shown else None,
        refusal_offered=shown.refusal_offered if shown else None,
        refused=False if shown and shown.refusals_recorded else None,
        collected_from_person=shown.collected_from_person if shown else None,
    )


def _narrowed(entry: Entry, declared: Declared) -> Entry:
    """A type that is declared stops its purposes; one that is not, all that no other type is declared to mean."""
    stop = entry.event
    if not isinstance(stop, e.TypeOptedOut):
        return entry
    purposes, elsewhere = stopped_by_leaving(stop.subscription_type, declared)
    if elsewhere is None:
        return entry._replace(event=msgspec.structs.replace(stop, purposes=purposes))
    return entry._replace(event=msgspec.structs.replace(stop, purposes=purposes, except_purposes=elsewhere))


def stopped_by_leaving(kind: str, declared: Declared) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """The purposes that leaving a type stops, and those excepted; None: it is declared, so none are."""
    purposes = declared.types.get(kind)
    if purposes is not None:
        return purposes, None
    # a type that means a whole family says nothing of what another one means
    meant = {
        is_another: {
            name
            for other, names in declared.types.items()
            if _are_apart(kind, other, declared) is is_another
            for name in names
            if not name.endswith("*")
        }
        for is_another in (True, False)
    }
    return ALL_MARKETING, tuple(sorted(meant[True] - meant[False]))


def _are_apart(kind: str, other: str, declared: Declared) -> bool:
    """Whether two types are known to be two: both by a number, or both by a name."""
    for is_number in (True, False):
        mine, theirs = (any(one.isdigit() is is_number for one in declared.known_as(name)) for name in (kind, other))
        if mine and theirs:
            return True
    return False


def _classified(entry: Entry, declared: Declared) -> Entry:
    sent = entry.event
    if not isinstance(sent, e.CampaignMailSent) or sent.purpose is not None:
        return entry
    purpose = declared.campaigns.get(sent.campaign or "")
    return entry if purpose is None else entry._replace(event=msgspec.structs.replace(sent, purpose=purpose))
