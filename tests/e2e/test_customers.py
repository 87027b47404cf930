"""Home, accounts and one account in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from perennial.apps.customers import queries
from tests.apps.customers.company import FRESH, GONE, GREEN, KESTREL, SILENT
from tests.apps.customers.folder import built, data  # noqa: F401 - fixtures
from tests.apps.team.cast import Cast
from tests.e2e.browsing import (
    SignIn,
    assert_clean,
    assert_fits,
    browse,
    settle,
)

pytestmark = pytest.mark.usefixtures("data")


def at(tab: str, account_id: str) -> str:
    return reverse(f"customers:{tab}", args=[account_id])


PAGES = {
    "home": "/",
    "team": "/?who=team",
    "ranking": "/why-these-accounts/",
    "accounts": "/accounts/?state=all&sort=-mrr",
    "no match": "/accounts/?q=nothing&health=red",
    "account": at("account", KESTREL),
    "usage": at("usage", KESTREL),
    "money": at("money", KESTREL),
    "people": at("people", KESTREL),
    "health": at("health", KESTREL),
    "silent": at("account", SILENT),
    "onboarding": at("account", FRESH),
    "churned": at("account", GONE),
    "healthy": at("account", GREEN),
}


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_clean(page: Page, cast: Cast, sign_in: SignIn, name: str) -> None:
    sign_in(cast.owner)
    browse(page, PAGES[name])
    page.wait_for_load_state("networkidle")
    assert_clean(page)


def test_pages_fit_between_the_designed_widths(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.owner)
    for name in ("home", "accounts", "account", "money"):
        browse(page, PAGES[name])
        assert_fits(page, [800, 1024, 1180, 2560])


@pytest.mark.parametrize("language", ["de", "sv"])
def test_longer_words_fit(
    page: Page, cast: Cast, sign_in: SignIn, language: str
) -> None:
    sign_in(cast.owner)
    domain = page.context.cookies()[0]["domain"]
    page.context.add_cookies(
        [{"name": "django_language", "value": language, "domain": domain, "path": "/"}]
    )
    for name in ("team", "accounts", "account", "usage", "money", "people", "health"):
        browse(page, PAGES[name])
        page.wait_for_load_state("networkidle")
        expect(page.locator("html")).to_have_attribute("lang", language)
        assert_fits(page)


def test_empty_pages_are_clean(
    page: Page,
    cast: Cast,
    sign_in: SignIn,
    settings: object,
    tmp_path: Path,
) -> None:
    from perennial.config.folder import DataFolder

    settings.DATA = DataFolder(tmp_path)  # type: ignore[attr-defined]
    sign_in(cast.owner)
    for where in ("/", "/accounts/"):
        browse(page, where)
        expect(page.get_by_role("heading", level=2)).to_contain_text("Your customers")
        assert_clean(page)


# --- keyboard ----------------------------------------------------------------


def test_rows_are_walked_and_opened(page: Page, cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.owner)
    browse(page, "/accounts/")
    current = page.locator("tr.is-current")
    page.keyboard.press("j")
    expect(current).to_contain_text("Silent Mills")
    page.keyboard.press("j")
    expect(current).to_contain_text("Kestrel & Sons")
    page.keyboard.press("k")
    expect(current).to_contain_text("Silent Mills")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Kestrel & Sons")


def test_home_is_walked_too(page: Page, cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.owner)
    browse(page, "/?who=team")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Silent Mills")


# --- the list ----------------------------------------------------------------


def test_the_name_filter_answers_while_typing(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.owner)
    browse(page, "/accounts/?segment=Mid-market")
    field = page.get_by_role("searchbox", name="Filter by name")
    field.press_sequentially("kes")
    rows = page.locator("#results tbody tr")
    expect(rows).to_have_count(1)
    expect(page.locator(".bar-facts")).to_contain_text("1 account ·")
    expect(page).to_have_url(
        re.compile(r"q=kes.*segment=Mid-market|segment=Mid-market.*q=kes")
    )
    expect(page.locator("#export a").first).to_have_attribute(
        "href", re.compile("q=kes")
    )
    expect(field).to_be_focused()
    assert_clean(page)
    field.fill("zzz")
    expect(page.locator("#results")).to_contain_text("No account matches")


def test_more_rows_come_on_scroll(
    page: Page, cast: Cast, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    sign_in(cast.owner)
    browse(page, "/accounts/?state=all")
    expect(page.locator("#results td.name")).to_have_count(6)


def test_the_list_works_without_scripts(
    page: Page,
    cast: Cast,
    sign_in: SignIn,
    live_server: LiveServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queries, "PAGE", 3)
    sign_in(cast.owner)
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False)
    try:
        context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
        plain = context.new_page()
        plain.goto(f"{live_server.url}/accounts/")
        plain.get_by_role("link", name="More accounts").click()
        expect(plain.locator("td.name")).to_have_text(["Freshwater"])
        plain.goto(f"{live_server.url}{at('people', KESTREL)}")
        plain.get_by_role("link", name="Show their health").click()
        expect(plain.locator("tbody .health")).to_have_count(4)
    finally:
        context.close()


def test_a_chip_opens_and_filters(page: Page, cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.owner)
    browse(page, "/accounts/")
    page.locator("summary", has_text="Health").click()
    page.get_by_role("link", name="Orange", exact=True).click()
    expect(page).to_have_url(re.compile("health=orange"))
    expect(page.locator("#results td.name")).to_have_text(["Kestrel & Sons"])


def test_a_phone_shows_two_lines(page: Page, cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.owner)
    browse(page, "/accounts/", width=390)
    row = page.locator("#results tbody tr").nth(1)
    expect(row.locator(".fold-b .phone-only")).to_have_text("€100")
    expect(row.locator(".fold-b .no-phone")).not_to_be_visible()
    expect(row.locator(".fold-d")).to_contain_text("renews")
    box = row.bounding_box()
    assert box is not None
    assert box["height"] < 70


# --- drawers, people, palette ------------------------------------------------


def test_the_score_is_explained_in_a_drawer(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.owner)
    browse(page, at("account", KESTREL))
    page.keyboard.press("?")
    drawer = page.locator("#drawer")
    expect(drawer).to_contain_text("Formula with these numbers")
    expect(drawer).to_contain_text("perennial health --account")
    assert_clean(page)
    page.keyboard.press("Escape")
    expect(drawer).not_to_be_visible()


def test_health_of_people_comes_after_the_page(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.owner)
    browse(page, at("people", KESTREL))
    expect(page.locator("tbody .health")).to_have_count(4)
    assert_clean(page)


def test_the_palette_finds_an_account(page: Page, cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.owner)
    browse(page, "/")
    page.keyboard.press("Control+k")
    page.keyboard.type("kest")
    first = page.locator("#palette [role=option]").first
    expect(first).to_contain_text("Kestrel & Sons")
    expect(first).to_contain_text("43")
    assert_clean(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Kestrel & Sons")
    settle(page)
