"""Every form of guide as the snippet draws it on somebody else's product: where it stands,
by keyboard, on pages that change, and what it tells."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from tests.e2e.browsing import assert_clean, assert_quiet, barriers
from tests.e2e.guided import box_of, card, focused, guide, heading, hear, press
from tests.host.server import Host
from tests.host.stand_in import WORDS, StandIn, item, step


@pytest.fixture
def server(context: BrowserContext) -> StandIn:
    return StandIn(context)


@pytest.fixture
def host(live_server: LiveServer) -> Iterator[Host]:
    made = Host(live_server.url, "KEY", "secret")
    made.user, made.account = "u1", "a1"
    yield made
    made.stop()


def test_a_walkthrough_by_keyboard_over_pages_that_change(
    page: Page, host: Host, server: StandIn
) -> None:
    """Through routes, a load, and a page that makes everything anew all the time."""
    reports = {"selectors": ["#nothing", "#reports"], "text": "Reports"}
    export = {"selectors": ["main > button"], "text": "Export"}
    server.add(
        "walkthrough",
        step(),
        step(id="s2", title="Open them", anchor=reports, advance="click"),
        step(
            id="s3",
            title="Take it along",
            page="/reports/*",
            anchor=export,
            advance="event",
            event="Report exported",
        ),
        step(id="s4", title="Well done", page="/billing", place="corner", anchor=None),
    )
    page.goto(host.url)
    expect(heading(page, "Print the day")).to_be_visible()
    expect(card(page)).to_contain_text("1 of 4")
    # The card comes after its element in the order of the keyboard, and stays
    # with it though that is another one by now.
    page.wait_for_timeout(1_700)
    assert focused(page) == "Next"
    press(page, "Shift+Tab", "Shift+Tab")
    assert focused(page) == "Print"
    press(page, "Tab", "Tab")
    assert focused(page) == "Next"
    button = box_of(page.get_by_role("button", name="Print", exact=True))
    box, ring = box_of(card(page)), box_of(guide(page).locator(".ring"))
    assert ring["y"] + 4 == pytest.approx(button["y"], abs=1)
    assert box["y"] > button["y"] + button["height"]
    press(page, "Enter")
    expect(heading(page, "Open them")).to_be_visible()
    page.locator("#reports").focus()
    press(page, "Enter")
    expect(heading(page, "Take it along")).to_be_visible()
    page.reload()
    expect(card(page)).to_contain_text("3 of 4")
    page.get_by_role("button", name="Export").click()
    expect(card(page)).to_have_count(0)
    page.get_by_role("link", name="Billing").click()
    expect(heading(page, "Well done")).to_be_visible()
    card(page).get_by_role("button", name="Back").click()
    expect(card(page)).to_have_count(0)
    page.get_by_role("link", name="Reports").click()
    page.get_by_role("button", name="Export").click()
    page.get_by_role("link", name="Billing").click()
    card(page).get_by_role("button", name="Done").click()
    expect(guide(page)).to_have_count(0)
    assert server.claimed == ["g0"]
    hear(page, lambda: ("done", "s4") in server.told)
    steps = [name for did, name in server.told if did == "step"]
    assert list(dict.fromkeys(steps)) == ["s1", "s2", "s3", "s4"]
    assert {did for did, _ in server.told} == {"seen", "step", "done"}
    page.reload()
    page.wait_for_timeout(300)
    assert guide(page).count() == 0
    assert_quiet(page)


def test_into_a_dialog_of_the_page_and_when_the_element_is_gone(
    page: Page, host: Host, server: StandIn
) -> None:
    opens = {"selectors": ["main div button"], "text": "New tour"}
    gone = {"selectors": ["#gone"], "text": ""}
    plans = {"selectors": ["#plan"], "text": ""}
    server.add(
        "walkthrough",
        step(title="Begin", anchor=opens, advance="click"),
        step(id="s2", title="In the dialog", anchor=plans),
        step(id="s3", title="Left out", anchor=gone, lost="skip"),
        step(id="s4", title="In the middle", anchor=gone),
    )
    page.clock.install()
    page.goto(host.url)
    expect(heading(page, "Begin")).to_be_visible()
    page.get_by_role("button", name="New tour").click()
    expect(heading(page, "In the dialog")).to_be_visible()
    card(page).get_by_role("button", name="Next").click()
    page.locator("#plan").click()
    for _ in range(3):
        expect(card(page)).to_have_count(0)
        page.clock.fast_forward(8_500)
        page.wait_for_timeout(300)
        if card(page).count():
            break
    expect(heading(page, "In the middle")).to_be_visible()
    assert [name for did, name in server.told if did == "lost"] == ["s3", "s4"]
    card(page).get_by_role("button", name="Close").click()
    hear(page, lambda: ("done", "s4") in server.told)


def test_a_step_waits_for_its_element_and_another_ends_the_guide(
    page: Page, host: Host, server: StandIn
) -> None:
    late = {"selectors": ["#late"], "text": ""}
    gone = {"selectors": ["#gone"], "text": ""}
    server.add(
        "walkthrough",
        step(title="At last", anchor=late, lost="wait"),
        step(id="s2", title="Never", anchor=gone, lost="end"),
        step(id="s3", title="Not reached"),
    )
    page.clock.install()
    page.goto(host.url)
    expect(guide(page)).to_have_count(1)
    for _ in range(2):
        page.clock.fast_forward(9_000)
        hear(page, lambda: ("lost", "s1") in server.told)
        assert card(page).count() == 0
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('button'),"
        "{id: 'late', textContent: 'Late'}))"
    )
    page.clock.fast_forward(500)
    expect(heading(page, "At last")).to_be_visible()
    card(page).get_by_role("button", name="Next").press("Enter")
    page.clock.fast_forward(9_000)
    expect(guide(page)).to_have_count(0)
    hear(page, lambda: ("lost", "s2") in server.told)
    assert [did for did, _ in server.told] == ["lost", "seen", "step", "lost"]
    assert page.evaluate("sessionStorage.length") == 0
    assert_quiet(page)


def test_what_was_found_and_went_away_is_not_lost(
    page: Page, host: Host, server: StandIn
) -> None:
    server.add("tooltip", step())
    page.clock.install()
    page.goto(host.url)
    expect(heading(page, "Print the day")).to_be_visible()
    page.locator("#settings").click()
    expect(card(page)).to_have_count(0)
    page.clock.fast_forward(20_000)
    page.get_by_role("link", name="Home").click()
    expect(heading(page, "Print the day")).to_be_visible()
    assert focused(page) == "Home"
    assert ("lost", "s1") not in server.told


def test_a_modal_holds_the_keyboard_and_gives_it_back(
    page: Page, host: Host, server: StandIn
) -> None:
    later = {"label": "Later", "does": "snooze", "url": ""}
    tour = {"label": "Take the tour", "does": "next", "url": ""}
    body = "All in **one place**.\n\n- Drivers\n- Regions\n\n[More](https://b.example)"
    server.add(
        "modal",
        step(place="center", title="Welcome", body=body, buttons=[later, tour]),
        thing={"event": "Report exported"},
    )
    page.goto(f"{host.url}/reports/weekly")
    page.locator("#reports").focus()
    page.evaluate("perennial.push(['track', 'Report exported'])")
    expect(heading(page, "Welcome")).to_be_visible()
    assert focused(page) == "Take the tour"
    press(page, "Tab", "Tab", "Tab", "Tab")
    assert focused(page) == "Take the tour"
    page.evaluate("document.querySelector('#settings').focus()")
    assert card(page).evaluate("e => e.matches(':focus-within')")
    assert_clean(page)
    press(page, "Escape")
    expect(card(page)).to_have_count(0)
    assert focused(page) == "Reports"
    hear(page, lambda: ("dismissed", "s1") in server.told)


_BAD: Final = "<img src=x onerror=alert(1)>'\"</style><script>alert(1)</script>"


def test_everything_at_once_is_clean_and_text_stays_text(
    page: Page, host: Host, server: StandIn
) -> None:
    """No two in each other's way; a strict policy sees no violation; what looks like
    markup is read as it is written."""
    page.on("dialog", lambda _dialog: pytest.fail("a script ran"))
    bad = {"label": _BAD, "does": "open", "url": "javascript:alert(1)"}
    link = item(1, _BAD, body=_BAD, does="open", url="javascript:alert(1)")
    list_of = [
        item(2, "Import customers", done=True, event="Imported"),
        item(3, "Plan a tour", body="Ticks by **itself**.", event="Tour planned"),
        link,
    ]
    left = {"look": {"position": "bottom-left", "accent": "#FFD400"}}
    server.add("tooltip", step(title=_BAD, body=_BAD, buttons=[bad]))
    server.add("banner", step(place="top", title="Maintenance", body="On [Sunday](/x)"))
    server.add("hotspot", step(anchor={"selectors": ["th"], "text": ""}))
    server.add("checklist", items=list_of, words=WORDS | {"hide": _BAD})
    server.add("resource_center", name="Help", items=[link], **left)
    page.goto(host.url)
    page.get_by_role("button", name="Your first day").click()
    page.get_by_role("button", name="Help", exact=True).click()
    expect(card(page)).to_have_count(4)
    expect(heading(page, _BAD)).to_be_visible()
    assert_clean(page)
    assert guide(page).locator("img, script, a[href^=javascript]").count() == 0
    # From the right, and where the page is light though the system is dark.
    page.evaluate(
        "document.querySelectorAll('perennial-guide').forEach(host =>"
        " host.shadowRoot.querySelector('.root').dir = 'rtl')"
    )
    assert not barriers(page)


def test_a_checklist_is_ticked_by_what_happens(
    page: Page, host: Host, server: StandIn
) -> None:
    server.add(
        "checklist",
        items=[
            item(1, "Import customers", done=True, event="Imported"),
            item(2, "Plan a tour", event="Tour planned"),
            item(3, "See reports", does="open", url="/reports/weekly"),
            item(4, "Take the tour", does="guide", guide="g1"),
        ],
    )
    server.add("tooltip", step(), thing={"event": "never"})
    page.goto(host.url)
    launcher = page.get_by_role("button", name="Your first day")
    expect(launcher).to_contain_text("1 of 4")
    page.get_by_role("button", name="New tour").click()
    page.locator("#plan").click()
    expect(launcher).to_contain_text("2 of 4")
    # Remembered by the tab, as the server may not know of it yet.
    page.reload()
    expect(launcher).to_contain_text("2 of 4")
    launcher.focus()
    press(page, "Enter", "ArrowDown", "ArrowUp")
    assert "See reports" in focused(page)
    with page.expect_navigation():
        press(page, "Enter")
    assert page.url.endswith("/reports/weekly")
    expect(launcher).to_contain_text("3 of 4")
    page.get_by_role("link", name="Home").click()
    launcher.click()
    panel = guide(page).get_by_role("dialog", name="Your first day")
    expect(panel.get_by_role("img", name="Done")).to_have_count(3)
    panel.get_by_text("Take the tour").click()
    expect(heading(page, "Print the day")).to_be_visible()
    card(page).get_by_role("button", name="Done").click()
    expect(launcher).to_contain_text("4 of 4")
    hear(page, lambda: ("done", "") in server.told)
    assert ("clicked", "i3") in server.told
    assert ("step", "i2") in server.told
    press(page, "Escape")
    panel.get_by_role("button", name="Do not show again").click()
    expect(launcher).to_have_count(0)
    hear(page, lambda: ("dismissed", "") in server.told)


def test_help_is_searched_and_each_keeps_to_its_pages(
    page: Page, host: Host, server: StandIn
) -> None:
    server.add(
        "resource_center",
        name="Help",
        items=[
            item(1, "Handbook", does="open", url="https://b.example/"),
            item(2, "Late tours", body="Five minutes or more."),
        ],
        thing={"pages": ["/", "/reports/*"]},
    )
    look = {"label": "Look", "does": "open", "url": "/reports/weekly"}
    new = step(place="bottom", page="/settings", title="New here", buttons=[look])
    server.add("banner", new)
    server.add("hotspot", step(), thing={"pages": ["/"]})
    page.goto(host.url)
    page.get_by_role("button", name="Help", exact=True).click()
    page.keyboard.type("five tours")
    panel = guide(page).get_by_role("dialog", name="Help")
    expect(panel.get_by_role("listitem")).to_have_count(1)
    press(page, "ArrowDown")
    assert "Late tours" in focused(page)
    panel.get_by_label("Search").fill("five cats")
    expect(panel.get_by_role("status")).to_have_text("Nothing found")
    press(page, "Escape")
    dot = page.get_by_role("button", name="Print the day")
    dot.focus()
    press(page, "Enter")
    expect(heading(page, "Print the day")).to_be_visible()
    press(page, "Enter")
    expect(dot).to_have_count(0)
    hear(page, lambda: ("done", "s1") in server.told)
    page.get_by_role("link", name="Settings").click()
    expect(heading(page, "New here")).to_be_visible()
    expect(page.get_by_role("button", name="Help", exact=True)).to_have_count(0)
    card(page).get_by_role("link", name="Look").click()
    expect(page).to_have_url(f"{host.url}/reports/weekly")
    hear(page, lambda: ("clicked", "s1") in server.told)
    expect(page.get_by_role("button", name="Help", exact=True)).to_be_visible()
    # At log-out nothing of the person stays.
    page.evaluate("perennial.push(['reset'])")
    expect(guide(page)).to_have_count(0)
    assert page.evaluate("sessionStorage.length") == 0


def test_what_is_told_is_told_again_once_and_previews_tell_nothing(
    page: Page, context: BrowserContext, host: Host, server: StandIn
) -> None:
    failed: list[str] = []

    def fail(route: Route) -> None:
        failed.append(json.loads(route.request.post_data or "{}")["did"])
        route.abort()

    server.add("tooltip", step(), step(id="s2", title="Second"))
    shown = server.guides["g0"]
    context.route("**/snippet/v1/told", fail, times=1)
    page.clock.install()
    page.goto(host.url)
    expect(heading(page, "Print the day")).to_be_visible()
    hear(page, lambda: failed == ["seen"])
    page.wait_for_timeout(100)
    page.clock.fast_forward(3_500)
    hear(page, lambda: server.told == [("seen", "s1"), ("step", "s1")])
    server.told.clear()
    preview(page, host, shown | {"token": "", "at": 1})
    expect(heading(page, "Second")).to_be_visible()
    card(page).get_by_role("button", name="Done").click()
    expect(guide(page)).to_have_count(0)
    several = {"form": "checklist", "title": "First steps", "items": [item(1, "Plan")]}
    preview(page, host, shown | several | {"token": ""})
    panel = guide(page).get_by_role("dialog", name="First steps")
    panel.get_by_role("button", name="Plan").click()
    expect(panel).to_contain_text("1 of 1")
    assert server.told == []


def test_a_preview_leaves_the_keyboard_alone(
    page: Page, host: Host, server: StandIn
) -> None:
    """It is drawn in the builder, where somebody is writing."""
    server.add("modal", step(place="center"))
    preview(page, host, server.guides["g0"] | {"token": ""})
    done = card(page).get_by_role("button", name="Done")
    expect(done).to_be_visible()
    assert page.evaluate("document.activeElement === document.body")
    done.focus()
    page.keyboard.press("Tab")
    expect(done).not_to_be_focused()
    assert page.evaluate("document.activeElement.tagName") != "PERENNIAL-GUIDE"


def preview(page: Page, host: Host, spec: dict[str, Any]) -> None:
    """As the builder shows a draft."""
    body = (
        "<!doctype html><title>p</title><button data-anchor>Here</button>"
        f"<script id=perennial-preview type=application/json>{json.dumps(spec)}</script>"
        "<script src=/snippet/v1/show.js></script>"
    )
    page.route(
        "**/preview", lambda route: route.fulfill(content_type="text/html", body=body)
    )
    page.goto(f"{host.perennial}/preview")


def test_pointing_at_an_element_by_pointer_and_by_keyboard(
    page: Page, host: Host, server: StandIn
) -> None:
    server.add("banner", step(place="bottom"))
    page.goto(f"{host.url}/reports/weekly#perennial-pick=good")
    bar = page.locator("perennial-pick").get_by_role("dialog")
    expect(bar).to_contain_text("Point at the element of step 2")
    assert page.url == f"{host.url}/reports/weekly"
    export = page.get_by_role("button", name="Export")
    export.hover()
    expect(bar).to_contain_text("button “Export”")
    outline = box_of(page.locator("perennial-pick .outline"))
    assert outline["x"] == pytest.approx(box_of(export)["x"], abs=1)
    # Nothing happens to the page; and one may get about in it, also by a load.
    bar.get_by_role("button", name="Use the page").click()
    page.get_by_role("link", name="Billing").click()
    page.get_by_role("link", name="Home").click()
    bar.get_by_role("button", name="Point").click()
    press(page, "ArrowDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowDown")
    press(page, "ArrowRight")
    expect(bar).to_contain_text("button “Print”")
    # Made anew meanwhile: pointed at once more.
    page.get_by_role("button", name="Print").click()
    expect(bar).to_contain_text("Exactly this element fits.")
    page.wait_for_timeout(1_700)
    assert focused(page) == "Use this element"
    assert_clean(page)
    press(page, "Enter")
    expect(bar).to_contain_text("Saved.")
    [picked] = server.picked
    best, *others = picked.pop("selectors")
    assert picked == {"token": "good", "page": "/", "text": "Print"}
    assert best == '[data-testid="print"]'
    for selector in others:
        assert "b-" not in selector
        assert page.locator(selector).text_content() == "Print"
    press(page, "Enter")
    expect(bar).to_have_count(0)
    assert guide(page).count() == 0
    # The link is good no longer: nothing is drawn, and guides are as ever.
    page.goto(f"{host.url}/settings#perennial-pick=bad")
    page.wait_for_timeout(300)
    assert bar.count() == 0
    page.goto(f"{host.url}/reports/weekly")
    expect(card(page)).to_be_visible()


def test_elements_in_open_shadows_are_picked_and_found_again(
    page: Page, host: Host, server: StandIn
) -> None:
    """Two shadows deep, on a page that makes everything anew; closed ones are said to be
    out of reach."""
    page.goto(f"{host.url}/map#perennial-pick=good")
    bar = page.locator("perennial-pick").get_by_role("dialog")
    page.locator("secret-map").hover()
    page.locator("secret-map").click()
    expect(bar).to_contain_text("What is inside it is out of reach.")
    bar.get_by_role("button", name="Choose another").press("Enter")
    page.get_by_role("button", name="Layers").hover()
    expect(bar).to_contain_text("button “Layers”")
    press(page, "ArrowLeft")
    expect(bar).to_contain_text("button “Zoom”")
    press(page, "ArrowUp", "ArrowDown", "ArrowRight")
    expect(bar).to_contain_text("button “Layers”")
    press(page, "Enter")
    expect(bar).not_to_contain_text("out of reach")
    expect(bar).to_contain_text("Exactly this element fits.")
    press(page, "Enter")
    expect(bar).to_contain_text("Saved.")
    [picked] = server.picked
    assert picked["selectors"][0] == "tour-map >>> map-tools >>> #layers"
    press(page, "Enter")
    zoom = {"selectors": ["tour-map >>> map-tools >>> :host > button:nth-of-type(1)"]}
    layers = {"selectors": picked["selectors"][:1], "text": "Layers"}
    server.add(
        "walkthrough",
        step(title="Look closer", anchor={**zoom, "text": ""}),
        step(id="s2", title="Choose layers", anchor=layers, advance="click"),
        step(id="s3", title="Well done", place="corner", anchor=None),
    )
    page.goto(f"{host.url}/map")
    expect(heading(page, "Look closer")).to_be_visible()
    card(page).get_by_role("button", name="Next").press("Enter")
    expect(heading(page, "Choose layers")).to_be_visible()
    button, ring = (
        box_of(page.get_by_role("button", name="Layers")),
        box_of(guide(page).locator(".ring")),
    )
    assert ring["x"] + 4 == pytest.approx(button["x"], abs=1)
    # The keyboard goes from the card to its element and back, through both shadows.
    press(page, "Shift+Tab")
    assert deep_focus(page) == "Layers"
    press(page, "Tab")
    assert focused(page) != "Layers"
    page.get_by_role("button", name="Layers").click()
    expect(heading(page, "Well done")).to_be_visible()
    assert_quiet(page)


def deep_focus(page: Page) -> str:
    found: str = page.evaluate(
        "(() => { let at = document.activeElement;"
        " while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;"
        " return at.textContent; })()"
    )
    return found
