"""Data in a real browser: from an empty workspace to an imported file."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs.models import JobRun
from perennial.config.folder import DataFolder
from tests.apps.team.cast import Cast
from tests.e2e.browsing import (
    SignIn,
    assert_clean,
    browse,
    settle,
)

ACCOUNTS = "account_id,name,segment\na1,Alpha,Small\na2,Beta,Small\n,Nobody,Small\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, settings: Settings) -> None:
    settings.DATA = DataFolder(tmp_path / "data")
    settings.DATA.prepare()
    settings.MEDIA_ROOT = settings.DATA.media
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
    }


def test_a_file_is_imported(
    page: Page, cast: Cast, sign_in: SignIn, tmp_path: Path
) -> None:
    file = tmp_path / "customers.csv"
    file.write_text(ACCOUNTS)
    sign_in(cast.teammate)
    browse(page, "/data/")
    assert_clean(page)
    page.get_by_role("link", name="Import a file").click()
    settle(page)
    assert_clean(page)
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_role("button", name="Import 2 rows")).to_be_visible()
    assert_clean(page)
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_text("The file is being imported.")).to_be_visible()
    assert_clean(page)
    jobs.execute(JobRun.objects.get(name="import_file").pk)
    expect(page.get_by_text("The file is imported.")).to_be_visible()
    page.get_by_role("link", name="See the data").click()
    settle(page)
    expect(page.locator("tbody tr", has_text="Accounts").first).to_contain_text("2")
    assert_clean(page)
    page.get_by_role("link", name="customers.csv").click()
    expect(page.get_by_role("heading", level=2)).to_have_text(
        "A required value is missing"
    )
    assert_clean(page)


def test_a_bad_file_is_refused(
    page: Page, cast: Cast, sign_in: SignIn, tmp_path: Path
) -> None:
    file = tmp_path / "book.xlsx"
    file.write_bytes(b"PK\x03\x04rest")
    sign_in(cast.teammate)
    browse(page, "/data/import/")
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_role("alert")).to_contain_text("Excel workbook")
    assert_clean(page)
