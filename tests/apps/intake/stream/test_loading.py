"""What becomes of calls: every rule of the protocol, by example."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from perennial.apps.intake.models import Batch, Source
from perennial.apps.intake.stream import convert, guess, loader, steps
from perennial.apps.team.actions import create_workspace
from perennial.apps.team.lake import lake_of
from perennial.lake.store import Lake
from tests.apps.intake.stream.conftest import NOW, Intake, Track

pytestmark = pytest.mark.django_db


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_track_call_becomes_an_event(intake: Intake) -> None:
    intake.send(
        {
            "type": "track",
            "event": "Report opened",
            "userId": "u1",
            "anonymousId": "a1",
            "messageId": "m1",
            "timestamp": "2026-03-10T11:59:58.5+00:00",
            "properties": {"plan": "pro", "n": 3, "nested": {"a": [1, None]}},
            "context": {"groupId": "acme", "page": {"path": "/r"}},
        },
        sentAt="2026-03-10T12:00:00Z",
    )
    assert intake.load() == loader.Loaded(requests=1, events=1)
    event = intake.event()
    assert json.loads(event.pop("properties")) == {
        "plan": "pro",
        "n": 3,
        "nested": {"a": [1, None]},
    }
    assert json.loads(event.pop("context"))["page"] == {"path": "/r"}
    assert event == {
        "event_id": "m1",
        "event": "Report opened",
        "timestamp": at("2026-03-10T11:59:58.5+00:00"),
        "user_id": "u1",
        "anonymous_id": "a1",
        "account_id": "acme",
        "sent_at": at("2026-03-10T12:00:00+00:00"),
        "received_at": NOW,
        "source_id": intake.source.slug,
        "excluded_as": None,
    }
    assert not Batch.objects.exists()


@pytest.mark.parametrize("call", ["track", "page", "screen", "identify"])
def test_single_calls_have_their_type_from_the_address(
    intake: Intake, call: str
) -> None:
    intake.put(call, b'{"event": "E", "userId": 42, "messageId": "m"}')
    intake.load()
    names = {"page": "Page viewed", "screen": "Screen viewed", "identify": "$identify"}
    event = intake.event()
    assert (event["event"], event["user_id"]) == (names.get(call, "E"), "42")


@pytest.mark.parametrize(
    ("sent", "said", "expected"),
    [
        # The client's clock is two hours ahead: corrected by sentAt.
        ("2026-03-10T14:00:00Z", "2026-03-10T13:59:30Z", "2026-03-10T11:59:30+00:00"),
        # Two years behind, and still right.
        ("2024-03-10T12:00:00Z", "2024-03-09T12:00:00Z", "2026-03-09T12:00:00+00:00"),
        # No word of when it was sent: believed within 35 days and 5 minutes.
        (None, "2026-02-10T12:00:00Z", "2026-02-10T12:00:00+00:00"),
        (None, "2026-01-10T12:00:00Z", "2026-03-10T12:00:00+00:00"),
        (None, "2026-03-10T12:04:00Z", "2026-03-10T12:00:00+00:00"),
        (None, "2026-03-11T12:00:00Z", "2026-03-10T12:00:00+00:00"),
        # No time at all, or one without a zone, or a number.
        ("2026-03-10T12:00:00Z", None, "2026-03-10T12:00:00+00:00"),
        (None, "2026-03-10T11:00:00", "2026-03-10T11:00:00+00:00"),
        (
            None,
            "2026-03-10T12:30:00.123456789+01:00",
            "2026-03-10T11:30:00.123456+00:00",
        ),
        (None, 1773140400000, "2026-03-10T11:00:00+00:00"),
        (None, 1773140400.25, "2026-03-10T11:00:00.250000+00:00"),
        # What was sent cannot be read: as if it were not there.
        ("soon", "2026-03-10T11:00:00Z", "2026-03-10T11:00:00+00:00"),
        ("0001-01-01T00:00:00Z", "2026-03-10T11:00:00Z", "2026-03-10T11:00:00+00:00"),
        # Never later than it was received.
        ("2026-03-10T11:00:00Z", "2026-03-10T11:30:00Z", "2026-03-10T12:00:00+00:00"),
    ],
)
def test_the_clients_clock_is_corrected(
    intake: Intake, track: Track, sent: str | None, said: Any, expected: str
) -> None:
    intake.send(track(timestamp=said), sentAt=sent)
    intake.load()
    assert intake.event()["timestamp"] == at(expected)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ({"type": "track", "userId": "u"}, "no_name"),
        ({"type": "track", "userId": "u", "event": "  "}, "no_name"),
        ({"type": "track", "userId": "u", "event": {"a": 1}}, "no_name"),
        ({"type": "track", "userId": "u", "event": "x" * 301}, "long_name"),
        ({"type": "track", "event": "E"}, "no_user"),
        ({"type": "track", "event": "E", "userId": None, "anonymousId": ""}, "no_user"),
        ({"type": "track", "event": "E", "userId": {"id": 1}}, "bad_id"),
        ({"type": "track", "event": "E", "userId": True}, "bad_id"),
        ({"type": "track", "event": "E", "userId": "u" * 501}, "bad_id"),
        (
            {"type": "track", "event": "E", "userId": "u", "messageId": ["m"]},
            "bad_message_id",
        ),
        (
            {"type": "track", "event": "E", "userId": "u", "messageId": "m" * 201},
            "bad_message_id",
        ),
        (
            {"type": "track", "event": "E", "userId": "u", "properties": [1]},
            "bad_properties",
        ),
        (
            {"type": "track", "event": "E", "userId": "u", "timestamp": "once"},
            "bad_time",
        ),
        (
            {"type": "track", "event": "E", "userId": "u", "timestamp": 1e300},
            "bad_time",
        ),
        ({"type": "track", "event": "E", "userId": "u", "timestamp": {}}, "bad_time"),
        (
            {"type": "track", "event": "E", "userId": "u", "timestamp": "infinity"},
            "bad_time",
        ),
        ({"type": "charge", "userId": "u"}, "unknown_type"),
        ({"userId": "u", "event": "E"}, "unknown_type"),
        ({"type": ["track"], "userId": "u"}, "unknown_type"),
        (5, "unknown_type"),
        ("track", "unknown_type"),
        (None, "unknown_type"),
        ([], "unknown_type"),
        ({"type": "group", "userId": "u"}, "no_group"),
        ({"type": "alias", "userId": "u"}, "no_previous_id"),
        ({"type": "identify", "traits": {"a": 1}}, "no_user"),
    ],
)
def test_what_cannot_be_taken_is_kept_with_its_reason(
    intake: Intake, track: Track, call: Any, reason: str
) -> None:
    intake.send(track(messageId="good"), call, context={"ip": "::1"})
    assert intake.load() == loader.Loaded(requests=1, events=1, dropped=1)
    [reject] = intake.rows("rejects")
    assert reject["code"] == reason
    assert reject["reason"] == str(steps.Drop(reason).about)
    assert reject["source"] == f"http:{intake.source.slug}"
    assert reject["rejected_at"] == NOW
    payload = json.loads(reject["payload"])
    if isinstance(call, dict):
        assert payload == {**call, "context": {"ip": "::1"}}
    else:
        assert payload == call
    assert [e["event_id"] for e in intake.events()] == ["good"]


@pytest.mark.parametrize(
    "body",
    [
        b'{"batch": [{"type": "track", "event": "\xff", "userId": "u"}]}',
        b'{"batch": [{"type": "track"}',
        b"[1, 2]",
    ],
)
def test_what_cannot_be_read_does_not_hold_up_the_others(
    intake: Intake, track: Track, body: bytes
) -> None:
    intake.send(track(messageId="before"))
    intake.put("batch", body)
    intake.send(track(messageId="after"))
    intake.load()
    assert [e["event_id"] for e in intake.events()] == ["after", "before"]
    assert intake.reasons() in (["unreadable"], ["unknown_type"], [])
    assert not Batch.objects.exists()


def test_half_an_emoji_does_not_lose_the_others(intake: Intake, track: Track) -> None:
    intake.send(track(messageId="m1", properties={"title": "\ud83d"}), track())
    assert intake.load().events == 2
    assert json.loads(intake.events()[1]["properties"]) == {"title": "?"}


def test_a_defect_of_ours_puts_one_request_aside(
    intake: Intake, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(sent: pa.Table) -> Any:
        if any(b"poison" in body for body in sent["body"].to_pylist()):
            raise ValueError("a defect")
        return convert.read(sent)

    monkeypatch.setattr(loader, "read", poisoned)
    for number in range(5):
        intake.send(track("poison" if number == 2 else "E", messageId=f"m{number}"))
    assert intake.load() == loader.Loaded(requests=5, events=4, dropped=1)
    assert intake.reasons() == ["failed"]


def test_loads_that_are_read_ahead_share_the_limit_of_names(
    intake: Intake, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "_LOAD_ROWS", 1)
    monkeypatch.setattr(convert, "MOST_NAMES", 2)
    for number, name in enumerate(["A", "B", "A", "C", "B", "D"]):
        intake.send(track(name, messageId=f"m{number}"))
    assert intake.load() == loader.Loaded(requests=6, events=4, dropped=2)
    assert intake.reasons() == ["too_many_names", "too_many_names"]


def test_nothing_leaves_the_inbox_while_the_lake_cannot_write(
    intake: Intake, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    intake.send(track(messageId="m1"))
    real = Lake.write

    def write(self: Lake, name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "events":
            raise OSError(28, "No space left on device")
        return real(self, name, *args, **kwargs)

    monkeypatch.setattr(Lake, "write", write)
    with pytest.raises(OSError, match="No space left"):
        intake.load()
    assert Batch.objects.count() == 1
    monkeypatch.undo()
    assert intake.load().events == 1
    assert len(intake.events()) == 1


def test_a_lake_that_cannot_be_written_holds_up_no_other(
    intake: Intake, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = create_workspace("other")
    other = Intake(theirs, Source.objects.create(workspace=theirs, name="Web"))
    real, broken = Lake.write, lake_of(intake.workspace).lake.root

    def write(self: Lake, *args: Any, **kwargs: Any) -> Any:
        if self.root == broken:
            raise OSError(30, "Read-only file system")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Lake, "write", write)
    intake.send(track())
    other.send(track())
    with pytest.raises(OSError, match="Read-only"):
        loader._turn(loader._Following(threading.Event()))
    assert [batch.source for batch in Batch.objects.all()] == [intake.source]
    assert len(other.events()) == 1


def test_a_request_leaves_the_inbox_after_its_own_write_only(
    intake: Intake, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "_LOAD_ROWS", 1)
    monkeypatch.setattr(loader, "PIECE", 2)
    for number in range(7):
        intake.send(track(f"E{number}", messageId=f"m{number}"))
    real, written = Lake.write, list[str]()

    def write(self: Lake, name: str, rows: Any, **rest: Any) -> Any:
        if name == "events":
            assert Batch.objects.count() == 7 - len(written)
            if len(written) == 5:
                raise OSError(28, "No space left on device")
            written.extend(rows["event_id"].to_pylist())
        return real(self, name, rows, **rest)

    monkeypatch.setattr(Lake, "write", write)
    with pytest.raises(OSError, match="No space left"):
        intake.load()
    assert written == ["m0", "m1", "m2", "m3", "m4"]
    assert Batch.objects.count() == 2
    monkeypatch.setattr(Lake, "write", real)
    assert intake.load() == loader.Loaded(requests=2, events=2)
    assert [event["event_id"] for event in intake.events()] == [
        f"m{number}" for number in range(7)
    ]


def test_event_names_of_a_load_are_known_to_the_next(
    intake: Intake, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "_LOAD_ROWS", 1)
    monkeypatch.setattr(convert, "MOST_NAMES", 2)
    for number, name in enumerate(["A", "B", "C", "A", "D", "B"]):
        intake.send(track(name, messageId=f"m{number}"))
    assert intake.load() == loader.Loaded(requests=6, events=4, dropped=2)
    assert intake.reasons() == ["too_many_names", "too_many_names"]


def test_ten_thousand_event_names_are_too_many(intake: Intake, track: Track) -> None:
    intake.send(*[track(f"Opened {n}", messageId=str(n)) for n in range(10_000)])
    loaded = intake.load()
    assert (loaded.events, loaded.dropped) == (5_000, 5_000)
    assert set(intake.reasons()) == {"too_many_names"}
    intake.send(track("Opened 7"), track("Opened 7000"))
    loaded = intake.load()
    assert (loaded.events, loaded.dropped) == (1, 1)


def test_hostile_text_is_kept_as_text(intake: Intake, track: Track) -> None:
    nasty = "'; DROP TABLE events; --\u0000 \x1f ünïcödé \U0001f600 \u202e"
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"a": deep}
    intake.send(
        track(nasty, userId=nasty, messageId="m1", properties={nasty: nasty}),
        track(messageId="m2", properties={"deep": deep, "huge": 10**400, "f": 1e308}),
        track(messageId="m3", properties={"context": {"groupId": []}}, context=[1]),
        track(messageId="m4", userId=12345678901234567890123456789),
        track(messageId="m5", context={"groupId": {"a": 1}, "traits": "x"}),
    )
    assert intake.load().events == 5
    found = {e["event_id"]: e for e in intake.events()}
    assert found["m1"]["event"] == nasty.replace("\u0000", "")
    assert json.loads(found["m1"]["properties"]) == {nasty: nasty}
    assert json.loads(found["m2"]["properties"])["huge"] == 10**400
    assert found["m4"]["user_id"] == "12345678901234567890123456789"
    assert found["m5"]["account_id"] is None


def test_ids_count_once_within_a_source_for_ever(intake: Intake, track: Track) -> None:
    other = Source.objects.create(workspace=intake.workspace, name="App")
    intake.send(track(messageId="m"), track(messageId="m"))
    intake.send(track(messageId="m", timestamp="2026-02-28T10:00:00Z"))
    assert intake.load() == loader.Loaded(requests=2, events=1, known=2)
    intake.send(track(messageId="m"), source=other)
    assert intake.load().events == 1
    later = NOW + timedelta(days=400)
    intake.send(track(messageId="m"), at=later)
    assert intake.load() == loader.Loaded(requests=1, known=1)


def test_events_without_ids_are_told_apart_by_what_they_say(
    intake: Intake, track: Track
) -> None:
    same = track(timestamp="2026-03-10T11:00:00.123Z", properties={"a": 1, "b": 2})
    turned = track(timestamp="2026-03-10T11:00:00.1234Z", properties={"b": 2, "a": 1})
    intake.send(same, turned, track(timestamp="2026-03-10T11:00:00.124Z"))
    intake.load()
    assert len(intake.events()) == 2
    intake.send(track("Clicked"), track("Clicked"))
    intake.load()
    assert len(intake.events()) == 4, "two clicks without a time are two clicks"


def test_batch_context_counts_where_an_event_has_none(
    intake: Intake, track: Track
) -> None:
    intake.send(
        track(messageId="1"),
        track(messageId="2", context={"groupId": "mine", "page": {"path": "/x"}}),
        context={"groupId": "acme", "page": {"url": "u"}},
    )
    intake.load()
    first, second = sorted(intake.events(), key=lambda e: str(e["event_id"]))
    assert (first["account_id"], second["account_id"]) == ("acme", "mine")
    assert json.loads(second["context"])["page"] == {"url": "u", "path": "/x"}


def test_pages_are_one_event_with_a_name(intake: Intake) -> None:
    intake.send(
        {
            "type": "page",
            "name": "Pricing",
            "category": "Docs",
            "anonymousId": "a",
            "properties": {"path": "/p", "name": "Own"},
        },
        {"type": "screen", "userId": "u"},
    )
    intake.load()
    page, screen = sorted(intake.events(), key=lambda e: str(e["event"]))
    assert page["event"] == "Page viewed"
    assert json.loads(page["properties"]) == {
        "name": "Own",
        "category": "Docs",
        "path": "/p",
    }
    assert (screen["event"], screen["properties"]) == ("Screen viewed", None)
    kinds = {row["name"]: row["kind"] for row in intake.rows("event_definitions")}
    assert kinds == {"Page viewed": "page", "Screen viewed": "page"}


def test_bots_and_impersonation_are_marked(intake: Intake, track: Track) -> None:
    crawler = {"userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}
    intake.send(
        {"type": "page", "anonymousId": "a", "messageId": "bot", "context": crawler},
        track(messageId="person", context=crawler),
        track(messageId="staff", properties={"impersonated_by": "eve@us"}),
        track(messageId="staff2", context={"impersonatedBy": 7}),
        track(messageId="none", properties={"impersonated_by": None}),
    )
    intake.load()
    assert {e["event_id"]: e["excluded_as"] for e in intake.events()} == {
        "bot": "bot",
        "person": None,
        "staff": "impersonated",
        "staff2": "impersonated",
        "none": None,
    }


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("User Logged In", "login"),
        ("Signed in", "login"),
        ("page_view", "page"),
        ("Page viewed", "page"),
        ("Heartbeat", "system"),
        ("E-mail delivered", "system"),
        ("invoice.paid", "billing"),
        ("Ticket Created", "support"),
        ("Report opened", "feature"),
        ("Shopping spree", "feature"),
        ("$identify", "system"),
    ],
)
def test_names_are_guessed(name: str, kind: str) -> None:
    assert guess.kind_of(name) == kind


def test_a_guess_never_replaces_a_definition(intake: Intake, track: Track) -> None:
    lake = lake_of(intake.workspace).lake
    guess.define(lake, ["Heartbeat"])
    [row] = intake.rows("event_definitions")
    assert row["kind"] == "system"
    intake.send(track("Heartbeat"), track("Other heartbeat"))
    intake.load()
    assert len(intake.rows("event_definitions")) == 2
