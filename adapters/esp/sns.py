"""Messages of Amazon SNS over HTTP: whose they are by their signature, and the certificate it is checked with.

The certificate is fetched when a message first names it, before the message is taken: what cannot be known to be
genuine is not stored, else anybody could fill the store. It is asked for once, with little patience, only from SNS
itself and only for a topic that is allowed; after that no message waits for the network. Where it cannot be had,
SNS is told to come again.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import Literal, NamedTuple
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509.oid import NameOID

from adapters.receiving import AwayError

Fetch = Callable[[str], bytes | None]
"""Gets what lies at a URL, within seconds and following no redirection; None for an answer that is none.

Raises AwayError where nobody answers.
"""
Checked = Literal["genuine", "forged", "away"]

MOST_CERTIFICATES = 16
AGAIN = timedelta(seconds=30)
"""After this long a certificate that could not be had is asked for again."""
_host = re.compile(r"sns\.[a-z0-9-]+\.amazonaws\.(com|com\.cn|eu)\Z").match
_topic = re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]{1,40}):[0-9]{12}:[A-Za-z0-9_.-]{1,256}\Z").match
_SUFFIXES = {"cn-": "amazonaws.com.cn", "eusc-": "amazonaws.eu"}
"""Where a region has its hosts, by how its name begins; `amazonaws.com` for the others."""
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]


def signed_text(said: Mapping[str, object]) -> bytes | None:
    """What a message's signature is made over: its names and values by name, a line each; None for no message."""
    kind = said.get("Type")
    names = _SIGNED.get(kind) if isinstance(kind, str) else None
    if names is None:
        return None
    lines: list[str] = []
    for name in names:
        value = said.get(name)
        if isinstance(value, str):
            lines += (name, value)
        elif name != "Subject":  # the one that may be left out
            return None
    return ("\n".join(lines) + "\n").encode()


def at_sns(url: object) -> str | None:
    """A URL that leads to SNS and nowhere else, over TLS; None for any other."""
    if not isinstance(url, str) or len(url) > 2_000 or not url.isascii() or not url.isprintable():
        return None
    try:
        place = urlsplit(url)
        # the host and nothing beside it: no user, no other port
        return url if place.scheme == "https" and _host(place.netloc) and "\\" not in url else None
    except ValueError:
        return None


def is_of_region(url: str, topic: object) -> bool:
    """Whether a URL leads to SNS in the region of a topic: who holds a topic elsewhere says nothing about this one."""
    found = _topic(topic) if isinstance(topic, str) else None
    return found is not None and urlsplit(url).netloc == f"sns.{found[1]}.{_suffix_of(found[1])}"


def _suffix_of(region: str) -> str:
    return next((suffix for begins, suffix in _SUFFIXES.items() if region.startswith(begins)), "amazonaws.com")


def _subjects_of(host: str) -> frozenset[str]:
    """The names to one of which a certificate of this host is made out.

    Source: what Amazon's own validator for Java expects of each region; a region that is opted into, or stands apart,
    has a name of its own.
    """
    region = host.split(".")[1]
    suffix = _suffix_of(region)
    names = {f"sns.{suffix}", f"sns-signing.{region}.{suffix}"}
    if region.startswith("cn-"):
        names.add(f"sns-{region}.{suffix}")
    if region.startswith("us-gov-"):
        names.add(f"sns-us-gov-west-1.{suffix}")
    return frozenset(names)


def _of_certificate(url: str) -> bool:
    """Whether a URL names a file of a certificate, rather than asking SNS to answer something."""
    return url.endswith(".pem") and not {"?", "#", ";"} & set(url)


def confirmation(said: Mapping[str, object]) -> str | None:
    """The URL by which a subscription is confirmed: of SNS, for confirming, and of the topic that is meant."""
    url = at_sns(said.get("SubscribeURL"))
    asked = parse_qs(urlsplit(url).query) if url else {}
    if url is None or not is_of_region(url, said.get("TopicArn")):
        return None
    meant = asked.get("Action") == ["ConfirmSubscription"] and asked.get("TopicArn") == [said.get("TopicArn")]
    return url if meant else None


class _Certificate(NamedTuple):
    key: RSAPublicKey
    begins: datetime
    ends: datetime


class Certificates:
    """Says whether a message is SNS's own. Thread-safe; each certificate is fetched once and kept."""

    def __init__(self, fetch: Fetch, clock: Callable[[], datetime]) -> None:
        self._fetch, self._clock = fetch, clock
        self._kept: dict[str, _Certificate] = {}
        self._failed: dict[str, datetime] = {}
        self._lock = Lock()

    def check(self, said: Mapping[str, object]) -> Checked:
        """Whether a message is genuine; `away`: it cannot be told now."""
        text, url = signed_text(said), at_sns(said.get("SigningCertURL"))
        version, signature = said.get("SignatureVersion"), said.get("Signature")
        if text is None or url is None or not _of_certificate(url) or not is_of_region(url, said.get("TopicArn")):
            return "forged"
        if version not in ("1", "2") or not isinstance(signature, str):
            return "forged"
        certificate = self._certificate(url)
        if certificate is None:
            return "away"
        if not certificate.begins <= self._clock() <= certificate.ends:
            return "forged"
        try:
            # version 1 is SHA-1 by SNS's own definition
            algorithm = SHA256() if version == "2" else SHA1()  # noqa: S303
            certificate.key.verify(base64.b64decode(signature, validate=True), text, PKCS1v15(), algorithm)
        except (InvalidSignature, ValueError):
            return "forged"
        return "genuine"

    def _certificate(self, url: str) -> _Certificate | None:
        """The certificate at a URL; None where it cannot be had now. One that failed is left alone for a while."""
        kept = self._kept.get(url)
        if kept is not None and self._clock() <= kept.ends:
            return kept
        with self._lock:
            kept = self._kept.get(url)
            if kept is not None and self._clock() <= kept.ends:
                return kept
            failed = self._failed.get(url)
            if failed is not None and self._clock() - failed < AGAIN:
                return None
            if len(self._failed) >= MOST_CERTIFICATES and min(self._failed.values()) > self._clock() - AGAIN:
                return None  # somebody makes URLs up
            got = self._fetched(url)
            if got is None:
                _make_room(self._failed)
                self._failed[url] = self._clock()
                return None
            self._failed.pop(url, None)
            _make_room(self._kept)
            self._kept[url] = got
            return got

    def _fetched(self, url: str) -> _Certificate | None:
        try:
            got = self._fetch(url) or b""
            if not got.startswith(b"-----BEGIN CERTIFICATE-----"):
                return None  # nor one that stands somewhere in a page
            found = x509.load_pem_x509_certificate(got)
            key = found.public_key()
            if not isinstance(key, RSAPublicKey):
                return None
            if not _is_made_out_to(found, _subjects_of(urlsplit(url).netloc)):
                return None
            return _Certificate(key, found.not_valid_before_utc, found.not_valid_after_utc)
        except (AwayError, ValueError, UnsupportedAlgorithm):
            return None


def _is_made_out_to(certificate: x509.Certificate, subjects: frozenset[str]) -> bool:
    """Whether a certificate was made out to one of these names."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        if not subjects.isdisjoint(names.get_values_for_type(x509.DNSName)):
            return True
    except x509.ExtensionNotFound:
        pass
    named = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return len(named) == 1 and named[0].value in subjects


def _make_room(kept: dict[str, _Certificate] | dict[str, datetime]) -> None:
    """The oldest goes where there are too many."""
    if len(kept) >= MOST_CERTIFICATES:
        del kept[next(iter(kept))]
