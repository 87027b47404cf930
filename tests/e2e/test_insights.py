"""Insights in a real browser: clean at both widths, in both themes."""

from __future__ import annotations

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from perennial.apps.team.models import Workspace
from tests.apps.team.cast import Cast
from tests.e2e.browsing import SignIn, assert_clean, browse
from tests.insights.folder import known, workspace  # noqa: F401 - fixtures

PAGES = [
    *("power", "renewal", "backtest", "forecast", "patterns", "product"),
    *("survival", "value", "versions"),
]


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_clean(
    name: str,
    page: Page,
    workspace: Workspace,  # noqa: F811
    cast: Cast,
    sign_in: SignIn,
) -> None:
    sign_in(cast.admin)
    browse(page, reverse(f"insights:{name}"))
    assert_clean(page)


def test_by_keyboard_from_the_navigation_to_a_segment(
    page: Page,
    workspace: Workspace,  # noqa: F811
    cast: Cast,
    sign_in: SignIn,
) -> None:
    sign_in(cast.viewer)
    browse(page, reverse("insights:power"))
    chip = page.locator("summary.chip")
    chip.focus()
    page.keyboard.press("Enter")
    small = page.get_by_role("link", name="Small")
    expect(small).to_be_visible()
    small.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{reverse('insights:power')}?segment=Small")
    expect(page.locator("h1")).to_contain_text("Power feature")
    page.get_by_role("link", name="Explain this number").first.press("Enter")
    expect(page.locator("#drawer")).to_contain_text("For every feature")
