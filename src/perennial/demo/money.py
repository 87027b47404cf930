"""What customers pay: subscription items and contracts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from perennial.demo.arrow import (
    Bools,
    Columns,
    Dates,
    Floats,
    Ints,
    Texts,
    stack,
    table,
)
from perennial.demo.catalog import PLANS
from perennial.demo.clock import Window
from perennial.demo.company import TRIAL, Accounts
from perennial.demo.fate import Stints
from perennial.demo.seats import Seats

#: A price in EUR, in other currencies.
PRICE_LISTS = {"EUR": 1.0, "USD": 1.1, "SEK": 11.0, "GBP": 0.88}
INTERVALS = {1: "month", 3: "quarter", 12: "year"}

#: Part of the list price off for paying ahead, by months of the term.
_AHEAD = {1: 0.0, 3: 0.04, 12: 0.1}
#: Prices rise with every full year.
_RISE = 0.05
_DISCOUNTED, _ADDED, _METERED = 0.18, 0.22, 0.08
_ADD_ON = 90.0
_MESSAGE = 0.06


@dataclass(frozen=True)
class Items(Columns):
    """One element an item and validity; amounts are in the account's currency and of
    one billing interval. Days are days of the window; NaN stands for none."""

    stint: Ints
    item: Texts
    plan: Ints
    start: Ints
    end: Ints
    quantity: Floats
    unit: Floats
    discount: Floats
    status: Texts
    trial_end: Floats
    pause_from: Floats
    pause_to: Floats

    @property
    def counted(self) -> Bools:
        """Items that are recurring revenue while they are valid."""
        return np.asarray((self.status != "trialing") & (self.item != "messages"))


def items(
    rng: np.random.Generator,
    accounts: Accounts,
    stints: Stints,
    held: Seats,
    window: Window,
) -> Items:
    """Everything ever subscribed to."""
    parts = [_trials(accounts, stints, held)]
    lucky = rng.random(len(stints)) < _DISCOUNTED
    off = np.where(lucky, rng.choice([0.1, 0.15, 0.2], len(stints)), 0.0)
    late = _past_due(rng, accounts, stints, window)
    for stint in np.flatnonzero(np.isfinite(stints.paid)):
        cuts = _cuts(stints, held, int(stint), late[stint], window)
        parts.append(
            _seat_items(
                accounts, stints, held, int(stint), cuts, off[stint], late[stint]
            )
        )
    parts.append(_add_ons(rng, accounts, stints, window))
    parts.append(_metered(rng, accounts, stints))
    every = stack(parts)
    paused = every.take(np.lexsort((every.start, every.item.astype(str), every.stint)))
    return _with_pauses(paused, stints, window)


def unit_price(
    accounts: Accounts, stints: Stints, stint: Ints, monthly: Floats
) -> Floats:
    """A monthly price in EUR as the price of an interval in the account's currency."""
    account, term = stints.account[stint], stints.term[stint]
    local = np.array([PRICE_LISTS[c] for c in accounts.currency[account]])
    ahead = np.array([1 - _AHEAD[t] for t in term])
    return np.asarray(np.round(monthly * local * term * ahead, 2))


def _item(stint: Ints, item: str, **given: object) -> Items:
    count = len(stint)
    none = np.full(count, np.nan)
    columns: dict[str, object] = {
        "plan": np.zeros(count, np.int64),
        "quantity": np.ones(count),
        "discount": none,
        "status": np.full(count, "active", dtype=object),
        "trial_end": none,
        "pause_from": none,
        "pause_to": none,
    }
    name = np.full(count, item, dtype=object)
    return Items(stint=stint, item=name, **{**columns, **given})  # type: ignore[arg-type]


def _trials(accounts: Accounts, stints: Stints, held: Seats) -> Items:
    """The trials that some stints begin with, and some never get beyond."""
    account = stints.account
    first = np.append(True, account[1:] != account[:-1])
    stint = np.flatnonzero(first & (accounts.trial[account] > 0))
    of = account[stint]
    over = stints.created[stint] + accounts.trial[of]
    monthly = np.array([p.price for p in PLANS])[stints.plan[stint]]
    return _item(
        stint,
        "seats",
        plan=stints.plan[stint],
        start=stints.created[stint],
        end=np.where(
            accounts.kind[of] == TRIAL, over, np.minimum(over, stints.end[stint])
        ),
        quantity=held.on(stint, stints.created[stint]).astype(float),
        unit=unit_price(accounts, stints, stint, monthly),
        status=np.full(len(stint), "trialing", dtype=object),
        trial_end=over.astype(float),
    )


def _past_due(
    rng: np.random.Generator, accounts: Accounts, stints: Stints, window: Window
) -> Floats:
    """Days since which the last bill of a few live stints is not paid; else NaN."""
    day = np.full(len(stints), np.nan)
    may = (stints.end > window.days) & (stints.paid < window.days - 60)
    may &= np.isnan(stints.pause_from) & ~accounts.planted[stints.account]
    rows = rng.permutation(np.flatnonzero(may))[: max(1, len(accounts) // 100)]
    day[rows] = window.days - rng.integers(4, 26, len(rows))
    return day


def _cuts(stints: Stints, held: Seats, stint: int, late: float, window: Window) -> Ints:
    """Days on which what a stint pays for its seats may change."""
    paid, end = int(stints.paid[stint]), int(stints.end[stint])
    first, last = np.searchsorted(held.stint, (stint, stint + 1))
    years = np.arange(12, 12 * 8, 12)
    birthdays = window.add_months(np.full(len(years), paid), years)
    changes = [
        np.array([paid]),
        held.start[first:last],
        birthdays[birthdays > 0],
        np.array([d for d in (stints.plan_day[stint], late) if np.isfinite(d)]),
    ]
    days = np.unique(np.concatenate(changes)).astype(np.int64)
    return days[(days >= paid) & (days < min(end, window.days))]


def _seat_items(
    accounts: Accounts,
    stints: Stints,
    held: Seats,
    stint: int,
    start: Ints,
    off: float,
    late: float,
) -> Items:
    """The seats of a stint, one element each stretch between changes."""
    rows = np.full(len(start), stint)
    plan = stints.plan_on(rows, start)
    # Three days of grace, as years are not all equally long.
    age = (start - stints.paid[stint] + 3) // 365.25
    rise = (1 + _RISE) ** np.maximum(age - max(-stints.paid[stint], 0) // 365.25, 0)
    monthly = np.array([p.price for p in PLANS])[plan] * rise
    seats = held.on(rows, start).astype(float)
    unit = unit_price(accounts, stints, rows, monthly)
    young = start < stints.paid[stint] + 360
    discount = np.where(young & (off > 0), np.round(off * unit * seats[0], 2), np.nan)
    status = np.where(start >= late, "past_due", "active").astype(object)
    return _item(
        rows,
        "seats",
        plan=plan,
        start=start,
        end=np.append(start[1:], stints.end[stint]),
        quantity=seats,
        unit=unit,
        discount=discount,
        status=status,
    )


def _add_ons(
    rng: np.random.Generator, accounts: Accounts, stints: Stints, window: Window
) -> Items:
    chosen = rng.random(len(stints)) < _ADDED
    start = np.nan_to_num(stints.paid).astype(np.int64) + rng.integers(
        0, 500, len(stints)
    )
    may = np.isfinite(stints.paid) & (stints.plan > 0)
    may &= start < np.minimum(stints.end, window.days) - 20
    stint = np.flatnonzero(chosen & may)
    return _item(
        stint,
        "analytics",
        plan=stints.plan[stint],
        start=start[stint],
        end=stints.end[stint],
        unit=unit_price(accounts, stints, stint, np.full(len(stint), _ADD_ON)),
    )


def _metered(rng: np.random.Generator, accounts: Accounts, stints: Stints) -> Items:
    """Text messages, billed as they are sent: never recurring revenue."""
    chosen = np.isfinite(stints.paid) & (rng.random(len(stints)) < _METERED)
    stint = np.flatnonzero(chosen)
    local = [PRICE_LISTS[c] for c in accounts.currency[stints.account[stint]]]
    return _item(
        stint,
        "messages",
        plan=stints.plan[stint],
        start=stints.paid[stint].astype(np.int64),
        end=stints.end[stint],
        unit=np.round(_MESSAGE * np.array(local), 4),
    )


def _with_pauses(every: Items, stints: Stints, window: Window) -> Items:
    """Pauses that are over lie within an item; running ones are an item of their own,
    which is how billing systems report them."""
    since, until = stints.pause_from[every.stint], stints.pause_to[every.stint]
    pays = every.counted
    over = pays & np.isfinite(until) & (every.start < until) & (every.end > since)
    rows = replace(
        every,
        pause_from=np.where(over, np.maximum(since, every.start), np.nan),
        pause_to=np.where(over, np.minimum(until, every.end), np.nan),
    )
    running = pays & np.isfinite(since) & np.isnan(until) & (every.end > window.days)
    rest = rows.take(running)
    paused = replace(
        rest,
        start=np.maximum(since[running], rest.start).astype(np.int64),
        pause_from=np.maximum(since[running], rest.start),
        status=np.full(len(rest), "paused", dtype=object),
    )
    cut = np.where(running, since, every.end).astype(np.int64)
    before = replace(rows, end=cut).take(rows.start < cut)
    return stack([before, paused])


def items_table(
    accounts: Accounts, stints: Stints, every: Items, window: Window
) -> pa.Table:
    """One row an item and validity."""
    account = stints.account[every.stint]
    metered = every.item == "messages"
    names = {"seats": "Seats", "analytics": "Analytics", "messages": "Text messages"}
    noticed = stints.noticed[every.stint]
    last = (every.end == stints.end[every.stint]) & (noticed < window.days)
    last &= every.status != "trialing"
    return table(
        "subscription_items",
        {
            "subscription_id": subscriptions(stints)[every.stint],
            "account_id": accounts.ids[account],
            "item_id": every.item,
            "product": np.array([names[i] for i in every.item], dtype=object),
            "plan": np.array([p.name for p in PLANS], dtype=object)[every.plan],
            "quantity": np.where(metered, np.nan, every.quantity),
            "unit_amount": every.unit,
            "currency": accounts.currency[account],
            "interval": np.array(
                [INTERVALS[t] for t in stints.term[every.stint]], dtype=object
            ),
            "interval_count": np.ones(len(every), dtype=np.int64),
            "usage_type": np.where(metered, "metered", "licensed").astype(object),
            "discount": every.discount,
            "status": every.status,
            "is_trial": every.status == "trialing",
            "trial_end": window.at(every.trial_end),
            "valid_from": window.at(every.start),
            "valid_to": _until(every, stints, window),
            "cancel_requested_at": window.at(np.where(last, noticed + 0.45, np.nan)),
            "paused_from": window.at(every.pause_from),
            "paused_to": window.at(every.pause_to),
        },
    )


def _until(every: Items, stints: Stints, window: Window) -> Dates:
    """Ends that are known today: those that are past, ends of trials, and ends for
    which notice has been given."""
    noticed = stints.noticed[every.stint] < window.days
    known = (every.end <= window.days) | (every.status == "trialing") | noticed
    return window.at(np.where(known, every.end, np.nan))


def subscriptions(stints: Stints) -> Texts:
    """The subscription's id, by stint."""
    return np.array([f"sub_{i + 1:05d}" for i in range(len(stints))], dtype=object)
