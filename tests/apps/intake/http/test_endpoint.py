from __future__ import annotations

import base64
import gzip
import json
import logging
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perennial.apps.intake.http import body, protocol
from perennial.apps.intake.models import CALLS
from tests.apps.intake.http.serving import (
    KEY,
    OTHER,
    Memory,
    Request,
    Serving,
    serving,
)

#: The fixtures of a test serve all of its examples.
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


# --- routes


@pytest.mark.parametrize(("path", "call"), protocol.ROUTES.items())
def test_every_path_takes_its_call(
    app: Serving, store: Memory, path: str, call: str
) -> None:
    reply = app.post(path, {"batch": [{"event": "x"}]})
    assert (reply.status, reply.json) == (200, {"success": True})
    assert reply.headers["content-type"] == "application/json"
    (row,) = store.rows
    assert (row.call, row.source_id) == (call, 1)
    assert json.loads(row.body) == {"batch": [{"event": "x"}]}


@pytest.mark.parametrize("path", ["/v1/", "/v1/x", "/v1/track/x", "/v1/Track", "/v1"])
def test_other_paths_are_not_found(app: Serving, path: str) -> None:
    assert app.post(path).status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_other_methods_are_not_allowed(app: Serving, method: str) -> None:
    reply = app.ask(Request("/v1/batch", method=method))
    assert reply is not None
    assert (reply.status, reply.headers["allow"]) == (405, "POST, OPTIONS")


def test_a_browser_may_ask_first(app: Serving) -> None:
    asked = {
        "Origin": "https://app.example.com",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-retry-count",
    }
    reply = app.ask(Request("/v1/t", headers=asked, method="OPTIONS"))
    assert reply is not None
    assert reply.status == 200
    allowed = reply.headers["access-control-allow-headers"].lower().split(", ")
    assert {"authorization", "content-type", "x-retry-count"} <= set(allowed)
    assert "POST" in reply.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in reply.headers
    assert "Retry-After" in reply.headers["access-control-expose-headers"]


# --- keys


def _basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


@pytest.mark.parametrize(
    ("headers", "sent", "source"),
    [
        ({"authorization": _basic(KEY)}, {"batch": [{}]}, 1),
        ({"authorization": f"Bearer {KEY}"}, {"batch": [{}]}, 1),
        ({}, {"batch": [{}], "writeKey": KEY}, 1),
        ({}, {"batch": [{"writeKey": KEY}]}, 1),
        ({"authorization": _basic(OTHER)}, {"batch": [{}], "writeKey": KEY}, 1),
        (
            {"authorization": _basic(OTHER)},
            {"batch": [{"writeKey": KEY}], "writeKey": OTHER},
            1,
        ),
        ({"authorization": "Basic %%%"}, {"batch": [{}], "writeKey": KEY}, 1),
    ],
)
def test_all_the_ways_to_name_a_key(
    app: Serving, store: Memory, headers: dict[str, str], sent: object, source: int
) -> None:
    assert app.post("/v1/batch", sent, key=None, **headers).status == 200
    assert [row.source_id for row in store.rows] == [source]


@pytest.mark.parametrize("key", [None, "unknown", "x" * 65, "x" * 5000, "\x00"])
def test_a_missing_or_unknown_key(app: Serving, store: Memory, key: str | None) -> None:
    reply = app.post("/v1/track", {"event": "x"}, key=key)
    assert (reply.status, reply.json["code"]) == (401, "invalid_write_key")
    assert not store.rows


def test_events_of_two_keys_go_to_two_sources_in_one_commit(
    app: Serving, store: Memory
) -> None:
    events = [{"event": "a", "writeKey": KEY}, {"event": "b", "writeKey": OTHER}]
    assert app.post("/v1/batch", {"batch": events}, key=None).status == 200
    (commit,) = store.commits
    assert {row.source_id: json.loads(row.body)["batch"] for row in commit} == {
        1: events[:1],
        2: events[1:],
    }


def test_one_bad_key_refuses_the_request_as_a_whole(
    app: Serving, store: Memory
) -> None:
    events = [{"writeKey": KEY}, {"writeKey": "unknown"}]
    assert app.post("/v1/batch", {"batch": events}).status == 401
    assert not store.rows


def test_a_new_key_works_at_once(app: Serving, store: Memory) -> None:
    assert app.post(key="new").status == 401
    store.usable["new"] = 3
    assert app.post(key="new").status == 200


def test_a_revoked_key_stops_within_seconds(
    app: Serving, store: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert app.post().status == 200
    del store.usable[KEY]
    begun = time.monotonic()
    while app.post().status == 200:
        assert time.monotonic() - begun < 6
        time.sleep(0.05)
    assert app.post().status == 401


def test_many_unknown_keys_cost_few_queries(store: Memory) -> None:
    with serving(store) as app:
        begun, before = time.monotonic(), store.queries
        requests = [
            Request(headers={"authorization": f"Bearer no-{n}"}) for n in range(200)
        ]
        assert {reply.status for reply in app.all(requests)} == {401}
        assert store.queries - before <= 2 + (time.monotonic() - begun)


def test_without_the_database_known_keys_stay_good(app: Serving, store: Memory) -> None:
    store.is_down = True
    assert app.post().status == 200
    reply = app.post(key="unknown")
    assert (reply.status, reply.headers["retry-after"]) == (503, "5")
    store.is_down = False
    assert app.post(key="unknown").status == 401


def test_started_without_the_database(store: Memory) -> None:
    store.is_down = True
    with serving(store) as app:
        assert app.post().status == 503
        store.is_down = False
        assert app.post().status == 200


# --- bodies


def test_an_empty_batch_is_taken_and_stores_nothing(
    app: Serving, store: Memory
) -> None:
    assert app.post("/v1/batch", {"batch": []}).status == 200
    assert app.post("/v1/batch", {"batch": []}, key="unknown").status == 401
    assert not store.rows


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "image/png", ""])
def test_the_content_type_does_not_matter(app: Serving, kind: str) -> None:
    assert app.post(content_type=kind).status == 200


def test_gzip_is_stored_unpacked(app: Serving, store: Memory) -> None:
    sent = json.dumps({"batch": [{"event": "x" * 1000}]}).encode()
    reply = app.post("/v1/batch", gzip.compress(sent), content_encoding="gzip")
    assert reply.status == 200
    assert store.rows[0].body == sent


def test_a_body_in_pieces(app: Serving, store: Memory) -> None:
    pieces = [b'{"ev', b"", b'ent":', b'"x"}']
    named = {"authorization": f"Bearer {KEY}"}
    for headers in (named, {**named, "content-length": "13"}):
        reply = app.ask(Request(body=pieces, headers=headers))
        assert reply is not None
        assert reply.status == 200
    assert [row.body for row in store.rows] == [b'{"event":"x"}'] * 2


@pytest.mark.parametrize("headers", [{}, {"content-length": str(70 << 20)}])
def test_too_large_is_read_to_its_end_but_not_kept(
    app: Serving, headers: dict[str, str]
) -> None:
    """A client that is cut off while it sends would try for ever."""
    piece = b" " * (1 << 20)
    request = Request(body=[piece] * 20, headers=headers)
    reply = app.ask(request)
    assert reply is not None
    assert (reply.status, reply.json["code"]) == (413, "payload_too_large")
    assert app.endpoint._memory.held == 0


def test_the_limit_is_a_choice(store: Memory) -> None:
    with serving(store, body_bytes=100) as app:
        assert app.post(body={"a": "x" * 80}).status == 200
        assert app.post(body={"a": "x" * 100}).status == 413
        packed = gzip.compress(json.dumps({"a": "x" * 100}).encode())
        assert app.post(body=packed, content_encoding="gzip").status == 413


def test_four_mebibytes_of_rudder_fit(app: Serving) -> None:
    sent = {"batch": [{"event": "x", "properties": {"a": "x" * (4 << 20)}}]}
    assert app.post("/v1/batch", sent).status == 200


def test_a_client_that_hangs_up_is_not_answered(app: Serving, store: Memory) -> None:
    named = {"authorization": f"Bearer {KEY}"}
    for pieces in ([], [b'{"event":'], [b" "] * 3):
        assert app.ask(Request(body=pieces, headers=named, hangs_up=True)) is None
    assert not store.rows
    assert app.endpoint._memory.held == 0


def test_memory_for_bodies_is_bounded(app: Serving) -> None:
    app.endpoint._memory.limit = 1000
    reply = app.post(body=b" " * 2000)
    assert (reply.status, reply.headers["retry-after"]) == (429, "10")
    packed = gzip.compress(b" " * 2000 + b"{}")
    assert app.post(body=packed, content_encoding="gzip").status == 429
    assert app.endpoint._memory.held == 0
    assert app.post().status == 200


def test_a_slow_body_is_given_up(app: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setattr(body, "BODY_S", 0.05)
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not hasattr(receive, "began"):
            receive.began = True  # type: ignore[attr-defined]
            return {"type": "http.request", "body": b"{", "more_body": True}
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    app.run(app.endpoint(Request().scope(), receive, send))
    assert sent[0]["status"] == 408


@SHARED
@given(sent=st.binary(max_size=100), call=st.sampled_from(CALLS), packed=st.booleans())
def test_any_bytes_are_answered(
    app: Serving, sent: bytes, call: str, packed: bool
) -> None:
    encoding = {"content_encoding": "gzip"} if packed else {}
    reply = app.post(f"/v1/{call}", sent or b"", **encoding)
    assert reply.status in {200, 400}
    assert reply.status == 200 or (reply.json["code"] and reply.json["message"])


@SHARED
@given(
    path=st.sampled_from(["/v1/track", "/v1/projects/x/settings", "/v1/b"])
    | st.text().map("/v1/".__add__),
    method=st.sampled_from(["GET", "POST", "OPTIONS", "PATCH", "BREW"]),
    headers=st.dictionaries(
        st.sampled_from(
            ["authorization", "content-encoding", "content-length", "host"]
        ),
        st.text(st.characters(max_codepoint=255)),
    ),
)
def test_any_request_is_answered(
    app: Serving, path: str, method: str, headers: dict[str, str]
) -> None:
    reply = app.ask(Request(path, b'{"batch":[]}', headers, method))
    assert reply is not None
    assert reply.status in {200, 400, 401, 404, 405, 413, 415}


# --- what goes wrong


def test_a_failing_commit_is_told_and_the_next_is_tried(
    app: Serving, store: Memory
) -> None:
    def fail(_: object) -> None:
        raise OSError("no space left on device")

    store.fail = fail
    reply = app.post()
    assert (reply.status, reply.headers["retry-after"]) == (503, "10")
    store.fail = lambda rows: None
    assert app.post().status == 200


@pytest.mark.parametrize(
    ("field", "value", "status"), [("rows_waiting", 1000, 429), ("free", 1 << 20, 503)]
)
def test_no_room_is_told_and_ends(
    app: Serving, store: Memory, field: str, value: int, status: int
) -> None:
    before = getattr(store, field)
    setattr(store, field, value)
    _until(app, status)
    assert int(app.post().headers["retry-after"]) > 0
    setattr(store, field, before)
    _until(app, 200)


def _until(app: Serving, status: int) -> None:
    begun = time.monotonic()
    while app.post().status != status:
        assert time.monotonic() - begun < 4
        time.sleep(0.05)


def test_an_error_of_ours_is_no_500_and_nothing_sent_is_logged(
    app: Serving, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr("perennial.apps.intake.http.endpoint.parts", fail)
    with caplog.at_level(logging.DEBUG):
        reply = app.post(body={"secret": "of the customer"})
    assert reply.status == 503
    assert "a mistake" in caplog.text
    assert KEY not in caplog.text
    assert "secret" not in caplog.text


# --- settings for analytics.js


def _settings(app: Serving, key: str = KEY, **headers: str) -> Any:
    path = f"/v1/projects/{key}/settings"
    headers = {"host": "cs.example.com"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    reply = app.ask(Request(path, headers=headers, method="GET"))
    assert reply is not None
    return reply.json if reply.status == 200 else reply.status


def _target(value: Any) -> tuple[str, str]:
    segment = value["integrations"]["Segment.io"]
    assert segment["apiKey"] == KEY
    return segment["protocol"], segment["apiHost"]


def test_settings_name_the_host_that_was_asked(app: Serving) -> None:
    assert _target(_settings(app)) == ("http", "cs.example.com/v1")
    assert _settings(app, "unknown") == 404
    assert _settings(app, host="evil.example/x") == 400
    assert app.post(f"/v1/projects/{KEY}/settings").status == 405


def test_settings_behind_a_proxy(store: Memory) -> None:
    with serving(store) as app:
        told = _settings(app, x_forwarded_proto="https")
        assert _target(told)[0] == "http", "anybody may say so"
    with serving(store, is_behind_proxy=True) as app:
        told = _settings(app, x_forwarded_proto="https")
        assert _target(told) == ("https", "cs.example.com/v1")
    with serving(store, public_url="https://cs.example.org") as app:
        assert _target(_settings(app)) == ("https", "cs.example.org/v1")
