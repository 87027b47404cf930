"""The loader: takes requests from the inbox into the lake, one loader at a time.

A request leaves the inbox after every table has what it says. A load that fails or
is killed before that is done again; requests that cannot be loaded at all are put
aside as rejects, one by one, so that one of them never holds up the others.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import pyarrow as pa
from deltalake.exceptions import DeltaError
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from perennial.apps.intake.models import Batch, Source
from perennial.apps.intake.stream import guess, people, requests
from perennial.apps.intake.stream.convert import (
    Calls,
    Converted,
    convert,
    read,
    refused,
)
from perennial.apps.intake.stream.requests import PIECE, Request
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.lake import measures
from perennial.lake.duck import connect
from perennial.lake.refresh import Refreshed, roll_up
from perennial.lake.store import Lake
from perennial.lake.workspace import Workspace as LakeWorkspace

logger = logging.getLogger(__name__)

#: One load: enough for its fixed cost not to count, little enough to be seen soon.
_LOAD_ROWS: Final = 20_000
_LOAD_BYTES: Final = 64 * 2**20
#: Loads one after the other before another workspace has its turn.
_LOADS: Final = 8
#: Loads that are read while one is written; to read takes the longer.
_AHEAD: Final = 2
_POLL_S: Final = 0.25
#: Roll-ups follow the loads at this distance, at most.
_FOLLOW_S: Final = 2.0
#: Others' events wait no longer because one lake cannot be written.
_LONGEST_PAUSE_S: Final = 5.0
#: What has nothing to do with the requests at hand: wait, and try again.
_OUTSIDE: Final = (DatabaseError, OSError, DeltaError, duckdb.IOException, MemoryError)


@dataclass(frozen=True)
class Loaded:
    """What loads did: requests taken, and their calls."""

    requests: int = 0
    events: int = 0
    known: int = 0
    dropped: int = 0

    def __add__(self, other: Loaded) -> Loaded:
        return Loaded(
            self.requests + other.requests,
            self.events + other.events,
            self.known + other.known,
            self.dropped + other.dropped,
        )


def drain(workspace: Workspace) -> Loaded:
    """Load everything that waits for a workspace."""
    load_others()
    done = Loaded()
    while (loaded := load_next(workspace)).requests:
        done += loaded
    return done


def load_next(workspace: Workspace) -> Loaded:
    """Some loads, if something waits; nobody else loads this workspace meanwhile.

    Requests are read while those before them are written, never written before
    them, and leave the inbox after their own write.
    """
    lake = lake_of(workspace).lake
    done = Loaded()
    with lake.lock("inbox"), ThreadPoolExecutor(_AHEAD) as readers:
        for sent, calls in _read_ahead(workspace, readers):
            done += _load(lake, sent, calls.result)
            _remove(sent)
    return done


def _read_ahead(
    workspace: Workspace, readers: Executor
) -> Iterator[tuple[pa.Table, Future[Calls]]]:
    """The next loads in order, those after each of them being read meanwhile."""
    begun: deque[tuple[pa.Table, Future[Calls]]] = deque()
    last, more = 0, _LOADS
    while more or begun:
        while more and len(begun) <= _AHEAD:
            sent = _waiting(workspace, last)
            more = more - 1 if sent.num_rows else 0
            if sent.num_rows:
                last = sent["id"][-1].as_py()
                begun.append((sent, readers.submit(read, sent)))
        if begun:
            yield begun.popleft()


def _waiting(workspace: Workspace, last: int = 0) -> pa.Table:
    """The oldest requests of a workspace after `last` that make one load."""
    slugs = dict(Source.objects.filter(workspace=workspace).values_list("pk", "slug"))
    mine = Batch.objects.filter(source_id__in=slugs).order_by("pk")
    return requests.table(
        Request(pk, slugs[source], call, at, bytes(body))
        for pk, source, call, at, body in _of_one_load(_oldest(mine, last))
    )


def _oldest(waiting: QuerySet[Batch], last: int) -> Iterator[tuple[Any, ...]]:
    """A little at a time: a database reads whole rows, and much may wait."""
    columns = ("pk", "source_id", "call", "received_at", "body")
    while rows := list(waiting.filter(pk__gt=last).values_list(*columns)[:PIECE]):
        last = rows[-1][0]
        yield from rows


def _of_one_load(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    size = 0
    for number, row in enumerate(rows):
        size += len(row[-1])
        if number and (size > _LOAD_BYTES or number == _LOAD_ROWS):
            return
        yield row


def _remove(sent: pa.Table) -> None:
    ids = sent["id"].to_pylist()
    for start in range(0, len(ids), 5_000):
        Batch.objects.filter(pk__in=ids[start : start + 5_000]).delete()


def _load(lake: Lake, sent: pa.Table, calls: Callable[[], Calls]) -> Loaded:
    """Load requests; those that nothing can be made of are found by halving."""
    try:
        return _write(lake, convert(calls(), _known_names(lake)), sent.num_rows)
    except _OUTSIDE:
        raise
    except Exception:
        if sent.num_rows == 1:
            [request] = requests.rows(sent)
            logger.exception("request %d cannot be loaded", request.id)
            return _write(lake, refused(request), 1)
    half = sent.num_rows // 2
    return _load_part(lake, sent[:half]) + _load_part(lake, sent[half:])


def _load_part(lake: Lake, sent: pa.Table) -> Loaded:
    return _load(lake, sent, lambda: read(sent))


def _write(lake: Lake, found: Converted, taken: int) -> Loaded:
    """All of it is the same when it is written again."""
    guess.define(lake, found.names)
    people.save(lake, found.heard)
    if found.rejects.num_rows:
        lake.write("rejects", found.rejects)
    written = lake.write("events", found.events)
    _names(lake).update(found.names)
    return Loaded(taken, written.inserted, written.unchanged, found.rejects.num_rows)


# Event names that were seen before, by lake

_seen: dict[str, set[str]] = {}


def _names(lake: Lake) -> set[str]:
    if lake.root not in _seen:
        with connect() as duck:
            query = (
                f"SELECT event FROM {lake.source('event_days')} UNION "
                f"SELECT name FROM {lake.source('event_definitions')}"
            )
            _seen[lake.root] = {name for (name,) in duck.sql(query).fetchall()}
    return _seen[lake.root]


def _known_names(lake: Lake) -> frozenset[str]:
    return frozenset(_names(lake))


# The process


def share_cores() -> None:
    """Half of the cores for a query: there are always two, one that reads requests
    and one that writes. With all cores each, a load took a third more of them."""
    connect().execute(f"SET GLOBAL threads = {max(1, (os.cpu_count() or 1) // 2)}")


def run_forever(stop: threading.Event) -> None:
    """Loads what comes, and brings roll-ups after it, until told to stop."""
    share_cores()
    following = _Following(stop)
    following.start()
    pause = _POLL_S
    try:
        while not stop.is_set():
            try:
                busy = _turn(following)
                pause = _POLL_S
            except _OUTSIDE:
                logger.exception("events wait in the inbox; trying again")
                connection.close()
                busy, pause = False, min(pause * 2, _LONGEST_PAUSE_S)
            if not busy:
                stop.wait(pause)
    finally:
        following.join(timeout=5)
        connection.close()


def _turn(following: _Following) -> bool:
    """One load of every workspace that has something waiting, and of others.

    Raises what kept one of them from being loaded, after the others had their turn.
    """
    load_others()
    if not Batch.objects.exists():
        return False
    failed = None
    for workspace in Workspace.objects.filter(sources__isnull=False).distinct():
        try:
            if load_next(workspace).requests:
                following.follow(lake_of(workspace))
        except _OUTSIDE as error:
            failed = error
    if failed is not None:
        raise failed
    return True


def load_others() -> None:
    """What other applications would not have wait behind long jobs. Events go on,
    whatever is wrong with something else."""
    for path in settings.LOADERS:
        try:
            import_string(path)()
        except _OUTSIDE:
            raise
        except Exception:
            logger.exception("%s failed; it is tried again", path)


class _Following(threading.Thread):
    """Brings the roll-ups of workspaces up to what was loaded, beside the loads."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(name="roll-ups", daemon=True)
        self._stop_asked = stop
        self._due: dict[str, LakeWorkspace] = {}
        self._guard = threading.Lock()
        self._told = threading.Event()

    def follow(self, workspace: LakeWorkspace) -> None:
        with self._guard:
            self._due[workspace.lake.root] = workspace
        self._told.set()

    def run(self) -> None:
        while not self._stop_asked.is_set():
            if not self._told.wait(_POLL_S):
                continue
            self._told.clear()
            with self._guard:
                due, self._due = list(self._due.values()), {}
            for workspace in due:
                self._roll_up(workspace)
            self._stop_asked.wait(_FOLLOW_S)

    def _roll_up(self, workspace: LakeWorkspace) -> None:
        began = time.monotonic()
        try:
            roll_up(workspace, Refreshed())
            measures.add_new(workspace)
        except Exception:  # whatever it is, the next refresh does it again
            logger.exception("roll-ups of %s are behind", workspace.lake.root)
            self.follow(workspace)
        logger.info("roll-ups after %.1f s", time.monotonic() - began)
