"""The fake itself, over HTTP: forms, submissions, mails, deals, imports, and a portal out of its files."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.hubspot.portal.writing import write_portal
from tests.hubspot.forms import consent
from tests.hubspot.service import Fake, fake
from tests.hubspot.state import PORTAL, PRODUCT_NEWS, State
from tests.waiting import BUDGET

ADA = "ada@example.org"
BOX = (PRODUCT_NEWS, "I would like the newsletter", False)


def sent(*types: int, email: str = ADA, **more: Any) -> dict[str, Any]:
    yes = [{"value": True, "subscriptionTypeId": one, "text": "I would like the newsletter"} for one in types]
    agreed = {"consentToProcess": True, "text": "I agree.", "communications": yes}
    fields = [{"objectTypeId": "0-1", "name": "email", "value": email}]
    return {"fields": fields, "legalConsentOptions": {"consent": agreed}, **more}


def submit(here: Fake, form: str, body: dict[str, Any]) -> httpx.Response:
    return httpx.post(f"{here.url}/submissions/v3/integration/submit/{PORTAL}/{form}", json=body)


def test_a_form_says_what_it_asks_and_when_that_changed(here: Fake, api: httpx.Client) -> None:
    form = here.state.forms.add("Newsletter", consent(BOX))
    first = api.get(f"/marketing/v3/forms/{form}").json()
    here.state.forms.change(form, consent((PRODUCT_NEWS, "Yes", True), text="Another text."))
    second = api.get(f"/marketing/forms/2026-03/{form}").json()
    assert second["updatedAt"] > first["updatedAt"] == first["createdAt"]
    assert first["legalConsentOptions"]["communicationsCheckboxes"][0]["required"] is False
    assert second["legalConsentOptions"]["communicationsCheckboxes"][0]["required"] is True
    assert [one["id"] for one in api.get("/marketing/v3/forms").json()["results"]] == [form]


def test_a_person_opts_in_by_a_form_as_themselves(here: Fake, api: httpx.Client) -> None:
    form = here.state.forms.add("Newsletter", consent(BOX))
    here.state.person_opts_out(ADA, PRODUCT_NEWS)
    assert submit(here, form, sent(PRODUCT_NEWS)).status_code == 200
    (flip,) = here.state.turned_on()
    assert (flip.actor.kind, flip.actor.source, flip.actor.id) == ("person", "FORM", form)
    values = here.state.contact(ADA).properties
    assert values["hs_legal_basis"] == "Freely given consent from contact"
    assert (values["hs_marketable_status"], values["hs_marketable_reason_type"]) == ("true", "FORM_SUBMISSION")
    (row,) = api.get(f"/form-integrations/v1/submissions/forms/{form}").json()["results"]
    assert row["values"] == [{"name": "email", "value": ADA, "objectTypeId": "0-1"}]
    assert {"conversionId", "submittedAt", "pageUrl", "values"} == row.keys()


def test_a_claimed_interest_turns_nothing_on_that_was_turned_off(here: Fake) -> None:
    form = here.state.forms.add("Trade fair", consent(BOX, kind="legitimate_interest"))
    here.state.person_opts_out(ADA, PRODUCT_NEWS)
    claim = {"value": True, "subscriptionTypeId": PRODUCT_NEWS, "legalBasis": "LEAD", "text": "x"}
    for email in (ADA, "bo@example.org"):
        body = sent(email=email) | {"legalConsentOptions": {"legitimateInterest": claim}}
        assert submit(here, form, body).status_code == 200
    assert here.state.turned_on() == []
    assert here.state.address("bo@example.org").types[PRODUCT_NEWS].legal_basis == "LEGITIMATE_INTEREST_PQL"


@pytest.mark.parametrize(
    "body",
    [
        sent(PRODUCT_NEWS, submittedAt="1500000000000"),
        sent(),
        sent(4),
        sent(PRODUCT_NEWS, email="none"),
        {"fields": []},
    ],
)
def test_a_submission_that_is_none_is_refused(here: Fake, body: dict[str, Any]) -> None:
    form = here.state.forms.add("Webinar", consent((PRODUCT_NEWS, "Keep me informed", True)))
    assert submit(here, form, body).status_code == 400
    assert len(here.state.contacts) == 0


def test_submissions_come_the_newest_first_whatever_comes_in_meanwhile(here: Fake, api: httpx.Client) -> None:
    form = here.state.forms.add("Newsletter")
    for n in range(5):
        here.state.person_opts_in(f"p{n}@example.org", form)
    path = f"/form-integrations/v1/submissions/forms/{form}"
    first = api.get(path, params={"limit": 3}).json()
    here.state.person_opts_in("late@example.org", form)
    second = api.get(path, params={"limit": 3, "after": first["paging"]["next"]["after"]}).json()
    emails = [row["values"][0]["value"] for row in (*first["results"], *second["results"])]
    assert emails == [f"p{n}@example.org" for n in (4, 3, 2, 1, 0)]
    assert "paging" not in second


def test_a_double_opt_in_is_confirmed(here: Fake) -> None:
    here.state.double_opt_in = True
    form = here.state.forms.add("Newsletter", consent(BOX))
    submit(here, form, sent(PRODUCT_NEWS))
    assert here.state.contact(ADA).properties["hs_emailconfirmationstatus"] == "Confirmation Email Sent"
    here.state.forms.confirm(ADA)
    assert here.state.contact(ADA).properties["hs_emailconfirmationstatus"] == "User clicked confirmation"


def test_events_are_paged_and_asked_for_by_kind_and_time(here: Fake, api: httpx.Client) -> None:
    for n in range(5):
        here.state.mail.event("SENT" if n % 2 else "BOUNCE", ADA, 1_000 + n, emailCampaignId=7)
    path = "/email/public/v1/events"
    first = api.get(path, params={"limit": 2}).json()
    rest = api.get(path, params={"limit": 9, "offset": first["offset"]}).json()
    assert [one["created"] for one in (*first["events"], *rest["events"])] == [1_004, 1_003, 1_002, 1_001, 1_000]
    assert (first["hasMore"], rest["hasMore"], rest["offset"]) == (True, False, "")
    found = api.get(path, params={"eventType": "SENT", "startTimestamp": 1_001, "endTimestamp": 1_003}).json()
    assert [one["created"] for one in found["events"]] == [1_001]
    assert api.get(path, params={"limit": "x"}).status_code == 400


def test_deals_name_their_contacts_and_pipelines_what_is_won(here: Fake, api: httpx.Client) -> None:
    record = here.state.add_contact(ADA)
    shop = here.state.sales.pipeline("Partner sales")
    won = here.state.sales.stage(shop, "Closed won")
    here.state.sales.add({"dealname": "Offer", "dealstage": won, "pipeline": shop}, (record,), 1_000)
    (deal,) = api.get("/crm/v3/objects/deals", params={"associations": "contacts"}).json()["results"]
    assert deal["associations"]["contacts"]["results"] == [{"id": str(record), "type": "deal_to_contact"}]
    stages = {
        stage["id"]: stage["metadata"]
        for pipeline in api.get("/crm/pipelines/2026-03/deals").json()["results"]
        for stage in pipeline["stages"]
    }
    assert stages[deal["properties"]["dealstage"]] == {"isClosed": "true", "probability": "1.0"}
    assert stages["closedwon"]["isClosed"] == "true"


def importing(api: httpx.Client, rows: str, **more: Any) -> httpx.Response:
    names = rows.split("\n", maxsplit=1)[0].split(",")
    columns = [{"columnObjectTypeId": "0-1", "columnName": one, "propertyName": one} for one in names]
    page = {"fileName": "a.csv", "fileFormat": "CSV", "fileImportPage": {"hasHeader": True, "columnMappings": columns}}
    request = json.dumps({"name": "Fair", "files": [page], **more})
    files: dict[str, Any] = {"importRequest": (None, request), "files": ("a.csv", rows.encode(), "text/csv")}
    return api.post("/crm/v3/imports", files=files)


def test_an_import_changes_contacts_and_makes_them_marketing_ones(here: Fake, api: httpx.Client) -> None:
    made = importing(api, f"email,firstname\n{ADA},Ada\nbo@example.org,Bo\n", marketableContactImport=True)
    assert made.json()["metadata"]["counters"]["CREATED_OBJECTS"] == 2
    values = here.state.contact(ADA).properties
    assert (values["firstname"], values["hs_marketable_reason_type"]) == ("Ada", "CONTACT_IMPORT")
    assert api.get(f"/crm/imports/2026-03/{made.json()['id']}").json()["state"] == "DONE"
    assert api.get("/crm/v3/imports").json()["results"][0]["optOutImport"] is False


def test_an_import_cannot_write_what_is_read_only(here: Fake, api: httpx.Client) -> None:
    here.state.add_contact(ADA)
    here.state.person_opts_out(ADA)
    made = importing(api, f"email,hs_email_optout\n{ADA},false\n", importOperations={"0-1": "UPDATE"}).json()
    errors = api.get(f"/crm/v3/imports/{made['id']}/errors").json()["results"]
    assert [one["errorType"] for one in errors] == ["READ_ONLY_VALUE"]
    assert here.state.address(ADA).all_out


def test_an_opt_out_list_opts_out_without_making_contacts(here: Fake, api: httpx.Client) -> None:
    here.state.add_contact(ADA)
    made = here.state.imports.opt_out_list(ADA, "bo@example.org")
    assert api.get(f"/crm/v3/imports/{made.id}").json()["optOutImport"] is True
    assert here.state.contact(ADA).properties["hs_email_optout"] == "true"
    assert here.state.address("bo@example.org").all_out
    assert len(here.state.contacts) == 1


def test_a_portal_begins_as_its_files_show_it(tmp_path: Path) -> None:
    write_portal(tmp_path, contacts=400, seed=1, today=date(2026, 11, 25))
    state = State.from_portal(tmp_path, rate=None)
    assert (len(state.contacts), state.changes(), state.turned_on()) == (400, [], [])
    shown = [one for one in state.contacts.by_id.values() if one.properties.get("hs_email_optout") == "true"]
    assert shown
    assert all(state.address(one.email).all_out for one in shown)
    assert state.marketing.count() > 300
    with fake(state) as here, httpx.Client(base_url=here.url, headers={"Authorization": f"Bearer {here.token}"}) as api:
        page = api.get("/crm/v3/objects/contacts", params={"limit": 50, "propertiesWithHistory": "hs_email_optout"})
        assert len(page.json()["results"]) == 50
        forms = api.get("/marketing/v3/forms").json()["results"]
        assert {one["name"] for one in forms} >= {"Newsletter footer", "Webinar registration"}
        assert api.get("/email/public/v1/events").json()["hasMore"] is True
        assert api.get("/crm/v3/objects/deals").json()["results"]
        assert len(api.get("/crm/v3/imports").json()["results"]) == 2


def test_it_can_be_steered_over_http(here: Fake) -> None:
    here.state.add_contact(ADA)
    assert httpx.post(f"{here.url}/fake/person-opts-out", json={"email": ADA}).status_code == 200
    assert httpx.post(f"{here.url}/fake/user-sets-status", json={"email": ADA, "on": True}).status_code == 200
    (flip,) = httpx.get(f"{here.url}/fake/turned-on").json()
    assert (flip["email"], flip["type_id"], flip["actor"]["kind"]) == (ADA, None, "user")
    assert httpx.get(f"{here.url}/fake/counts").json()["contacts"] == 1
    assert httpx.post(f"{here.url}/fake/delete", json={"email": "nobody@example.org"}).status_code == 404


def test_it_runs_as_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "tests.hubspot", "--contacts", "20", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        headers = {"Authorization": f"Bearer {process.stdout.readline().split()[1].rstrip(',')}"}
        assert len(httpx.get(f"{url}/crm/v3/objects/contacts?limit=100", headers=headers).json()["results"]) == 20
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(BUDGET) == 0
        finally:
            process.kill()


def test_it_may_go_away_and_come_back_at_the_same_place(here: Fake) -> None:
    state = State(rate=None)
    with fake(state) as first:
        port = int(first.url.rsplit(":", 1)[1])
        state.add_contact(ADA)
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{first.url}/fake/counts")
    with fake(state, port=port) as second:
        assert httpx.get(f"{second.url}/fake/counts").json()["contacts"] == 1
