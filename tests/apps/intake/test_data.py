"""The page Data, and the way of a file from the browser into the lake."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from perennial.apps.intake import actions, queries, uploads, words
from perennial.apps.intake.files import Reason
from perennial.apps.intake.imports import imports
from perennial.apps.intake.uploads import Upload
from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs.models import JobRun, State
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import User, Workspace
from perennial.lake.tables import FACTS
from tests.apps.team.cast import Cast
from tests.builders import write

ClientOf = Callable[[User], Client]
ACCOUNTS = b"""account_id,name,segment
a1,Alpha,Small
a2,Beta,Small
,=Nobody,Small
"""


@pytest.fixture
def teammate(workspace: Workspace, cast: Cast, client_of: ClientOf) -> Client:
    return client_of(cast.teammate)


def send(client: Client, content: bytes, name: str, table: str = "auto") -> str:
    """Sends a file; the address of its page."""
    file = SimpleUploadedFile(name, content)
    response = client.post("/data/import/", {"file": file, "table": table})
    assert response.status_code == 302, response.content.decode()
    return str(response["Location"])


def run(name: str) -> JobRun:
    """Runs the newest run of a job as a worker would."""
    found = JobRun.objects.filter(name=name).latest("pk")
    jobs.execute(found.pk)
    found.refresh_from_db()
    return found


def test_an_empty_workspace_says_what_will_be_here(
    teammate: Client, cast: Cast, client_of: ClientOf
) -> None:
    page = teammate.get("/data/").content.decode()
    assert "Bring your data" in page
    assert "/data/import/" in page
    assert "/data/import/" not in client_of(cast.viewer).get("/data/").content.decode()


def test_a_file_goes_into_the_lake(teammate: Client, workspace: Workspace) -> None:
    where = send(teammate, ACCOUNTS, "customers.csv")
    page = teammate.get(where).content.decode()
    assert "Import 2 rows" in page
    assert "Alpha" in page
    assert "account_id is missing" in page
    assert lake_of(workspace).lake.count("accounts") == 0
    teammate.post(f"{where}start/")
    assert "being imported" in teammate.get(where).content.decode()
    done = run("import_file")
    assert done.state == State.DONE, done.traceback
    assert lake_of(workspace).lake.count("accounts") == 2
    assert not list(Path(uploads._root(workspace.key)).iterdir())
    assert "The file is imported" in teammate.get(where).content.decode()
    assert JobRun.objects.filter(name="warm_metrics").exists()


def test_rejects_are_shown_by_reason_and_as_a_file(
    teammate: Client, workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    where = send(teammate, ACCOUNTS, "customers.csv")
    teammate.post(f"{where}start/")
    run("import_file")
    (found,) = imports(workspace)
    assert (found.rows, found.loaded, found.rejected) == (3, 2, 1)
    viewer = client_of(cast.viewer)
    assert "customers.csv" in viewer.get("/data/").content.decode()
    page = viewer.get(f"/data/imports/{found.import_id}/").content.decode()
    assert "A required value is missing" in page
    assert "=Nobody" in page
    file = viewer.get(f"/data/imports/{found.import_id}/rejects.csv")
    rows = list(csv.DictReader(file.content.decode().splitlines()))
    assert [row["row"] for row in rows] == ["3"]
    assert viewer.get("/data/imports/unknown/").status_code == 404


def test_the_same_file_twice_changes_nothing(
    teammate: Client, workspace: Workspace
) -> None:
    for _ in range(2):
        teammate.post(f"{send(teammate, ACCOUNTS, 'customers.csv')}start/")
        assert run("import_file").state == State.DONE
    assert lake_of(workspace).lake.count("accounts") == 2


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("book.xlsx", b"PK\x03\x04rest", "Excel workbook"),
        ("what.csv", b"color,taste\nred,sweet\n", "cannot be read"),
        ("list.json", b"not json", "JSON"),
    ],
)
def test_bad_files_are_refused_in_words(
    name: str, content: bytes, said: str, teammate: Client, workspace: Workspace
) -> None:
    where = send(teammate, content, name)
    page = teammate.get(where).content.decode()
    assert "This file cannot be read" in page
    assert said in page
    teammate.post(f"{where}start/")
    assert not JobRun.objects.filter(name="import_file").exists()
    response = teammate.post(f"{where}cancel/", {"again": "1"})
    assert response["Location"] == "/data/import/"
    assert teammate.get(where).status_code == 404


def test_another_table_may_be_chosen(teammate: Client) -> None:
    where = send(teammate, b"id,name\n1,A\n", "list.csv", "features")
    teammate.post(f"{where}check/", {"table": "accounts"})
    assert teammate.get(where).status_code == 200


def test_empty_and_large_files_are_refused(
    teammate: Client, settings: Settings
) -> None:
    empty = SimpleUploadedFile("a.csv", b"")
    response = teammate.post("/data/import/", {"file": empty, "table": "auto"})
    assert response.status_code == 422
    assert "The file is empty" in response.content.decode()
    settings.UPLOAD_LIMIT_MB = 0
    full = SimpleUploadedFile("a.csv", b"a")
    response = teammate.post("/data/import/", {"file": full, "table": "auto"})
    assert "larger than 0 MB" in response.content.decode()
    response = teammate.post("/data/import/", {"file": full, "table": "sqlite_master"})
    assert response.status_code == 422


def test_large_files_are_checked_in_the_background(
    teammate: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "AT_ONCE", 1)
    where = send(teammate, ACCOUNTS, "customers.csv")
    assert "being checked" in teammate.get(where).content.decode()
    part = teammate.get(where, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    run("check_file")
    assert "Import 2 rows" in teammate.get(where).content.decode()


def test_uploads_belong_to_their_workspace(
    teammate: Client, cast: Cast, client_of: ClientOf
) -> None:
    where = send(teammate, ACCOUNTS, "customers.csv")
    stranger = client_of(cast.stranger)
    assert stranger.get(where).status_code == 404
    for verb in ("check", "start", "cancel"):
        data = {"table": "accounts"}
        assert stranger.post(f"{where}{verb}/", data).status_code == 404
    assert client_of(cast.viewer).get(where).status_code == 403
    assert Client().get(where).status_code == 302
    assert teammate.get(where).status_code == 200


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "..", "report.json", ".hidden", "a/b\\c.csv", "ü" * 300],
)
def test_names_of_files_stay_in_their_folder(name: str, workspace: Workspace) -> None:
    kept: Upload = uploads.keep(workspace, SimpleUploadedFile("x", ACCOUNTS))
    assert "/" not in uploads._name(name)
    assert (kept.folder / uploads._name(name)).parent == kept.folder
    assert uploads._name(name) not in {"", ".", "..", "report.json"}


def test_old_uploads_are_removed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = uploads.keep(workspace, SimpleUploadedFile("a.csv", ACCOUNTS))
    monkeypatch.setattr(uploads, "KEEP", timedelta(seconds=-1))
    uploads.keep(workspace, SimpleUploadedFile("b.csv", ACCOUNTS))
    assert not kept.folder.exists()


def test_late_events_are_told(workspace: Workspace, teammate: Client) -> None:
    lake = lake_of(workspace).lake
    old = datetime.now(UTC) - timedelta(hours=50)
    write(lake, "events", [{"event_id": "1", "event": "x", "timestamp": old}])
    fresh = queries.freshness(workspace)
    assert fresh is not None
    assert fresh.is_late
    page = teammate.get("/data/").content.decode()
    assert "Events are late" in page
    assert "is-orange" in page
    ahead = datetime.now(UTC) + timedelta(days=9)
    new = datetime.now(UTC) - timedelta(hours=1)
    rows = [("2", ahead), ("3", new)]
    events = [{"event_id": i, "event": "x", "timestamp": at} for i, at in rows]
    write(lake, "events", events)
    fresh = queries.freshness(workspace)
    assert fresh is not None
    assert not fresh.is_late
    assert "Everything arrives" in teammate.get("/data/").content.decode()


def test_a_refresh_is_asked_for(teammate: Client, workspace: Workspace) -> None:
    teammate.post(f"{send(teammate, ACCOUNTS, 'a.csv')}start/")
    run("import_file")
    assert teammate.post("/data/refresh/").status_code == 302
    part = teammate.get("/data/", headers={"HX-Request": "true"}).content.decode()
    assert "every 2s" in part
    done = run("refresh")
    assert done.state == State.DONE, done.traceback
    part = teammate.get("/data/", headers={"HX-Request": "true"}).content.decode()
    assert "every 2s" not in part
    assert "took" in part


def test_every_table_and_reason_has_words() -> None:
    assert set(words.TABLE_NAMES) == set(FACTS)
    assert set(words.ABOUT) == {table.about for table in FACTS.values()}
    assert set(words.REASONS) == {reason.about for reason in Reason}
