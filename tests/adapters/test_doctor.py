"""The look over a portal: what it finds in one that is set up badly, and that it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.cli.main import app
from adapters.hubspot.api.properties import PROPERTIES
from adapters.hubspot.doctor.probing import of_properties
from adapters.hubspot.doctor.settings import Origin, Seen, of_settings
from tests.hubspot.forms import consent
from tests.hubspot.service import Fake, fake
from tests.hubspot.state import APP, OTHER_APP, PRODUCT_NEWS, State

NEWS = (PRODUCT_NEWS, "Yes, send me product news", False)
MUST = (PRODUCT_NEWS, "I agree to product news", True)


@pytest.fixture
def portal() -> Iterator[Fake]:
    """A portal with a form that sets marketing, one with a required box, an import and an app that set it too."""
    state = State(rate=10_000)
    state.forms.add("Contact us", consent(NEWS), guid="f-1")
    state.forms.add("Webinar", consent(MUST), guid="f-2", marketing=False)
    state.forms.add("Demo", {"type": "none"}, guid="f-3", marketing=False)
    state.person_opts_in("ana@example.com", form="f-1")
    state.person_opts_in("bo@example.com", form="f-1")
    state.imports.run([{"email": "cy@example.com"}], {"name": "Fair 2026", "marketableContactImport": True})
    record = state.add_contact("di@example.com")
    state.user_sets(
        record,
        hs_marketable_status="true",
        hs_marketable_reason_type="INTEGRATOR_SET",
        hs_marketable_reason_id=str(OTHER_APP),
    )
    with fake(state) as running:
        yield running


def run(portal: Fake, monkeypatch: pytest.MonkeyPatch, *more: str, exit_code: int = 0) -> Result:
    """The command against the portal."""
    monkeypatch.setenv("CONSENT_LEDGER_HUBSPOT_URL", portal.url)
    monkeypatch.setenv("CONSENT_LEDGER_HUBSPOT_TOKEN", portal.token)
    result = CliRunner().invoke(app, ["doctor", "hubspot", *more])
    assert result.exit_code == exit_code, (result.output, result.exception)
    return result


def diagnosis(portal: Fake, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Its document."""
    return json.loads(run(portal, monkeypatch, "--json").stdout)


def test_what_sets_marketing_by_itself_is_named_with_where_to_change_it(
    portal: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forms, imports and apps by what they did, which is all that the API tells."""
    found = {(one["kind"], one["where"]): one for one in diagnosis(portal, monkeypatch)["findings"]}
    assert {key for key in found if key[0].endswith("_sets_marketing")} == {
        ("form_sets_marketing", "Contact us"),
        ("import_sets_marketing", "Fair 2026"),
        ("app_sets_marketing", str(OTHER_APP)),
    }
    assert found["form_sets_marketing", "Contact us"]["said"].startswith("made marketing contacts of 2, 2 of them")
    assert found["form_required_box", "Webinar"]["severity"] == "high"
    assert "Webinar" in found["form_required_box", "Webinar"]["change"]
    assert ("form_without_consent", "Demo") in found
    assert ("no_double_opt_in", "portal") in found


@pytest.mark.parametrize("version", ["legacy", "2026-03"])
def test_what_may_be_done_is_tried_and_nothing_is_changed(
    portal: Fake, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """The portal is as it was; the credentials may do everything, by the paths of either version."""
    monkeypatch.setenv("CONSENT_LEDGER_HUBSPOT_API", version)
    before = len(portal.state.changes())
    found = diagnosis(portal, monkeypatch)
    can = {one["name"]: one["can"] for one in found["abilities"]}
    assert can.pop("set the marketing status") == "forbidden"
    assert set(can.values()) == {"yes"}
    assert len(portal.state.changes()) == before
    assert not any(one["kind"] == "credentials" for one in found["findings"])
    assert (found["contacts"], found["marketing"]) == (4, 4)


def test_what_the_credentials_lack_is_found(portal: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scope that is needed is a finding; the batch calls, which one edition alone has, are none."""
    portal.state.apps[portal.token].scopes.discard("forms")
    portal.state.enterprise(False)
    found = diagnosis(portal, monkeypatch)
    can = {one["name"]: one["can"] for one in found["abilities"]}
    assert can["forms"] == "forbidden"
    assert can["unsubscribe in batches"] == "forbidden"
    assert [one["where"] for one in found["findings"] if one["kind"] == "credentials"] == ["forms"]


def test_a_token_that_is_not_known_is_said_in_one_line(portal: Fake) -> None:
    """And the command fails."""
    result = CliRunner().invoke(
        app,
        ["doctor", "hubspot"],
        env={"CONSENT_LEDGER_HUBSPOT_URL": portal.url, "CONSENT_LEDGER_HUBSPOT_TOKEN": "wrong"},
    )
    assert result.exit_code == 1
    assert "does not know the token" in str(result.exception)


def test_the_screen_names_every_part(portal: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings with where to change them, abilities, rates, and what is to be looked at by hand."""
    shown = run(portal, monkeypatch).stdout
    for words in ("findings", "Marketing > Forms > Contact us", "credentials", "left today", "look by hand"):
        assert words in " ".join(shown.split())


@pytest.mark.parametrize(("severity", "code"), [("high", 3), ("nothing", 2)])
def test_fail_on(portal: Fake, monkeypatch: pytest.MonkeyPatch, severity: str, code: int) -> None:
    """Exit 3 for a finding as grave as that, or graver."""
    run(portal, monkeypatch, "--fail-on", severity, exit_code=code)


def test_our_properties_are_of_the_right_type() -> None:
    """One that is missing is made by the sync; one of another type stands in its way."""
    there: dict[str, dict[str, Any]] = {name: dict(wanted) for name, wanted in PROPERTIES.items()}
    assert list(of_properties(there)) == []
    del there["consent_ledger_basis"]
    there["consent_ledger_verdict"] = {"type": "string", "fieldType": "text", "options": []}
    found = list(of_properties(there))
    assert [(one.kind, one.severity) for one in found] == [("property_missing", "low"), ("property_differs", "high")]
    assert "lacks the option marketing" in found[1].said


def test_a_box_that_is_ticked_beforehand_is_found() -> None:
    """However the definition of the form says it."""
    field = {"fieldType": "single_checkbox", "name": "nl", "label": "News", "defaultValues": ["true"]}
    form = {"id": "1", "name": "Old", "fieldGroups": [{"fields": [field]}], "legalConsentOptions": {"type": "x"}}
    seen = Seen(forms=[form], imports=None, origins=(), contacts=1, confirmations=1, bases=0)
    assert [one.kind for one in of_settings(seen)] == ["form_ticked_box"]


def test_what_made_marketing_contacts_long_ago_is_less_grave() -> None:
    """Nobody was made one lately."""
    seen = Seen((), (), [Origin("INTEGRATOR_SET", str(APP), 5, 0)], 9, 1, 1)
    assert [one.severity for one in of_settings(seen)] == ["low"]
