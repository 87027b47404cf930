from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from perennial.demo.clock import Window
from perennial.demo.generate import EMPTY, generate
from perennial.lake.tables import FACTS
from tests.demo import health_estimate
from tests.demo.conftest import Tables
from tests.demo.frames import frame

SMALLEST = {"accounts": 20, "months": 8, "requests": 50, "scale": 0.4}


def test_tables_are_the_facts_in_their_order(small: Tables) -> None:
    assert list(small) == list(FACTS)


@pytest.mark.parametrize("name", FACTS)
def test_schema_is_as_declared(small: Tables, name: str) -> None:
    assert small[name].schema.equals(FACTS[name].schema())


@pytest.mark.parametrize("name", [n for n in FACTS if n not in EMPTY])
def test_rows_keep_the_declared_rules(small: Tables, name: str) -> None:
    declared, rows = FACTS[name], frame(small[name])
    assert len(rows) > 0
    for column in declared:
        if column.required:
            assert rows[column.name].null_count() == 0, column.name
        if column.choices:
            found = set(rows[column.name].drop_nulls().unique())
            assert found <= set(column.choices), column.name
    for group in declared.one_of:
        none = pl.all_horizontal(pl.col(c).is_null() for c in group)
        assert rows.filter(none).is_empty(), group
    if declared.key:
        assert rows.select(declared.key).is_duplicated().sum() == 0
        # Events that no source sent, as these, came from a file.
        told = [name for name in declared.key if name != "source_id"]
        assert rows.select(told).null_count().row(0) == (0,) * len(told)


def test_same_arguments_give_the_same_tables() -> None:
    end = date(2025, 3, 31)
    first = generate(end=end, seed=3, **SMALLEST)
    second = generate(end=end, seed=3, **SMALLEST)
    for name in FACTS:
        assert first[name].equals(second[name]), name


def test_another_seed_gives_another_company() -> None:
    end = date(2025, 3, 31)
    first = generate(end=end, seed=3, **SMALLEST)
    second = generate(end=end, seed=4, **SMALLEST)
    for name in ("accounts", "users", "events", "contracts", "survey_responses"):
        assert not first[name].equals(second[name]), name


@pytest.mark.parametrize(
    "day", [date(2024, 2, 29), date(2025, 12, 31), date(2026, 1, 1)]
)
def test_any_last_day_will_do(day: date) -> None:
    tables = generate(end=day, **SMALLEST)
    last = frame(tables["events"])["timestamp"].max()
    assert last is not None
    stop = datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert (stop - last).days <= 3
    assert last < stop


def test_nothing_happens_outside_the_window(small: Tables, end: date) -> None:
    stop = datetime(end.year, end.month, end.day, tzinfo=UTC)
    happened = {
        "events": ("timestamp", "received_at"),
        "payments": ("paid_at",),
        "survey_responses": ("answered_at",),
        "tickets": ("opened_at", "first_response_at", "solved_at", "closed_at"),
        "emails": ("sent_at",),
        "touchpoints": ("at",),
        "lead_stages": ("entered_at",),
        "onboarding_steps": ("completed_at",),
        "requests": ("at",),
        "users": ("created_at", "deactivated_at"),
        "accounts": ("created_at", "onboarding_completed_at"),
    }
    for name, columns in happened.items():
        rows = frame(small[name])
        for column in columns:
            latest = rows[column].max()
            assert latest is None or latest < stop, (name, column)
    first = frame(small["events"])["timestamp"].min()
    assert first is not None
    start = Window.before(end, 14).start
    assert first >= datetime(start.year, start.month, start.day, tzinfo=UTC)


@pytest.mark.parametrize("wrong", [{"accounts": 5}, {"months": 3}])
def test_too_small_a_company_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="20 accounts and 8 months"):
        generate(end=date(2026, 1, 1), **wrong)


def test_full_company_is_as_large_as_promised(full: Tables) -> None:
    rows = {name: table.num_rows for name, table in full.items()}
    assert rows["accounts"] == 400
    assert 11_000 <= rows["users"] <= 13_500
    assert 1_850_000 <= rows["events"] <= 2_200_000
    assert rows["contracts"] > 1_000
    assert rows["survey_responses"] > 3_000
    assert rows["tickets"] > 4_000
    assert rows["requests"] >= 20_000
    assert frame(full["events"])["event_id"].n_unique() == rows["events"]


def test_every_kind_of_account_is_there(full: Tables) -> None:
    stages = frame(full["accounts"])["lifecycle_stage"].value_counts()
    counts = dict(stages.iter_rows())
    assert set(counts) == {
        "Internal",
        "Lead",
        "Trial",
        "Onboarding",
        "Adoption",
        "Value",
        "Renewal",
        "Paused",
        "Churned",
    }
    assert min(counts.values()) >= 2


def test_money_has_every_shape(full: Tables) -> None:
    items = frame(full["subscription_items"])
    assert set(items["interval"]) == {"month", "quarter", "year"}
    assert set(items["status"]) == {"active", "trialing", "paused", "past_due"}
    assert set(items["currency"]) == {"EUR", "USD", "SEK", "GBP"}
    assert set(items["usage_type"]) == {"licensed", "metered"}
    assert items["discount"].is_not_null().any()
    assert items["paused_to"].is_not_null().any()
    assert (items["unit_amount"] > 0).all()
    seats = items.filter((pl.col("item_id") == "seats") & ~pl.col("is_trial"))
    changes = seats.sort("valid_from").with_columns(
        more=pl.col("quantity").diff().over("subscription_id"),
        plans=pl.col("plan").n_unique().over("subscription_id"),
    )
    assert (changes["more"] > 0).sum() > 20, "upsells"
    assert (changes["more"] < 0).sum() > 5, "downgrades"
    assert (changes["plans"] > 1).any()
    subscribed = seats.group_by("account_id").agg(pl.col("subscription_id").n_unique())
    assert (subscribed["subscription_id"] == 2).sum() >= 5, "won back"


def test_health_today_is_mixed(full: Tables, end: date) -> None:
    share = health_estimate.shares(full, end)
    assert 0.50 <= share["green"] <= 0.62
    assert 0.18 <= share["yellow"] <= 0.31
    assert 0.05 <= share["orange"] <= 0.13
    assert 0.04 <= share["red"] <= 0.09
    assert 0.02 <= share["grey"] <= 0.07


def test_comments_are_many_and_in_three_languages(full: Tables) -> None:
    answers = frame(full["survey_responses"]).filter(pl.col("comment").is_not_null())
    assert answers["comment"].n_unique() > 800
    for language in ("en", "de", "sv"):
        assert answers.filter(pl.col("language") == language).height > 150, language
    assert answers["language"].null_count() == 0


def test_scores_fit_their_scales_and_moods(full: Tables) -> None:
    answers = frame(full["survey_responses"])
    fits = (pl.col("score") >= pl.col("scale_min")) & (
        pl.col("score") <= pl.col("scale_max")
    )
    assert answers.filter(~fits).is_empty()
    nps = answers.filter(pl.col("kind") == "nps")
    promoters = (nps["score"] >= 9).sum() - (nps["score"] <= 6).sum()
    assert 5 < 100 * promoters / len(nps) < 50
    assert answers.filter(pl.col("answered_at") < pl.col("invited_at")).is_empty()
