"""A Faust worker as a process, for test_faust_on_kafka: counts the records of each key in a table.

`python -m tests.adapters.kafka.faust_counter SERVERS GROUP MEMBER FOLDER`: one line a record, appended to
FOLDER/MEMBER.txt: partition, offset, key, value, count. Made by `make_app`, with a Table beside.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import faust

from adapters.kafka.faust_app import make_app


class Count(faust.Record, serializer="json"):
    """Never a bare `dict`: recovery of such a table loops for ever."""

    count: int


async def _run(servers: str, group: str, member: str, folder: Path) -> None:
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    app = make_app(group, member, servers, session=3.0)
    source = app.topic(f"{group}-in", key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    counts = app.Table("counts", key_type=str, value_type=Count, partitions=4)
    with (folder / f"{member}.txt").open("a", buffering=1) as file:

        async def work(stream: Any) -> None:
            async for event in stream.noack().events():
                key = event.key.decode()
                held = counts.get(key)
                count = (held.count if held else 0) + 1
                counts[key] = Count(count=count)
                message = event.message
                file.write(f"{message.partition} {message.offset} {key} {event.value.decode()} {count}\n")
                await stream.ack(event)

        app.agent(source)(work)
        app.finalize()
        await app.start()
        await asked.wait()
        await app.stop()


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])))
