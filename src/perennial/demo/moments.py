"""When things happen that people do to each other: in office hours, now and then."""

from __future__ import annotations

import numpy as np

from perennial.demo.arrow import Floats, Ints
from perennial.demo.clock import Window
from perennial.demo.fate import Stints
from perennial.demo.world import World


def span(stints: Stints, window: Window) -> tuple[Floats, Floats]:
    """First day and first day no longer in which a stint is seen in the window."""
    first = np.maximum(stints.created, 0).astype(float)
    return first, np.maximum(np.minimum(stints.end, window.days), first)


def now_and_then(
    rng: np.random.Generator, first: Floats, last: Floats, a_day: Floats
) -> tuple[Ints, Floats]:
    """Rows and days of things that happen `a_day` times a day in [first, last)."""
    count = rng.poisson(a_day * np.maximum(last - first, 0))
    row = np.repeat(np.arange(len(count)), count)
    return row, first[row] + rng.random(len(row)) * (last - first)[row]


def in_office_hours(rng: np.random.Generator, window: Window, day: Floats) -> Floats:
    """The same days, weekends moved to the Monday, at an hour from 7 to 16 UTC."""
    whole = np.floor(day).astype(np.int64)
    weekday = (whole + window.start.weekday()) % 7
    whole = whole + np.where(weekday >= 5, 7 - weekday, 0)
    hour = np.clip(rng.normal(10.8, 2.4, len(day)), 6.5, 16.5)
    return np.asarray(whole + hour / 24)


def someone(rng: np.random.Generator, world: World, stint: Ints, day: Floats) -> Ints:
    """A member of each stint on a day who is not of the vendor: index of the user, or
    -1 if none was found."""
    members, inside = world.members, world.users.is_internal
    first = np.searchsorted(members.stint, stint)
    last = np.searchsorted(members.stint, stint, side="right")
    found = np.full(len(stint), -1)
    for _ in range(8):
        # Admins and others who came first are asked more often.
        place = first + ((last - first) * rng.random(len(stint)) ** 1.5).astype(int)
        place = np.minimum(place, len(members) - 1)
        fits = (members.start[place] <= day) & (members.end[place] > day)
        fits &= (last > first) & (found < 0) & ~inside[members.user[place]]
        found[fits] = members.user[place[fits]]
    return found
