"""Files that are there whole or not at all, and leave nothing half written behind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class UnwritableError(Exception):
    """A place where nothing can be written, with what to do instead."""


@contextmanager
def replacing(path: Path, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """A file to write beside its name; moved there when whole, removed when anything fails.

    What a process that was killed left there is written over by the next. Raises UnwritableError, OSError.
    """
    _check_name(path)
    part = path.with_name(f".{path.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, mode), "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file whose bytes are known; see `replacing`."""
    with replacing(path, mode) as file:
        file.write(content)


def check_file(path: Path) -> None:
    """Raise UnwritableError where no file can be written by this name: before long work, not after it."""
    _check_name(path)
    if not path.exists():
        _check_place(path.parent)


def check_folder(path: Path) -> None:
    """Raise UnwritableError where no folder can be made by this name, for the same reason."""
    first = next((part for part in (path, *path.parents) if part.exists()), path)
    if not first.is_dir():
        raise UnwritableError(f"{first} is a file, not a folder: name another folder")
    _check_place(first)


def _check_name(path: Path) -> None:
    if path.is_dir():
        raise UnwritableError(f"{path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise UnwritableError(f"there is no folder {path.parent}: make it, or name another file")


def _check_place(folder: Path) -> None:
    """Raise UnwritableError for a folder that takes no file. It is tried: permissions alone do not tell."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise UnwritableError(f"nothing can be written in {folder} ({why}): name another folder") from error
