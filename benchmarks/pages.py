"""How long pages take that nobody visited since the server started, and then again.

`python -m benchmarks.pages [FOLDER]` serves the example company of a data folder (or
one made for it), visits every page once and once more, and prints milliseconds: on
the clock, and of the processor, which other work on the machine hardly moves.
"""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from perennial.config.start import setup
from perennial.demo.load import VISITOR
from perennial.metrics.registry import all_metrics

PAGES = (
    *("/", "/why-these-accounts/", "/accounts/", "/accounts/?q=a&page=2"),
    *("/health/", "/health/movers/", "/health/whom-to-call/", "/health/scorecards/"),
    *("/metrics/", "/metrics/findings/", "/metrics/definitions/"),
    *(
        f"/metrics/explore/{name}/"
        for name in ("features", "paths", "bridge", "funnel")
    ),
    *("/insights/power-feature/", "/insights/renewal-model/", "/insights/forecast/"),
    *("/insights/usage-patterns/", "/insights/product-health/"),
    *("/insights/lifetime-value/", "/insights/versions/"),
    *("/data/", "/data/sources/", "/data/live/", "/data/rejects/", "/data/events/"),
    *("/settings/people/", "/settings/jobs/", "/settings/audit/", "/profile/"),
)
#: Of one account, whose address comes before.
OF_ACCOUNT = ("", "usage/", "money/", "people/", "health/")
SHOWN = 15
START_S = 60.0


class Visit(NamedTuple):
    """Milliseconds of a page, first and again: on the clock, and of the processor."""

    path: str
    status: int
    first: float
    again: float
    first_cpu: float
    again_cpu: float


def main() -> None:
    if len(sys.argv) > 1:
        report(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory(prefix="perennial-bench-") as made:
        subprocess.run([*_perennial(Path(made)), "demo", "--no-serve"], check=True)
        report(Path(made))


def warm(folder: Path) -> None:
    """What the worker does at night."""
    setup(folder, migrate=True)
    from perennial.apps.jobs.registry import job
    from perennial.apps.team.models import Workspace

    for name in ("warm_home", "warm_metrics", "answer_insights"):
        for workspace in Workspace.objects.all():
            job(name).function()(workspace.key, lambda *_: None)


def report(folder: Path) -> None:
    warm(folder)
    with served(folder) as site:
        account = site.account()
        paths = [*PAGES, *(f"{account}{tab}" for tab in OF_ACCOUNT)]
        paths += [f"/metrics/{key}/" for key in all_metrics()]
        first = [site.visit(path) for path in paths]
        again = [site.visit(path) for path in paths]
    visits = [
        Visit(path, a[0], a[1], b[1], a[2], b[2])
        for path, a, b in zip(paths, first, again, strict=True)
    ]
    print(f"{len(visits)} pages, load {os.getloadavg()[0]:.1f}\n")
    print("| page | status | first ms | again ms | first CPU ms | again CPU ms |")
    print("| --- | --- | --- | --- | --- | --- |")
    for visit in sorted(visits, key=lambda v: -v.first_cpu)[:SHOWN]:
        numbers = " | ".join(f"{n:.0f}" for n in visit[2:])
        print(f"| {visit.path} | {visit.status} | {numbers} |")
    slow = [v for v in visits if v.first > 200]
    slow_cpu = [v for v in visits if v.first_cpu > 200]
    print(f"\nfirst visits over 200 ms: {len(slow)}; of the processor: {len(slow_cpu)}")


class Site:
    """A served installation, and one who is signed in there."""

    def __init__(self, port: int, process: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._process = process
        self._cookie = ""

    def sign_in(self) -> None:
        status, _took, _cpu = self.visit("/demo/sign-in")
        assert status == 302, "not an example company"

    def account(self) -> str:
        """The address of an account's page."""
        self._http.request("GET", "/accounts.csv", headers={"Cookie": self._cookie})
        rows = self._http.getresponse().read().decode().splitlines()
        ids = re.findall(r"\bacc[\w-]*", rows[1]) or [rows[1].split(",")[0]]
        return f"/accounts/{ids[0]}/"

    def visit(self, path: str) -> tuple[int, float, float]:
        """The status, and the milliseconds it took."""
        cpu, began = cpu_ms(self._process), time.perf_counter()
        self._http.request("GET", path, headers={"Cookie": self._cookie})
        answer = self._http.getresponse()
        answer.read()
        took = (time.perf_counter() - began) * 1000
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie" and value.startswith("sessionid"):
                self._cookie = value.split(";")[0]
        return answer.status, took, cpu_ms(self._process) - cpu


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    demo = {"PERENNIAL_DEMO": "1", "PERENNIAL_DEMO_EMAIL": VISITOR[0]}
    command = [*_perennial(folder), "serve", "--web-only", "--port", str(port)]
    process = subprocess.Popen(command, env={**os.environ, **demo})
    try:
        _wait(port)
        site = Site(port, process.pid)
        site.sign_in()
        yield site
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _perennial(folder: Path) -> list[str]:
    return [sys.executable, "-m", "perennial.cli.main", "--data", str(folder)]


def _wait(port: int) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit("the server did not answer")


def cpu_ms(process: int) -> float:
    """Processor time of a process and those below it so far; Linux."""
    stat = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    own = (int(stat[11]) + int(stat[12])) * 1000 / os.sysconf("SC_CLK_TCK")
    below = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return own + sum(cpu_ms(int(child)) for child in below)


if __name__ == "__main__":
    main()
