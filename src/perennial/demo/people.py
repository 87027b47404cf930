"""The people who sit in the seats.

A share of the seats is assigned. Each assigned seat is a chair that people take one
after the other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from perennial.demo import names
from perennial.demo.arrow import Bools, Columns, Floats, Ints, Texts, stack, table
from perennial.demo.clock import Window
from perennial.demo.company import TEST, Accounts
from perennial.demo.fate import Stints
from perennial.demo.seats import Seats, ending

#: Mean days that a person stays in a seat, and the days it then stands empty.
_TENURE = 355.0
_EMPTY = (2, 18)
#: People in one seat, one after the other, at most.
_OCCUPANTS = 9

#: Part of the people who may work for two customers, and who only test.
_SHARED = 0.004
_TESTERS = 0.002

ROLES = ("admin", "manager", "planner", "technician", "viewer")
_ROLE_SHARES = (0.04, 0.16, 0.25, 0.45, 0.1)


@dataclass(frozen=True)
class Members(Columns):
    """Who belongs to which stint, and when, ordered by stint and user.

    `rank` orders the people of a stint by how easily they stop coming; `pace` is
    the chance that they come on an ordinary working day.
    """

    stint: Ints
    user: Ints
    start: Floats
    end: Ints
    rank: Floats
    pace: Floats


@dataclass(frozen=True)
class Users(Columns):
    """One element a person, in the order of their ids."""

    stint: Ints
    names: Texts
    emails: Texts
    role: Ints
    created: Floats
    gone: Floats
    is_internal: Bools
    is_test: Bools

    @property
    def ids(self) -> Texts:
        """Ids by position."""
        return np.array([f"usr_{i + 1:05d}" for i in range(len(self))], dtype=object)


def chairs(
    rng: np.random.Generator,
    accounts: Accounts,
    stints: Stints,
    held: Seats,
    window: Window,
) -> tuple[Ints, Ints, Floats, Floats]:
    """Assigned seats: their stint, number in it, first day, first day no longer."""
    assigned = accounts.assigned[stints.account]
    target = np.rint(assigned[held.stint] * held.seats - 0.2).astype(np.int64)
    target = np.maximum(target, 1)
    opens, closes = [], []
    first = np.searchsorted(held.stint, np.arange(len(stints) + 1))
    for stint in range(len(stints)):
        runs = slice(first[stint], first[stint + 1])
        goal, start, end = target[runs], held.start[runs], held.end[runs]
        opened = np.full(goal.max(), np.inf)
        closed = np.full(goal.max(), float(start[0]))
        for k, number in enumerate(goal):
            fresh = np.flatnonzero(np.isinf(opened[:number]))
            late = rng.uniform(1, 25, len(fresh)) if k else 0.0
            opened[fresh] = start[k] + late
            closed[:number] = end[k]
        near = accounts.near[stints.account[stint]]
        opened[: goal[0]] = _ramp(rng, int(goal[0]), int(start[0]), window, near)
        opens.append(opened)
        closes.append(closed)
    sizes = [len(o) for o in opens]
    stint_of = np.repeat(np.arange(len(stints)), sizes)
    number = np.concatenate([np.arange(size) for size in sizes])
    return stint_of, number, np.concatenate(opens), np.concatenate(closes)


def _ramp(
    rng: np.random.Generator, count: int, start: int, window: Window, near: bool
) -> Floats:
    """First days of the seats that were bought first."""
    place = np.arange(count) / count
    slow = 50 * np.maximum(place - 0.4, 0) * rng.uniform(0.7, 1.3, count)
    day = start + rng.uniform(0.1, 3, count) + slow
    if near:
        # Its people become more month by month, until the seats are nearly gone.
        late = np.maximum(place - 0.78, 0) / 0.22
        day = np.where(late > 0, 20 + late * (window.days - 75), day)
    return day


def members(
    rng: np.random.Generator,
    accounts: Accounts,
    stints: Stints,
    held: Seats,
    window: Window,
) -> tuple[Members, Users]:
    """People and their memberships."""
    stint, number, opened, closed = chairs(rng, accounts, stints, held, window)
    steady = accounts.steady[stints.account[stint]]
    patience = np.where(number == 0, 3.0, 1.0) * np.where(steady, 50.0, 1.0)
    shape = (len(stint), _OCCUPANTS)
    tenure = 25 + rng.exponential(_TENURE, shape) * patience[:, None]
    empty = rng.uniform(*_EMPTY, shape) * ~steady[:, None]
    lengths = tenure + empty
    start = opened[:, None] + np.cumsum(lengths, axis=1) - lengths
    end = np.minimum(np.floor(start + tenure), closed[:, None])
    known = (start < np.minimum(closed, window.days - 1)[:, None]) & (end > start + 1)
    chair, turn = np.nonzero(known)
    # People are added in the morning of a day and leave at the end of one.
    began = np.floor(start[chair, turn]) + rng.uniform(0.28, 0.6, len(chair))
    left = end[chair, turn].astype(np.int64)
    found = Members(
        stint=stint[chair],
        user=np.arange(len(chair)),
        start=began,
        end=left,
        rank=np.where(steady[chair], 1.0, _ranks(rng, stints, stint, number)[chair]),
        pace=_pace(rng, steady[chair]),
    )
    first = number[chair] == 0
    users = _users(rng, accounts, stints, found, first, window)
    return _others(rng, accounts, stints, found, users, window)


def _ranks(
    rng: np.random.Generator, stints: Stints, stint: Ints, number: Ints
) -> Floats:
    """Evenly spread over the seats of a stint, so that in a small team, too, about
    the share of people stays away that should, and somebody is left."""
    return np.asarray((rng.random(len(stints))[stint] + number * 0.618034) % 1)


def _pace(rng: np.random.Generator, steady: Bools) -> Floats:
    pace = 0.68 * np.exp(0.5 * rng.standard_normal(len(steady)))
    return np.clip(np.where(steady, np.maximum(pace, 0.4), pace), 0.03, 0.97)


def _users(
    rng: np.random.Generator,
    accounts: Accounts,
    stints: Stints,
    found: Members,
    first: Bools,
    window: Window,
) -> Users:
    count = len(found)
    account = stints.account[found.stint]
    languages = np.array([c.language for c in names.COUNTRIES], dtype=object)
    people = names.people(rng, languages[accounts.country[account]])
    domains = accounts.domains[account]
    emails = names.addresses(people, domains)
    role = rng.choice(len(ROLES), count, p=_ROLE_SHARES)
    is_test = (accounts.kind[account] == TEST) | (rng.random(count) < _TESTERS)
    return Users(
        stint=found.stint,
        names=np.array(people, dtype=object),
        emails=np.array(emails, dtype=object),
        role=np.where(first, 0, role),
        created=found.start,
        gone=np.where(found.end < window.days, found.end, np.nan),
        is_internal=np.zeros(count, dtype=bool),
        is_test=is_test,
    )


def _others(
    rng: np.random.Generator,
    accounts: Accounts,
    stints: Stints,
    found: Members,
    users: Users,
    window: Window,
) -> tuple[Members, Users]:
    """With the vendor's own people, and people who work for two customers."""
    people = [name for name, _ in names.OWNERS] + list(names.STAFF)
    count = len(people)
    tests = np.flatnonzero(accounts.kind[stints.account] == TEST)
    open_ = _open(accounts, stints, window)
    at = np.concatenate([rng.choice(tests, count), rng.choice(open_, count // 2)])
    who = len(users) + np.concatenate([np.arange(count), np.arange(count // 2)])
    since = np.maximum(stints.created[at] + 1, 0) + 0.4
    none = np.zeros(count, dtype=bool)
    staff = Users(
        stint=at[:count],
        names=np.array(people, dtype=object),
        emails=np.array([names.staff_email(n) for n in people], dtype=object),
        role=np.ones(count, dtype=np.int64),
        created=np.full(count, 0.35),
        gone=np.full(count, np.nan),
        is_internal=~none,
        is_test=none,
    )
    helpers = Members(
        stint=at,
        user=who,
        start=since,
        end=stints.end[at],
        rank=rng.random(len(at)),
        pace=np.full(len(at), 0.12),
    )
    shared = _shared(rng, accounts, stints, found, window)
    every = stack([found, helpers, shared])
    order = np.lexsort((every.user, every.stint))
    return every.take(order), stack([users, staff])


def _open(accounts: Accounts, stints: Stints, window: Window) -> Ints:
    """Stints of customers about whose seats nothing is planted."""
    live = (stints.end > window.days) & np.isfinite(stints.paid)
    return np.flatnonzero(live & ~accounts.planted[stints.account])


def _shared(
    rng: np.random.Generator,
    accounts: Accounts,
    stints: Stints,
    found: Members,
    window: Window,
) -> Members:
    """Second memberships, in accounts that are open while the person is there."""
    live = (found.end > window.days) & (found.start < window.days - 60)
    live &= ~accounts.steady[stints.account[found.stint]]
    rows = rng.permutation(np.flatnonzero(live))[: max(2, round(_SHARED * len(found)))]
    open_ = _open(accounts, stints, window)
    second = rng.choice(open_, len(rows))
    start = np.maximum(np.maximum(found.start[rows], stints.created[second]) + 3, 0.4)
    moved = replace(found.take(rows), stint=second, start=start, end=stints.end[second])
    return moved.take((second != found.stint[rows]) & (start < window.days - 20))


def users_table(users: Users, window: Window) -> pa.Table:
    """One row a person."""
    return table(
        "users",
        {
            "user_id": users.ids,
            "email": users.emails,
            "name": users.names,
            "role": np.array(ROLES, dtype=object)[users.role],
            "created_at": window.at(users.created),
            "deactivated_at": window.at(users.gone),
            "is_internal": users.is_internal,
            "is_test": users.is_test,
        },
    )


def memberships_table(
    accounts: Accounts, stints: Stints, found: Members, users: Users, window: Window
) -> pa.Table:
    """One row a person in an account."""
    return table(
        "memberships",
        {
            "user_id": users.ids[found.user],
            "account_id": accounts.ids[stints.account[found.stint]],
            "starts_at": window.at(found.start),
            "ends_at": ending(window, found.end),
        },
    )
