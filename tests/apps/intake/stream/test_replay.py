"""Rejects sent again: what can be taken now is taken, and nothing counts twice."""

from __future__ import annotations

import json

import pytest

from perennial.apps.intake.models import Batch
from perennial.apps.intake.replay import replay
from perennial.apps.intake.stream import loader
from perennial.apps.team.models import AuditEntry
from tests.apps.intake.stream.conftest import NOW, Intake, Track

pytestmark = pytest.mark.django_db


def test_what_could_not_be_taken_is_taken_once_it_can(
    intake: Intake, track: Track, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perennial.apps.intake.stream import convert

    monkeypatch.setattr(convert, "MOST_NAMES", 1)
    intake.send(track("First", messageId="1"), track("Second", messageId="2"))
    intake.send(5, {"type": "track", "event": "E"})  # type: ignore[arg-type]
    intake.load()
    assert intake.reasons() == ["too_many_names", "unknown_type", "no_user"]
    monkeypatch.undo()

    assert replay(intake.workspace, code="too_many_names", by=None) == 1
    assert intake.reasons() == ["unknown_type", "no_user"]
    intake.load()
    events = {e["event_id"]: e for e in intake.events()}
    assert set(events) == {"1", "2"}
    assert events["2"]["received_at"] == NOW
    assert AuditEntry.objects.get().verb == "rejects.replayed"

    assert replay(intake.workspace, code=None, by=None) == 1, "5 can never be taken"
    intake.load()
    assert sorted(intake.reasons()) == ["no_user", "unknown_type"]


def test_a_call_that_got_through_meanwhile_counts_once(
    intake: Intake, track: Track
) -> None:
    intake.send({**track(messageId="1"), "userId": None})
    intake.load()
    intake.send(track(messageId="1"))
    intake.load()
    assert replay(intake.workspace, code=None, by=None) == 1
    intake.load()
    assert len(intake.events()) == 1
    assert not Batch.objects.exists()


@pytest.mark.parametrize("call", ["batch", "track"])
def test_a_request_put_aside_whole_comes_back_whole(
    intake: Intake, track: Track, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def defect(*_: object) -> None:
        raise ValueError("a defect of ours")

    monkeypatch.setattr(loader, "convert", defect)
    calls = [track(messageId=name) for name in "ab"]
    sent = {"batch": calls} if call == "batch" else {"event": "E", "userId": "u"}
    intake.put(call, json.dumps(sent).encode())
    intake.load()
    assert intake.reasons() == ["failed"]
    monkeypatch.undo()
    assert replay(intake.workspace, code="failed", by=None) == 1
    intake.load()
    assert intake.reasons() == []
    assert len(intake.events()) == (2 if call == "batch" else 1)
