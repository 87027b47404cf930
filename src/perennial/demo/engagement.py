"""How each account feels about the product, day by day.

Everything here is a table of stints by days of the window. The level of the power
feature is planted. Other features follow only the mood of an account, which has
nothing to do with renewal, so that they do not tell leavers from stayers until the
last month; how many people come, and how often, depends on both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from perennial.demo import truths
from perennial.demo.arrow import Columns, Floats, Ints
from perennial.demo.clock import Window
from perennial.demo.company import Accounts
from perennial.demo.fate import FOREVER, LEVEL_SPREAD, Stints, Terms, level

#: Weight of the power level and of the mood in engagement; a standard normal too.
POWER_PART, MOOD_PART = 0.6, 0.8

#: How often people come, and which share of them stays away, by engagement. Both
#: are steep below the middle and flat above: a happy account does not live in it.
_ENGAGED = (-3.0, -2.0, -1.4, -0.9, -0.3, 0.0, 1.0, 2.0)
_COMING = (0.06, 0.13, 0.25, 0.42, 0.92, 1.0, 1.06, 1.12)
_AWAY = (0.93, 0.85, 0.75, 0.61, 0.18, 0.13, 0.1, 0.09)

#: What leavers still use of the power feature on the last day, and the days over which
#: it rose to where the decline begins.
_LAST, _RISE = 0.15, 150

#: Accounts whose people do not change are at least this engaged.
_STEADY_ENGAGEMENT = 0.7


@dataclass(frozen=True)
class Days(Columns):
    """Stints by days.

    - `power`: uses of the power feature a month.
    - `level`: that, as a share of the usual, without what leavers lose at the end.
    - `engagement`: standard normal.
    - `pace`: factor on how often people come; 0 where the account stands still.
    - `away`: share of the people who stay away.
    - `popular`: factor on the use of the popular feature.
    - `others`: factor on the use of all other features.
    """

    power: Floats
    level: Floats
    engagement: Floats
    pace: Floats
    away: Floats
    popular: Floats
    others: Floats


def over_time(
    accounts: Accounts,
    stints: Stints,
    terms: Terms,
    rows: Ints,
    window: Window,
    *,
    planted: bool,
) -> Days:
    """The days of some stints, in the order of `rows`; leavers use less before they
    leave only where that is `planted`."""
    some = stints.take(rows)
    account = some.account
    power, mood = _levels(terms, rows, window)
    power_day = level(accounts.segment[account][:, None], power)
    day = np.arange(window.days)
    left = some.end[:, None] - day
    age = day - some.created[:, None]
    engaged = POWER_PART * power + MOOD_PART * mood
    steady = accounts.steady[account][:, None]
    engaged = np.where(steady, np.maximum(engaged, _STEADY_ENGAGEMENT), engaged)
    lost, fewer = _declines(left)
    power_lost = _power_decline(left)
    if not planted:
        lost = fewer = power_lost = np.ones(left.shape)
    here = _presence(some, day)
    away = np.interp(engaged, _ENGAGED, _AWAY)
    plain = _attendance(MOOD_PART * mood)
    drawn = _attendance(engaged) / plain
    popular, ordinary = (
        truths.effect("popular_feature"),
        truths.effect("ordinary_feature"),
    )
    return Days(
        power=power_day * power_lost * np.interp(age, (2, 12, 50), (0, 0.4, 1)),
        level=np.exp(LEVEL_SPREAD * power),
        engagement=engaged,
        pace=np.interp(engaged, _ENGAGED, _COMING)
        * fewer
        * np.interp(age, (0, 40), (0.45, 1))
        * here,
        away=np.clip(away + 0.8 * (1 - fewer), 0, 0.95),
        popular=plain * drawn**popular * lost * here,
        others=plain * drawn**ordinary * lost * here,
    )


def feeling(terms: Terms, stints: Stints, stint: Ints, day: Floats) -> Floats:
    """How a stint feels on a day, as a standard normal: its engagement then, less in
    the last two months of those who leave; cool where there are no terms."""
    size = 10 * FOREVER
    keys = terms.stint * size + terms.start
    at = np.searchsorted(keys, stint * size + day, side="right") - 1
    at = np.maximum(at, np.searchsorted(terms.stint, stint))
    at = np.minimum(at, len(terms) - 1)
    engaged = POWER_PART * terms.power[at] + MOOD_PART * terms.mood[at]
    leaving = stints.end[stint] - day < 60
    return np.where(terms.stint[at] == stint, engaged - 1.2 * leaving, -0.8)


def _levels(terms: Terms, rows: Ints, window: Window) -> tuple[Floats, Floats]:
    """Levels of power and mood: steady within a term, gliding between terms."""
    days = np.arange(window.days)
    power, mood = np.zeros((len(rows), len(days))), np.zeros((len(rows), len(days)))
    first = np.searchsorted(terms.stint, rows)
    last = np.searchsorted(terms.stint, rows, side="right")
    for i, (a, b) in enumerate(zip(first, last, strict=True)):
        if a == b:
            continue
        start, end = terms.start[a:b], terms.end[a:b]
        length = end - start
        knots = np.stack(
            [start + length // 3, end - np.minimum(length // 6, 20)]
        ).T.ravel()
        power[i] = np.interp(days, knots, np.repeat(terms.power[a:b], 2))
        mood[i] = np.interp(days, knots, np.repeat(terms.mood[a:b], 2))
    return power, mood


def _power_decline(left: Ints) -> Floats:
    """Factor on the power feature of those who leave, by days left; its mean over the
    90 days that are measured is 1, so that the planted level is what is measured.
    Earlier decisions are not touched."""
    (truth,) = truths.find("power_decline")
    low, high = truth.low or 0.0, truth.high or 0.0
    middle = low + 45
    slope = truth.effect / 30
    steps = (_LAST, 1 + slope * (middle - low), 1 + slope * (middle - high), 1.0)
    return np.asarray(np.interp(left, (0, low, high, high + _RISE), steps))


def _declines(left: Ints) -> tuple[Floats, Floats]:
    """Factors of leavers, by days left: on other features, and on coming at all."""
    factors = []
    for name in ("rest_decline", "breadth_decline"):
        (truth,) = truths.find(name)
        span = (truth.low or 0.0, truth.high or 0.0)
        factors.append(np.interp(left, span, (1 + truth.effect, 1.0)))
    return factors[0], factors[1]


def _presence(stints: Stints, day: Ints) -> Floats:
    """1 where the product is used and tracked, else 0."""
    since, until = stints.pause_from[:, None], stints.pause_to[:, None]
    paused = (day >= since) & ~(day >= until)
    silent = day >= stints.silent_from[:, None]
    gone = (day < stints.created[:, None]) | (day >= stints.end[:, None])
    return np.where(paused | silent | gone | stints.untracked[:, None], 0.0, 1.0)


def _attendance(engaged: Floats) -> Floats:
    """How often people come in all, by engagement."""
    coming = np.interp(engaged, _ENGAGED, _COMING)
    return np.asarray(coming * (1 - np.interp(engaged, _ENGAGED, _AWAY)))
