"""Kept answers: the same as computed ones, and never out of date."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from pytest_django import Settings

from perennial.apps.reports import actions, catalog, values
from perennial.apps.reports.results import SHARED, Answers, Missing, Question, answer
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.config.folder import DataFolder
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import all_metrics
from tests.apps.team.cast import Cast
from tests.builders import Case

START, END = date(2026, 5, 4), date(2026, 6, 1)


@pytest.mark.parametrize("key", all_metrics())
def test_a_kept_answer_equals_a_computed_one(key: str, workspace: Workspace) -> None:
    first = answer(workspace, key, start=START, end=END)
    again = Answers(workspace, wait=False).rows(Question(key, START, END))
    plain = lake_of(workspace).metric(key, start=START, end=END).to_dicts()
    assert again == first
    assert [row.value for row in again] == [row["value"] for row in plain]
    assert [row.status for row in again] == [row["status"] for row in plain]


def test_what_is_not_kept_is_missing(workspace: Workspace) -> None:
    with pytest.raises(Missing):
        Answers(workspace, wait=False).rows(Question("mrr", START, END))


def test_questions_are_kept_apart(workspace: Workspace) -> None:
    every = answer(workspace, "customers", start=START, end=END)
    small = answer(
        workspace, "customers", start=START, end=END, where="segment = 'Small'"
    )
    assert every != small


def test_new_data_have_new_answers(
    settings: Settings, tmp_path: Path, cast: Cast
) -> None:
    settings.DATA = DataFolder(tmp_path)
    case = Case(tmp_path / "lake" / cast.workspace.key, timezone="UTC", currency="EUR")
    case.facts("accounts", {"account_id": "a"}, {"account_id": "b"})
    case.facts("subscription_items", _item("a"))
    case.roll_up()
    asked = {"start": START, "end": END}
    before = answer(cast.workspace, "customers", **asked)
    case.facts("subscription_items", _item("b"))
    case.roll_up()
    after = answer(cast.workspace, "customers", **asked)
    assert [before[0].value, after[0].value] == [1, 2]
    case.facts("accounts", {"account_id": "b", "is_test": True})
    again = answer(cast.workspace, "customers", **asked)
    assert again[0].value == 1


def _item(account: str) -> dict[str, object]:
    starts = "2026-01-01T00:00"
    item: dict[str, object] = {"subscription_id": account, "account_id": account}
    return item | {"mrr": 9, "valid_from": starts}


@pytest.mark.parametrize("key", all_metrics())
def test_a_metric_reads_only_what_its_key_names(
    key: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = lake_of(workspace)
    read: set[str] = set()

    def inputs(self: Lake, query: Query) -> Inputs:
        def table(name: str) -> object:
            read.add(name)
            return self.engine.table(name)

        return Inputs(table, query, ["segment"])  # type: ignore[arg-type]

    monkeypatch.setattr(Lake, "inputs", inputs)
    for variant in all_metrics()[key].variants or (None,):
        lake.metric(key, start=START, end=END, variant=variant, where="segment = 'x'")
    assert read <= {*SHARED, *all_metrics()[key].reads}


def test_warm_fills_the_board_and_the_pages(workspace: Workspace) -> None:
    said: list[str] = []
    count = actions.warm(workspace, report=lambda share, what: said.append(what))
    assert count >= len(all_metrics())
    assert len(said) == len(all_metrics())
    from perennial.apps.reports import board, breakdown, detail
    from perennial.apps.reports.asked import Asked

    answers = Answers(workspace, wait=False)
    for metric in all_metrics().values():
        board.numbers(answers, metric, Asked())
        board.numbers(answers, metric, Asked(segment="Small"))
        detail.series(answers, metric, Asked())
        breakdown.behind_rows(answers, metric, Asked())


def test_every_text_of_the_registry_is_in_the_catalog() -> None:
    wanted: set[str] = set()
    for m in all_metrics().values():
        wanted |= {m.title, m.description, m.formula, *m.variants.values()}
        wanted |= {m.caveats} - {""}
    assert wanted == set(catalog.TEXTS)


def test_changes_inside_the_noise_mean_nothing() -> None:
    mrr, stickiness = all_metrics()["mrr"], all_metrics()["stickiness"]
    assert values.change(None, 1.0, mrr) is None
    assert values.change(1.0, 0.0, mrr) is None
    up = values.change(102.0, 100.0, mrr)
    assert up is not None
    assert up.kind == "percent"
    assert up.is_good is True
    small = values.change(100.5, 100.0, mrr)
    assert small is not None
    assert small.is_good is None
    points = values.change(0.40, 0.43, stickiness)
    assert points is not None
    assert points.kind == "pp"
    assert points.is_good is False
