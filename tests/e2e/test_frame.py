"""The frame and the kit: themes, palette, keyboard, charts, settings."""

from __future__ import annotations

import re

import pytest
from django.urls import path
from playwright.sync_api import Page, expect
from pytest_django import Settings

from perennial.apps.jobs import actions as jobs
from perennial.apps.team import actions
from perennial.config import urls
from perennial.ui import views
from tests.apps.team.cast import Cast
from tests.e2e.browsing import (
    SignIn,
    assert_clean,
    assert_fits,
    assert_quiet,
    browse,
    settle,
)

urlpatterns = [*urls.urlpatterns, path("styleguide/", views.styleguide)]
handler404 = urls.handler404


@pytest.fixture
def guide(settings: Settings) -> str:
    """The style guide, which is routed here and in DEBUG only."""
    settings.ROOT_URLCONF = __name__
    return "/styleguide/"


@pytest.mark.parametrize(
    "where",
    [
        "/settings/workspace/",
        "/settings/people/",
        "/settings/tokens/",
        "/settings/jobs/",
        "/settings/audit/",
        "/profile/",
    ],
)
def test_pages_are_clean(page: Page, cast: Cast, sign_in: SignIn, where: str) -> None:
    jobs.enqueue("tidy", cast.workspace)
    actions.record(
        cast.workspace, cast.owner, "member.added", "new@x.example", role="x"
    )
    sign_in(cast.owner)
    browse(page, where)
    assert_clean(page)


def test_an_empty_table_says_so_on_a_phone(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.owner)
    browse(page, "/settings/tokens/", width=390)
    expect(page.get_by_text("Make a token for the first one.")).to_be_visible()


def test_every_component_is_clean(
    page: Page, cast: Cast, sign_in: SignIn, guide: str
) -> None:
    sign_in(cast.owner)
    browse(page, guide)
    expect(page.locator(".chart svg").first).to_be_visible()
    assert_clean(page)


def test_a_missing_page_is_clean(page: Page, cast: Cast) -> None:
    page.goto("/nowhere/")
    expect(page.get_by_role("heading")).to_have_text("This page is not here.")


def test_the_theme_changes_at_once_and_stays(
    page: Page, cast: Cast, sign_in: SignIn, guide: str
) -> None:
    sign_in(cast.owner)
    browse(page, guide)
    page.locator(".side-foot summary").click()
    with page.expect_response("**/theme/"):
        page.locator(".side-foot").get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.locator('[data-chart][data-drawn="light"]')).to_have_count(0)
    assert_clean(page)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_the_palette_opens_finds_and_goes(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.owner)
    browse(page, "/profile/")
    page.keyboard.press("Control+k")
    options = page.locator("#palette [role=option]")
    expect(options.first).to_be_visible()
    page.keyboard.type("audit")
    expect(options).to_have_count(1)
    expect(options.first).to_have_attribute("aria-selected", "true")
    assert_clean(page)
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).not_to_be_visible()
    page.keyboard.press("Control+k")
    expect(options).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page).to_have_url("/settings/audit/")


def test_the_palette_moves_by_arrows(page: Page, cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.owner)
    browse(page, "/profile/")
    page.locator(".side-search").click()
    chosen = page.locator('#palette [aria-selected="true"]')
    expect(chosen).to_have_count(1)
    first = chosen.get_attribute("id")
    page.keyboard.press("ArrowDown")
    expect(chosen).not_to_have_attribute("id", first or "")
    page.keyboard.press("ArrowUp")
    expect(chosen).to_have_attribute("id", first or "")


def test_rows_are_walked_by_keyboard(
    page: Page, cast: Cast, sign_in: SignIn, guide: str
) -> None:
    sign_in(cast.owner)
    browse(page, guide)
    page.keyboard.press("j")
    page.keyboard.press("j")
    focused = page.locator("tr.is-current a")
    expect(focused).to_be_focused()
    expect(focused).to_have_text("Kestrel Vale Logistics")
    page.keyboard.press("k")
    expect(focused).to_have_text("Quillmark Medical")


def test_single_keys_can_be_turned_off(
    page: Page, cast: Cast, sign_in: SignIn, guide: str
) -> None:
    cast.owner.has_shortcuts = False
    cast.owner.save()
    sign_in(cast.owner)
    browse(page, guide)
    page.keyboard.press("j")
    expect(page.locator("tr.is-current")).to_have_count(0)


def test_a_chart_shows_its_table_and_reads_its_values(
    page: Page, cast: Cast, sign_in: SignIn, guide: str
) -> None:
    sign_in(cast.owner)
    browse(page, guide)
    chart = page.locator("[data-chart]").first
    chart.locator(".chart-plot").focus()
    page.keyboard.press("ArrowRight")
    expect(chart.locator(".chart-read")).to_contain_text("May 2025")
    with page.expect_download() as download:
        chart.get_by_label("Download").click()
        chart.get_by_role("button", name="Download CSV").click()
    rows = download.value.path().read_text().splitlines()
    assert rows[0] == '"Period","Net revenue retention","Previous 12 months"'
    assert rows[1] == '"May 2025","1.041","1.018"'
    chart.get_by_label("Table").click()
    expect(chart.get_by_role("cell", name="106.5%")).to_be_visible()
    assert_clean(page)


@pytest.mark.parametrize("kind", ["PNG", "SVG"])
def test_a_chart_is_saved_as_a_picture(
    page: Page, cast: Cast, sign_in: SignIn, guide: str, kind: str
) -> None:
    sign_in(cast.owner)
    browse(page, guide)
    chart = page.locator("[data-chart]").first
    with page.expect_download() as download:
        chart.get_by_label("Download").click()
        chart.get_by_role("button", name=f"Download {kind}").click()
    assert download.value.suggested_filename == f"nrr.{kind.lower()}"
    assert download.value.path().stat().st_size > 2000
    assert_quiet(page)


def test_someone_is_added_and_removed(page: Page, cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.owner)
    browse(page, "/settings/people/")
    page.get_by_label("E-mail address").fill("nils@default.example")
    page.get_by_role("button", name="Add", exact=True).click()
    shape = re.compile(r"^http://.+/sign-in/invitation/[\w-]+/$")
    expect(page.get_by_label("Link", exact=True)).to_have_value(shape)
    assert_clean(page)
    page.get_by_label("Actions for nils@default.example").click()
    page.get_by_role("button", name="Remove from workspace").last.click()
    expect(page.get_by_role("status").first).to_contain_text("is removed")


def test_a_role_is_changed_by_choosing_it(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.owner)
    browse(page, "/settings/people/")
    page.get_by_label("Role of Bob").select_option("admin")
    expect(page.locator(".toast-note")).to_contain_text("The role is changed")
    settle(page)
    expect(page.get_by_label("Role of Bob")).to_have_value("admin")


def test_a_run_opens_in_the_drawer(page: Page, cast: Cast, sign_in: SignIn) -> None:
    run = jobs.enqueue("tidy", cast.workspace)
    jobs.execute(run.pk)
    sign_in(cast.owner)
    browse(page, "/settings/jobs/")
    page.get_by_role("link", name="Tidy").click()
    drawer = page.locator("#drawer")
    expect(drawer.get_by_role("heading", name="Tidy")).to_be_visible()
    assert_clean(page)
    page.keyboard.press("Escape")
    expect(drawer).not_to_be_visible()


def test_it_reads_without_javascript(page: Page, cast: Cast, sign_in: SignIn) -> None:
    """JavaScript adds; links, forms and menus are there without it."""
    sign_in(cast.owner)
    browser = page.context.browser
    assert browser is not None
    page.goto("/settings/jobs/")
    context = browser.new_context(java_script_enabled=False)
    try:
        context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
        plain = context.new_page()
        plain.goto(page.url)
        plain.get_by_role("button", name="Run now").first.click()
        expect(plain.get_by_text("Waiting").first).to_be_visible()
        plain.locator(".side-search").click()
        expect(plain.get_by_role("heading", name="Search")).to_be_visible()
    finally:
        context.close()


@pytest.mark.parametrize("language", ["de", "sv"])
def test_longer_words_fit(
    page: Page, cast: Cast, sign_in: SignIn, language: str
) -> None:
    cast.owner.language = language
    cast.owner.save()
    sign_in(cast.owner)
    domain = page.context.cookies()[0]["domain"]
    page.context.add_cookies(
        [{"name": "django_language", "value": language, "domain": domain, "path": "/"}]
    )
    for where in ("/settings/people/", "/settings/jobs/", "/profile/"):
        browse(page, where)
        expect(page.locator("html")).to_have_attribute("lang", language)
        assert_fits(page)
