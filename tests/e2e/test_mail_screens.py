"""Numbers and digests by mail in a real browser: set up by the keyboard, and left."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

import pytest
from django.urls import reverse
from django.utils.translation import override
from playwright.sync_api import Locator, Page, expect

from perennial.apps.customers import queries
from perennial.apps.work import outbox
from perennial.apps.work.mailings import actions, sending
from perennial.apps.work.models import Mailing, Preference
from perennial.apps.work.telling import digest
from tests.apps.customers.folder import built, own, then  # noqa: F401 - fixtures
from tests.apps.team.cast import Cast
from tests.e2e.browsing import SignIn, assert_clean, assert_fits, barriers, browse

BOSS = "boss@elsewhere.example"
pytestmark = pytest.mark.usefixtures("then")


def enter(what: Locator) -> None:
    what.focus()
    what.press("Enter")


def test_a_metric_goes_out_by_mail_until_its_reader_ends_it(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.teammate)
    browse(page, reverse("reports:metric", args=["mrr"]))
    enter(page.get_by_role("link", name="By e-mail"))
    expect(
        page.get_by_role("heading", name="Monthly recurring revenue")
    ).to_be_visible()
    assert_clean(page)
    every = page.get_by_label("How often")
    every.focus()
    every.press("ArrowUp")
    mine = page.get_by_role("checkbox", name=cast.teammate.email)
    expect(mine).to_be_checked()
    ada = page.get_by_role("checkbox", name=cast.admin.email)
    ada.focus()
    ada.press("Space")
    others = page.get_by_label("Other addresses")
    others.focus()
    page.keyboard.type(f"{BOSS} nobody")
    save = page.get_by_role("button", name="Save")
    enter(save)
    expect(page.get_by_text("“nobody” is not an e-mail address.")).to_be_visible()
    # What was typed is still there.
    others = page.get_by_label("Other addresses")
    expect(others).to_have_value(f"{BOSS} nobody")
    expect(page.get_by_label("How often")).to_have_value("day")
    others.press("Control+End")
    for _ in " nobody":
        others.press("Backspace")
    enter(page.get_by_role("button", name="Save"))
    row = page.get_by_role("listitem").filter(has_text="Monthly recurring revenue")
    expect(row).to_contain_text(BOSS)
    mailing = Mailing.objects.get()
    assert set(mailing.to) == {cast.teammate.email, cast.admin.email, BOSS}
    enter(row.get_by_role("button", name="Pause"))
    expect(row.get_by_role("button", name="Go on")).to_be_visible()
    actions.add(
        cast.membership(cast.teammate),
        actions.Of("Key metrics"),
        every="week",
        to=[BOSS],
    )
    browse(page, reverse("work:mailings"))
    assert_clean(page)
    actions.send_now(mailing, cast.membership(cast.teammate))
    [sent] = cast.workspace.messages.filter(to=cast.teammate.email)
    _reads_well(page, sent.html, {p.digest: bytes(p.png) for p in sent.pictures.all()})
    mailing.refresh_from_db()
    assert mailing.is_paused
    token = sending.token(mailing, BOSS)
    browse(page, reverse("work:leave_mailing", args=[token]))
    assert_clean(page)
    enter(page.get_by_role("button", name="Send me this no longer"))
    expect(page.get_by_text("You get this mail no longer.")).to_be_visible()
    mailing.refresh_from_db()
    assert set(mailing.readers) == {cast.teammate.email, cast.admin.email}


def test_a_digest_is_chosen_and_reads_well(
    page: Page, cast: Cast, sign_in: SignIn
) -> None:
    sign_in(cast.teammate)
    browse(page, reverse("work:preferences"))
    rhythm = page.get_by_label("Digest: five accounts", exact=False).first
    rhythm.focus()
    rhythm.press("ArrowDown")
    enter(page.get_by_role("button", name="Save"))
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert Preference.objects.get(what="digest").email == "weekly"
    member = cast.membership(cast.teammate)
    book = queries.book(member.workspace)
    assert book is not None
    with override("en"):
        made = digest.compose(member, book, mask=False)
    charts = {outbox.digest(png): png for png in [made.chart] if png}
    _reads_well(page, made.html, charts)


def _reads_well(page: Page, html: str, pictures: Mapping[str, bytes]) -> None:
    """A mail itself, on a desk and on a phone."""
    for name, png in pictures.items():
        shown = f"data:image/png;base64,{b64encode(png).decode()}"
        html = html.replace(f"cid:{name}", shown)
    page.goto("about:blank")
    page.set_content(html)
    assert not barriers(page, ("wcag2a", "wcag2aa"))
    assert_fits(page)
