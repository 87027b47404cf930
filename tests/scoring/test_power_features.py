"""Which use goes with staying: the worked examples, and planted effects found again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import pytest

from perennial.scoring import gaps, power_features
from perennial.scoring.power_features import Discovery, Rules

PF_1: dict[str, tuple[list[int], list[int]]] = {
    "login": ([30, 28, 25, 40, 22, 35], [20, 25, 15, 30]),
    "dashboard": ([20, 22, 19, 21, 20, 24], [21, 20, 23, 22]),
    "report": ([12, 9, 15, 7, 11, 18], [3, 8, 2, 1]),
    "invite": ([2, 0, 1, 3, 0, 2], [1, 2, 0, 3]),
    "export": ([4, 5, 0, 6, 3, 6], [1, 0, 2, 0]),
}


def cases(stayed: int, left: int, **more: Any) -> pl.DataFrame:
    """Decisions, those who stayed first; all alike but for what is given."""
    n = stayed + left
    days = pl.date_range(
        pl.date(2024, 1, 1), pl.date(2024, 1, 1) + pl.duration(days=n - 1), eager=True
    )
    columns = {
        "renewed": [True] * stayed + [False] * left,
        "decided_on": days,
        "term_days": [365] * n,
        "seats": [10] * n,
        "tenure_months": [12.0] * n,
        "plan": ["pro"] * n,
    }
    return pl.DataFrame({**columns, **more})


def both(found: tuple[list[int], list[int]]) -> np.ndarray:
    return np.array([*found[0], *found[1]], float)


def test_pf_1() -> None:
    found = power_features.discover(
        cases(6, 4),
        {name: both(x) for name, x in PF_1.items()},
        rules=Rules(min_class=4, fdr=1.01),
        excluded={"login": "login"},
    )
    by_name = {f.feature: f for f in found.findings}
    assert {f: by_name[f].auc for f in PF_1 if f != "login"} == pytest.approx(
        {
            "dashboard": 0.375,
            "report": 0.958333333,
            "invite": 0.458333333,
            "export": 0.875,
        }
    )
    means = {f: by_name[f].mean_retained for f in PF_1 if f != "login"}
    assert means == pytest.approx(
        {"dashboard": 21.0, "report": 12.0, "invite": 1.333333333, "export": 4.0}
    )
    assert found.status == "ok"
    assert found.power_feature is not None
    assert found.power_feature.feature == "report"
    assert found.findings[0].rank == 1
    login = by_name["login"]
    assert (login.excluded_reason, login.auc, login.rank) == ("login", None, None)


def test_pf_2() -> None:
    found = power_features.discover(
        cases(20, 2), {"report": np.arange(22.0)}, rules=Rules()
    )
    assert found.status == "insufficient"
    assert found.missing == ("churned",)
    assert found.power_feature is None
    assert [(f.rank, f.n_retained, f.n_churned) for f in found.findings] == [
        (None, 20, 2)
    ]


def test_history_has_to_be_longer_than_the_usual_term() -> None:
    uses = {"report": np.arange(60.0)[::-1]}
    for days, missing in ((456, ("history",)), (457, ())):
        found = power_features.discover(
            cases(30, 30), uses, rules=Rules(), history_days=days
        )
        assert found.missing == missing


def test_what_few_stayers_use_or_may_use_is_left_out() -> None:
    rare = np.where(np.arange(60) < 8, 5.0, 0.0)
    closed = np.where(np.arange(60) % 4 == 0, np.nan, 3.0)
    found = power_features.discover(
        cases(30, 30), {"rare": rare, "closed": closed}, rules=Rules()
    )
    assert {f.feature: f.excluded_reason for f in found.findings} == {
        "closed": "not_entitled",
        "rare": "low_adoption",
    }
    closed_, rare_ = found.findings
    # What is known of the rare one is told, but it is not judged.
    assert (closed_.auc, closed_.odds_ratio) == (None, None)
    assert rare_.auc == pytest.approx(0.5 + 8 / 60)
    assert rare_.odds_ratio is not None
    assert (rare_.q, rare_.rank, rare_.significant) == (None, None, False)
    assert found.power_feature is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Subscription Canceled", "cancellation"),
        ("cancelSubscription", "cancellation"),
        ("delete_account", "cancellation"),
        ("full_data_export", "cancellation"),
        ("users deprovisioned", "cancellation"),
        ("log_in", "login"),
        ("Signed In", "login"),
        ("billing_page", "billing"),
        ("Support Ticket Opened", "support"),
        ("submitted feedback", "support"),
        ("cancel_meeting", None),
        ("disqualify_opportunity", None),
        ("exports", None),
        ("plan_board", None),
        ("author_page", None),
        ("ticket_board", None),
    ],
)
def test_names_that_tell_of_the_end(name: str, reason: str | None) -> None:
    assert power_features.leaks(name) == reason


def company(seed: int, effect: float) -> tuple[pl.DataFrame, Mapping[str, np.ndarray]]:
    """160 decisions; use of `report` moves the odds to stay, a popular one and eight
    others do not."""
    random = np.random.default_rng(seed)
    level = random.normal(size=(10, 160))
    stayed = random.random(160) < 1 / (1 + np.exp(-(0.7 + effect * level[0])))
    scale = [16, 60, *[6] * 8]
    uses = {
        name: np.round(s * np.exp(0.8 * x))
        for name, s, x in zip(
            ["report", "popular", *"abcdefgh"], scale, level, strict=True
        )
    }
    frame = cases(80, 80).with_columns(renewed=pl.Series(stayed))
    return frame, uses


def found_in(seed: int, effect: float) -> Discovery:
    return power_features.discover(*company(seed, effect), rules=Rules())


def test_what_was_planted_is_found_and_the_popular_decoy_is_not() -> None:
    chosen = [found_in(seed, 1.3).power_feature for seed in range(40)]
    names = [f.feature if f else None for f in chosen]
    assert names.count("report") >= 38
    assert names.count("popular") == 0


def test_where_nothing_is_planted_nothing_is_found() -> None:
    """At most in as many companies as the rate of false discoveries says."""
    false = sum(
        found_in(seed, 0.0).power_feature is not None for seed in range(100, 200)
    )
    assert false <= 5


def test_the_choice_is_repeated_without_the_latest_quarter() -> None:
    found = found_in(3, 1.3)
    assert found.holdout is not None
    assert found.holdout.feature == "report"
    assert found.holdout.n_retained + found.holdout.n_churned == 40
    assert found.holdout.auc is not None
    assert found.holdout.auc > 0.6


def test_odds_are_those_of_equals() -> None:
    """Large accounts use more and stay more: use itself says nothing."""
    random = np.random.default_rng(5)
    seats = np.exp(random.normal(3, 1, 400))
    stayed = random.random(400) < 1 / (1 + np.exp(-(np.log(seats) - 3) * 1.5))
    uses = seats * np.exp(random.normal(0, 0.3, 400))
    around = np.log1p(seats)[:, None]
    alone = power_features.adjusted_odds(uses, stayed, np.zeros((400, 1)))
    equals = power_features.adjusted_odds(uses, stayed, around)
    assert alone[1] is not None
    assert alone[1] > 1.5
    assert equals[1] is not None
    assert equals[2] is not None
    assert equals[1] < 1 < equals[2]


def test_a_gap_is_seen_from_the_month_on_in_which_it_stays() -> None:
    random = np.random.default_rng(2)
    stayed = np.arange(120) < 60
    fall = np.where(stayed[:, None], 0.0, [0, 0, 0, -4, -7, -10])
    by_month = 20 + fall + random.normal(0, 2, (120, 6))
    found = gaps.trend("report", stayed, by_month, range(-6, 0))
    assert found is not None
    assert found.visible_from == -3
    assert found.is_leading
    truth = 37.5 / 17.5  # the line through 0, 0, 0, 4, 7, 10
    assert found.slope_low < truth < found.slope_high
    assert found.months[0].month == -6
    assert found.months[-1].left == pytest.approx(10, abs=1)


def test_months_before_an_account_began_are_unknown_not_zero() -> None:
    by_month = np.full((20, 6), 5.0)
    by_month[:8, :3] = np.nan
    by_month += np.random.default_rng(0).normal(0, 0.1, by_month.shape)
    found = gaps.trend("report", np.arange(20) % 2 == 0, by_month, range(-6, 0))
    assert found is not None
    assert found.months[0].stayed == pytest.approx(5.0, abs=0.2)
    assert found.visible_from is None
