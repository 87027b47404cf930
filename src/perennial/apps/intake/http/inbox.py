"""Group commit: one thread writes what all requests of the moment brought.

A flush to the disk costs the same for one row as for hundreds, so while one
transaction is written the next is gathered. A request is answered only after the
commit that holds it. What fails fails its own transaction, is never answered 200,
and is sent again by the client; events sent twice count once (`messageId`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Final

from django.db import IntegrityError

from perennial.apps.intake.http.protocol import Refusal, later, unavailable
from perennial.apps.intake.http.store import Row, Store

logger = logging.getLogger(__name__)

#: One transaction: enough to share the flush, little enough that nobody waits
#: long for the lock and that a failure is one of few.
GROUP_ROWS: Final = 500
GROUP_BYTES: Final = 8 << 20
#: What may wait for the writer: about a second of work; beyond it, and beyond ten
#: thousand open requests, a client is told to come back.
QUEUE_ROWS: Final = 10_000
QUEUE_BYTES: Final = 64 << 20
#: A request is answered after this time, whatever the disk does.
PATIENCE_S: Final = 9.0
#: How long the rest may take when the server is told to stop.
STOP_S: Final = 5.0
SAMPLE_EVERY_S: Final = 1.0
#: Rows that may wait for the loader: at 100 events a row ten minutes of its work,
#: after a night without it.
MAX_BACKLOG: Final = 1_000_000
#: The loader needs room to write what waits, and SQLite to take its log in; a disk
#: that is full to the last byte cannot be put right.
MIN_FREE_BYTES: Final = 256 << 20
RETRY_AFTER_S: Final = 10
_SILENCE_S: Final = 10.0

#: Made for each who is refused: an exception that is raised again grows.
Reason = Callable[[], Refusal]
_LATER: Final = partial(later, RETRY_AFTER_S)
_UNAVAILABLE: Final = partial(unavailable, RETRY_AFTER_S)


@dataclass(slots=True)
class Waiting:
    """The rows of one request, and who waits for them."""

    rows: Sequence[Row]
    size: int
    done: asyncio.Future[None]
    due: float


class Inbox:
    def __init__(self, store: Store, *, max_backlog: int = MAX_BACKLOG) -> None:
        self._store = store
        self._max_backlog = max_backlog
        self._ready = threading.Condition()
        self._queue: deque[Waiting] = deque()
        self._queued_bytes = 0
        self._queued_rows = 0
        self._open: deque[Waiting] = deque()  # unanswered, the oldest first
        self._no_room: Reason | None = None
        self._sampled = float("-inf")
        self._complained = float("-inf")
        self._is_closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="intake-inbox")
        self._thread.daemon = True  # a commit that hangs must not keep the process

    # --- on the event loop

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        self._loop.call_later(1.0, self._give_up)

    async def close(self) -> None:
        """Commits what waits, then ends."""
        with self._ready:
            self._is_closing = True
            self._ready.notify()
        await asyncio.to_thread(self._thread.join, STOP_S)
        self._give_up(everything=True)

    def check(self) -> None:
        """Raises `Refusal` where nothing can be taken now."""
        if self._no_room is not None:
            raise self._no_room()
        if self._queued_rows >= QUEUE_ROWS or self._queued_bytes >= QUEUE_BYTES:
            raise _LATER()

    def put(self, rows: Sequence[Row]) -> asyncio.Future[None]:
        """Done when all rows are durable; raises `Refusal` where they are not."""
        self.check()
        if self._is_closing or self._loop is None:
            raise _UNAVAILABLE()
        size = sum(len(row.body) for row in rows)
        due = time.monotonic() + PATIENCE_S
        waiting = Waiting(rows, size, self._loop.create_future(), due)
        self._open.append(waiting)
        with self._ready:
            self._queue.append(waiting)
            self._queued_bytes += size
            self._queued_rows += len(rows)
            self._ready.notify()
        return waiting.done

    def _give_up(self, *, everything: bool = False) -> None:
        """Answers those who waited too long: the disk or the database hangs. What
        is written after all is sent twice, and counts once."""
        self._forget_answered()
        now = time.monotonic()
        while self._open and (everything or self._open[0].due <= now):
            _refuse(self._open.popleft(), _UNAVAILABLE)
            self._forget_answered()
        if not everything and self._loop is not None:
            self._loop.call_later(1.0, self._give_up)

    def _forget_answered(self) -> None:
        while self._open and self._open[0].done.done():
            self._open.popleft()

    def _settle(self, group: Sequence[Waiting], refused: Reason | None) -> None:
        for waiting in group:
            if refused is not None:
                _refuse(waiting, refused)
            elif not waiting.done.done():
                waiting.done.set_result(None)
        self._forget_answered()

    # --- on the thread of the writer

    def _run(self) -> None:
        try:
            while (group := self._take()) is not None:
                self._sample()
                if group:
                    self._commit(group)
        finally:
            self._store.close()

    def _take(self) -> list[Waiting] | None:
        """The next transaction; empty when nothing came for a while, None at the
        end of all."""
        with self._ready:
            if not self._queue and not self._is_closing:
                self._ready.wait(SAMPLE_EVERY_S)
            if not self._queue:
                return None if self._is_closing else []
            return list(self._group())

    def _group(self) -> Iterator[Waiting]:
        rows = size = 0
        now = time.monotonic()
        while self._queue and rows < GROUP_ROWS and size < GROUP_BYTES:
            waiting = self._queue.popleft()
            self._queued_bytes -= waiting.size
            self._queued_rows -= len(waiting.rows)
            if waiting.due > now:  # else it was told to come back
                rows += len(waiting.rows)
                size += waiting.size
                yield waiting

    def _commit(self, group: Sequence[Waiting]) -> None:
        try:
            self._store.write([row for waiting in group for row in waiting.rows])
        except IntegrityError as error:
            self._commit_apart(group, error)
        except Exception as error:
            self._fail(group, error)
        else:
            self._resolve(group, None)

    def _commit_apart(self, group: Sequence[Waiting], error: Exception) -> None:
        """A source was removed a moment ago: the others go on without it."""
        by_source = sorted(group, key=_sources)
        apart = [list(own) for _, own in groupby(by_source, key=_sources)]
        if len(apart) == 1:
            self._fail(group, error)
            return
        for own in apart:
            self._commit(own)

    def _fail(self, group: Sequence[Waiting], error: Exception) -> None:
        self._complain(f"the inbox cannot be written: {error}")
        self._resolve(group, _UNAVAILABLE)

    def _resolve(self, group: Sequence[Waiting], refused: Reason | None) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._settle, group, refused)

    def _sample(self) -> None:
        """Looks at most once a second whether there is room for more."""
        now = time.monotonic()
        if now - self._sampled < SAMPLE_EVERY_S:
            return
        self._sampled = now
        try:
            self._no_room = self._why_no_room()
        except Exception as error:
            self._complain(f"the backlog is not known: {error}")

    def _why_no_room(self) -> Reason | None:
        free = self._store.free_bytes()
        if free is not None and free < MIN_FREE_BYTES:
            self._complain("the disk is nearly full: no events are taken")
            return _UNAVAILABLE
        if self._store.backlog() >= self._max_backlog:
            self._complain("too many events wait for the loader: no more are taken")
            return _LATER
        return None

    def _complain(self, words: str) -> None:
        """Once in a while: a flood of requests is no flood of lines."""
        now = time.monotonic()
        if now - self._complained > _SILENCE_S:
            self._complained = now
            logger.error("%s", words)


def _sources(waiting: Waiting) -> list[int]:
    return sorted({row.source_id for row in waiting.rows})


def _refuse(waiting: Waiting, reason: Reason) -> None:
    if not waiting.done.done():
        waiting.done.set_exception(reason())
