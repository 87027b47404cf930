"""Sessions, the events in them, and their rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from perennial.demo import catalog
from perennial.demo.arrow import Floats, Ints, pick, table, uuids
from perennial.demo.catalog import EVENTS, FEATURE_INDEX, FEATURES
from perennial.demo.clock import DAY_US
from perennial.demo.world import World

#: Chance of a second session on the same day.
SECOND_SESSION = 0.03
#: Events after the log-in, at most; how uneven sessions are; and the chance that an
#: event is another one of the kind before it.
_MOST, _UNEVEN, _AGAIN = 59, 2.0, 0.12
#: Minutes between events: median, spread of the logarithm, and longest.
_GAP, _GAP_SPREAD, _LONGEST_GAP = 6.2, 0.75, 29
_MINUTE_US = 60_000_000

_HEARTBEATS, _NO_ACCOUNT, _LATE = 0.04, 0.006, 0.007
_LATE_HOURS = 26

#: What an event can be: a log-in, one of `EVENTS`, a heartbeat.
_KINDS = (catalog.LOGIN, *EVENTS, catalog.HEARTBEAT)
_HEARTBEAT = len(_KINDS) - 1
#: Smallest plan that has the feature of each kind of event.
_PLAN = np.array(
    [FEATURES[FEATURE_INDEX[e.feature]].plan if e.feature else 0 for e in _KINDS]
)


@dataclass(frozen=True)
class Sessions:
    """One element a session: its row in the members, day, start and events."""

    member: Ints
    day: Ints
    start: Ints
    events: Ints


def sessions(
    rng: np.random.Generator,
    world: World,
    rows: Ints,
    local: Ints,
    chance: npt.NDArray[np.float32],
    mean: Floats,
) -> Sessions:
    """Sessions of members (`rows`, each of a stint `local`) who come by `chance`;
    `mean` is how many events they have after the log-in, by stint and day."""
    comes = rng.random(chance.shape, dtype=np.float32) < chance
    row, day = np.nonzero(comes)
    again = rng.random(len(row)) < SECOND_SESSION
    hour = _first_hour(rng, len(row))
    later = hour[again] + rng.uniform(2, 5, int(again.sum()))
    row, day = np.concatenate([row, row[again]]), np.concatenate([day, day[again]])
    hour = np.concatenate([hour, later])
    order = np.lexsort((hour, day, row))
    row, day, hour = row[order], day[order], hour[order]
    member = rows[row]
    account = world.stints.account[world.members.stint[member]]
    offset = world.window.offsets[world.accounts.zone[account], day]
    start = (day * DAY_US + hour * 3_600_000_000 - offset * 60_000_000).astype(np.int64)
    return Sessions(member, day, start, _sizes(rng, mean[local[row], day]))


def _first_hour(rng: np.random.Generator, count: int) -> Floats:
    """Local hour at which somebody begins: morning, after lunch, now and then late."""
    kind = rng.random(count)
    hour = np.where(
        kind < 0.58, rng.normal(8.9, 1.1, count), rng.normal(13.8, 1.3, count)
    )
    hour = np.where(kind > 0.95, rng.uniform(17, 21.5, count), hour)
    return np.clip(hour, 5.5, 21.9)


def _sizes(rng: np.random.Generator, mean: Floats) -> Ints:
    """Events after the log-in: mostly some, now and then many."""
    sure = np.minimum(mean, 0.92)
    rest = np.maximum(mean - sure, 0)
    some = rng.poisson(rest * rng.gamma(_UNEVEN, 1 / _UNEVEN, len(mean)))
    return np.minimum((rng.random(len(mean)) < sure) + some, _MOST).astype(np.int64)


def rows(
    rng: np.random.Generator,
    world: World,
    found: Sessions,
    rates: npt.NDArray[np.float32],
    first_stint: int,
) -> pa.Table:
    """The events of sessions, ordered by member and time."""
    size = found.events + 1
    session = np.repeat(np.arange(len(size)), size)
    begin = np.cumsum(size) - size
    place = np.arange(len(session)) - begin[session]
    at = found.start[session] + _offsets(rng, session, place, size, begin)
    member = found.member[session]
    stint = world.members.stint[member]
    kind = _kinds(rng, rates, stint - first_stint, found.day[session], place)
    first = world.members.start[member] * DAY_US
    last = np.minimum(world.members.end[member], world.window.days) * DAY_US
    # In the west a session may run into the UTC day of a smaller plan.
    has = world.stints.plan_on(stint, at / DAY_US) >= _PLAN[kind]
    keep = (at >= first) & (at < last) & has
    ends = keep & (np.append(session[1:], -1) != session)
    beat = np.flatnonzero(ends & (rng.random(len(at)) < _HEARTBEATS))
    later = at[beat] + rng.integers(5, 100, len(beat)) * _MINUTE_US
    beat, later = beat[later < last[beat]], later[later < last[beat]]
    who = np.concatenate([member[keep], member[beat]])
    time = np.concatenate([at[keep], later])
    what = np.concatenate([kind[keep], np.full(len(beat), _HEARTBEAT)])
    order = np.lexsort((time, who))
    return _table(rng, world, who[order], time[order], what[order])


def _offsets(
    rng: np.random.Generator, session: Ints, place: Ints, size: Ints, begin: Ints
) -> Ints:
    """Microseconds from the start of the session to each of its events."""
    count = len(session)
    # Long sessions are busy ones: many events, close together.
    calm = 1 / np.sqrt(np.maximum(size / 3, 1))
    minutes = _GAP * np.exp(_GAP_SPREAD * rng.standard_normal(count)) * calm[session]
    gap = (np.minimum(minutes, _LONGEST_GAP) * _MINUTE_US).astype(np.int64)
    gap[place == 0] = 0
    total = np.cumsum(gap)
    return total - total[begin][session] if count else total


def _kinds(
    rng: np.random.Generator,
    rates: npt.NDArray[np.float32],
    stint: Ints,
    day: Ints,
    place: Ints,
) -> Ints:
    """What each event is: 0 a log-in, else 1 + its index in `EVENTS`.

    An event often repeats the one before it; that changes no rate, as both are drawn
    from the same shares.
    """
    edges = np.cumsum(rates, axis=2)
    edges /= np.maximum(edges[:, :, -1:], 1e-9)
    shares = edges.reshape(-1, len(EVENTS))
    row = stint * rates.shape[1] + day
    draw = rng.random(len(row), dtype=np.float32)
    fresh = (place <= 1) | (rng.random(len(row), dtype=np.float32) > _AGAIN)
    source = np.maximum.accumulate(np.where(fresh, np.arange(len(row)), 0))
    draw = draw[source]
    kind = np.ones(len(row), dtype=np.int64)
    for e in range(len(EVENTS) - 1):
        kind += draw > shares[row, e]
    kind[place == 0] = 0
    return kind


def _names(world: World, kind: Ints, time: Ints) -> pa.Array:
    """Event names; assets were registered under another name until the change."""
    pool = [event.name for event in _KINDS]
    new = pool.index(catalog.NEW_ASSET_EVENT)
    old = (kind == new) & (time < catalog.renamed_day(world.window) * DAY_US)
    return pick([*pool, catalog.OLD_ASSET_EVENT], np.where(old, len(pool), kind))


def _properties(rng: np.random.Generator, kind: Ints) -> pa.Array:
    """JSON on every other event that has examples."""
    pools = [catalog.properties(event) for event in _KINDS]
    count = np.array([len(pool) for pool in pools])
    first = np.cumsum(count) - count
    draw = rng.random(len(kind), dtype=np.float32) * 2
    index = first[kind] + (draw * count[kind]).astype(np.int64)
    index[(draw >= 1) | (count[kind] == 0)] = -1
    return pick([text for pool in pools for text in pool], index)


def _table(
    rng: np.random.Generator, world: World, member: Ints, time: Ints, kind: Ints
) -> pa.Table:
    """Events of members, the time in microseconds from the start of the window."""
    count = len(member)
    start = np.datetime64(world.window.start, "us")
    account: Ints = world.stints.account[world.members.stint[member]].copy()
    account[rng.random(count, dtype=np.float32) < _NO_ACCOUNT] = -1
    late = np.flatnonzero(rng.random(count, dtype=np.float32) < _LATE)
    received = np.full(count, np.datetime64("NaT", "us"))
    delay = (rng.exponential(_LATE_HOURS, len(late)) * 3_600_000_000).astype(np.int64)
    arrival = np.minimum(time[late] + delay, world.window.days * DAY_US - 1)
    received[late] = start + arrival
    return table(
        "events",
        {
            "event_id": uuids(rng, count),
            "event": _names(world, kind, time),
            "timestamp": start + time,
            "user_id": pick(world.users.ids, world.members.user[member]),
            "account_id": pick(world.accounts.ids, account),
            "sent_at": received,
            "received_at": received,
            "properties": _properties(rng, kind),
        },
    )
