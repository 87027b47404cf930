"""Intake in a real browser: from no source to defined events."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from perennial.apps.intake import state
from perennial.apps.intake.models import Batch, Source
from perennial.apps.intake.sources import create_key
from perennial.apps.intake.stream import loader
from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs.models import JobRun
from perennial.apps.team.lake import lake_of
from perennial.config.folder import DataFolder
from tests.apps.team.cast import Cast
from tests.e2e.browsing import (
    SignIn,
    assert_clean,
    browse,
    settle,
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, settings: Settings) -> None:
    settings.DATA = DataFolder(tmp_path / "data")
    settings.DATA.prepare()
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
    }
    loader._seen.clear()


def send(source: Source, *calls: dict[str, Any]) -> None:
    """What the server and the loader do with a request."""
    body = json.dumps({"batch": calls}).encode()
    Batch.objects.create(
        source=source,
        call="batch",
        received_at=datetime.now(UTC),
        body=body,
        size=len(body),
    )
    loader.drain(source.workspace)
    lake_of(source.workspace).roll_up()


def test_from_a_new_source_to_a_defined_event(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.admin)
    browse(page, "/data/sources/")
    assert_clean(page)
    source = create_source(page)
    set_up(page, source)
    watch_live(page, source)
    replay(page, source)
    define(page)
    look_at_the_source(page)


def create_source(page: Page) -> Source:
    page.get_by_label("Name").fill("Web application")
    page.get_by_role("button", name="Create the source").click()
    expect(page.get_by_text("Waiting for the first event.")).to_be_visible()
    return Source.objects.get()


def set_up(page: Page, source: Source) -> None:
    """The lines can be copied, and the page sees the first event."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").first.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert source.keys.get().key in copied
    assert "/snippet/v1.js" in copied
    for way in ("Python", "Segment"):
        page.get_by_role("link", name=way, exact=True).click()
        settle(page)
        assert_clean(page)
    send(
        source,
        {
            "type": "track",
            "event": "Report made",
            "userId": "user-17",
            "properties": {"rows": 120, "format": "pdf"},
        },
    )
    expect(page.get_by_text("Events arrive.")).to_be_visible()
    expect(page.locator("#setup-status")).to_contain_text("Report made")
    assert_clean(page)


def watch_live(page: Page, source: Source) -> None:
    page.get_by_role("link", name="Watch live").click()
    settle(page)
    row = page.locator("tbody tr", has_text="Report made")
    expect(row).to_have_count(1)
    assert_clean(page)
    send(source, {"type": "track", "event": "Shift planned", "userId": "user-2"})
    send(source, {"type": "track", "event": "Nobody did this"})
    expect(page.locator("tbody tr", has_text="Shift planned")).to_be_visible()
    expect(page.locator("tbody tr.is-refused")).to_contain_text("no_user")
    row.get_by_role("link").click()
    expect(page.get_by_role("dialog")).to_contain_text('"rows": 120')
    assert_clean(page)
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    expect(page.get_by_role("link", name="Go on")).to_be_visible()


def replay(page: Page, source: Source) -> None:
    page.get_by_role("link", name="Rejects").click()
    settle(page)
    page.locator("summary", has_text="Nobody did this").click()
    expect(page.locator("pre")).to_contain_text('"event": "Nobody did this"')
    assert_clean(page)
    page.get_by_role("button", name="Send again: It names neither").click()
    expect(page.get_by_text("1 call was sent again.")).to_be_visible()
    expect(page.get_by_text("Nothing was refused")).to_be_visible()
    assert Batch.objects.count() == 1


def define(page: Page) -> None:
    page.get_by_role("link", name="Events", exact=True).click()
    settle(page)
    expect(page.locator("tbody tr", has_text="guess")).to_have_count(2)
    assert_clean(page)
    page.get_by_role("link", name="Report made").click()
    settle(page)
    assert_clean(page)
    page.get_by_label("Which feature").fill("Reports")
    page.get_by_label("Key feature").check()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("The numbers that depend on it")).to_be_visible()
    expect(page.get_by_text("Said by a person or a file.")).to_be_visible()
    jobs.execute(JobRun.objects.get(name="apply_definitions").pk)
    expect(page.get_by_text("The numbers that depend on it are")).to_have_count(0)


def look_at_the_source(page: Page) -> None:
    page.goto("/data/sources/")
    settle(page)
    expect(page.locator("tbody tr")).to_contain_text("Receiving")
    assert_clean(page)
    page.get_by_role("link", name="Web application").click()
    settle(page)
    assert_clean(page)
    page.locator("summary", has_text="Revoke").click()
    page.get_by_role("button", name="Revoke this key").click()
    expect(page.get_by_text("No key lets this source send.")).to_be_visible()
    browse(page, "/data/")


def test_what_readers_see(page: Page, cast: Cast, sign_in: SignIn) -> None:
    """Empty pages, and those of people who change nothing."""
    sign_in(cast.viewer)
    for path in ("sources", "live", "rejects", "events"):
        browse(page, f"/data/{path}/")
        assert_clean(page)
    source = create_key(cast.workspace, "Web application", by=None).source
    now = datetime.now(UTC).isoformat()
    send(source, {"type": "track", "event": "A thing", "userId": "u", "timestamp": now})
    for path in (f"sources/{source.slug}", f"sources/{source.slug}/setup"):
        browse(page, f"/data/{path}/")
        assert_clean(page)
    browse(page, "/data/events/name/?name=A+thing")
    expect(page.get_by_role("button", name="Confirm")).to_have_count(0)
    assert_clean(page)
    sign_in(cast.admin)
    browse(page, "/data/sources/new/")
    assert_clean(page)


def test_the_page_says_what_is_wrong(
    page: Page,
    cast: Cast,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(state, "DISK_FULL", 1 << 60)
    source = create_key(cast.workspace, "Web application", by=None).source
    Batch.objects.create(
        source=source,
        call="track",
        received_at=datetime.now(UTC) - timedelta(minutes=5),
        body=b"{}",
        size=2,
    )
    sign_in(cast.viewer)
    browse(page, "/data/")
    expect(page.get_by_text("The disk is full")).to_be_visible()
    expect(page.get_by_text("1 request has been waiting for 5 min.")).to_be_visible()
    assert_clean(page)
