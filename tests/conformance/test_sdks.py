"""Stock SDKs with nothing changed but host and key: every call arrives once."""

from __future__ import annotations

import json
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.conformance import environments as env
from tests.conformance.calls import COUNT, expected
from tests.conformance.server import Server, wait_for
from tests.e2e.conftest import chromium

CLIENTS = Path(__file__).parent / "clients"
#: Apart by what a request takes: clients send their clock, and it is believed.
NEAR = timedelta(seconds=5)


@pytest.fixture
def base() -> datetime:
    """When the first call was made: the last one is in the past, too."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)


def check(
    server: Server, source: str, base: datetime, *, in_page: bool = False
) -> None:
    wanted = list(expected(base, in_page=in_page))
    wait_for(lambda: len(server.events(source)) >= COUNT, "the events", 60)
    found = server.events(source)
    assert server.rejects(source) == []
    assert Counter(e["event"] for e in found) == Counter(e.event for e in wanted)
    arrived = {_mark(json.loads(e["properties"])): e for e in found}
    assert len(arrived) == len(found) == COUNT
    for want in wanted:
        got = arrived[_mark(want.said)]
        assert got["event"] == want.event
        assert got["user_id"] == want.user_id
        assert got["account_id"] == want.account_id
        assert abs(got["timestamp"] - want.at) < NEAR
        said = json.loads(got["properties"])
        assert {name: said.get(name) for name in want.said} == want.said


def _mark(properties: dict[str, object]) -> object:
    return properties.get("i", properties.get("previousId"))


def run(*command: str | Path) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("gzip", ["0", "1"], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("package", "module"),
    [
        ("segment-analytics-python==2.3.6", "segment.analytics"),
        ("segment-analytics-python==2.4.0", "segment.analytics"),
        ("rudder-sdk-python==2.1.9", "rudderstack.analytics"),
    ],
)
def test_python(
    server: Server,
    environments: Path,
    base: datetime,
    package: str,
    module: str,
    gzip: str,
) -> None:
    python = env.python_with(environments, package)
    key, source = server.new_key(f"{package} {gzip}")
    run(
        python,
        CLIENTS / "python_sdk.py",
        module,
        server.url,
        key,
        gzip,
        base.isoformat(),
    )
    check(server, source, base)


def test_node(server: Server, environments: Path, base: datetime) -> None:
    home = env.node_with(environments, "@segment/analytics-node@3.1.0")
    script = home / "client.mjs"
    script.write_text((CLIENTS / "node.mjs").read_text())
    key, source = server.new_key("node")
    run(env.TOOLS / "node", script, server.url, key, base.isoformat())
    check(server, source, base)


@pytest.mark.skipif(not chromium(), reason="no Chromium on this machine")
def test_browser(
    playwright: Playwright,
    server: Server,
    environments: Path,
    base: datetime,
    tmp_path: Path,
) -> None:
    home = env.node_with(environments, "@segment/analytics-next@1.84.3")
    (home / "client.mjs").write_text((CLIENTS / "browser.mjs").read_text())
    bundle = tmp_path / "client.js"
    run(env.ESBUILD, home / "client.mjs", "--bundle", f"--outfile={bundle}")
    key, source = server.new_key("browser")
    target = json.dumps({"host": server.url, "key": key, "base": base.isoformat()})
    (tmp_path / "index.html").write_text(
        f"<!doctype html><script>window.target = {target}</script>"
        '<script src="client.js"></script>'
    )
    with served(tmp_path) as address:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.goto(address)
        page.wait_for_function("document.title !== ''", timeout=90_000)
        assert page.title() == "sent"
        wait_for(lambda: len(server.events(source)) >= COUNT, "the events", 60)
        browser.close()
    check(server, source, base, in_page=True)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A folder on a port of its own: another origin than the product's."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{site.server_port}/"
        site.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass
