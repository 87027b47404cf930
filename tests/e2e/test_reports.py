"""Metrics in a real browser: clean at both widths, in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect
from pytest_django import Settings

from perennial.apps.reports import actions, boards
from perennial.apps.reports.models import Board
from perennial.apps.team.lake import lake_of
from perennial.metrics.registry import all_metrics
from tests.apps.customers import company
from tests.apps.customers.folder import built, data  # noqa: F401 - fixtures
from tests.apps.team.cast import Cast
from tests.builders import clock, instant
from tests.e2e.browsing import (
    SignIn,
    assert_clean,
    browse,
    settle,
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


@pytest.fixture
def few(cast: Cast) -> str:
    """A board of a few metrics of every kind, as an address."""
    tiles = ["mrr", "dau", "stickiness", "nps", "resolution_time", "usage_frequency"]
    board = boards.create(cast.membership(cast.owner), "Mornings", tiles)
    Board.objects.update(is_shared=True)
    return f"/metrics/?board={board.pk}"


@pytest.mark.parametrize(
    "where",
    [
        "/metrics/mrr/?wait=1",
        "/metrics/usage_frequency/?wait=1&period=3m",
        "/metrics/stickiness/explain/",
        "/metrics/logo_cohort_retention/",
        "/metrics/findings/",
        "/metrics/definitions/new/",
        "/metrics/usage_frequency/targets/",
        "/metrics/explore/bridge/?period=12m",
        "/metrics/explore/features/",
        "/metrics/explore/paths/",
        "/metrics/explore/funnel/?period=12m&step=Report+Viewed&step=Report+Exported",
    ],
)
def test_pages_are_clean(page: Page, cast: Cast, sign_in: SignIn, where: str) -> None:
    sign_in(cast.teammate)
    browse(page, where)
    assert_clean(page)


@pytest.mark.parametrize("key", list(all_metrics()))
def test_every_metric_has_a_clean_page(
    page: Page, cast: Cast, sign_in: SignIn, key: str
) -> None:
    sign_in(cast.teammate)
    browse(page, f"/metrics/{key}/")
    expect(page.locator("h1")).to_contain_text(str(all_metrics()[key].title))
    assert_clean(page)


def test_the_key_metrics_are_clean(page: Page, cast: Cast, sign_in: SignIn) -> None:
    actions.warm(cast.workspace, pages=False)
    sign_in(cast.viewer)
    browse(page, "/metrics/")
    assert page.locator(".tile .skeleton").count() == 0
    assert_clean(page)


def test_a_cold_board_fills_itself(
    page: Page, cast: Cast, sign_in: SignIn, few: str
) -> None:
    cache.clear()
    sign_in(cast.viewer)
    browse(page, few)
    expect(page.locator(".tile .skeleton")).to_have_count(0)
    assert_clean(page)


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


def test_from_a_number_to_the_rows_of_a_month(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    """A point of the chart, a cell of the bridge, days of one's own: each has rows."""
    sign_in(cast.viewer)
    browse(page, "/metrics/mrr/?wait=1&period=12m")
    page.get_by_text("Every point, and the rows behind it").click()
    page.locator(".stops").get_by_role("link", name="Apr 2026").click()
    expect(page).to_have_url(re.compile(r"period=2026-04-01..2026-05-01"))
    page.get_by_text("Every point, and the rows behind it").click()
    page.locator("summary", has_text="Apr 2026").click()
    assert_clean(page)
    page.locator('input[name="from"]').fill("2026-03-01")
    page.locator('input[name="to"]').fill("2026-03-31")
    page.get_by_role("button", name="Show these days").press("Enter")
    expect(page.locator(".bar")).to_contain_text("Mar 2026")
    browse(page, "/metrics/mrr_movements/")
    page.locator('a[href*="rows=churn"]').first.click()
    expect(page.locator("#rows")).to_contain_text("The rows add up")
    assert_clean(page)


def test_the_segment_stays_in_the_address(
    page: Page, cast: Cast, sign_in: SignIn, few: str
) -> None:
    sign_in(cast.viewer)
    browse(page, few)
    page.locator("summary", has_text="Segment").click()
    page.get_by_role("link", name="Small", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?segment=Small&board=\d+$"))
    page.locator("a.tile", has_text="Monthly recurring revenue").click()
    expect(page).to_have_url(re.compile(r"/metrics/mrr/\?segment=Small"))


def test_a_board_is_made_and_arranged(page: Page, cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.teammate)
    browse(page, "/metrics/boards/new/")
    assert_clean(page)
    page.get_by_label("Name").fill("Mornings")
    page.get_by_role("button", name="Go on").click()
    rows = page.locator("main .rows li")
    for title, metric in (
        ("Monthly recurring revenue", "mrr"),
        ("Stickiness", "stickiness:weekdays_only"),
    ):
        page.get_by_label("Metric").select_option(metric)
        page.get_by_role("button", name="Add", exact=True).click()
        expect(rows.filter(has_text=title)).to_have_count(1)
    page.get_by_role("button", name="Move Stickiness up").click()
    expect(rows.first).to_contain_text("Stickiness")
    assert_clean(page)
    page.get_by_role("link", name="See the board").click()
    settle(page)
    expect(page.locator(".tile .skeleton")).to_have_count(0)
    expect(page.locator(".tile .name")).to_have_text(
        ["Stickiness", "Monthly recurring revenue"]
    )
    assert_clean(page)


def test_a_metric_is_defined_by_hand(page: Page, cast: Cast, sign_in: SignIn) -> None:
    """What is typed shows at once what comes of it; kept, it has a page of its own."""
    sign_in(cast.teammate)
    browse(page, "/metrics/definitions/new/")
    page.get_by_label("What it is called").fill("Busy users")
    page.get_by_label("Key", exact=True).fill("busy_users")
    page.get_by_label("What is counted").select_option("events")
    page.get_by_label("How", exact=True).select_option("unique")
    page.get_by_label("Column", exact=True).fill("user_id")
    page.get_by_label("Column", exact=True).blur()
    expect(page.locator("#preview tbody tr")).to_have_count(13)
    assert_clean(page)
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Busy users")
    lake = lake_of(cast.workspace).lake
    lake.delete("metric_definitions", "true")
