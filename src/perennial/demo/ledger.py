"""Money that moves: payments, exchange rates and costs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from perennial.demo.arrow import Dates, Floats, Ints, Texts, numbered, table
from perennial.demo.clock import Window
from perennial.demo.company import Accounts
from perennial.demo.fate import Stints
from perennial.demo.money import PRICE_LISTS, Items
from perennial.demo.names import COUNTRIES

#: Value added tax where the vendor is at home; elsewhere the customer owes it.
_HOME, _TAX = "DE", 0.19

#: EUR for one unit of each currency, at the start, and how far a day moves it.
_RATES = {"USD": (0.925, 0.0042), "SEK": (0.0885, 0.0035), "GBP": (1.165, 0.0032)}

#: Costs a month as a share of recurring revenue, and how much they wobble.
_COSTS = {
    "cs_payroll": 0.062,
    "support_payroll": 0.05,
    "adoption_programs": 0.012,
    "professional_services": 0.028,
    "training": 0.011,
    "customer_marketing": 0.014,
    "sales": 0.2,
    "marketing": 0.125,
    "cogs": 0.21,
}
_WOBBLE = 0.06

_TOP_UPS = 0.35


def monthly(every: Items, stints: Stints, day: Ints) -> Floats:
    """Recurring revenue a month by item (rows) and day (columns), own currency."""
    held = (every.start[:, None] <= day) & (every.end[:, None] > day)
    held &= ~((day >= every.pause_from[:, None]) & ~(day >= every.pause_to[:, None]))
    amount = every.quantity * every.unit - np.nan_to_num(every.discount)
    amount = np.where(every.counted, amount, 0.0) / stints.term[every.stint]
    return np.asarray(np.where(held, amount[:, None], 0.0))


def payments_table(
    rng: np.random.Generator,
    accounts: Accounts,
    stints: Stints,
    every: Items,
    window: Window,
) -> pa.Table:
    """One row a payment; nothing was recorded before the window."""
    parts = [
        _recurring(rng, stints, every, window),
        _services(rng, accounts, stints, window),
        _top_ups(rng, stints, window),
    ]
    parts.append(_refunds(rng, parts[0]))
    stint, day, amount, kind = (
        np.concatenate([part[i] for part in parts]) for i in range(4)
    )
    keep = (day < window.days) & (day >= 0) & (amount > 0)
    order = np.flatnonzero(keep)[np.argsort(day[keep], kind="stable")]
    stint, day, amount, kind = stint[order], day[order], amount[order], kind[order]
    account = stints.account[stint]
    home = np.array([c.code == _HOME for c in COUNTRIES])[accounts.country[account]]
    tax = np.round(np.where(home, amount * _TAX, 0), 2)
    return table(
        "payments",
        {
            "payment_id": numbered("pay_", len(order)),
            "account_id": accounts.ids[account],
            "paid_at": window.at(day),
            "amount": np.round(amount, 2) + tax,
            "currency": accounts.currency[account],
            "kind": kind,
            "tax": tax,
        },
    )


#: Stint, day, amount in the account's currency, kind.
_Payments = tuple[Ints, Floats, Floats, Texts]


def _recurring(
    rng: np.random.Generator, stints: Stints, every: Items, window: Window
) -> _Payments:
    """Bills of each interval, paid some days later."""
    found: list[tuple[Ints, Ints]] = []
    paid = np.nan_to_num(stints.paid).astype(np.int64)
    pays = np.flatnonzero(np.isfinite(stints.paid))
    nth = 0
    while len(pays):
        day = window.add_months(paid[pays], nth * stints.term[pays])
        pays, day = pays[day < window.days], day[day < window.days]
        found.append((pays, day))
        nth += 1
    stint = np.concatenate([s for s, _ in found])
    day = np.concatenate([d for _, d in found])
    inside = (day >= 0) & (day < stints.end[stint])
    stint, day = stint[inside], day[inside]
    amount = _due(every, stints, stint, day)
    wait = np.where(stints.term[stint] == 1, 0.2, rng.gamma(3, 5, len(stint)))
    return stint, day + 0.3 + wait, amount, _kind("recurring", len(stint))


def _due(every: Items, stints: Stints, stint: Ints, day: Ints) -> Floats:
    """What a stint owes for the interval that starts on a day."""
    amount = np.zeros(len(stint))
    order = np.argsort(day, kind="stable")
    for part in np.array_split(order, max(1, len(order) // 64)):
        value = monthly(every, stints, day[part]) * (
            every.stint[:, None] == stint[part]
        )
        amount[part] = value.sum(axis=0) * stints.term[stint[part]]
    return amount


def _services(
    rng: np.random.Generator, accounts: Accounts, stints: Stints, window: Window
) -> _Payments:
    """Help with setting up, paid once."""
    new = np.isfinite(stints.paid) & (stints.paid > 0)
    stint = np.flatnonzero(new & (rng.random(len(stints)) < 0.4))
    local = np.array([PRICE_LISTS[c] for c in accounts.currency[stints.account[stint]]])
    amount = np.round(rng.uniform(8, 60, len(stint))) * 100 * local
    day = stints.paid[stint] + rng.uniform(5, 40, len(stint))
    return stint, day, amount, _kind("one_off", len(stint))


def _top_ups(rng: np.random.Generator, stints: Stints, window: Window) -> _Payments:
    """Packs of text messages, bought whenever they run out; some stop buying."""
    buys = np.isfinite(stints.paid) & (rng.random(len(stints)) < _TOP_UPS)
    buyer = np.flatnonzero(buys)
    since = np.maximum(stints.paid[buyer], 0)
    until = np.minimum(stints.end[buyer], window.days)
    until = since + (until - since) * np.minimum(rng.uniform(0.25, 1.6, len(buyer)), 1)
    rate = rng.gamma(1.1, 0.75, len(buyer)) / 30
    count = 1 + rng.poisson(rate * np.maximum(until - since, 0))
    stint = np.repeat(buyer, count)
    day = rng.uniform(np.repeat(since, count), np.repeat(until, count) + 0.1)
    pack = np.repeat(np.exp(rng.normal(4.6, 0.6, len(buyer))), count)
    amount = np.round(pack * rng.gamma(8, 1 / 8, len(stint)))
    return stint, day, np.maximum(amount, 10), _kind("usage", len(stint))


def _refunds(rng: np.random.Generator, recurring: _Payments) -> _Payments:
    stint, day, amount, _ = recurring
    back = np.flatnonzero(rng.random(len(stint)) < 0.015)
    share = rng.choice([0.1, 0.25, 1.0], len(back))
    later = day[back] + rng.uniform(2, 25, len(back))
    return stint[back], later, amount[back] * share, _kind("refund", len(back))


def _kind(kind: str, count: int) -> Texts:
    return np.full(count, kind, dtype=object)


def fx_table(rng: np.random.Generator, window: Window, first_day: int) -> pa.Table:
    """Closing rates on business days and on the last day of every month."""
    dates = window.dates(np.arange(first_day - 40, window.days))
    last = (dates + 1).astype("M8[M]") != dates.astype("M8[M]")
    business = np.is_busday(dates)
    rates = {}
    for base, (start, step) in _RATES.items():
        move = np.where(business, step * rng.standard_normal(len(dates)), 0.0)
        # Rates wander around where they began, so that no currency runs away.
        level = np.zeros(len(dates))
        for i in range(1, len(dates)):
            level[i] = 0.998 * level[i - 1] + move[i]
        rates[base] = np.round(start * np.exp(level), 6)
    shown = business | last
    days = dates[shown]
    return table(
        "fx_rates",
        {
            "date": np.tile(days, len(rates)),
            "base": np.repeat(np.array(list(rates), dtype=object), len(days)),
            "quote": np.full(len(days) * len(rates), "EUR", dtype=object),
            "rate": np.concatenate([r[shown] for r in rates.values()]),
        },
    )


def costs_table(
    rng: np.random.Generator,
    accounts: Accounts,
    stints: Stints,
    every: Items,
    window: Window,
) -> pa.Table:
    """One row a calendar month and category, in EUR; months that the window only
    touches carry the part of their days."""
    starts = np.append(window.month_starts, 0)
    starts[-1] = window.day_of(
        (window.dates(starts[-2]).astype("M8[M]") + 1).astype("M8[D]")
    )
    inside = np.clip(starts, 0, window.days)
    middle = np.clip((inside[:-1] + inside[1:]) // 2, 0, window.days - 1)
    euro = {"EUR": 1.0, **{base: start for base, (start, _) in _RATES.items()}}
    rate = np.array([euro[c] for c in accounts.currency])[stints.account[every.stint]]
    revenue = (monthly(every, stints, middle) * rate[:, None]).sum(axis=0)
    part = np.diff(inside) / np.diff(starts)
    months: Dates = window.dates(starts[:-1])
    amounts = [
        share * revenue * part * np.exp(_WOBBLE * rng.standard_normal(len(part)))
        for share in _COSTS.values()
    ]
    count = len(months)
    return table(
        "costs",
        {
            "month": np.tile(months, len(_COSTS)),
            "category": np.repeat(np.array(list(_COSTS), dtype=object), count),
            "amount": np.round(np.concatenate(amounts), 2),
            "currency": np.full(count * len(_COSTS), "EUR", dtype=object),
        },
    )
