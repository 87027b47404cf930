"""What is planted can be found again, by other means than it was planted with."""

from __future__ import annotations

import math
from datetime import date, timedelta

import polars as pl
import pytest

from perennial.demo import catalog, truths
from perennial.demo.names import COUNTRIES
from perennial.demo.phrases import LANGUAGES, SENTENCES
from tests.demo import decisions, seat_use, tenure
from tests.demo.conftest import Tables
from tests.demo.frames import frame

FEATURES = [f.id for f in catalog.FEATURES]
POWER = truths.POWER_FEATURE
POPULAR = truths.POPULAR_FEATURE


@pytest.fixture(scope="module")
def decided(full: Tables) -> pl.DataFrame:
    """Decided terms with uses a month of every feature before them."""
    return decisions.uses(full, decisions.decided(full), FEATURES)


def test_the_table_says_what_the_list_says() -> None:
    table = truths.truths()
    assert table.num_rows == len(truths.TRUTHS)
    assert table.schema.names == [
        "name",
        "subject",
        "segment",
        "low",
        "high",
        "effect",
        "about",
    ]
    assert frame(table)["about"].str.len_chars().min() > 20


def test_a_truth_that_is_not_one_is_refused() -> None:
    assert truths.effect("tenure_dip") < 0
    with pytest.raises(LookupError):
        truths.effect("renewal_by_use")
    with pytest.raises(LookupError):
        truths.effect("tenure_dip", subject="acc_0001")


@pytest.mark.parametrize("segment", truths.SEGMENTS)
def test_enough_of_both_are_decided(decided: pl.DataFrame, segment: str) -> None:
    some = decided.filter(pl.col("segment") == segment)
    assert some["renewed"].sum() >= 20
    assert (~some["renewed"]).sum() >= 20


@pytest.mark.parametrize("segment", truths.SEGMENTS)
def test_power_feature_separates_stayers_from_leavers(
    decided: pl.DataFrame, segment: str
) -> None:
    some = decided.filter(pl.col("segment") == segment)
    assert decisions.auc(some["renewed"], some[POWER]) > 0.66
    stayed = some.filter("renewed")[POWER].mean()
    left = some.filter(~pl.col("renewed"))[POWER].mean()
    assert stayed > 1.5 * left


@pytest.mark.parametrize("segment", truths.SEGMENTS)
def test_renewal_rises_with_use_as_planted(decided: pl.DataFrame, segment: str) -> None:
    # Only years: the chance of shorter terms is the planted one for their length.
    some = decided.filter((pl.col("segment") == segment) & (pl.col("months") == 12))
    low_band, high_band = [], []
    for truth in truths.find("renewal_by_use", segment=segment):
        assert truth.low is not None
        band = some.filter(
            (pl.col(POWER) >= truth.low) & (pl.col(POWER) < (truth.high or math.inf))
        )
        if len(band) == 0:
            continue
        # Counting uses blurs the edges of bands, so three standard errors and a bit.
        error = math.sqrt(truth.effect * (1 - truth.effect) / len(band))
        assert abs(band["renewed"].mean() - truth.effect) < 3 * error + 0.08, truth
        healthy = truths.effect("healthy_level", segment=segment)
        (low_band if truth.low < 0.6 * healthy else high_band).append(band)
    low, high = pl.concat(low_band), pl.concat(high_band)
    assert high["renewed"].mean() - low["renewed"].mean() > 0.2


def test_power_feature_is_the_most_used_of_those_that_separate(
    decided: pl.DataFrame,
) -> None:
    stayed = decided.filter("renewed")
    separating = {
        f: stayed[f].mean()
        for f in FEATURES
        if decisions.auc(decided["renewed"], decided[f]) >= 0.6
    }
    assert max(separating, key=lambda f: separating[f]) == POWER


def test_companions_separate_but_less(decided: pl.DataFrame) -> None:
    power = decisions.auc(decided["renewed"], decided[POWER])
    for truth in truths.find("companion_feature"):
        found = decisions.auc(decided["renewed"], decided[truth.subject])
        assert 0.53 < found < power - 0.05, truth.subject


def test_popular_feature_is_used_most_and_does_not_separate(
    decided: pl.DataFrame,
) -> None:
    means = {f: decided[f].mean() for f in FEATURES}
    assert max(means, key=lambda f: means[f]) == POPULAR
    # Its own size must not be mistaken: within segments, and by account.
    for segment in truths.SEGMENTS:
        some = decided.filter(pl.col("segment") == segment)
        assert abs(decisions.auc(some["renewed"], some[POPULAR]) - 0.5) < 0.1, segment
    assert abs(decisions.auc(decided["renewed"], decided[POPULAR]) - 0.5) < 0.07


def test_leavers_lose_the_power_feature_first(full: Tables) -> None:
    (truth,) = truths.find("power_decline")
    terms = decisions.decided(full).filter(
        ~pl.col("renewed")
        & (pl.col("months") == 12)
        & (pl.col("created_at").dt.date() < pl.col("term_end") - timedelta(250))
    )
    names = frame(full["event_definitions"]).select(event="name", feature="feature_id")
    first = frame(full["events"].select(["timestamp"]))["timestamp"].min().date()
    terms = terms.filter(pl.col("term_end") - timedelta(180) >= first)
    events = frame(full["events"].select(["event", "timestamp", "account_id"]))
    uses = (
        events.join(names.unique(), on="event")
        .join(terms.select("account_id", "term_end"), on="account_id")
        .with_columns(
            left=(pl.col("term_end") - pl.col("timestamp").dt.date()).dt.total_days()
        )
    )

    def share(feature: str, low: int, high: int) -> float:
        some = uses.filter(
            (pl.col("feature") == feature) & pl.col("left").is_between(low, high)
        )
        return len(some) / (high - low + 1)

    lost = share(POWER, 31, 60) / share(POWER, 151, 180)
    slope = truth.effect / 30
    middle = (truth.low or 0) + 45
    expected = (1 + slope * (middle - 45)) / (1 + slope * (middle - 165))
    assert lost == pytest.approx(expected, abs=0.12)
    kept = share(POPULAR, 31, 60) / share(POPULAR, 151, 180)
    assert 0.8 < kept < 1.2
    at_last = share(POPULAR, 1, 7) / share(POPULAR, 31, 60)
    assert at_last < 0.65


def test_a_segment_has_a_higher_healthy_level(decided: pl.DataFrame) -> None:
    level = {t.segment: t.effect for t in truths.find("healthy_level")}
    assert level[truths.ENTERPRISE] > level[truths.MID_MARKET] > level[truths.SMALL]
    # At uses that are healthy in a small business, large accounts still leave.
    between = (pl.col(POWER) >= level[truths.SMALL]) & (
        pl.col(POWER) < level[truths.ENTERPRISE]
    )
    year = decided.filter(between & (pl.col("months") == 12))
    rate = dict(year.group_by("segment").agg(pl.col("renewed").mean()).iter_rows())
    assert (
        rate[truths.ENTERPRISE]
        < truths.find("renewal_by_use", segment=truths.ENTERPRISE)[-1].effect
    )
    medians = dict(decided.group_by("segment").agg(pl.col(POWER).median()).iter_rows())
    found = medians[truths.ENTERPRISE] / medians[truths.SMALL]
    planted = level[truths.ENTERPRISE] / level[truths.SMALL]
    assert found == pytest.approx(planted, rel=0.3)


def test_usage_dips_six_months_after_onboarding(full: Tables, end: date) -> None:
    (truth,) = truths.find("tenure_dip")
    found = tenure.dips(tenure.curve(full, end))
    assert [k for k, change in found.items() if change <= -0.2] == [truth.low]
    assert found[6] == pytest.approx(truth.effect, abs=0.1)


@pytest.mark.parametrize("segment", truths.SEGMENTS)
def test_usage_dips_in_every_segment(full: Tables, end: date, segment: str) -> None:
    by_month = tenure.curve(full, end, segment)
    assert by_month.filter(pl.col("k") == 6)["n"].item() >= 20
    assert tenure.dips(by_month)[6] <= -0.2


def test_accounts_near_their_limit(full: Tables, end: date) -> None:
    use = seat_use.utilization(full, end)
    near = pl.col("account_id").is_in(
        [t.subject for t in truths.find("seats_near_limit")]
    )
    planted = use.filter(near)
    assert len(planted) == len(truths.find("seats_near_limit"))
    assert planted["use"].min() >= 0.9
    assert planted["use"].max() <= 1.0
    assert (use.filter(~near)["use"] >= 0.9).mean() < 0.12
    earlier = seat_use.utilization(full, end - timedelta(330)).filter(near)
    assert planted["active"].sum() > 1.03 * earlier["active"].sum()


def test_accounts_whose_seats_stagnate(full: Tables, end: date) -> None:
    names = [t.subject for t in truths.find("seats_stagnating")]
    year = [
        seat_use.utilization(full, end - timedelta(30 * k)).filter(
            pl.col("account_id").is_in(names)
        )
        for k in range(12)
    ]
    months = pl.concat(year).group_by("account_id").agg("active", pl.col("use").mean())
    assert len(months) == len(names)
    assert months["use"].min() >= 0.6
    assert months["use"].max() < 0.9
    for active in months["active"]:
        assert active.max() - active.min() <= 2


def test_accounts_with_unused_seats(full: Tables, end: date) -> None:
    names = [t.subject for t in truths.find("seats_unused")]
    for k in range(3):
        use = seat_use.utilization(full, end - timedelta(30 * k))
        some = use.filter(pl.col("account_id").is_in(names))
        assert len(some) == len(names)
        assert some["use"].max() < 0.6


def test_a_feature_is_not_used(full: Tables, end: date) -> None:
    (truth,) = truths.find("unused_feature")
    names = frame(full["event_definitions"]).filter(
        pl.col("feature_id") == truth.subject
    )["name"]
    since = pl.col("timestamp").dt.date() >= end - timedelta(90)
    events = frame(full["events"].select(["event", "timestamp", "user_id"])).filter(
        since
    )
    users = events.filter(pl.col("event").is_in(names.to_list()))["user_id"].n_unique()
    assert users / events["user_id"].n_unique() < 0.01


def test_summer_is_quieter(full: Tables) -> None:
    germany = next(c for c in COUNTRIES if c.code == "DE")
    germans = frame(full["accounts"]).filter(pl.col("country") == "DE")["account_id"]
    of_them = pl.col("account_id").is_in(germans.to_list())
    events = frame(full["events"].select(["timestamp", "user_id", "account_id"]))
    people = (
        events.filter(of_them)
        .group_by(day=pl.col("timestamp").dt.date())
        .agg(came=pl.col("user_id").n_unique())
        .filter(pl.col("day").dt.weekday() <= 4)
    )
    members = frame(full["memberships"]).filter(of_them)
    days = (
        people.join(members.select("starts_at", "ends_at"), how="cross")
        .filter(
            (pl.col("starts_at").dt.date() <= pl.col("day"))
            & (
                pl.col("ends_at").is_null()
                | (pl.col("ends_at").dt.date() > pl.col("day"))
            )
        )
        .group_by("day", "came")
        .len()
        .with_columns(
            share=pl.col("came") / pl.col("len"),
            away=(pl.col("day").dt.ordinal_day() - germany.summer - 1).abs(),
        )
    )
    summer = days.filter(pl.col("away") <= 6)["share"].mean()
    around = days.filter(pl.col("away").is_between(40, 70))["share"].mean()
    assert isinstance(summer, float)
    assert isinstance(around, float)
    planted = truths.effect("summer_dip") * germany.depth
    assert summer / around - 1 == pytest.approx(planted, abs=0.06)


def test_complaints_about_a_theme_surge(full: Tables, end: date) -> None:
    (truth,) = truths.find("theme_surge")
    answers = frame(full["survey_responses"]).filter(pl.col("comment").is_not_null())
    complaints = {
        theme: [
            phrase
            for language in LANGUAGES
            for phrase in SENTENCES[language, theme, "negative"]
        ]
        for theme in dict.fromkeys(key[1] for key in SENTENCES)
    }
    recent = pl.col("answered_at").dt.date() >= end - timedelta(90)
    odds = []
    for when in (recent, ~recent):
        comments = answers.filter(when)["comment"]
        about = comments.str.contains_any(complaints[truth.subject]).sum()
        every = comments.str.contains_any([p for ps in complaints.values() for p in ps])
        odds.append(about / (every.sum() - about))
    assert odds[0] / odds[1] == pytest.approx(truth.effect, rel=0.45)


def test_generated_from_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed truth changes the data: nothing is written down twice."""
    from perennial.demo.generate import generate

    def active(tables: Tables) -> int:
        return tables["events"].num_rows

    small = {"end": date(2026, 1, 1), "accounts": 40, "months": 10, "scale": 0.5}
    before = active(generate(**small))
    changed = tuple(
        truths.Truth(**{**t.__dict__, "effect": -0.9}) if t.name == "summer_dip" else t
        for t in truths.TRUTHS
    )
    monkeypatch.setattr(truths, "TRUTHS", changed)
    assert active(generate(**small)) < 0.97 * before
