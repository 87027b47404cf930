"""Every metric in workspaces far from UTC, over the days on which calendars trip.

One company is lived several times over: the same walls' clocks, each time in
another zone. A day is a day wherever it is, so the numbers must be the same, while
every instant of the facts is another one. The facts lie close around midnight: an
instant read in the wrong zone, or an hour off, falls on another day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from perennial.core.windows import Period
from perennial.demo.generate import generate
from perennial.lake import settings_store
from perennial.lake.store import Lake
from perennial.lake.workspace import Workspace
from perennial.metrics.registry import all_metrics, get
from tests.builders import clock
from tests.metrics.dirt_voice import annotate
from tests.metrics.world import Tables, append, write

#: Lived through: a leap day, both changes of clocks, the last day of each length of
#: month, a year of 53 ISO weeks and its end.
FIRST, LAST = date(2020, 1, 1), date(2021, 1, 20)
DAYS = [
    *(date(2020, 2, 29), date(2020, 4, 4), date(2020, 4, 5), date(2020, 4, 30)),
    *(date(2020, 9, 5), date(2020, 9, 6), date(2020, 12, 31)),
]
SPANS = tuple(
    sorted(
        [
            *(Period(day, day + timedelta(days=1)) for day in DAYS),
            Period(date(2020, 2, 1), date(2020, 3, 1)),
            Period(date(2020, 3, 1), date(2020, 5, 1)),
            Period(date(2020, 9, 1), date(2020, 10, 1)),
            Period(date(2020, 12, 28), date(2021, 1, 4)),
            Period(date(2020, 1, 1), date(2021, 1, 1)),
        ]
    )
)
NOON = datetime(2021, 1, 20, 12, tzinfo=UTC)
ZONES = (
    "Pacific/Pago_Pago",  # UTC-11
    "Asia/Kathmandu",  # UTC+5:45
    "Pacific/Kiritimati",  # UTC+14
    "America/Santiago",  # changes its clocks at midnight, in April and September
)
NAMED = {
    "funnel": {"steps": "Logged In,Comment Added,Report Scheduled"},
    "conversion_rate": {"base_event": "Logged In", "goal_event": "Report Scheduled"},
}
#: What counts hours that passed, of which a change of clocks makes one more or less.
PASSED = frozenset(
    {"uptime", "first_response_time", "resolution_time", "email_response_time"}
)


#: What nothing can be said of with so few accounts; it still has a row a period.
UNSAID = frozenset({"usage_dip"})
#: A metric of each kind of fact with instants.
SOURCES = (
    *("dau", "sessions", "feature_uses", "license_utilization", "mrr", "nps"),
    *("survey_response_rate", "resolution_time", "email_volume", "attention_index"),
    *("error_rate", "uptime", "conversion_rate", "onboarding_funnel"),
)


def _visible(tables: Tables, name: str) -> pl.DataFrame:
    """Rows of a table that are of no test account, test user or own person."""
    rows = tables[name]
    tests = tables["accounts"].filter(pl.col("is_test"))
    rows = rows.join(tests, on="account_id", how="anti")
    if "user_id" not in rows.columns:
        return rows
    hidden = tables["users"].filter(pl.col("is_test") | pl.col("is_internal"))
    return rows.join(hidden, on="user_id", how="anti")


def _active(tables: Tables) -> pl.DataFrame:
    rows = _visible(tables, "events")
    silent = tables["event_definitions"].filter(~pl.col("counts_as_activity"))
    rows = rows.join(silent, left_on="event", right_on="name", how="anti")
    rows = rows.filter(~pl.col("event").str.starts_with("$"))
    return rows.filter(pl.col("user_id").is_not_null()).select("timestamp", "user_id")


def _written(tables: Tables) -> pl.DataFrame:
    rows = _visible(tables, "emails").filter(~pl.col("is_automatic"))
    return rows.select("sent_at", "message_id")


def _asked(tables: Tables) -> pl.DataFrame:
    rows = _visible(tables, "requests").with_row_index()
    return rows.filter(pl.col("endpoint") != "/healthz").select("at", "index")


#: An instant and what is counted once, whatever a metric does with it.
COUNTED = {"dau": _active, "email_volume": _written, "error_rate": _asked}


def told(zone: str, at: pl.Expr) -> pl.Expr:
    """The instants at which clocks on the walls of a zone show what UTC's do in `at`."""
    shown = at.dt.replace_time_zone(None)
    known = {"ambiguous": "latest", "non_existent": "null"}
    # Where midnight is jumped over, the day begins an hour of the clock later.
    later = (shown + pl.duration(hours=1)).dt.replace_time_zone(zone, **known)
    exact = shown.dt.replace_time_zone(zone, **known)
    return pl.coalesce(exact, later).dt.convert_time_zone("UTC")


def at_midnight(tables: Tables) -> Tables:
    """Instants of the last and first eight hours of days, moved to a microsecond
    before midnight and to midnight."""
    return {
        name: frame.with_columns(_snapped(at) for at in _instants(frame))
        for name, frame in tables.items()
    }


def _instants(frame: pl.DataFrame) -> list[str]:
    return [name for name, kind in frame.schema.items() if kind == pl.Datetime]


def _snapped(column: str) -> pl.Expr:
    at = pl.col(column)
    day = at.dt.truncate("1d")
    before = day.dt.offset_by("1d") - pl.duration(microseconds=1)
    return (
        pl.when(at.dt.hour() >= 16)
        .then(before)
        .when(at.dt.hour() < 8)
        .then(day)
        .otherwise(at)
        .alias(column)
    )


def lived(tables: Tables, zone: str) -> Tables:
    """The facts of clocks that show UTC, where clocks of `zone` show the same."""
    return {
        name: frame.with_columns(told(zone, pl.col(at)) for at in _instants(frame))
        for name, frame in tables.items()
    }


@dataclass(frozen=True, eq=False)
class Lived:
    """A workspace in a zone, the facts it holds, and what it answers, asked once."""

    workspace: Workspace
    tables: Tables

    @cache  # noqa: B019  # as long as the module's fixture
    def rows(self, key: str) -> pl.DataFrame:
        """All spans in one question; cohorts are of months."""
        metric, workspace = get(key), self.workspace
        if metric.fills:
            return workspace.metric_over(key, SPANS, params=NAMED.get(key, {})).rows
        asked: dict[str, Any] = {"start": FIRST, "end": date(2021, 1, 4)}
        return workspace.metric(key, **asked, grain="month").rows


def build(path: Path, tables: Tables, zone: str, *, clocks: str | None = None) -> Lived:
    """The company in a workspace of a zone; `clocks` tells its facts by another one."""
    clocks = clocks or zone
    lake = Lake(path)
    now = pl.select(told(clocks, pl.lit(NOON))).item()
    values: dict[str, Any] = {"timezone": zone, "currency": "EUR"}
    settings_store.change(lake, values, by="test", at=now)
    facts = lived(tables, clocks)
    write(lake, facts)
    workspace = Workspace(lake, clock=clock(now))
    workspace.roll_up()
    return Lived(workspace, facts)


@pytest.fixture(scope="module")
def company() -> Tables:
    made = generate(seed=3, end=LAST, accounts=20, months=16, requests=2000)
    tables = {name: pl.DataFrame(rows) for name, rows in made.items()}
    tables = {name: frame for name, frame in tables.items() if frame.height}
    tables["events"] = tables["events"].gather_every(8)
    tables["requests"] = tables["requests"].filter(
        pl.col("at").dt.month().is_in([2, 3, 4, 9, 12])
    )
    annotate(tables)
    scores = [(day, 50.0 + n) for n, day in enumerate((*DAYS, date(2020, 3, 1)))]
    append(
        tables,
        "health_snapshots",
        [
            {"account_id": account, "date": day, "score": score, "color": "orange"}
            for account in tables["accounts"]["account_id"].head(2)
            for day, score in scores
        ],
    )
    return at_midnight(tables)


@pytest.fixture(scope="module")
def worlds(
    company: Tables, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Lived]:
    root = tmp_path_factory.mktemp("worlds")
    return {zone: build(root / zone.replace("/", "-"), company, zone) for zone in ZONES}


@pytest.mark.parametrize("key", list(all_metrics()))
def test_every_metric_says_the_same_wherever_its_days_are(
    worlds: dict[str, Lived], key: str
) -> None:
    here, *others = (worlds[zone].rows(key) for zone in ZONES)
    assert here["value"].is_not_null().any() or key in UNSAID, here
    for there in others[:-1]:
        assert_frame_equal(here, there, check_exact=True)
    changing = others[-1]
    if key in PASSED:
        hours = ["value", "numerator", "denominator"]
        here, changing = here.drop(hours), changing.drop(hours)
    assert_frame_equal(here, changing, check_exact=True)


def test_hours_that_pass_are_those_of_a_day_with_a_change(
    worlds: dict[str, Lived],
) -> None:
    """A day of 25 hours and the month with one of 23: `uptime` counts seconds."""
    rows = worlds["America/Santiago"].rows("uptime")
    seconds = {
        (row["period_start"], row["period_end"]): row["denominator"]
        for row in rows.iter_rows(named=True)
    }
    assert seconds[date(2020, 4, 4), date(2020, 4, 5)] == 25 * 3600
    assert seconds[date(2020, 9, 6), date(2020, 9, 7)] == 23 * 3600
    assert seconds[date(2020, 2, 29), date(2020, 3, 1)] == 24 * 3600


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("key", list(COUNTED))
def test_what_is_counted_is_what_clocks_on_the_wall_say(
    worlds: dict[str, Lived], zone: str, key: str
) -> None:
    world = worlds[zone]
    days = [
        (at.astimezone(ZoneInfo(zone)).date(), thing)
        for at, thing in COUNTED[key](world.tables).iter_rows()
    ]
    for row in world.rows(key).iter_rows(named=True):
        start, end = row["period_start"], row["period_end"]
        if key == "dau" and end - start > timedelta(days=1):
            continue  # the mean of its days
        inside = {thing for day, thing in days if start <= day < end}
        assert row["n"] == len(inside), (start, end)


@pytest.mark.parametrize("key", SOURCES)
def test_the_wrong_zone_would_be_noticed(
    mistaken: Lived, worlds: Any, key: str
) -> None:
    """Read as UTC, the facts of Kiritimati give other numbers."""
    assert not mistaken.rows(key).equals(worlds["Pacific/Kiritimati"].rows(key))


@pytest.fixture(scope="module")
def mistaken(company: Tables, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    path = tmp_path_factory.mktemp("mistaken")
    return build(path, company, "UTC", clocks="Pacific/Kiritimati")
