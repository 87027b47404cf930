"""Metrics in a real browser: clean at both widths, in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect
from pytest_django import Settings

from perennial.apps.reports import actions
from perennial.apps.team.lake import lake_of
from tests.apps.customers import company
from tests.apps.customers.folder import built, data  # noqa: F401 - fixtures
from tests.apps.team.cast import Cast
from tests.builders import clock, instant
from tests.e2e.browsing import (
    SignIn,
    assert_clean,
    browse,
)


@pytest.fixture(autouse=True)
def _company(
    data: Path,  # noqa: F811
    cast: Cast,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": data / "cache",
        }
    }
    lake = lake_of(cast.workspace)
    monkeypatch.setattr(lake, "_clock", clock(instant(company.NOW)))


@pytest.mark.parametrize(
    "where",
    [
        "/metrics/?wait=1",
        "/metrics/mrr/?wait=1",
        "/metrics/usage_frequency/?wait=1&period=3m",
        "/metrics/stickiness/explain/",
    ],
)
def test_pages_are_clean(page: Page, cast: Cast, sign_in: SignIn, where: str) -> None:
    actions.warm(cast.workspace, pages=False)
    sign_in(cast.viewer)
    browse(page, where)
    assert_clean(page)


def test_a_cold_board_fills_itself(page: Page, cast: Cast, sign_in: SignIn) -> None:
    cache.clear()
    sign_in(cast.viewer)
    browse(page, "/metrics/")
    expect(page.locator(".tile .skeleton")).to_have_count(0, timeout=30_000)
    assert_clean(page)


def test_the_board_stands_on_one_screen(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    actions.warm(cast.workspace, pages=False)
    sign_in(cast.viewer)
    browse(page, "/metrics/")
    height = page.evaluate("document.documentElement.scrollHeight")
    assert height <= 900


def test_a_number_is_explained_in_a_drawer(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.viewer)
    browse(page, "/metrics/mrr/?wait=1")
    page.locator(".hero.explains").click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("Know before you quote it")
    line = drawer.get_by_label("Command line")
    expect(line).to_have_value(re.compile("perennial metric mrr"))
    assert_clean(page)


def test_the_segment_stays_in_the_address(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.viewer)
    browse(page, "/metrics/")
    page.locator("summary", has_text="Segment").click()
    page.get_by_role("link", name="Small", exact=True).click()
    expect(page).to_have_url("/metrics/?segment=Small")
    page.locator("a.tile, div.tile").first.wait_for()
    page.locator("a.tile", has_text="Customers").click()
    expect(page).to_have_url("/metrics/customers/?segment=Small")
