"""The kinds of sources an audit can look at: what each settles, and how to get it. A table, and nothing else."""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """name: for a sentence; settles: what it can show; get: where to click; clock: what backs `captured_at`."""

    name: str
    settles: str
    get: str
    clock: str


KINDS: dict[str, Kind] = {
    "export": Kind(
        "contacts export",
        "who is there, what the CRM says of each, and every opt-out it shows",
        "HubSpot: CRM > Contacts > Export, all properties, with internal names",
        "import_file: each row's Last Modified Date, else the file's date; it is true then, and stops are older",
    ),
    "forms": Kind(
        "form submissions",
        "sign-ups and ticked boxes, person by person",
        "HubSpot: Marketing > Forms > a form > Submissions > Export; or the API's submissions as JSON",
        "form_record: the form's own time stamp; counts from then",
    ),
    "deals": Kind(
        "deals with their contacts",
        "sales",
        "HubSpot: CRM > Deals > Export, with Deal Stage, Close Date, Pipeline and Associated Contact IDs",
        "deal_record: an editable field; a sale counts from when this ledger holds it",
    ),
    "subscriptions": Kind(
        "subscription events",
        "who switched a subscription type on or off, when, by which form, and confirmations",
        "HubSpot: the subscription timeline by API (JSON), or a subscription report exported as CSV",
        "subscription_timeline: the source's own time stamp; counts from then",
    ),
    "unsubscribes": Kind(
        "unsubscribes and bounces",
        "opt-outs, bounces and complaints, also of contacts deleted since",
        "HubSpot: Marketing > Email > More tools > Export unsubscribes and bounces",
        "event_log where a time stands beside it; otherwise nothing: it counts always",
    ),
    "events": Kind(
        "e-mail events",
        "what was sent to whom and when; bounces, complaints, changes of status",
        "HubSpot: e-mail events by API (JSON), or a campaign's recipients exported as CSV",
        "event_log: the source's own time stamp",
    ),
    "opt_outs": Kind(
        "opt-out list",
        "people who said no",
        "HubSpot: the list you imported as opt-outs, exported with its e-mail column",
        "nothing: it counts always",
    ),
    "suppressions": Kind(
        "suppression list",
        "opt-outs, complaints and bounces that a mail service keeps, and lists that give a status or reason",
        "Amazon SES, SendGrid, Brevo, ActiveCampaign or Klaviyo: export or list the suppressions, by screen or API",
        "event_log where a time stands beside it; otherwise nothing: it counts always",
    ),
    "audience": Kind(
        "Mailchimp audience",
        "sign-ups with their confirmation, unsubscribes, cleaned addresses",
        "Mailchimp: Audience > All contacts > Export audience (a ZIP)",
        "form_record where Mailchimp holds the IP address of the act; otherwise import_file",
    ),
    "stops": Kind(
        "objections kept elsewhere",
        "people who said no by mail, phone or letter",
        "write a CSV: email, date, words; give it with --stops",
        "nothing: it counts from the day written, or always",
    ),
    "mapped": Kind(
        "another file, by a mapping",
        "whatever its mapping says",
        "write a mapping beside it: docs/how-to/bring-other-files.md",
        "as its mapping says; otherwise import_file",
    ),
}
"""Token -> kind. An import's source is `<system>.<token>`."""
