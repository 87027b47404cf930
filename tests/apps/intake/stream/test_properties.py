"""Whatever is sent: every call is an event or a reject, and counts once."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perennial.apps.intake.stream import convert, people
from perennial.apps.intake.stream.requests import Request, table
from perennial.lake.duck import connect
from perennial.lake.store import Lake
from tests.apps.intake.stream.conftest import NOW

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["2026-03-10T10:00:00Z", "u1", "acme", "{", "\x00", "\ud83d", ""]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner)
    ),
    max_leaves=6,
)
FIELDS = (
    *("type", "event", "userId", "anonymousId", "groupId", "previousId", "messageId"),
    *("timestamp", "sentAt", "properties", "traits", "context", "name", "category"),
)
GOOD: dict[str, Any] = {"type": "track", "event": "E", "userId": "u1"}
TYPES = st.sampled_from(["track", "identify", "group", "page", "screen", "alias"])
CALLS = st.one_of(
    ANYTHING,
    st.dictionaries(st.sampled_from(FIELDS), ANYTHING),
    # Nearly right: one or two fields of a good call are anything.
    st.builds(
        lambda type_, odd: {**GOOD, "groupId": "g", "previousId": "p", **odd, **type_},
        st.builds(lambda t: {"type": t}, TYPES),
        st.dictionaries(st.sampled_from(FIELDS), ANYTHING, max_size=2),
    ),
)
SINGLE = st.sampled_from(["track", "identify", "group", "page", "screen", "alias"])
BATCHES = st.builds(
    lambda calls, outer: ("batch", {**outer, "batch": calls}, len(calls)),
    st.lists(CALLS, max_size=5),
    st.dictionaries(st.sampled_from(["context", "sentAt", "x"]), ANYTHING, max_size=2),
)
SINGLES = st.builds(
    lambda call, body: (call, body, 1),
    SINGLE,
    st.dictionaries(st.sampled_from(FIELDS), ANYTHING),
)


@settings(max_examples=50)
@given(st.lists(BATCHES | SINGLES, min_size=1, max_size=3))
def test_every_call_is_an_event_or_a_reject(
    sent: list[tuple[str, dict[str, Any], int]],
) -> None:
    requests = [
        Request(n, "src_a", call, NOW, json.dumps(body).encode())
        for n, (call, body, _count) in enumerate(sent)
    ]
    found = convert.convert(convert.read(table(requests)), frozenset())
    assert found.events.num_rows + found.rejects.num_rows == sum(n for *_, n in sent)
    for event in found.events.to_pylist():
        assert event["event"]
        assert event["event_id"]
        assert event["timestamp"] <= event["received_at"] == NOW
        for column in ("properties", "context"):
            assert isinstance(json.loads(event[column] or "{}"), dict)
    numbers = found.rejects["row_number"].to_pylist()
    assert len(set(numbers)) == len(numbers)


@settings(max_examples=10)
@given(st.lists(CALLS, max_size=6))
def test_what_is_heard_of_people_can_be_written_twice(
    tmp_path_factory: pytest.TempPathFactory, calls: list[Any]
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    body = json.dumps({"batch": calls}).encode()
    tables = ("users", "accounts", "memberships", "identities")
    states = []
    for _ in range(2):
        found = convert.convert(
            convert.read(table([Request(1, "src_a", "batch", NOW, body)])), frozenset()
        )
        people.save(lake, found.heard)
        states.append(
            {name: lake.read(name).sort_by("properties") for name in tables[:3]}
        )
    assert states[0] == states[1]


LOADS = st.lists(
    st.one_of(
        st.lists(
            st.tuples(st.sampled_from("abcdef"), st.integers(0, 80), st.booleans()),
            min_size=1,
            max_size=6,
        ),
        st.sampled_from(["compact", "restart", "vacuum", "index lost"]),
    ),
    max_size=8,
)


@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(LOADS)
def test_ids_count_once_whatever_happens_between_loads(
    tmp_path_factory: pytest.TempPathFactory, loads: list[Any]
) -> None:
    """Within a batch, across batches, in other months, after a compaction."""
    folder = tmp_path_factory.mktemp("lake")
    lake = Lake(folder)
    sent: set[tuple[str, str]] = set()
    for number, load in enumerate(loads):
        if isinstance(load, str):
            lake = _between(lake, folder, load)
            continue
        requests = []
        for id_, days, is_other in load:
            source = "src_b" if is_other else "src_a"
            sent.add((source, id_))
            at = (NOW - timedelta(days=days)).isoformat()
            call = {**GOOD, "messageId": id_, "timestamp": at}
            body = json.dumps({"batch": [call], "sentAt": NOW.isoformat()})
            requests.append(Request(number, source, "batch", NOW, body.encode()))
        found = convert.convert(convert.read(table(requests)), frozenset())
        lake.write("events", found.events)
    with connect() as duck:
        query = f"SELECT source_id, event_id FROM {lake.source('events')}"
        assert sorted(duck.sql(query).fetchall()) == sorted(sent)


def _between(lake: Lake, folder: Path, what: str) -> Lake:
    if what == "compact":
        lake.compact("events")
    elif what == "vacuum":
        lake.vacuum("events", retention=timedelta(0))
    elif what == "index lost":
        for file in (folder / "_index").rglob("*.u64"):
            file.unlink()
    return Lake(folder)
