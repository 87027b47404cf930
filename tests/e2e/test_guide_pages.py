"""Our own pages of guides in a real browser: the list, the builder, what came of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from perennial.apps.guides import actions, library
from perennial.apps.guides.models import Guide, Showing, Told
from perennial.apps.team.lake import lake_of
from tests.apps.customers.company import GREEN, KESTREL
from tests.apps.customers.folder import built, own, then  # noqa: F401 - fixtures
from tests.apps.team.cast import Cast
from tests.e2e.browsing import SignIn, assert_clean, browse


@pytest.fixture
def guide(then: Path, cast: Cast) -> Guide:  # noqa: F811
    """A live tour with two variants, seen by 84 people and held back from 12."""
    admin = cast.membership(cast.admin)
    found = actions.add(admin, "Welcome tour", "tour")
    document = found.document
    document["steps"][1] |= {
        "anchor": {"selectors": ["#export"], "text": "Export"},
        "page": "/reports/*",
        "advance": "click",
    }
    document["other"] = {"steps": document["steps"][::2]}
    document["when"] |= {"other": 50}
    document["target"] = {"event": "Report Viewed", "days": 10}
    document["site"] = "https://app.example.com/reports"
    assert actions.save(found, admin, found.name, document) == ""
    actions.publish(found, admin)
    _shown(found)
    actions.add(admin, "What is new", "announcement")
    return found


def _shown(guide: Guide) -> None:
    lake = lake_of(guide.workspace)
    for n in range(96):
        variant = "held_out" if n % 8 == 7 else "ab"[n % 2]
        at = lake.now - timedelta(days=12 + n % 30)
        showing = Showing.objects.create(
            guide=guide, number=1, person=f"p{n}", account_id=(GREEN, KESTREL)[n % 2],
            variant=variant, times=1, began_on=at.date(), claimed_at=at,
            seen_at=None if variant == "held_out" else at,
            finished_at=at if n % 3 == 0 and variant != "held_out" else None,
        )  # fmt: skip
        if variant == "held_out":
            continue
        did = [("step", "welcome")] + [("step", "here")] * (n % 4 == 0)
        did += [("step", "end")] * (n % 8 == 0) + [("lost", "here")] * (n % 20 == 2)
        for what, step in did:
            Told.objects.create(
                showing=showing, times=1, did=what, step=step, at=lake.now
            )


def test_a_guide_is_begun_built_and_published(
    page: Page,
    then: Path,  # noqa: F811
    cast: Cast,
    sign_in: SignIn,
) -> None:
    sign_in(cast.admin)
    browse(page, reverse("guides:guides"))
    assert_clean(page)
    row = page.get_by_role("listitem").filter(has_text="Getting started")
    row.get_by_role("button", name="Make a draft").click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("Getting started").first).to_be_attached()
    page.get_by_label("Ticked by the event").first.fill("Invited")
    page.get_by_label("Title", exact=True).first.fill("Ask your team in")
    page.keyboard.press("Tab")
    expect(frame.get_by_text("Ask your team in")).to_be_attached()
    assert_clean(page)
    page.get_by_role("button", name="Item").click()
    expect(page.get_by_role("status").first).to_contain_text("item 4: the text in")
    page.get_by_role("button", name="Remove: 4").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Nobody has seen it in this period.")).to_be_visible()
    made = Guide.objects.get()
    assert (made.state, made.form) == ("on", "checklist")
    assert made.document["items"][0]["event"] == "Invited"
    assert (
        made.document["items"][0]["title"]["de"]
        == library.document("checklist")["items"][0]["title"]["de"]
    )


def test_our_pages_are_clean_and_the_anchor_follows_the_picker(
    page: Page, guide: Guide, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.admin)
    browse(page, reverse("guides:guides"))
    assert_clean(page)
    page.get_by_role("link", name="Welcome tour").click()
    expect(page.get_by_text("84 people saw it")).to_be_visible()
    assert_clean(page)
    browse(page, reverse("guides:edit", args=[guide.pk]) + "?at=1")
    frame = page.frame_locator("iframe")
    begins = frame.get_by_role("heading", name="It begins here")
    expect(begins).to_be_visible()
    page.get_by_role("link", name="Without it").click()
    expect(frame.get_by_text("The element you point at")).not_to_be_attached()
    expect(frame.get_by_role("dialog")).to_contain_text("It begins here")
    assert_clean(page)
    lost = page.get_by_label("Without its element, the step").nth(0)
    lost.select_option("is left out")
    expect(frame.get_by_role("dialog")).to_contain_text("That was it")
    lost.select_option("stands in the middle")
    # Kept, before somebody else changes the same document.
    expect(frame.get_by_role("dialog")).to_contain_text("It begins here")
    # The picker told something while its window was before this one.
    anchor = {"selectors": ["#new"], "text": "New one", "page": "/new"}
    member = cast.membership(cast.admin)
    assert actions.point(guide, member, "a", "here", anchor)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(page.get_by_text("Points at “New one”")).to_be_visible()
    page.get_by_label("Text", exact=True).first.fill("Other words")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Version 1 is shown")).not_to_be_visible()
    page.wait_for_timeout(800)
    guide.refresh_from_db()
    assert guide.document["steps"][1]["anchor"]["selectors"] == ["#new"]
