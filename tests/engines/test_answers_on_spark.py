"""Rows, conditions, patterns and health on two engines, compared exactly."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from perennial.core.windows import Period
from perennial.lake import (
    healthbook,
    matching,
    merged,
    snapshots,
)
from perennial.lake.engines import SparkEngine
from perennial.lake.workspace import Workspace
from perennial.metrics import conditions
from perennial.metrics.query import ask
from perennial.metrics.registry import get
from perennial.scoring import patterns
from perennial.scoring.scorecard_reading import read
from tests.builders import Case
from tests.engines.same import NOW, SPAN, assert_same


def test_rows_of_an_account(duck: Workspace, spark: Workspace) -> None:
    some = duck.engine.run(duck.table("user_days")).row(0, named=True)
    wanted, since = ("user_id", "date", "events"), date(2026, 4, 1)
    for asked in (("accounts",), ("user_days", wanted), ("user_days", wanted, since)):
        name, *rest = asked
        one, other = (
            engine.rows(name, some["account_id"], *rest).sort(pl.all())
            for engine in (duck.engine, spark.engine)
        )
        assert_same(one, other)
    assert since <= min(one["date"]) < max(one["date"])


def test_days_conditions_and_features(duck: Workspace, spark: Workspace) -> None:
    for key, asked in (
        ("mau", {"start": "2026-03-20", "end": "2026-04-10", "grain": "day"}),
        (
            "dau",
            {**SPAN, "where": "segment = 'Enterprise' and country in ('DE', 'SE')"},
        ),
        ("dau", {**SPAN, "where": "mrr >= 10 and health_color != 'red'"}),
        ("feature_adoption", {**SPAN, "by": ["feature"]}),
        ("mrr", {"as_of": "2026-06-01", "by": ["health_color"]}),
        ("mrr", {"as_of": "2026-06-01", "by": ["account"]}),
    ):
        assert_same(duck.metric(key, **asked).rows, spark.metric(key, **asked).rows)


@pytest.mark.parametrize(
    "table", [patterns.minutes_of_users, patterns.feature_users, patterns.paths]
)
def test_patterns(duck: Workspace, spark: Workspace, table: Any) -> None:
    query = ask(get("dau"), now=NOW, settings=duck.settings, as_of=date(2026, 6, 1))
    query = replace(query, periods=(Period(date(2026, 5, 4), date(2026, 6, 1)),))
    one, other = (w.engine.run(table(w.inputs(query), query)) for w in (duck, spark))
    assert_same(one.sort(one.columns), other.select(one.columns).sort(one.columns))


@pytest.mark.parametrize("users", [False, True])
def test_health(duck: Workspace, spark: Workspace, users: bool) -> None:
    days = [date(2026, 6, 1), date(2026, 4, 1)]
    order = ["date", "account_id", *(["user_id"] if users else [])]
    one, other = (
        snapshots.compute(w, days, users=users).sort(order) for w in (duck, spark)
    )
    assert_same(one, other.select(one.columns))


def test_health_by_a_scorecard(duck: Workspace, spark: Workspace) -> None:
    """Metrics beside the usual parts, ranks within segments, profiles by condition."""
    ranked = {"percentile": {"within": "segment"}}
    card = read(
        {
            "name": "Any",
            "components": [
                {"name": "depth", "weight": 40, "measure": "depth"},
                {"name": "mau", "weight": 30, "metric": "mau", "scale": ranked},
                {"name": "nps", "weight": 30, "metric": "nps",
                 "scale": {"linear": {"from": -100, "to": 100}}},
            ],
            "profiles": [
                {"name": "Young", "when": "age_days < 200 and mrr > 0",
                 "components": {"depth": {"targets": {"coverage": 0.5}}}},
                {"name": "Large", "when": "segment = 'Enterprise'", "cuts": [50, 70, 90]},
                {"name": "Others"},
            ],
        }
    )  # fmt: skip
    days = [date(2026, 6, 1), date(2026, 4, 1)]
    one, other = (
        snapshots.compute(w, days, card=card).sort("date", "account_id")
        for w in (duck, spark)
    )
    assert_same(one, other.select(one.columns))
    assert one["profile"].n_unique() > 1
    states = (
        healthbook.states(w, [date(2026, 6, 1)], "segment = 'Enterprise'")
        for w in (duck, spark)
    )
    assert_same(*states)


#: A row of each kind, with each sort of operator.
ROWS = [
    ("health_color", "is_not", ["red"]),
    ("health_score", "less_than", 60),
    ("health_change", "fell_by", 0.1),
    ("active_users_change", "rose_by", 0.1),
    ("license_use", "at_least", 0.3),
    ("mrr", "more_than", 10),
    ("renewal", "within", 200),
    ("renewal", "unknown", None),
    ("last_seen", "not_within", 20),
    ("created", "before", "2026-01-01"),
    ("customer_since", "from", "2025-06-01"),
    ("name", "contains", "A"),
    ("owner", "known", None),
    ("tags", "is_not", ["vip"]),
    ("active_days", "at_least", 10),
    ("attribute:country", "is", ["DE", "SE"]),
    ("attribute:segment", "at_least", 3),
    ("metric:feature_uses", "at_least", 5),
    ("event:Report Viewed", "at_least", 2),
]


@pytest.mark.parametrize("as_of", [None, date(2026, 5, 1)], ids=["now", "past"])
def test_conditions(duck: Workspace, spark: Workspace, as_of: date | None) -> None:
    """Each row alone, and all of them joined: the same accounts on both."""
    told = [
        {"field": key, "op": op, **({} if value is None else {"value": value})}
        for key, op, value in ROWS
    ]
    every = [conditions.read(row) for row in told]
    whole = conditions.Group("any", (conditions.Not(every[0]), *every[1:]))
    answers = [
        matching.matching(duck, condition, as_of) for condition in (*every, whole)
    ]
    assert sum(map(bool, answers)) > len(answers) / 2
    some = every if as_of is None else every[::4]
    for condition in (*some, whole):
        assert matching.matching(spark, condition, as_of) == matching.matching(
            duck, condition, as_of
        ), condition


def test_merged_accounts_are_one_on_both(spark: Workspace, tmp_path: Path) -> None:
    """`b`, with a quote, counts as `a`; whoever stood below it stands below `a`."""
    case, gone = Case(tmp_path / "merged", now="2026-06-10T05:00"), "b's"
    case.facts("accounts", *({"account_id": i} for i in ("a", gone)))
    case.facts("accounts", {"account_id": "c", "parent_account_id": gone})
    case.facts("tickets", {"ticket_id": "t", "account_id": gone, "opened_at": "2026-05-02T08:00"})  # fmt: skip
    merged.merge(case.workspace, gone, "a", by="x")
    assert isinstance(spark.engine, SparkEngine)
    engine = SparkEngine(case.lake, spark.engine._session)
    for name in ("accounts", "tickets", "memberships"):
        told = [e.run(e.table(name)).sort("account_id") for e in (engine, case.workspace.engine)]  # fmt: skip
        assert_frame_equal(*told)
    both = engine.run(engine.table("accounts")).sort("account_id")
    assert both.select("account_id", "parent_account_id").rows() == [("a", None), ("c", "a")]  # fmt: skip
    assert engine.run(engine.table("tickets"))["account_id"].to_list() == ["a"]
