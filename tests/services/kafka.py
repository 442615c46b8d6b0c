"""Real Apache Kafka, one node, for the tests and the demo: jars by Maven, run by Java, ended by process id.

`broker()` is the one that serves a whole test run. A `Broker` is one's own: to be stopped, killed and
started again on the same data and the same port. A broker named by the environment is used instead of both
where a test can share.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from confluent_kafka.admin import AdminClient

from tests.services.shared import MissingError, Running, check_mark, shared
from tests.waiting import BUDGET

NAMED = "CONSENT_LEDGER_TEST_KAFKA"
"""In the environment: bootstrap servers of a broker to use instead."""

_ROOT = Path(__file__).parent.parent.parent
_POM = Path(__file__).parent / "kafka.pom.xml"
_HOST = "127.0.0.1"
_LOGGING = """\
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = CONSOLE
appender.console.type = Console
appender.console.name = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1} %m%n
"""
_SERVER = """\
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{advertised}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.quorum.voters=1@127.0.0.1:{controller}
log.dirs={data}/log
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.retention.check.interval.ms=1000
log.cleaner.backoff.ms=500
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
"""


class Broker:
    """One node of Kafka: its data, its port, and its process while it runs."""

    def __init__(self, data: Path, advertised: int | None = None) -> None:
        """`advertised`: the port of what stands before it, which clients are sent to."""
        self.data = data.resolve()
        self.port, controller = _free_ports(2)
        self.url = f"{_HOST}:{self.port}"
        self.pid: int | None = None
        self.data.mkdir(parents=True, exist_ok=True)
        (self.data / "log4j2.properties").write_text(_LOGGING)
        (self.data / "server.properties").write_text(
            _SERVER.format(port=self.port, advertised=advertised or self.port, controller=controller, data=self.data)
        )

    def start(self, seconds: float = BUDGET) -> None:
        """Start it and wait until it answers. Raises MissingError, RuntimeError with the end of its log."""
        properties = str(self.data / "server.properties")
        command = self._java(["kafka.Kafka", properties])
        check_mark()
        if not (self.data / "log").exists():
            cluster = hashlib.sha256(str(self.data).encode()).hexdigest()[:22]
            tool = ["kafka.tools.StorageTool", "format", "-t", cluster, "-c", properties]
            subprocess.run(self._java(tool), check=True, capture_output=True, timeout=seconds)
        out = (os.POSIX_SPAWN_OPEN, 1, str(self.data / "kafka.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        # Not by subprocess: the process outlives the test that happened to come first.
        self.pid = os.posix_spawn(
            command[0], command, os.environ, file_actions=[out, (os.POSIX_SPAWN_DUP2, 1, 2)], setsid=True
        )
        self._await_answer(time.monotonic() + seconds)

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a lost machine would."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop it and start it again: same data, same port."""
        self.stop()
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self.pid is not None:
            os.kill(self.pid, how)
            os.waitpid(self.pid, 0)
            self.pid = None

    def _java(self, arguments: list[str]) -> list[str]:
        java = _program("java", "Java 17 or newer (on Debian and Ubuntu: apt install openjdk-17-jre-headless)")
        logging = f"-Dlog4j2.configurationFile=file:{self.data}/log4j2.properties"
        heap = ["-Xmx512m", "-XX:+UseSerialGC", "-Djava.awt.headless=true", logging]
        return [java, *heap, "-cp", f"{jars()}/*", *arguments]

    def _await_answer(self, until: float) -> None:
        while time.monotonic() < until:
            if self.pid is not None and os.waitpid(self.pid, os.WNOHANG)[0]:
                self.pid = None
                break
            with socket.socket() as probe:
                if probe.connect_ex((_HOST, self.port)) == 0:
                    AdminClient({"bootstrap.servers": self.url}).list_topics(timeout=until - time.monotonic())
                    return
            time.sleep(0.1)
        log = self.data / "kafka.log"
        said = log.read_text(errors="replace")[-2_000:] if log.exists() else ""
        raise RuntimeError(f"Kafka did not answer on {self.url}:\n{said}")


def broker() -> str:
    """Bootstrap servers of the broker that serves this test run."""
    return os.environ.get(NAMED) or shared("kafka", _start)


def _start(folder: Path) -> Running:
    own = Broker(folder)
    own.start()
    if own.pid is None:
        raise RuntimeError("Kafka was started without a process")
    return Running(own.url, own.pid)


def jars() -> Path:
    """The folder of Kafka's jars; fetched when they are not there, by one process at a time.

    Raises MissingError when Maven is, CalledProcessError with its words when it fails.
    """
    build, held = _ROOT / "build", kept()
    stamp = held / ".of"
    wanted = hashlib.sha256(_POM.read_bytes()).hexdigest()
    build.mkdir(exist_ok=True)
    with (build / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            maven = _program("mvn", "Maven (on Debian and Ubuntu: apt install maven)")
            shutil.rmtree(held, ignore_errors=True)
            goal = ["dependency:copy-dependencies", f"-DoutputDirectory={held}", "-DincludeScope=runtime"]
            subprocess.run([maven, "-q", "-B", "-f", str(_POM), *goal], check=True, stdout=subprocess.DEVNULL)
            stamp.write_text(wanted)
    return held


def kept() -> Path:
    """Where the jars are kept from one run to the next; not there before the first."""
    return _ROOT / "build" / "kafka"


def version() -> str:
    """Of the broker that the jars make."""
    (core,) = jars().glob("kafka_2.13-*.jar")
    return core.stem.partition("-")[2]


def _program(name: str, what: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise MissingError(
            f"the tests on Kafka need `{name}`: install {what}, or name a running broker in {NAMED}=host:port"
        )
    return found


def free_port() -> int:
    """One that stays free while nobody listens there."""
    return _free_ports(1)[0]


def _free_ports(count: int) -> list[int]:
    """Free ports below those the system gives to clients.

    One of theirs would not stay free while the broker is down: a client that tries again and again to reach
    a closed port of its own machine is given that very port in the end, and is connected with itself.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            if port not in found and probe.connect_ex((_HOST, port)) != 0:
                found.append(port)
    return found
