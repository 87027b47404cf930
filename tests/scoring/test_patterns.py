"""Outlier or norm, unused features, unusual days, ways through the product."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import ibis.expr.types as ir
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.core.settings import Settings
from perennial.metrics.query import ask
from perennial.metrics.registry import get
from perennial.scoring import patterns
from perennial.scoring.patterns import Path as Way
from perennial.scoring.patterns import UnusedFeature, anomaly, light_use, robust_z
from tests.builders import Case

TODAY = date(2026, 6, 1)
DAY = timedelta(days=1)


def named(values: Sequence[float]) -> dict[str, float]:
    return {f"u{n}": value for n, value in enumerate(values)}


class TestLightUse:
    def test_one_light_user(self) -> None:
        """OUT-1."""
        found = light_use(named([40, 45, 50, 55, 60, 2]), 15)
        assert found.light_share == pytest.approx(1 / 6)
        assert (found.verdict, found.median, found.n) == ("outlier", 47.5, 6)
        assert [o.value for o in found.outliers] == [2]
        assert found.z["u5"] == pytest.approx(-4.091966667)

    def test_light_use_is_the_norm(self) -> None:
        """OUT-2: and one heavy user."""
        found = light_use(named([2, 3, 5, 4, 60, 6]), 15)
        assert found.light_share == pytest.approx(5 / 6)
        assert found.verdict == "norm"
        assert [o.value for o in found.outliers] == [60]
        assert found.z["u0"] == pytest.approx(-1.124166667)

    def test_between_and_at_the_bounds(self) -> None:
        verdicts = {
            light: light_use(named([1] * light + [20] * (10 - light)), 15).verdict
            for light in range(11)
        }
        assert [verdicts[n] for n in (0, 2, 3, 4, 5, 10)] == [
            "outlier", "outlier", "mixed", "mixed", "norm", "norm",
        ]  # fmt: skip

    def test_four_say_nothing(self) -> None:
        found = light_use(named([1, 2, 3, 4]), 15)
        assert (found.verdict, found.light_share, found.z) == ("insufficient", None, {})
        assert light_use({}, 15).verdict == "insufficient"

    def test_without_a_median_deviation_the_mean_one(self) -> None:
        z = robust_z(named([10, 10, 10, 10, 20]))
        assert z["u4"] == pytest.approx(10 / (1.253314 * 2))
        assert robust_z(named([7, 7, 7, 7, 7])) == {}

    @given(st.lists(st.floats(0, 1e6), min_size=5, max_size=20), st.floats(0, 1e6))
    def test_shares_and_signs(self, values: list[float], floor: float) -> None:
        found = light_use(named(values), floor)
        assert found.light_share is not None
        assert 0 <= found.light_share <= 1
        assert found.median is not None
        for name, z in found.z.items():
            assert (z > 0) == (values[int(name[1:])] > found.median)


class TestUnusualDays:
    before = (100.0, 102.0, 98.0, 101.0, 99.0, 100.0, 103.0, 97.0)

    def test_beyond_three_robust_deviations(self) -> None:
        """Median 100, deviation 1.5: usual from 93.3286 to 106.6714."""
        for value, is_far in (
            (106.6, False),
            (106.7, True),
            (93.4, False),
            (93.3, True),
        ):
            found = anomaly("dau", TODAY, value, self.before, both=True)
            assert (found is not None) == is_far
        high = anomaly("dau", TODAY, 200, self.before, both=True)
        assert high is not None
        assert (high.is_high, high.expected) == (True, 100)
        assert high.high == pytest.approx(106.6717)

    def test_one_way_and_few_weeks(self) -> None:
        assert anomaly("short", TODAY, 0, self.before, both=False) is None
        assert anomaly("dau", TODAY, 1e9, self.before[:7], both=True) is None

    def test_of_a_series(self) -> None:
        days = [TODAY - DAY * 7 * week for week in range(9)]
        rows = pl.DataFrame(
            {
                "date": days,
                "events": [40, *[100] * 8],
                "dau": [10] * 9,
                "errors": [9, *[0] * 8],
                "sessions": [0, *[10] * 8],
                "short": [0, *[5] * 8],
            }
        )
        found = {one.name: one.value for one in patterns.anomalies(rows, TODAY)}
        assert found == {"events": 40, "errors": 9}
        assert patterns.is_outage(rows, TODAY)
        assert not patterns.is_outage(rows, days[1])
        assert not patterns.is_outage(rows, TODAY - DAY), "nothing known of the day"
        new = rows.with_columns(events=pl.Series([40, 100, *[0] * 7]))
        assert patterns.anomalies(new, TODAY) == [], "one week says nothing"
        assert patterns.is_outage(new, TODAY)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Two accounts of people with minutes, features old and new, ways to begin."""
    case = Case(tmp_path_factory.mktemp("case"), now="2026-06-01T06:00")
    old = {"released_at": "2026-01-01T00:00"}
    case.facts(
        "features",
        {"feature_id": "a", **old},
        {"feature_id": "b", **old},
        {"feature_id": "dusty", **old},
        {"feature_id": "young", "released_at": "2026-05-01T00:00"},
        {"feature_id": "closed", **old},
    )
    case.facts("entitlements", {"account_id": "nobody", "feature_id": "closed"})
    members = [("L", f"l{n}") for n in range(6)] + [("H", f"h{n}") for n in range(5)]
    case.facts("memberships", *({"account_id": a, "user_id": u} for a, u in members))
    minutes = {"l0": 29, "l1": 50, "h0": 90, "h1": 90, "h2": 90, "h3": 90, "h4": 2}
    day = "2026-05-20"
    events = []
    for account, user in members:
        for spent in [0, *range(0, minutes.get(user, -1), 29), minutes.get(user, -1)]:
            if user in minutes:
                at = f"{day}T{10 + spent // 60}:{spent % 60:02}"
                events.append((user, account, at, "a" if spent == 0 else "b"))
    # Twice the same at once, then others: a, b, a, b, a; over within a minute.
    for second, name in enumerate(("Log In", "a", "a", "b", "a", "b", "b", "a", "b")):
        events.append(("h0", "H", f"2026-05-25T10:00:{second:02}", name))
    case.events(*events)
    case.roll_up()
    return case


def rows(case: Case, table: Any, *, days: int = 28, by: Sequence[str] = ()) -> Any:
    workspace = case.workspace
    query = ask(
        get("dau"),
        now=workspace.now,
        settings=workspace.settings,
        start=TODAY - DAY * days,
        end=TODAY,
        by=tuple(by),
    )
    expression: ir.Table = table(workspace.inputs(query), query)
    return workspace.engine.run(expression)


class TestFromFacts:
    def test_light_accounts_and_segments(self, case: Case) -> None:
        """Light is under 30 minutes, a quarter of 120; who never came has none."""
        used = rows(case, patterns.minutes_of_users)
        found = {p.group: p for p in patterns.light_accounts(used, Settings())}
        assert found["L"].verdict == "norm"
        assert found["L"].light_share == 5 / 6
        assert (found["H"].verdict, found["H"].light_share) == ("outlier", 0.2)
        split = rows(case, patterns.minutes_of_users, by=["segment"])
        (whole,) = patterns.light_segments(split, Settings(), by="segment")
        assert (whole.n, whole.verdict) == (2, "insufficient")

    def test_unused_features(self, case: Case) -> None:
        """New ones have time; what is closed to all is not unused by choice."""
        found = patterns.unused_features(
            rows(case, patterns.feature_users, days=90), Settings()
        )
        assert found == [UnusedFeature("dusty", date(2026, 1, 1), 0, 7, 0.0)]

    def test_days(self, case: Case) -> None:
        found = rows(case, patterns.daily)
        by_day = {row["date"]: row for row in found.to_dicts()}
        assert len(by_day) == 28
        busy = by_day[date(2026, 5, 25)]
        assert (busy["events"], busy["dau"], busy["sessions"], busy["short"]) == (
            9,
            1,
            1,
            1,
        )
        assert by_day[date(2026, 5, 5)]["events"] == 0

    def test_ways_after_log_in(self, case: Case) -> None:
        found = patterns.top_paths(rows(case, patterns.paths))
        assert found[0].features == ("a", "b")
        assert (found[0].sessions, found[0].users) == (7, 7)
        assert found[0].quick_share == 0
        assert found[1:] == [Way(("a", "b", "a", "b", "a"), 1, 1, 1.0)]
