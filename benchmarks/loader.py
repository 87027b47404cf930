"""How fast the loader takes events from the inbox into the lake, each of them once.

`python -m benchmarks.loader 400000` fills the inbox of a folder of its own with
batches of 100 events, loads them, and then the same events again, all of which the
lake has by then. CPU seconds beside the clock tell what the loads cost where other
work shares the machine. Memory is the most the process held so far, and what it
held before it began.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perennial.apps.intake.models import Source

EVENTS = 100
USERS = 20_000
ACCOUNTS = 500
NAMES = 40
PIECE = 200


def main() -> None:
    found = argparse.ArgumentParser(prog="python -m benchmarks.loader")
    found.add_argument("events", type=int, nargs="?", default=400_000)
    events = found.parse_args().events
    folder = Path(tempfile.mkdtemp(prefix="perennial-bench-"))
    try:
        measure(folder, events)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(folder: Path, events: int) -> None:
    from perennial.config.start import setup

    setup(folder, migrate=True)
    from perennial.apps.intake.models import Source
    from perennial.apps.intake.stream import loader
    from perennial.apps.team.actions import create_workspace

    source = Source.objects.create(workspace=create_workspace("default"), name="App")
    loader.share_cores()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before\n")
    print(
        f"| {events:,} events | events/s | CPU s per 100,000 | new | known "
        "| most MB, before – after | load |\n"
        "| --- | --- | --- | --- | --- | --- | --- |"
    )
    for name in ("new", "again"):
        fill(source, events)
        report(name, source, events)


def report(name: str, source: Source, events: int) -> None:
    from perennial.apps.intake.stream import loader

    before = peak()
    began, cpu = time.perf_counter(), time.process_time()
    loaded = loader.drain(source.workspace)
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    assert loaded.events + loaded.known == events, loaded
    print(
        f"| {name} | {events / seconds:,.0f} | {cpu / events * 100_000:.2f} "
        f"| {loaded.events:,} | {loaded.known:,} | {before:.0f} – {peak():.0f} "
        f"| {os.getloadavg()[0]:.1f} |",
        flush=True,
    )


def fill(source: Source, events: int) -> None:
    """The same events each time it is called."""
    from perennial.apps.intake.models import Batch

    random, now = Random(1), datetime.now(UTC)
    rows = []
    for start in range(0, events, EVENTS):
        body = request(random, now, min(EVENTS, events - start))
        row = Batch(source=source, call="batch", received_at=now, body=body)
        row.size = len(body)
        rows.append(row)
        if len(rows) == PIECE:
            Batch.objects.bulk_create(rows)
            rows = []
    Batch.objects.bulk_create(rows)


def request(random: Random, now: datetime, size: int) -> bytes:
    batch = [event(random, now) for _ in range(size)]
    return json.dumps({"batch": batch, "sentAt": now.isoformat()}).encode()


def event(random: Random, now: datetime) -> dict[str, object]:
    """As the Python library sends it, of about 590 bytes."""
    number = random.randrange(1_000_000)
    return {
        "type": "track",
        "event": f"Event {number % NAMES}",
        "messageId": str(uuid.UUID(int=random.getrandbits(128), version=4)),
        "userId": f"user-{random.randrange(USERS)}",
        "anonymousId": None,
        "timestamp": now.isoformat(),
        "integrations": {},
        "context": {
            "groupId": f"account-{number % ACCOUNTS}",
            "library": {"name": "analytics-python", "version": "2.4.0"},
            "page": {"path": "/reports", "url": "https://app.example.com/reports"},
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
            "locale": "en-US",
        },
        "properties": {"plan": "pro", "number": number, "title": "t" * 60},
    }


def peak() -> float:
    """Megabytes the process held at most; Linux."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
