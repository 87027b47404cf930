"""Seats that customers buy, and how their number changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from perennial.demo.arrow import Columns, Dates, Floats, Ints, table
from perennial.demo.clock import Window
from perennial.demo.company import Accounts
from perennial.demo.fate import FOREVER, Stints, Terms


@dataclass(frozen=True)
class Seats(Columns):
    """Runs of days with equally many seats, ordered by stint and day."""

    stint: Ints
    start: Ints
    end: Ints
    seats: Ints

    def on(self, stint: Ints, day: Ints | Floats) -> Ints:
        """Seats of stints on days; before the first run, those of that run."""
        size = 10 * FOREVER
        keys = self.stint * size + self.start
        at = np.searchsorted(keys, stint * size + day, side="right") - 1
        first = np.searchsorted(self.stint, stint)
        return self.seats[np.maximum(at, first)]


def seats(
    rng: np.random.Generator,
    accounts: Accounts,
    stints: Stints,
    terms: Terms,
    window: Window,
) -> Seats:
    """Seats bought; changes fall on the day of the month on which terms begin."""
    count, months = len(stints), window.month_starts
    anchor = np.where(np.isfinite(stints.paid), stints.paid, stints.created)
    dates = window.dates(anchor)
    of_month = (dates - dates.astype("M8[M]").astype("M8[D]")).astype(np.int64)
    day = months[None, :] + of_month[:, None]
    terms_of = np.maximum(np.bincount(terms.stint, minlength=count), 1)
    vigor = np.bincount(terms.stint, terms.power, minlength=count) / terms_of
    ends = np.zeros((count, len(months)), dtype=bool)
    for offset in np.flatnonzero(terms.end < window.days):
        row = terms.stint[offset]
        ends[row] |= (day[row] == terms.end[offset]) & (stints.term[row] > 1)
    up = rng.random(day.shape) < np.clip(0.082 + 0.014 * vigor, 0.02, 0.12)[:, None]
    fall = np.clip(0.13 - 0.05 * vigor, 0.02, 0.3)[:, None]
    down = rng.random(day.shape) < np.where(
        ends, fall, 0.006 * (stints.term == 1)[:, None]
    )
    factor = np.where(up, 1.06 + 0.2 * rng.random(day.shape), 1.0)
    factor = np.where(down, 0.75 + 0.17 * rng.random(day.shape), factor)
    last = np.minimum(stints.end, window.days)[:, None]
    may = (day >= np.maximum(anchor + 45, 1)[:, None]) & (day < last)
    may &= ~accounts.planted[stints.account][:, None]
    base = accounts.seats[stints.account]
    held = np.rint(base[:, None] * np.cumprod(np.where(may, factor, 1.0), axis=1))
    return _runs(stints, base, day, np.maximum(held, 2).astype(np.int64))


def _runs(stints: Stints, base: Ints, day: Ints, held: Ints) -> Seats:
    before = np.concatenate([base[:, None], held[:, :-1]], axis=1)
    row, month = np.nonzero(held != before)
    stint = np.concatenate([np.arange(len(stints)), row])
    start = np.concatenate([stints.created, day[row, month]])
    number = np.concatenate([base, held[row, month]])
    order = np.lexsort((start, stint))
    stint, start, number = stint[order], start[order], number[order]
    following = np.append(start[1:], 0)
    last = np.append(stint[1:] != stint[:-1], True)
    return Seats(stint, start, np.where(last, stints.end[stint], following), number)


def seats_table(
    accounts: Accounts, stints: Stints, held: Seats, window: Window
) -> pa.Table:
    """One row a run of equal seats; accounts without seats have none."""
    keep = ~stints.seatless[held.stint] & (held.start < window.days)
    runs = held.take(keep)
    return table(
        "seat_contracts",
        {
            "account_id": accounts.ids[stints.account[runs.stint]],
            "seats": runs.seats,
            "starts_at": window.at(runs.start),
            "ends_at": ending(window, runs.end),
        },
    )


def ending(window: Window, end: Ints) -> Dates:
    """Instants at which something ended; none for what lasts beyond the window."""
    return window.at(np.where(end < window.days, end, np.nan))
