"""The browser snippet in a real browser, on a page of another origin.

Where nothing more may arrive, it is asked to send at once (`quiet`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from tests.e2e.recorder import Answer, Intake, Message, Recorder, Site, until

_NO_LOCKS = (
    "Object.defineProperty(Navigator.prototype, 'locks', {get: () => undefined})"
)

_ROOT = Path(__file__).parents[2]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    server = Recorder()
    yield server
    server.stop()


@pytest.fixture
def intake(recorder: Recorder) -> Intake:
    """The real one can stand here."""
    return recorder


@pytest.fixture
def site(intake: Intake) -> Iterator[Site]:
    server = Site()
    server.head = tag(intake)
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _silent(context: BrowserContext, page: Page) -> Iterator[None]:
    """Nothing is thrown into a page, and nothing said in its console, except what
    the browser itself says of a request that failed."""
    said: list[str] = []
    context.on("console", lambda message: said.append(message.text))
    context.on("weberror", lambda error: said.append(str(error.error)))
    yield
    page.evaluate("0") if not page.is_closed() else None
    assert [s for s in said if not s.startswith("Failed to load resource:")] == []


def tag(intake: Intake, more: str = "") -> str:
    return (
        f'<script async src="{intake.url}/snippet/v1.js"'
        f' data-key="{intake.key}" {more}></script>'
    )


def documented_stub() -> str:
    """The one that people copy: of the guide, and the same in the source."""
    guide = (_ROOT / "docs/how-to/browser-snippet.md").read_text()
    [stub] = re.findall(r"```html\n(<script>\n.*?</script>)\n```", guide, re.S)
    source = (_ROOT / "js/src/snippet/v1.ts").read_text()
    assert stub in source.replace(" *     ", "")
    return stub


def call(page: Page, *words: object) -> None:
    page.evaluate(
        "words => (window.perennial = window.perennial || []).push(words)", list(words)
    )


def quiet(page: Page) -> None:
    """Long enough for what still waits to arrive once more."""
    call(page, "flush")
    page.wait_for_timeout(600)


def opened(page: Page, site: Site, path: str = "/") -> Page:
    page.goto(site.url + path)
    page.wait_for_function("window.perennial && window.perennial.version")
    return page


def what(messages: list[Message]) -> list[str]:
    """Events by name, page views by path, other calls by type."""
    return [
        m.get("event") or m.get("properties", {}).get("path") or m["type"]
        for m in messages
    ]


def kept(page: Page) -> list[str]:
    names: list[str] = page.evaluate("Object.keys(localStorage)")
    return [name for name in names if name.startswith("perennial:")]


def test_a_page_view_by_the_tag_alone(
    page: Page, context: BrowserContext, site: Site, recorder: Recorder
) -> None:
    page.goto(site.url + "/start?utm_source=mail&utm_campaign=May#token=secret")
    until(recorder.messages)
    [view] = recorder.messages()
    assert (view["type"], view["properties"]["title"]) == ("page", "Shop")
    assert view["context"]["page"] == {
        "path": "/start",
        "search": "?utm_source=mail&utm_campaign=May",
        "url": site.url + "/start?utm_source=mail&utm_campaign=May",
        "referrer": "",
        "title": "Shop",
    }
    assert view["context"]["campaign"] == {"source": "mail", "name": "May"}
    assert view["context"]["locale"] == "en-US"
    assert view["context"]["screen"]["width"] > 0
    assert "Chrome" in view["context"]["userAgent"]
    assert view["context"]["timezone"]
    assert len(view["context"]["sessionId"]) == len(view["anonymousId"]) == 36
    [request] = recorder.requests
    assert request.headers["Content-Type"] == "text/plain;charset=UTF-8"
    assert "Cookie" not in request.headers
    assert context.cookies() == []
    until(lambda: not [name for name in kept(page) if "queue" in name])


def test_the_stub_takes_calls_before_the_script_is_there(
    page: Page, site: Site, intake: Intake
) -> None:
    stub = (
        documented_stub().replace("https://HOST", intake.url).replace("KEY", intake.key)
    )
    early = "perennial.identify('u1'); window.mine = perennial; mine.track('Early');"
    site.head = f"{stub}<script>{early}</script>"
    opened(page, site)
    page.evaluate("mine.track('Late'), mine.flush()")
    until(lambda: "Late" in what(intake.messages()))
    assert what(intake.messages()) == ["/", "identify", "Early", "Late"]


def test_who_and_what_in_order(page: Page, site: Site, intake: Intake) -> None:
    opened(page, site)
    call(page, "identify", "u1", {"email": "ann@a.example"})
    call(page, "group", "a1", {"name": "Alpha", "seats": 5})
    call(page, "track", "Report made", {"rows": 3, "deep": {"är": ["✓", None]}})
    call(page, "alias", "u1-new")
    call(page, "flush")
    until(lambda: len(intake.messages()) == 5)
    view, identify, group, track, alias = intake.messages()
    assert "userId" not in view
    assert "groupId" not in view["context"]
    assert (identify["type"], identify["userId"]) == ("identify", "u1")
    assert identify["traits"] == {"email": "ann@a.example"}
    assert (group["type"], group["groupId"], group["userId"]) == ("group", "a1", "u1")
    assert group["traits"] == {"name": "Alpha", "seats": 5}
    assert track["properties"] == {"rows": 3, "deep": {"är": ["✓", None]}}
    assert track["context"]["groupId"] == "a1"
    assert (alias["userId"], alias["previousId"]) == ("u1-new", "u1")
    everyone = intake.messages()
    assert len({m["anonymousId"] for m in everyone}) == 1
    assert len({m["context"]["sessionId"] for m in everyone}) == 1
    assert len({m["messageId"] for m in everyone}) == 5
    assert sorted(m["timestamp"] for m in everyone) == [
        m["timestamp"] for m in everyone
    ]


def test_views_of_a_single_page_app(page: Page, site: Site, intake: Intake) -> None:
    opened(page, site, "/a")
    for step in (
        "history.replaceState({at: 1}, '', '/a'); location.hash = 'part'",
        "history.pushState(null, '', '/b?tab=2'); document.title = 'B'",
        "history.pushState(null, '', '/old'); history.replaceState(null, '', '/c')",
        "history.back()",
    ):
        page.evaluate(step)
        page.wait_for_timeout(200)  # a view counts once its page has settled
    call(page, "flush")
    until(lambda: len(intake.messages()) == 4)
    views = [m["properties"] for m in intake.messages()]
    assert [v["path"] + v["search"] for v in views] == [
        "/a",
        "/b?tab=2",
        "/c",
        "/b?tab=2",
    ]
    assert [v["title"] for v in views] == ["Shop", "B", "B", "B"]
    assert views[1]["referrer"] == site.url + "/a"


def test_from_page_to_page(page: Page, site: Site, intake: Intake) -> None:
    opened(page, site, "/first")
    page.evaluate(
        "void (document.querySelector('a').onclick = () => perennial.track('Clicked'))"
    )
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**/next")
    until(lambda: "/next" in what(intake.messages()))
    assert what(intake.messages()) == ["/first", "Clicked", "/next"]


def test_a_server_that_is_down(page: Page, site: Site, recorder: Recorder) -> None:
    opened(page, site)
    call(page, "flush")
    until(recorder.messages)
    recorder.stop()
    for number in range(25):
        call(page, "track", f"e{number}")
    page.wait_for_timeout(1_000)
    assert page.evaluate("1 + 1") == 2
    recorder.start()
    until(lambda: len(recorder.messages()) == 26, timeout_s=20)
    quiet(page)
    assert what(recorder.deliveries()) == ["/", *(f"e{n}" for n in range(25))]


def test_what_was_kept_goes_out_from_the_next_page(
    page: Page, site: Site, recorder: Recorder
) -> None:
    opened(page, site, "/first")
    call(page, "flush")
    until(recorder.messages)
    recorder.stop()
    call(page, "track", "Kept")
    quiet(page)
    recorder.start()
    page.goto(site.url + "/next")
    until(lambda: "/next" in what(recorder.messages()))
    assert what(recorder.messages()) == ["/first", "Kept", "/next"]


def test_offline_and_back(
    page: Page, context: BrowserContext, site: Site, recorder: Recorder
) -> None:
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    opened(page, site)
    call(page, "flush")
    until(recorder.messages)
    context.set_offline(True)
    call(page, "track", "Under way")
    quiet(page)
    assert failed == []
    context.set_offline(False)
    until(lambda: "Under way" in what(recorder.messages()))
    quiet(page)
    assert what(recorder.deliveries()) == ["/", "Under way"]


def test_a_server_that_asks_for_patience(
    page: Page, site: Site, recorder: Recorder
) -> None:
    recorder.answers = [Answer(429, "{}", {"Retry-After": "3"}), Answer(503, "{}")]
    opened(page, site)
    call(page, "flush")
    until(lambda: len(recorder.answers) == 1)
    page.wait_for_timeout(2_500)
    assert len(recorder.answers) == 1
    until(recorder.messages)
    assert what(recorder.deliveries()) == ["/"]


def test_what_is_refused_is_not_sent_again(
    page: Page, site: Site, recorder: Recorder
) -> None:
    recorder.answers = [Answer(400, "{}")]
    opened(page, site)
    call(page, "flush")
    until(lambda: not recorder.answers)
    call(page, "track", "Next")
    until(recorder.messages)
    assert what(recorder.deliveries()) == ["Next"]


def test_a_request_that_is_blocked(page: Page, site: Site, intake: Intake) -> None:
    page.route("**/v1/batch", lambda route: route.abort("blockedbyclient"))
    opened(page, site)
    call(page, "track", "x")
    quiet(page)
    assert intake.messages() == []


def test_a_tab_that_is_closed(
    page: Page, context: BrowserContext, site: Site, recorder: Recorder
) -> None:
    opened(page, site)
    call(page, "track", "Last")
    page.close(run_before_unload=True)
    until(lambda: "Last" in what(recorder.messages()), timeout_s=5)
    again = context.new_page()
    opened(again, site, "/again")
    until(lambda: "/again" in what(recorder.messages()))
    assert what(recorder.messages()) == ["/", "Last", "/again"]


@pytest.mark.parametrize("locks", [True, False], ids=["locks", "lease"])
def test_two_tabs(
    page: Page, context: BrowserContext, site: Site, recorder: Recorder, locks: bool
) -> None:
    if not locks:
        context.add_init_script(_NO_LOCKS)
    other = context.new_page()
    opened(page, site, "/one")
    opened(other, site, "/two")
    for number in range(30):
        call(page, "track", f"1/{number}")
        call(other, "track", f"2/{number}")
    until(lambda: len(recorder.messages()) == 62)
    quiet(page)
    everyone = recorder.messages()
    assert len(everyone) == 62
    assert len({m["anonymousId"] for m in everyone}) == 1
    for tab in "12":
        mine = [w for w in what(everyone) if w.startswith(f"{tab}/")]
        assert mine == [f"{tab}/{n}" for n in range(30)]
    assert [name for name in kept(page) if "queue" in name or "lease" in name] == []
    if locks:
        assert len(recorder.deliveries()) == 62


def test_reset_at_log_out(page: Page, site: Site, intake: Intake) -> None:
    opened(page, site)
    call(page, "identify", "u1")
    call(page, "group", "a1")
    call(page, "reset")
    call(page, "track", "After")
    call(page, "flush")
    until(lambda: "After" in what(intake.messages()))
    before, after = intake.messages()[1], intake.messages()[-1]
    assert before["userId"] == "u1"
    assert "userId" not in after
    assert "groupId" not in after["context"]
    assert after["anonymousId"] != before["anonymousId"]
    assert after["context"]["sessionId"] != before["context"]["sessionId"]


@pytest.mark.parametrize(
    "signal", ["doNotTrack: '1'", "globalPrivacyControl: true"], ids=["DNT", "GPC"]
)
def test_a_browser_that_refuses(
    page: Page, site: Site, recorder: Recorder, signal: str
) -> None:
    name, value = signal.split(": ")
    page.add_init_script(
        f"Object.defineProperty(Navigator.prototype, '{name}', {{get: () => {value}}})"
    )
    opened(page, site)
    call(page, "identify", "u1")
    call(page, "optIn")
    call(page, "track", "x")
    quiet(page)
    page.goto(site.url + "/next")
    page.wait_for_timeout(500)
    assert recorder.requests == []
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_opting_out_and_in(
    page: Page, context: BrowserContext, site: Site, intake: Intake
) -> None:
    opened(page, site)
    call(page, "identify", "u1")
    call(page, "optOut")
    other = opened(context.new_page(), site, "/other")
    call(other, "track", "x")
    quiet(page)
    assert intake.messages() == []
    assert kept(page) == ["perennial:consent"]
    call(other, "optIn")
    call(other, "track", "Welcome")
    call(other, "flush")
    until(lambda: "Welcome" in what(intake.messages()))
    assert what(intake.messages()) == ["/other", "Welcome"]


def test_consent_that_is_required(page: Page, site: Site, intake: Intake) -> None:
    site.head = tag(intake, 'data-consent="required"')
    opened(page, site)
    call(page, "track", "Before")
    quiet(page)
    assert (intake.messages(), kept(page)) == ([], [])
    call(page, "optIn")
    call(page, "flush")
    until(intake.messages)
    assert what(intake.messages()) == ["/", "Before"]
    opened(page, site, "/next")
    call(page, "flush")
    until(lambda: what(intake.messages()) == ["/", "Before", "/next"])


def test_storage_that_is_denied(page: Page, site: Site, intake: Intake) -> None:
    # An origin of its own for each page: storage and locks throw there.
    site.headers = {"Content-Security-Policy": "sandbox allow-scripts"}
    opened(page, site)
    with pytest.raises(Exception, match="sandboxed"):
        page.evaluate("localStorage.length")
    call(page, "identify", "u1")
    call(page, "track", "x")
    until(lambda: "x" in what(intake.messages()))
    assert what(intake.messages()) == ["/", "identify", "x"]
    assert len({m["anonymousId"] for m in intake.messages()}) == 1
    call(page, "track", "Last")
    page.goto("about:blank")
    until(lambda: "Last" in what(intake.messages()), timeout_s=5)


def test_storage_that_is_full(page: Page, site: Site, intake: Intake) -> None:
    page.add_init_script(
        "for (let part = 4e6, n = 0; part >= 1; part = Math.floor(part / 2))"
        " try { for (;;) localStorage.setItem('page' + n++, 'x'.repeat(part)) } catch {}"
    )
    opened(page, site)
    call(page, "track", "x")
    until(lambda: "x" in what(intake.messages()))
    assert what(intake.messages()) == ["/", "x"]
    assert len({m["anonymousId"] for m in intake.messages()}) == 1
    assert kept(page) == []


def test_a_page_with_a_strict_policy(page: Page, site: Site, intake: Intake) -> None:
    site.headers = {
        "Content-Security-Policy": (
            f"default-src 'none'; script-src {intake.url}; connect-src {intake.url};"
            " require-trusted-types-for 'script'"
        )
    }
    opened(page, site)
    call(page, "track", "x")
    until(lambda: "x" in what(intake.messages()))
    call(page, "track", "Last")
    page.goto("about:blank")
    until(lambda: "Last" in what(intake.messages()), timeout_s=5)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {
            "Cross-Origin-Embedder-Policy": "require-corp",
            "Cross-Origin-Opener-Policy": "same-origin",
        },
    ],
    ids=["plain", "isolated"],
)
def test_the_script_as_perennial_serves_it(
    page: Page,
    site: Site,
    intake: Intake,
    live_server: LiveServer,
    headers: dict[str, str],
) -> None:
    site.headers = headers
    site.head = tag(intake, f'data-host="{intake.url}"').replace(
        f"{intake.url}/snippet", f"{live_server.url}/snippet"
    )
    opened(page, site)
    call(page, "flush")
    until(intake.messages)
    assert what(intake.messages()) == ["/"]


def test_the_functions_stay_for_ever(page: Page, site: Site) -> None:
    """What v1 promised: an installed page never has to change."""
    opened(page, site)
    names: dict[str, Any] = page.evaluate(
        "Object.fromEntries(Object.keys(perennial).map(n => [n, typeof perennial[n]]))"
    )
    functions = "load page track identify group alias reset optIn optOut flush push"
    assert names == {
        "version": "string",
        **dict.fromkeys(functions.split(), "function"),
    }
