"""How long things last when not all of them are over: the Kaplan-Meier curve.

Time is in whatever whole unit the caller counts (days, months). Where an end and
a censoring fall on the same time, the censored one was still at risk of the end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import NamedTuple

#: Standard errors to each side of a 95 % interval.
_Z95 = 1.959964
#: Products of fractions miss an exact half by less than this.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Spell:
    """`count` equal observations: watched from `entry` to `duration`, and ended there?

    An entry above zero is left truncation: it was already that old when it came
    under observation, and tells nothing of the time before.
    """

    duration: int
    ended: bool
    entry: int = 0
    count: int = 1


class Step(NamedTuple):
    """A time at which something ended; `survival` is the share that goes on after."""

    time: int
    at_risk: int
    ended: int
    survival: float


def curve(spells: Iterable[Spell]) -> tuple[Step, ...]:
    """The survival curve: one step per time with an end, oldest first.

    Before the first step survival is 1. A spell is at risk at time t if
    entry < t <= duration, or from the start (entry 0) also at t = 0; spells that
    end where they enter, with an entry above zero, say nothing. Empty input: ().
    """
    leaving: Counter[int] = Counter()
    entering: Counter[int] = Counter()
    ends: Counter[int] = Counter()
    for spell in spells:
        # From the start means before any time, so also before time 0.
        since = spell.entry if spell.entry > 0 else -1
        if spell.duration <= since or spell.count <= 0:
            continue
        entering[since] += spell.count
        leaving[spell.duration] += spell.count
        if spell.ended:
            ends[spell.duration] += spell.count
    times = sorted(leaving.keys() | entering.keys())
    steps: list[Step] = []
    survival = 1.0
    at_risk = 0
    for time in times:
        if ends[time]:
            survival *= (at_risk - ends[time]) / at_risk
            steps.append(Step(time, at_risk, ends[time], survival))
        at_risk += entering[time] - leaving[time]
    return tuple(steps)


def intervals(steps: Sequence[Step]) -> tuple[tuple[float, float], ...]:
    """The 95 % interval of each step's survival: Greenwood's variance, on the scale of
    log(−log), so that it stays within 0 and 1. Where all have ended, from 0 to the
    upper end of the step before."""
    found: list[tuple[float, float]] = []
    spread = 0.0
    for step in steps:
        if step.survival <= 0:
            found.append((0.0, found[-1][1] if found else 1.0))
            continue
        spread += step.ended / (step.at_risk * (step.at_risk - step.ended))
        wide = _Z95 * sqrt(spread) / -log(step.survival)
        found.append((step.survival ** exp(wide), step.survival ** exp(-wide)))
    return tuple(found)


def at_risk(spells: Iterable[Spell], time: int) -> int:
    """How many were being watched just before a time; at 0, from the start."""
    return sum(
        s.count
        for s in spells
        if s.duration >= time and (s.entry < time or time == s.entry == 0)
    )


def survival_at(steps: Sequence[Step], time: float) -> float:
    """The share that lasts longer than `time`; 1 before the first end."""
    before = bisect_right([step.time for step in steps], time)
    return steps[before - 1].survival if before else 1.0


def median(steps: Sequence[Step]) -> int | None:
    """The first time at which no more than half go on; None if never reached."""
    return quantile(steps, 0.5)


def quantile(steps: Sequence[Step], share: float) -> int | None:
    """The first time by which at least `share` have ended; None if never reached."""
    for step in steps:
        if step.survival <= 1 - share + _ROUNDING:
            return step.time
    return None
