"""Two groups held against each other: differences with 95 % intervals.

Where an interval holds zero, nothing was shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev

from perennial.scoring.statistics import Z95, wilson


@dataclass(frozen=True)
class Effect:
    """A difference, the first group minus the second, with its interval."""

    value: float
    low: float
    high: float

    @property
    def is_shown(self) -> bool:
        return self.low > 0 or self.high < 0


def of_shares(hits: int, n: int, hits_without: int, n_without: int) -> Effect | None:
    """Of two shares, by Newcombe's hybrid score method; None where a group is empty."""
    if not n or not n_without:
        return None
    a, b = hits / n, hits_without / n_without
    (low_a, high_a), (low_b, high_b) = wilson(hits, n), wilson(hits_without, n_without)
    return Effect(
        a - b,
        a - b - sqrt((a - low_a) ** 2 + (high_b - b) ** 2),
        a - b + sqrt((high_a - a) ** 2 + (b - low_b) ** 2),
    )


def of_means(first: Sequence[float], second: Sequence[float]) -> Effect | None:
    """Of two means; normal approximation with unequal variances. None where a group has
    fewer than two."""
    if min(len(first), len(second)) < 2:
        return None
    value = mean(first) - mean(second)
    wide = Z95 * sqrt(stdev(first) ** 2 / len(first) + stdev(second) ** 2 / len(second))
    return Effect(value, value - wide, value + wide)
