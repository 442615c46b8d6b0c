"""The fake itself, over HTTP: subscriptions, and every opt-out that somebody undoes."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.hubspot.service import Fake
from tests.hubspot.state import APP, MARKETING_INFORMATION, PRODUCT_NEWS

V3, V4 = "/communication-preferences/v3", "/communication-preferences/v4"
EMAIL = {"channel": "EMAIL"}
ADA, BO = "ada@example.org", "bo@example.org"


def setting(state: str, type_id: object = PRODUCT_NEWS, **more: str) -> dict[str, Any]:
    return {"subscriptionId": type_id, "statusState": state, "channel": "EMAIL", **more}


def subscribe(type_id: int = PRODUCT_NEWS, **more: str) -> dict[str, Any]:
    return {"emailAddress": ADA, "subscriptionId": str(type_id), **more}


def statuses(api: httpx.Client, email: str = ADA, root: str = V4) -> dict[int, str]:
    rows = api.get(f"{root}/statuses/{quote(email, safe='')}", params=EMAIL).json()["results"]
    return {row["subscriptionId"]: row["status"] for row in rows}


def test_the_types_are_told_on_every_version(api: httpx.Client) -> None:
    old = api.get(f"{V3}/definitions").json()["subscriptionDefinitions"]
    for root in (V4, "/communication-preferences/2026-03", "/communication-preferences/2026-09"):
        assert api.get(f"{root}/definitions").json()["results"] == old
    assert {one["id"] for one in old} == {"1001", "1002", "1003"}


@pytest.mark.parametrize("root", [V4, "/communication-preferences/2026-03"])
def test_one_type_is_switched_off_with_a_reason(here: Fake, api: httpx.Client, root: str) -> None:
    here.state.add_contact(ADA)
    why = {"legalBasis": "CONSENT_WITH_NOTICE", "legalBasisExplanation": "CL-1"}
    row = api.post(f"{root}/statuses/{quote(ADA)}", json=setting("UNSUBSCRIBED", **why)).json()["results"][0]
    assert (row["status"], row["setStatusSuccessReason"]) == ("UNSUBSCRIBED", "REQUESTED_CHANGE_OCCURRED")
    assert (row["legalBasis"], row["legalBasisExplanation"]) == ("CONSENT_WITH_NOTICE", "CL-1")
    again = api.post(f"{root}/statuses/{quote(ADA)}", json=setting("UNSUBSCRIBED")).json()["results"][0]
    assert again["setStatusSuccessReason"] == "NO_STATUS_CHANGE"
    assert statuses(api, root=root) == {1001: "NOT_SPECIFIED", 1002: "UNSUBSCRIBED", 1003: "NOT_SPECIFIED"}
    assert here.state.contact(ADA).properties["hs_email_optout_1002"] == "true"
    assert {one.actor.id for one in here.state.changes(actor="app")} == {str(APP)}
    assert here.state.turned_on() == []


@pytest.mark.parametrize(
    "body",
    [
        {"subscriptionId": 1002, "statusState": "UNSUBSCRIBED"},
        {"subscriptionId": 1002, "statusState": "OUT", "channel": "EMAIL"},
        {"subscriptionId": 4, "statusState": "UNSUBSCRIBED", "channel": "EMAIL"},
        {"statusState": "UNSUBSCRIBED", "channel": "EMAIL"},
        setting("UNSUBSCRIBED", legalBasis="CONSENT_WITH_NOTICE_AND_OPT_OUT"),
    ],
)
def test_a_status_that_is_none_is_refused(here: Fake, api: httpx.Client, body: dict[str, Any]) -> None:
    assert api.post(f"{V4}/statuses/{quote(ADA)}", json=body).status_code == 400
    assert here.state.changes() == []


def test_without_a_channel_nothing_is_told(api: httpx.Client) -> None:
    assert api.get(f"{V4}/statuses/{quote(ADA)}").status_code == 400
    assert api.get(f"{V4}/statuses/{quote(ADA)}/unsubscribe-all").status_code == 400


def test_v3_refuses_whoever_opted_out_and_v4_does_not(here: Fake, api: httpx.Client) -> None:
    here.state.person_opts_out(ADA, PRODUCT_NEWS)
    assert api.post(f"{V3}/subscribe", json=subscribe()).status_code == 400
    assert here.state.turned_on() == []
    row = api.post(f"{V4}/statuses/{quote(ADA)}", json=setting("SUBSCRIBED")).json()["results"][0]
    assert row["setStatusSuccessReason"] == "RESUBSCRIBE_OCCURRED"
    (flip,) = here.state.turned_on()
    assert (flip.email, flip.type_id, flip.actor.kind, flip.actor.id) == (ADA, PRODUCT_NEWS, "app", str(APP))


def test_a_type_turned_on_lifts_the_opt_out_of_all_e_mail(here: Fake, api: httpx.Client) -> None:
    here.state.add_contact(ADA)
    here.state.person_opts_out(ADA)
    assert api.post(f"{V3}/subscribe", json=subscribe()).status_code == 400
    api.post(f"{V4}/statuses/{quote(ADA)}", json=setting("SUBSCRIBED"))
    assert [flip.type_id for flip in here.state.turned_on()] == [None]
    assert here.state.contact(ADA).properties["hs_email_optout"] == "false"


def test_a_stop_is_not_set_back_to_unspecified_unseen(here: Fake, api: httpx.Client) -> None:
    here.state.person_opts_out(ADA, PRODUCT_NEWS)
    api.post(f"{V4}/statuses/{quote(ADA)}", json=setting("NOT_SPECIFIED"))
    assert [(flip.type_id, flip.after) for flip in here.state.turned_on()] == [(PRODUCT_NEWS, "NOT_SPECIFIED")]


def test_v3_shows_who_opted_out_and_who_was_never_asked_alike(here: Fake, api: httpx.Client) -> None:
    here.state.person_opts_out(ADA, PRODUCT_NEWS)
    api.post(f"{V3}/subscribe", json=subscribe(MARKETING_INFORMATION))
    rows = api.get(f"{V3}/status/email/{quote(ADA)}").json()["subscriptionStatuses"]
    assert [row["status"] for row in rows] == ["SUBSCRIBED", "NOT_SUBSCRIBED", "NOT_SUBSCRIBED"]
    here.state.person_opts_out(ADA)
    rows = api.get(f"{V3}/status/email/{quote(ADA)}").json()["subscriptionStatuses"]
    assert {(row["status"], row["sourceOfStatus"]) for row in rows} == {("NOT_SUBSCRIBED", "PORTAL_WIDE_STATUS")}


def test_v3_may_be_gone(here: Fake, api: httpx.Client) -> None:
    here.state.v3_subscribe = False
    assert api.post(f"{V3}/subscribe", json=subscribe()).status_code == 404


def test_only_the_newest_version_resubscribes_by_name(here: Fake, api: httpx.Client) -> None:
    here.state.person_opts_out(ADA, PRODUCT_NEWS)
    assert api.post("/communication-preferences/2026-09/subscribe", json=subscribe()).status_code == 400
    assert api.post("/communication-preferences/2026-09/resubscribe", json=subscribe()).status_code == 200
    assert len(here.state.turned_on()) == 1


def test_with_data_privacy_on_a_basis_needs_its_explanation(here: Fake, api: httpx.Client) -> None:
    here.state.data_privacy = True
    assert api.post(f"{V3}/subscribe", json=subscribe(legalBasis="CONSENT_WITH_NOTICE")).status_code == 400
    both = subscribe(legalBasis="CONSENT_WITH_NOTICE", legalBasisExplanation="CL-1")
    assert api.post(f"{V3}/subscribe", json=both).status_code == 200
    assert api.post(f"{V3}/unsubscribe", json=subscribe()).status_code == 200


def test_out_of_all_e_mail(here: Fake, api: httpx.Client) -> None:
    path = f"{V4}/statuses/{quote(ADA)}/unsubscribe-all"
    here.state.add_contact(ADA)
    assert api.get(path, params=EMAIL).json()["results"] == []
    rows = api.post(path, params=EMAIL).json()["results"]
    assert {row["setStatusSuccessReason"] for row in rows} == {"UNSUBSCRIBE_FROM_ALL_OCCURRED"}
    (wide,) = api.get(path, params=EMAIL).json()["results"]
    assert (wide["wideStatusType"], wide["status"]) == ("PORTAL_WIDE", "UNSUBSCRIBED")
    assert here.state.contact(ADA).properties["hs_email_optout"] == "true"


def test_batches_do_what_they_can(here: Fake, api: httpx.Client) -> None:
    inputs = [{"subscriberIdString": email, **setting("UNSUBSCRIBED")} for email in (ADA, BO)]
    inputs.append({"subscriberIdString": BO, **setting("UNSUBSCRIBED", 4)})
    done = api.post(f"{V4}/statuses/batch/write", json={"inputs": inputs})
    assert (done.status_code, done.json()["numErrors"]) == (207, 1)
    assert [row["subscriberIdString"] for row in done.json()["results"]] == [ADA, BO]
    read = api.post(f"{V4}/statuses/batch/read", params=EMAIL, json={"inputs": [ADA, BO]})
    assert read.status_code == 200
    assert [one["statuses"][1]["status"] for one in read.json()["results"]] == ["UNSUBSCRIBED"] * 2
    here.state.chaos.refuse(BO)
    out = api.post(f"{V4}/statuses/batch/unsubscribe-all", params=EMAIL, json={"inputs": [ADA, BO]})
    assert out.status_code == 207
    wide = api.post(f"{V4}/statuses/batch/unsubscribe-all/read", params=EMAIL, json={"inputs": [ADA]})
    assert wide.json()["results"][0]["wideStatuses"][0]["status"] == "UNSUBSCRIBED"
    assert not here.state.address(BO).all_out
    many = [f"p{n}@example.org" for n in range(101)]
    assert api.post(f"{V4}/statuses/batch/read", params=EMAIL, json={"inputs": many}).status_code == 400


def test_batches_are_for_enterprise(here: Fake, api: httpx.Client) -> None:
    here.state.enterprise(False)
    refused = api.post(f"{V4}/statuses/batch/read", params=EMAIL, json={"inputs": [ADA]})
    assert (refused.status_code, refused.json()["category"]) == (403, "MISSING_SCOPES")
    assert api.get(f"{V4}/statuses/{quote(ADA)}", params=EMAIL).status_code == 200
    here.state.enterprise(True)
    assert api.post(f"{V4}/statuses/batch/read", params=EMAIL, json={"inputs": [ADA]}).status_code == 200


def test_links_lead_to_the_persons_own_choice(api: httpx.Client) -> None:
    body = {"subscriberIdString": ADA, "subscriptionId": 1002}
    made = api.post(f"{V4}/links/generate", params=EMAIL, json=body).json()
    assert {"managePreferencesUrl", "unsubscribeAllUrl", "unsubscribeSingleUrl"} <= made.keys()


def test_an_address_may_hold_a_slash_and_a_plus(here: Fake, api: httpx.Client) -> None:
    odd = "ada/b+c@example.org"
    assert api.post(f"{V4}/statuses/{quote(odd, safe='')}", json=setting("UNSUBSCRIBED")).status_code == 200
    assert statuses(api, odd)[PRODUCT_NEWS] == "UNSUBSCRIBED"


def test_a_new_contact_shows_what_its_address_left_long_ago(here: Fake, api: httpx.Client) -> None:
    here.state.add_contact(ADA)
    here.state.person_opts_out(ADA)
    here.state.gdpr_delete(ADA)
    again = here.state.add_contact(ADA)
    assert here.state.contact(again).properties["hs_email_optout"] == "true"


def test_everything_is_in_the_timeline_and_the_events(here: Fake, api: httpx.Client) -> None:
    here.state.person_opts_out(ADA, PRODUCT_NEWS)
    here.state.user_sets_status(ADA, True, PRODUCT_NEWS)
    rows = api.get("/email/public/v1/subscriptions/timeline").json()["timeline"]
    changes = [row["changes"][0] for row in rows]
    assert [(one["change"], one["source"]) for one in changes] == [
        ("SUBSCRIBED", "SOURCE_HUBSPOT_CUSTOMER"),
        ("UNSUBSCRIBED", "SOURCE_RECIPIENT"),
    ]
    events = api.get("/email/public/v1/events", params={"eventType": "STATUSCHANGE"}).json()["events"]
    assert [one["id"] for one in events] == [one["causedByEvent"]["id"] for one in changes]
    assert [flip.actor.kind for flip in here.state.turned_on()] == ["user"]
