"""Sealing: AES-256-GCM under a contact's key, hiding commitments, keyed hashes.

Every sealed value starts with a byte that names the algorithm, and is bound by its associated data to
what it is (kind), whose it is (contact) and where it stands (id or commitment): moved, it does not open.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
_AES_256_GCM = b"\x01"
_VERSION = b"consent-ledger/vault/v1"


@dataclass(frozen=True, slots=True)
class Erased:
    """There is no key: what was asked for was erased, and nobody can bring it back."""


@dataclass(frozen=True, slots=True)
class Corrupt:
    """There is a key, and what is stored does not fit it: damage or tampering, never erasure."""

    reason: str


def framed(*parts: bytes) -> bytes:
    """Parts behind their lengths, so that no two lists of parts give the same bytes."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def keyed(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA256 over framed parts."""
    return hmac.digest(key, framed(*parts), "sha256")


class Keyed:
    """`keyed` under one key, for many calls: what the key is prepared into is kept. Thread-safe."""

    def __init__(self, key: bytes) -> None:
        self._begun = hmac.new(key, digestmod="sha256")

    def __call__(self, *parts: bytes) -> bytes:
        """HMAC-SHA256 over framed parts."""
        hashed = self._begun.copy()
        hashed.update(framed(*parts))
        return hashed.digest()


def commit(r: bytes, content: bytes) -> bytes:
    """The hiding commitment to a payload: without the 32 random bytes `r` it says nothing about it."""
    return hmac.digest(r, b"\x01" + content, "sha256")


def uuid4_bytes(random: bytes) -> bytes:
    """Sixteen random bytes as those of a UUID version 4."""
    version, variant = random[6] & 0x0F | 0x40, random[8] & 0x3F | 0x80
    return b"%b%c%b%c%b" % (random[:6], version, random[7:8], variant, random[9:])


class DataKey:
    """One contact's key, ready for use."""

    __slots__ = ("_cipher", "_contact")

    def __init__(self, contact: bytes, key: bytes) -> None:
        self._contact = contact
        self._cipher = AESGCM(key)

    def seal(self, kind: bytes, identifier: bytes, nonce: bytes, plain: bytes) -> bytes:
        """algorithm byte | nonce | ciphertext and tag"""
        sealed = self._cipher.encrypt(nonce, plain, framed(_VERSION, kind, self._contact, identifier))
        return _AES_256_GCM + nonce + sealed

    def open(self, kind: bytes, identifier: bytes, sealed: bytes) -> bytes:
        """The plain bytes. InvalidTag when they are damaged, moved, or of an algorithm not known here."""
        if sealed[:1] != _AES_256_GCM or len(sealed) < 1 + NONCE_BYTES + 16:
            raise InvalidTag
        return self._cipher.decrypt(
            sealed[1 : 1 + NONCE_BYTES],
            sealed[1 + NONCE_BYTES :],
            framed(_VERSION, kind, self._contact, identifier),
        )


class Wrapping:
    """The ledger's key, which wraps the contacts' keys."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def wrap(self, contact: bytes, key: bytes, nonce: bytes) -> bytes:
        """A contact's key as it is stored."""
        return _AES_256_GCM + nonce + self._cipher.encrypt(nonce, key, framed(_VERSION, b"key", contact))

    def unwrap(self, contact: bytes, wrapped: bytes) -> DataKey:
        """A contact's key, ready for use. InvalidTag when it is damaged or another contact's."""
        if wrapped[:1] != _AES_256_GCM or len(wrapped) < 1 + NONCE_BYTES + 16:
            raise InvalidTag
        nonce, sealed = wrapped[1 : 1 + NONCE_BYTES], wrapped[1 + NONCE_BYTES :]
        return DataKey(contact, self._cipher.decrypt(nonce, sealed, framed(_VERSION, b"key", contact)))


class Sealing:
    """The ledger's own key for what belongs to no contact yet: dead letters."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, about: bytes, nonce: bytes) -> bytes:
        """algorithm byte | nonce | ciphertext and tag, bound to what it is about"""
        return _AES_256_GCM + nonce + self._cipher.encrypt(nonce, plain, framed(_VERSION, b"letter", about))

    def open(self, sealed: bytes, about: bytes) -> bytes:
        """The plain bytes. InvalidTag when they are damaged, about something else, or another ledger's."""
        if sealed[:1] != _AES_256_GCM or len(sealed) < 1 + NONCE_BYTES + 16:
            raise InvalidTag
        cut = 1 + NONCE_BYTES
        return self._cipher.decrypt(sealed[1:cut], sealed[cut:], framed(_VERSION, b"letter", about))
