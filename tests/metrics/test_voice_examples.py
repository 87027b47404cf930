"""The worked examples of surveys, asked through the public interface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.core.errors import BadValue
from perennial.metrics.feedback import is_mismatch
from tests.builders import Case

MARCH = {"start": "2026-03-01", "end": "2026-04-01"}


def answers(
    kind: str, scores: list[float], month: int = 3, **more: Any
) -> Iterator[dict[str, Any]]:
    """Anonymous answers, one a score."""
    name = f"{kind} {month} {sorted(more.items())}"
    for number, score in enumerate(scores):
        yield {
            "response_id": f"{name} {number}",
            "kind": kind,
            "score": float(score),
            "answered_at": f"2026-{month:02d}-15T10:00",
            **more,
        }


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Every survey in a month or at a touchpoint of its own."""
    case = Case(tmp_path_factory.mktemp("voice"))
    effort = [7, 6, 5, 4, 3, 2, 7, 5]
    counts = (80, 210, 140, 110, 160, 180, 120)
    many = [score for score, n in enumerate(counts, start=1) for _ in range(n)]
    case.facts(
        "survey_responses",
        *answers("nps", [10, 9, 9, 8, 7, 6, 0, 10, 5, 9]),
        *answers("nps", [10, 9, 8, 7, 6, 0], month=4),
        *answers("nps", [9] * 10 + [8] * 5 + [3] * 5, month=5),
        *answers("csat", [5, 4, 4, 5, 5, 3, 2, 1]),
        *answers("csat", [1] * 93 + [0] * 7, month=4, scale_min=0, scale_max=1),
        *answers("csat", [3, 2, 1, 3], month=5, scale_min=1, scale_max=3),
        *answers("csat", [7, 6, 5, 1], month=5, scale_max=7, touchpoint="support"),
        *answers("csat", [10, 9, 8, 1], month=5, scale_max=10, touchpoint="order"),
        *answers("ces", effort),
        *answers("ces", [1, 2, 3, 6], month=4, orientation="effort"),
        *answers("ces", [1] * 5 + [3] * 5 + [4] * 5 + [5] * 5, month=5, scale_max=5),
        *answers("ces", many, month=3, touchpoint="support"),
    )
    comments = {
        "c1": (3, {"price": -0.8, "support": 0.5}),
        "c2": (9, {"price": -0.3}),
        "c3": (10, {"ux": 0.9}),
        "c4": (6, {"ux": -0.5}),
        "c5": (8, {}),
    }
    case.facts(
        "survey_responses",
        *(
            {
                "response_id": name,
                "kind": "nps",
                "score": float(score),
                "comment": "Said so.",
                "answered_at": "2026-01-20T09:00",
            }
            for name, (score, _) in comments.items()
        ),
    )
    case.facts(
        "feedback_annotations",
        *(
            {"response_id": name, "topic": topic, "sentiment": felt, "version": 1}
            for name, (_, topics) in comments.items()
            for topic, felt in topics.items()
        ),
    )
    case.roll_up()
    return case


class TestNps:
    def test_promoters_less_detractors(self, case: Case) -> None:
        """NPS-1: 5 promoters, 2 passives, 3 detractors."""
        (row,) = case.workspace.metric("nps", **MARCH).to_dicts()
        assert (row["value"], row["numerator"], row["n"]) == (20.0, 2, 10)
        margin = case.value("nps", variant="margin", **MARCH)
        assert margin == pytest.approx(54.033, abs=0.001)
        shares = [
            case.value("nps", variant=name, **MARCH)
            for name in ("promoters", "passives", "detractors")
        ]
        assert shares == [50, 20, 30]

    def test_published_examples(self, case: Case) -> None:
        """nps_mixed and nps_20."""
        assert case.value("nps", start="2026-04-01", end="2026-05-01") == 0
        assert case.value("nps", start="2026-05-01", end="2026-06-01") == 25

    def test_as_of_looks_back_as_the_setting_says(self, case: Case) -> None:
        (row,) = case.workspace.metric("nps", as_of="2026-06-01").to_dicts()
        assert (row["n"], row["period_start"].isoformat()) == (36, "2026-03-03")

    def test_the_last_answer_of_everybody(self, tmp_path: Path) -> None:
        """NPS-2 and NPS-3: the latest wins, 11 is rejected, outside is ignored."""
        case = Case(tmp_path)
        told = [
            ("a", 2, "2026-01-05"),
            ("a", 9, "2026-02-01"),
            ("b", 7, "2026-01-10"),
            ("c", 10, "2026-03-01"),
            ("d", 5, "2026-03-02"),
            ("e", 11, "2026-03-03"),
            ("f", 10, "2025-12-31"),
        ]
        rows = [
            {
                "response_id": f"{user} {at}",
                "kind": "nps",
                "score": float(score),
                "user_id": user,
                "answered_at": at,
            }
            for user, score, at in told
        ]
        case.facts("survey_responses", *rows)
        case.roll_up()
        window = {"start": "2026-01-01", "end": "2026-04-01"}
        (row,) = case.workspace.metric("nps", **window).to_dicts()
        assert (row["value"], row["n"]) == (25.0, 4)
        empty = {"start": "2026-04-01", "end": "2026-05-01"}
        for variant in ("respondent", "margin", "account_weighted"):
            (row,) = case.workspace.metric("nps", variant=variant, **empty).to_dicts()
            assert (row["value"], row["status"]) == (None, "no_data")

    def test_weighted_by_account(self, tmp_path: Path) -> None:
        """NPS-4: pooled and by account; a person in two accounts counts in each."""
        case = Case(tmp_path)
        scores = {"A": [10, 10, 10, 9], "B": [3, 7]}
        for account, given_ in scores.items():
            case.facts("survey_responses", *answers("nps", given_, account_id=account))
        case.roll_up()
        assert case.value("nps", **MARCH) == 50
        assert case.value("nps", variant="account_weighted", **MARCH) == 25
        assert case.by("nps", "account", **MARCH) == {"A": 100, "B": -50}
        both = [
            {
                "response_id": f"u in {account}",
                "kind": "nps",
                "score": score,
                "user_id": "u",
                "account_id": account,
                "answered_at": f"2026-04-0{day}",
            }
            for account, score, day in (("A", 10.0, 1), ("B", 0.0, 2))
        ]
        case.facts("survey_responses", *both)
        april = {"start": "2026-04-01", "end": "2026-05-01"}
        assert case.value("nps", **april) == -100
        assert case.by("nps", "account", **april) == {"A": 100, "B": -100}
        assert case.value("nps", where="account = 'A'", **april) == 100

    def test_scales_and_occasions_are_told_apart(self, tmp_path: Path) -> None:
        case = Case(tmp_path)
        case.facts(
            "survey_responses",
            *answers("nps", [10, 7], scale_min=1, scale_max=10),
            *answers("nps", [0], touchpoint="order"),
            *answers("nps", [0, 10], month=4, touchpoint="order"),
        )
        case.roll_up()
        assert case.value("nps", **MARCH) == 50
        assert case.by("nps", "scale", **MARCH) == {"1-10": 50}
        by_touchpoint = case.by("nps", "touchpoint", **MARCH)
        assert by_touchpoint == {None: 50, "order": -100}
        where = "touchpoint in ('order')"
        assert case.value("nps", where=where, **MARCH) == -100
        # The workspace asks about the relationship: an occasion is no part of it.
        assert case.value("nps", start="2026-04-01", end="2026-05-01") is None

    def test_where_only_occasions_are_asked_about_they_are_the_number(
        self, tmp_path: Path
    ) -> None:
        case = Case(tmp_path)
        case.facts("survey_responses", *answers("nps", [10, 0, 9], touchpoint="order"))
        case.roll_up()
        assert case.value("nps", **MARCH) == pytest.approx(100 / 3)


class TestSatisfactionAndEffort:
    def test_satisfaction(self, case: Case) -> None:
        """CSAT-1: 4 and 5 of 1 to 5."""
        (row,) = case.workspace.metric("csat", **MARCH).to_dicts()
        assert (row["value"], row["numerator"], row["denominator"]) == (0.625, 5, 8)
        assert case.value("csat", variant="mean", **MARCH) == 3.625

    def test_other_scales(self, case: Case) -> None:
        """csat_thumbs: good of good and bad; 3 of 3, 6 and 7 of 7, 9 and 10 of 10."""
        assert case.value("csat", start="2026-04-01", end="2026-05-01") == 0.93
        may = {"start": "2026-05-01", "end": "2026-06-01"}
        by_scale = case.by("csat", "scale", **may)
        assert by_scale == {"1-3": 0.5, "1-7": 0.5, "1-10": 0.5}

    def test_effort(self, case: Case) -> None:
        """CES-1, CES-2, ces_pct, ces_mean and ces_index_same_data."""
        worded = {"where": "touchpoint is null", **MARCH}
        assert case.value("ces", **worded) == 0.625
        assert case.value("ces", variant="mean", **worded) == 4.875
        april = {"start": "2026-04-01", "end": "2026-05-01"}
        assert case.value("ces", **april) == 0.75
        assert case.value("ces", variant="mean", **april) == 5.0
        assert case.value("ces", start="2026-05-01", end="2026-06-01") == 0.5
        many = {"where": "touchpoint = 'support'", **MARCH}
        assert case.value("ces", variant="mean", **many) == 4.08
        assert case.value("ces", variant="index", **many) == pytest.approx(-13)

    def test_effort_is_positive_from_where_the_setting_says(self, case: Case) -> None:
        strict = case.workspace.settings.with_values({"ces_positive_from": 6})
        worded = {"where": "touchpoint is null", **MARCH}
        found = case.workspace.metric("ces", settings=strict, **worded)
        assert found.value == 3 / 8

    def test_several_answers_to_one_invitation(self, tmp_path: Path) -> None:
        case = Case(tmp_path)
        asked = {"kind": "csat", "invited_at": "2026-03-01"}
        case.facts(
            "survey_invites",
            {**asked, "invite_id": "i"},
            {**asked, "invite_id": "silent"},
            {**asked, "invite_id": "bounced", "bounced_at": "2026-03-01T01:00"},
        )
        first, last, *_ = answers("csat", [1, 5], invite_id="i")
        case.facts("survey_responses", first, {**last, "answered_at": "2026-03-20"})
        case.roll_up()
        (row,) = case.workspace.metric("csat", **MARCH).to_dicts()
        assert (row["value"], row["n"]) == (1.0, 1)
        (row,) = case.workspace.metric("survey_response_rate", **MARCH).to_dicts()
        assert (row["value"], row["denominator"]) == (0.5, 2)
        early = case.workspace.metric("survey_response_rate", as_of="2026-03-15")
        assert early.value == 0


class TestTopics:
    def test_a_topic(self, case: Case) -> None:
        """FB-1: what is said of the price, and by whom."""
        asked: dict[str, Any] = {"start": "2026-01-01", "end": "2026-02-01"}
        asked |= {"where": "topic = 'price'", "params": {"min_side": "1"}}
        told = {
            variant: case.value("feedback_topics", variant=variant, **asked)
            for variant in (
                *("mentions", "share", "net_sentiment"),
                *("mean_score", "impact", "nps"),
            )
        }
        assert told == {
            "mentions": 2,
            "share": 0.4,
            "net_sentiment": -1.0,
            "mean_score": 6.0,
            "impact": -2.0,
            "nps": 0.0,
        }
        comments = {"c1": (3, [-0.8, 0.5]), "c2": (9, [-0.3]), "c3": (10, [0.9])}
        comments |= {"c4": (6, [-0.5]), "c5": (8, [])}
        said = [name for name, told in comments.items() if is_mismatch(*told)]
        assert said == ["c2"]

    def test_small_sides_have_no_impact(self, case: Case) -> None:
        asked = {"start": "2026-01-01", "end": "2026-02-01", "variant": "impact"}
        rows = case.workspace.metric("feedback_topics", **asked).to_dicts()
        assert {row["topic"] for row in rows} == {"price", "support", "ux"}
        assert {row["status"] for row in rows} == {"insufficient"}
        assert {row["value"] for row in rows} == {None}

    def test_topics_by_promoters_and_detractors(self, case: Case) -> None:
        asked = {"start": "2026-01-01", "end": "2026-02-01", "by": ["group", "topic"]}
        rows = case.workspace.metric("feedback_topics", **asked).to_dicts()
        table = {(row["topic"], row["group"]): row["value"] for row in rows}
        assert table["price", "promoter"] == table["price", "detractor"] == 1
        assert table["price", "passive"] == 0

    def test_an_empty_month_has_no_mentions(self, case: Case) -> None:
        asked = {"start": "2026-02-01", "end": "2026-03-01", "grain": "month"}
        whole = {**asked, "start": "2026-01-01"}
        rows = case.workspace.metric("feedback_topics", **whole).to_dicts()
        assert [r["value"] for r in rows if r["period_start"].month == 2] == [0, 0, 0]
        rows = case.workspace.metric(
            "feedback_topics", variant="share", **whole
        ).to_dicts()
        assert {r["value"] for r in rows if r["period_start"].month == 2} == {None}

    def test_people_correct_the_analysis(self, tmp_path: Path) -> None:
        case = Case(tmp_path)
        rows = [*answers("csat", [5, 1, 3, 3], comment="Hm")]
        first, second, third, fourth = (row["response_id"] for row in rows)
        case.facts("survey_responses", *rows)
        told = [
            (first, "price", 1, "analysis"),
            (first, "speed", 2, "analysis"),
            (second, "price", 1, "person"),
            (second, "speed", 7, "analysis"),
            (third, "price", 1, "analysis"),
            (third, None, 2, "analysis"),
            (fourth, "price", 1, "analysis"),
            (fourth, None, 1, "person"),
        ]
        case.facts(
            "feedback_annotations",
            *(
                {"response_id": r, "topic": t, "version": v, "annotated_by": by}
                for r, t, v, by in told
            ),
        )
        case.roll_up()
        found = case.workspace.metric("feedback_topics", **MARCH).to_dicts()
        assert {row["topic"]: row["value"] for row in found} == {"price": 1, "speed": 1}

    def test_no_text_in_the_answer(self, case: Case) -> None:
        asked = {"start": "2026-01-01", "end": "2026-02-01"}
        found = case.workspace.metric("feedback_topics", **asked)
        assert "Said so." not in str(found.to_dicts()) + str(found.explain())

    def test_a_condition_on_topics_must_fit(self, case: Case) -> None:
        with pytest.raises(BadValue, match="cannot be compared"):
            case.workspace.metric("feedback_topics", where="topic > 3", **MARCH)


scores = st.lists(st.integers(0, 10), min_size=1, max_size=12)


class TestProperties:
    @settings(max_examples=4)
    @given(many=st.lists(scores, min_size=5, max_size=20), chance=st.randoms())
    def test_nps_of_any_answers(self, many: list[list[int]], chance: Random) -> None:
        """Bounded, whatever the order; a detractor who is won over never lowers it."""
        groups: dict[str, list[int]] = {}
        for number, given_ in enumerate(many):
            won = list(given_)
            won[given_.index(min(given_))] = 10
            groups[f"{number} given"] = given_
            groups[f"{number} shuffled"] = chance.sample(given_, len(given_))
            groups[f"{number} won"] = won
        with TemporaryDirectory() as folder:
            case = Case(Path(folder))
            rows = [
                row
                for account, told in groups.items()
                for row in answers("nps", told, account_id=account)
            ]
            case.facts("survey_responses", *rows)
            found = case.by("nps", "account", **MARCH)
        for number, given_ in enumerate(many):
            before = found[f"{number} given"]
            assert before is not None
            assert -100 <= before <= 100
            if all(score in (7, 8) for score in given_):
                assert before == 0
            assert found[f"{number} shuffled"] == before
            assert (found[f"{number} won"] or 0) >= before

    @given(st.integers(0, 10), st.lists(st.floats(-1, 1)))
    def test_a_mismatch_says_the_opposite(self, score: int, felt: list[float]) -> None:
        if is_mismatch(score, felt):
            assert score not in (7, 8)
            assert (score > 8) == (sum(felt) < 0)
