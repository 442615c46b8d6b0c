"""What an earlier audit wrote into a folder, kept there when the next one writes: it says what was true that day."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

EARLIER = "earlier"
_MANIFEST = "manifest.json"


class _File(msgspec.Struct):
    name: str


class _Manifest(msgspec.Struct):
    at: datetime
    files: list[_File]


@contextmanager
def keeping_earlier(folder: Path) -> Iterator[list[Path]]:
    """Keep the files of the audit in a folder while another is written there.

    Yields a list that holds, at the end, where they are; empty: there were none, or the new ones are the same to
    the byte. A run that fails leaves them where they were, and nothing beside them.
    """
    places: list[Path] = []
    manifest = _manifest_of(folder)
    if manifest is None:
        yield places
        return
    kept = _free_place(folder / EARLIER, f"{manifest.at.astimezone(UTC):%Y-%m-%dT%H-%M-%SZ}")
    kept.parent.mkdir(mode=0o700, exist_ok=True)
    kept.mkdir(mode=0o700)
    names = [_MANIFEST, *(Path(one.name).name for one in manifest.files)]
    try:
        for name in names:
            if (folder / name).is_file():
                _same_file(folder / name, kept / name)
        yield places
    except BaseException:
        _remove(kept)
        raise
    if all(filecmp.cmp(path, folder / path.name, shallow=False) for path in kept.iterdir()):
        _remove(kept)
    else:
        places.append(kept)


def _manifest_of(folder: Path) -> _Manifest | None:
    """The manifest of the audit in a folder; None where there is none that can be read."""
    try:
        return msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=_Manifest)
    except (OSError, msgspec.MsgspecError):
        return None


def _free_place(parent: Path, name: str) -> Path:
    number, place = 2, parent / name
    while place.exists():
        place = parent / f"{name}-{number}"
        number += 1
    return place


def _same_file(path: Path, other: Path) -> None:
    """A second name of a file, which stays when the first is replaced; a copy where there can be none."""
    try:
        os.link(path, other)
    except OSError:
        shutil.copy2(path, other)


def _remove(kept: Path) -> None:
    shutil.rmtree(kept)
    if not any(kept.parent.iterdir()):
        kept.parent.rmdir()
