"""The live stream, rejects and replay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from perennial.apps.intake import live_views, rejected
from perennial.apps.intake.models import Batch, Source
from perennial.apps.intake.stream.steps import Drop
from perennial.apps.intake.words import CURES
from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs.models import JobRun, State
from perennial.apps.team.models import AuditEntry, User
from tests.apps.intake.stream.conftest import Intake, Track, intake, track  # noqa: F401
from tests.apps.team.cast import Cast
from tests.builders import write

ClientOf = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def viewer(cast: Cast, client_of: ClientOf) -> Client:
    return client_of(cast.viewer)


@pytest.fixture
def teammate(cast: Cast, client_of: ClientOf) -> Client:
    return client_of(cast.teammate)


def stream(client: Client, **asked: str) -> str:
    response = client.get("/data/live/", asked, headers=HTMX)
    assert response.status_code == 200
    return response.content.decode()


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def arrived(intake: Intake, track: Track) -> Intake:  # noqa: F811
    """Two taken and one refused, and one that is too long ago."""
    from perennial.apps.team.lake import lake_of

    other = Source.objects.create(workspace=intake.workspace, name="Back end")
    old = now() - timedelta(hours=2)
    intake.send(track("Old thing", timestamp=old.isoformat()), at=old)
    intake.send(
        track("Report made", context={"groupId": "a1"}, properties={"rows": 7}),
        {"type": "track", "userId": "u9", "event": ""},
        at=now(),
    )
    intake.send(track("Shift planned", userId="u2"), at=now(), source=other)
    intake.load()
    lake = lake_of(intake.workspace).lake
    write(lake, "accounts", [{"account_id": "a1", "name": "Alpha"}])
    return intake


def test_what_came_just_now_is_shown(arrived: Intake, viewer: Client) -> None:
    page = stream(viewer)
    assert "Report made" in page
    assert "Shift planned" in page
    assert "Alpha" in page
    assert "no_name" in page
    assert "Old thing" not in page
    assert 'hx-trigger="every 2s"' in page


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"event": "REPORT"}, {"Report made"}),
        ({"who": "u2"}, {"Shift planned"}),
        ({"who": "alpha"}, {"Report made"}),
        ({"who": "a1"}, {"Report made"}),
        ({"who": "u9"}, {"no_name"}),
        ({"state": "taken"}, {"Report made", "Shift planned"}),
        ({"state": "refused"}, {"no_name"}),
        ({"event": "%"}, set()),
        ({"event": "'; --\0"}, set()),
    ],
)
def test_the_stream_is_filtered(
    asked: dict[str, str], shown: set[str], arrived: Intake, viewer: Client
) -> None:
    page = stream(viewer, **asked)
    every = {"Report made", "Shift planned", "no_name"}
    assert {text for text in every if text in page} == shown


def test_the_stream_is_filtered_by_source(arrived: Intake, viewer: Client) -> None:
    page = stream(viewer, source=arrived.source.slug)
    assert "Report made" in page
    assert "Shift planned" not in page


def test_a_paused_stream_stands_still(arrived: Intake, viewer: Client) -> None:
    assert "hx-trigger" not in stream(viewer, paused="1")


def test_the_stream_is_bounded(
    intake: Intake,  # noqa: F811
    track: Track,  # noqa: F811
    viewer: Client,
) -> None:
    intake.send(*(track(f"Event {n}") for n in range(150)), at=now())
    intake.load()
    page = stream(viewer)
    assert page.count("<tr>") == 101
    assert "The newest 100" in page


def test_an_event_is_opened(arrived: Intake, viewer: Client) -> None:
    event = next(e for e in arrived.events() if e["event"] == "Report made")
    asked = {"source": arrived.source.slug, "id": event["event_id"]}
    page = viewer.get("/data/live/event/", asked).content.decode()
    assert "&quot;rows&quot;: 7" in page
    assert viewer.get("/data/live/event/", {**asked, "id": "x"}).status_code == 404


def test_a_reject_is_opened(arrived: Intake, viewer: Client) -> None:
    [reject] = arrived.rows("rejects")
    asked: dict[str, Any] = {"source": arrived.source.slug, "refused": 1}
    asked["id"] = reject["row_number"]
    page = viewer.get("/data/live/event/", asked, headers=HTMX).content.decode()
    assert "It has no event name." in page
    assert "<html" not in page
    for bad in ("x", "-1", "9" * 40, "1"):
        assert viewer.get("/data/live/event/", {**asked, "id": bad}).status_code == 404


def test_strangers_see_nothing_of_it(
    arrived: Intake, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.stranger)
    assert "Report made" not in stream(client)
    assert "no_name" not in client.get("/data/rejects/").content.decode()
    event = arrived.events()[0]
    asked = {"source": arrived.source.slug, "id": event["event_id"]}
    assert client.get("/data/live/event/", asked).status_code == 404


# Rejects


def test_every_reason_has_a_cure() -> None:
    assert set(CURES) == set(Drop)


def test_rejects_are_shown_by_reason(arrived: Intake, viewer: Client) -> None:
    arrived.send({"type": "track", "event": "<script>"}, at=now() - timedelta(days=3))
    arrived.send({"type": "track", "userId": "u1"}, at=now() - timedelta(days=3))
    arrived.send({"type": "track", "userId": "u1"}, at=now() - timedelta(days=31))
    arrived.load()
    groups = {group.code: group for group in rejected.groups(arrived.workspace)}
    assert set(groups) == {"no_name", "no_user"}
    assert (groups["no_name"].total, groups["no_name"].day) == (2, 1)
    assert groups["no_name"].days[-4:] == (1, 0, 0, 1)
    page = viewer.get("/data/rejects/").content.decode()
    assert "It names neither a user nor an anonymous id." in page
    assert "Give every track call an event name." in page
    assert "&lt;script&gt;" in page
    assert "Send again" not in page


def test_rejects_of_one_source(arrived: Intake, viewer: Client) -> None:
    other = Source.objects.get(name="Back end")
    page = viewer.get("/data/rejects/", {"source": other.slug}).content.decode()
    assert "Nothing was refused" in page


def test_a_viewer_does_not_replay(arrived: Intake, viewer: Client) -> None:
    assert viewer.post("/data/rejects/replay/").status_code == 403
    assert not Batch.objects.exists()


def test_one_reason_is_sent_again(arrived: Intake, teammate: Client) -> None:
    arrived.send({"type": "track", "event": "Nobody"}, at=now())
    arrived.load()
    response = teammate.post("/data/rejects/replay/", {"code": "no_name"}, follow=True)
    assert "1 call was sent again." in response.content.decode()
    assert arrived.reasons() == ["no_user"]
    assert Batch.objects.count() == 1
    arrived.load()
    assert sorted(arrived.reasons()) == ["no_name", "no_user"]
    entry = AuditEntry.objects.get(verb="rejects.replayed")
    assert (entry.target, entry.details) == ("no_name", {"count": 1})


def test_many_are_sent_again_by_a_job(
    arrived: Intake, teammate: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_views, "AT_ONCE", 0)
    page = teammate.post("/data/rejects/replay/", follow=True).content.decode()
    assert "Rejected calls are being sent again." in page
    run = JobRun.objects.get(name="replay_rejects")
    jobs.execute(run.pk)
    run.refresh_from_db()
    assert run.state == State.DONE
    assert arrived.reasons() == []
    assert Batch.objects.count() == 1
    assert AuditEntry.objects.get(verb="rejects.replayed").actor == cast.teammate


def test_a_stranger_replays_nothing_of_ours(
    arrived: Intake, cast: Cast, client_of: ClientOf
) -> None:
    client_of(cast.stranger).post("/data/rejects/replay/")
    assert arrived.reasons() == ["no_name"]
