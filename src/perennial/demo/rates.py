"""How likely people come, and how much of each feature an account uses, by day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perennial.demo import catalog, truths
from perennial.demo.arrow import Bools, Floats, Ints
from perennial.demo.catalog import EVENTS, FEATURE_INDEX, FEATURES
from perennial.demo.clock import WEEK
from perennial.demo.company import Accounts
from perennial.demo.engagement import Days
from perennial.demo.fate import FOREVER, Stints
from perennial.demo.world import World

_MONTH = 365.25 / 12
_MOST_LIKELY = 0.97

#: How different accounts are in what they do (spread of a logarithm).
_TASTE = 0.4
#: Engagement at which so many accounts use a gated feature.
_GATE = ((-2.0, -1.3, -0.4, 0.5, 1.5), (0.06, 0.25, 0.8, 0.96, 1.0))


def tastes(
    rng: np.random.Generator, accounts: Accounts, stints: Stints, *, planted: bool
) -> Floats:
    """Factors by stint and feature; on average the same for stayers and leavers of a
    segment, so that chance plants nothing beside what is `planted`."""
    drawn = _TASTE * rng.standard_normal((len(stints), len(FEATURES)))
    group = accounts.segment[stints.account] * 2 + (stints.end < FOREVER)
    for of in np.unique(group) if planted else ():
        drawn[group == of] -= drawn[group == of].mean(axis=0)
    return np.exp(drawn)


def chances(
    world: World, rows: Ints, local: Ints, days: Days
) -> tuple[npt.NDArray[np.float32], Floats]:
    """Chance that each person comes on each day; and the share kept in the dip."""
    window, members = world.window, world.members
    account = world.accounts
    stint = members.stint[rows]
    of = world.stints.account[stint]
    day = np.arange(window.days)
    calendar = WEEK[window.weekdays] * window.seasons[account.country[of]]
    there = (day >= np.floor(members.start[rows])[:, None]) & (
        day < members.end[rows][:, None]
    )
    awake = members.rank[rows][:, None] >= days.away[local]
    dip = truths.effect("tenure_dip")
    in_dip = _dip_days(world, stint)
    # Those who stay away in the dip are not those who stay away anyhow.
    rank = members.rank[rows]
    lazy = ((rank * 7919 % 1 < -dip) & (rank < 1))[:, None] & in_dip
    pace = members.pace[rows][:, None] * days.pace[local]
    chance = np.minimum(pace * calendar, _MOST_LIKELY) * (there & awake & ~lazy)
    return chance.astype(np.float32), np.where(in_dip, 1 + dip, 1.0)


def _dip_days(world: World, stint: Ints) -> Bools:
    (truth,) = truths.find("tenure_dip")
    done = world.window.clamp_month_day(np.floor(world.onboarded[stint]).astype(int))
    low = world.window.add_months(done, np.full(len(done), int(truth.low or 0)))
    high = world.window.add_months(done, np.full(len(done), int(truth.high or 0)))
    day = np.arange(world.window.days)
    return np.asarray((day >= low[:, None]) & (day < high[:, None]))


def rates(
    rng: np.random.Generator,
    world: World,
    stints: Ints,
    days: Days,
    local: Ints,
    rows: Ints,
    dipped: Floats,
) -> npt.NDArray[np.float32]:
    """Expected events by stint, day and event name of `EVENTS`."""
    window, count = world.window, len(stints)
    people = _people(world, rows, local, count)
    keep = np.ones((count, window.days))
    keep[local] = dipped
    season = window.seasons[world.accounts.country[world.stints.account[stints]]]
    common = keep * season / _MONTH
    taste = world.taste[stints]
    openness = rng.random((count, len(FEATURES)))
    week = WEEK[window.weekdays] / WEEK.mean()
    found = np.empty((count, window.days, len(EVENTS)), dtype=np.float32)
    for e, event in enumerate(EVENTS):
        if not event.feature:
            found[:, :, e] = event.share * people * days.others * common * week
            continue
        f = FEATURE_INDEX[event.feature]
        use = _feature_rate(FEATURES[f], days, people, common, taste[:, f])
        has = _available(world, stints, FEATURES[f], days, openness[:, f])
        found[:, :, e] = use * has * event.share * week
    return found


def _people(world: World, rows: Ints, local: Ints, count: int) -> Floats:
    """Members by stint and day."""
    last = world.window.days
    change = np.zeros((count, last + 1))
    joined = np.clip(np.floor(world.members.start[rows]), 0, last).astype(int)
    np.add.at(change, (local, joined), 1)
    np.add.at(change, (local, np.clip(world.members.end[rows], 0, last)), -1)
    return np.asarray(np.cumsum(change, axis=1)[:, :-1])


def _feature_rate(
    feature: catalog.Feature, days: Days, people: Floats, common: Floats, taste: Floats
) -> Floats:
    """Uses a day of an account that has the feature."""
    if feature.id == truths.POWER_FEATURE:
        return days.power * (days.pace > 0) / _MONTH
    popular = feature.id == truths.POPULAR_FEATURE
    factor = common * (days.popular if popular else days.others)
    use = feature.rate * people**feature.by_users * factor * taste[:, None]
    if feature.follows:
        use = use * days.level**feature.follows
    return np.asarray(use)


def _available(
    world: World, stints: Ints, feature: catalog.Feature, days: Days, openness: Floats
) -> Bools:
    """Where a stint has the feature, it is released, and it is taken up."""
    day = np.arange(world.window.days)
    plan = world.stints.plan_on(stints[:, None], day[None, :])
    has = (plan >= feature.plan) & (day >= catalog.released_day(feature, world.window))
    if feature.gated:
        has = has & (openness[:, None] < np.interp(days.engagement, *_GATE))
    return np.asarray(has)
