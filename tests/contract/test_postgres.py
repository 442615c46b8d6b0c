"""What PostgreSQL alone promises: grants and triggers, durability, a server that is killed, a listener."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest
import sqlalchemy as sa
from eventsourcing.persistence import IntegrityError, OperationalError, StoredEvent

from ledger import setting_up
from ledger.application import Fact, Ledger
from ledger.checking.whole import check_stores
from ledger.damage import DamagedError
from ledger.database import DurabilityError, SetupError, open_database
from ledger.events import OptedIn
from ledger.keys import Keys
from ledger.log import Log
from ledger.migrations import HEAD
from ledger.opening import NoLedgerError
from ledger.stores import StoresError
from ledger.vault import Registration
from tests.contract.conftest import now
from tests.contract.test_log_contract import draft
from tests.ledgers import open_ledger
from tests.services import postgres
from tests.services.postgres import WRITER, Fresh, Server, driver_of, own_server
from tests.waiting import BUDGET, join, until

pytestmark = pytest.mark.service

CHANGES = (
    "UPDATE log.entry SET topic = 'x' WHERE position = 1",
    "DELETE FROM log.entry WHERE position = 3",
    "DELETE FROM log.entry",
    "TRUNCATE log.entry",
    "TRUNCATE log.entry CASCADE",
    "UPDATE log.document SET bytes = ''",
    "DELETE FROM log.document",
    "TRUNCATE log.document",
)
GAPS = (
    *(
        f"INSERT INTO log.entry SELECT {position}, decode(repeat('00', 16), 'hex'), 1, NULL, topic, state "  # noqa: S608
        "FROM log.entry LIMIT 1"
        for position in (5, 3, 0, -1)
    ),
    "INSERT INTO log.entry SELECT 4, stream, version, NULL, topic, state FROM log.entry WHERE position = 1",
    "INSERT INTO log.entry SELECT position, stream, version, NULL, 'x', state FROM log.entry WHERE position = 1 "
    "ON CONFLICT (position) DO UPDATE SET topic = 'x'",
)
POWERS = (
    "UPDATE log.head SET position = 0",
    "DELETE FROM log.head",
    "ALTER TABLE log.entry DISABLE TRIGGER ALL",
    "DROP TABLE log.entry",
    "CREATE TABLE log.other (a int)",
    "UPDATE public.consent_ledger_version SET version_num = 'x'",
    "SET session_replication_role = replica",
    "DELETE FROM vault.suppression",
    "UPDATE vault.suppression SET since = '9999'",
    "DELETE FROM vault.contact_key",
    "UPDATE vault.identity SET ledger = 'x'",
    "UPDATE vault.store SET changes = 0",
    "UPDATE log.store SET ledger = 'x'",
    "DELETE FROM log.store",
)


@pytest.fixture
def database() -> Iterator[Fresh]:
    with postgres.fresh() as made:
        yield made


def filled(database: Fresh) -> list[tuple[int, int, bytes]]:
    with Log.make(database.url, now) as log:
        log.append([draft(sid=os.urandom(16)) for _ in range(3)])
        log.put_document(b"Yes, send me news.")
        return list(log.entries())


@pytest.mark.parametrize("statement", [*CHANGES, *GAPS, *POWERS])
def test_the_writer_cannot_change_what_is_written(database: Fresh, statement: str) -> None:
    """By its grants, and where it may insert, by what checks every row. Any client, no program of ours."""
    before = filled(database)
    with driver_of(database.url) as client, pytest.raises(psycopg.Error):
        client.execute(statement)
    with Log.make(database.url, now) as log:
        assert list(log.entries()) == before
        assert log.append([draft()])[0].position == 4


@pytest.mark.parametrize("statement", [*CHANGES, *GAPS])
def test_not_even_the_owner_changes_it_by_mistake(database: Fresh, statement: str) -> None:
    """The triggers hold for everybody; who owns the tables could take them off, and is not used at run time."""
    before = filled(database)
    with driver_of(database.owner_url) as client, pytest.raises(psycopg.Error):
        client.execute(statement)
    with Log.make(database.url, now) as log:
        assert list(log.entries()) == before


def test_the_owner_is_refused_at_run_time(database: Fresh) -> None:
    with pytest.raises(SetupError, match="may change the log"):
        Log.make(database.owner_url, now)


@pytest.mark.parametrize(("name", "value"), [("synchronous_commit", "off"), ("synchronous_commit", "local")])
def test_less_than_full_durability_is_refused(database: Fresh, name: str, value: str) -> None:
    with driver_of(database.owner_url) as client:
        client.execute(f"ALTER ROLE {WRITER} IN DATABASE {sa.make_url(database.url).database} SET {name} = {value}")
    with pytest.raises(DurabilityError, match=f"{name}={value}"):
        Log.make(database.url, now)


def test_a_server_without_fsync_is_refused() -> None:
    with (
        own_server(fsync="off") as server,
        postgres.fresh(server.url) as made,
        pytest.raises(DurabilityError, match="fsync=off"),
    ):
        Log.make(made.url, now)


def test_setting_up_again_changes_nothing_and_an_empty_database_is_told_apart(database: Fresh) -> None:
    before = filled(database)
    assert setting_up.upgrade(database.owner_url, WRITER) == (HEAD, HEAD)
    with Log.make(database.url, now) as log:
        assert list(log.entries()) == before
    with pytest.raises(SetupError, match="no role"):
        setting_up.upgrade(database.owner_url, "nobody_at_all")
    empty = sa.make_url(database.owner_url).set(database="postgres").render_as_string(hide_password=False)
    with pytest.raises(SetupError, match="database upgrade"):
        Log.make(empty, now)
    with driver_of(database.owner_url) as client:
        client.execute("UPDATE public.consent_ledger_version SET version_num = '9999'")
    with pytest.raises(SetupError, match="version 9999"):
        Log.make(database.url, now)


def test_a_role_that_may_make_no_schema_is_told_who_can_let_it(database: Fresh) -> None:
    tables = sa.MetaData()
    sa.Table("thing", tables, sa.Column("id", sa.Integer, primary_key=True))
    name = psycopg.sql.Identifier(database.url.rpartition("/")[2])
    role = psycopg.sql.Identifier(WRITER)
    with driver_of(database.owner_url) as client:
        client.execute(psycopg.sql.SQL("REVOKE CREATE ON DATABASE {} FROM {}").format(name, role))
        client.execute("CREATE SCHEMA not_ours")
    for part in ("not_there", "not_ours"):
        with pytest.raises(SetupError, match=rf"{part} .*database upgrade"):
            open_database(database.url, part, tables)
    assert setting_up.upgrade(database.owner_url, WRITER) == (HEAD, HEAD)
    open_database(database.url, "not_there", tables).close()


def test_a_database_belongs_to_one_key(database: Fresh, tmp_path: Path) -> None:
    for _ in range(2):
        open_ledger(tmp_path / "one", now, os.urandom, {}, database.url).close()
    assert misfit(tmp_path / "one", database) is None
    (tmp_path / "other").mkdir()
    Keys.make(tmp_path / "other" / "keys", os.urandom, {})
    assert misfit(tmp_path / "other", database) == ("keys", "keys")
    assert misfit(tmp_path / "none", database) == ("keys", "missing")


def misfit(home: Path, database: Fresh) -> tuple[str, str] | None:
    """(store, how) of what does not fit when the ledger is opened."""
    try:
        Ledger.open(home, now, os.urandom, {}, database.url).close()
    except StoresError as error:
        (found,) = error.misfits
        return found.store, found.kind
    return None


def test_a_database_without_a_ledger_is_not_begun_by_opening(database: Fresh, tmp_path: Path) -> None:
    Keys.make(tmp_path / "keys", os.urandom, {})
    with pytest.raises(NoLedgerError, match="consent-ledger init"):
        Ledger.open(tmp_path, now, os.urandom, {}, database.url)


def register(ledger: Ledger, email: str) -> None:
    """A person, and a fact with a payload."""
    (person,) = ledger.register_many([Registration(email, "crm", None)])
    fact = OptedIn(stream=person.contact, source="crm", address=person.address, channels=("email",))
    ledger.record(Fact(fact, None, {"ip": "203.0.113.9"}))


@pytest.mark.parametrize("schema", ["vault", "log"])
def test_a_schema_that_was_restored_without_the_other_is_known(database: Fresh, tmp_path: Path, schema: str) -> None:
    tables = {"vault": ("contact_key", "address", "payload", "store"), "log": ("entry", "head", "store")}[schema]
    with open_ledger(tmp_path, now, os.urandom, {}, database.url) as ledger:
        register(ledger, "one@example.org")
        with driver_of(database.owner_url) as owner:
            for table in tables:
                owner.execute(f"CREATE TABLE public.kept_{table} AS SELECT * FROM {schema}.{table}")  # noqa: S608
        register(ledger, "two@example.org")
        register(ledger, "three@example.org")
    assert misfit(tmp_path, database) is None
    with driver_of(database.owner_url) as owner:
        owner.execute("SET session_replication_role = replica")
        for table in tables:
            owner.execute(f"DELETE FROM {schema}.{table}")  # noqa: S608
            names = ", ".join(
                row[0]
                for row in owner.execute(
                    "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
                    "AND is_identity = 'NO'",
                    (schema, table),
                )
            )
            owner.execute(f"INSERT INTO {schema}.{table} ({names}) SELECT {names} FROM public.kept_{table}")  # noqa: S608
    assert misfit(tmp_path, database) == (schema, "older")


def test_single_appends_and_batches_share_versions_moments_and_sids(database: Fresh) -> None:
    """One entry goes by a function of the database, many by COPY: nobody can tell which."""
    stream, sid = "5a3a5f3c-4f05-4d0d-9f65-0a3f3f6a6d10", os.urandom(16)
    with Log.make(database.url, now) as log, Log.make(database.url, now) as other:
        places = log.append([draft(stream)])
        places += log.append([draft(stream), draft(stream, sid)])
        places += other.append([draft(stream)])
        places += log.append([draft(stream, sid)])
        places += log.append([draft(stream), draft(stream)])
    assert [(one.position, one.version, one.fresh) for one in places] == [
        (1, 1, True),
        (2, 2, True),
        (3, 3, True),
        (4, 4, True),
        (3, 3, False),
        (5, 5, True),
        (6, 6, True),
    ]
    moments = [one.recorded_at for one in places if one.recorded_at]
    assert moments == sorted(moments)


def test_a_lock_that_was_not_had_leaves_no_transaction_open(database: Fresh) -> None:
    """An operator's lock_timeout ends the wait: the append fails, and the next one works."""
    with driver_of(database.owner_url) as client:
        client.execute(f"ALTER ROLE {WRITER} IN DATABASE {sa.make_url(database.url).database} SET lock_timeout = 100")
    with Log.make(database.url, now) as log, driver_of(database.owner_url) as elsewhere:
        log.append([draft(), draft()])
        with elsewhere.transaction():
            elsewhere.execute("SELECT 1 FROM log.head FOR UPDATE")
            with pytest.raises(OperationalError, match="lock timeout"):
                log.append([draft(), draft()])
        assert [place.position for place in log.append([draft(), draft()])] == [3, 4]


def test_an_append_elsewhere_is_announced(database: Fresh) -> None:
    """By NOTIFY: who waits for a position that never comes is woken all the same."""
    with Log.make(database.url, now) as log, Log.make(database.url, now) as other:
        waiting = Thread(target=log.wait, args=(1_000_000, 10 * BUDGET), daemon=True)
        waiting.start()

        def woken() -> bool:
            other.append([draft()])  # again and again: at first nobody listens yet
            return not waiting.is_alive()

        until(woken, pause=0.2)


def test_a_killed_server_loses_nothing_it_acknowledged() -> None:
    """SIGKILL to the whole cluster while four writers append, again and again; the same logs go on afterwards."""
    with own_server() as server, postgres.fresh(server.url) as made, Log.make(made.url, now) as log:
        acknowledged: set[int] = set()
        for cycle in range(int(os.environ.get("CONSENT_LEDGER_KILLS", "5"))):
            acknowledged |= _append_until_killed(log, server, 0.05 + 0.07 * (cycle % 5))
            server.start()
            positions = [row[0] for row in _patiently(log)]
            assert positions == list(range(1, len(positions) + 1))
            assert acknowledged <= set(positions)
        assert len(acknowledged) > 20
        assert log.append([draft()])[0].fresh
        with suppress(IntegrityError):
            log.insert_events([StoredEvent(os.urandom(16).hex(), 1, "t", b"s")])


def _append_until_killed(log: Log, server: Server, seconds: float) -> set[int]:
    acknowledged: set[int] = set()

    def work(size: int) -> None:
        with suppress(OperationalError):
            while True:
                acknowledged.update(place.position for place in log.append([draft() for _ in range(size)]))

    threads = [Thread(target=work, args=(size,)) for size in (1, 1, 3, 40)]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    server.kill()
    for thread in threads:
        thread.join()
    return acknowledged


def _patiently(log: Log) -> list[tuple[int, int, bytes]]:
    """Connections that broke are found out one by one."""
    for _ in range(20):
        with suppress(OperationalError):
            return list(log.entries())
    return list(log.entries())


@pytest.mark.parametrize("how", ["emptied", "put back"])
def test_a_vault_that_is_emptied_or_put_back_while_it_is_open_makes_nobody_known_anew(
    database: Fresh, tmp_path: Path, how: str
) -> None:
    """Who said no would be entered as somebody who never did, and a yes of before would count."""
    with open_ledger(tmp_path, now, os.urandom, {}, database.url) as ledger:
        ledger.register_many([Registration("ana@example.org", "t", None)])
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            if how == "emptied":
                names = owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'vault'").fetchall()
                owner.execute(f"TRUNCATE {', '.join(f'vault.{name}' for (name,) in names)} CASCADE")
            else:
                owner.execute("UPDATE vault.store SET changes = changes - 1")
        for _ in range(2):
            with pytest.raises(DamagedError, match="emptied or put back while it was open"):
                ledger.register_many([Registration("ana@example.org", "t", None)])


def test_changes_by_several_at_once_are_no_damage(database: Fresh, tmp_path: Path) -> None:
    """Each knows of the others' changes by what the vault says of itself, never of more."""
    failed: list[Exception] = []

    def register(ledger: Ledger, number: int) -> None:
        try:
            for turn in range(30):
                ledger.register_many([Registration(f"person{number}.{turn}@example.org", "t", None)])
        except Exception as error:  # noqa: BLE001 - shown below
            failed.append(error)

    with (
        open_ledger(tmp_path, now, os.urandom, {}, database.url) as one,
        open_ledger(tmp_path, now, os.urandom, {}, database.url) as other,
    ):
        threads = [Thread(target=register, args=(ledger, number)) for number in range(4) for ledger in (one, other)]
        for thread in threads:
            thread.start()
        join(*threads)
    assert failed == []


def test_a_log_whose_head_is_gone_takes_nothing_and_a_check_says_so(database: Fresh, tmp_path: Path) -> None:
    with open_ledger(tmp_path, now, os.urandom, {}, database.url) as ledger:
        ((who),) = ledger.register_many([Registration("ana@example.org", "t", None)])
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            owner.execute("ALTER TABLE log.head DISABLE TRIGGER USER")
            owner.execute("TRUNCATE log.head")
        fact = Fact(OptedIn(stream=who.contact, source="t", address=who.address))
        for record in (ledger.record, lambda one: ledger.record_many([one])):
            with pytest.raises(DamagedError, match="how far it has come"):
                record(fact)
        found = check_stores(database.url, database.url, None).findings
    assert any("last entry is gone" in one.text for one in found)


@pytest.mark.parametrize("rows", [1, 3, 20_000])
def test_a_connection_that_ended_in_the_midst_of_a_write_is_left(database: Fresh, rows: int) -> None:
    """Else whoever lost it once would refuse every write from then on."""
    made = [("n" * 200, number, bytes(32), bytes(32)) for number in range(rows)]
    with closing(open_database(database.url, "vault", sa.MetaData(), (), make=False)) as vault:
        for _ in range(3):
            with suppress(psycopg.OperationalError), vault.writing() as driver:
                terminate_others(database)
                driver.executemany("INSERT INTO tally (name, rows, digest, mac) VALUES (?, ?, ?, ?)", made)
                pytest.fail("it was written by a connection that had ended")
            with vault.writing() as driver:
                assert driver.execute("SELECT 1").fetchone() == (1,)


def test_writers_whose_connections_are_ended_go_on(database: Fresh, tmp_path: Path) -> None:
    """By several threads, in the midst of whatever they do; what was acknowledged is there, and the last of all too."""
    acknowledged: set[str] = set()
    over = Event()

    def register(ledger: Ledger, number: int) -> None:
        turn = 0
        while not over.is_set():
            turn += 1
            email = f"person{number}.{turn}@example.org"
            with suppress(OperationalError, psycopg.OperationalError):
                (who,) = ledger.register_many([Registration(email, "t", None)])
                ledger.record_many([Fact(OptedIn(stream=who.contact, source="t", address=who.address))] * 3)
                acknowledged.add(email)

    with open_ledger(tmp_path, now, os.urandom, {}, database.url) as ledger:
        threads = [Thread(target=register, args=(ledger, number)) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(40):
                terminate_others(database)
                time.sleep(0.05)
            for _ in threads:
                more = len(acknowledged) + 1
                until(lambda more=more: len(acknowledged) >= more, lambda: "nobody writes any more")  # type: ignore[misc]
        finally:
            over.set()
            join(*threads)
        for email in acknowledged:
            assert ledger.vault.find_address(email) is not None


def terminate_others(database: Fresh) -> None:
    """End every other connection to the database, as an administrator or a proxy does."""
    with psycopg.connect(database.owner_url, autocommit=True) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.parametrize("table", ["vault.suppression", "vault.meeting", "vault.tally", "log.document", "log.head"])
def test_a_database_of_which_a_table_is_gone_is_not_opened(database: Fresh, tmp_path: Path, table: str) -> None:
    open_ledger(tmp_path, now, os.urandom, {}, database.url).close()
    with driver_of(database.owner_url) as owner:
        owner.execute(f"DROP TABLE {table} CASCADE")
    with pytest.raises(SetupError, match=f"missing: {table}"):
        Ledger.open(tmp_path, now, os.urandom, {}, database.url)
    with pytest.raises(SetupError, match=f"missing: {table}"):
        check_stores(database.url, database.url, None)
