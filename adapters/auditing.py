"""The audit run: verdict by verdict over the records of an import, and the sums as they go by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from adapters.importing import Imported
from adapters.intake import CHUNK, Progress
from adapters.looked import last_audit, looked_at
from adapters.losses import losses_of, without_settled
from adapters.why_causes import law_name
from adapters.wiring import House
from ledger import events as e
from ledger.catalogue import Catalogue
from ledger.policy.rules import Policy
from ledger.terms import Basis
from projections.audit import OPT_OUTS_HIDDEN
from projections.verdicts import (
    QUESTIONS,
    Action,
    Audit,
    Bucket,
    CorrectionListed,
    Count,
    DeclarationRests,
    Expiring,
    Money,
    Origin,
    OriginCount,
    RuleSet,
    Speaker,
    Undeclared,
    Verdict,
)

TOP = 10


class AuditRun:
    """One audit under way: let the verdicts go by once through `counted`, then `audit` holds the sums.

    `lists`: the imports that records say they came by, with how many did.
    """

    def __init__(
        self,
        house: House,
        source: Imported,
        catalogue: Catalogue,
        *,
        at: datetime,
        controller: str,
        purpose: str | None = None,
        timezone: str | None = None,
        notes: Sequence[str] = (),
        money: Money | None = None,
    ) -> None:
        self._house = house
        self._catalogue = catalogue
        self._origins: Counter[tuple[str, str]] = Counter()
        self._declared: Counter[tuple[int, bool]] = Counter()
        self._undeclared: Counter[tuple[str, str, bool]] = Counter()
        self._names = {
            **{("form", token): form.name for token, form in source.found.forms.items()},
            **{("sale", token): pipeline.name for token, pipeline in source.found.pipelines.items()},
        }
        self.lists: Counter[str] = Counter()
        self._expiring: Counter[tuple[str, str]] = Counter()
        self._resting: Counter[str] = Counter()
        adopted = house.adopted
        self.audit = Audit(
            at=at,
            controller=controller,
            sender_country=catalogue.country,
            assumed_country=catalogue.assumed_country,
            timezone=timezone,
            purpose=purpose,
            files=source.files,
            totals={"contacts": 0, "marketing": 0, "rejected": len(source.rejected), "marketing_unknown": 0},
            buckets={bucket.value: Count() for bucket in Bucket},
            actions={action.value: 0 for action in Action},
            reasons={},
            jurisdictions={},
            expiring=[],
            avoidable_marketing=0,
            do_not_send=0,
            stopped_still_marketing=0,
            stopped_by={speaker.value: Count() for speaker in Speaker},
            undeliverable_marketing=0,
            scheduled=0,
            rule_set=_rule_set(house.policy, f"{adopted.name}, {adopted.role}" if adopted else None),
            corrections=list(_corrections(house)),
            notes=[*notes, *source.warnings, *source.findings],
            warnings=source.warnings,
            files_seen=source.seen,
            ledger_position=house.ledger.log.last_position(),
            lost_stops=losses_of(house, catalogue, source),
            money=money,
            before=last_audit(house),
        )

    def counted(self, verdicts: Iterable[Verdict], progress: Progress = lambda _: None) -> Iterator[Verdict]:
        """The verdicts as they go by, one a record; afterwards the sums are complete."""
        done = 0
        for done, verdict in enumerate(verdicts, start=1):
            self._count(verdict)
            if done % CHUNK == 0:
                progress(done)
            yield verdict
        progress(done)
        self._close()

    def _count(self, verdict: Verdict) -> None:
        audit, marked = self.audit, verdict.marketing is True
        bucket = audit.buckets[verdict.bucket]
        bucket.contacts += 1
        bucket.marketing += marked
        audit.totals["contacts"] += 1
        audit.totals["marketing"] += marked
        audit.totals["marketing_unknown"] += verdict.marketing is None
        audit.actions[verdict.action] += 1
        of_bucket = audit.actions_by_bucket.setdefault(verdict.bucket.value, {})
        of_bucket[verdict.action.value] = of_bucket.get(verdict.action.value, 0) + 1
        audit.reasons[verdict.reason] = audit.reasons.get(verdict.reason, 0) + 1
        for code in verdict.jurisdictions:
            count = audit.jurisdictions.setdefault(code, Count())
            count.contacts += 1
            count.marketing += marked
        audit.avoidable_marketing += marked and verdict.action is Action.SET_NON_MARKETING
        audit.do_not_send += verdict.kept_out
        audit.with_others += bool(verdict.others)
        audit.stopped_still_marketing += marked and verdict.bucket is Bucket.STOPPED
        if verdict.stopped_by is not None:
            audit.stopped_by[verdict.stopped_by].contacts += 1
            audit.stopped_by[verdict.stopped_by].marketing += marked
        audit.undeliverable_marketing += marked and verdict.undeliverable
        audit.scheduled += marked and verdict.scheduled
        step, _, named = verdict.next_step.partition(":")
        if step in ("declare_form", "declare_sale"):
            self._undeclared[step.removeprefix("declare_"), named, marked] += 1
        audit.next_steps[step] = audit.next_steps.get(step, 0) + 1
        if verdict.question is not None:
            audit.questions[verdict.question] = audit.questions.get(verdict.question, 0) + 1
        if verdict.wave is not None:
            audit.waves[str(verdict.wave)] = audit.waves.get(str(verdict.wave), 0) + 1
        origin = verdict.origin
        if origin is not None and origin.flag_source == "contact_import" and origin.flag_source_name:
            self.lists[origin.flag_source_name] += 1
        if marked and verdict.bucket in (Bucket.NO_BASIS, Bucket.STOPPED) and verdict.origin is not None:
            self._origins.update(
                (by, value)
                for by, value in zip(Origin.__struct_fields__, msgspec.structs.astuple(verdict.origin), strict=True)
                if value is not None
            )
        audit.may_be_asked += verdict.may_be_asked
        if verdict.declaration is not None and (verdict.allowed or verdict.reason == "declared_not_evidenced"):
            self._declared[(verdict.declaration, marked)] += 1
        if verdict.bucket is Bucket.BASIS_PROVEN:
            self._count_proven(verdict)

    def _count_proven(self, verdict: Verdict) -> None:
        audit = self.audit
        audit.without_consent += verdict.basis == Basis.OPT_OUT_REGIME
        audit.platform_not_shown += verdict.platform_shown is False
        if verdict.declaration is None:
            audit.proven_own_record += 1
        else:
            audit.proven_declared += 1
        if verdict.expires_at is not None:
            self._expiring[(verdict.expires_at.strftime("%Y-%m"), verdict.rule or "")] += 1
        self._resting[verdict.rule_confidence or ""] += 1

    def _close(self) -> None:
        audit = self.audit
        audit.jurisdictions = dict(sorted(audit.jurisdictions.items()))
        audit.reasons = dict(sorted(audit.reasons.items()))
        audit.lost_stops = without_settled(audit.lost_stops, audit.reasons.get(OPT_OUTS_HIDDEN, 0))
        audit.expiring = [
            Expiring(month=month, rule=rule, contacts=count, law=self._law(rule))
            for (month, rule), count in sorted(self._expiring.items())
        ]
        audit.next_steps = dict(sorted(audit.next_steps.items()))
        audit.questions = {name: audit.questions[name] for name in QUESTIONS if name in audit.questions}
        audit.waves = dict(sorted(audit.waves.items()))
        audit.origins = list(_top(self._origins))
        audit.declarations = list(self._resting_on())
        audit.undeclared = self._to_declare()
        audit.looked_at = looked_at(self._house, self._catalogue, audit)
        audit.rule_set = msgspec.structs.replace(
            audit.rule_set,
            resting_on_medium=self._resting["medium"],
            resting_on_policy=self._resting["policy"],
        )

    def _law(self, rule: str) -> str:
        rules = self._house.policy.rules
        return law_name(rules[rule]) if rule in rules else ""

    def _to_declare(self) -> list[Undeclared]:
        """The forms and pipelines that nobody has declared, by the records they could settle."""
        found = []
        for section, token in {(section, token) for section, token, _ in self._undeclared}:
            marked, rest = (self._undeclared[section, token, flag] for flag in (True, False))
            name = self._names.get((section, token.replace(".", "-"))) or token
            found.append(Undeclared(section=section, token=token, name=name, contacts=marked + rest, marketing=marked))
        return sorted(found, key=lambda one: (-one.contacts, one.section, one.token))

    def _resting_on(self) -> Iterator[DeclarationRests]:
        for entry in sorted(self._catalogue.declared.by_key.values()):
            marked, rest = self._declared[(entry.position, True)], self._declared[(entry.position, False)]
            if marked + rest and isinstance(entry.event, e.Declaration):
                said = self._house.payload(entry.event)
                yield DeclarationRests(
                    position=entry.position,
                    key=entry.event.key,
                    name=str(said.get("name", "?")),
                    role=str(said.get("role", "?")),
                    declared_on=str(said.get("on", "?")),
                    contacts=marked + rest,
                    marketing=marked,
                    evidenced=bool(entry.event.evidence),
                )


def _top(origins: Counter[tuple[str, str]]) -> Iterator[OriginCount]:
    for by in Origin.__struct_fields__:
        here = sorted(((n, value) for (kind, value), n in origins.items() if kind == by), key=lambda o: (-o[0], o[1]))
        yield from (OriginCount(by=by, value=value, contacts=count) for count, value in here[:TOP])


def _rule_set(policy: Policy, adopted_by: str | None) -> RuleSet:
    return RuleSet(
        hash=policy.hash,
        adopted_by=adopted_by,
        resting_on_medium=0,
        resting_on_policy=0,
        rules_unchecked=sum(not rule.checked_by for rule in policy.rules.values()),
        rules=len(policy.rules),
    )


def _actor(signed: Mapping[str, object]) -> str:
    """Who answers for a correction: one person or two."""
    second = signed.get("second")
    people = [signed, second] if isinstance(second, Mapping) else [signed]
    return " and ".join(f"{one.get('name', '(erased)')}, {one.get('role', '')}".rstrip(", ") for one in people)


def _corrections(house: House) -> Iterator[CorrectionListed]:
    for position, _, event in house.corrections():
        if isinstance(event, e.Corrected) and event.recorded_at is not None:
            signed = house.payload(event)
            yield CorrectionListed(
                position=position,
                undoes=event.undoes,
                recorded_at=event.recorded_at,
                actor=_actor(signed),
                reason=str(signed.get("reason", "(erased)")),
                reference=f"CL-{event.stream[:8]}-{position}",
            )
