"""A ledger brought back from a backup, as a new epoch: what was made from the old one is known not to fit it.

Entries recorded after the backup are not in it, and their positions are given again. Whatever trusted those
positions (answers, consumers) sees another epoch, and begins anew.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec

from ledger.backups import COPIED, FORM, MANIFEST, BackupError, Manifest, PlaceError, sha256_of, sync
from ledger.damage import naming_damage
from ledger.keys import ENVIRONMENT, KeyFileError, Keys, NoKeysError, Random
from ledger.opening import FILES, Place, is_there
from ledger.store_table import put_epoch, read_store
from ledger.stores import Misfit, StoresError, mark_of, misfits_of, next_epoch

_LAST = "log.db"
"""Put in its place last: a folder with a vault and no log is known to be no ledger."""


class Restored(NamedTuple):
    """What was brought back, and the epoch it begins."""

    manifest: Manifest
    epoch: str


def restore(folder: Path, home: Path, random: Random, env: Mapping[str, str], key_file: Path | None = None) -> Restored:
    """Bring the backup in a folder back into a directory that holds no ledger.

    The keys are those of the environment, of `key_file`, which is copied there, or those that lie there already.
    Raises BackupError, PlaceError, KeyFileError, StoresError; then nothing of a ledger is in the directory.
    """
    manifest = _read(folder)
    _refuse_ledger(home)
    keys = _load_keys(key_file or home / "keys", env)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    drafts = {copy.name: home / f".{copy.name}.restoring" for copy in manifest.files}
    try:
        for copy in manifest.files:
            _take(folder / copy.name, drafts[copy.name])
            if sha256_of(drafts[copy.name]) != copy.sha256:
                raise BackupError(f"{copy.name} was not copied as it is in {folder}: try again")
        _refuse_misfits(drafts, manifest, keys)
        epoch = next_epoch(manifest.epoch, random)
        for name in FILES:
            _begin_epoch(drafts[name], epoch)
        if key_file is not None:
            _take(key_file, home / "keys")
        for name in sorted(drafts, key=lambda name: name == _LAST):
            drafts[name].replace(home / name)
        sync(home)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
    return Restored(manifest, epoch)


def _load_keys(path: Path, env: Mapping[str, str]) -> Keys:
    try:
        return Keys.load(path, env)
    except NoKeysError:
        raise NoKeysError(
            f"there are no keys at {path}: name the file that they were copied to with --keys, or set {ENVIRONMENT}"
        ) from None


def _read(folder: Path) -> Manifest:
    """The manifest, once every file is what it says."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise BackupError(
            f"{folder} holds no finished backup: {MANIFEST}, which is written last, is not there"
        ) from None
    except msgspec.DecodeError as error:
        raise BackupError(f"{folder / MANIFEST} cannot be read: {error}") from None
    if manifest.form != FORM:
        raise BackupError(f"{folder} is a backup of the form {manifest.form}, and this program reads {FORM}")
    names = [copy.name for copy in manifest.files]
    if unknown := sorted(set(names) - set(COPIED)):
        raise BackupError(f"{folder / MANIFEST} names {unknown[0]}, which is no part of a backup")
    if lacking := [name for name in FILES if name not in names]:
        raise BackupError(f"{folder / MANIFEST} does not name {lacking[0]}")
    for copy in manifest.files:
        _refuse_other(folder / copy.name, copy.size, copy.sha256)
    return manifest


def _refuse_other(path: Path, size: int, sha256: str) -> None:
    if not path.exists():
        raise BackupError(f"{path.name} is missing in {path.parent}, and the manifest names it")
    if path.stat().st_size != size:
        raise BackupError(
            f"{path} has {path.stat().st_size} bytes, and the manifest says {size}: it was cut or changed"
        )
    if sha256_of(path) != sha256:
        raise BackupError(f"{path} is not what was backed up: its SHA-256 is not the one in the manifest")


def _refuse_ledger(home: Path) -> None:
    if is_there(Place(home)) or any(home.glob("views.db*")):
        raise PlaceError(
            f"{home} holds a ledger, or what is left of one, and nothing is overwritten: move it away, all but `keys`, "
            "or name another directory with --ledger"
        )


def _take(source: Path, target: Path) -> None:
    """A copy for its owner alone, on the disk."""
    handle = os.open(target, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as written, source.open("rb") as file:
        shutil.copyfileobj(file, written)
        written.flush()
        os.fsync(written.fileno())


def _refuse_misfits(drafts: Mapping[str, Path], manifest: Manifest, keys: Keys) -> None:
    """The heads are those of the manifest, and keys, log and vault go together."""
    with closing(sqlite3.connect(drafts["log.db"])) as log, closing(sqlite3.connect(drafts["vault.db"])) as vault:
        with naming_damage(Path("log.db")):
            of_log = read_store(log)
            head = log.execute("SELECT position, state FROM entry ORDER BY position DESC LIMIT 1").fetchone()
        with naming_damage(Path("vault.db")):
            of_vault = read_store(vault)
        if of_log is not None and keys.check_of(of_log.identity.ledger) != of_log.identity.key_check:
            raise KeyFileError(
                f"the keys at hand are not those of the ledger in this backup ({manifest.ledger}): name its key file "
                "with --keys, or set CONSENT_LEDGER_KEYS"
            )

        def entry_at(position: int) -> bytes | None:
            row = log.execute("SELECT state FROM entry WHERE position = ?", (position,)).fetchone()
            return bytes(row[0]) if row else None

        misfits: list[Misfit] = misfits_of(of_log, of_vault, keys.check_of, entry_at)
    if misfits or of_log is None:
        raise StoresError(misfits)
    position, entry_hash = (0, b"") if head is None else mark_of(head[0], bytes(head[1]))
    said = (manifest.ledger, manifest.epoch, manifest.position, manifest.entry_hash)
    if said != (of_log.identity.ledger, of_log.identity.epoch, position, entry_hash.hex()):
        raise BackupError("the log in this backup is not the one that its manifest describes")


def _begin_epoch(draft: Path, epoch: str) -> None:
    """The new epoch, in log or vault; what stands beside them is of the earlier one, and joins it as it is opened."""
    with closing(sqlite3.connect(draft, isolation_level=None)) as file:
        file.execute("BEGIN IMMEDIATE")
        put_epoch(file, epoch)
        file.execute("COMMIT")
    with draft.open("rb+") as written:
        os.fsync(written.fileno())
