"""How early before a decision those who leave use a feature less: P02, step 7."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from perennial.scoring.statistics import Z95, Floats


@dataclass(frozen=True)
class Month:
    """Use of a feature so many months before the decision (−1: the last before it):
    means of those who stayed and who left, with 95 % intervals."""

    month: int
    stayed: float
    stayed_low: float
    stayed_high: float
    left: float
    left_low: float
    left_high: float


@dataclass(frozen=True)
class Trend:
    """How early a gap opens.

    `slope`: uses a month that those who left lose against those who stayed, with its
    95 % interval; `visible_from`: the earliest month from which on the gap is beyond
    doubt in every month, None if in none; `is_leading` if that is −3 or earlier.
    """

    feature: str
    months: tuple[Month, ...]
    slope: float
    slope_low: float
    slope_high: float
    visible_from: int | None

    @property
    def is_leading(self) -> bool:
        return self.visible_from is not None and self.visible_from <= -3


def trend(
    feature: str, stayed: np.ndarray, by_month: Floats, months: Sequence[int]
) -> Trend | None:
    """Use by case and month (columns, oldest first; NaN: not yet a customer).

    None with fewer than two of either group in some month.
    """
    rows, sure = [], []
    for column, month in enumerate(months):
        x = by_month[:, column]
        kept, lost = (x[g & ~np.isnan(x)] for g in (stayed, ~stayed))
        if min(len(kept), len(lost)) < 2:
            return None
        (a, a_wide), (b, b_wide) = _mean_and_width(kept), _mean_and_width(lost)
        rows.append(Month(month, a, a - a_wide, a + a_wide, b, b - b_wide, b + b_wide))
        sure.append(a - b > sqrt(a_wide**2 + b_wide**2))
    slopes = _slopes(by_month)
    kept, lost = (slopes[g & ~np.isnan(slopes)] for g in (stayed, ~stayed))
    if min(len(kept), len(lost)) < 2:
        return None
    (a, a_wide), (b, b_wide) = _mean_and_width(kept), _mean_and_width(lost)
    wide = sqrt(a_wide**2 + b_wide**2)
    first = len(sure) - next((n for n, s in enumerate(sure[::-1]) if not s), len(sure))
    seen = months[first] if first < len(months) else None
    return Trend(feature, tuple(rows), a - b, a - b - wide, a - b + wide, seen)


def _mean_and_width(values: Floats) -> tuple[float, float]:
    return float(values.mean()), Z95 * float(values.std(ddof=1)) / sqrt(len(values))


def _slopes(by_month: Floats) -> Floats:
    """The slope of each case over its months; NaN with fewer than three."""
    at = np.arange(by_month.shape[1], dtype=float)
    known = ~np.isnan(by_month)
    n = np.maximum(known.sum(axis=1), 1)
    x = np.where(known, at, 0.0)
    y = np.where(known, by_month, 0.0)
    mean_x, mean_y = x.sum(axis=1) / n, y.sum(axis=1) / n
    dx = np.where(known, at - mean_x[:, None], 0.0)
    dy = np.where(known, by_month - mean_y[:, None], 0.0)
    spread = (dx**2).sum(axis=1)
    slope = (dx * dy).sum(axis=1) / np.where(spread > 0, spread, np.nan)
    return np.asarray(np.where(known.sum(axis=1) >= 3, slope, np.nan))
