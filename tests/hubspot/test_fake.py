"""The fake itself, over HTTP: contacts, their properties and what nobody may write."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.hubspot.service import Fake
from tests.hubspot.state import APP

CONTACTS = "/crm/v3/objects/contacts"
DATED = "/crm/objects/2026-03/contacts"


def make_verdict(api: httpx.Client) -> None:
    """Our own property, as the recipe has it."""
    api.post("/crm/v3/properties/contacts/groups", json={"name": "consent_ledger", "label": "Consent"})
    options = [{"label": one, "value": one} for one in ("marketing", "non_marketing", "undecided", "awaiting_approval")]
    verdict = {"name": "consent_ledger_verdict", "label": "Verdict", "type": "enumeration", "fieldType": "select"}
    made = api.post("/crm/v3/properties/contacts", json={**verdict, "groupName": "consent_ledger", "options": options})
    assert made.status_code == 201


def write(api: httpx.Client, record: int, **properties: str) -> httpx.Response:
    return api.post(f"{CONTACTS}/batch/update", json={"inputs": [{"id": str(record), "properties": properties}]})


@pytest.mark.parametrize("root", [CONTACTS, DATED, "/crm/v3/objects/0-1"])
def test_contacts_come_page_by_page(here: Fake, api: httpx.Client, root: str) -> None:
    made = [str(here.state.add_contact(f"p{n}@example.org", firstname=f"P{n}")) for n in range(5)]
    found: list[str] = []
    after: str | None = "0"
    while after is not None:
        page = api.get(root, params={"limit": 2, "after": after, "properties": "firstname,phone"}).json()
        found += [one["id"] for one in page["results"]]
        assert page["results"][0]["properties"].keys() >= {"firstname", "phone", "createdate", "hs_object_id"}
        after = page.get("paging", {}).get("next", {}).get("after")
    assert found == made


def test_a_page_has_a_hundred_at_most_and_fifty_with_history(api: httpx.Client) -> None:
    assert api.get(CONTACTS, params={"limit": 101}).status_code == 400
    assert api.get(CONTACTS, params={"limit": 51, "propertiesWithHistory": "email"}).status_code == 400
    assert api.get(CONTACTS, params={"limit": 50, "propertiesWithHistory": "email"}).status_code == 200


def test_history_says_what_was_and_who_set_it(here: Fake, api: httpx.Client) -> None:
    record = here.state.add_contact("ada@example.org")
    here.state.person_opts_out("ada@example.org")
    here.state.user_sets_status("ada@example.org", True)
    asked = {"propertiesWithHistory": "hs_email_optout,email"}
    history = api.get(f"{CONTACTS}/{record}", params=asked).json()["propertiesWithHistory"]
    assert [one["value"] for one in history["hs_email_optout"]] == ["false", "true"]
    assert [one["sourceType"] for one in history["hs_email_optout"]] == ["CRM_UI", "EMAIL"]
    assert history["hs_email_optout"][0]["updatedByUserId"] == 12_282_590
    assert [one["value"] for one in history["email"]] == ["ada@example.org"]


def test_a_batch_says_what_it_did_not_find(here: Fake, api: httpx.Client) -> None:
    record = here.state.add_contact("ada@example.org", also=["ada@example.net"])
    inputs = [{"id": str(record)}, {"id": "999999"}]
    read = api.post(f"{CONTACTS}/batch/read", json={"inputs": inputs, "properties": ["email"]})
    assert read.status_code == 207
    assert [one["id"] for one in read.json()["results"]] == [str(record)]
    assert read.json()["errors"][0]["context"] == {"ids": ["999999"]}
    by_email = {"inputs": [{"id": "Ada@example.net"}], "idProperty": "email", "properties": ["hs_additional_emails"]}
    found = api.post(f"{CONTACTS}/batch/read", json=by_email)
    assert found.json()["results"][0]["properties"]["hs_additional_emails"] == "ada@example.net"


def test_a_batch_is_a_hundred(api: httpx.Client) -> None:
    inputs = [{"id": str(n), "properties": {}} for n in range(1, 102)]
    for path in ("batch/read", "batch/update"):
        assert api.post(f"{CONTACTS}/{path}", json={"inputs": inputs}).status_code == 400
    with_history = {"inputs": inputs[:51], "propertiesWithHistory": ["email"]}
    assert api.post(f"{CONTACTS}/batch/read", json=with_history).status_code == 400


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("hs_marketable_status", "true", "READ_ONLY_VALUE"),
        ("hs_email_optout", "false", "READ_ONLY_VALUE"),
        ("hs_email_optout_1002", "false", "READ_ONLY_VALUE"),
        ("lastmodifieddate", "0", "READ_ONLY_VALUE"),
        ("no_such_property", "x", "PROPERTY_DOESNT_EXIST"),
        ("hs_legal_basis", "Legitimate interest – other", "INVALID_OPTION"),
    ],
)
def test_what_may_not_be_written_is_refused_with_the_whole_batch(
    here: Fake, api: httpx.Client, name: str, value: str, code: str
) -> None:
    first, second = here.state.add_contact("ada@example.org"), here.state.add_contact("bo@example.org")
    inputs: list[dict[str, Any]] = [{"id": str(first), "properties": {"firstname": "Ada"}}]
    inputs.append({"id": str(second), "properties": {name: value}})
    refused = api.post(f"{CONTACTS}/batch/update", json={"inputs": inputs})
    assert refused.status_code == 400
    assert refused.json()["category"] == "VALIDATION_ERROR"
    assert refused.json()["errors"][0]["code"] == code
    assert "firstname" not in here.state.contact(first).properties


def test_read_only_is_what_the_definitions_say(api: httpx.Client) -> None:
    every = {one["name"]: one for one in api.get("/crm/properties/2026-03/0-1").json()["results"]}
    assert every["hs_marketable_status"]["modificationMetadata"]["readOnlyValue"] is True
    assert every["hs_email_optout_1001"]["label"] == "Opted out of email: Marketing Information"
    assert every["hs_legal_basis"]["modificationMetadata"]["readOnlyValue"] is False
    assert "Legitimate interest – prospect/lead" in [one["value"] for one in every["hs_legal_basis"]["options"]]
    assert api.get("/crm/v3/properties/contacts/no_such").status_code == 404


def test_an_app_makes_properties_once(api: httpx.Client) -> None:
    make_verdict(api)
    assert (
        api.post("/crm/v3/properties/contacts/groups", json={"name": "consent_ledger", "label": "C"}).status_code == 409
    )
    own = {"name": "consent_ledger_verdict", "label": "V", "type": "string", "fieldType": "text"}
    assert api.post("/crm/v3/properties/contacts", json={**own, "groupName": "consent_ledger"}).status_code == 409
    assert api.post("/crm/v3/properties/contacts", json={**own, "groupName": "nowhere"}).status_code == 400


def test_our_own_values_are_named_as_ours(here: Fake, api: httpx.Client) -> None:
    make_verdict(api)
    record = here.state.add_contact("ada@example.org")
    assert write(api, record, consent_ledger_verdict="undecided").status_code == 200
    assert write(api, record, consent_ledger_verdict="perhaps").status_code == 400
    asked = {"propertiesWithHistory": "consent_ledger_verdict"}
    history = api.get(f"{CONTACTS}/{record}", params=asked).json()["propertiesWithHistory"]["consent_ledger_verdict"]
    assert [(one["value"], one["sourceType"], one["sourceId"]) for one in history] == [
        ("undecided", "INTEGRATION", str(APP))
    ]
    assert [one.name for one in here.state.changes(actor="app")] == ["consent_ledger_verdict"]


def test_a_search_ends_at_ten_thousand(here: Fake, api: httpx.Client) -> None:
    for n in range(3):
        here.state.add_contact(f"p{n}@example.org")
    since = {"propertyName": "lastmodifieddate", "operator": "GTE", "value": "2020-01-01T00:00:00Z"}
    body: dict[str, Any] = {"filterGroups": [{"filters": [since]}], "sorts": ["lastmodifieddate"], "limit": 2}
    first = api.post(f"{CONTACTS}/search", json=body).json()
    assert (first["total"], len(first["results"])) == (3, 2)
    rest = api.post(f"{CONTACTS}/search", json={**body, "after": first["paging"]["next"]["after"]}).json()
    assert (len(rest["results"]), rest.get("paging")) == (1, None)
    assert api.post(f"{CONTACTS}/search", json={**body, "limit": 201}).status_code == 400
    assert api.post(f"{CONTACTS}/search", json={**body, "after": "9999"}).status_code == 400
    by_email = {"filterGroups": [{"filters": [{"propertyName": "email", "operator": "EQ", "value": "p1@example.org"}]}]}
    assert api.post(f"{CONTACTS}/search", json=by_email).json()["total"] == 1


def test_a_merge_keeps_both_addresses_with_their_states(here: Fake, api: httpx.Client) -> None:
    kept, gone = here.state.add_contact("ada@example.org"), here.state.add_contact("ada@example.net", phone="1")
    here.state.person_opts_out("ada@example.net")
    merged = api.post(f"{CONTACTS}/merge", json={"primaryObjectId": str(kept), "objectIdToMerge": str(gone)})
    assert merged.status_code == 200
    asked = {"properties": "email,phone,hs_additional_emails,hs_merged_object_ids,hs_email_optout"}
    shown = api.get(f"{CONTACTS}/{gone}", params=asked).json()
    assert shown["id"] == str(kept)
    assert shown["properties"]["hs_additional_emails"] == "ada@example.net"
    assert shown["properties"]["hs_merged_object_ids"] == str(gone)
    assert shown["properties"]["phone"] == "1"
    assert shown["properties"]["hs_email_optout"] is None
    assert here.state.address("ada@example.net").all_out
    assert here.state.turned_on() == []


def test_a_deleted_contact_is_archived_and_its_address_keeps_its_state(here: Fake, api: httpx.Client) -> None:
    record = here.state.add_contact("ada@example.org")
    here.state.person_opts_out("ada@example.org")
    assert api.delete(f"{CONTACTS}/{record}").status_code == 204
    assert api.get(f"{CONTACTS}/{record}").status_code == 404
    assert [one["id"] for one in api.get(CONTACTS, params={"archived": "true"}).json()["results"]] == [str(record)]
    assert here.state.address("ada@example.org").all_out
    here.state.restore(record)
    assert api.get(f"{CONTACTS}/{record}").status_code == 200


def test_a_gdpr_delete_leaves_nothing_and_keeps_an_unknown_address_out(here: Fake, api: httpx.Client) -> None:
    record = here.state.add_contact("ada@example.org")
    for key in ("ada@example.org", "nobody@example.org"):
        gone = api.post(f"{CONTACTS}/gdpr-delete", json={"objectId": key, "idProperty": "email"})
        assert gone.status_code == 204
    assert api.get(f"{CONTACTS}/{record}").status_code == 404
    assert "nobody@example.org" in here.state.addresses.blocked


def test_marketing_is_set_by_the_portals_workflow_at_once_or_at_the_update_date(here: Fake, api: httpx.Client) -> None:
    make_verdict(api)
    record = here.state.add_contact("ada@example.org")
    values = here.state.contact(record).properties
    write(api, record, consent_ledger_verdict="marketing")
    assert (values["hs_marketable_status"], values["hs_marketable_reason_type"]) == ("true", "WORKFLOW")
    write(api, record, consent_ledger_verdict="non_marketing")
    assert (values["hs_marketable_status"], values["hs_marketable_until_renewal"]) == ("true", "true")
    assert here.state.marketing.count() == 1
    assert here.state.update_date() == 1
    assert (values["hs_marketable_status"], here.state.marketing.count()) == ("false", 0)
    for verdict in ("undecided", "awaiting_approval"):
        write(api, record, consent_ledger_verdict="marketing")
        write(api, record, consent_ledger_verdict=verdict)
        assert (values["hs_marketable_until_renewal"], here.state.update_date()) == ("true", 1)
    here.state.marketing.workflow = False
    write(api, record, consent_ledger_verdict="marketing")
    assert values["hs_marketable_status"] == "false"


def test_a_lifecycle_stage_goes_forward_unless_it_is_cleared(here: Fake, api: httpx.Client) -> None:
    record = here.state.add_contact("ada@example.org", lifecyclestage="customer")
    write(api, record, lifecyclestage="lead")
    assert here.state.contact(record).properties["lifecyclestage"] == "customer"
    write(api, record, lifecyclestage="")
    write(api, record, lifecyclestage="lead")
    assert here.state.contact(record).properties["lifecyclestage"] == "lead"


def test_one_address_belongs_to_one_contact(here: Fake, api: httpx.Client) -> None:
    here.state.add_contact("ada@example.org")
    record = here.state.add_contact("bo@example.org")
    assert api.post(CONTACTS, json={"properties": {"email": "ada@example.org"}}).status_code == 409
    assert write(api, record, email="ada@example.org").status_code == 409
    assert api.patch(f"{CONTACTS}/{record}", json={"properties": {"email": "cy@example.org"}}).status_code == 200
    assert here.state.contact("cy@example.org").id == record
    assert api.get(f"{CONTACTS}/cy@example.org", params={"idProperty": "email"}).json()["id"] == str(record)


def test_a_user_who_changes_an_opt_out_changes_it_for_the_address(here: Fake) -> None:
    record = here.state.add_contact("ada@example.org")
    here.state.user_sets(record, hs_email_optout="true", hs_email_optout_1002="true", firstname="Ada")
    assert here.state.address("ada@example.org").all_out
    assert here.state.turned_on() == []
    here.state.user_sets(record, hs_email_optout="false")
    assert [(flip.type_id, flip.actor.source) for flip in here.state.turned_on()] == [(None, "CRM_UI")]


def test_the_address_of_a_deleted_contact_is_free(here: Fake, api: httpx.Client) -> None:
    gone = here.state.add_contact("ada@example.org")
    here.state.delete(gone)
    made = api.post(CONTACTS, json={"properties": {"email": "ada@example.org"}})
    assert made.status_code == 201
    assert here.state.contact("ada@example.org").id == int(made.json()["id"])


def test_another_address_shows_its_own_state(here: Fake) -> None:
    record = here.state.add_contact("ada@example.org")
    here.state.person_opts_out("ada@example.org")
    here.state.user_sets(record, email="ada@example.net")
    assert here.state.contact(record).properties["hs_email_optout"] == "false"
    assert here.state.address("ada@example.org").all_out
    assert here.state.turned_on() == []
