"""Every door with one table of hostile times: whatever time a stop claims, it ends a yes that is older.

A yes of last year stands before each trial; after the stop the gate says no, now and at every later moment.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from adapters.esp.ses import SesReceiver
from adapters.evidence import Taken, record, take_in
from adapters.hubspot.api.reading import address_state, contact_of
from adapters.hubspot.changes import Changes
from adapters.hubspot.pull.contacts import _history
from adapters.hubspot.pull.statuses import facts_of
from adapters.inputs import sort_inputs
from adapters.recording import Saying, record_all
from adapters.statements import Statement, Wanted
from adapters.submitting import Submission, take
from ledger import events as e
from ledger.codec import instant
from ledger.terms import LEDGER_STREAM
from ledger.vault import Registration
from tests.adapters.hubspot_hooks import body_of, notice, receiver
from tests.adapters.hubspot_hooks import sent as hubspot_sent
from tests.adapters.senders import test_mailchimp_webhooks as mailchimp
from tests.adapters.senders import test_postmark as postmark
from tests.adapters.senders import test_sendgrid as sendgrid
from tests.adapters.senders.test_ses import COMPLAINT
from tests.adapters.senders.world import ANA, NOW, TOPIC, Sns, World, posted, world
from tests.adapters.test_cli import run
from tests.hostile_times import PLACEHOLDERS, TEXTS, ahead


def _allowed(held: World) -> bool:
    """Somebody in the United Kingdom who said yes on record, twice over; whether the gate lets a mail through."""
    who = Registration(ANA, "t", None)
    given: dict[str, object] = {
        "stream": LEDGER_STREAM,
        "source": "t",
        "by": "data_subject",
        "occurred_from": datetime(2025, 1, 10, 9, tzinfo=UTC),
    }
    yes = e.OptedIn(
        **given,  # type: ignore[arg-type]
        act="unticked_box",
        purposes=("marketing.*",),
        channels=("email",),
        to=("own",),
        informed=True,
        specific=True,
        proof="individual",
        address_verified=True,
    )
    country = e.CountryEvidenced(**given, hints=(e.CountryHint("GB", "declared"),))  # type: ignore[arg-type]
    record_all(held.house.ledger, [Saying(who, country, "country"), Saying(who, yes, "yes")])
    return _open(held)


def _open(held: World) -> bool:
    contact, address = held.house.find(ANA)
    now = datetime.now(UTC)
    return any(
        held.house.gate.ask(contact, "marketing.similar", "email", address, now + timedelta(days=days)).allowed
        for days in (0, 1, 400, 40_000)
    )


class Claim(NamedTuple):
    """What the source says: a moment where its format has one, and the text of a cell."""

    moment: datetime | None
    text: str


CLAIMS = {
    **{name: Claim(PLACEHOLDERS.get(name), text) for name, text in TEXTS.items()},
    **{name: Claim(moment, f"{moment:%Y-%m-%d %H:%M:%S}") for name, moment in ahead(datetime.now(UTC)).items()},
    "none": Claim(None, ""),
}


def _files(held: World, folder: Path, **stops: bool) -> None:
    listed = sorted(folder.glob("list-of-objections*")) if stops else []
    inputs = sort_inputs([] if stops else [folder], stops=listed)
    assert inputs.evidence
    take_in(held.house, inputs.evidence, Wanted())


def objections(held: World, folder: Path, claim: Claim) -> None:
    (folder / "list-of-objections.csv").write_text(f"email,date\n{ANA},{claim.text}\n", encoding="utf-8")
    _files(held, folder, stops=True)


def unsubscribes(held: World, folder: Path, claim: Claim) -> None:
    row = f"{ANA},{claim.text},unsubscribed\n"
    (folder / "unsubscribes.csv").write_text(f"Email,Unsubscribe date,Reason\n{row}", encoding="utf-8")
    _files(held, folder)


def mapped(held: World, folder: Path, claim: Claim) -> None:
    (folder / "shop.csv").write_text(f"E-Mail;Datum\n{ANA};{claim.text}\n", encoding="utf-8")
    (folder / "shop.mapping.toml").write_text('fact = "opt_out"\nemail = "E-Mail"\nat = "Datum"\n', encoding="utf-8")
    _files(held, folder)


def timeline(held: World, folder: Path, claim: Claim) -> None:
    moment = claim.text if claim.moment is None else instant(claim.moment)
    change = {
        "change": "UNSUBSCRIBED",
        "changeType": "PORTAL_STATUS",
        "source": "SOURCE_RECIPIENT",
        "timestamp": moment,
    }
    said = {"timeline": [{"recipient": ANA, "timestamp": moment, "portalId": 1, "changes": [change]}]}
    (folder / "timeline.json").write_text(json.dumps(said), encoding="utf-8")
    _files(held, folder)


def audience(held: World, folder: Path, claim: Claim) -> None:
    header = "Email Address,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,UNSUB_TIME,UNSUB_REASON,UNSUB_REASON_OTHER,LEID"
    with zipfile.ZipFile(folder / "audience.zip", "w") as archive:
        archive.writestr("unsubscribed_email_audience_export_a1.csv", f"{header}\n{ANA},,,,,{claim.text},NORMAL,,1\n")
    _files(held, folder)


def command_line(held: World, folder: Path, claim: Claim) -> None:
    """Where a person types, what is no date or has not come yet is refused, and told; without it, it is recorded."""
    ledger = held.house.directory
    at = claim.text if claim.moment is None else f"{claim.moment:%Y-%m-%dT%H:%M:%S+00:00}".zfill(25)
    is_past = claim.moment is not None and claim.moment < datetime.now(UTC)
    if at and not is_past:
        refused = run("record", "opt-out", ANA, "--ledger", ledger, "--at", at, exit_code=2)
        assert "has not come yet" in refused.output or "is not a date" in refused.output
    run("record", "opt-out", ANA, "--ledger", ledger, *(["--at", at] if is_past else []))


def submitted(held: World, folder: Path, claim: Claim) -> None:
    """As Kafka hands it in: nobody waits for the answer, so it is recorded, whatever time it claims."""
    when = {} if claim.moment is None else {"occurred_from": instant(claim.moment)}
    data = json.dumps({"person": {"email": ANA}} | when).encode()
    (answer,) = take(held.house, [Submission("shop", "1", "contact.opted_out.v1", claim.moment, data)])
    assert answer.status == "recorded"


def posted_fact(held: World, folder: Path, claim: Claim) -> None:
    """Over HTTP, where somebody waits for the answer: refused where it has not come yet, else recorded."""
    when = {} if claim.moment is None else {"occurred_from": instant(claim.moment)}
    data = json.dumps({"person": {"email": ANA}} | when).encode()
    now = datetime.now(UTC)
    (answer,) = take(held.house, [Submission("shop", "1", "contact.opted_out.v1", None, data)], now)
    if claim.moment is not None and claim.moment > now:
        assert [reason.field for reason in answer.reasons] == ["occurred_from"]
        submitted(held, folder, claim)
    else:
        assert answer.status == "recorded"


def by_hubspot(held: World, folder: Path, claim: Claim) -> None:
    """A record known by its id; its numbers may be zero or less."""
    held.house.ledger.register_many([Registration(ANA, "hubspot", "501")])
    moment = claim.moment or datetime(1970, 1, 1, tzinfo=UTC)
    milliseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    held.take(receiver(), hubspot_sent(body_of(notice(501, "true") | {"occurredAt": milliseconds}), NOW))


def pulled_status(held: World, folder: Path, claim: Claim) -> None:
    """What HubSpot's API says of the address: that it left all mail."""
    said = {"status": "UNSUBSCRIBED", "timestamp": claim.text if claim.moment is None else instant(claim.moment)}
    state = address_state(ANA, (), [said])
    told = [Statement(ANA, "501", event, key, None, 0) for event, key in facts_of(state, frozenset(), frozenset())]
    record(held.house, "hubspot", "subscription statuses", told, Taken("", "statuses", ""))


def pulled_history(held: World, folder: Path, claim: Claim) -> None:
    """The history of the property, where it has a time; where it has none, the property itself is the stop."""
    if claim.moment is None:
        return pulled_status(held, folder, claim)
    versions = [{"value": "true", "timestamp": instant(claim.moment), "sourceType": "EMAIL"}]
    contact = contact_of(
        {"id": "501", "properties": {"email": ANA}, "propertiesWithHistory": {"hs_email_optout": versions}}
    )
    told = list(_history(contact, Changes({}, lambda _: False)))
    return record(held.house, "hubspot", "contacts", told, Taken("", "contacts", ""))


def contacts(held: World, folder: Path, claim: Claim) -> None:
    """A row of a contacts export, by the day on which the record was last modified."""
    header = "Record ID,Email,Last Modified Date,Unsubscribed from all email"
    (folder / "contacts.csv").write_text(f"{header}\n501,{ANA},{claim.text},Yes\n", encoding="utf-8")
    run("import", folder / "contacts.csv", "--ledger", held.house.directory)


def by_mailchimp(held: World, folder: Path, claim: Claim) -> None:
    data = {"action": "unsub", "reason": "manual", "email": ANA}
    held.take(mailchimp.RECEIVER, mailchimp.fired("unsubscribe", claim.text, NOW, mailchimp.SECRET, **data))


def by_postmark(held: World, folder: Path, claim: Claim) -> None:
    changed = claim.text if claim.moment is None else instant(claim.moment)
    said = postmark.CHANGED | {"ChangedAt": changed}
    held.take(postmark.RECEIVER, postmark.sent(said))


def by_sendgrid(held: World, folder: Path, claim: Claim) -> None:
    moment = claim.moment or datetime(1970, 1, 1, tzinfo=UTC)
    seconds = int(moment.timestamp())
    held.take(sendgrid.RECEIVER, sendgrid.signed(sendgrid.event("unsubscribe", timestamp=seconds)))


def by_ses(held: World, folder: Path, claim: Claim) -> None:
    sns = Sns()
    sender = SesReceiver([TOPIC], sns.fetch, lambda: NOW)
    complaint = json.loads(json.dumps(COMPLAINT))
    complaint["complaint"]["timestamp"] = claim.text if claim.moment is None else instant(claim.moment)
    held.take(sender, posted(sns.notification(complaint)))


DOORS: tuple[Callable[[World, Path, Claim], None], ...] = (
    objections,
    unsubscribes,
    mapped,
    timeline,
    audience,
    command_line,
    submitted,
    posted_fact,
    contacts,
    pulled_status,
    pulled_history,
    by_hubspot,
    by_mailchimp,
    by_postmark,
    by_sendgrid,
    by_ses,
)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_a_stop_of_any_time_ends_an_older_yes(door: Callable[[World, Path, Claim], None], tmp_path: Path) -> None:
    """The whole table at one door, each claim on a ledger of its own."""
    still_open = []
    for number, (name, claim) in enumerate(CLAIMS.items()):
        folder = tmp_path / str(number)
        files = folder / "files"
        files.mkdir(parents=True)
        with world(folder) as held:
            assert _allowed(held)
            door(held, files, claim)
            if _open(held):
                still_open.append(name)
    assert still_open == []


@pytest.mark.parametrize("ahead_of_utc", [timedelta(0), timedelta(hours=13)])
def test_a_day_is_today_in_any_zone(tmp_path: Path, ahead_of_utc: timedelta) -> None:
    """Typed in Auckland in the morning, it is the day before in UTC: recorded, and the yes of then is over."""
    with world(tmp_path) as held:
        assert _allowed(held)
        run(
            "record", "opt-out", ANA, "--ledger", held.house.directory, "--at", f"{datetime.now(UTC) + ahead_of_utc:%F}"
        )
        assert not _open(held)
