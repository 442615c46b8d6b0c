"""What a database raises when it is away for a while: waited out, where anything else ends the program."""

from __future__ import annotations

import sqlite3

from eventsourcing.persistence import PersistenceError
from sqlalchemy.exc import DBAPIError

TROUBLE: tuple[type[Exception], ...] = (PersistenceError, DBAPIError, sqlite3.OperationalError)
