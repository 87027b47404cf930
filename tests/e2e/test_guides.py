"""Guides from end to end: on the sample host, told to the server, and pointed at."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, Response, expect
from pytest_django.live_server_helper import LiveServer

from perennial.apps.guides import actions
from perennial.apps.guides.models import Guide, Showing
from perennial.apps.intake import sources
from perennial.apps.surveys.tokens import person_secret
from perennial.apps.team.models import Membership
from tests.apps.customers.company import GREEN
from tests.apps.customers.folder import built, own, then  # noqa: F401 - fixtures
from tests.apps.team.cast import Cast
from tests.e2e.browsing import SignIn, assert_quiet, browse
from tests.e2e.guided import card, guide, heading, hear, press
from tests.host.server import Host

#: (template, changes of its document) to a live guide.
Live = Callable[..., Guide]
#: What was told of which step, in its order.
Heard = list[tuple[str, str]]
_TITLES = ("Welcome!", "It begins here", "That was it")
_EXPORT = {"selectors": ["#export"], "text": "Export"}


@pytest.fixture
def admin(then: Path, cast: Cast) -> Membership:  # noqa: F811
    return cast.membership(cast.admin)


@pytest.fixture
def live(admin: Membership) -> Live:
    def living(template: str, **parts: Any) -> Guide:
        found = actions.add(admin, f"My {template}", template)
        document = found.document | parts
        document["when"] = document.get("when", {}) | {"hold_out": 0}
        assert actions.save(found, admin, found.name, document) == ""
        actions.publish(found, admin)
        return found

    return living


@pytest.fixture
def host(
    admin: Membership, live_server: LiveServer, context: BrowserContext
) -> Iterator[Host]:
    """A product with the snippet. Its events go nowhere: intake is not Django's."""
    taken = {"Access-Control-Allow-Origin": "*"}
    context.route(
        "**/v1/batch", lambda route: route.fulfill(status=200, headers=taken, body="{}")
    )
    key = sources.create_key(admin.workspace, "Product", by=None).key
    server = Host(live_server.url, key, person_secret(admin.workspace))
    server.user, server.account = "g1", GREEN
    yield server
    server.stop()


@pytest.fixture
def told(context: BrowserContext) -> Heard:
    """What the server has taken. Not asked of the database, which tests share with the
    server: it would refuse one of the two."""
    heard: Heard = []

    def hear_it(response: Response) -> None:
        if response.url.endswith("/snippet/v1/told") and response.ok:
            what = json.loads(response.request.post_data or "{}")
            heard.append((what["did"], what["step"]))

    context.on("response", hear_it)
    return heard


def said(text: str) -> dict[str, str]:
    return {"en": text}


def test_a_walkthrough_is_completed_and_counted(
    page: Page, host: Host, live: Live, told: Heard, cast: Cast, sign_in: SignIn
) -> None:
    tour = live(
        "tour",
        languages=["en"],
        steps=[
            {
                "id": "hello",
                "place": "center",
                "title": said(_TITLES[0]),
                "buttons": [{"does": "next", "label": said("Show me")}],
            },
            {
                "id": "here",
                "place": "anchor",
                "page": "/reports/*",
                "anchor": _EXPORT,
                "advance": "event",
                "event": "Report exported",
                "title": said(_TITLES[1]),
            },
            {"id": "end", "place": "corner", "title": said(_TITLES[2])},
        ],
    )
    page.goto(host.url)
    expect(heading(page, "Welcome!")).to_be_visible()
    press(page, "Enter")
    expect(card(page)).to_have_count(0)
    page.locator("#reports").press("Enter")
    expect(heading(page, "It begins here")).to_be_visible()
    # Another tab, tomorrow or after a crash: the server knows how far it was.
    hear(page, lambda: ("step", "here") in told)
    page.evaluate("sessionStorage.clear(), localStorage.clear()")
    page.reload()
    expect(card(page)).to_contain_text("2 of 3")
    page.locator("#export").press("Enter")
    expect(heading(page, "That was it")).to_be_visible()
    card(page).get_by_role("button", name="Done").press("Enter")
    expect(guide(page)).to_have_count(0)
    hear(page, lambda: ("done", "end") in told)
    shown = Showing.objects.get()
    assert shown.finished_at is not None
    steps = shown.told.filter(did="step").order_by("pk")
    assert [each.step for each in steps] == ["hello", "here", "end"]
    assert (shown.person, shown.account_id, shown.times) == ("g1", GREEN, 1)
    page.evaluate("localStorage.clear()")
    with page.expect_response("**/snippet/v1/things") as asked:
        page.reload()
    assert asked.value.json()["things"] == []
    assert_quiet(page)
    sign_in(cast.teammate)
    browse(page, reverse("guides:guide", args=[tour.pk]))
    expect(page.get_by_text("1 person saw it, 100% finished.")).to_be_visible()
    steps_told = page.get_by_role("region", name="How far they came")
    expect(steps_told.get_by_role("listitem")).to_have_text(
        [re.compile(f"{title}.*1.*100%", re.DOTALL) for title in _TITLES]
    )


def test_a_checklist_is_ticked_by_events_and_stays_so(
    page: Page, host: Host, live: Live, told: Heard
) -> None:
    live(
        "checklist",
        languages=["en"],
        items=[
            {"id": "plan", "title": said("Plan a tour"), "event": "Tour planned"},
            {"id": "read", "title": said("Read")},
        ],
    )
    page.goto(host.url)
    launcher = page.get_by_role("button", name="Getting started")
    expect(launcher).to_contain_text("0 of 2")
    page.get_by_role("button", name="New tour").click()
    page.locator("#plan").click()
    expect(launcher).to_contain_text("1 of 2")
    hear(page, lambda: ("step", "plan") in told)
    page.evaluate("sessionStorage.clear(), localStorage.clear()")
    page.reload()
    expect(launcher).to_contain_text("1 of 2")
    launcher.click()
    guide(page).get_by_role("button", name="Read").click()
    expect(launcher).to_contain_text("2 of 2")
    hear(page, lambda: ("done", "") in told)
    assert Showing.objects.get().finished_at is not None


def test_the_picker_builds_a_step_from_the_builder(
    page: Page, host: Host, admin: Membership, cast: Cast, sign_in: SignIn
) -> None:
    draft = actions.add(admin, "Tour", "tour")
    there = draft.document | {"site": f"{host.url}/reports/weekly"}
    actions.save(draft, admin, draft.name, there)
    sign_in(cast.admin)
    browse(page, reverse("guides:edit", args=[draft.pk]))
    anchor = page.locator("#anchor-here")
    expect(anchor).to_contain_text("Points at nothing yet")
    with page.expect_popup() as opened:
        anchor.get_by_role("link", name="Point at the page").click()
    product = opened.value
    bar = product.locator("perennial-pick").get_by_role("dialog")
    expect(bar).to_contain_text("It begins here")
    product.get_by_role("button", name="Export").click()
    bar.get_by_role("button", name="Use this element").press("Enter")
    expect(bar).to_contain_text("Saved")
    product.close()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(anchor).to_contain_text("Points at “Export”")
    draft.refresh_from_db()
    step = next(each for each in draft.document["steps"] if each["id"] == "here")
    assert step["anchor"]["selectors"][0] == "#export"
    assert (step["anchor"]["text"], step["page"]) == ("Export", "/reports/weekly")


def test_a_step_that_is_lost_is_told(
    page: Page, host: Host, live: Live, told: Heard
) -> None:
    gone = {"selectors": ["#gone"], "text": ""}
    tip = {"id": "tip", "place": "anchor", "anchor": gone, "title": said("Here")}
    live("tour", languages=["en"], steps=[tip])
    page.clock.install()
    page.goto(host.url)
    expect(guide(page)).to_have_count(1)
    page.clock.fast_forward(9_000)
    expect(heading(page, "Here")).to_be_visible()
    hear(page, lambda: ("step", "tip") in told)
    assert told[0] == ("lost", "tip")
