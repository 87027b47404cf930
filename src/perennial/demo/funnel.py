"""Before and at the beginning: leads, and the steps of onboarding."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from perennial.demo.arrow import Floats, Ints, Texts, numbered, table
from perennial.demo.clock import Window
from perennial.demo.company import CUSTOMER, LEAD, LOST_TRIAL, TEST, TRIAL, Accounts
from perennial.demo.moments import in_office_hours
from perennial.demo.world import World

STAGES = ("lead", "mql", "sql", "opportunity", "won")
LOST = "lost"
SOURCES = ("organic search", "paid search", "referral", "event", "partner", "outbound")
_SOURCE_SHARES = (0.31, 0.22, 0.14, 0.1, 0.09, 0.14)
#: Leads that never become accounts, for each account.
_OTHER_LEADS = 5.5
#: Share of these that get from each stage to the next, and median days it takes.
_GETS_ON = (0.48, 0.42, 0.4)
_DAYS = (2.5, 5.0, 7.0, 9.0)

FLOW = "Getting started"
STEPS = (
    "Invite accepted",
    "Profile completed",
    "First work order",
    "Board set up",
    "Mobile app paired",
    "First report",
)
#: Share of people that get from each step to the next, and median days it takes.
_STEP_SHARES = (0.93, 0.86, 0.81, 0.62, 0.74)
_STEP_DAYS = (0.2, 0.4, 1.2, 3.0, 4.0, 5.0)
#: Newcomers whose onboarding stands still after this step.
STALLED_AFTER = 3
#: Every so many accounts among the newcomers stands still.
_STALLED_EVERY = 2


def lead_tables(
    rng: np.random.Generator, accounts: Accounts, window: Window
) -> tuple[pa.Table, pa.Table]:
    """Leads, and one row a lead and stage reached."""
    account, day = _of_accounts(rng, accounts)
    others = round(_OTHER_LEADS * len(accounts))
    account = np.concatenate([account, np.full(others, -1)])
    # More come in later: marketing grew with the company.
    grown = window.days * rng.random(others) ** 0.8
    day = np.concatenate([day, in_office_hours(rng, window, grown)])
    keep = (day >= 0) & (day < window.days)
    account, day = account[keep], day[keep]
    order = np.argsort(day, kind="stable")
    account, day = account[order], day[order]
    ids = np.array(numbered("lead_", len(day)), dtype=object)
    of = np.array([*accounts.ids, None], dtype=object)[account]
    leads = table(
        "leads",
        {
            "lead_id": ids,
            "created_at": window.at(day),
            "source": np.array(SOURCES, dtype=object)[
                rng.choice(len(SOURCES), len(day), p=_SOURCE_SHARES)
            ],
            "account_id": of,
        },
    )
    return leads, _stages(rng, accounts, account, day, ids, window)


def _of_accounts(rng: np.random.Generator, accounts: Accounts) -> tuple[Ints, Floats]:
    """The leads behind accounts that were made in the window."""
    row = np.flatnonzero((accounts.created > 0) & (accounts.kind != TEST))
    ahead = 6 + rng.gamma(2.2, 8, len(row))
    ahead = np.where(accounts.kind[row] == LEAD, 0.5, ahead)
    return row, accounts.created[row] - ahead + 0.4


def _stages(
    rng: np.random.Generator,
    accounts: Accounts,
    account: Ints,
    day: Floats,
    ids: Texts,
    window: Window,
) -> pa.Table:
    count = len(day)
    kind = np.where(account >= 0, accounts.kind[account], LOST_TRIAL)
    reached = 1 + _run(rng, count, _GETS_ON)
    reached = np.where(account >= 0, 4, reached)
    reached = np.where((account >= 0) & (kind == LEAD), 2, reached)
    gaps = np.stack([np.zeros(count), *(m * rng.gamma(2, 0.6, count) for m in _DAYS)])
    at = day + np.cumsum(gaps, axis=0)
    # Whoever became an account was an opportunity before that, and was won by paying.
    made = np.where(account >= 0, accounts.created[account], np.nan)
    spread = day + (made - day) * np.linspace(0, 0.9, 4)[:, None]
    at[:4] = np.where((account >= 0) & (kind != LEAD), spread, at[:4])
    paid = np.where(account >= 0, accounts.paid[account], np.nan)
    at[4] = np.where(kind == CUSTOMER, paid + 0.4, at[4])
    reached = np.where((account >= 0) & (kind == CUSTOMER), 5, reached)
    lead, stage, when = [], [], []
    for s, name in enumerate(STAGES):
        there = np.flatnonzero((reached > s) & (at[s] < window.days))
        lead.append(there)
        stage.append(np.full(len(there), name, dtype=object))
        when.append(at[s][there])
    end = at[np.minimum(reached, 4), np.arange(count)] + rng.gamma(2, 8, count)
    gone = (rng.random(count) < 0.75) & (reached < 5) & (end < window.days)
    gone = np.flatnonzero(gone & ~np.isin(kind, (TRIAL, LEAD)))
    lead.append(gone)
    stage.append(np.full(len(gone), LOST, dtype=object))
    when.append(end[gone])
    return table(
        "lead_stages",
        {
            "lead_id": ids[np.concatenate(lead)],
            "stage": np.concatenate(stage),
            "entered_at": window.at(np.concatenate(when)),
        },
    )


def _run(rng: np.random.Generator, count: int, shares: tuple[float, ...]) -> Ints:
    """How many steps each gets on, when each step keeps its share."""
    kept = rng.random((count, len(shares))) < np.array(shares)
    return np.asarray(np.cumprod(kept, axis=1).sum(axis=1))


def onboarding_table(rng: np.random.Generator, world: World) -> pa.Table:
    """One row a person and step of the flow that everybody enters when invited."""
    members, window, stints = world.members, world.window, world.stints
    account = stints.account[members.stint]
    new = (members.start > 0) & (world.users.created[members.user] == members.start)
    row = np.flatnonzero(new & (world.accounts.kind[account] != TEST))
    reached = 1 + _run(rng, len(row), _STEP_SHARES)
    stalled = world.accounts.newcomer[account[row]] & (
        account[row] % _STALLED_EVERY == 0
    )
    reached = np.where(stalled, np.minimum(reached, STALLED_AFTER), reached)
    gaps = [median * rng.gamma(1.6, 0.7, len(row)) for median in _STEP_DAYS]
    at = members.start[row] + 0.01 + np.cumsum(gaps, axis=0)
    until = np.minimum(members.end[row], window.days)
    step, who = np.nonzero((np.arange(len(STEPS))[:, None] < reached) & (at < until))
    order = np.lexsort((step, who))
    step, who = step[order], who[order]
    return table(
        "onboarding_steps",
        {
            "flow": np.full(len(who), FLOW, dtype=object),
            "step": np.array(STEPS, dtype=object)[step],
            "position": step + 1,
            "account_id": world.accounts.ids[account[row[who]]],
            "user_id": world.users.ids[members.user[row[who]]],
            "completed_at": window.at(at[step, who]),
        },
    )
