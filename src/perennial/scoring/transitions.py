"""From scores to changes of color that mean something: H04 of the reference.

A score at a boundary goes back and forth. So an account keeps its color until the
score is 5 points beyond the boundary, or on the same other side twice in a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from perennial.scoring.explanation import Part, drivers, parts
from perennial.scoring.scorecard import Cuts

Cause = Literal["score", "model_change", "override", "first_score", "no_score"]
#: The state of an account without a score.
NONE = "none"
_RANK = {"red": 0, "orange": 1, "yellow": 2, "green": 3}
#: Points beyond the boundary that change the color at once.
MARGIN = 5.0
#: Evaluations in a row on the same other side that change it else.
CONFIRM = 2


@dataclass(frozen=True)
class Evaluation:
    """The health of one account on one day; `told` are its parts as JSON, `rules` what
    it is by: where they differ, so may the color without anything having happened.

    Scores that were carried over an outage are `is_frozen`: they change nothing.
    """

    date: date
    score: float | None
    color: str | None
    cuts: Cuts = (40.0, 60.0, 80.0)
    rules: tuple[object, ...] = ()
    mode: str = ""
    is_overridden: bool = False
    is_frozen: bool = False
    told: str = "[]"

    @property
    def parts(self) -> tuple[Part, ...]:
        return parts(self.told)

    @property
    def raw(self) -> str:
        return self.color if self.score is not None and self.color else NONE


@dataclass(frozen=True)
class State:
    """The color an account has by these rules.

    `waiting`: evaluations on another side so far, above 0 better and below 0 worse.
    `calm`: the last evaluation that was in this color.
    """

    color: str
    waiting: int = 0
    calm: Evaluation | None = None


@dataclass(frozen=True)
class Transition:
    """A change of color: where from, where to, and which parts moved the score.

    The scores are those of the last day in the former color and of the day itself.
    """

    date: date
    from_color: str
    to_color: str
    score_before: float | None
    score_after: float | None
    cause: Cause
    drivers: tuple[tuple[str, float], ...] = ()

    @property
    def is_worse(self) -> bool:
        """To a worse color; to or from no score is neither."""
        ranks = (_RANK.get(self.from_color), _RANK.get(self.to_color))
        return None not in ranks and ranks[1] < ranks[0]  # type: ignore[operator]


Step: TypeAlias = "tuple[State, Transition | None]"


def begin(now: Evaluation) -> State:
    """The state of an account seen for the first time: no transition."""
    return State(now.raw, 0, now)


def step(state: State, before: Evaluation | None, now: Evaluation) -> Step:
    """The state after one more evaluation, and the transition if there was one.

    `before` is the evaluation before this one.
    """
    if now.is_frozen:
        return state, None
    cause = _cause(state, before, now)
    if now.raw == state.color:
        return State(state.color, 0, now), None
    if cause != "score":
        return _moved(state, now, cause)
    side = 1 if _RANK[now.raw] > _RANK[state.color] else -1
    waiting = side if state.waiting * side <= 0 else state.waiting + side
    if abs(waiting) >= CONFIRM or _is_far(state.color, now, side):
        return _moved(state, now, cause)
    return State(state.color, waiting, state.calm), None


def _cause(state: State, before: Evaluation | None, now: Evaluation) -> Cause:
    if now.raw == NONE:
        return "no_score"
    if now.is_overridden or (before is not None and before.is_overridden):
        return "override"
    if state.color == NONE:
        return "first_score"
    if before is not None and before.rules != now.rules:
        return "model_change"
    return "score"


def _is_far(color: str, now: Evaluation, side: int) -> bool:
    """Is the score so far beyond the color's boundary that it needs no second look?"""
    assert now.score is not None
    rank = _RANK[color]
    if side > 0:
        return now.score >= now.cuts[rank] + MARGIN
    return now.score <= now.cuts[rank - 1] - MARGIN


def _moved(state: State, now: Evaluation, cause: Cause) -> Step:
    calm = state.calm
    # Parts of a scorecard and reasons of a chance are no drivers of each other.
    alike = calm is not None and calm.mode == now.mode
    told = tuple(drivers(now.parts, calm.parts)) if calm and alike else ()
    return State(now.raw, 0, now), Transition(
        now.date,
        state.color,
        now.raw,
        calm.score if calm else None,
        now.score,
        cause,
        told if cause not in ("first_score", "no_score") else (),
    )


def walk(
    start: State, evaluations: Sequence[Evaluation], before: Evaluation | None = None
) -> list[Transition]:
    """All transitions of a row of evaluations, oldest first."""
    state, found = start, []
    for now in evaluations:
        state, moved = step(state, before, now)
        before = now
        if moved is not None:
            found.append(moved)
    return found
