"""Exceptions to one clear line and an exit code. What is not listed here is a bug and keeps its traceback."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable

from adapters.cli.options import EXIT, show

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_PLACES = {
    **dict.fromkeys(_FULL, EXIT.TEMPORARY),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), EXIT.ERROR),
    **dict.fromkeys((errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.EEXIST), EXIT.ERROR),
    errno.ENOENT: EXIT.UNREADABLE,
}
"""What is wrong with a file or a disk rather than with the program, and the exit code of each."""


def explained(run: Callable[[], object]) -> int:
    """Run the command line; the exit code."""
    try:
        run()
    except KeyboardInterrupt:
        show("stopped; what was recorded so far is kept, and the same command goes on from there")
        return EXIT.INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has gone: nothing is left to say
        return EXIT.OK
    except Exception as error:
        code = _code(error)
        if code is None:
            raise
        show(_said(error))
        return code
    return EXIT.OK


def _away() -> tuple[type[Exception], ...]:
    """What a database raises that does not answer now, and may later."""
    from eventsourcing.persistence import OperationalError
    from sqlalchemy.exc import OperationalError as Wrapped

    psycopg = sys.modules.get("psycopg")  # loaded where a database is named
    return (OperationalError, Wrapped) if psycopg is None else (OperationalError, Wrapped, psycopg.OperationalError)


def _refused() -> tuple[type[Exception], ...]:
    """What HubSpot's client raises for a call that is not allowed; it is loaded where HubSpot is asked."""
    client = sys.modules.get("adapters.hubspot.api.client")
    return () if client is None else (client.RefusedError,)


def _said(error: Exception) -> str:
    """The text of an error; of a database's, what the database said, and where to look."""
    from ledger.codec import BrokenEntryError
    from ledger.damage import ADVICE

    if _is_taken(error):
        return "another process listens on that port: end it, or name another port"
    if isinstance(error, BrokenEntryError):
        return f"the log is damaged: it holds an entry that cannot be read ({error}). {ADVICE}"
    if isinstance(error, OSError) and error.errno in _PLACES:
        where, why = error.filename or "a file", (error.strerror or str(error)).lower()
        if error.errno in _FULL:
            return (
                f"{where} cannot be written: {why}. Make room, and run the same command again: nothing recorded is lost"
            )
        return f"{where} cannot be opened or written: {why}. Check the path and the permissions"
    if not isinstance(error, _away()):
        return str(error)
    said = str(getattr(error, "orig", error)).strip()
    if not said.startswith("connection failed"):
        return said
    return f"{said}\nSee whether the server runs there, and whether it has that database and lets that role in."


def _is_taken(error: Exception) -> bool:
    """Whether a port is in use that was to be listened on."""
    return isinstance(error, OSError) and error.errno == errno.EADDRINUSE


def _code(error: Exception) -> EXIT | None:
    """The exit code of an error made for people; None for any other."""
    from adapters.files import UnwritableError
    from adapters.identification import UnknownPersonError
    from adapters.receiving import AwayError
    from adapters.sent_mail import NoSuchMailError
    from adapters.settings import SettingsError
    from adapters.tabular import UnreadableInput
    from adapters.web.keys import KeysError
    from ledger.backups import BackupError, PlaceError
    from ledger.codec import BrokenEntryError, EntryError
    from ledger.commands import CommandRefusedError
    from ledger.damage import DamagedError
    from ledger.database import DurabilityError, SetupError
    from ledger.keys import KeyFileError
    from ledger.opening import NoLedgerError
    from ledger.policy.cases import CaseError
    from ledger.policy.rules import PolicyError
    from ledger.stores import StoresError

    if _is_taken(error):
        return EXIT.ERROR
    connections = sys.modules.get("adapters.web.connections")  # loaded where the service is run
    if isinstance(error, OSError) and error.errno in _PLACES:
        return _PLACES[error.errno]
    known: list[tuple[type[Exception], EXIT]] = [
        (UnreadableInput, EXIT.UNREADABLE),
        (UnwritableError, EXIT.ERROR),
        (UnknownPersonError, EXIT.ERROR),
        (NoSuchMailError, EXIT.ERROR),
        (DamagedError, EXIT.VERIFICATION),
        (BackupError, EXIT.VERIFICATION),
        (PlaceError, EXIT.ERROR),
        (BrokenEntryError, EXIT.VERIFICATION),
        (EntryError, EXIT.ERROR),
        (CommandRefusedError, EXIT.ERROR),
        (DurabilityError, EXIT.ERROR),
        (SetupError, EXIT.ERROR),
        (KeyFileError, EXIT.ERROR),
        (NoLedgerError, EXIT.ERROR),
        (StoresError, EXIT.VERIFICATION),
        (KeysError, EXIT.ERROR),
        (PolicyError, EXIT.ERROR),
        (CaseError, EXIT.UNREADABLE),
        *(((connections.FilesError, EXIT.ERROR),) if connections else ()),
        *((kind, EXIT.TEMPORARY) for kind in _away()),
        (AwayError, EXIT.TEMPORARY),
        *((kind, EXIT.ERROR) for kind in _refused()),
        (SettingsError, EXIT.USAGE),
        (LookupError, EXIT.ERROR) if type(error) is LookupError else (FileNotFoundError, EXIT.UNREADABLE),
    ]
    return next((code for kind, code in known if isinstance(error, kind)), None)
