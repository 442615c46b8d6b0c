"""A ledger in which whoever is known may be written to, until a sender's webhook says otherwise."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from adapters.receiving import Accepted, Delivery, Heard, Receiver, Refused, Sent
from adapters.recording import Saying, record_all
from adapters.wiring import House
from ledger import codec
from ledger import events as e
from ledger.application import Fact
from ledger.terms import LEDGER_STREAM
from ledger.vault import Registration
from tests.ledgers import open_house

ANA, BEN = "ana.marker@example.org", "ben.marker@example.org"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)


class World:
    """A house, and what an inbox does with what comes in: each delivery once, then heard, then recorded."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.seen: set[str] = set()
        house.ledger.record(Fact(e.ControllerDescribed(stream=LEDGER_STREAM, source="t", country="US")))

    def known(self, email: str) -> str:
        """Somebody in the United States, where silence is enough; the contact."""
        who = Registration(email, "t", None)
        event = e.CountryEvidenced(
            stream=LEDGER_STREAM, source="t", by="data_subject", hints=(e.CountryHint("US", "declared"),)
        )
        return record_all(self.house.ledger, [Saying(who, event, None)])[0].contact

    def may(self, email: str) -> tuple[bool, str]:
        """Whether advertising may be sent to an address, and why."""
        contact, address = self.house.find(email)
        decision = self.house.gate.ask(contact, "marketing.similar", "email", address, LATER).decision
        return (decision.allowed, decision.reason) if decision else (False, "unknown")

    def take(self, receiver: Receiver, *requests: Sent) -> list[Heard]:
        """Requests as the service takes them."""
        heard: list[Heard] = []
        for sent in requests:
            answer = receiver.accept(sent)
            assert isinstance(answer, Accepted), answer
            heard += self.hear(receiver, self.new(answer.deliveries))
        return heard

    def new(self, deliveries: Iterable[Delivery]) -> list[Delivery]:
        """Those that did not come before."""
        fresh = [one for one in deliveries if one.key not in self.seen]
        self.seen |= {one.key for one in fresh}
        return fresh

    def hear(self, receiver: Receiver, deliveries: list[Delivery]) -> list[Heard]:
        """What they come to, recorded."""
        heard = list(receiver.hear(self.house, deliveries))
        assert len(heard) == len(deliveries)
        record_all(self.house.ledger, [saying for one in heard for saying in one.sayings])
        return heard

    def events(self, email: str) -> list[e.Event]:
        """What the ledger holds of an address, without what it says itself."""
        contact, address = self.house.find(email)
        held = [entry.event for entry in self.house.entries(contact)]
        return [event for event in held if event.address == address and event.source not in ("t", "ledger")]

    def count(self) -> int:
        """How many entries there are."""
        return self.house.ledger.log.last_position()


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A new one, in files."""
    with open_house(folder / "ledger", {}) as house:
        yield World(house)


def refused(answer: Accepted | Refused) -> int:
    """The status of a refusal, which says nothing of whom it was about."""
    assert isinstance(answer, Refused), answer
    assert "@" not in answer.reason
    return answer.status


def only(heard: list[Heard]) -> list[e.Event]:
    """The facts of the one delivery there was."""
    (one,) = heard
    assert one.problem is None
    for saying in one.sayings:
        codec.check(saying.event)
    return [saying.event for saying in one.sayings]


# --- Amazon SNS ----------------------------------------------------------------------------------

TOPIC = "arn:aws:sns:eu-central-1:123456789012:mail-events"
HOST = "https://sns.eu-central-1.amazonaws.com"
PEM = f"{HOST}/SimpleNotificationService-0123456789abcdef.pem"


class Sns:
    """SNS with a key and a certificate of its own, and the network between it and us."""

    def __init__(self, begins: datetime = NOW - timedelta(days=30), ends: datetime = NOW + timedelta(days=30)) -> None:
        self.key = rsa.generate_private_key(65_537, 2_048)
        self.pages: dict[str, bytes | None] = {PEM: certificate(self.key, begins, ends)}
        self.asked: list[str] = []
        self.fetching: Callable[[str], bytes | None] = self.pages.get

    def fetch(self, url: str) -> bytes | None:
        """What the product is given to fetch with."""
        self.asked.append(url)
        return self.fetching(url)

    def sign(self, fields: Mapping[str, Any], version: str = "2") -> dict[str, Any]:
        """A message with its signature, made by the rule as SNS's guide words it."""
        names = ["Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
        plain = "".join(f"{name}\n{fields[name]}\n" for name in names if name in fields)
        made = self.key.sign(plain.encode(), PKCS1v15(), SHA256() if version == "2" else SHA1())  # noqa: S303
        signature = base64.b64encode(made).decode()
        return {**fields, "SignatureVersion": version, "Signature": signature, "SigningCertURL": PEM}

    def notification(self, event: object, number: int = 1, version: str = "2", **fields: str) -> dict[str, Any]:
        """An event of SES in a message."""
        message = event if isinstance(event, str) else json.dumps(event)
        said = {
            "Type": "Notification",
            "MessageId": f"22b80b92-fdea-4c2c-8f9d-{number:012}",
            "TopicArn": TOPIC,
            "Message": message,
            "Timestamp": "2026-03-02T11:59:58.000Z",
        }
        return self.sign(said | fields, version)


def certificate(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    begins: datetime,
    ends: datetime,
    common: str = "sns.amazonaws.com",
    *hosts: str,
) -> bytes:
    """A certificate that says of itself whose it is."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(begins).not_valid_after(ends)
    if hosts:
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def posted(said: object, at: datetime = NOW) -> Sent:
    """A request with JSON in it."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return Sent("POST", "", {"content-type": "text/plain; charset=UTF-8"}, body, at)
