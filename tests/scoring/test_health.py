"""The composite score: its worked examples, and its whole way through the lake."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.core.errors import BadValue, UnknownName
from perennial.core.settings import HealthTargets
from perennial.lake import healthbook
from perennial.scoring import health, scores
from perennial.scoring.scorecard import standard
from tests.builders import Case

CARD = standard(HealthTargets())
_MEASURED: dict[str, Any] = {
    "active_days": 9.0,
    "minutes": 60.0,
    "active_users": 12,
    "seats": 20,
    "key_features_used": 4,
    "key_features": 8,
    "key_events_per_session": 3.0,
    "active_users_before": 10,
    "mrr_e4": 100,
    "mrr_90d_e4": 100,
    "is_live": True,
    "is_onboarding": False,
    "date": date(2026, 6, 1),
    "measured_days": 28,
    "profile": 0,
    "override": None,
}
_NUMBERS = {
    "active_days": pl.Float64,
    "minutes": pl.Float64,
    "key_events_per_session": pl.Float64,
    "active_users": pl.Int64,
    "seats": pl.Int64,
    "key_features_used": pl.Int64,
    "key_features": pl.Int64,
    "active_users_before": pl.Int64,
    "mrr_e4": pl.Int64,
    "mrr_90d_e4": pl.Int64,
    "override": pl.Float64,
}


def score(**measured: Any) -> dict[str, Any]:
    row = {**_MEASURED, **measured}
    return scores.scored(
        pl.DataFrame([row], schema_overrides=_NUMBERS), CARD
    ).to_dicts()[0]


def test_full_components() -> None:
    """HS-1: growth of users by a fifth, MRR as it was."""
    found = score()
    expected = {
        "frequency": 62.5,
        "breadth": 75.0,
        "depth": 68.571428571,
        "growth": 75.0,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-8)
    assert found["score"] == pytest.approx(69.321428571, abs=1e-8)
    assert (found["color"], found["status"], found["coverage"]) == ("yellow", "ok", 1.0)


def test_weights_of_missing_parts_go_to_the_others() -> None:
    """HS-2: no growth to be told."""
    found = score(active_users_before=None, mrr_e4=0, mrr_90d_e4=0)
    assert found["growth"] is None
    assert found["score"] == pytest.approx(68.319327731, abs=1e-8)
    assert found["coverage"] == pytest.approx(0.85)


def test_too_little_measured_is_no_score() -> None:
    """HS-3: only growth, 15 percent of the weight."""
    found = score(
        active_days=None,
        minutes=None,
        seats=None,
        key_features=0,
        key_events_per_session=None,
        active_users_before=None,
    )
    assert found["growth"] == 50.0
    assert [found[c] for c in ("frequency", "breadth", "depth")] == [None] * 3
    assert (found["score"], found["color"], found["status"]) == (
        None,
        None,
        "insufficient",
    )


def test_a_color_owns_its_lower_bound() -> None:
    """HS-4."""
    every = pl.DataFrame({"s": [0.0, 39.99, 40.0, 59.99, 60.0, 79.99, 80.0, 100.0]})
    colors = every.select(scores.color(pl.col("s"), CARD.cuts)).to_series().to_list()
    assert colors == [
        "red",
        "red",
        "orange",
        "orange",
        "yellow",
        "yellow",
        "green",
        "green",
    ]


def test_from_nothing_to_something_is_full_growth() -> None:
    assert (
        score(active_users_before=0, active_users=1, mrr_90d_e4=100)["growth"] == 75.0
    )
    assert (
        score(active_users_before=0, active_users=0, mrr_e4=0, mrr_90d_e4=0)["growth"]
        is None
    )


@given(
    measured=st.fixed_dictionaries(
        {
            "active_days": st.floats(0, 28),
            "minutes": st.floats(0, 10_000),
            "active_users": st.integers(0, 500),
            "seats": st.none() | st.integers(0, 400),
            "key_features_used": st.integers(0, 8),
            "key_features": st.integers(8, 10),
            "key_events_per_session": st.floats(0, 50),
            "active_users_before": st.integers(0, 500),
            "mrr_e4": st.integers(0, 10**9),
            "mrr_90d_e4": st.integers(0, 10**9),
        }
    )
)
def test_scores_stay_in_bounds_and_more_key_features_never_hurt(
    measured: dict[str, Any],
) -> None:
    found = score(**measured)
    parts = [found[c] for c in health.COMPONENTS if found[c] is not None]
    assert all(0 <= part <= 100 for part in parts)
    assert 0 <= found["score"] <= 100 + 1e-9
    assert min(parts) - 1e-9 <= found["score"] <= max(parts) + 1e-9
    more = score(
        **{**measured, "key_features_used": min(measured["key_features_used"] + 1, 10)}
    )
    assert more["depth"] >= found["depth"]


# Through the lake


def paying(account: str, **more: Any) -> dict[str, Any]:
    return {
        "subscription_id": account,
        "account_id": account,
        "item_id": "",
        "mrr": 100,
        "valid_from": "2025-01-01T00:00",
        **more,
    }


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """`full` as in HS-1; others in every other state, as of 1 June 2026."""
    case = Case(tmp_path_factory.mktemp("health"))
    case.facts(
        "subscription_items",
        paying("full"),
        paying("empty"),
        paying("bare"),
        paying("new", valid_from="2026-05-20T00:00"),
        paying("gone", valid_to="2026-03-01T00:00"),
        paying("paused", paused_from="2026-05-01T00:00"),
    )
    case.facts(
        "seat_contracts",
        {"account_id": "full", "seats": 20},
        {"account_id": "empty", "seats": 5},
    )
    case.facts("features", *({"feature_id": f"k{n}", "is_key": True} for n in range(8)))
    case.facts("accounts", {"account_id": "lead", "lifecycle_stage": "lead"})
    _use(case, users=10, start=date(2026, 4, 6), minutes=0)
    _use(case, users=12, start=date(2026, 5, 4), minutes=60)
    case.refresh(as_of="2026-06-01")
    return case


def _use(case: Case, *, users: int, start: date, minutes: int) -> None:
    """Nine days a user; sessions of three key events; minutes over the days."""
    if not minutes:
        case.events(*((f"u{u}", "full", f"{start}T09:00") for u in range(users)))
        return
    rows = []
    for user in range(users):
        for day in range(9):
            at = f"{start + timedelta(days=day)}T09"
            step = minutes * 60 // 9 // 2
            for n in range(3):
                seconds = n * step
                rows.append(
                    (
                        f"u{user}",
                        "full",
                        f"{at}:{seconds // 60:02}:{seconds % 60:02}",
                        f"k{(day + n) % 4}",
                    )
                )
    case.events(*rows)


def test_the_score_of_an_account(case: Case) -> None:
    (row,) = healthbook.scores(case.workspace, account="full", as_of="2026-06-01")
    values = {part["name"]: part["value"] for part in row["components"]}
    assert values["frequency"] == pytest.approx(62.5)
    assert values["breadth"] == pytest.approx(75.0)
    assert values["depth"] == pytest.approx(68.571428571)
    assert values["growth"] == pytest.approx(75.0)
    assert row["score"] == pytest.approx(69.321428571)
    assert sum(part["contribution"] for part in row["components"]) == pytest.approx(
        row["score"]
    )
    assert (row["color"], row["recomputed"]) == ("yellow", False)


def test_every_other_state(case: Case) -> None:
    rows = healthbook.scores(case.workspace, as_of="2026-06-01")
    status = {row["account_id"]: row["status"] for row in rows}
    assert status == {
        "full": "ok",
        "empty": "ok",
        "bare": "insufficient",
        "new": "onboarding",
        "gone": "inactive",
        "paused": "inactive",
        "lead": "inactive",
    }
    (empty,) = [row for row in rows if row["account_id"] == "empty"]
    zero = {part["name"]: part["value"] for part in empty["components"]}
    assert (zero["frequency"], zero["breadth"], zero["depth"]) == (0, 0, 0)
    assert empty["color"] == "red"


def test_the_change_is_the_sum_of_its_parts(case: Case) -> None:
    (row,) = healthbook.scores(
        case.workspace, account="full", as_of="2026-06-01", explain=True
    )
    assert row["score_change"] == pytest.approx(
        sum(p["delta"] for p in row["components"])
    )
    before = healthbook.scores(case.workspace, account="full", as_of="2026-05-04")[0]
    assert row["score_change"] == pytest.approx(row["score"] - before["score"])


def test_history_has_a_row_a_date(case: Case) -> None:
    rows = healthbook.scores(case.workspace, account="full", history=True)
    dates = [row["date"] for row in rows]
    assert dates == sorted(set(dates))
    assert dates[-1] == date(2026, 6, 1)
    assert date(2026, 5, 25) in dates


def test_a_snapshot_is_not_rewritten_by_late_data(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.facts("subscription_items", paying("A"))
    case.facts("seat_contracts", {"account_id": "A", "seats": 2})
    case.events(("u", "A", "2026-05-20T10:00"))
    case.refresh(as_of="2026-06-01")
    (before,) = healthbook.scores(case.workspace, as_of="2026-06-01")
    case.events(("v", "A", "2026-05-21T10:00"))
    case.at("2026-06-01T07:00")
    case.refresh(as_of="2026-06-01")
    (after,) = healthbook.scores(case.workspace, as_of="2026-06-01")
    assert after["score"] > before["score"]
    stored = [
        r for r in case.table("health_snapshots") if r["date"] == date(2026, 6, 1)
    ]
    assert len(stored) == 2, "a recomputation adds a row"


def test_cuts_can_be_tried(case: Case) -> None:
    tried = healthbook.tried(case.workspace, {"cuts": "10,20,69"})
    (row,) = healthbook.scores(
        case.workspace, account="full", as_of="2026-06-01", card=tried
    )
    assert (row["color"], row["recomputed"]) == ("green", True)
    with pytest.raises(UnknownName):
        healthbook.tried(case.workspace, {"cut": "1"})
    with pytest.raises(BadValue):
        healthbook.tried(case.workspace, {"cuts": "1,2"})


def test_users_have_scores_of_frequency_and_depth(case: Case) -> None:
    rows = healthbook.scores(case.workspace, users=True, as_of="2026-06-01")
    assert len(rows) == 12
    parts = {p["name"]: p["value"] for p in rows[0]["components"]}
    assert parts["breadth"] is None
    assert parts["growth"] is None
    assert rows[0]["score"] == pytest.approx((62.5 + 68.571428571) / 2)
