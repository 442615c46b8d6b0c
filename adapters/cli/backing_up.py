"""`consent-ledger backup` and `consent-ledger restore`, for a ledger in files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from adapters.cli.options import DATABASE_URL, EXIT, show
from adapters.files import check_file, check_folder


def run_backup(ledger: Path | None, to: Path, keys_to: Path | None) -> int:
    """Copy a ledger of files, in use or not; the exit code."""
    from adapters.settings import Settings
    from adapters.wiring import House, now, place_of
    from ledger.backups import PlaceError, back_up

    where = ledger or Settings.read(os.environ).dir
    place = place_of(where, os.environ)
    if place.database_url is not None:
        show(f"this ledger lies in the database that {DATABASE_URL} names: back that up with its own tools")
        return EXIT.USAGE
    if keys_to is not None and keys_to.absolute().is_relative_to(to.absolute()):
        raise PlaceError(f"the keys may not lie in {to}, beside the vault that they open: name another place for them")
    check_folder(to)
    if keys_to is not None:
        check_file(keys_to)
    with House.open(where, os.environ) as house:
        made = back_up(place, house.ledger.identity, to, now)
    show(f"backed up {made.position} entries of the ledger {made.ledger}, as of {made.made_at}, to {to}:")
    show(f"  {', '.join(copy.name for copy in made.files)}, and manifest.json with their sizes and SHA-256")
    if keys_to is not None:
        _copy_keys(where / "keys", keys_to)
        show(f"The keys are in {keys_to}. Whoever has them and this backup can read every address: keep them apart.")
    else:
        show("The keys are NOT in it. Without them nobody in it is known again: keep a copy of them, in another place.")
    show("Answers, API keys, and how far HubSpot and Kafka were followed are not in it: they are made again.")
    return EXIT.OK


def _copy_keys(source: Path, target: Path) -> None:
    """A copy for its owner alone; it takes no other file's place."""
    handle = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "wb") as written, source.open("rb") as file:
        shutil.copyfileobj(file, written)
        written.flush()
        os.fsync(written.fileno())


def run_restore(folder: Path, to: Path, keys: Path | None) -> int:
    """Bring a ledger of files back; the exit code."""
    from ledger.restoring import restore

    manifest, epoch = restore(folder, to, os.urandom, os.environ, keys)
    show(
        f"restored {manifest.position} entries of the ledger {manifest.ledger} to {to}, as they were {manifest.made_at}"
    )
    show(
        f"It begins epoch {epoch}: answers are made anew, and whoever reads its messages reads them from the beginning."
    )
    show(
        "What was recorded after that moment is not in it. Record it again from the systems it came from; what is "
        "known is not recorded twice.\nUntil then this ledger may allow mail to somebody who has opted out since."
    )
    show(f"Now run `consent-ledger check --ledger {to}`, and make new API keys with `consent-ledger keys add`.")
    return EXIT.OK
