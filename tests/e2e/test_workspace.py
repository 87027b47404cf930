"""Segments, edits, notes, the timeline and views in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from perennial.apps.customers import (
    edit_actions,
    merging,
    note_actions,
    segment_actions,
)
from perennial.apps.customers.models import Edit, Note, Segment
from perennial.apps.team.models import Membership
from tests.apps.customers.company import GREEN, KESTREL, SILENT
from tests.apps.customers.folder import built, own  # noqa: F401 - fixtures
from tests.apps.customers.test_notes import said
from tests.apps.team.cast import Cast
from tests.e2e.browsing import SignIn, assert_clean, assert_fits, browse, settle

pytestmark = pytest.mark.usefixtures("own")
RISKY = {
    "all": [
        {"field": "health_color", "op": "is", "value": ["red", "orange"]},
        {"field": "feature:board", "op": "at_least", "value": 1, "days": 90},
        {"not": {"all": [{"field": "nps", "op": "known"}]}},
    ]
}


def at(name: str, *args: object) -> str:
    return reverse(f"customers:{name}", args=args)


def quiet(page: Page) -> None:
    """What was asked for is there, and answers: nobody is quicker than that."""
    busy = ".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added"
    expect(page.locator(busy)).to_have_count(0)


@pytest.fixture
def bob(cast: Cast, own: Path) -> Membership:  # noqa: F811
    return cast.membership(cast.teammate)


def test_pages_are_clean(
    page: Page, cast: Cast, sign_in: SignIn, bob: Membership
) -> None:
    """Every page of the workspace in both themes and widths, with something on it."""
    admin = cast.membership(cast.admin)
    segment_actions.create_segment(bob, name="At risk", description="", document=RISKY)
    edit_actions.set_stages(admin, ["Onboarding", "Value"])
    edit_actions.define_attribute(
        admin, key="region", title="Region", kind="choice", choices=["North"]
    )
    edit = edit_actions.edit_accounts(bob, "tags", {KESTREL: ["vip"], GREEN: ["vip"]})
    edit_actions.edit_accounts(bob, "parent_account_id", {SILENT: KESTREL})
    pinned = note_actions.write_note(bob, KESTREL, said(), key=UUID(int=1))
    note_actions.pin_note(pinned, bob, is_pinned=True)
    note_actions.change_note(pinned, bob, said("# Plan\n\n- one\n- `two`"))
    sign_in(cast.admin)
    for where in (
        at("segments"),
        at("segment", "at-risk"),
        at("fields"),
        at("stage_rule", cast.workspace.stages.get(name="Value").pk),
        at("edited", edit.pk),
        at("details", KESTREL),
        at("account", KESTREL),
        at("timeline", KESTREL),
        at("people", KESTREL),
        at("log", KESTREL),
        at("note", KESTREL, pinned.pk),
        f"{at('merge', SILENT)}?into={GREEN}",
        at("view"),
        "/accounts/?state=all&cols=name,mrr,tags,attribute:region,since",
    ):
        browse(page, where)
        page.wait_for_load_state("networkidle")
        assert_clean(page)
    made = merging.merge(admin, SILENT, GREEN)
    browse(page, at("merged", made.pk))
    assert_clean(page)


@pytest.mark.parametrize("language", ["de", "sv"])
def test_longer_words_fit(
    page: Page, cast: Cast, sign_in: SignIn, bob: Membership, language: str
) -> None:
    segment_actions.create_segment(bob, name="At risk", description="", document=RISKY)
    sign_in(cast.admin)
    domain = page.context.cookies()[0]["domain"]
    page.context.add_cookies(
        [{"name": "django_language", "value": language, "domain": domain, "path": "/"}]
    )
    for where in (
        "/accounts/",
        at("segment", "at-risk"),
        at("fields"),
        at("people", GREEN),
    ):
        browse(page, where)
        page.wait_for_load_state("networkidle")
        assert_fits(page)


def test_a_segment_is_built_row_by_row(page: Page, cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.teammate)
    browse(page, at("segment_new"))
    expect(page.locator("#matches")).to_contain_text("2 match now")
    page.locator("#condition summary.chip").click()
    page.get_by_label("Orange", exact=True).uncheck()
    expect(page.locator("#count-0")).to_have_text("1 matches")
    expect(page.locator("#chosen-0")).to_have_text("Red")
    expect(page.get_by_label("Yellow", exact=True)).to_be_visible()  # the menu stays
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Any of these").click()
    quiet(page)
    page.get_by_role("button", name="Condition", exact=True).click()
    expect(page.locator("#field-1")).to_be_visible()
    quiet(page)
    page.locator("#field-1").select_option("mrr")
    expect(page.locator("#value-1")).to_be_visible()
    quiet(page)
    page.locator("#value-1").fill("400")
    page.locator("#value-1").press("Tab")
    expect(page.locator("#count-1")).to_have_text("2 match")
    expect(page.locator("#matches")).to_contain_text("Greenfield")
    quiet(page)
    page.locator("#field-1").select_option("feature:board")
    expect(page.locator("#days-1")).to_have_value("30")
    quiet(page)
    page.get_by_role("button", name="Take this condition out").nth(1).click()
    expect(page.locator("#field-1")).to_have_count(0)
    _group(page)
    page.get_by_label("Name").fill("Only the red")
    assert_clean(page)
    page.get_by_role("button", name="Save the segment").click()
    expect(page.locator("h1")).to_have_text("Only the red")
    red = {"field": "health_color", "op": "is", "value": ["red"]}
    rich = {"field": "mrr", "op": "less_than", "value": 1.0}
    assert Segment.objects.get().document == {"any": [red, {"not": rich}]}
    page.get_by_role("link", name="Open as a list").click()
    expect(page.locator("#results td.name")).to_contain_text(["Silent Mills"])


def _group(page: Page) -> None:
    """A group in the group: none of what earns less than 1."""
    page.get_by_role("button", name="Group", exact=True).click()
    expect(page.locator("#join-1")).to_be_visible()
    quiet(page)
    page.locator("#join-1").select_option("none")
    quiet(page)
    page.locator("#field-1-0").select_option("mrr")
    expect(page.locator("#value-1-0")).to_be_visible()
    quiet(page)
    page.locator("#op-1-0").select_option("less_than")
    quiet(page)
    page.locator("#value-1-0").fill("1")
    page.locator("#value-1-0").press("Tab")
    expect(page.locator("#count-1")).not_to_have_text("")
    quiet(page)
    page.locator("#group-add-1").click()
    expect(page.locator("#join-1-1")).to_be_visible()
    quiet(page)
    page.locator("#remove-1-1").click()
    expect(page.locator("#join-1-1")).to_have_count(0)
    quiet(page)


def test_a_segment_is_built_without_scripts(
    page: Page, cast: Cast, sign_in: SignIn, live_server: LiveServer
) -> None:
    sign_in(cast.teammate)
    assert page.context.browser is not None
    context = page.context.browser.new_context(java_script_enabled=False)
    try:
        context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
        plain = context.new_page()
        plain.goto(f"{live_server.url}{at('segment_new')}")
        plain.get_by_role("button", name="Condition", exact=True).click()
        plain.locator("#field-1").select_option("mrr")
        plain.get_by_role("button", name="Count again").click()
        plain.locator("#value-1").fill("150")
        plain.get_by_role("button", name="Count again").click()
        expect(plain.locator("#count-1")).to_have_text("1 matches")
        plain.get_by_label("Name").fill("Plain")
        plain.get_by_role("button", name="Save the segment").click()
        expect(plain.locator("h1")).to_have_text("Plain")
    finally:
        context.close()


def test_rows_are_chosen_by_keyboard_and_edited_together(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.teammate)
    browse(page, "/accounts/")
    bar = page.get_by_role("toolbar", name="With the chosen accounts")
    expect(bar).not_to_be_visible()
    for key in "jxjx":
        page.keyboard.press(key)
    expect(bar).to_be_visible()
    assert_clean(page, widths=[1440])
    bar.get_by_role("button", name="Add tags").click()
    expect(page.locator("h1")).to_have_text("Edit 2 accounts")
    page.get_by_label("Tags to add").fill("pilot")
    assert_clean(page)
    page.keyboard.press("Enter")
    toast = page.locator(".toast-note")
    expect(toast).to_contain_text("Tags of 2 accounts is changed.")
    toast.get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast-note").last).to_contain_text("as they were before")
    assert Edit.objects.get().undone_at is not None


def test_an_owner_is_edited_in_the_list(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.teammate)
    browse(page, "/accounts/?health=red&sort=-mrr")
    page.get_by_role("link", name="Edit the owner: Silent Mills").click()
    drawer = page.locator("#drawer")
    expect(drawer).to_contain_text("Silent Mills")
    assert_clean(page)
    drawer.get_by_label("Stage").select_option("Trial")
    drawer.get_by_role("button", name="Save").nth(1).click()
    expect(page.locator(".toast-note")).to_contain_text(
        "Stage of Silent Mills is changed."
    )
    expect(page).to_have_url(re.compile(r"sort=-mrr&health=red"))
    row = page.locator("#results tr", has_text="Silent Mills")
    expect(row).to_contain_text("Trial")


def test_a_call_is_logged_with_one_key(page: Page, cast: Cast, sign_in: SignIn) -> None:
    sign_in(cast.teammate)
    browse(page, at("account", SILENT))
    page.keyboard.press("l")
    drawer = page.locator("#drawer")
    expect(drawer.get_by_label("What was said")).to_be_visible()
    assert_clean(page)
    drawer.get_by_label("What was said").fill("They come back **next week**.")
    drawer.get_by_role("button", name="Write down").click()
    entry = page.locator(".timeline li").first
    expect(entry).to_contain_text("Call, Bob")
    expect(entry.locator("strong")).to_have_text("next week")
    assert Note.objects.count() == 1


def test_the_timeline_is_searched_and_scrolled(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.viewer)
    browse(page, at("timeline", KESTREL))
    entries = page.locator(".timeline > li")
    expect(entries.first).to_be_visible()
    page.get_by_role("searchbox", name="Search the timeline").press_sequentially("slow")
    expect(entries).to_have_count(1)
    expect(page).to_have_url(re.compile("q=slow"))
    browse(page, f"{at('timeline', KESTREL)}?kind=ticket")
    expect(entries).to_have_count(3)


def test_a_view_is_saved_with_its_columns(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.teammate)
    browse(page, "/accounts/?health=red")
    page.locator("#columns summary").click()
    page.locator("#columns").get_by_label("NPS").uncheck()
    expect(page).to_have_url(re.compile("col="))
    settle(page)
    expect(page.locator("thead")).not_to_contain_text("NPS")
    page.get_by_role("link", name="Save view").click()
    page.locator("#drawer").get_by_label("Name").fill("My reds")
    page.locator("#drawer").get_by_role("button", name="Save").click()
    tab = page.get_by_role("navigation", name="Views").get_by_role(
        "link", name="My reds"
    )
    expect(tab).to_have_attribute("aria-current", "page")
    expect(page.locator("thead")).not_to_contain_text("NPS")
    expect(page.locator("#results td.name")).to_have_text(["Silent Mills"])
