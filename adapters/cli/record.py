"""`consent-ledger record ...`: one fact about one address, by hand.

A fact is taken whatever it is worth; what it is worth, the rules decide when a question is asked.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.cli.completion import acts, channels, contract_kinds, doors, parties, purposes
from adapters.cli.options import EXIT, JsonOut, LedgerDir, open_house, out, show

if TYPE_CHECKING:
    from adapters.cli.facts import Told

app = typer.Typer(help="Record one fact about one address.", no_args_is_help=True)

At = Annotated[str | None, typer.Option(metavar="DATE", help="when it happened; otherwise now")]
By = Annotated[
    str,
    typer.Option("--actor", help="who acted: data_subject, agent, third_party, unknown ...", autocompletion=parties),
]
Via = Annotated[
    str | None,
    typer.Option(help="by which door it came: reply, phone, letter, dpo_email ...", autocompletion=doors),
]
Whom = Annotated[str, typer.Argument(help="an address, a reference (CL-...) or a record id; of a stop also @domain")]
Note = Annotated[str | None, typer.Option(help="words to keep, encrypted")]
Evidence = Annotated[list[Path] | None, typer.Option(help="file that shows it; kept beside the log")]
SourceId = Annotated[str | None, typer.Option(help="its id where it comes from: the same id is taken once")]
Purposes = Annotated[
    list[str] | None, typer.Option("--purpose", help="purpose; may stand several times", autocompletion=purposes)
]
Channels = Annotated[
    list[str] | None, typer.Option("--channel", help="channel; may stand several times", autocompletion=channels)
]
Offered = Annotated[
    bool | None,
    typer.Option(
        "--refusal-offered/--no-refusal-offered", help="whether refusing was offered when the address was collected"
    ),
]
Refused = Annotated[bool | None, typer.Option("--refused/--not-refused", help="the person's answer to it")]
Direct = Annotated[
    bool | None, typer.Option("--collected-from-person/--collected-elsewhere", help="where the address came from")
]


def _record(told: Told, ledger: Path | None, json: bool, what: str, **fields: Any) -> None:
    from adapters.cli.facts import fact_of, mailable, record_fact
    from adapters.identification import names_known

    known = names_known(told.email)
    told = told if known else dataclasses.replace(told, email=mailable(told.email))
    fact_of(what, told, fields)  # first: what is refused leaves no new ledger behind
    for path in (*(told.evidence or ()), *filter(None, [fields.get("wording")])):
        path.open("rb").close()  # and neither does a file that cannot be read
    with open_house(ledger, make=not known) as house:
        receipt = record_fact(house, what, told, fields)
    if json:
        out(receipt.as_json())
    else:
        show(receipt.as_text())
    raise typer.Exit(EXIT.ERROR if receipt.status == "conflict" else EXIT.OK)


def _told(*values: Any) -> Told:
    from adapters.cli.facts import Told

    return Told(*values)


@app.command("opt-in")
def opt_in(
    email: Whom,
    act: Annotated[
        str, typer.Option(help="unticked_box, signup, reply, written, oral_recorded ...", autocompletion=acts)
    ] = "unknown",
    purpose: Purposes = None,
    channel: Channels = None,
    sender: Annotated[
        list[str] | None, typer.Option(help="who may send; `own`: this controller; may stand several times")
    ] = None,
    wording: Annotated[Path | None, typer.Option(help="file with the exact words shown")] = None,
    informed: Annotated[
        bool | None, typer.Option("--informed/--not-informed", help="whether the person was told what for, and by whom")
    ] = None,
    specific: Annotated[
        bool | None, typer.Option("--specific/--not-specific", help="whether it names what is sent and who sends it")
    ] = None,
    at: At = None,
    by: By = "data_subject",
    via: Via = None,
    note: Note = None,
    evidence: Evidence = None,
    source_id: SourceId = None,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Record an opt-in. With --evidence it is proved for this person; with --wording, informed and specific."""
    _record(
        _told(email, at, by, via, note, evidence, source_id),
        ledger,
        json,
        "opt-in",
        act=act,
        purposes=tuple(purpose or ()),
        channels=tuple(channel or ("email",)),
        to=tuple(sender or ("own",)),
        wording=wording,
        informed=informed if informed is not None or wording is None else True,
        specific=specific if specific is not None or wording is None else True,
        proof="individual" if evidence else "declared",
    )


@app.command("confirmation")
def confirmation(
    email: Whom,
    at: At = None,
    by: By = "data_subject",
    via: Via = None,
    note: Note = None,
    evidence: Evidence = None,
    source_id: SourceId = None,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Record that the person followed the link of a double opt-in mail."""
    told = _told(email, at, by, via, note, evidence, source_id)
    _record(told, ledger, json, "confirmation", verifies_channel="email")


def _stop(kind: str, text: str) -> None:
    @app.command(kind, help=text)
    def command(
        email: Whom,
        purpose: Purposes = None,
        channel: Channels = None,
        except_purpose: Annotated[
            list[str] | None,
            typer.Option(help="purpose the person keeps; may stand several times", autocompletion=purposes),
        ] = None,
        at: At = None,
        by: By = "data_subject",
        via: Via = None,
        note: Note = None,
        evidence: Evidence = None,
        source_id: SourceId = None,
        json: JsonOut = False,
        ledger: LedgerDir = None,
    ) -> None:
        scope: dict[str, Any] = {"except_purposes": tuple(except_purpose or ())}
        scope |= {"purposes": tuple(purpose)} if purpose else {}
        scope |= {"channels": tuple(channel)} if channel else {}
        _record(_told(email, at, by, via, note, evidence, source_id), ledger, json, kind, **scope)


_stop(
    "opt-out",
    "Record that the person unsubscribed. Without a purpose or channel it stops all marketing by every channel.",
)
_stop("objection", "Record that the person objected to direct marketing, in any words and in any way.")
_stop(
    "obstructed-opt-out",
    "Record that the person tried to opt out and did not get through. It stops as an opt-out does.",
)
_stop("complaint", "Record that the person reported a message as spam.")


@app.command("erasure-request")
def erasure_request(
    email: Whom,
    at: At = None,
    via: Via = None,
    note: Note = None,
    source_id: SourceId = None,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Record that the person asked to be erased: it stops at once, and outlives a re-import of the address."""
    _record(_told(email, at, "data_subject", via, note, None, source_id), ledger, json, "erasure-request")


@app.command("contract")
def contract(
    email: Whom,
    kind: Annotated[
        str, typer.Option(help="purchase, subscription, free_account_service ...", autocompletion=contract_kinds)
    ],
    seller: Annotated[str, typer.Option(help="`own`: this controller; else another legal entity")] = "own",
    category: Annotated[str | None, typer.Option(help="what was sold")] = None,
    refusal_offered: Offered = None,
    refused: Refused = None,
    collected_from_person: Direct = None,
    at: At = None,
    by: By = "data_subject",
    via: Via = None,
    note: Note = None,
    evidence: Evidence = None,
    source_id: SourceId = None,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Record that a sale, a subscription or an account began."""
    _record(
        _told(email, at, by, via, note, evidence, source_id),
        ledger,
        json,
        "contract",
        kind=kind,
        seller=seller,
        category=category,
        refusal_offered=refusal_offered,
        refused=refused,
        collected_from_person=collected_from_person,
    )


@app.command("contract-ended")
def contract_ended(
    email: Whom,
    kind: Annotated[
        str, typer.Option(help="the kind that ended; unknown: all", autocompletion=contract_kinds)
    ] = "unknown",
    at: At = None,
    note: Note = None,
    evidence: Evidence = None,
    source_id: SourceId = None,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Record that a contract ended."""
    told = _told(email, at, "unknown", None, note, evidence, source_id)
    _record(told, ledger, json, "contract-ended", kind=kind)


@app.command("enquiry")
def enquiry(
    email: Whom,
    category: Annotated[str | None, typer.Option(help="what was asked about")] = None,
    seller: Annotated[str, typer.Option(help="`own`: this controller was asked")] = "own",
    refusal_offered: Offered = None,
    refused: Refused = None,
    collected_from_person: Direct = None,
    at: At = None,
    note: Note = None,
    evidence: Evidence = None,
    source_id: SourceId = None,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Record that the person asked about goods or services."""
    _record(
        _told(email, at, "data_subject", None, note, evidence, source_id),
        ledger,
        json,
        "enquiry",
        category=category,
        seller=seller,
        refusal_offered=refusal_offered,
        refused=refused,
        collected_from_person=collected_from_person,
    )


@app.command("country")
def country(
    email: Whom,
    code: Annotated[str, typer.Argument(help="two letters: DE, GB, US ...")],
    at: At = None,
    note: Note = None,
    evidence: Evidence = None,
    source_id: SourceId = None,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Record that the person said which country they are in."""
    told = _told(email, at, "data_subject", None, note, evidence, source_id)
    _record(told, ledger, json, "country", code=code)


@app.command("recipient")
def recipient(
    email: Whom,
    minor: Annotated[bool | None, typer.Option("--minor/--adult", help="below or above the age of consent")] = None,
    age: Annotated[int | None, typer.Option(help="in years, at that time")] = None,
    professional: Annotated[
        bool | None, typer.Option("--business/--consumer", help="in which role the person reads it")
    ] = None,
    role_address: Annotated[
        bool | None,
        typer.Option("--role-address/--personal-address", help="of a role, such as info@, or of one person"),
    ] = None,
    at: At = None,
    note: Note = None,
    evidence: Evidence = None,
    source_id: SourceId = None,
    json: JsonOut = False,
    ledger: LedgerDir = None,
) -> None:
    """Record what is known of who reads the address: a minor, a business, a role's address."""
    _record(
        _told(email, at, "unknown", None, note, evidence, source_id),
        ledger,
        json,
        "recipient",
        minor=minor,
        age=age,
        professional=professional,
        role_address=role_address,
    )


def _access(kind: str, by: str, text: str) -> None:
    @app.command(kind, help=text)
    def command(
        email: Whom,
        at: At = None,
        via: Via = None,
        note: Note = None,
        evidence: Evidence = None,
        source_id: SourceId = None,
        json: JsonOut = False,
        ledger: LedgerDir = None,
    ) -> None:
        _record(_told(email, at, by, via, note, evidence, source_id), ledger, json, kind)


_access(
    "access-request",
    "data_subject",
    "Record that the person asked what is held about them (GDPR Art 15): the answer is due within a month.",
)
_access("access-answered", "officer", "Record that the person was told what is held about them.")
