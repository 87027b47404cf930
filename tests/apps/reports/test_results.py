"""Kept answers: the same as computed ones, and never out of date."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import ibis.expr.types as ir
import pytest
from pytest_django import Settings

from perennial.apps.reports import actions, explained, values
from perennial.apps.reports.boards import KEY
from perennial.apps.reports.results import SHARED, Answers, Missing, Question, answer
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.config.folder import DataFolder
from perennial.core.windows import DAY, Period
from perennial.lake.workspace import Workspace as LakeWorkspace
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import ask
from perennial.metrics.registry import all_metrics, get
from perennial.ui.formats import Regional
from tests.apps.team.cast import Cast
from tests.builders import Case

START, END = date(2026, 5, 4), date(2026, 6, 1)


#: Counts, medians, money, rows of their own, a stock, and a cohort.
KINDS = ("dau", "time_to_adopt", "mrr", "usage_frequency", "nps", "health_score")


@pytest.mark.parametrize("key", KINDS)
def test_a_kept_answer_equals_a_computed_one(key: str, workspace: Workspace) -> None:
    first = answer(workspace, key, start=START, end=END)
    again = Answers(workspace, wait=False).rows(Question(key, START, END))
    plain = lake_of(workspace).metric(key, start=START, end=END).to_dicts()
    assert again == first
    assert [row.value for row in again] == [row["value"] for row in plain]
    assert [row.status for row in again] == [row["status"] for row in plain]


@pytest.mark.parametrize("key", KINDS)
def test_spans_asked_together_are_those_asked_alone(
    key: str, workspace: Workspace
) -> None:
    spans = [Period(START, END), Period(START - DAY * 28, START)]
    spans.append(Period(START, START + DAY * 14))  # begins as the first one does
    together = Answers(workspace).spans(Question(key, START, END), spans)
    again = Answers(workspace, wait=False).spans(Question(key, START, END), spans)
    assert again == together
    lake = lake_of(workspace)
    for span, rows in zip(spans, together, strict=True):
        alone = lake.metric(key, start=span.start, end=span.end).to_dicts()
        wanted = {row.get("class"): row["value"] for row in alone}
        found = {row.groups.get("class"): row.value for row in rows}
        assert {k: v for k, v in found.items() if v is not None} == {
            k: v for k, v in wanted.items() if v is not None
        }


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


def test_a_feature_that_came_within_the_period_is_told(
    settings: Settings, tmp_path: Path, cast: Cast
) -> None:
    settings.DATA = DataFolder(tmp_path)
    zone = {"timezone": "Asia/Tokyo", "currency": "EUR"}
    case = Case(tmp_path / "lake" / cast.workspace.key, **zone)
    released = {
        "old": None,
        "first day": "2026-04-30T15:00",  # of May, in Tokyo
        "second": "2026-05-01T15:00",
        "last": "2026-05-31T14:59",
        "after": "2026-05-31T15:00",
    }
    rows = [{"feature_id": k, "released_at": at} for k, at in released.items()]
    case.facts("features", *rows)
    answers, may = Answers(cast.workspace), Period(date(2026, 5, 1), date(2026, 6, 1))
    found = explained.released(answers, get("feature_adoption"), may)
    assert found == ["last", "second"]
    assert explained.released(answers, get("mrr"), may) == []


def _item(account: str) -> dict[str, object]:
    starts = "2026-01-01T00:00"
    item: dict[str, object] = {"subscription_id": account, "account_id": account}
    return item | {"mrr": 9, "valid_from": starts}


@pytest.mark.parametrize("key", all_metrics())
def test_a_metric_reads_only_what_its_key_names(key: str, workspace: Workspace) -> None:
    lake, metric = lake_of(workspace), all_metrics()[key]
    read: set[str] = set()

    def table(name: str) -> ir.Table:
        read.add(name)
        return lake.engine.table(name)

    for variant in metric.variants or (None,):
        query = ask(
            metric,
            now=lake.now,
            settings=lake.settings,
            start=START,
            end=END,
            variant=variant,
            where="segment = 'x'" if metric.is_of_accounts else None,
        )
        metric.compute(Inputs(table, query, ["segment"]), query)
    assert read <= {*SHARED, *metric.reads, *metric.also_reads}


def test_warm_fills_the_board_and_the_pages(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = [text.partition(":")[0] for text in KEY if ":" in text]
    tables_of = ("mrr_movements", "feedback_topics")
    keys = (*KINDS, *ways, *tables_of, "usage_dip", "feature_adoption", "sessions")
    some = {key: all_metrics()[key] for key in keys}
    monkeypatch.setattr(LakeWorkspace, "catalog", property(lambda _: some))
    said: list[str] = []
    count = actions.warm(workspace, report=lambda share, what: said.append(what))
    assert count == len(said) >= len(some) - len(tables_of)
    from perennial.apps.reports import behind, board, detail, explore, tables
    from perennial.apps.reports.asked import Asked
    from perennial.apps.reports.boards import is_a_number

    answers = Answers(workspace, wait=False)
    for metric in (m for m in some.values() if is_a_number(m)):
        board.numbers(answers, metric, Asked())
        if metric.key in KEY:
            board.numbers(answers, metric, Asked(segment="Small"))
        detail.series(answers, metric, Asked())
        behind.summed(answers, metric, Asked())
    for key in tables_of:
        tables.rows_of(answers, some[key], Asked())
    for _title, page, _columns in explore.PAGES.values():
        page(answers, Asked(), Regional())


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
