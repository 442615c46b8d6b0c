"""A folder of files that appear all together, or not at all."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from adapters.files import check_folder

_PART = ".part"


class Staging:
    """Files written beside their final names and moved there at the end, in the order they were opened.

    A run that fails leaves what an earlier run wrote. Nobody but the owner may read: mode 0700 for a
    folder made here, 0600 for every file, from its first byte (`mkstemp`).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        check_folder(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        self._parts: dict[str, Path] = {}
        self._open: list[IO[str]] = []
        self._here = os.open(folder, os.O_RDONLY)
        self._sweep()

    def __enter__(self) -> Self:
        return self

    def text(self, name: str) -> IO[str]:
        """A UTF-8 file to stream into; line ends are written as given."""
        # A name or address read with surrogates must not end a run of 250,000 rows.
        stream = os.fdopen(self._new(name), "w", encoding="utf-8", errors="backslashreplace", newline="")
        self._open.append(stream)
        return stream

    def whole(self, name: str, content: bytes) -> None:
        """A file whose bytes are known."""
        with os.fdopen(self._new(name), "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())

    def settled(self) -> list[tuple[str, Path]]:
        """Close the streams; every file so far with the path where its bytes lie now."""
        for stream in self._open:
            stream.flush()
            os.fsync(stream.fileno())
            stream.close()
        self._open.clear()
        return list(self._parts.items())

    def publish(self) -> list[Path]:
        """Move every file to its name."""
        self.settled()
        for name, part in self._parts.items():
            part.replace(self.folder / name)
        written = [self.folder / name for name in self._parts]
        self._parts.clear()
        return written

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for part in self._parts.values():
            part.unlink(missing_ok=True)
        for stream in self._open:
            with suppress(OSError):  # what a full disk did not take is given up
                stream.close()
        os.close(self._here)

    def _sweep(self) -> None:
        """Remove the parts that a killed run left: people stand in them. Not while another run writes here."""
        try:
            fcntl.flock(self._here, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for part in self.folder.glob(f".*{_PART}"):
                part.unlink(missing_ok=True)
        except BlockingIOError:
            pass
        fcntl.flock(self._here, fcntl.LOCK_SH)

    def _new(self, name: str) -> int:
        handle, part = tempfile.mkstemp(prefix=f".{name}.", suffix=_PART, dir=self.folder)
        self._parts[name] = Path(part)
        return handle
