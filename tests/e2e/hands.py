"""Two ways to use a page: with the mouse, and with the keyboard alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from playwright.sync_api import Locator, Page, expect

from tests.e2e.browsing import press

#: Stops of the Tab key on the longest page.
_MOST = 300


class Hand(Protocol):
    @property
    def page(self) -> Page: ...

    def use(self, what: Locator) -> None:
        """A link, a button, or what opens."""

    def call(self, what: Locator, key: str, brings: Locator) -> None:
        """What has a key of its own, until what it brings is there."""

    def write(self, field: Locator, text: str) -> None: ...

    def choose(self, field: Locator, label: str) -> None: ...


@dataclass(frozen=True)
class Mouse:
    page: Page

    def use(self, what: Locator) -> None:
        what.click()

    def call(self, what: Locator, key: str, brings: Locator) -> None:
        what.click()
        expect(brings).to_be_visible()

    def write(self, field: Locator, text: str) -> None:
        field.click()
        field.fill(text)

    def choose(self, field: Locator, label: str) -> None:
        field.select_option(label=label)


@dataclass(frozen=True)
class Keyboard:
    page: Page

    def use(self, what: Locator) -> None:
        self._reach(what)
        self.page.keyboard.press("Enter")

    def call(self, what: Locator, key: str, brings: Locator) -> None:
        expect(what).to_be_visible()
        press(self.page, key, brings)

    def write(self, field: Locator, text: str) -> None:
        self._reach(field)
        self.page.keyboard.type(text)

    def choose(self, field: Locator, label: str) -> None:
        """Its first letters choose an entry, as people do."""
        self._reach(field)
        self.page.keyboard.type(label)
        expect(field.locator("option:checked")).to_have_text(label)

    def _reach(self, target: Locator) -> None:
        """Tab until it has the focus."""
        expect(target).to_be_visible()
        self.page.wait_for_load_state("load")
        for _ in range(_MOST):
            if target.evaluate("e => e === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not get to {target}")
