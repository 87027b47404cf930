"""Who stays and who leaves: terms, their outcomes, pauses and returns.

An account lives through one stint, or two if it was won back. For each term of a
stint the level of use of the power feature is drawn, and then the outcome, with the
planted chance of the band that level lies in. Use is generated from it afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from perennial.demo import truths
from perennial.demo.arrow import Bools, Columns, Floats, Ints, stack
from perennial.demo.clock import Window
from perennial.demo.company import CUSTOMER, LEAD, LOST_TRIAL, TEST, TRIAL, Accounts

#: A stint that has not ended, and ends nowhere near.
FOREVER = 1_000_000

#: Fates are known this many days beyond the window, so that those who will leave
#: soon already behave like it.
_FORESIGHT = 200

#: Terms of founding customers that end before this day are not on record: what was
#: used before them would be cut off by the start of the window.
_FIRST_DECISION = 121

#: Level of use as a share of the segment's healthy level: median, and spread of its
#: logarithm.
MEDIAN_LEVEL = 1.0
LEVEL_SPREAD = 0.8

#: How much of a level is left after a year.
_MEMORY = 0.5

_RETURN_SHARE = 0.16


@dataclass(frozen=True)
class Stints(Columns):
    """One element a stint of an account, ordered by account.

    `created` is the first day of use, `paid` the first paid day (NaN: never), `end`
    the first day no longer a customer, `noticed` the day notice was given (NaN:
    none). Pauses, silence and missing tracking are at most one each.
    """

    account: Ints
    created: Ints
    paid: Floats
    end: Ints
    noticed: Floats
    term: Ints
    plan: Ints
    next_plan: Ints
    plan_day: Floats
    pause_from: Floats
    pause_to: Floats
    silent_from: Floats
    untracked: Bools
    seatless: Bools

    def plan_on(self, stint: Ints, day: Ints | Floats) -> Ints:
        """Index of the plan a stint has on a day."""
        return np.where(
            day < self.plan_day[stint], self.plan[stint], self.next_plan[stint]
        )


@dataclass(frozen=True)
class Terms(Columns):
    """One element a term: `power` and `mood` are standard normal levels of the use of
    the power feature and of that part of engagement that has nothing to do with it."""

    stint: Ints
    start: Ints
    end: Ints
    power: Floats
    mood: Floats
    renewed: Bools
    known: Floats


def level(segment: Ints, power: Floats) -> Floats:
    """Uses of the power feature a month and account."""
    healthy = np.array([t.effect for t in truths.find("healthy_level")])[segment]
    return healthy * MEDIAN_LEVEL * np.exp(LEVEL_SPREAD * power)


def renewal_chance(
    segment: Ints, uses: Floats, months: Ints, *, planted: bool = True
) -> Floats:
    """Chance to renew a term of some months, as planted for a year."""
    chance = np.full(len(segment), truths.UNRELATED_RENEWAL)
    for truth in truths.find("renewal_by_use") if planted else ():
        within = (segment == truths.SEGMENTS.index(truth.segment)) & (
            uses >= (truth.low or 0)
        )
        chance[within] = truth.effect
    return np.asarray(chance ** (months / 12))


def live(
    rng: np.random.Generator, accounts: Accounts, window: Window, *, planted: bool
) -> tuple[Stints, Terms]:
    """Every stint and every term that began before the end of the window.

    Where nothing is `planted`, whether an account stays has nothing to do with use.
    """
    first = _first_stints(rng, accounts)
    terms, end, noticed = _decide(rng, accounts, first, window, planted=planted)
    first = replace(first, end=np.minimum(first.end, end), noticed=noticed)
    second = _returns(rng, first, window)
    later, end, noticed = _decide(rng, accounts, second, window, planted=planted)
    second = replace(second, end=end, noticed=noticed)
    later = replace(later, stint=later.stint + len(first))
    both = stack([first, second])
    order = np.lexsort((both.created, both.account))
    stints, terms = both.take(order), stack([terms, later])
    terms = replace(terms, stint=np.argsort(order)[terms.stint])
    terms = terms.take(np.lexsort((terms.start, terms.stint)))
    stints = _pauses(rng, accounts, stints, terms, window)
    return _oddities(rng, accounts, stints, terms, window), terms


def _first_stints(rng: np.random.Generator, accounts: Accounts) -> Stints:
    rows = np.flatnonzero(accounts.kind != LEAD)
    count = len(rows)
    kind, created = accounts.kind[rows], accounts.created[rows]
    over = created + accounts.trial[rows]
    plan = accounts.plan[rows]
    moved = rng.choice([0, 1, -1], count, p=[0.8, 0.14, 0.06])
    changes = (kind == CUSTOMER) & ~accounts.planted[rows]
    next_plan = np.where(changes, np.clip(plan + moved, 0, 2), plan)
    day = np.maximum(created, 0) + rng.integers(100, 700, count)
    none = np.full(count, np.nan)
    return Stints(
        account=rows,
        created=created,
        paid=accounts.paid[rows],
        end=np.where(np.isin(kind, (LOST_TRIAL, TRIAL)), over, FOREVER),
        noticed=none,
        term=accounts.term[rows],
        plan=plan,
        next_plan=next_plan,
        plan_day=np.where(next_plan != plan, day, np.inf),
        pause_from=none,
        pause_to=none,
        silent_from=none,
        untracked=np.zeros(count, dtype=bool),
        seatless=kind == TEST,
    )


def _decide(
    rng: np.random.Generator,
    accounts: Accounts,
    stints: Stints,
    window: Window,
    *,
    planted: bool,
) -> tuple[Terms, Ints, Floats]:
    """Terms; the day each stint ends; and the day its notice was given."""
    count = len(stints)
    segment = accounts.segment[stints.account]
    keep = accounts.planted[stints.account] & planted
    paid = np.nan_to_num(stints.paid).astype(np.int64)
    alive = np.isfinite(stints.paid)
    nth = _first_on_record(stints, window)
    power, mood = rng.standard_normal(count), rng.standard_normal(count)
    power = np.where(keep, np.abs(power), power)
    memory = _MEMORY ** (stints.term / 12)
    end, noticed = np.full(count, FOREVER), np.full(count, np.nan)
    found: list[Terms] = []
    while alive.any() or not found:
        starts = window.add_months(paid, nth * stints.term)
        ends = window.add_months(paid, (nth + 1) * stints.term)
        uses = level(segment, power)
        chance = renewal_chance(segment, uses, stints.term, planted=planted)
        renewed = (rng.random(count) < chance) | keep
        known = ends - rng.integers(1, 15 + 6 * np.minimum(stints.term, 3), count)
        said = known.astype(float) + 0.5
        every = Terms(np.arange(count), starts, ends, power, mood, renewed, said)
        found.append(every.take(alive & (starts < window.days)))
        leaves = alive & ~renewed
        end[leaves], noticed[leaves] = ends[leaves], known[leaves]
        alive = alive & renewed & (ends <= window.days + _FORESIGHT)
        fresh: Floats = np.sqrt(1 - memory**2)
        power = memory * power + fresh * rng.standard_normal(count)
        power = np.where(keep, np.abs(power), power)
        mood = memory * mood + fresh * rng.standard_normal(count)
        nth = nth + 1
    terms = stack(found)
    return _balanced(terms, segment) if planted else terms, end, noticed


def _balanced(terms: Terms, segment: Ints) -> Terms:
    """With moods that are, on average, the same for stayers and leavers of a segment:
    chance must not plant what is not meant to be there."""
    group = segment[terms.stint] * 2 + terms.renewed
    count = np.maximum(np.bincount(group), 1)
    return replace(
        terms, mood=terms.mood - (np.bincount(group, terms.mood) / count)[group]
    )


def _first_on_record(stints: Stints, window: Window) -> Ints:
    """Number of the first term that is on record, for each stint."""
    paid = np.nan_to_num(stints.paid).astype(np.int64)
    nth = np.zeros(len(stints), dtype=np.int64)
    earliest = np.where(stints.term == 1, 31, _FIRST_DECISION)
    while True:
        ends = window.add_months(paid, (nth + 1) * stints.term)
        early = (paid < 0) & (ends < earliest)
        if not early.any():
            return nth
        nth = nth + early


def _returns(rng: np.random.Generator, first: Stints, window: Window) -> Stints:
    """Second stints of some of those who left."""
    back = first.end + rng.integers(40, 260, len(first))
    paying = np.isfinite(first.paid)
    won = paying & (back < window.days - 5) & (rng.random(len(first)) < _RETURN_SHARE)
    rows = np.flatnonzero(won)
    start = window.clamp_month_day(back[rows])
    last = np.where(first.plan_day < first.end, first.next_plan, first.plan)[rows]
    return replace(
        first.take(rows),
        created=start,
        paid=start.astype(float),
        end=np.full(len(rows), FOREVER),
        plan=last,
        next_plan=last,
        plan_day=np.full(len(rows), np.inf),
    )


def _current(stints: Stints, terms: Terms, window: Window) -> tuple[Ints, Ints]:
    """First and last day of the term each stint is in today; 0, 0 if it is in none."""
    start, end = np.zeros(len(stints), np.int64), np.zeros(len(stints), np.int64)
    now = (terms.start < window.days) & (terms.end > window.days)
    start[terms.stint[now]], end[terms.stint[now]] = terms.start[now], terms.end[now]
    return start, end


def _pauses(
    rng: np.random.Generator,
    accounts: Accounts,
    stints: Stints,
    terms: Terms,
    window: Window,
) -> Stints:
    """Stints with pauses; early in a year's term, so that no decision is near."""
    pause_from, pause_to = stints.pause_from.copy(), stints.pause_to.copy()
    days, free = window.days, ~accounts.planted[stints.account]
    year = (terms.end - terms.start > 360) & (terms.start > 0) & free[terms.stint]
    rows = np.flatnonzero(year & (rng.random(len(year)) < 0.035))
    starts = terms.start[rows] + rng.integers(40, 90, len(rows))
    ends = starts + rng.integers(25, 80, len(rows))
    over = ends < np.minimum(days, stints.end[terms.stint[rows]])
    pause_from[terms.stint[rows[over]]] = starts[over]
    pause_to[terms.stint[rows[over]]] = ends[over]
    start, end = _current(stints, terms, window)
    may = free & (end - start > 360) & np.isnan(pause_from) & (stints.end > days + 60)
    short = np.flatnonzero(may & (start > days - 190) & (start < days - 60))
    short = rng.permutation(short)[: max(1, len(accounts) // 100)]
    pause_from[short], pause_to[short] = days - rng.integers(6, 38, len(short)), np.nan
    long = np.flatnonzero(may & (start > days - 235) & (start < days - 190))[:1]
    pause_from[long], pause_to[long] = days - 118, np.nan
    return replace(stints, pause_from=pause_from, pause_to=pause_to)


def _oddities(
    rng: np.random.Generator,
    accounts: Accounts,
    stints: Stints,
    terms: Terms,
    window: Window,
) -> Stints:
    """Stints that went silent, were never tracked, or have no seats."""
    start, end = _current(stints, terms, window)
    days, some = window.days, max(1, len(accounts) // 130)
    free = (
        ~accounts.planted[stints.account]
        & np.isnan(stints.pause_from)
        & (stints.end > days + 60)
        & (start < days - 100)
        & (end > days + 45)
    )
    undecided = np.bincount(terms.stint, minlength=len(stints)) == 1
    order = rng.permutation(np.flatnonzero(free & (stints.created > 0) & undecided))
    untracked = np.zeros(len(stints), dtype=bool)
    untracked[order[:some]] = True
    order = rng.permutation(np.flatnonzero(free & ~untracked))
    quiet, flat = order[: 2 * some], order[2 * some : 3 * some]
    silent = np.full(len(stints), np.nan)
    silent[quiet] = days - rng.integers(33, 70, len(quiet))
    seatless = stints.seatless.copy()
    seatless[flat] = True
    return replace(stints, silent_from=silent, untracked=untracked, seatless=seatless)
