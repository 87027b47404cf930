"""What intake takes over HTTP, all of it durable, with client and server on one
machine.

`python -m benchmarks.intake` starts `perennial serve --web-only` in a folder of its
own and measures batches of 100 events and single events. What a commit costs on this
disk is measured beside it: read the numbers together. `--drain` takes the rows out of
the inbox all the while, as the loader does: for long runs, which show the memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

EVENTS = 100
VARIANTS = 32
WARM_UP_S = 2.0
FLUSHES_S = 2.0


def main() -> None:
    arguments = parser().parse_args()
    folder = Path(tempfile.mkdtemp(prefix="perennial-bench-"))
    try:
        print(machine(folder))
        with server(folder) as (port, key), drained(folder, arguments.drain):
            measure(folder, port, key, arguments.seconds, arguments.connections)
        print(machine(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="python -m benchmarks.intake")
    found.add_argument("--seconds", type=float, default=10.0)
    found.add_argument("--connections", type=int, default=48)
    found.add_argument("--drain", action="store_true")
    return found


def measure(
    folder: Path, port: int, key: str, seconds: float, connections: int
) -> None:
    print(
        f"\n| {connections} connections, {seconds:g} s each | events/s | requests/s "
        "| p50 ms | p99 ms | other answers | server MB, begin – end |\n"
        "| --- | --- | --- | --- | --- | --- | --- |"
    )
    for name, path, size in (
        (f"batches of {EVENTS}", "batch", EVENTS),
        ("single events", "track", 1),
    ):
        requests = [request(path, key, size) for _ in range(VARIANTS)]
        asyncio.run(load(port, requests, connections, WARM_UP_S))
        before = rows_ever(folder)
        begin = memory(port)
        done = asyncio.run(load(port, requests, connections, seconds))
        report(name, size, done, seconds, (begin, memory(port)))
        stored = rows_ever(folder) - before
        assert stored >= done.good, f"{done.good} acknowledged, {stored} stored"


def report(
    name: str, size: int, done: Done, seconds: float, rss: tuple[float, float]
) -> None:
    times = sorted(done.times)
    rate = len(times) / seconds
    p50, p99 = statistics.median(times), times[int(len(times) * 0.99)]
    print(
        f"| {name} | {rate * size:,.0f} | {rate:,.0f} | {p50 * 1000:.1f} "
        f"| {p99 * 1000:.1f} | {done.bad} | {rss[0]:.0f} – {rss[1]:.0f} |"
    )


# --- the server


@contextmanager
def server(folder: Path) -> Iterator[tuple[int, str]]:
    key = prepare(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "perennial.cli.main", "--data", str(folder)]
    process = subprocess.Popen([*command, "serve", "--web-only", "--port", str(port)])
    try:
        wait_for(port)
        yield port, key
    finally:
        process.terminate()
        process.wait(15)


def prepare(folder: Path) -> str:
    from perennial.config.start import setup

    setup(folder, migrate=True)
    from perennial.apps.intake.models import Source, WriteKey
    from perennial.apps.team.actions import create_workspace

    source = Source.objects.create(workspace=create_workspace("default"), name="App")
    return WriteKey.objects.create(source=source).key


def wait_for(port: int) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server does not start")


def rows_ever(folder: Path) -> int:
    """What was ever committed to the inbox."""
    with opened(folder) as database:
        found = database.execute(
            "SELECT seq FROM sqlite_sequence WHERE name = 'intake_batch'"
        ).fetchone()
    return int(found[0]) if found else 0


@contextmanager
def opened(folder: Path) -> Iterator[sqlite3.Connection]:
    path = folder / "perennial.sqlite3"
    database = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def drained(folder: Path, wanted: bool) -> Iterator[None]:
    over = threading.Event()
    thread = threading.Thread(target=drain, args=[folder, over])
    if wanted:
        thread.start()
    try:
        yield
    finally:
        over.set()
        if wanted:
            thread.join()


def drain(folder: Path, over: threading.Event) -> None:
    """A little at a time: who deletes holds the lock."""
    with opened(folder) as database:
        while not over.wait(0.02):
            database.execute(
                "DELETE FROM intake_batch WHERE id IN "
                "(SELECT id FROM intake_batch ORDER BY id LIMIT 500)"
            )


def memory(port: int) -> float:
    """Megabytes of the process that listens and those it started; Linux."""
    pids = [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if _is_web(path, port)
    ]
    return sum(_rss(pid) for pid in pids) / 1e6


def _is_web(cmdline: Path, port: int) -> bool:
    try:
        words = cmdline.read_bytes().split(b"\0")
        parent = int(
            (cmdline.parent / "stat").read_text().rpartition(")")[2].split()[1]
        )
        its = Path(f"/proc/{parent}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(b"web" in w and str(port).encode() in w for w in (words, its))


def _rss(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


# --- the client


@dataclass
class Done:
    times: list[float] = field(default_factory=list)
    good: int = 0
    bad: int = 0


class Client(asyncio.Protocol):
    """One connection that always has one request under way."""

    def __init__(self, requests: list[bytes], until: float, done: Done) -> None:
        self.requests = requests
        self.until = until
        self.done = done
        self.sent = 0
        self.began = 0.0
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.began = time.perf_counter()
        self.transport.write(self.requests[self.sent % len(self.requests)])
        self.sent += 1

    def data_received(self, data: bytes) -> None:
        """Answers are short: each comes in one piece."""
        now = time.perf_counter()
        self.done.times.append(now - self.began)
        if data.startswith(b"HTTP/1.1 200"):
            self.done.good += 1
        else:
            self.done.bad += 1
        if now < self.until:
            self.send()
        else:
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.over.set_result(None)


def as_is(client: Client) -> Client:
    return client


async def load(
    port: int, requests: list[bytes], connections: int, seconds: float
) -> Done:
    loop = asyncio.get_running_loop()
    until = time.perf_counter() + seconds
    done = Done()
    clients = []
    for n in range(connections):
        own = requests[n % len(requests) :] + requests[: n % len(requests)]
        client = Client(own, until, done)
        await loop.create_connection(partial(as_is, client), "127.0.0.1", port)
        clients.append(client)
    await asyncio.gather(*(client.over for client in clients))
    return done


def request(path: str, key: str, size: int) -> bytes:
    events = [event(n) for n in range(size)]
    body = {"batch": events} if path == "batch" else dict(events[0])
    sent = json.dumps({**body, "writeKey": key, "sentAt": "2026-03-01T10:00:01Z"})
    return (
        f"POST /v1/{path} HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(sent)}\r\n\r\n{sent}"
    ).encode()


def event(n: int) -> dict[str, object]:
    """As the Python library sends it, of about 630 bytes."""
    return {
        "type": "track",
        "event": "Report Opened",
        "messageId": str(uuid.uuid4()),
        "userId": f"user-{n}",
        "anonymousId": None,
        "timestamp": "2026-03-01T10:00:00.000000+00:00",
        "integrations": {},
        "context": {
            "groupId": f"account-{n % 7}",
            "library": {"name": "analytics-python", "version": "2.4.0"},
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
        },
        "properties": {
            "report": f"report-{n}",
            "rows": 120,
            "filters": ["region", "plan"],
            "note": "n" * 120,
        },
    }


# --- the machine


def machine(folder: Path) -> str:
    load_1, _, _ = os.getloadavg()
    return (
        f"{os.cpu_count()} cores, load {load_1:.1f}; "
        f"SQLite commits {commits(folder):,.0f}/s, "
        f"8 KB appends with fdatasync {flushes(folder):,.0f}/s"
    )


def commits(folder: Path) -> float:
    """Small transactions as the inbox makes them: WAL, synchronous=FULL."""
    path = folder / "probe.sqlite3"
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, b BLOB)")
    try:
        return rate(lambda: database.execute("INSERT INTO t (b) VALUES (?)", [_BLOCK]))
    finally:
        database.close()
        for left in folder.glob("probe.sqlite3*"):
            left.unlink()


def flushes(folder: Path) -> float:
    path = folder / "probe"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def flush() -> None:
        os.write(handle, _BLOCK)
        os.fdatasync(handle)

    try:
        return rate(flush)
    finally:
        os.close(handle)
        path.unlink()


_BLOCK = b"x" * 8192


def rate(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    done = 0
    while time.perf_counter() - begun < FLUSHES_S:
        work()
        done += 1
    return done / (time.perf_counter() - begun)


if __name__ == "__main__":
    main()
