"""Onboarding in a real browser: from a draft to who stands still, by keyboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from perennial.apps.onboarding import actions
from perennial.apps.onboarding.models import Flow
from perennial.apps.team.lake import lake_of
from perennial.lake.onboarding import catch_up
from tests.apps.customers.company import FRESH
from tests.apps.customers.folder import built, own, then  # noqa: F401 - fixtures
from tests.apps.team.cast import Cast
from tests.e2e.browsing import SignIn, assert_clean, browse, settle


@pytest.fixture
def flow(then: Path, cast: Cast) -> Flow:  # noqa: F811
    """Per person, in force: those of the company that came in the last months."""
    admin = cast.membership(cast.admin)
    found = actions.add(admin, "Getting started", "user")
    document = {
        "per": "user",
        "since": "2025-12-01",
        "value": "Board seen",
        "steps": [
            {"name": "Board seen", "event": "Board Viewed"},
            {"name": "Board seen often", "event": "Board Viewed", "times": 20},
            {"name": "Training", "by": "hand", "optional": True},
            {"name": "Reports seen", "event": "Report Viewed"},
        ],
    }
    actions.save(found, admin, found.name, document)
    actions.publish(found, admin)
    catch_up(lake_of(found.workspace))
    return found


def test_a_flow_is_drawn_up_published_and_watched(
    page: Page,
    then: Path,  # noqa: F811
    cast: Cast,
    sign_in: SignIn,
) -> None:
    sign_in(cast.admin)
    browse(page, reverse("onboarding:flows"))
    assert_clean(page)
    page.get_by_role("button", name="Make a draft").first.press("Enter")
    settle(page)
    live = page.locator("#live")
    expect(live.get_by_text("step 3: the name of the event")).to_be_visible()
    page.get_by_label("Event of step 3", exact=True).fill("Board Viewed")
    with page.expect_response("**/edit/"):
        page.get_by_label("Begins on or after").fill("2026-01-01")
        page.get_by_label("Begins on or after").press("Tab")
    expect(live.get_by_text("in the flow")).to_be_visible()
    page.get_by_role("button", name="Move up: First value").press("Enter")
    settle(page)
    expect(page.get_by_label("Name of step 2")).to_have_value("First value")
    assert_clean(page)
    page.get_by_role("button", name="Publish").press("Enter")
    settle(page)
    expect(page.get_by_text("Version 1 is in force.")).to_be_visible()


def test_who_stands_still_and_a_tick_by_hand(
    page: Page, flow: Flow, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.admin)
    browse(page, reverse("onboarding:flow", args=[flow.pk]) + "?days=365")
    expect(page.get_by_role("heading", name="Who stands still")).to_be_visible()
    assert_clean(page)
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Add a task").press("Enter")
    settle(page)
    expect(page.get_by_text("For 1 account.")).to_be_visible()
    assert_clean(page)
    page.get_by_label("Title").fill("Ask what is missing")
    page.get_by_label("Title").press("Enter")
    settle(page)
    expect(page.get_by_text("1 task was added together.")).to_be_visible()
    assert_clean(page)
    page.get_by_role("button", name="Undo").press("Enter")
    expect(page.get_by_text("1 task was dropped.")).to_be_visible()
    browse(page, reverse("onboarding:flow", args=[flow.pk]) + "?days=365")
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Start a playbook").click()
    settle(page)
    expect(page.get_by_text("1 account")).to_be_visible()
    browse(page, reverse("customers:account", args=[FRESH]))
    assert_clean(page)
    page.get_by_role("button", name="Done: Training").press("Enter")
    settle(page)
    expect(page.get_by_role("button", name="Undo: Training")).to_be_visible()
