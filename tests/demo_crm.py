"""`make demo-crm`: PostgreSQL, Kafka, ledger, publisher, the worker `crm` and a HubSpot of our own, kept in step.

The fake HubSpot (`tests.hubspot`) runs in this process, over real HTTP; everything else is a process of its own. The
exit code is 1 when an opt-out took more than two seconds, or anything of the story did not hold; 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from urllib.parse import quote

import httpx

from adapters.kafka.topics import STATUS
from adapters.report.masking import mask_email
from adapters.report.screen import Screen
from adapters.wiring import now
from tests.crm_story import PURPOSE, Calls, Here, Story, measured, newest, ours
from tests.demonstrating import Stopwatch, awaited, command, ended, key, program, servers, shown
from tests.hubspot.service import Fake, fake
from tests.hubspot.state import OTHER_APP, PRODUCT_NEWS, State
from tests.services.postgres import free_port
from tests.services.program import Program
from tests.services.reading import Found
from tests.waiting import BUDGET, until

WITHIN = 2.0
"""Seconds, from the moment an opt-out is told until HubSpot shows it, and the other way until the gate says no."""
CONTACTS = 5_000
PUBLIC = "https://consent.example.org"
MAILCHIMP = "a-secret-of-this-demonstration"


def main(arguments: list[str] | None = None) -> int:
    """Run it; the exit code."""
    asks = argparse.ArgumentParser(prog="python -m tests.demo_crm", description="HubSpot, kept in step")
    asks.add_argument("--contacts", type=int, default=CONTACTS, help="how many contacts the portal has")
    asks.add_argument("--within", type=float, default=WITHIN, help="the seconds that an opt-out may take")
    asked = asks.parse_args(arguments)
    return shown(partial(_shown, asked.contacts, asked.within))


def _shown(contacts: int, within: float, stack: ExitStack, screen: Screen) -> int:
    here = _bring_up(stack, screen, contacts)
    story = here.story
    _pull(here)
    _audit(here)
    _apply(here, _dry_run(here))
    worker = _follow(here)
    people = here.people()
    if len(people) < 2:
        story.hold(False, "There are two people who may be written to.")
        return 1
    took = [_opt_out_elsewhere(here, people[0]), _opt_out_in_hubspot(here, people[1])]
    story.hold(max(took) <= within, f"The slower took {max(took):.3f} s; {within:.0f} s are allowed.")
    _flip(here, people[0])
    _drift(here, worker, people[1])
    _account(here)
    return 1 if story.failed else 0


# --- up -------------------------------------------------------------------------------------------


def _bring_up(stack: ExitStack, screen: Screen, contacts: int) -> Here:
    env = servers(stack, screen)
    screen.line("  it takes some minutes: HubSpot is asked no faster than it allows")
    portal = Path(env["CONSENT_LEDGER_DIR"]).parent / "portal"
    command(env, "generate", "portal", "--contacts", str(contacts), "--seed", "7", "--out", str(portal))
    hubspot = _hubspot(stack, screen, portal)
    env |= {
        "CONSENT_LEDGER_PUBLIC_URL": PUBLIC,
        "CONSENT_LEDGER_HUBSPOT_URL": hubspot.url,
        "CONSENT_LEDGER_HUBSPOT_TOKEN": hubspot.token,
        "CONSENT_LEDGER_HUBSPOT_SECRET": hubspot.secret,
        "CONSENT_LEDGER_HUBSPOT_APP": str(hubspot.app_id),
        "CONSENT_LEDGER_CRM_UPDATE_DAY": "1",
        "CONSENT_LEDGER_MAILCHIMP_SECRET": MAILCHIMP,
    }
    command(env, "streams", "setup")
    command(env, "init")
    reader = key(env, "mailer", "reader")
    ledger = program(stack, screen, env, "ledger", "serve", "--port", "0")
    measures = str(free_port())
    publisher = program(
        stack, screen, env | {"CONSENT_LEDGER_METRICS_PORT": measures}, "publisher", "streams", "publish"
    )
    awaited(ledger, ledger.ready)
    awaited(publisher, lambda: "is the active one" in publisher.said())
    base = f"http://127.0.0.1:{ledger.port}"
    stack.enter_context(hubspot.webhooks(f"{base}/webhooks/hubspot", public_url=f"{PUBLIC}/webhooks/hubspot"))
    outside, mailer = (
        stack.enter_context(httpx.Client(base_url=base, headers=headers, timeout=BUDGET)) for headers in ({}, reader)
    )
    told = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{measures}", timeout=BUDGET))
    return Here(Story(screen, env), stack, env, portal, hubspot, (ledger, publisher), told, outside, mailer)


def _hubspot(stack: ExitStack, screen: Screen, portal: Path) -> Fake:
    """A portal with what is in a folder, answering."""
    state = State.from_portal(portal)
    ended(stack, screen, "the fake HubSpot", lambda: None, lambda: None)
    hubspot = stack.enter_context(fake(state))
    screen.line(f"  {'a fake HubSpot':<20} {hubspot.url}, {len(state.contacts.by_id):,} made-up contacts")
    return hubspot


# --- in -------------------------------------------------------------------------------------------


def _pull(here: Here) -> None:
    story, calls = here.story, Calls(here.hubspot)
    story.heading("PULL")
    said = story.typed("hubspot", "pull", "--map", str(here.portal / "audit.toml"))
    story.printed(said.partition("\n\n")[0].splitlines())
    pulled = int(_number(r"^contacts +[\d,]+ +([\d,]+)", said))
    story.hold(
        pulled == len(here.hubspot.state.contacts.by_id),
        f"{pulled:,} contacts with everything HubSpot holds of them, in {calls.all:,} calls and {calls.seconds:.0f} s. "
        "The company's evidence map says what its forms, sales and lists were.",
    )


def _audit(here: Here) -> None:
    story = here.story
    story.heading("AUDIT")
    said = story.typed("audit", "sends")
    story.printed(said.partition("\n\nAs known")[0].splitlines()[2:])
    after = int(_number(r"after the person opted out +([\d,]+)", said))
    on_record = int(_number(r"on record here by then +([\d,]+)", said))
    without = int(_number(r"without a basis +([\d,]+)", said))
    story.say(
        f"{without:,} e-mails had no basis. {after:,} went out after the person had opted out, {on_record:,} of them "
        "with the opt-out on record here by then."
    )
    found = story.typed("doctor", "hubspot").splitlines()
    first = next(place for place, line in enumerate(found) if line.endswith("findings"))
    story.printed([*found[1 : first - 1], *found[first : first + 4]])


# --- out ------------------------------------------------------------------------------------------


def _dry_run(here: Here) -> int:
    """Look; how many raises wait for approval."""
    story, calls = here.story, Calls(here.hubspot)
    story.heading("DRY RUN")
    said = story.typed("hubspot", "sync", "--show", "3")
    story.printed(said.splitlines())
    story.hold(not calls.changes(), "In HubSpot nothing has changed.")
    return int(_number(r"wait for approval +([\d,]+)", said))


def _apply(here: Here, waiting: int) -> None:
    story = here.story
    story.heading("APPLY")
    if waiting:
        signed = ("--by", "Dana Weiss", "--role", "DPO", "--reason", "they signed up")
        story.printed(story.typed("hubspot", "approve", str(waiting), *signed).splitlines())
    calls = Calls(here.hubspot)
    story.printed(story.typed("hubspot", "sync", "--apply").splitlines())
    contacts = max(1, calls.contacts())
    story.say(
        f"{contacts:,} contacts were changed in {calls.seconds:.0f} s by {calls.writes:,} calls, "
        f"{calls.writes / contacts:.2f} a contact; with those that look first, {calls.all:,}."
    )
    again = story.typed("hubspot", "sync", "--full")
    story.printed(again.splitlines())
    story.hold("Nothing would be written." in again, "Looked at again, there is nothing to do.")


def _follow(here: Here) -> Program:
    """The worker joins; everything that is on the topic by then is done."""
    story, calls = here.story, Calls(here.hubspot)
    story.heading("THE WORKER")
    worker = program(here.stack, story.screen, here.env, "worker", "streams", "worker", "crm", "--apply")
    awaited(worker, worker.ready)
    until(lambda: measured(here.publishing.get("/metrics").text, "consent_ledger_publisher_lag_entries") == 0)
    until(lambda: measured(worker.get("/metrics")[1], "consent_ledger_worker_lag") == 0, worker.said)
    done = measured(worker.get("/metrics")[1], "consent_ledger_worker_records_total")
    story.hold(
        not calls.changes(),
        f"It follows the answers from now on. In {calls.seconds:.0f} s it has gone through {done:,.0f} that were "
        "there, and found nothing to write.",
    )
    return worker


# --- people say no --------------------------------------------------------------------------------


def _opt_out_elsewhere(here: Here, email: str) -> float:
    """By Mailchimp's webhook; the seconds until HubSpot shows it."""
    story, state = here.story, here.hubspot.state
    story.heading("AN OPT-OUT ELSEWHERE")
    contact, allowed, reason = here.gate(email)
    story.hold(allowed, f"{mask_email(email)} may be written to ({reason}), and leaves a newsletter of Mailchimp.")
    with closing(newest(here.env["CONSENT_LEDGER_KAFKA"], STATUS)) as topic:
        watch = Stopwatch(story.screen)
        posted = here.outside.post(f"/webhooks/mailchimp/{MAILCHIMP}", data=_left(email))
        watch.tell(f"POST /webhooks/mailchimp/...: {posted.status_code}, kept on disk")
        found = topic.find(STATUS, lambda one: one.key == contact and not _allowed(one))
        until(lambda: state.address(email).all_out, pause=0.01)
    change = next(one for one in reversed(state.changes()) if one.what == "all" and one.email == email)
    watch.tell(f"{STATUS}: not allowed", _monotonic(found.written))
    took = watch.tell("HubSpot: unsubscribed from all e-mail, by the worker", _monotonic(change.at))
    story.hold(not here.gate(email)[1], f"The gate says no ({here.gate(email)[2]}).")
    story.say(f"On the record there: {_shown_on(here, email)}")
    return took


def _opt_out_in_hubspot(here: Here, email: str) -> float:
    """By a link in HubSpot's own mail; the seconds until the gate says no."""
    story = here.story
    story.heading("AN OPT-OUT IN HUBSPOT")
    _, allowed, reason = here.gate(email)
    story.hold(allowed, f"{mask_email(email)} may be written to ({reason}), and opts out by a link of HubSpot's.")
    watch = Stopwatch(story.screen)
    here.hubspot.state.person_opts_out(email)
    watch.tell("HubSpot: unsubscribed from all e-mail; its webhooks go out, signed, some of them twice")
    reason = here.closed(email)
    return watch.tell(f"the gate: not allowed ({reason})")


def _flip(here: Here, email: str) -> None:
    """Another app turns on whoever opted out: the worker sees to it."""
    story, state = here.story, here.hubspot.state
    story.heading("BEHIND OUR BACK")
    story.say(f"Another app of the portal, the Shop connector, turns {mask_email(email)} on again.")
    watch = Stopwatch(story.screen)
    _other_app(here.hubspot, email)
    story.hold(len(state.turned_on()) == 1, "HubSpot lets it, and would write to them.")
    alarm = _alarm(here, 1)
    watch.tell(f"the alarm, in the log of the ledger: {alarm}")
    until(lambda: state.address(email).all_out, pause=0.01)
    change = next(one for one in reversed(state.changes()) if one.what == "all" and one.email == email)
    watch.tell("HubSpot: unsubscribed from all e-mail again, by the worker", _monotonic(change.at))
    alarms = measured(here.outside.get("/metrics").text, "consent_ledger_crm_flips_total")
    story.hold(alarms == 1, f"The measure of flips is {alarms:.0f}; the gate said no all the time.")


def _drift(here: Here, worker: Program, email: str) -> None:
    """The same without a worker: found by who looks, and mended by hand."""
    story, state = here.story, here.hubspot.state
    story.heading("AND NO WORKER")
    worker.stop()
    story.say(f"The worker is ended. The Shop connector turns {mask_email(email)} on.")
    _other_app(here.hubspot, email)
    _alarm(here, 2)
    said = story.typed("drift", "--show", "1")
    flipped = re.search(r"^(D-\w+) +FLIPPED", said, re.MULTILINE)
    story.printed(_first_part(said))
    story.hold(flipped is not None and str(OTHER_APP) in said, "It says who, since when, and what can be done.")
    if flipped is not None:
        story.typed("drift", "push", flipped[1])
        story.hold(state.address(email).all_out, "HubSpot shows them unsubscribed again.")
    again = story.typed("drift", "--show", "1")
    story.printed(again.partition("\n\n")[0].splitlines())
    story.hold("FLIPPED" not in again, "Nobody is turned on over a stop any more.")


def _account(here: Here) -> None:
    story, flips = here.story, here.hubspot.state.turned_on()
    story.heading("THE ACCOUNT")
    story.hold(all(one.runs for one in here.running), "What was started still runs.")
    left = story.typed("hubspot", "sync", "--full")
    story.hold("Nothing would be written." in left, "HubSpot shows what the ledger answers, of everybody.")
    others = len(flips) - len(ours(flips))
    story.hold(
        not ours(flips),
        f"By HubSpot's own history, somebody who was off was turned on {len(ours(flips))} times by our app, "
        f"and {others} times by others.",
    )


def _alarm(here: Here, number: int) -> str:
    """The newest line of the alarm, once there are so many."""
    log = here.running[0]
    until(lambda: log.said().count('"crm.flip"') >= number, log.said, pause=0.01)
    line = json.loads([line for line in log.said().splitlines() if '"crm.flip"' in line][-1])
    return ", ".join(f"{name} {line[name]}" for name in line if name != "time")


# --- small things ---------------------------------------------------------------------------------


def _number(pattern: str, text: str) -> str:
    """A number that a command printed; 0 where it is not there."""
    found = re.search(pattern, text, re.MULTILINE)
    return found[1].replace(",", "") if found else "0"


def _allowed(found: Found) -> bool:
    cells = (found.json() or {}).get("cells", ())
    return any(one["allowed"] for one in cells if one["purpose"] == PURPOSE and one["channel"] == "email")


def _left(email: str) -> dict[str, str]:
    """What Mailchimp posts when somebody leaves an audience."""
    told = {"action": "unsub", "reason": "manual", "email": email, "list_id": "a6b5da1054"}
    fired = f"{now():%Y-%m-%d %H:%M:%S}"
    return {"type": "unsubscribe", "fired_at": fired} | {f"data[{name}]": value for name, value in told.items()}


def _monotonic(at: int) -> float:
    """A moment, in milliseconds since 1970, on the clock of the stopwatch."""
    return time.monotonic() - (time.time() - at / 1_000)


def _shown_on(here: Here, email: str) -> str:
    """Our properties of a record, once the worker has written them."""
    state = here.hubspot.state
    contact = state.contact(email)
    until(lambda: contact.properties.get("consent_ledger_verdict") == "non_marketing")
    names = ("verdict", "reason", "reference")
    return ", ".join(f"{name} {contact.properties.get(f'consent_ledger_{name}')}" for name in names)


def _other_app(hubspot: Fake, email: str) -> None:
    """Turn an address on, as v4 lets anybody do who has a token."""
    path = f"{hubspot.url}/communication-preferences/v4/statuses/{quote(email)}"
    wanted = {"subscriptionId": PRODUCT_NEWS, "statusState": "SUBSCRIBED", "channel": "EMAIL"}
    token = {"authorization": f"Bearer {hubspot.other_token}"}
    httpx.post(path, json=wanted, headers=token, timeout=BUDGET).raise_for_status()


def _first_part(said: str) -> list[str]:
    """Of what drift printed: how many differences, and the gravest kind."""
    return "\n\n".join(said.split("\n\n")[:2]).splitlines()


if __name__ == "__main__":
    sys.exit(main())
