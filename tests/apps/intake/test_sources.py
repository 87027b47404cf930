"""Sources: who may do what, what the pages say, what is written down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from perennial.apps.intake import arriving
from perennial.apps.intake.models import Source
from perennial.apps.intake.sources import create_key
from perennial.apps.team.models import AuditEntry, User, Workspace
from tests.apps.intake.stream.conftest import Intake, Track, intake, track  # noqa: F401
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]
POSTS = ("rename", "keys", "archive")


@pytest.fixture
def web(workspace: Workspace) -> Source:
    return create_key(workspace, "Web application", by=None).source


@pytest.fixture
def admin(workspace: Workspace, cast: Cast, client_of: ClientOf) -> Client:
    return client_of(cast.admin)


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def verbs(workspace: Workspace) -> list[str]:
    entries = AuditEntry.objects.filter(workspace=workspace).order_by("pk")
    return list(entries.values_list("verb", flat=True))


def test_without_sources_the_page_says_what_to_do(admin: Client) -> None:
    page = text(admin, "/data/sources/")
    assert "Let your product send events" in page
    assert "Create the source" in page


def test_a_viewer_is_told_to_ask(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    page = text(client_of(cast.viewer), "/data/sources/")
    assert "An admin of this workspace can create a source." in page
    assert "Create the source" not in page


def test_an_admin_creates_a_source(
    admin: Client, workspace: Workspace, cast: Cast
) -> None:
    response = admin.post("/data/sources/new/", {"name": " Web application "})
    source = Source.objects.get(workspace=workspace)
    assert response["Location"] == f"/data/sources/{source.slug}/setup/"
    assert source.name == "Web application"
    [key] = source.keys.all()
    assert key.key in text(admin, response["Location"])
    entries = AuditEntry.objects.filter(workspace=workspace, actor=cast.admin)
    assert {"source.created", "key.created"} <= {entry.verb for entry in entries}
    assert key.key not in str([entry.details for entry in entries])


def test_a_name_is_given_once(admin: Client, web: Source) -> None:
    response = admin.post("/data/sources/new/", {"name": web.name})
    assert response.status_code == 422
    assert "There is a source of that name." in response.content.decode()
    assert web.keys.count() == 1


def test_only_admins_see_whole_keys(
    workspace: Workspace, web: Source, cast: Cast, client_of: ClientOf
) -> None:
    key = web.keys.get().key
    for user, sees in (
        (cast.viewer, False),
        (cast.teammate, False),
        (cast.admin, True),
        (cast.owner, True),
    ):
        client = client_of(user)
        for path in (f"/data/sources/{web.slug}/", f"/data/sources/{web.slug}/setup/"):
            assert (key in text(client, path)) == sees, (user.name, path)
        assert (key[:6] in text(client, f"/data/sources/{web.slug}/")) is True


def test_others_than_admins_change_nothing(
    workspace: Workspace, web: Source, cast: Cast, client_of: ClientOf
) -> None:
    key = web.keys.get()
    paths = [f"/data/sources/{web.slug}/{verb}/" for verb in POSTS]
    paths += [f"/data/sources/{web.slug}/keys/{key.pk}/revoke/", "/data/sources/new/"]
    for user in (cast.viewer, cast.teammate):
        for path in paths:
            response = client_of(user).post(path, {"name": "Other"})
            assert response.status_code == 403, (user.name, path)
    web.refresh_from_db()
    key.refresh_from_db()
    assert (web.name, web.archived_at, key.revoked_at) == (
        "Web application",
        None,
        None,
    )
    assert Source.objects.count() == 1


def test_strangers_find_nothing(
    workspace: Workspace, web: Source, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.stranger)
    key = web.keys.get()
    for path in (f"/data/sources/{web.slug}/", f"/data/sources/{web.slug}/setup/"):
        assert client.get(path).status_code == 404
    for verb in (*POSTS, f"keys/{key.pk}/revoke"):
        path = f"/data/sources/{web.slug}/{verb}/"
        assert client.post(path, {"name": "Mine"}).status_code == 404
    assert web.slug not in text(client, "/data/sources/")
    key.refresh_from_db()
    assert key.revoked_at is None


def test_the_key_of_another_source_is_not_found(
    admin: Client, workspace: Workspace, web: Source
) -> None:
    other = create_key(workspace, "Back end", by=None)
    path = f"/data/sources/{web.slug}/keys/{other.pk}/revoke/"
    assert admin.post(path).status_code == 404


def test_a_source_is_renamed(admin: Client, workspace: Workspace, web: Source) -> None:
    admin.post(f"/data/sources/{web.slug}/rename/", {"name": "Portal"})
    web.refresh_from_db()
    assert web.name == "Portal"
    create_key(workspace, "Back end", by=None)
    response = admin.post(f"/data/sources/{web.slug}/rename/", {"name": "Back end"})
    assert response.status_code == 422
    page = response.content.decode()
    assert "There is a source of that name." in page
    assert "<h1>Portal</h1>" in page
    assert "source.renamed" in verbs(workspace)


def test_a_key_is_replaced(admin: Client, workspace: Workspace, web: Source) -> None:
    old = web.keys.get()
    admin.post(f"/data/sources/{web.slug}/keys/")
    admin.post(f"/data/sources/{web.slug}/keys/{old.pk}/revoke/")
    old.refresh_from_db()
    assert old.revoked_at is not None
    [new] = web.keys.filter(revoked_at=None)
    page = text(admin, f"/data/sources/{web.slug}/setup/")
    assert new.key in page
    assert old.key not in page
    assert verbs(workspace)[-2:] == ["key.created", "key.revoked"]


def test_an_archived_source_leaves_the_list(
    admin: Client, workspace: Workspace, web: Source
) -> None:
    admin.post(f"/data/sources/{web.slug}/archive/")
    page = text(admin, "/data/sources/")
    assert f'id="to-{web.slug}"' not in page
    assert not web.keys.filter(revoked_at=None).exists()
    assert "This source is archived." in text(admin, f"/data/sources/{web.slug}/")
    assert "source.archived" in verbs(workspace)


# What arrived


def test_a_source_that_never_sent_leads_to_its_set_up(
    admin: Client, web: Source
) -> None:
    page = text(admin, "/data/sources/")
    assert f'href="/data/sources/{web.slug}/setup/"' in page
    assert "Waits for its first event" in page


def test_what_a_source_sent_is_counted(intake: Intake, track: Track) -> None:  # noqa: F811
    now = datetime.now(UTC)
    for number, hours in enumerate((0, 0, 1, 30)):
        at = now - timedelta(hours=hours)
        call = track(timestamp=at.isoformat(), messageId=f"m{number}")
        intake.send(call, at=at)
    intake.send({"type": "track", "userId": "u1"}, at=now)
    intake.load()
    intake.roll_up()
    intake.send(track(), at=now)
    found = arriving.arrival(intake.source)
    assert found.day == 3
    assert found.recent.hours[-2:] == (1, 2)
    assert found.a_minute == pytest.approx(2 / 5)
    assert found.ever is not None
    assert found.ever.events == 4
    assert (found.refused_day, found.refused) == (1, 1)
    assert found.waiting.requests == 1
    assert found.last_at is not None
    assert abs(found.last_at - now) < timedelta(milliseconds=1)


def test_a_source_says_how_it_is(intake: Intake, track: Track) -> None:  # noqa: F811
    now = datetime.now(UTC)
    states = []
    for hours in (*range(23, 1, -1), 0):
        at = now - timedelta(hours=hours)
        intake.send(track(timestamp=at.isoformat()), at=at)
        if hours in (23, 2, 0):
            create_key(intake.workspace, intake.source.name, by=None)
            intake.load()
            intake.roll_up()
            states.append(arriving.arrival(intake.source).state)
    assert states == ["quiet", "late", "live"]
    intake.source.keys.update(revoked_at=now)
    assert arriving.arrival(intake.source).state == "closed"


# Set-up


def test_the_set_up_has_host_and_key(
    admin: Client, web: Source, settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://cs.alpha.example"
    key = web.keys.get().key
    for name in ("browser", "node", "python", "curl", "analytics-js", "rudderstack"):
        page = text(admin, f"/data/sources/{web.slug}/setup/?for={name}")
        assert "https://cs.alpha.example" in page, name
        assert key in page, name
    page = text(admin, f"/data/sources/{web.slug}/setup/?for=segment")
    assert "https://cs.alpha.example/v1/identify" in page
    assert "Authorization: Basic " in page


def test_the_set_up_knows_this_address(admin: Client, web: Source) -> None:
    page = text(admin, f"/data/sources/{web.slug}/setup/?for=nothing")
    assert "http://testserver/snippet/v1.js" in page


def test_the_set_up_turns_green(
    admin: Client,
    intake: Intake,  # noqa: F811
    track: Track,  # noqa: F811
) -> None:
    path = f"/data/sources/{intake.source.slug}/setup/"

    def status() -> str:
        response = admin.get(path, headers={"HX-Request": "true"})
        return response.content.decode()

    assert "Waiting for the first event." in status()
    intake.send({"type": "track", "userId": "u1"}, at=datetime.now(UTC))
    assert "is being loaded" in status()
    intake.load()
    page = status()
    assert "It has no event name." in page
    assert "hx-get" in page
    intake.send(track("Report <b>"), at=datetime.now(UTC))
    intake.load()
    page = status()
    assert "Events arrive." in page
    assert "Report &lt;b&gt;" in page
    assert "hx-get" not in page


# The command palette


def test_the_palette_knows_pages_and_sources(
    workspace: Workspace, web: Source, cast: Cast, client_of: ClientOf
) -> None:
    viewer = client_of(cast.viewer)
    assert "/data/rejects/" in text(viewer, "/palette/?q=rejec")
    page = text(viewer, "/palette/?q=web+appl")
    assert f"/data/sources/{web.slug}/" in page
    assert web.slug not in text(client_of(cast.stranger), "/palette/?q=web+appl")
    assert "/data/rejects/" not in text(viewer, "/palette/?q=%23rejec")
