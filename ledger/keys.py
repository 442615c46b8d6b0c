"""Keys: one master, independent subkeys, kept in a file that nobody else can read.

Losing the master loses every address and payload for good; whoever copies it beside the vault can read
them. It therefore never lies in a backup together with `vault.db`.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Random = Callable[[int], bytes]
"""Gives that many unpredictable bytes, as `os.urandom` does."""

ENVIRONMENT = "CONSENT_LEDGER_KEYS"
"""The name under which a master key may stand in an environment: 32 bytes as base64."""
_MASTER_BYTES = 32


class KeyFileError(RuntimeError):
    """The key file, or the key in the environment, cannot be used as it is."""


class NoKeysError(KeyFileError):
    """There is no key file where one must be, and no key in the environment."""


class Keys(NamedTuple):
    """Subkeys by HKDF-SHA256: none can be had from another.

    lookup         finds an address or record without storing it
    suppression    recognises an address that must not be written to, also after erasure
    sid            stands for a source's event id in the log
    fingerprint    says whether two facts have the same content
    wrapping       wraps each contact's own data key (AES-256)
    identity       names the ledger in what it sends; says nothing about the others
    sealing        seals what must be kept and may not be read: dead letters (AES-256)
    check          makes the value by which a store knows the keys that it goes with
    rows           shows that a stored answer was written by this ledger and not changed since
    stamping       marks what the ledger hands out and takes back again: the workbook of a review
    tally          hashes the vault's rows, so that one changed, removed or added without the keys is seen
    """

    lookup: bytes
    suppression: bytes
    sid: bytes
    fingerprint: bytes
    wrapping: bytes
    identity: bytes
    sealing: bytes
    check: bytes
    rows: bytes
    stamping: bytes
    tally: bytes

    def __repr__(self) -> str:
        """Never the keys."""
        return "Keys(...)"

    @property
    def ledger_id(self) -> str:
        """The UUID of a ledger made before ids were drawn: neither the master nor another subkey can be had from it."""
        return str(UUID(bytes=self.identity[:16], version=4))

    def check_of(self, ledger: str) -> bytes:
        """The check value of these keys for a ledger: another key has another, and none can be had from it."""
        return hmac.digest(self.check, ledger.encode(), "sha256")

    @classmethod
    def derive(cls, master: bytes) -> Keys:
        """The subkeys of a master key of 32 bytes."""
        if len(master) != _MASTER_BYTES:
            raise KeyFileError(f"the master key has {len(master)} bytes; it needs {_MASTER_BYTES}")
        return cls(*(_subkey(master, name) for name in cls._fields))

    @classmethod
    def load(cls, path: Path, env: Mapping[str, str]) -> Keys:
        """From the environment handed in, else from the file.

        Raises NoKeysError when there is neither, KeyFileError when the file can be read by anyone but its owner,
        belongs to somebody else, lies in a folder that others may write to, or holds no key.
        """
        _refuse_open_folder(path.parent)
        if text := env.get(ENVIRONMENT):
            return cls.derive(_decoded(text, ENVIRONMENT))
        _refuse_foreign_link(path)
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except FileNotFoundError:
            raise NoKeysError(
                f"there are no keys in {path.parent}: bring back its file `keys` from where it is kept, or set "
                f"{ENVIRONMENT}. New keys would open nothing of a ledger that is there."
            ) from None
        if mode & 0o077:
            raise KeyFileError(
                f"{path} has mode {mode:04o}: others can read the keys. Run `chmod 600 {path}`, "
                "and if others may have read it, treat the vault as disclosed."
            )
        return cls.derive(_decoded(path.read_text(encoding="ascii"), str(path)))

    @classmethod
    def make(cls, path: Path, random: Random, env: Mapping[str, str]) -> Keys:
        """As `load`; where there are none, a key file is made, with mode 0600."""
        if not env.get(ENVIRONMENT) and not path.exists():
            _create(path, random(_MASTER_BYTES))
        return cls.load(path, env)


def _refuse_open_folder(folder: Path) -> None:
    """Whoever may write to the folder may put other keys and another log in the place of ours."""
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except FileNotFoundError:  # a ledger is about to be brought back there: nobody can have written to it
        return
    if mode & 0o022:
        raise KeyFileError(
            f"{folder} has mode {mode:04o}: others can put files of their own in the place of the ledger's. "
            f"Run `chmod go-w {folder}`, and see whether what lies in it is yours."
        )


def _refuse_foreign_link(path: Path) -> None:
    """A link may lead to keys that lie apart; one that others made, or that leads to a file of theirs, may not."""
    if not path.is_symlink():
        return
    if not path.exists():
        raise KeyFileError(f"{path} is a link to {path.readlink()}, which is not there: bring the keys back there")
    for made, what in ((path.lstat(), "is a link"), (path.stat(), "leads to a file")):
        if made.st_uid not in (os.geteuid(), 0):
            raise KeyFileError(
                f"{path} {what} of another user (uid {made.st_uid}): they could change the keys. "
                "Put the key file itself there, or link to one of your own."
            )


def _subkey(master: bytes, name: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=f"consent-ledger/v1/{name}".encode()).derive(master)


def _decoded(text: str, where: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise KeyFileError(f"{where} holds no base64 key") from None


def _create(path: Path, master: bytes) -> None:
    """Write the key whole or not at all; when another process was first, its key stands."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(master) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            return
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    finally:
        draft.unlink()
