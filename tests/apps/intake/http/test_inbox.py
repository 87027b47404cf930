from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

import pytest
from django.db import IntegrityError

from perennial.apps.intake.http import inbox
from perennial.apps.intake.http.store import Row
from tests.apps.intake.http.serving import KEY, OTHER, Memory, Request, Serving, serving


def _requests(count: int, key: str = KEY) -> list[Request]:
    named = {"authorization": f"Bearer {key}"}
    return [Request(body=b'{"n":%d}' % n, headers=named) for n in range(count)]


def _bodies(rows: Sequence[Row]) -> list[bytes]:
    return sorted(row.body for row in rows)


class Gate:
    """Commits wait here until it is opened."""

    def __init__(self, store: Memory) -> None:
        self.opened = threading.Event()
        self.entered = threading.Event()
        store.fail = self._wait

    def _wait(self, _: object) -> None:
        self.entered.set()
        assert self.opened.wait(20)


def test_requests_share_commits_and_each_is_stored_once(
    app: Serving, store: Memory
) -> None:
    store.fail = lambda rows: time.sleep(0.01)
    replies = app.all(_requests(800))
    assert {reply.status for reply in replies} == {200}
    assert _bodies(store.rows) == sorted(b'{"n":%d}' % n for n in range(800))
    assert len(store.commits) <= 8
    assert max(map(len, store.commits)) <= inbox.GROUP_ROWS


def test_a_transaction_is_bounded_in_bytes_too(app: Serving, store: Memory) -> None:
    gate = Gate(store)
    named = {"authorization": f"Bearer {KEY}"}
    large = b'{"a":"' + b"x" * (3 << 20) + b'"}'
    threading.Timer(0.5, gate.opened.set).start()
    replies = app.all([Request(body=large, headers=named) for _ in range(12)])
    assert {reply.status for reply in replies} == {200}
    assert max(map(len, store.commits)) <= 3


def test_nobody_is_answered_before_the_commit(app: Serving, store: Memory) -> None:
    gate = Gate(store)
    answered = threading.Event()

    def post() -> None:
        app.post()
        answered.set()

    waiting = threading.Thread(target=post)
    waiting.start()
    assert gate.entered.wait(5)
    assert not answered.wait(0.2)
    gate.opened.set()
    assert answered.wait(5)
    waiting.join()


def test_a_failing_commit_fails_its_own_requests_only(
    app: Serving, store: Memory
) -> None:
    calls = 0

    def fail_once(_: object) -> None:
        nonlocal calls
        calls += 1
        time.sleep(0.02)  # so that others gather
        if calls == 2:
            raise OSError("database or disk is full")

    store.fail = fail_once
    replies = app.all(_requests(600))
    good = [b'{"n":%d}' % n for n, reply in enumerate(replies) if reply.status == 200]
    assert {reply.status for reply in replies} == {200, 503}
    assert _bodies(store.rows) == sorted(good)


def test_a_source_that_is_gone_fails_alone(app: Serving, store: Memory) -> None:
    def fail(rows: Sequence[Row]) -> None:
        time.sleep(0.02)
        if any(row.source_id == 2 for row in rows):
            raise IntegrityError("FOREIGN KEY constraint failed")

    store.fail = fail
    replies = app.all([*_requests(20), *_requests(20, OTHER)])
    assert [reply.status for reply in replies] == [200] * 20 + [503] * 20
    assert {row.source_id for row in store.rows} == {1}
    assert len(store.rows) == 20


def test_a_disk_that_hangs_keeps_nobody_waiting(
    store: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "PATIENCE_S", 0.5)
    with serving(store) as app:
        gate = Gate(store)
        first = threading.Thread(target=app.post)
        first.start()
        assert gate.entered.wait(5)
        begun = time.monotonic()
        replies = app.all(_requests(5))
        assert {reply.status for reply in replies} == {503}
        assert time.monotonic() - begun < 3
        gate.opened.set()
        first.join()
        assert app.post(body={"n": "after"}).status == 200
        # Who was told to come back before his commit began is not written.
        assert [row.body for row in store.rows] == [b"{}", b'{"n": "after"}']


def test_a_full_queue_is_told_to_come_back(
    app: Serving, store: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "QUEUE_ROWS", 10)
    gate = Gate(store)
    threading.Timer(0.5, gate.opened.set).start()
    replies = app.all(_requests(50))
    statuses = [reply.status for reply in replies]
    assert 10 <= statuses.count(200) <= 21
    assert statuses.count(429) == 50 - statuses.count(200)
    assert len(store.rows) == statuses.count(200)
    assert app.post().status == 200


def test_stopping_commits_what_waits(store: Memory) -> None:
    with serving(store) as app:
        gate = Gate(store)
        replies: list[int] = []
        waiting = threading.Thread(
            target=lambda: replies.extend(r.status for r in app.all(_requests(30)))
        )
        waiting.start()
        assert gate.entered.wait(5)
        threading.Timer(0.3, gate.opened.set).start()
        app.run(app.endpoint._inbox.close())
        waiting.join(5)
        assert replies == [200] * 30
        assert len(store.rows) == 30
        assert app.post().status == 503, "nothing is taken after the end"


def test_a_flood_of_failures_is_no_flood_of_lines(
    app: Serving, store: Memory, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: object) -> None:
        raise OSError("disk I/O error")

    store.fail = fail
    with caplog.at_level(logging.ERROR):
        for _ in range(20):
            assert app.post().status == 503
    assert caplog.text.count("disk I/O error") == 1
