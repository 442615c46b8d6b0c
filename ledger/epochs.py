"""A new epoch for a ledger whose log was brought back from a copy: stores and readers beside it then begin anew."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.keys import Keys, Random
from ledger.log import Clock, Log
from ledger.opening import Place
from ledger.stores import StoresError, misfits_of, next_epoch, ordinal_of
from ledger.vault import Vault


def begin_epoch(place: Place, clock: Clock, random: Random, env: Mapping[str, str]) -> str:
    """Begin a new epoch in log and vault, which fit together; returns it. Nobody else may have the ledger open.

    What a process left that was killed between the two is finished. Raises as `ledger.opening.open_parts`.
    """
    keys = Keys.load(place.home / "keys", env)
    with Vault.open(place.vault(), keys, random) as vault, Log.open(place.log(), clock) as log:
        of_log, of_vault = log.stored(), vault.stored()
        if of_log is not None and of_vault is not None:
            newest = max(of_log.identity.epoch, of_vault.identity.epoch, key=ordinal_of)
            begun = ordinal_of(of_vault.identity.epoch) == ordinal_of(of_log.identity.epoch) + 1
            if begun:  # the vault is first
                of_log = of_log._replace(identity=of_log.identity._replace(epoch=newest))
        misfits = misfits_of(of_log, of_vault, keys.check_of, log.entry_at)
        if misfits or of_log is None or of_vault is None:
            raise StoresError(misfits)
        epoch = newest if begun else next_epoch(newest, random)
        vault.renew(epoch)
        log.renew(epoch)
    return epoch
