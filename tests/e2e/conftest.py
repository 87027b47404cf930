"""A live server and a real Chromium. Without one the tests are skipped, with a
line that says so; in CI (CI=true) they have to run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from perennial.apps.team.models import User
from tests.apps.team.cast import cast  # noqa: F401 - a fixture
from tests.e2e import browsing
from tests.e2e.browsing import SignIn

# The browser's client keeps an event loop in this thread; Django would refuse
# its database there, though nothing here is asynchronous.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

#: The shell is Chromium without what surrounds a page, which takes a third of the
#: time: each test opens a window.
_NAMES = ("chromium-headless-shell", "chrome-headless-shell", "chromium")
_NAMES += ("chromium-browser", "google-chrome", "google-chrome-stable")


#: A busy machine is slow; only what fails waits as long.
_PATIENCE_MS: Final = 30_000
expect.set_options(timeout=_PATIENCE_MS)


def chromium() -> str | None:
    named = os.environ.get("PERENNIAL_CHROMIUM")
    return named or next(filter(None, map(shutil.which, _NAMES)), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    is_needed = os.environ.get("CI", "").lower() in {"1", "true"}
    if chromium() or is_needed:
        return
    skip = pytest.mark.skip(
        reason="no Chromium on this machine: apt-get install chromium"
    )
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    switches = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
    ]
    return {"executable_path": chromium(), "args": switches}


@pytest.fixture
def browser_context_args(live_server: LiveServer) -> dict[str, Any]:
    return {"base_url": live_server.url, "locale": "en-US"}


@pytest.fixture(autouse=True)
def _watched(page: Page) -> Iterator[None]:
    page.set_default_timeout(_PATIENCE_MS)
    yield from (None for _ in browsing.watch(page))


@pytest.fixture
def sign_in(context: BrowserContext, live_server: LiveServer) -> SignIn:
    """Signs a person in without the door, by a session cookie."""

    def signed_in(user: User) -> None:
        client = Client()
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        session = client.cookies["sessionid"].value
        context.add_cookies(
            [{"name": "sessionid", "value": session, "url": live_server.url}]
        )

    return signed_in
