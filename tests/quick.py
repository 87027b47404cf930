"""The quick run: every test that is cheap, and some of the costly, others each commit.

All tests take most of an hour of two cores. Less than half of them, those that walk
pages in a browser, ask every metric of both engines or make companies, take nine tenths
of it. A quick run takes one in `OF` of these; which ones follows from the commit, so
that a few commits try them all and the same commit always tries the same. What is
costly is written down by `make test-all`, in `costly.txt`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from statistics import fmean
from zlib import crc32

import pytest

COSTLY = Path(__file__).with_name("costly.txt")
#: Of the costly tests a quick run tries one in so many.
OF = 12
#: What a test takes that is called costly, with its part of what is set up, in seconds.
SECONDS = 0.6


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("quick")
    group.addoption("--quick", metavar="COMMIT", help="leave out most costly tests")
    group.addoption("--note-costly", action="store_true", help="write costly.txt anew")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.note_costly and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Notes())


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    commit = config.option.quick
    if not commit:
        return
    kept, left_out, noted = [], [], costly()
    for item in items:
        cheap = function(item.nodeid) not in noted
        (kept if cheap or has_its_turn(item.nodeid, commit) else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def costly() -> frozenset[str]:
    return frozenset(COSTLY.read_text().splitlines())


def has_its_turn(nodeid: str, commit: str) -> bool:
    return crc32(f"{commit} {nodeid}".encode()) % OF == 0


def function(nodeid: str) -> str:
    """The test without its parameters: new ones are as costly as the others."""
    return nodeid.partition("[")[0]


def file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


class Notes:
    """What each test took, from all workers. What is set up for the tests of a file is
    shared by them: the first would bear it alone, and it is saved only with the last."""

    def __init__(self) -> None:
        self.own: defaultdict[str, float] = defaultdict(float)
        self.set_up: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "setup":
            self.set_up[file(report.nodeid)] += report.duration
        else:
            self.own[report.nodeid] += report.duration

    def pytest_sessionfinish(self) -> None:
        tests = Counter(map(file, self.own))
        of_function = defaultdict(list)
        for nodeid, seconds in self.own.items():
            shared = self.set_up[file(nodeid)] / tests[file(nodeid)]
            of_function[function(nodeid)].append(seconds + shared)
        names = {k for k, v in of_function.items() if fmean(v) >= SECONDS}
        names |= {k for k in costly() if file(k) not in tests}
        COSTLY.write_text("".join(f"{name}\n" for name in sorted(names)))
