"""Which settings of a portal make marketing contacts, or take a yes that is none: from what its API shows.

No call tells how a form or an app is set. What it did is told: every marketing contact names what made it one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from adapters.hubspot.doctor.menus import CHANGE
from adapters.hubspot.doctor.shapes import Finding, Severity

_KINDS: Mapping[str, tuple[str, Severity]] = {
    "FORM_SUBMISSION": ("form_sets_marketing", "medium"),
    "CONTACT_IMPORT": ("import_sets_marketing", "high"),
    "INTEGRATOR_SET": ("app_sets_marketing", "high"),
    "WORKFLOW": ("workflow_sets_marketing", "low"),
    "AD": ("other_sets_marketing", "medium"),
    "CONVERSATION": ("other_sets_marketing", "medium"),
    "EMAIL": ("other_sets_marketing", "medium"),
    "INITIAL_STATE": ("other_sets_marketing", "low"),
}
"""What HubSpot calls the source of a marketing status -> the finding. What a user set by hand is none."""
SOURCES = tuple(_KINDS)
_TICKED = frozenset({"true", "yes", "1"})
_NO_CONSENT = frozenset({"none", ""})


class Origin(NamedTuple):
    """What made marketing contacts: `source` and `id` in HubSpot's words; `recent`: of those, created lately."""

    source: str
    id: str
    contacts: int
    recent: int


class Seen(NamedTuple):
    """What was read. None: it may not be.

    confirmations, bases  contacts that show anything of a double opt-in, or of a legal basis
    """

    forms: Sequence[Mapping[str, Any]] | None
    imports: Sequence[Mapping[str, Any]] | None
    origins: Sequence[Origin]
    contacts: int | None
    confirmations: int | None
    bases: int | None


def of_settings(seen: Seen) -> Iterator[Finding]:
    """Everything that is to be changed."""
    names = {str(one.get("id")): str(one.get("name") or one.get("id")) for one in seen.forms or ()}
    names |= {str(one.get("id")): str(one.get("importName") or one.get("id")) for one in seen.imports or ()}
    for origin in seen.origins:
        yield from _origin(origin, names)
    told = {origin.id for origin in seen.origins if origin.source == "CONTACT_IMPORT"}
    for one in seen.imports or ():
        if not told & {str(one.get("id")), str(one.get("importName"))}:
            yield from _import(one)
    for form in seen.forms or ():
        if not form.get("archived"):
            yield from _form(form)
    yield from _portal(seen)


def _origin(origin: Origin, names: Mapping[str, str]) -> Iterator[Finding]:
    kind, severity = _KINDS[origin.source]
    where = names.get(origin.id) or origin.id or origin.source.replace("_", " ").lower()
    recent = f", {origin.recent:,} of them created in the last 90 days" if origin.recent else ", none lately"
    yield Finding(
        severity=severity if origin.recent or severity == "low" else "low",
        kind=kind,
        where=where,
        said=f"made marketing contacts of {origin.contacts:,}{recent}",
        change=CHANGE[kind].format(where=where),
    )


def _import(one: Mapping[str, Any]) -> Iterator[Finding]:
    request = one.get("importRequestJson")
    if isinstance(request, Mapping) and request.get("marketableContactImport") is True:
        where = str(one.get("importName") or one.get("id"))
        yield Finding(
            severity="medium",
            kind="import_sets_marketing",
            where=where,
            said="was told to set its contacts as marketing",
            change=CHANGE["import_sets_marketing"],
        )


def _form(form: Mapping[str, Any]) -> Iterator[Finding]:
    where = str(form.get("name") or form.get("id"))
    consent: Mapping[str, Any] = form.get("legalConsentOptions") or {}

    def found(kind: str, severity: Severity, said: str) -> Finding:
        return Finding(severity=severity, kind=kind, where=where, said=said, change=CHANGE[kind].format(where=where))

    for box in consent.get("communicationsCheckboxes") or ():
        label = str(box.get("label") or "")
        if box.get("required") is True:
            said = f"the box “{label}” must be ticked to send the form in, so a tick is not given freely"
            yield found("form_required_box", "high", said)
    for label in _ticked(form):
        yield found("form_ticked_box", "high", f"the box “{label}” is ticked beforehand, so it is no opt-in")
    kind = str(consent.get("type") or "none")
    if kind in _NO_CONSENT:
        yield found("form_without_consent", "low", "asks for no consent: sent in, it grants nothing")
    elif kind == "legitimate_interest":
        said = "claims a legitimate interest and subscribes people for it, without asking for an opt-in"
        yield found("form_without_consent", "medium", said)


def _ticked(form: Mapping[str, Any]) -> Iterator[str]:
    """Boxes that stand ticked when the form is opened."""
    for group in form.get("fieldGroups") or ():
        for one in group.get("fields") or ():
            values = [one.get("defaultValue"), *(one.get("defaultValues") or ())]
            is_box = "checkbox" in str(one.get("fieldType") or "")
            if is_box and any(str(value).casefold() in _TICKED for value in values if value is not None):
                yield str(one.get("label") or one.get("name"))
    for box in (form.get("legalConsentOptions") or {}).get("communicationsCheckboxes") or ():
        if box.get("checked") is True or str(box.get("defaultValue")).casefold() in _TICKED:
            yield str(box.get("label") or "")


def _portal(seen: Seen) -> Iterator[Finding]:
    """By what contacts show: these settings themselves no call tells."""
    if not seen.contacts:
        return
    if seen.confirmations == 0:
        yield Finding(
            severity="medium",
            kind="no_double_opt_in",
            where="portal",
            said=f"none of {seen.contacts:,} contacts shows anything of a double opt-in: it looks switched off",
            change=CHANGE["no_double_opt_in"],
        )
    asks = any((one.get("legalConsentOptions") or {}).get("type", "none") != "none" for one in seen.forms or ())
    if seen.bases == 0 and not asks:
        yield Finding(
            severity="medium",
            kind="no_data_privacy",
            where="portal",
            said="no contact shows a legal basis and no form asks for consent: data privacy looks switched off",
            change=CHANGE["no_data_privacy"],
        )
