"""Insights by name, as programs read them, held against a second computation."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

import perennial
from perennial.cli.main import cli
from perennial.core.errors import BadValue, UnknownName
from perennial.lake import forecasts, observations
from perennial.lake.insights import INSIGHTS
from perennial.scoring.review import Review
from perennial.scoring.statistics import auc
from tests.builders import Case
from tests.insights import company

MONTH = 365.25 / 12
STAYED = sum(stays for *_, stays, _ in company.fates())


def asked(case: Case, *arguments: str) -> Any:
    """The command line's JSON."""
    folder = Path(case.lake.root).parents[1]
    found = CliRunner().invoke(
        cli,
        ["--data", str(folder), "insights", *arguments, "--format", "json"],
        catch_exceptions=False,
    )
    assert found.exit_code == 0, found.output
    return json.loads(found.output)


def test_the_power_feature_and_why_the_others_are_none(case: Case) -> None:
    rows = {
        r["feature"]: r for r in asked(case, "power-features", "--as-of", "2026-06-01")
    }
    assert rows["reports"]["is_power_feature"]
    assert rows["reports"]["rank"] == 1
    assert 0.7 < rows["reports"]["auc"] < 0.95
    assert rows["reports"]["q"] < 0.001
    assert not rows["comments"]["significant"]
    assert rows["Subscription Canceled"]["excluded_reason"] == "cancellation"
    assert rows["Logged In"]["excluded_reason"] == "login"
    assert rows["Invoice Viewed"]["excluded_reason"] == "billing"
    assert rows["reports"]["n_retained"] == STAYED
    assert rows["reports"]["n_churned"] == company.ACCOUNTS - STAYED
    assert {r["status"] for r in rows.values()} == {"ok"}


def plainly(usage: list[dict[str, Any]], days: int) -> dict[str, float]:
    """Reports a month in the 90 days that end so many days before each decision."""
    found = {}
    for account, end, *_ in company.fates():
        until = end - timedelta(days=days)
        since = max(until - timedelta(days=90), company.year_before(end))
        uses = sum(
            row["uses"]
            for row in usage
            if row["account_id"] == account
            and row["feature_id"] == "reports"
            and since <= row["date"] < until
        )
        found[account] = uses / ((until - since).days / MONTH)
    return found


def test_use_is_counted_in_the_90_days_that_end_30_before(case: Case) -> None:
    """The same measure from the facts, in plain Python."""
    usage = case.lake.read("usage").to_pylist()
    expected = plainly(usage, 30)
    seen = observations.of_decisions(case.workspace)
    found = dict(zip(seen.cases["account_id"], seen.uses["reports"], strict=True))
    # Recording begins with the first use of anybody.
    first = min(row["date"] for row in usage)
    whole = {a for a, end, *_ in company.fates() if end - timedelta(days=120) >= first}
    assert {a: found[a] for a in whole} == pytest.approx(
        {a: expected[a] for a in whole}
    )
    stayed = seen.cases["renewed"].to_numpy()
    rows = asked(case, "power-features", "--as-of", "2026-06-01")
    said = next(r["auc"] for r in rows if r["feature"] == "reports")
    measure = seen.uses["reports"]
    assert said == pytest.approx(auc(measure[stayed], measure[~stayed]))


def test_decisions_are_looked_at_earlier(case: Case) -> None:
    """Each as it stood 60 and 150 days before, by the facts of then alone."""
    usage = case.lake.read("usage").to_pylist()
    seen = observations.of_decisions(case.workspace)
    found = observations.earlier(case.workspace, seen, (60, 150))
    first = min(row["date"] for row in usage)
    for days in (60, 150):
        rows = (found.cases["ahead"] == days).to_numpy()
        cases = found.cases.filter(rows)
        told = dict(zip(cases["account_id"], found.uses["reports"][rows], strict=True))
        expected = plainly(usage, days)
        whole = {
            account
            for account, end, *_ in company.fates()
            if end - timedelta(days=days + 90) >= first
        }
        assert len(whole) > 60
        assert {a: told[a] for a in whole} == pytest.approx(
            {a: expected[a] for a in whole}
        )
        # Each is the decision it says it is.
        same = seen.cases[cases["row"].to_list()]
        assert same["account_id"].to_list() == cases["account_id"].to_list()


def test_the_back_test_has_every_way(case: Case, learned: Review) -> None:
    found = asked(case, "backtest", "--as-of", "2026-06-01")
    rows = {row["mode"]: row for row in found}
    assert list(rows) == [
        *("composite", "band", "calibrated:bands", "calibrated:logistic"),
        *("calibrated:boosted", "silent_days", "usage_counts"),
    ]
    assert {row["n"] for row in rows.values()} == {learned.comparison.n}
    boosted = rows["calibrated:boosted"]
    assert boosted["auc_30_days"] == boosted["auc"]
    assert boosted["warning_days"] in {30, 60, 90, 120}
    assert boosted["warned"] <= boosted["left"]
    assert [row["mode"] for row in rows.values() if row["adopted"]] == [
        f"calibrated:{learned.comparison.adopted}"
    ]
    assert (rows["silent_days"]["warning_days"], rows["band"]["ece"]) == (None, None)


def test_what_came_later_does_not_count(case: Case) -> None:
    """As of a day, the answer is what it would have been on that day."""
    rows = asked(case, "power-features", "--as-of", "2025-12-01")
    early = [f for f in company.fates() if f[1] < date(2025, 12, 1)]
    report = next(r for r in rows if r["feature"] == "reports")
    assert report["n_retained"] + report["n_churned"] <= len(early)


def test_too_little_says_what_is_missing(case: Case) -> None:
    rows = asked(case, "power-features", "--as-of", "2025-07-01")
    assert {r["status"] for r in rows} == {"insufficient"}
    assert all(r["rank"] is None and r["auc"] is None for r in rows)
    assert "churned" in rows[0]["missing"]
    assert not any(r["is_power_feature"] for r in rows)


def test_by_segment(case: Case) -> None:
    rows = asked(case, "power-features", "--by", "segment", "--as-of", "2026-06-01")
    assert {r["segment"] for r in rows} == {"Large", "Small"}
    only = asked(
        case, "power-features", "--where", "segment = 'Small'", "--as-of", "2026-06-01"
    )
    small = [r for r in rows if r["segment"] == "Small"]
    assert [r["feature"] for r in only] == [r["feature"] for r in small]
    assert only[0]["auc"] == small[0]["auc"]


def test_the_renewal_model_is_judged_by_what_it_had_not_seen(case: Case) -> None:
    rows = asked(case, "renewal-model", "--as-of", "2026-06-01")
    assert rows[0]["adopted"]
    assert {r["fold"] for r in rows} == {"holdout"}
    assert {r["model"] for r in rows} == {"bands", "logistic", "boosted"}
    for row in rows:
        assert row["brier"] < row["brier_base"]
    assert rows[0]["model"] != "bands"
    assert rows[0]["auc"] > 0.7
    none = asked(case, "renewal-model", "--as-of", "2025-07-01")
    assert [(r["status"], r["brier"]) for r in none] == [("insufficient", None)]


def test_the_forecast_has_a_range(case: Case) -> None:
    rows = asked(case, "forecast", "--set", "horizon=3", "--as-of", "2026-06-01")
    assert [r["horizon"] for r in rows] == [3]
    assert rows[0]["mrr"] == 100 * STAYED
    assert 0 < rows[0]["lower"] <= rows[0]["expected_mrr"] <= rows[0]["upper"]


def test_the_forecast_falls_as_decisions_come(case: Case, learned: Review) -> None:
    day = date(2026, 6, 1)
    rows = forecasts.accounts(case.workspace, learned, day)
    year = forecasts.by_group(rows, day, forecasts.HORIZONS)
    kept = [e.mrr for *_, e in year]
    assert kept == sorted(kept, reverse=True)
    # All terms end within a year, and those that are overdue end again.
    overdue = pl.col("renewal_on") <= day
    chance = pl.when(overdue).then(pl.col("p") ** 2).otherwise("p")
    assert 0 < len(rows.filter(overdue)) < len(rows)
    assert kept[-1] == pytest.approx(100 * rows.select(chance).sum().item())
    parts = forecasts.by_group(rows, day, [12], ["segment"])
    assert sum(e.mrr for *_, e in parts) == pytest.approx(kept[-1])
    assert [group["segment"] for group, *_ in parts] == ["Large", "Small"]


def test_free_buyers(tmp_path: Path) -> None:
    case = Case(tmp_path / "lake" / "default")
    days = {"a": (1, 20, 40, 80), "b": (5,), "c": (9, 90), "d": (30, 33, 60, 61, 99)}
    case.facts(
        "payments",
        *(
            {
                "payment_id": f"{account}{day}",
                "account_id": account,
                "paid_at": (date(2026, 1, 1) + timedelta(days=day)).isoformat(),
                "amount": Decimal(10 + day % 7),
            }
            for account, at in days.items()
            for day in at
        ),
    )
    case.roll_up()
    rows = asked(
        case, "lifetime-value", "--set", "model=bgnbd", "--as-of", "2026-05-01"
    )
    told = {r["parameter"]: r["value"] for r in rows}
    assert {"r", "alpha", "a", "b"} <= set(told)
    assert told["buyers"] == 4
    forms = asked(case, "lifetime-value", "--as-of", "2026-05-01")
    assert {r["form"] for r in forms} == {"clv_survival", "clv", "clv_simple"}
    assert {r["value"] for r in forms} == {None}


@pytest.mark.parametrize("name", list(INSIGHTS))
def test_every_insight_answers_an_empty_workspace(name: str, tmp_path: Path) -> None:
    case = Case(tmp_path / "lake" / "default")
    rows = case.workspace.insight(name).to_dicts()
    assert all(row.get("status") in ("insufficient", "no_data") for row in rows)


def test_questions_that_cannot_be_asked(case: Case) -> None:
    ws = case.workspace
    with pytest.raises(UnknownName):
        ws.insight("horoscope")
    with pytest.raises(UnknownName):
        ws.insight("forecast", by=["color"])
    with pytest.raises(UnknownName):
        ws.insight("renewal-model", params={"horizon": "3"})
    with pytest.raises(BadValue):
        ws.insight("forecast", params={"horizon": "soon"})


def test_in_python(case: Case) -> None:
    ws = perennial.open(Path(case.lake.root).parents[1])
    found = ws.insight("power-features", as_of="2026-06-01")
    assert isinstance(found, pl.DataFrame)
    assert found.filter("is_power_feature")["feature"].to_list() == ["reports"]
