"""Small words for tests of guides on the sample host."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page


def guide(page: Page) -> Locator:
    return page.locator("perennial-guide")


def card(page: Page) -> Locator:
    return guide(page).get_by_role("dialog")


def heading(page: Page, text: str) -> Locator:
    return card(page).get_by_role("heading", name=text)


def box_of(locator: Locator) -> dict[str, float]:
    found = locator.bounding_box()
    assert found is not None
    return dict(found)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def focused(page: Page) -> str:
    """What the keyboard is on, in our shadow or on the page."""
    found: str = page.evaluate(
        "(document.activeElement.shadowRoot?.activeElement ?? document.activeElement)"
        ".textContent"
    )
    return found


def hear(page: Page, is_so: Callable[[], bool]) -> None:
    """Waits, while what stands in for the server goes on answering."""
    for _ in range(600):
        if is_so():
            return
        page.wait_for_timeout(50)
    raise AssertionError("it was not told in time")
