"""Answers that are kept until a table they read changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from perennial.apps.customers import kept as module
from perennial.apps.customers.kept import kept
from perennial.lake.workspace import Workspace
from tests.builders import Case


class Reader:
    """Doubles a number, and remembers that it was asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def read(self, _lake: Workspace, number: int) -> int | None:
        self.asked.append(number)
        return number * 2 or None


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path, now="2026-06-10T05:00")


def twice(reader: Reader, *, shared: bool) -> list[module.Read[[int], int | None]]:
    """The same read in two processes: nothing of one is in the other's memory."""

    def read(lake: Workspace, number: int) -> int | None:
        return reader.read(lake, number)

    return [kept("accounts", shared=shared)(read) for _ in range(2)]


def test_a_shared_answer_is_found_by_another_process(case: Case) -> None:
    reader = Reader()
    one, other = twice(reader, shared=True)
    assert [one(case.workspace, 2), other(case.workspace, 2)] == [4, 4]
    assert [one(case.workspace, 0), other(case.workspace, 0)] == [None, None]
    assert reader.asked == [2, 0]


def test_what_is_not_shared_is_read_by_each(case: Case) -> None:
    reader = Reader()
    one, other = twice(reader, shared=False)
    assert [one(case.workspace, 2), one(case.workspace, 2)] == [4, 4]
    assert other(case.workspace, 2) == 4
    assert reader.asked == [2, 2]


def test_new_facts_settings_and_programs_are_read_anew(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader()
    one, other = twice(reader, shared=True)
    one(case.workspace, 2)
    case.facts("accounts", {"account_id": "a"})
    assert [one(case.workspace, 2), other(case.workspace, 2)] == [4, 4]
    assert reader.asked == [2, 2]
    monkeypatch.setattr(module, "_program", lambda: "the next one")
    for read in twice(reader, shared=True):
        read(case.workspace, 2)
    assert reader.asked == [2, 2, 2]
