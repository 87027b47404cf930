"""Coming in and going out."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from perennial.apps.team import actions
from tests.apps.team.cast import PASSWORD, Cast
from tests.e2e.browsing import SignIn, assert_clean, browse

DOOR = "/sign-in/?next=/profile/"


def fill_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_the_door_is_clean(page: Page, cast: Cast) -> None:
    browse(page, "/sign-in/")
    assert_clean(page)


def test_by_password_and_out_again(page: Page, cast: Cast) -> None:
    browse(page, DOOR)
    fill_in(page, cast.owner.email, PASSWORD)
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()
    page.locator(".side-foot summary").click()
    page.get_by_role("button", name="Sign out").first.click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/profile/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_wrong_password_is_said(page: Page, cast: Cast) -> None:
    browse(page, DOOR)
    fill_in(page, cast.owner.email, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("do not match")


def test_by_link_once(page: Page, cast: Cast, live_server: LiveServer) -> None:
    path = actions.make_login_link(cast.teammate.email)
    browse(page, path)
    assert_clean(page)
    page.get_by_role("button", name="Sign in").click()
    page.goto("/profile/")
    expect(page.get_by_text(cast.teammate.email).first).to_be_visible()
    page.context.clear_cookies()
    page.goto(path)
    expect(page.get_by_role("heading", name="This link is used up")).to_be_visible()


def test_in_german_and_swedish(page: Page, cast: Cast) -> None:
    browse(page, "/sign-in/")
    for name, language in (("Deutsch", "de"), ("Svenska", "sv")):
        page.get_by_role("button", name=name).click()
        expect(page.locator("html")).to_have_attribute("lang", language)


def test_who_is_in_no_workspace_is_told(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.nobody)
    browse(page, "/no-workspace/", width=390)
    expect(page.get_by_role("heading")).to_have_text("You are in no workspace")
    assert_clean(page)
