"""The page of settings: read, changed, refused, told in the audit log."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from perennial.apps.intake import counting
from perennial.apps.jobs.models import JobRun
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import AuditEntry, User, Workspace
from perennial.core.settings import groups
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]
WHERE = "/settings/workspace/"


@pytest.fixture(autouse=True)
def _as_before(workspace: Workspace) -> Iterator[None]:
    """The folder is shared by the tests: each leaves its settings as they were."""
    lake = lake_of(workspace)
    before = lake.lake.read("settings")
    yield
    lake.lake.delete("settings", "true")
    lake.lake.write("settings", before)


def sent(workspace: Workspace, group: str, **values: str) -> dict[str, str]:
    """A form as it stands, with these values in it."""
    said = {line.key: line.value for line in counting.lines(workspace)[group]}
    return {"group": group, **said, **values}


def test_every_setting_is_on_the_page(cast: Cast, client_of: ClientOf) -> None:
    page = client_of(cast.owner).get(WHERE).content.decode()
    for names in groups().values():
        for name in names:
            assert f'name="{name}"' in page


def test_a_change_counts_and_is_told(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    client, lake = client_of(cast.owner), lake_of(workspace)
    month = lake.metric("mau", as_of=lake.today).value
    form = sent(workspace, "Use", mau_days="1", freq_daily="")
    assert client.post(WHERE, form).status_code == 302
    assert lake.settings.mau_days == 1
    assert lake.metric("mau", as_of=lake.today).value < month
    entry = AuditEntry.objects.get(verb="settings.changed")
    assert entry.target == "mau_days"
    assert entry.details == {"before": "30", "now": "1"}
    assert JobRun.objects.filter(name="refresh", workspace=workspace).count() == 1
    page = client.get(WHERE).content.decode()
    assert "by default 30" in page
    assert f"by {cast.owner.email}" in page
    # An empty number is the default again.
    client.post(WHERE, sent(workspace, "Use", mau_days=""))
    assert lake.settings.mau_days == 30


def test_screens_follow_zone_and_currency(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    form = sent(workspace, "Calendar and money", timezone="Asia/Kathmandu")
    assert client_of(cast.owner).post(WHERE, form).status_code == 302
    workspace.refresh_from_db()
    assert workspace.timezone == "Asia/Kathmandu"
    assert lake_of(workspace).settings.timezone == "Asia/Kathmandu"


def test_what_does_not_fit_is_said_where_it_stands(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.owner)
    answer = client.post(WHERE, sent(workspace, "Use", mau_days="-3"))
    assert answer.status_code == 422
    assert 'id="id_mau_days_error"' in answer.content.decode()
    together = sent(workspace, "Use", freq_daily="3", freq_frequent="2")
    assert client.post(WHERE, together | {"freq_frequent": "5"}).status_code == 422
    assert not AuditEntry.objects.filter(verb="settings.changed").exists()
    assert not JobRun.objects.filter(name="refresh").exists()


def test_a_workspace_is_renamed(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.owner)
    client.post(WHERE, {"name": "  Aldermoor  "})
    workspace.refresh_from_db()
    assert workspace.name == "Aldermoor"
    assert AuditEntry.objects.get(verb="workspace.renamed").target == "Aldermoor"
    assert "needs a name" in client.post(WHERE, {"name": " "}, follow=True).text


def test_only_admins(workspace: Workspace, cast: Cast, client_of: ClientOf) -> None:
    for user in (cast.teammate, cast.viewer):
        answer = client_of(user).post(WHERE, sent(workspace, "Use", mau_days="1"))
        assert answer.status_code in {403, 404}
    assert lake_of(workspace).settings.mau_days == 30
