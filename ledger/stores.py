"""Stores that know each other: which ledger and epoch a store is of, and how far the store it goes with had come.

Everything here is a value. The log is the reference: every other store names the log's ledger and epoch, and the
last entry of the log that it knew, by position and hash. What does not fit is a `Misfit`, which says what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Literal, NamedTuple

Random = Callable[[int], bytes]
Kind = Literal["missing", "unmarked", "foreign", "keys", "older", "newer", "diverged"]
_EPOCH_BYTES = 8


class Mark(NamedTuple):
    """An entry of the log by its position and hash; position 0 and no hash: the log was empty."""

    position: int
    hash: bytes


NOTHING = Mark(0, b"")


class StoreIdentity(NamedTuple):
    """What a store belongs to. `key_check` is the check value of the ledger's keys (`Keys.check`)."""

    ledger: str
    epoch: str
    key_check: bytes


class Stored(NamedTuple):
    """What a store says of itself.

    changes  of the vault: how often it was changed; of the log: how often the vault was, as the log last knew
    mark     the newest entry of the log that the store knew; the log itself keeps none
    """

    identity: StoreIdentity
    changes: int = 0
    mark: Mark = NOTHING


class Misfit(NamedTuple):
    """A store that does not fit: which, how, and one sentence or two on what is wrong and what to do."""

    store: str
    kind: Kind
    text: str


class StoresError(RuntimeError):
    """Stores that do not fit together: nothing is answered and nothing recorded until they do."""

    def __init__(self, misfits: Iterable[Misfit]) -> None:
        self.misfits = tuple(misfits)
        super().__init__("\n".join(one.text for one in self.misfits))


EntryAt = Callable[[int], bytes | None]
"""The bytes of the log's entry at a position; None: the log has none there."""


def mark_of(position: int, entry: bytes) -> Mark:
    """The mark of an entry: its position, and the hash under which it is a leaf of a Merkle tree (RFC 6962)."""
    return Mark(position, sha256(b"\0" + entry).digest())


# --- epochs -----------------------------------------------------------------------------------------


def first_epoch(random: Random) -> str:
    """The epoch of a ledger that begins."""
    return _epoch(1, random)


def next_epoch(epoch: str, random: Random) -> str:
    """The epoch after another: what a restore begins."""
    return _epoch(ordinal_of(epoch) + 1, random)


def ordinal_of(epoch: str) -> int:
    """The number of an epoch; 0 for a text that is none."""
    number, _, rest = epoch.partition("-")
    return int(number) if number.isdecimal() and len(number) < 10 and rest else 0


def _epoch(number: int, random: Random) -> str:
    return f"{number}-{random(_EPOCH_BYTES).hex()}"


# --- what does not fit ------------------------------------------------------------------------------


def misfits_of(
    log: Stored | None, vault: Stored | None, check_of: Callable[[str], bytes], entry_at: EntryAt
) -> list[Misfit]:
    """What does not fit between the keys, the log and the vault; empty: they may be used.

    `check_of` is the check value that the keys at hand have for a ledger.
    """
    if log is None and vault is None:
        return [Misfit("log", "unmarked", _UPGRADE)]
    if log is None or vault is None:
        name, other = ("log", "vault") if log is None else ("vault", "log")
        return [Misfit(name, "unmarked", _EMPTIED.format(name=name, other=other))]
    if check_of(log.identity.ledger) != log.identity.key_check:
        return [Misfit("keys", "keys", _KEYS.format(ledger=log.identity.ledger))]
    found = misfit_of("vault", vault, log.identity, entry_at)
    if found is None and vault.changes < log.changes:
        text = _OLDER_VAULT.format(changes=vault.changes, known=log.changes)
        found = Misfit("vault", "older", text)
    return [] if found is None else [found]


def misfit_of(name: str, stored: Stored, log: StoreIdentity, entry_at: EntryAt) -> Misfit | None:
    """How a store fails to fit the log beside it; None: it fits."""
    own = stored.identity
    if own.ledger != log.ledger:
        return Misfit(name, "foreign", _FOREIGN.format(name=name, own=own.ledger, log=log.ledger))
    if own.key_check != log.key_check:
        return Misfit(name, "keys", _OTHER_KEYS.format(name=name))
    if own.epoch != log.epoch:
        return _other_epoch(name, own.epoch, log.epoch)
    return _unknown_entry(name, stored.mark, entry_at)


def _other_epoch(name: str, own: str, log: str) -> Misfit:
    kinds: dict[int, Kind] = {-1: "older", 0: "diverged", 1: "newer"}
    behind = ordinal_of(own) - ordinal_of(log)
    kind = kinds[(behind > 0) - (behind < 0)]
    text = {"older": _OLDER_EPOCH, "diverged": _OTHER_EPOCH, "newer": _NEWER_EPOCH}[kind]
    return Misfit(name, kind, text.format(name=name, own=own, log=log))


def _unknown_entry(name: str, mark: Mark, entry_at: EntryAt) -> Misfit | None:
    """The entry that a store knew is not in the log, or is another: the log is older, or has another history."""
    if mark == NOTHING:
        return None
    entry = entry_at(mark.position)
    if entry is None:
        return Misfit("log", "older", _OLDER_LOG.format(name=name, position=mark.position))
    if mark_of(mark.position, entry) != mark:
        return Misfit("log", "diverged", _OTHER_HISTORY.format(name=name, position=mark.position))
    return None


_TOGETHER = (
    "Bring back log, vault and keys that belong together, from where they are kept; "
    "see docs/reference/ledger-directory.md."
)
_UPGRADE = (
    "this ledger was made before ledgers had an identity: run `consent-ledger upgrade`, which checks that its keys "
    "open its vault and writes the identity down, once."
)
_EMPTIED = "the {name} was emptied or made anew: it names no ledger, and the {other} beside it does. " + _TOGETHER
_KEYS = (
    "the keys at hand are not those of this ledger ({ledger}): with them nobody in it would be known again. "
    "Bring back its own key file, or set CONSENT_LEDGER_KEYS to its key."
)
_FOREIGN = "the {name} is of another ledger: it names {own}, and the log beside it {log}. " + _TOGETHER
_OTHER_KEYS = "the {name} goes with other keys than the log beside it. " + _TOGETHER
_OLDER_EPOCH = "the {name} is older than the log: it is of epoch {own}, and the log of epoch {log}. " + _TOGETHER
_NEWER_EPOCH = (
    "the log is older than the {name}: the log is of epoch {log}, and the {name} of epoch {own}. " + _TOGETHER
)
_OTHER_EPOCH = (
    "the {name} went another way than the log: it is of epoch {own}, and the log of epoch {log}. " + _TOGETHER
)
_OLDER_VAULT = (
    "the vault is older than the log: it was changed {changes} times, and the log knows of {known}. People, "
    "suppressed addresses or evidence are missing in it. " + _TOGETHER
)
_OLDER_LOG = (
    "the log is older than the {name}, which knows entry {position}: entries are missing in the log. " + _TOGETHER
)
_OTHER_HISTORY = (
    "the log has another history than the {name}: entry {position} is not the one that the {name} knows. " + _TOGETHER
)
