"""How long customers of different groups stay, and whether that differs: survival.

Curves are those of `core.survival`, read off at whole months of tenure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from perennial.core.survival import Spell, at_risk, curve, intervals

#: Fewer ends than this give no curve worth comparing.
FEWEST = 5


@dataclass(frozen=True)
class Month:
    """The share that stays longer than `month` months, with its 95 % interval; and how
    many were being watched when that month began to end."""

    month: int
    share: float
    low: float
    high: float
    at_risk: int


@dataclass(frozen=True)
class Survival:
    """How long the `n` customers of a group stay; `ended` of them have left.

    `median`: months until half have left, with its 95 % interval; None where that was
    not reached. Parts of months are told.
    """

    n: int
    ended: int
    months: tuple[Month, ...]
    median: float | None
    median_low: float | None
    median_high: float | None

    @property
    def is_enough(self) -> bool:
        return self.ended >= FEWEST

    def at(self, month: int) -> Month | None:
        return self.months[month] if month < len(self.months) else None


def survival(spells: Sequence[Spell], parts: int) -> Survival:
    """The curve of spells whose times are `parts` of a month."""
    steps = curve(spells)
    bounds = intervals(steps)
    times = np.array([step.time for step in steps])
    shares = [1.0, *(step.survival for step in steps)]
    wide = [(1.0, 1.0), *bounds]
    watched = max((s.duration for s in spells if s.duration > s.entry), default=-1)
    months = []
    for month in range(watched // parts + 1):
        at = int(np.searchsorted(times, month * parts, side="right"))
        risk = at_risk(spells, month * parts)
        months.append(Month(month, shares[at], *wide[at], risk))
    # The interval of the median: where the bounds of the curve fall below a half.
    halves = [
        next((t / parts for t, v in zip(times, values, strict=True) if v <= 0.5), None)
        for values in (
            [share + 1e-12 * (share - 1) for share in shares[1:]],
            [low for low, _ in bounds],
            [high for _, high in bounds],
        )
    ]
    return Survival(
        sum(s.count for s in spells),
        sum(s.count for s in spells if s.ended),
        tuple(months),
        *(None if half is None else float(half) for half in halves),
    )


def differs(groups: Mapping[str, Sequence[Spell]]) -> float | None:
    """The p-value that groups end alike (log-rank test of all at once); None with less
    than two groups, or where nothing ended. Mantel, 1966."""
    watched = [g for g in groups.values() if g]
    times = np.unique([s.duration for g in watched for s in g if s.ended])
    if len(watched) < 2 or not len(times):
        return None
    risk = np.array([_at_risk(group, times) for group in watched], float)
    ended = np.array([_ended(group, times) for group in watched], float)
    n, d = risk.sum(axis=0), ended.sum(axis=0)
    some = n > 1
    risk, ended, n, d = risk[:, some], ended[:, some], n[some], d[some]
    off = (ended - d * risk / n).sum(axis=1)[:-1]
    share = risk[:-1] / n
    rate = d * (n - d) / (n - 1)
    spread = np.diag((rate * share).sum(axis=1)) - (rate * share) @ share.T
    statistic = float(off @ np.linalg.pinv(spread) @ off)
    return float(scipy.stats.chi2.sf(statistic, len(watched) - 1))


def _at_risk(spells: Sequence[Spell], times: np.ndarray) -> np.ndarray:
    count = np.array([s.count for s in spells])
    until = np.array([s.duration for s in spells])[:, None]
    since = np.array([s.entry if s.entry > 0 else -1 for s in spells])[:, None]
    return count @ ((since < times) & (times <= until))


def _ended(spells: Sequence[Spell], times: np.ndarray) -> np.ndarray:
    at = np.searchsorted(times, [s.duration for s in spells if s.ended])
    count = [s.count for s in spells if s.ended]
    return np.bincount(at, weights=count, minlength=len(times))
