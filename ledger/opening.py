"""A ledger's parts (keys, vault, log): made by `make_parts`, once; opened by `open_parts`, which makes none of them.

Opening compares what the parts say of each other, and raises StoresError for what does not fit.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from ledger import trial
from ledger.database import SetupError
from ledger.keys import Keys, NoKeysError, Random
from ledger.log import Clock, Log
from ledger.recorder import away
from ledger.stores import NOTHING, Kind, Misfit, StoreIdentity, StoresError, first_epoch, misfits_of
from ledger.vault import Vault

FILES = ("log.db", "vault.db")
"""What cannot be made again: facts and people. With the keys they are the ledger."""
BESIDE = ("views.db", "inbox.db", "crm.db", "hubspot.db", "streams.db")


class Place(NamedTuple):
    """Where a ledger lies: its directory, and the database that holds log and vault, if one is named."""

    home: Path
    database_url: str | None = None

    def log(self) -> str | Path:
        """Where the log lies."""
        return self.database_url or self.home / "log.db"

    def vault(self) -> str | Path:
        """Where the vault lies."""
        return self.database_url or self.home / "vault.db"


class NoLedgerError(StoresError):
    """Nothing of a ledger is there."""


class Parts(NamedTuple):
    """An open ledger's parts, which fit together."""

    place: Place
    keys: Keys
    log: Log
    vault: Vault
    identity: StoreIdentity
    files: Mapping[str, tuple[int, int]]


def is_there(place: Place) -> bool:
    """Whether a directory holds a ledger in files, or what is left of one."""
    return any((place.home / name).exists() for name in (*FILES, *BESIDE))


def open_parts(place: Place, clock: Clock, random: Random, env: Mapping[str, str]) -> Parts:
    """The parts of the ledger at a place, compared.

    Raises NoLedgerError, StoresError, KeyFileError, DurabilityError, SetupError, OperationalError.
    """
    _refuse_missing(place)
    keys = _keys_at(place, env)
    with ExitStack() as opened:
        vault = opened.enter_context(Vault.open(place.vault(), keys, random))
        log = opened.enter_context(Log.open(place.log(), clock))
        parts = _compared(place, keys, log, vault)
        opened.pop_all()
    return parts


def _keys_at(place: Place, env: Mapping[str, str]) -> Keys:
    try:
        return Keys.load(place.home / "keys", env)
    except NoKeysError as error:
        raise StoresError([Misfit("keys", "missing", str(error))]) from error


def _compared(place: Place, keys: Keys, log: Log, vault: Vault) -> Parts:
    """The parts, each knowing the other from now on. Raises StoresError."""
    of_log, of_vault = log.stored(), vault.stored()
    if of_log is None and of_vault is None and place.database_url and log.mark() == NOTHING and vault.is_empty():
        raise _no_ledger(place)
    misfits = misfits_of(of_log, of_vault, keys.check_of, log.entry_at)
    if misfits or of_log is None or of_vault is None:
        raise StoresError(misfits)
    if not vault.is_respelled:
        raise StoresError([Misfit("vault", "unmarked", _FORMER)])
    is_file = place.database_url is None  # a database counts and notes by itself
    vault.know(of_vault.changes, log.mark if is_file else None)
    if is_file:
        log.know(lambda: vault.changes)
    parts = Parts(place, keys, log, vault, of_log.identity, _files_of(place))
    settle(parts)
    return parts


def _files_of(place: Place) -> dict[str, tuple[int, int]]:
    """Path -> file, as the system knows it, of each part; a database and a key from the environment have none."""
    found: dict[str, tuple[int, int]] = {}
    for name in ("keys",) if place.database_url else ("keys", *FILES):
        path = str(place.home / name)
        file = _file_at(path)
        if file is not None:
            found[path] = file
    return found


def _file_at(path: str) -> tuple[int, int] | None:
    """Device and inode. A service asks before each answer, so no Path is made for it."""
    try:
        found = os.stat(path)  # noqa: PTH116 - half the time of Path.stat
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def replaced_parts(parts: Parts) -> list[Misfit]:
    """Parts that were taken away or replaced since the ledger was opened: what is open is not what lies there."""
    found: list[Misfit] = []
    for path, file in parts.files.items():
        now = _file_at(path)
        if now != file:
            name = Path(path).name
            kind: Kind = "missing" if now is None else "diverged"
            found.append(Misfit(name.removesuffix(".db"), kind, _REPLACED.format(name=name)))
    return found


def settle(parts: Parts) -> None:
    """Note in the vault how far the log has come: a log that lacks the last entries is then known beside it.

    Each change of the vault notes it as well; this is for entries that changed nothing there. Where the files are
    locked or cannot be written, it is left to the next time. In a database, both come and go together.
    """
    if parts.place.database_url:
        return
    with suppress(*away(parts.place.log()), SetupError):
        stored, mark = parts.vault.stored(), parts.log.mark()
        if stored is not None and mark.position > stored.mark.position:
            parts.vault.note(mark)


def _refuse_missing(place: Place) -> None:
    if place.database_url:
        return
    missing = [name for name in FILES if not (place.home / name).exists()]
    if not missing:
        return
    if not is_there(place):
        raise _no_ledger(place)
    raise StoresError(
        Misfit(name.removesuffix(".db"), "missing", _MISSING.format(name=name, home=place.home)) for name in missing
    )


def _no_ledger(place: Place) -> NoLedgerError:
    where = "the database that is named" if place.database_url else place.home
    return NoLedgerError([Misfit("ledger", "missing", _NO_LEDGER.format(where=where, home=place.home))])


# --- making -----------------------------------------------------------------------------------------


def make_parts(place: Place, clock: Clock, random: Random, env: Mapping[str, str]) -> bool:
    """Make the ledger of a place: keys, vault and log; False: there is one already, and nothing was done.

    What a process that was killed in between has left, and nobody has used, is finished. Raises StoresError where
    parts of another ledger, or parts without the others, are found; else as `open_parts`.
    """
    place.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(place.home), ExitStack() as opened:
        if place.database_url is None and (place.home / "log.db").exists():
            opened.enter_context(_closing(open_parts(place, clock, random, env)))
            return False
        _refuse_leftovers(place)
        keys = Keys.make(place.home / "keys", random, env)
        vault = opened.enter_context(Vault.make(place.vault(), keys, random))
        if place.database_url is None and not _is_unused(vault):
            raise StoresError([Misfit("log", "missing", _MISSING.format(name="log.db", home=place.home))])
        log = opened.enter_context(Log.make(place.log(), clock))
        if log.stored() is not None or log.mark() != NOTHING or not _is_unused(vault):
            _compared(place, keys, log, vault)
            return False
        of_vault = vault.stored()
        identity = of_vault.identity if of_vault else new_identity(keys, random)
        vault.begin(identity)
        log.begin(identity)
        _compared(place, keys, log, vault)
    return True


def upgrade_parts(place: Place, clock: Clock, random: Random, env: Mapping[str, str]) -> StoreIdentity | None:
    """Give a ledger made before ledgers had an identity one, once; None: it has one.

    First the keys are tried on the vault: StoresError where they do not open it, or where it lacks people whom the log
    knows; then nothing is written. Else raises as `open_parts`.
    """
    _refuse_missing(place)
    keys = _keys_at(place, env)
    with (
        _alone(place.home),
        Vault.open(place.vault(), keys, random) as vault,
        Log.open(place.log(), clock) as log,
    ):
        of_log, of_vault = log.stored(), vault.stored()
        if of_log is not None:
            vault.respell()
            _compared(place, keys, log, vault)
            return None
        identity = StoreIdentity(keys.ledger_id, first_epoch(random), keys.check_of(keys.ledger_id))
        if of_vault is not None:  # a process was killed in between; else the log was emptied since
            if of_vault.changes or of_vault.mark != log.mark():
                raise StoresError(misfits_of(of_log, of_vault, keys.check_of, log.entry_at))
            identity = of_vault.identity
        problems = list(trial.problems_of(log, vault))
        if problems or identity.key_check != keys.check_of(identity.ledger):
            raise StoresError([Misfit("vault", "keys", _NOT_OPENED.format(problems="; ".join(problems)))])
        vault.begin(identity, log.mark())
        log.begin(identity)
        _compared(place, keys, log, vault)
    return identity


def new_identity(keys: Keys, random: Random) -> StoreIdentity:
    """The identity of a ledger that begins."""
    ledger = str(UUID(bytes=random(16), version=4))
    return StoreIdentity(ledger, first_epoch(random), keys.check_of(ledger))


def _is_unused(vault: Vault) -> bool:
    stored = vault.stored()
    return vault.is_empty() and (stored is None or stored.changes == 0)


def _refuse_leftovers(place: Place) -> None:
    """Derived stores without a log are what is left of a ledger: a new one beside them would be taken for it."""
    left = [name for name in BESIDE if (place.home / name).exists() or (place.home / name).is_symlink()]
    if place.database_url is None and left:
        text = _LEFT.format(home=place.home, left=" and ".join(left))
        raise StoresError([Misfit("log", "missing", text)])


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Of several processes that make a ledger in one directory, one at a time."""
    handle = os.open(home, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _closing(parts: Parts) -> Iterator[None]:
    try:
        yield
    finally:
        parts.log.close()
        parts.vault.close()


_MISSING = (
    "{name} is missing in {home}, and opening a ledger makes none: bring it back from where it is kept, with the "
    "keys, the log and the vault that belong together."
)
_NO_LEDGER = (
    "there is no ledger in {where}: `consent-ledger init --ledger {home}` makes one; --ledger names another directory."
)
_FORMER = (
    "this vault finds addresses by a form of an earlier program: run `consent-ledger upgrade`, "
    "which moves them on, once."
)
_REPLACED = (
    "{name} was taken away or replaced while the ledger was open: end whatever has the ledger open, see that keys, "
    "vault and log belong together, and start again."
)
_NOT_OPENED = (
    "the keys at hand do not open this vault, or it does not belong to this log ({problems}). Nothing was changed: "
    "bring back the keys, the vault and the log that belong together, and run this again."
)
_LEFT = (
    "{home} holds {left} of a ledger, and not its log: bring log.db, vault.db and keys back from where they are kept, "
    "or name another directory for a new ledger."
)
