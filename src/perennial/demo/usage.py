"""Two million events: days on which people come, their sessions, and what they do.

Rates of features are planted by account and day; sessions only carry them. The
number of events in a session is the rate of all features divided by the expected
number of sessions, so that a feature's use does not depend on how often people come.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from perennial.demo import rates, sessions
from perennial.demo.arrow import Ints, table, uuids
from perennial.demo.clock import Window
from perennial.demo.engagement import over_time
from perennial.demo.world import World

#: Stints generated together: enough to be fast, few enough to be small.
_TOGETHER = 64
#: Events after the log-in, on average, that a session holds at most.
_MOST_MEAN = 16.0
_STRANGERS_PAGES = ('{"path":"/login"}', '{"path":"/pricing"}', '{"path":"/features"}')


def events(world: World, seed: int) -> pa.Table:
    """The table of events, ordered by account, user and time."""
    parts = [
        _chunk(world, np.arange(at, min(at + _TOGETHER, len(world.stints))), seed)
        for at in range(0, len(world.stints), _TOGETHER)
    ]
    return pa.concat_tables(parts)


def _chunk(world: World, stints: Ints, seed: int) -> pa.Table:
    rng = np.random.default_rng([seed, 101, int(stints[0])])
    days = over_time(
        world.accounts,
        world.stints,
        world.terms,
        stints,
        world.window,
        planted=world.planted,
    )
    rows = np.arange(*np.searchsorted(world.members.stint, (stints[0], stints[-1] + 1)))
    local = world.members.stint[rows] - stints[0]
    chance, dipped = rates.chances(world, rows, local, days)
    expected = np.zeros((len(stints), world.window.days))
    present, first = np.unique(local, return_index=True)
    expected[present] = np.add.reduceat(chance, first, axis=0)
    expected *= 1 + sessions.SECOND_SESSION
    use = rates.rates(rng, world, stints, days, local, rows, dipped)
    mean = use.sum(axis=2) / np.maximum(expected, 1e-4)
    mean = np.minimum(mean, _MOST_MEAN)
    found = sessions.sessions(rng, world, rows, local, chance, mean)
    return sessions.rows(rng, world, found, use, int(stints[0]))


def visitors(rng: np.random.Generator, window: Window, count: int) -> pa.Table:
    """Page views of people who have not logged in: no user and no account."""
    day = np.sort(rng.uniform(0, window.days, count))
    device = np.array(
        [f"anon-{n:06d}" for n in range(max(count // 3, 1))], dtype=object
    )
    page = np.array(_STRANGERS_PAGES, dtype=object)
    return table(
        "events",
        {
            "event_id": uuids(rng, count),
            "event": np.full(count, "Page Viewed", dtype=object),
            "timestamp": window.at(day),
            "anonymous_id": device[rng.integers(0, len(device), count)],
            "properties": page[rng.integers(0, len(page), count)],
        },
    )
