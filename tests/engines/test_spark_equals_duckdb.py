"""Every metric and the health score on two engines, compared exactly.

Both could be wrong together, so the numbers themselves are held against fixed
values by the worked examples; here it is only that the engines agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from perennial.core.windows import Period
from perennial.lake import (
    definitions,
    healthbook,
    matching,
    measures,
    merged,
    refresh,
    settings_store,
    snapshots,
)
from perennial.lake.engines import SparkEngine
from perennial.lake.store import Lake
from perennial.lake.workspace import Workspace
from perennial.metrics import conditions
from perennial.metrics.query import ask
from perennial.metrics.registry import all_metrics, get
from perennial.scoring import patterns
from perennial.scoring.scorecard_reading import read
from tests.builders import Case, clock, instant
from tests.metrics.dirt_voice import annotate
from tests.metrics.world import company, write

NOW = instant("2026-06-10T05:00")
SPAN: dict[str, Any] = {"start": "2026-03-01", "end": "2026-06-01", "grain": "month"}
#: What metrics must be told that ask for events by name.
NAMED = {
    "funnel": {"steps": "Logged In,Comment Added,Report Scheduled"},
    "conversion_rate": {"base_event": "Logged In", "goal_event": "Report Scheduled"},
}
#: Metrics of one's own: of facts, and of events' properties.
OWN = (("own_replies", "tickets", "agent_replies"), ("own_items", "events", "items"))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A small company in Berlin, over a change of clocks."""
    lake = Lake(tmp_path_factory.mktemp("lake"))
    settings = {"timezone": "Europe/Berlin", "currency": "EUR"}
    settings_store.change(lake, settings, by="test", at=NOW)
    tables = company()
    annotate(tables)
    write(lake, tables)
    for key, table, column in OWN:
        own = {"key": key, "title": key, "table": table, "column": column}
        own |= {"measure": "percentile", "percentile": 75}
        definitions.define(lake, own, by="test", at=NOW)
    workspace = Workspace(lake, clock=clock(NOW))
    refresh.roll_up(workspace, refresh.Refreshed())
    snapshots.take(workspace, date(2026, 6, 1))
    measures.build(workspace, date(2026, 6, 1), progress={})
    return lake


@pytest.fixture(scope="module")
def duck(lake: Lake) -> Workspace:
    return Workspace(lake, clock=clock(NOW))


@pytest.fixture(scope="module")
def spark(lake: Lake) -> Iterator[Workspace]:
    server_module = pytest.importorskip(
        "pysail.spark", reason="pysail is not installed"
    )
    from pyspark.sql import SparkSession

    server = server_module.SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    _, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    yield Workspace(lake, engine=SparkEngine(lake, session), clock=clock(NOW))
    session.stop()
    server.stop()


def assert_same(one: pl.DataFrame, other: pl.DataFrame) -> None:
    assert one.height > 0
    assert_frame_equal(one, other, check_exact=True)


@pytest.mark.parametrize("key", list(all_metrics()))
def test_every_metric_by_segment(duck: Workspace, spark: Workspace, key: str) -> None:
    split = ["segment"] if get(key).is_of_accounts else []
    asked = {**SPAN, "by": split, "params": NAMED.get(key, {})}
    assert_same(duck.metric(key, **asked).rows, spark.metric(key, **asked).rows)


@pytest.mark.parametrize(
    ("key", "variant"),
    [(m.key, v) for m in all_metrics().values() for v in list(m.variants)[1:]],
)
def test_every_variant(
    duck: Workspace, spark: Workspace, key: str, variant: str
) -> None:
    asked = {**SPAN, "variant": variant, "params": NAMED.get(key, {})}
    assert_same(duck.metric(key, **asked).rows, spark.metric(key, **asked).rows)


@pytest.mark.parametrize("key", [key for key, *_ in OWN])
def test_metrics_of_ones_own(duck: Workspace, spark: Workspace, key: str) -> None:
    asked = {**SPAN, "by": ["segment"]}
    assert_same(duck.metric(key, **asked).rows, spark.metric(key, **asked).rows)


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
    ("key", "asked"),
    [
        ("funnel", {"by": ["step", "segment"], "variant": "step"}),
        ("onboarding_funnel", {"by": ["step", "account"], "variant": "drop"}),
        ("lead_funnel", {"by": ["stage", "source"]}),
        ("free_to_paid", {"by": ["kind", "last_step"]}),
        ("user_retention", {"params": {"days": "0,1,7"}, "by": ["segment"]}),
        ("user_retention", {"params": {"days": "1-7"}, "variant": "bracket"}),
        ("user_retention", {"params": {"start_event": "Report Scheduled"}}),
        ("time_to_adopt", {"by": ["feature", "account"], "variant": "adopters"}),
        ("time_to_value", {"params": {"event": "Report Scheduled"}}),
        ("product_usage_rate", {"by": ["area"], "variant": "seconds"}),
        ("key_feature_coverage", {"by": ["feature"]}),
        ("health_score", {"by": ["account"]}),
    ],
)
def test_what_is_asked_with_names_and_steps(
    duck: Workspace, spark: Workspace, key: str, asked: dict[str, Any]
) -> None:
    asked = {**SPAN, "params": NAMED.get(key, {}), **asked}
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
