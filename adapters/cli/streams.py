"""`consent-ledger streams`: the topics on Kafka, and the workers that follow them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from adapters.cli.options import EXIT, Flag, JsonOut, LedgerDir, open_house, out, show

if TYPE_CHECKING:
    from adapters.kafka.worker import Work
    from adapters.logs import Lines
    from adapters.settings import Settings

app = typer.Typer(help="The topics on Kafka, and the workers that follow them.", no_args_is_help=True)

Which = Literal["mirror", "facts", "crm"]


def broker_settings() -> tuple[Settings, str]:
    """The settings, and the bootstrap servers they name. Ends the command when they name none."""
    from importlib.util import find_spec

    from adapters.settings import Settings

    if find_spec("confluent_kafka") is None or find_spec("faust") is None:
        show("this needs the packages for Kafka: pip install 'consent-ledger[streams]'")
        raise typer.Exit(EXIT.ERROR)
    settings = Settings.read(os.environ)
    if settings.kafka is None:
        show("no broker is named: set CONSENT_LEDGER_KAFKA=host:port[,host:port]")
        raise typer.Exit(EXIT.ERROR)
    return settings, settings.kafka


@contextmanager
def kafka_told(servers: str) -> Iterator[None]:
    """Kafka's errors become one line and an exit code that says: try again."""
    from confluent_kafka import KafkaException

    try:
        yield
    except KafkaException as error:
        show(f"Kafka at {servers} (CONSENT_LEDGER_KAFKA): {error.args[0].str()}")
        raise typer.Exit(EXIT.TEMPORARY) from None


@app.command()
def setup(
    alter: Annotated[bool, Flag("--alter", help="mend settings that differ; partitions are never changed")] = False,
    replication: Annotated[int, typer.Option(help="copies of each topic; -1: as the broker is set up")] = -1,
    json: JsonOut = False,
) -> None:
    """Make the topics that are missing, and say of the others whether they are as they should be.

    CONSENT_LEDGER_KAFKA names the broker.
    """
    import msgspec

    settings, servers = broker_settings()
    with kafka_told(servers):
        from adapters.kafka.admin import setup as setup_topics

        findings = setup_topics(servers, settings.topic_prefix, alter=alter, replication=replication)
    if json:
        listed = [
            {"topic": found.topic, "what": found.what, "differences": [one._asdict() for one in found.differences]}
            for found in findings
        ]
        out(msgspec.json.format(msgspec.json.encode(listed), indent=2))
    else:
        for found in findings:
            out(f"{found.what:8} {found.topic}".encode())
            for setting, held, wanted in found.differences:
                was = "was" if found.what == "mended" else "is"
                out(f"         {setting} {was} {held or 'unset'}, wanted {wanted}".encode())
    raise typer.Exit(EXIT.FINDINGS if any(found.what == "differs" for found in findings) else EXIT.OK)


@app.command()
def worker(
    which: Annotated[
        Which,
        typer.Argument(
            help="mirror: a table of the answers; facts: take what others submit; crm: keep HubSpot in step"
        ),
    ],
    apply: Annotated[bool, Flag("--apply", help="crm: write; without it, only say what would be written")] = False,
    ledger: LedgerDir = None,
) -> None:
    """Follow a topic until SIGTERM. Several of one kind share its partitions.

    CONSENT_LEDGER_KAFKA names the broker. The mirror needs CONSENT_LEDGER_MIRROR_URL and no ledger, crm
    CONSENT_LEDGER_HUBSPOT_TOKEN.
    CONSENT_LEDGER_METRICS_PORT serves /livez, /readyz and /metrics.
    """
    import time
    import uuid

    settings, servers = broker_settings()
    from adapters import logs
    from adapters.kafka.quiet import keep_quiet
    from adapters.kafka.worker import Member, run
    from adapters.wiring import now

    lines = logs.to_stdout(now)
    logs.take_over(lines)
    keep_quiet(time.monotonic)
    with ExitStack() as stack:
        if which == "mirror":
            work = _mirror(stack, settings)
        elif which == "facts":
            work = _facts(stack, settings, ledger)
        else:
            work = _crm(stack, settings, ledger, apply, lines)
        member = Member(
            f"{work.group}-{uuid.uuid4()}",
            servers,
            settings.http_host,
            settings.metrics_port,
            settings.worker_session,
            settings.worker_stuck_after,
        )

        def started(port: int | None) -> None:
            lines.write("info", "worker.follows", topic=work.topic, group=work.group, host=member.host, port=port)

        code = run(work, member, started)
        lines.write("info", "worker.ended", group=work.group)
    raise typer.Exit(code)


def _mirror(stack: ExitStack, settings: Settings) -> Work:
    from adapters.kafka.mirror import AWAY, Mirror, mirroring
    from adapters.kafka.topics import STATUS, STATUS_DLQ, named
    from adapters.kafka.worker import Work
    from adapters.wiring import now

    if settings.mirror_url is None:
        show("no database for the mirror is named: set CONSENT_LEDGER_MIRROR_URL, such as sqlite:////var/lib/m.db")
        raise typer.Exit(EXIT.ERROR)
    prefix = settings.topic_prefix
    mirror = stack.enter_context(closing(Mirror(settings.mirror_url)))
    handle = mirroring(mirror, named(STATUS_DLQ, prefix), now)
    return Work(f"{prefix}consent-ledger-mirror", named(STATUS, prefix), handle, AWAY)


def _facts(stack: ExitStack, settings: Settings, ledger: Path | None) -> Work:
    from adapters.kafka.facts_in import taking
    from adapters.kafka.topics import FACTS, named, since_restored
    from adapters.kafka.worker import Work
    from adapters.wiring import now

    prefix = settings.topic_prefix
    house = stack.enter_context(open_house(ledger))
    handle = taking(house, prefix, now)
    group = f"{prefix}consent-ledger-facts{since_restored(house.ledger.epoch)}"
    return Work(group, named(FACTS, prefix), handle, house.away)


def _crm(stack: ExitStack, settings: Settings, ledger: Path | None, apply: bool, lines: Lines) -> Work:
    from adapters.cli.hubspot_sync import hubspot_keeper
    from adapters.kafka.crm import MOST, keeping
    from adapters.kafka.topics import STATUS, named, since_restored
    from adapters.kafka.worker import Work
    from adapters.receiving import AwayError
    from adapters.wiring import now

    def told(method: str, path: str, count: int) -> None:
        lines.write("info", "crm.would", method=method, route=path, count=count)

    prefix = settings.topic_prefix
    house = stack.enter_context(open_house(ledger))
    keeper = stack.enter_context(hubspot_keeper(house, settings, apply, told))
    # A group of its own for the dry run: what was only looked at is still to be written.
    group = f"{prefix}consent-ledger-crm{'' if apply else '-dry-run'}{since_restored(house.ledger.epoch)}"
    handle = keeping(keeper, house.ledger.id, prefix, now, house.ledger.epoch)
    return Work(group, named(STATUS, prefix), handle, (*house.away, AwayError), MOST)
