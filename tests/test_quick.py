"""Which tests a quick run takes."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace as Fake
from typing import Any

import pytest

from tests import quick

CHEAP = [f"tests/a.py::test_cheap[{n}]" for n in range(40)]
COSTLY = [f"tests/b.py::test_costly[{n}]" for n in range(240)]


@pytest.fixture(autouse=True)
def _noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "costly", lambda: frozenset({"tests/b.py::test_costly"}))


def taken(commit: str | None) -> Sequence[str]:
    left_out: list[Any] = []
    config: Any = Fake(
        option=Fake(quick=commit),
        hook=Fake(pytest_deselected=lambda items: left_out.extend(items)),
    )
    items: list[Any] = [Fake(nodeid=nodeid) for nodeid in (*CHEAP, *COSTLY)]
    quick.pytest_collection_modifyitems(config, items)
    assert len(items) + len(left_out) == len(CHEAP) + len(COSTLY)
    return [item.nodeid for item in items]


def test_without_a_commit_all_are_taken() -> None:
    assert taken(None) == [*CHEAP, *COSTLY]


def test_cheap_ones_always_and_of_the_others_a_part() -> None:
    found = taken("abc")
    assert found[: len(CHEAP)] == CHEAP
    assert len(COSTLY) / 24 < len(found) - len(CHEAP) < len(COSTLY) / 6
    assert taken("abc") == found


def test_commits_take_turns() -> None:
    commits = [f"commit-{n}" for n in range(100)]
    assert {nodeid for c in commits for nodeid in taken(c)} == {*CHEAP, *COSTLY}


def test_what_is_set_up_for_a_file_is_shared(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick, "COSTLY", tmp_path / "costly.txt")
    notes = quick.Notes()
    # Less than what is long for each of nine and ten tests: one takes long by itself.
    for name in ("x", "y"):
        for n in range(9 if name == "x" else 10):
            took = {"setup": 8.1 * (n == 0), "call": 1.0 * (n == 3)}
            for when, times in took.items():
                report: Any = Fake(
                    nodeid=f"tests/{name}.py::test_{n}",
                    when=when,
                    duration=times * quick.SECONDS,
                )
                notes.pytest_runtest_logreport(report)
    notes.pytest_sessionfinish()
    assert quick.COSTLY.read_text().split() == [
        "tests/b.py::test_costly",
        "tests/x.py::test_3",
        "tests/y.py::test_3",
    ]
