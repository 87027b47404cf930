"""Health in a real browser: clean at both widths, in both themes; the editor lives."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from perennial.apps.health import actions, backtest
from perennial.apps.health.models import Draft
from perennial.apps.team.lake import lake_of
from perennial.core.settings import HealthTargets
from perennial.lake import scorecards
from perennial.scoring.scorecard import standard
from tests.apps.customers.company import AS_OF, KESTREL
from tests.apps.customers.folder import built, own, then  # noqa: F401 - fixtures
from tests.apps.team.cast import Cast
from tests.e2e.browsing import (
    SignIn,
    assert_clean,
    assert_fits,
    barriers,
    browse,
    settle,
)

#: A preview is computed, and machines that test are busy.
_COMPUTED = 60_000


pytestmark = pytest.mark.usefixtures("then")


@pytest.fixture
def draft(cast: Cast) -> Draft:
    """A draft that was back-tested: its verdict is as the job keeps it."""
    card = standard(HealthTargets())
    made = actions.start_draft(cast.membership(cast.teammate), card, based_on=0)
    told = {"auc": 0.74, "auc_low": 0.69, "auc_high": 0.79, "lift": 2.2, "left": 95,
            "precision": 0.48, "warning_days": 74.0,
            "at_risk": [{"days": d, "left": 0.3, "stayed": 0.1, "n_left": 95,
                         "n_stayed": 371} for d in backtest.STEPS]}  # fmt: skip
    verdict = {"n": 466, "version": 0, "cards": {"draft": told, "published": told}}
    Draft.objects.filter(pk=made.pk).update(
        verdict=verdict, judged=backtest.digest_of(card)
    )
    return made


@pytest.mark.parametrize("page_name", ["health", "movers", "outreach", "scorecards"])
def test_pages_are_clean(
    page: Page, cast: Cast, sign_in: SignIn, page_name: str
) -> None:
    sign_in(cast.viewer)
    browse(page, reverse(f"health:{page_name}"))
    assert_clean(page)


def test_the_health_of_an_account_is_clean(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    member = cast.membership(cast.teammate)
    until = AS_OF + timedelta(days=30)
    actions.set_override(
        member, KESTREL, score=20, reason="Champion left", ends_on=until
    )
    actions.say_pulse(member, KESTREL, value=30, note="Cold")
    lake_of(cast.workspace).refresh()
    sign_in(cast.teammate)
    browse(page, reverse("health:account", args=[KESTREL]))
    expect(page.get_by_text("A person set or withdrew a score")).to_be_visible()
    assert_clean(page)
    browse(page, reverse("customers:account", args=[KESTREL]))
    expect(page.get_by_role("row", name="Override")).to_be_visible()


def test_a_draft_is_edited_seen_and_published(
    page: Page, cast: Cast, sign_in: SignIn, draft: Draft
) -> None:
    sign_in(cast.admin)
    browse(page, reverse("health:draft", args=[draft.pk]))
    seen = page.get_by_text("0 accounts would change color.")
    expect(seen).to_be_visible(timeout=_COMPUTED)
    expect(page.get_by_text("On 466 past decisions, 95 of them losses")).to_be_visible()
    page.get_by_label("Name or id of an account").fill("greenfield")
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.get_by_role("row", name="Frequency 12 active days")).to_be_visible()
    assert_clean(page)
    page.get_by_label("Green from").fill("90")
    page.keyboard.press("Tab")
    seen = page.get_by_text("1 account would change color.")
    expect(seen).to_be_visible(timeout=_COMPUTED)
    page.get_by_role("slider", name="Weight of Depth").fill("50")
    expect(page.get_by_role("textbox", name="Weight of Depth")).to_have_value("50")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_text("weights add up to 120, not 100")).to_be_visible()
    expect(page.get_by_role("textbox", name="Weight of Depth")).to_have_value("50")
    assert not barriers(page)
    page.get_by_role("textbox", name="Weight of Frequency").fill("10")
    page.get_by_role("button", name="Save the draft").click()
    settle(page)
    page.get_by_role("link", name="Review and publish").click()
    settle(page)
    expect(page.get_by_role("row", name="Edges of colors 40 / 60 / 80")).to_be_visible()
    assert not barriers(page)
    assert_fits(page)
    page.get_by_label("What changed, and why").fill("Depth tells leavers")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Version 1 is published.")).to_be_visible()
    assert scorecards.active(lake_of(cast.workspace)).card.cuts == (40, 60, 90)
