"""The inbox on a real file of SQLite, as it is in an installation."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connections

from perennial.apps.intake.http import keys, store
from perennial.apps.intake.http.store import DatabaseStore, Row
from perennial.apps.intake.models import Batch, Source, WriteKey
from perennial.apps.team.models import Workspace
from tests.apps.intake.http.conftest import ALIAS
from tests.apps.intake.http.serving import Request, Serving, serving


@pytest.fixture
def source(database: Path) -> Source:
    workspace = Workspace.objects.using(ALIAS).create(key="default", name="Aldermoor")
    return Source.objects.using(ALIAS).create(workspace=workspace, name="App")


@pytest.fixture
def key(source: Source) -> str:
    return WriteKey.objects.using(ALIAS).create(source=source).key


@pytest.fixture
def live(key: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    monkeypatch.setattr(keys, "PAUSE_S", 0.02)
    monkeypatch.setattr(store, "LOCK_WAIT_MS", 300)
    with serving(DatabaseStore(ALIAS)) as served:
        yield served


def waiting() -> list[Batch]:
    return list(Batch.objects.using(ALIAS).order_by("id"))


def test_what_is_stored(live: Serving, key: str, source: Source) -> None:
    before = datetime.now(UTC)
    sent = {"batch": [{"event": "Ünïcode \0 \U0001f600"}]}
    assert live.post("/v1/b", sent, key).status == 200
    (row,) = waiting()
    assert (row.source_id, row.call) == (source.pk, "batch")
    assert json.loads(bytes(row.body)) == sent
    assert row.size == len(bytes(row.body))
    assert before <= row.received_at <= datetime.now(UTC)


def test_rows_are_as_the_models_write_them(source: Source) -> None:
    at = datetime(2026, 3, 1, 10, 0, 0, 5, UTC)
    body = b'{"a":1}'
    DatabaseStore(ALIAS).write([Row(source.pk, "track", at, body)])
    Batch.objects.using(ALIAS).create(
        source=source, call="track", received_at=at, body=body, size=len(body)
    )
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(
            "SELECT source_id, call, received_at, body, size, typeof(received_at), "
            "typeof(body) FROM intake_batch"
        )
        first, second = cursor.fetchall()
    assert first == second


@pytest.mark.parametrize("count", [1, 7, 128, 1000])
def test_groups_of_any_size(live: Serving, key: str, count: int) -> None:
    named = {"authorization": f"Bearer {key}"}
    bodies = [b'{"n":%d}' % n for n in range(count)]
    replies = live.all([Request(body=body, headers=named) for body in bodies])
    assert {reply.status for reply in replies} == {200}
    assert sorted(bytes(row.body) for row in waiting()) == sorted(bodies)


def test_a_group_is_one_transaction_of_few_statements(source: Source) -> None:
    own = DatabaseStore(ALIAS)
    rows = [Row(source.pk, "track", datetime.now(UTC), b"{}")] * 333
    statements: list[str] = []

    def note(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        statements.append(sql.split()[0])
        return execute(sql, params, many, context)

    with connections[ALIAS].execute_wrapper(note):
        own.write(rows)
    assert statements == ["BEGIN", *["INSERT"] * 5], "333 = 256 + 64 + 8 + 4 + 1"
    assert len(waiting()) == 333


def test_keys_of_removed_sources_and_revoked_ones_are_none(
    live: Serving, key: str, source: Source
) -> None:
    other = WriteKey.objects.using(ALIAS).create(source=source)
    assert live.post(key=other.key).status == 200
    other.revoked_at = datetime.now(UTC)
    other.save()
    _until(live, other.key, 401)
    assert live.post(key=key).status == 200
    source.archived_at = datetime.now(UTC)
    source.save()
    _until(live, key, 401)


def _until(live: Serving, key: str, status: int, seconds: float = 6) -> None:
    begun = time.monotonic()
    while live.post(key=key).status != status:
        assert time.monotonic() - begun < seconds
        time.sleep(0.05)


def test_a_source_removed_a_moment_ago_is_no_500(
    live: Serving, key: str, source: Source
) -> None:
    assert live.post(key=key).status == 200
    Batch.objects.using(ALIAS).all().delete()
    source.delete()
    assert live.post(key=key).status in {401, 503}
    _until(live, key, 401)


def test_locked_by_another_program(live: Serving, key: str, database: Path) -> None:
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begun = time.monotonic()
    refused = live.post(key=key, body={"n": 1})
    assert (refused.status, refused.headers["retry-after"]) == (503, "10")
    assert time.monotonic() - begun < 3
    other.execute("ROLLBACK")
    other.close()
    assert live.post(key=key, body={"n": 2}).status == 200
    assert [bytes(row.body) for row in waiting()] == [b'{"n": 2}']


def test_a_short_lock_is_waited_for(live: Serving, key: str, database: Path) -> None:
    other = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.1, lambda: other.execute("ROLLBACK"))
    timer.start()
    assert live.post(key=key).status == 200
    timer.join()
    other.close()


def _pragma(live: Serving, text: str) -> None:
    """On the connection of the writer, by way of its own thread."""
    done = threading.Event()
    inbox = live.endpoint._inbox
    own = inbox._store
    assert isinstance(own, DatabaseStore)
    before = own.backlog

    def once() -> int:
        with connections[ALIAS].cursor() as cursor:
            cursor.execute(text)
        own.backlog = before  # type: ignore[method-assign]
        done.set()
        return before()

    own.backlog = once  # type: ignore[method-assign]
    assert done.wait(5)


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("PRAGMA query_only = 1", "PRAGMA query_only = 0"),
        ("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000"),
    ],
    ids=["read-only", "full"],
)
def test_read_only_and_full(
    live: Serving,
    key: str,
    broken: str,
    mended: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Acknowledged rows stay, refused ones are not there, and it goes on after."""
    assert live.post(key=key, body={"n": 1}).status == 200
    # What was broken has to stay broken on the connection that follows.
    monkeypatch.setattr(store, "_patience", lambda vendor: broken)
    _pragma(live, broken)
    large = {"n": "x" * 200_000}
    for _ in range(3):
        refused = live.post(key=key, body=large)
        assert (refused.status, refused.json["code"]) == (503, "unavailable")
    monkeypatch.setattr(store, "_patience", lambda vendor: mended)
    assert live.post(key=key, body={"n": 2}).status == 200
    assert [bytes(row.body) for row in waiting()] == [b'{"n": 1}', b'{"n": 2}']


def test_the_backlog_is_what_lies_between_the_ends(source: Source) -> None:
    own = DatabaseStore(ALIAS)
    assert own.backlog() == 0
    own.write([Row(source.pk, "track", datetime.now(UTC), b"{}")] * 10)
    assert own.backlog() == 10
    first = Batch.objects.using(ALIAS).order_by("id")[:4]
    Batch.objects.using(ALIAS).filter(id__in=[row.pk for row in first]).delete()
    assert own.backlog() == 6


def test_a_long_backlog_is_told(key: str) -> None:
    with serving(DatabaseStore(ALIAS), max_backlog=3) as live:
        for _ in range(3):
            assert live.post(key=key).status == 200
        _until(live, key, 429, 3)
        assert live.post(key=key).headers["retry-after"] == "10"
        Batch.objects.using(ALIAS).all().delete()
        _until(live, key, 200, 3)


def test_free_space_is_that_of_the_folder(database: Path) -> None:
    free = DatabaseStore(ALIAS).free_bytes()
    assert free is not None
    assert free > 0
