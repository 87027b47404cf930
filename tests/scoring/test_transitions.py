"""When a change of score is a change of color: H04, and what an outage is."""

from __future__ import annotations

import json
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.scoring import outage
from perennial.scoring.transitions import Evaluation, State, Transition, step, walk

FIRST = date(2026, 6, 1)
CUTS = (40.0, 60.0, 80.0)


def color(score: float) -> str:
    return ("red", "orange", "yellow", "green")[sum(score >= cut for cut in CUTS)]


def day(n: int, score: float | None, **more: Any) -> Evaluation:
    """The evaluation of the n-th day, the first is 1."""
    shade = None if score is None else color(score)
    return Evaluation(FIRST + timedelta(days=n - 1), score, shade, **more)


def moved(start: str, *scores: float | None) -> list[tuple[int, str, str]]:
    days = [day(n, score) for n, score in enumerate(scores, 1)]
    return [
        ((t.date - FIRST).days + 1, t.from_color, t.to_color)
        for t in walk(State(start), days)
    ]


def test_confirmed_or_far() -> None:
    """TR-1."""
    assert moved("yellow", 61, 59, 61, 58, 57, 52, 33) == [
        (5, "yellow", "orange"),
        (7, "orange", "red"),
    ]


@pytest.mark.parametrize(
    ("start", "scores", "expected"),
    [
        ("yellow", [55], [(1, "yellow", "orange")]),
        ("yellow", [55.01], []),
        ("yellow", [85], [(1, "yellow", "green")]),
        ("yellow", [84.9], []),
        ("yellow", [84.9, 80], [(2, "yellow", "green")]),
        ("yellow", [82, 58, 82, 58], []),
        ("green", [20], [(1, "green", "red")]),
        ("green", [79, 59], [(2, "green", "orange")]),
        ("red", [45], [(1, "red", "orange")]),
        ("red", [41, 41], [(2, "red", "orange")]),
        ("none", [41], [(1, "none", "orange")]),
        ("orange", [None], [(1, "orange", "none")]),
    ],
)
def test_at_the_boundary(
    start: str, scores: list[float | None], expected: list[tuple[int, str, str]]
) -> None:
    assert moved(start, *scores) == expected


def test_drivers_are_of_the_last_day_in_the_former_color() -> None:
    def told(a: float, b: float) -> str:
        parts = (("a", a), ("b", b))
        return json.dumps(
            [{"name": n, "value": v, "weight": 0.5, "contribution": v / 2}
             for n, v in parts]
        )  # fmt: skip

    days = [
        day(1, 65, told=told(70, 60)),
        day(2, 58, told=told(60, 56)),
        day(3, 57, told=told(60, 54)),
    ]
    (found,) = walk(State("yellow"), days)
    assert (found.score_before, found.score_after) == (65, 57)
    assert found.drivers == (("a", -5.0), ("b", -3.0))
    assert found.is_worse


def test_another_scorecard_changes_the_color_at_once_and_says_so() -> None:
    days = [day(1, 61, rules=(1,)), day(2, 59, rules=(2,)), day(3, 59, rules=(2,))]
    (found,) = walk(State("yellow"), days)
    assert (found.date, found.cause) == (days[1].date, "model_change")


def test_an_override_changes_the_color_at_once_when_it_comes_and_goes() -> None:
    days = [day(1, 61), day(2, 30, is_overridden=True), day(3, 61), day(4, 59)]
    assert [t.cause for t in walk(State("yellow"), days)] == ["override", "override"]


def test_frozen_scores_change_nothing_and_confirm_nothing() -> None:
    days = [
        day(1, 59),
        day(2, 59, is_frozen=True),
        day(3, 61),
        day(4, 20, is_frozen=True),
    ]
    assert walk(State("yellow"), days) == []


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30))
def test_the_color_is_never_far_from_the_score(scores: list[float]) -> None:
    """After each evaluation the score is in the color or within 5 points of it."""
    state, before = State(color(scores[0])), None
    found: list[Transition] = []
    for n, score in enumerate(scores, 1):
        now = day(n, score)
        state, change = step(state, before, now)
        before = now
        low = dict(zip(("red", "orange", "yellow", "green"), (0, *CUTS), strict=True))
        high = dict(
            zip(("red", "orange", "yellow", "green"), (*CUTS, 101), strict=True)
        )
        assert low[state.color] - 5 < score < high[state.color] + 5
        found += [change] if change else []
    for earlier, later in pairwise(found):
        assert earlier.to_color == later.from_color


# Outages


def volumes(usual: int, last: int) -> dict[date, int]:
    """Ten weeks of the same volume every day, and one more day."""
    days = {FIRST - timedelta(days=n): usual for n in range(1, 71)}
    return {**days, FIRST: last}


@pytest.mark.parametrize(
    ("usual", "last", "expected"),
    [(100, 49, True), (100, 50, False), (100, 0, True), (10, 0, False)],
)
def test_half_of_what_is_usual(usual: int, last: int, expected: bool) -> None:
    found = volumes(usual, last)
    told = outage.expected(found, FIRST, min(found))
    assert outage.is_outage(last, told) is expected


def test_too_short_a_history_and_holidays_tell_nothing() -> None:
    found = volumes(100, 0)
    assert outage.expected(found, FIRST, FIRST - timedelta(days=22)) is None
    assert outage.expected(found, FIRST, min(found), {FIRST}) is None


def test_weekdays_are_compared_with_their_like() -> None:
    quiet = {d: 5 if d.weekday() == FIRST.weekday() else 500 for d in volumes(1, 1)}
    assert outage.expected(quiet, FIRST, min(quiet)) is None
