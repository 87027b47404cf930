"""A real browser for the tests: open a page, and prove that it is clean.

    def test_accounts(page: Page, cast: Cast, sign_in: SignIn) -> None:
        sign_in(cast.teammate)
        browse(page, "/accounts/")
        assert_clean(page)

With `PERENNIAL_SHOTS=folder` every clean page is also photographed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeAlias
from zlib import crc32

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from perennial.apps.team.models import User

Theme: TypeAlias = Literal["light", "dark"]
SignIn: TypeAlias = Callable[[User], None]

#: The widths the look is designed for; the height of a desk and of a phone.
WIDTHS = (1440, 390)
THEMES: tuple[Theme, ...] = ("light", "dark")
_HEIGHTS = {1440: 900, 390: 844}

_WATCH = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.__violations.push(`${event.violatedDirective}: ${event.blockedURI}`));
"""

#: What axe looks for; of it, what may differ where the markup is the same.
_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_LOOKS = ("color-contrast", "link-in-text-block", "target-size")
_LOOKS += ("scrollable-region-focusable",)

_LOUD: dict[int, list[str]] = {}


def watch(page: Page) -> Iterator[Page]:
    """Collects what the console and the policy complain about."""
    said: list[str] = []
    _LOUD[id(page)] = said
    page.add_init_script(_WATCH)
    page.on("console", lambda message: _hear(said, message))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    del _LOUD[id(page)]


def _hear(said: list[str], message: ConsoleMessage) -> None:
    """A request that the next letter typed replaces is meant to end early; the
    library reports it in two lines, as if it were an error."""
    if message.text.startswith("htmx:sendAbort"):
        if said and said[-1].startswith("htmx:afterRequest"):
            said.pop()
    elif message.type in {"error", "warning"}:
        said.append(message.text)


def browse(page: Page, path: str, width: int = 1440) -> Page:
    """Opens a page and waits until it stands, its charts drawn."""
    _look(page, "light", width)
    page.goto(path)
    settle(page)
    return page


def settle(page: Page) -> None:
    """Scripts of the page have run by `load`; charts come after it, and the cards that
    read most."""
    page.wait_for_load_state("load")
    late = page.locator('[hx-trigger="load"][hx-swap="outerHTML"]')
    expect(late).to_have_count(0)
    dark = page.evaluate(
        "document.documentElement.dataset.bsTheme ??"
        " (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')"
    )
    waiting = page.locator(f'[data-chart]:not([data-drawn="{dark}"])')
    expect(waiting).to_have_count(0)


def press(page: Page, key: str, what: Locator) -> None:
    """A key, until what it brings is there. A page shows before its scripts run, and
    only they listen: no key until they have."""
    page.wait_for_load_state("load")
    page.keyboard.press(key)
    expect(what).to_be_visible()


def _look(page: Page, theme: Theme, width: int) -> None:
    page.set_viewport_size({"width": width, "height": _HEIGHTS.get(width, 900)})
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")


def assert_clean(page: Page, widths: Sequence[int] = WIDTHS) -> None:
    """As it stands, the page is clean in both themes and at every width: no
    complaint of console or policy, nothing wider than the window, and no barrier
    that axe finds. Afterwards it looks as before."""
    assert page.viewport_size is not None
    before = page.viewport_size["width"]
    for n, (theme, width) in enumerate(_looks(page, widths)):
        _look(page, theme, width)
        settle(page)
        _photograph(page)
        _fits(page, width)
        found = barriers(page, _LOOKS if n else _RULES)
        assert not found, "\n".join([f"{width} px, {theme}", *found])
    _look(page, "light", before)
    assert_quiet(page)


def _looks(page: Page, widths: Sequence[int]) -> list[tuple[Theme, int]]:
    """Every theme and every width, in pairs. Which width is dark differs from page to
    page, so what pages share is seen in all four; for photographs every page is."""
    every = [(theme, width) for theme in THEMES for width in widths]
    if len(widths) == 1 or _shots():
        return every
    turn = crc32(page.url.split("/", 3)[3].encode()) % 2
    return [(theme, widths[(n + turn) % len(widths)]) for n, theme in enumerate(THEMES)]


def assert_quiet(page: Page) -> None:
    """Neither console nor policy has complained of anything."""
    complaints = _LOUD[id(page)] + page.evaluate("window.__violations")
    assert not complaints, "\n".join(complaints)


def assert_fits(page: Page, widths: Sequence[int] = WIDTHS) -> None:
    """Nothing is wider than the window, at any of the widths."""
    for width in widths:
        _look(page, "light", width)
        _fits(page, width)


def _fits(page: Page, width: int) -> None:
    """Charts take their new width a moment after the window: that is waited for."""
    for _ in range(50):
        wide = page.evaluate(
            "document.documentElement.scrollWidth"
            " - document.documentElement.clientWidth"
        )
        if wide <= 0:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{wide} px wider than {width} px: {page.url}")


def barriers(page: Page, rules: Sequence[str] = _RULES) -> list[str]:
    """What axe finds."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    found: list[dict[str, Any]] = page.evaluate(
        "async (rules) => (await axe.run(document, {runOnly: rules,"
        " resultTypes: ['violations']})).violations",
        list(rules),
    )
    return [
        f"{rule['id']}: {node['html'][:200]} ({node['failureSummary']})"
        for rule in found
        for node in rule["nodes"]
    ]


@cache
def _axe() -> str:
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text()


def _shots() -> str | None:
    return os.environ.get("PERENNIAL_SHOTS")


def _photograph(page: Page) -> None:
    folder = _shots()
    if not folder or page.viewport_size is None:
        return
    name = re.sub(r"\W+", "-", page.url.split("/", 3)[3]).strip("-") or "home"
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    theme = "dark" if is_dark else "light"
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = Path(folder) / f"{name}-{theme}-{page.viewport_size['width']}.png"
    page.screenshot(path=path)
