"""Backups of a ledger in files: copies of one moment, with a manifest, written last, that says what they are.

What cannot be made again is copied: the log, the vault, what webhooks brought and nobody has done yet, and what was
written to HubSpot. Keys are not: whoever has them and the vault can read it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import msgspec

from ledger.codec import instant
from ledger.damage import naming_damage
from ledger.log import Clock
from ledger.opening import Place
from ledger.sqlite import cannot_be_written
from ledger.stores import Mark, StoreIdentity, mark_of

FORM = "consent-ledger/backup/1"
MANIFEST = "manifest.json"
COPIED = ("inbox.db", "log.db", "vault.db", "crm.db")
"""In the order in which their moments lie: what left the inbox is in the log, what the log names is in the vault."""
_CHUNK = 1 << 20
_LAST = "SELECT position, state FROM entry ORDER BY position DESC LIMIT 1"


class BackupError(RuntimeError):
    """A backup that is not whole, or is not what its manifest says: nothing was restored from it."""


class PlaceError(RuntimeError):
    """Something is in the way where a backup or a restored ledger is to lie."""


class Copy(msgspec.Struct, frozen=True):
    """One file of a backup."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds, and of what moment. `entry_hash` is that of the log's last entry, as a leaf (RFC 6962)."""

    form: str
    ledger: str
    epoch: str
    made_at: str
    position: int
    entry_hash: str
    files: tuple[Copy, ...]


def back_up(place: Place, identity: StoreIdentity, folder: Path, clock: Clock) -> Manifest:
    """Copy the ledger of a place, in use or not, into a folder that is empty or absent.

    Whatever was acknowledged before is in the copy. Until the manifest is there, the last of all, it is no backup.
    Raises PlaceError, DamagedError.
    """
    if cannot_be_written(place.home / "vault.db"):
        raise PlaceError(
            f"{place.home} cannot be written here, and a backup has to hold off, for a moment, whoever writes there: "
            "run it where the ledger may be written"
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(folder), ExitStack() as stack:
        _refuse_other(folder)
        made_at = instant(clock())
        moments = _moments(place, stack)
        with naming_damage(place.home / "log.db"):
            mark = _head(moments["log.db"])
        copies = tuple(_copy(place.home / name, moments[name], folder / name) for name in sorted(moments))
        manifest = Manifest(
            form=FORM,
            ledger=identity.ledger,
            epoch=identity.epoch,
            made_at=made_at,
            position=mark.position,
            entry_hash=mark.hash.hex(),
            files=copies,
        )
        _write(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=2))
        sync(folder)
    return manifest


def _moments(place: Place, stack: ExitStack) -> dict[str, sqlite3.Connection]:
    """A connection to each file, all of whose reads see one moment; the moments follow each other as in COPIED.

    Nobody writes to the vault while the moments of log and vault begin: so the vault holds all that the log names,
    and knows no entry that the log lacks. That takes no longer than to look at both.
    """
    moments: dict[str, sqlite3.Connection] = {}
    with closing(sqlite3.connect(place.home / "vault.db", timeout=30, isolation_level=None)) as vault:
        for name in COPIED:
            path = place.home / name
            if not path.exists():
                continue
            if name == "log.db":
                with naming_damage(place.home / "vault.db"):
                    vault.execute("BEGIN IMMEDIATE")
            moments[name] = stack.enter_context(_moment(path))
        vault.execute("ROLLBACK")
    return moments


@contextmanager
def _moment(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as file:
        file.isolation_level = None
        with naming_damage(path):
            file.execute("BEGIN")
            file.execute("SELECT count(*) FROM sqlite_master").fetchone()  # only a read begins it
        yield file


def _head(log: sqlite3.Connection) -> Mark:
    row = log.execute(_LAST).fetchone()
    return Mark(0, b"") if row is None else mark_of(row[0], bytes(row[1]))


def _copy(source: Path, moment: sqlite3.Connection, target: Path) -> Copy:
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    with closing(sqlite3.connect(target)) as file, naming_damage(source):
        moment.backup(file)
    with target.open("rb+") as written:
        os.fsync(written.fileno())
    return Copy(target.name, target.stat().st_size, sha256_of(target))


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- where it lies ----------------------------------------------------------------------------------


def _refuse_other(folder: Path) -> None:
    """An unfinished backup is begun again; anything else is left alone."""
    there = {path.name for path in folder.iterdir()}
    if MANIFEST in there:
        raise PlaceError(f"{folder} holds a backup already: name another folder for this one")
    ours = {*COPIED, *(f"{name}-journal" for name in COPIED), _draft(folder / MANIFEST).name}
    if other := sorted(there - ours):
        raise PlaceError(f"{folder} is not empty ({', '.join(other[:3])}): name an empty folder, or one to be made")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise PlaceError(f"another backup is being written to {folder}") from None
        yield
    finally:
        os.close(handle)


def _write(path: Path, content: bytes) -> None:
    """A file, whole or not at all."""
    draft = _draft(path)
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def sync(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
