"""API keys: shown once, kept as digests, in a file of the ledger's directory that only its owner reads.

A key is 32 random bytes, so there is nothing to guess and one SHA-256 is enough: slow hashes protect what
people choose.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from adapters.files import write_whole

Role = Literal["writer", "reader", "auditor", "dpo"]
ROLES: tuple[Role, ...] = ("writer", "reader", "auditor", "dpo")
FILE = "api-keys.json"
WARNED_DAYS = 30
_PREFIX = "clk_"
_KEY_BYTES = 32


class KeysError(RuntimeError):
    """The file of keys cannot be used, or does not hold what was named."""


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Who may ask. `sha256`: of the key as it is sent, in hex; `expires_at` None: it holds until it is revoked."""

    name: str
    role: Role
    made_at: datetime
    sha256: str
    expires_at: datetime | None = None

    def has_ended(self, now: datetime) -> bool:
        """It opens nothing any more."""
        return self.expires_at is not None and now >= self.expires_at

    def days_left(self, now: datetime) -> int | None:
        """Whole days until it ends, once that is near; 0: it ends today, or has. None: not soon, or never."""
        if self.expires_at is None or now < self.expires_at - timedelta(days=WARNED_DAYS):
            return None
        return max(0, (self.expires_at - now).days)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: tuple[Key, ...] = ()


_Mark = tuple[int, int, int]
"""What tells one state of the file from another: when it changed, its inode and its size."""


class KeyFile:
    """The keys of one ledger. What another process adds or revokes holds from the next request on."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE
        self._name = str(self.path)
        self._mark: _Mark | None = None
        self._held: dict[bytes, Key] = {}

    def find(self, secret: bytes) -> Key | None:
        """Whose key this is; None: nobody's. KeysError when the file cannot be used."""
        mark = self._marked()
        if mark != self._mark:
            self._held = {bytes.fromhex(key.sha256): key for key in self.list()} if mark else {}
            self._mark = mark
        return self._held.get(hashlib.sha256(secret).digest())

    def _marked(self) -> _Mark | None:
        try:
            found = os.stat(self._name)  # noqa: PTH116 - before each answer: half the time of Path.stat
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def list(self) -> tuple[Key, ...]:
        """Every key, oldest first. KeysError when others may read the file, or it is not one of ours."""
        try:
            if self.path.stat().st_mode & 0o077:
                raise KeysError(f"{self.path} is open to others: chmod 600 {self.path}")
            return msgspec.json.decode(self.path.read_bytes(), type=_File).keys
        except FileNotFoundError:
            return ()
        except (msgspec.DecodeError, ValueError) as error:
            raise KeysError(f"{self.path} is not a file of API keys") from error

    def add(
        self, name: str, role: Role, now: datetime, random: Callable[[int], bytes], expires_at: datetime | None = None
    ) -> str:
        """Make a key; the only time it can be seen. KeysError for a name that is taken, or an end that has passed."""
        if expires_at is not None and expires_at <= now:
            raise KeysError("a key cannot expire before it is made: name a day to come")
        secret = _PREFIX + base64.urlsafe_b64encode(random(_KEY_BYTES)).decode().rstrip("=")
        with self._alone():
            keys = self.list()
            if any(key.name == name for key in keys):
                raise KeysError(f"there is a key {name!r} already: revoke it first, or name this one otherwise")
            digest = hashlib.sha256(secret.encode()).hexdigest()
            self._write((*keys, Key(name, role, now, digest, expires_at)))
        return secret

    def revoke(self, name: str) -> None:
        """Take a key away. KeysError when there is none of that name."""
        with self._alone():
            keys = self.list()
            left = tuple(key for key in keys if key.name != name)
            if len(left) == len(keys):
                raise KeysError(f"there is no key {name!r}: `consent-ledger keys list` names them")
            self._write(left)

    def _write(self, keys: tuple[Key, ...]) -> None:
        write_whole(self.path, msgspec.json.format(msgspec.json.encode(_File(keys)), indent=2) + b"\n")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One change at a time, so that none is lost."""
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)
