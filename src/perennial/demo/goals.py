"""What customers want to reach with the product, and how far they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from perennial.demo.arrow import Columns, Floats, Ints, numbered, table
from perennial.demo.engagement import feeling
from perennial.demo.moments import span
from perennial.demo.world import World

#: What is measured, where customers start, and what they want, as a factor.
MEASURES = (
    ("Orders done at the first visit", 0.68, 1.22),
    ("Hours of planning a week", 14.0, 0.6),
    ("Days from order to invoice", 9.0, 0.55),
    ("Crews planned on the board", 6.0, 2.0),
)
#: A goal is set this many days after the first paid day, and again every year.
_FIRST, _EVERY = 30, 365
#: Days a goal has, and days between two measurements.
_LONG, _STEP = 150, 25


@dataclass(frozen=True)
class Goals(Columns):
    """One element a goal; `reach` is how much of the way is done on the due day."""

    stint: Ints
    measure: Ints
    start: Floats
    baseline: Floats
    target: Floats
    reach: Floats


def goals(rng: np.random.Generator, world: World) -> Goals:
    """A goal a year for every paying account."""
    first, last = span(world.stints, world.window)
    years = np.arange(0, world.window.days // _EVERY + 3)
    begun = world.stints.paid[:, None] + _FIRST + _EVERY * years
    stint, year = np.nonzero((begun >= first[:, None]) & (begun < last[:, None]))
    start = np.floor(begun[stint, year] + rng.uniform(-10, 10, len(stint)))
    measure = rng.integers(0, len(MEASURES), len(stint))
    level, factor = (
        np.array(column) for column in list(zip(*MEASURES, strict=True))[1:]
    )
    baseline = level[measure] * rng.uniform(0.8, 1.2, len(stint))
    half_way = np.minimum(start + _LONG / 2, world.window.days - 1)
    felt = feeling(world.terms, world.stints, stint, half_way)
    return Goals(
        stint=stint,
        measure=measure,
        start=start,
        baseline=np.round(baseline, 2),
        target=np.round(baseline * factor[measure], 2),
        reach=1.0 + 0.25 * felt + 0.2 * rng.standard_normal(len(stint)),
    )


def goals_table(world: World, found: Goals) -> pa.Table:
    """One row a goal."""
    names = np.array([name for name, _, _ in MEASURES], dtype=object)
    account = world.stints.account[found.stint]
    return table(
        "goals",
        {
            "goal_id": numbered("goal_", len(found)),
            "account_id": world.accounts.ids[account],
            "measure": names[found.measure],
            "baseline": found.baseline,
            "target": found.target,
            "starts_on": world.window.dates(found.start),
            "due_on": world.window.dates(found.start + _LONG),
        },
    )


def values_table(rng: np.random.Generator, world: World, found: Goals) -> pa.Table:
    """One row a measurement: every few weeks, while the account is there."""
    steps = np.arange(_STEP, _LONG + _STEP + 1, _STEP)
    day = found.start[:, None] + steps + 0.4
    _, last = span(world.stints, world.window)
    goal, step = np.nonzero(day < last[found.stint][:, None])
    share = np.minimum(steps[step] / _LONG, 1.0) ** 0.8
    way = (found.target - found.baseline)[goal]
    noise = 0.04 * rng.standard_normal(len(goal))
    value = found.baseline[goal] + way * (found.reach[goal] * share + noise)
    ids = np.array(numbered("goal_", len(found)), dtype=object)
    return table(
        "goal_values",
        {
            "goal_id": ids[goal],
            "measured_at": world.window.at(day[goal, step]),
            "value": np.round(np.maximum(value, 0), 2),
        },
    )
