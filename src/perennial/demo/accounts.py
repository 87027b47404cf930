"""The table of accounts, as it stands on the last day, and what they may use."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from perennial.demo import catalog, company, names, truths
from perennial.demo.arrow import Bools, Floats, Ints, Texts, table
from perennial.demo.company import CUSTOMER, LEAD, TRIAL, Accounts
from perennial.demo.seats import ending
from perennial.demo.world import World

#: Customers are asked to be renewed this long before their term ends.
_RENEWAL_DAYS = 90
#: Onboarding that is not recorded as completed, though it was.
_NOT_RECORDED = 0.04
_SUBSIDIARIES = 0.05
_TIERS = ("High touch", "Standard", "Digital")
_REGIONS = {"DE": "DACH", "AT": "DACH", "SE": "Nordics", "FI": "Nordics"}


def accounts_table(rng: np.random.Generator, world: World) -> pa.Table:
    """One row an account."""
    accounts, window = world.accounts, world.window
    count = len(accounts)
    first = np.minimum(
        np.searchsorted(world.stints.account, np.arange(count)), len(world.stints) - 1
    )
    done = world.onboarded[first]
    recorded = (accounts.kind == CUSTOMER) & (rng.random(count) >= _NOT_RECORDED)
    done = np.where(recorded & (done < window.days), done, np.nan)
    # Churned before onboarding was through: it never was.
    done = np.where(done < world.stints.end[first], done, np.nan)
    touch = np.clip(accounts.segment + (rng.random(count) < 0.15), 0, 2)
    return table(
        "accounts",
        {
            "account_id": accounts.ids,
            "name": _names(accounts),
            "parent_account_id": _parents(rng, accounts),
            "domain": accounts.domains,
            "industry": _of([i for i, _ in names.INDUSTRIES], accounts.industry),
            "country": _of([c.code for c in names.COUNTRIES], accounts.country),
            "plan": _of([p.name for p in catalog.PLANS], _plans(world)),
            "tier": _of(_TIERS, touch),
            "segment": _of(truths.SEGMENTS, accounts.segment),
            "lifecycle_stage": _stages(world, done),
            "owner_email": _of(
                [names.staff_email(n) for n, _ in names.OWNERS], accounts.owner
            ),
            "currency": accounts.currency,
            "created_at": window.at(accounts.created + 0.2 + 0.07 * rng.random(count)),
            "onboarding_completed_at": window.at(done),
            "is_test": accounts.kind == company.TEST,
            "properties": _properties(rng, accounts),
        },
    )


def _of(pool: Sequence[str], index: Ints) -> Texts:
    chosen: Texts = np.array(pool, dtype=object)[index]
    return chosen


def _names(accounts: Accounts) -> Texts:
    test = accounts.kind == company.TEST
    own = [f"{names.VENDOR} sandbox {i + 1}" for i in range(int(test.sum()))]
    shown = accounts.names.copy()
    shown[test] = own
    return shown


def _parents(rng: np.random.Generator, accounts: Accounts) -> Texts:
    """A few belong to the account before them of the same industry and country."""
    parent = np.full(len(accounts), None, dtype=object)
    last: dict[tuple[int, int], int] = {}
    some = rng.random(len(accounts)) < _SUBSIDIARIES
    for i in np.flatnonzero(accounts.kind == CUSTOMER).tolist():
        key = (int(accounts.industry[i]), int(accounts.country[i]))
        if key in last and some[i]:
            parent[i] = accounts.ids[last[key]]
        else:
            last[key] = i
    return parent


def _properties(rng: np.random.Generator, accounts: Accounts) -> list[str]:
    people_each = np.rint(accounts.seats * rng.uniform(1.5, 9, len(accounts)))
    regions = [_REGIONS.get(c.code, "Other") for c in names.COUNTRIES]
    return [
        json.dumps({"employees": int(n), "region": regions[c]})
        for n, c in zip(people_each, accounts.country, strict=True)
    ]


def _last_stint(world: World) -> tuple[Ints, Bools]:
    """Row of the latest stint of each account, and whether it has one."""
    count = len(world.accounts)
    row = np.searchsorted(world.stints.account, np.arange(count), side="right") - 1
    row = np.maximum(row, 0)
    return row, world.stints.account[row] == np.arange(count)


def _plans(world: World) -> Ints:
    row, has = _last_stint(world)
    today = np.full(len(row), world.window.days - 1)
    return np.where(has, world.stints.plan_on(row, today), world.accounts.plan)


def _stages(world: World, done: Floats) -> Texts:
    """Where in its life each account stands on the last day."""
    row, _ = _last_stint(world)
    stints, days, kind = world.stints, world.window.days, world.accounts.kind
    ends = np.full(len(stints), np.inf)
    now = (world.terms.start < days) & (world.terms.end > days)
    ends[world.terms.stint[now]] = world.terms.end[now]
    age = days - world.accounts.created
    paused = (stints.pause_from[row] < days) & ~(stints.pause_to[row] < days)
    rules = (
        (kind == company.TEST, "Internal"),
        (kind == LEAD, "Lead"),
        (kind == TRIAL, "Trial"),
        (stints.end[row] <= days, "Churned"),
        (paused, "Paused"),
        ((age < 30) | (np.isnan(done) & (age < 120)), "Onboarding"),
        ((ends[row] - days < _RENEWAL_DAYS) & (stints.term[row] == 12), "Renewal"),
        (age < 240, "Adoption"),
    )
    conditions = [rule for rule, _ in rules]
    return np.select(conditions, [name for _, name in rules], "Value").astype(object)


def entitlements_table(world: World) -> pa.Table:
    """One row an account, feature and stretch of days on which its plan had it."""
    stints, window, accounts = world.stints, world.window, world.accounts
    until = np.minimum(stints.end, window.days)
    moved = (stints.plan_day < until) & (stints.plan_day > stints.created)
    stint = np.concatenate([np.arange(len(stints)), np.flatnonzero(moved)])
    switch = np.where(moved, stints.plan_day, stints.end)
    start = np.concatenate([stints.created, stints.plan_day[moved]])
    stop = np.concatenate([switch, stints.end[moved]])
    after = np.arange(len(stint)) >= len(stints)
    had = np.where(after, stints.next_plan[stint], stints.plan[stint])
    before = np.where(after, stints.plan[stint], -1)
    following = np.where(moved, stints.next_plan, -1)[stint]
    parts = []
    for feature in catalog.FEATURES:
        released = catalog.released_day(feature, window)
        # A change of plan that keeps a feature does not end it.
        fresh = (had >= feature.plan) & (before < feature.plan)
        on = following >= feature.plan
        last = np.where(~after & on, stints.end[stint], stop)
        begin = np.maximum(start, released)
        rows = np.flatnonzero(fresh & (begin < np.minimum(last, window.days)))
        parts.append(
            (stint[rows], np.full(len(rows), feature.id), begin[rows], last[rows])
        )
    of, what, begins, ends = (np.concatenate([p[i] for p in parts]) for i in range(4))
    order = np.lexsort((begins, what, accounts.ids[stints.account[of]].astype(str)))
    return table(
        "entitlements",
        {
            "account_id": accounts.ids[stints.account[of[order]]],
            "feature_id": what[order].astype(object),
            "starts_at": window.at(begins[order]),
            "ends_at": ending(window, ends[order]),
        },
    )
