"""Clients that never give up, and a server whose processes are killed under them.

`python -m tests.conformance.torture 60` runs it in full and prints what came out.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from perennial.lake.duck import connect
from perennial.lake.tables import TABLES
from tests.conformance.server import Server, wait_for

#: How wrong the clock of one client is.
SKEW = timedelta(days=400)
_TIMEOUT_S = 15.0


@dataclass(eq=False)
class Sender(threading.Thread):
    """Sends batches until told to stop; sends each again until it is acknowledged.

    `sent` and `acknowledged` are message ids, with the true time of the call.
    """

    server: Server
    key: str
    stop: threading.Event
    seed: int
    skew: timedelta = timedelta()
    sent: dict[str, datetime] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    tries: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        chance = random.Random(self.seed)
        while not self.stop.is_set():
            calls = [self._call(chance) for _ in range(chance.randint(1, 40))]
            if chance.random() < 0.2:
                calls += chance.sample(calls, 1)  # the same twice in one batch
            self._deliver(calls, chance)

    def _call(self, chance: random.Random) -> dict[str, Any]:
        now = datetime.now(UTC)
        mark = str(uuid.UUID(int=chance.getrandbits(128)))
        self.sent[mark] = now
        return {
            "type": "track",
            "event": f"Event {chance.randrange(20)}",
            "messageId": mark,
            "userId": f"user-{chance.randrange(200)}",
            "timestamp": (now + self.skew).isoformat(),
            "properties": {"from": self.seed},
        }

    def _deliver(self, calls: Sequence[dict[str, Any]], chance: random.Random) -> None:
        while not self.stop.is_set():
            self.tries += 1
            if self._post(calls) == 200:
                self.acknowledged.update(call["messageId"] for call in calls)
                if chance.random() < 0.1:
                    self._post(calls)  # as if the answer had been lost
                return
            self.stop.wait(0.05)

    def _post(self, calls: Sequence[dict[str, Any]]) -> int | None:
        sent_at = (datetime.now(UTC) + self.skew).isoformat()
        body = {"batch": calls, "writeKey": self.key, "sentAt": sent_at}
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.server.port, timeout=_TIMEOUT_S
        )
        try:
            connection.request(
                "POST",
                "/v1/batch",
                gzip.compress(json.dumps(body).encode()),
                {"Content-Encoding": "gzip"},
            )
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


@dataclass(frozen=True)
class Outcome:
    """What came of a run; `check` says whether it is what was promised."""

    kills: int
    requests: int
    sent: dict[str, datetime]
    acknowledged: set[str]
    events: list[dict[str, Any]]

    def check(self) -> None:
        counts = Counter(event["event_id"] for event in self.events)
        assert not {mark for mark, count in counts.items() if count > 1}
        assert not self.acknowledged - set(counts), "acknowledged and lost"
        assert set(counts) <= set(self.sent)
        for event in self.events:
            assert event["timestamp"] <= event["received_at"]
            # Answers may be slow; a clock that is 400 days wrong would show.
            apart = abs(event["timestamp"] - self.sent[event["event_id"]])
            assert apart < timedelta(seconds=30)


def torture(
    folder: Path, *, seconds: float, kills: int, clients: int = 4, seed: int = 1
) -> Outcome:
    """Load for some seconds while processes are killed at random moments."""
    server = Server(folder)
    server.start()
    try:
        key, source = server.new_key("torture")
        stop = threading.Event()
        senders = [
            Sender(server, key, stop, seed * 100 + n, SKEW if n == 0 else timedelta())
            for n in range(clients)
        ]
        for sender in senders:
            sender.start()
        chance = random.Random(seed)
        moments = sorted(chance.uniform(0.5, seconds) for _ in range(kills))
        began = time.monotonic()
        for moment in moments:
            time.sleep(max(0.0, began + moment - time.monotonic()))
            _kill_one(server, chance)
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        stop.set()
        for sender in senders:
            sender.join(2 * _TIMEOUT_S)
        acknowledged = set[str]().union(*(s.acknowledged for s in senders))
        _wait_until_loaded(server, source, acknowledged)
        _read_every_table(server)
        return Outcome(
            kills,
            sum(sender.tries for sender in senders),
            {mark: at for sender in senders for mark, at in sender.sent.items()},
            acknowledged,
            server.events(source),
        )
    finally:
        server.stop()


def _kill_one(server: Server, chance: random.Random) -> None:
    """One of web, loader and worker dies, with everything below it."""
    children = server.children()
    if children:
        victim = chance.choice(children)
        os.killpg(victim, signal.SIGKILL)


def _wait_until_loaded(server: Server, source: str, acknowledged: set[str]) -> None:
    def all_there() -> bool:
        return acknowledged <= {event["event_id"] for event in server.events(source)}

    wait_for(all_there, "everything acknowledged to be in the lake", 60)
    time.sleep(1)  # what was tried last and not acknowledged may follow


def _read_every_table(server: Server) -> None:
    with connect() as duck:
        for name in TABLES:
            duck.sql(f"SELECT count(*) FROM {server.lake.source(name)}").fetchall()


def main(seconds: float = 60.0) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = torture(Path(folder), seconds=seconds, kills=int(seconds / 4))
    found.check()
    print(  # noqa: T201
        f"{found.kills} kills in {seconds:.0f} s, {found.requests:,} requests: "
        f"{len(found.acknowledged):,} events acknowledged, {len(found.events):,} in "
        f"the lake, each once; {len(found.sent) - len(found.events):,} never arrived "
        "and were never acknowledged"
    )


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
