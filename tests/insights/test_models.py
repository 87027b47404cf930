"""Versions that people approve, chances that follow from them, forecasts that are kept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from math import log, nan
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from perennial.core.errors import BadValue, UnknownName
from perennial.lake import chances, customers, forecasts, incidents, models
from perennial.scoring import review
from perennial.scoring.bands import Band, Bands
from perennial.scoring.review import Review
from tests.builders import Case
from tests.insights import company

DAY = date(2026, 6, 1)


@pytest.fixture
def own(tmp_path: Path) -> Case:
    """A company to write to."""
    return company.build(tmp_path / "lake" / "default")


def test_a_version_says_the_same_for_ever(learned: Review) -> None:
    assert Review.from_json(learned.to_json()) == learned
    assert learned.features == {"": "reports", "Large": "reports", "Small": "reports"}
    assert learned.trends[""].is_leading is not None


def test_documents_of_before_are_read(learned: Review) -> None:
    """What was kept when AUCs stood beside the models as numbers, and nobody looked
    longer before."""
    old = json.loads(learned.to_json())
    compared = old["comparison"]
    del compared["early"]
    compared["beside"] = {"silent_days": 0.71, "usage_counts": None}
    found = Review.from_json(json.dumps(old)).comparison
    assert found.beside["silent_days"].auc == 0.71
    assert found.beside["usage_counts"].auc is None
    assert found.early == ()
    assert found.trials == learned.comparison.trials


def test_nothing_is_told_until_a_person_approves(own: Case, learned: Review) -> None:
    ws = own.workspace
    assert models.active(ws) is None
    assert chances.take(ws, DAY) == 0
    assert forecasts.take(ws, DAY) == 0
    first = models.propose(ws, learned)
    assert first is not None
    assert (first.number, first.status, first.reviewed_by) == (1, "proposed", "")
    assert models.active(ws) is None
    models.decide(ws, 1, approve=True, by="maja@x.example", note="fits")
    active = models.active(ws)
    assert active is not None
    assert (active.number, active.reviewed_by, active.note) == (
        1,
        "maja@x.example",
        "fits",
    )
    assert active.review == learned
    # What says the same is not proposed again: as the one in force, as one that waits.
    assert models.propose(ws, learned) is None
    other = replace(learned, features={"": "comments"})
    assert models.propose(ws, other) is not None
    assert models.propose(ws, other) is None
    models.decide(ws, 2, approve=False, by="maja@x.example")
    paying = len(customers.customers(ws, DAY))
    assert chances.take(ws, DAY) == paying
    assert chances.take(ws, DAY) == 0
    assert forecasts.take(ws, DAY) == 12 * 3
    assert forecasts.take(ws, DAY) == 0


def test_a_rejected_version_stays_rejected(own: Case, learned: Review) -> None:
    ws = own.workspace
    models.propose(ws, learned, by="analyst@x.example")
    models.decide(ws, 1, approve=False, by="head@x.example")
    assert models.active(ws) is None
    with pytest.raises(BadValue):
        models.decide(ws, 1, approve=True, by="head@x.example")
    with pytest.raises(UnknownName):
        models.decide(ws, 7, approve=True, by="head@x.example")


def test_stored_chances_do_not_change(own: Case, learned: Review) -> None:
    """Not when data do, and not when another version is approved."""
    ws = own.workspace
    models.propose(ws, learned)
    models.decide(ws, 1, approve=True, by="a@x.example")
    chances.take(ws, DAY)
    before = own.table("renewal_scores")
    own.facts(
        "usage",
        *(
            {
                "account_id": account,
                "user_id": f"{account}-u",
                "feature_id": "reports",
                "date": date(2026, 5, 30),
                "uses": 500,
            }
            for account, *_ in company.fates()
        ),
    )
    own.roll_up()
    other = replace(
        learned, model=None, comparison=replace(learned.comparison, adopted="bands")
    )
    own.at("2026-06-01T07:00")
    ws = own.workspace
    models.propose(ws, other)
    models.decide(ws, 2, approve=True, by="a@x.example")
    assert chances.take(ws, DAY) == len(before)
    after = own.table("renewal_scores")
    assert [row for row in after if row["version"] == 1] == before
    newest = chances.of_day(ws, DAY)
    assert set(newest["version"]) == {2}
    assert newest["uses"].min() >= 500


def test_an_outage_carries_chances_over(
    own: Case, learned: Review, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who would look silent for a day without events keeps its chance; nothing of that
    day makes anybody red."""
    ws = own.workspace
    models.propose(ws, learned)
    models.decide(ws, 1, approve=True, by="a@x.example")
    chances.take(ws, DAY - timedelta(days=30))
    chances.take(ws, DAY - timedelta(days=1))
    monkeypatch.setattr(incidents, "detect", lambda *_: True)
    chances.take(ws, DAY)
    before, now = (
        chances.of_day(ws, day).sort("account_id")
        for day in (DAY - timedelta(days=1), DAY)
    )
    told = ["account_id", "uses", "band_color", "p", "color", "reasons", "version"]
    assert now.select(told).equals(before.select(told))
    computed = chances.compute(ws, learned, DAY, customers.customers(ws, DAY))
    assert (
        not computed.sort("account_id").select(told[1:5]).equals(now.select(told[1:5]))
    )


def test_reasons_add_up_to_each_chance(case: Case, learned: Review) -> None:
    ws = case.workspace
    found = chances.compute(ws, learned, DAY, customers.customers(ws, DAY))
    assert len(found) == len(customers.customers(ws, DAY))
    for row in found.to_dicts():
        why = json.loads(row["reasons"])
        total = why["base"] + sum(move for _, move in why["parts"])
        assert total == pytest.approx(row["p"], abs=1e-9)
        assert row["p_low"] <= row["p"] <= row["p_high"]
        sizes = [abs(move) for _, move in why["parts"]]
        assert sizes == sorted(sizes, reverse=True)


def test_without_a_power_feature_chances_are_stored(own: Case, learned: Review) -> None:
    ws = own.workspace
    models.propose(ws, version(learned, features={}))
    models.decide(ws, 1, approve=True, by="a@x.example")
    assert chances.take(ws, DAY) == len(customers.customers(ws, DAY))
    assert set(chances.of_day(ws, DAY)["feature_id"]) == {None}


def test_who_uses_it_more_renews_more_likely(case: Case, learned: Review) -> None:
    ws = case.workspace
    found = chances.compute(ws, learned, DAY, customers.customers(ws, DAY))
    most = found.sort("uses")
    assert most["p"][-20:].mean() > most["p"][:20].mean()  # type: ignore[operator]
    assert set(found["band_color"]) <= {"red", "orange", "yellow", "green"}
    gaps = found.select("uses", "gap_to_green", "band_color").drop_nulls("uses")
    for uses, gap, color in gaps.iter_rows():
        assert (gap == 0) == (color == "green"), uses


def test_customers_decide_when_their_term_ends(case: Case) -> None:
    found = customers.customers(case.workspace, DAY)
    ends = {
        a: end.replace(year=end.year + 1)
        for a, end, stays, _ in company.fates()
        if stays
    }
    assert dict(found.select("account_id", "renewal_on").iter_rows()) == ends
    assert set(found["mrr_e4"]) == {1_000_000}
    assert set(found["term_days"]) <= {365, 366}


def test_usual_growth_falls_back_to_wider_groups() -> None:
    growth = pl.DataFrame(
        {
            "segment": ["Small", "Small", None],
            "color": ["green", None, None],
            "growth": [1.3, 1.1, 1.05],
        }
    )
    rows = pl.DataFrame(
        {
            "segment": ["Small", "Small", "Large", None],
            "color": ["green", "red", "green", None],
        }
    )
    told = customers.with_growth(rows, growth)["growth"].to_list()
    assert told == [1.3, 1.1, 1.05, 1.05]
    assert customers.with_growth(rows, growth.clear())["growth"].to_list() == [1.0] * 4


def test_a_kept_forecast_is_held_against_what_happened(
    own: Case, learned: Review
) -> None:
    ws = own.workspace
    models.propose(ws, learned)
    models.decide(ws, 1, approve=True, by="a@x.example")
    forecasts.take(ws, date(2026, 2, 10))
    assert set(forecasts.kept(ws)["as_of"]) == {date(2026, 2, 1)}
    (seen,) = forecasts.hindsight(ws, months=3, until=DAY)
    gone = [
        a
        for a, end, stays, _ in company.fates()
        if not stays and date(2026, 2, 1) <= end < date(2026, 5, 1)
    ]
    then = customers.customers(ws, date(2026, 2, 1))
    assert seen.actual == 100.0 * (len(then) - len(gone))
    assert seen.lower <= seen.expected <= seen.upper
    assert forecasts.hindsight(ws, months=6, until=DAY) == []


# What is new in a version


def bands(*rows: tuple[float, str, float]) -> Bands:
    return Bands(
        "", "segment", tuple(Band(low, None, color, p) for low, color, p in rows)
    )


def version(learned: Review, **changes: Any) -> Review:
    plain = {
        "bands": {"": bands((0, "red", 0.5), (10, "green", 0.8))},
        "features": {"": "reports"},
        "shares": {"": (0.5, 0.5)},
        "percentiles": {},
    }
    return replace(learned, **{**plain, **changes})


def test_differences_between_versions(learned: Review) -> None:
    old = version(learned)
    assert review.differences(old, version(learned)) == ()
    edge = version(learned, bands={"": bands((0, "red", 0.5), (13, "green", 0.8))})
    assert [c.kind for c in review.differences(old, edge)] == ["edges"]
    near = version(learned, bands={"": bands((0, "red", 0.5), (12, "green", 0.8))})
    assert review.differences(old, near) == ()
    chance = version(learned, bands={"": bands((0, "red", 0.5), (10, "green", 0.86))})
    (change,) = review.differences(old, chance)
    assert (change.kind, change.before, change.after) == ("chances", 0.8, 0.86)
    other = version(learned, features={"": "comments"})
    (change,) = review.differences(old, other)
    assert (change.kind, change.before, change.after) == (
        "feature",
        "reports",
        "comments",
    )
    inner = version(
        learned,
        bands={"": bands((0, "red", 0.5), (5, "red", 0.5), (10, "green", 0.8))},
    )
    other_inner = version(
        learned,
        bands={"": bands((0, "red", 0.5), (7, "red", 0.5), (10, "green", 0.8))},
    )
    (change,) = review.differences(inner, other_inner)
    assert (change.kind, change.before, change.after) == ("edge", 5, 7)
    model = version(learned, comparison=replace(learned.comparison, adopted="bands"))
    assert [c.kind for c in review.differences(old, model)] == ["model"]


def test_decisions_of_other_use_are_a_difference(learned: Review) -> None:
    old = version(learned)
    few = version(learned, percentiles={"": review.percentiles([1] * 8 + [20] * 2)})
    (change,) = review.differences(old, few)
    assert change.kind == "use"
    # 0.5 and 0.5 before, 81 and 20 of the 101 percentiles after: rounded to hundredths.
    expected = 0.302 * log(0.802 / 0.5) - 0.302 * log(0.198 / 0.5)
    assert change.after == pytest.approx(expected, abs=0.01)
    assert review.differences(old, few, psi_watch=0.5) == ()
    like = version(learned, percentiles={"": review.percentiles([1] * 5 + [20] * 6)})
    assert review.differences(old, like) == ()
    assert review.percentiles([nan]) == ()


LIMITS = {"watch": 0.10, "shifted": 0.25}


def test_a_shift_of_use() -> None:
    assert review.shift([0.25] * 4, [0.4, 0.3, 0.2, 0.1], **LIMITS)[1] == "watch"
    assert review.shift([0.25] * 4, [0.26, 0.25, 0.25, 0.24], **LIMITS)[1] == "stable"
    assert review.shift([0.25] * 4, [0.7, 0.1, 0.1, 0.1], **LIMITS)[1] == "shift"
    told = bands((0, "red", 0.5), (10, "green", 0.8))
    assert review.shares(told, [0, 3, 10, float("nan"), 50]) == (0.5, 0.5)
