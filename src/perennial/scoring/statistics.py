"""Two groups compared, and chances held against what happened.

Plain numbers in, plain numbers out; nothing here knows what an account is. AUC is
the chance that one of the first group has more than one of the second, ties half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from math import log, sqrt
from typing import ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt
import scipy
from threadpoolctl import threadpool_limits

Floats = npt.NDArray[np.float64]
Numbers = Sequence[float] | Floats

#: Standard errors to each side of a 95 % interval.
Z95 = 1.96
#: Chances are kept this far from certainty where a logarithm is taken.
_CERTAIN = 1e-12

P = ParamSpec("P")
T = TypeVar("T")


def one_thread(function: Callable[P, T]) -> Callable[P, T]:
    """A function that computes on one thread: on some thousands of cases, threads that
    wait for each other take far longer."""

    @wraps(function)
    def alone(*args: P.args, **kwargs: P.kwargs) -> T:
        with threadpool_limits(1):
            return function(*args, **kwargs)

    return alone


def auc(more: Numbers, less: Numbers) -> float | None:
    """The area under the curve, 0 to 1; None where a group is empty."""
    first, second = np.asarray(more, float), np.asarray(less, float)
    if not len(first) or not len(second):
        return None
    ranks = scipy.stats.rankdata(np.concatenate([first, second]))
    above = ranks[: len(first)].sum() - len(first) * (len(first) + 1) / 2
    return float(above / (len(first) * len(second)))


def auc_interval(area: float, more: int, less: int) -> tuple[float, float]:
    """95 % interval of an AUC of groups of these sizes. Hanley and McNeil, 1982."""
    twice = area / (2 - area)
    both = 2 * area**2 / (1 + area)
    spread = (
        area * (1 - area)
        + (more - 1) * (twice - area**2)
        + (less - 1) * (both - area**2)
    ) / (more * less)
    wide = Z95 * sqrt(max(spread, 0.0))
    return max(0.0, area - wide), min(1.0, area + wide)


def differs(first: Numbers, second: Numbers) -> float:
    """Two-sided p-value that the groups do not differ (Mann and Whitney)."""
    if np.ptp(np.concatenate([first, second])) == 0:
        return 1.0
    return float(
        scipy.stats.mannwhitneyu(
            first, second, alternative="two-sided", method="asymptotic"
        ).pvalue
    )


def q_values(p: Sequence[float]) -> list[float]:
    """P-values corrected for how many there are (Benjamini and Hochberg)."""
    if not p:
        return []
    return [float(q) for q in scipy.stats.false_discovery_control(p, method="bh")]


def wilson(hits: float, n: float) -> tuple[float, float]:
    """95 % interval of a share of `n` (above zero). Wilson, 1927."""
    share, z2 = hits / n, Z95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    wide = Z95 * sqrt(share * (1 - share) / n + z2 / (4 * n**2)) / (1 + z2 / n)
    return max(0.0, middle - wide), min(1.0, middle + wide)


def rising(values: Numbers, weights: Numbers) -> list[float]:
    """The nearest values that never fall (pool adjacent violators, weighted)."""
    fitted = scipy.optimize.isotonic_regression(values, weights=weights)
    return [float(value) for value in fitted.x]


def psi(expected: Sequence[float], actual: Sequence[float]) -> float:
    """Population stability index of two distributions of shares over the same bins."""
    pairs = [
        (max(e, 1e-6), max(a, 1e-6)) for e, a in zip(expected, actual, strict=True)
    ]
    return sum((a - e) * log(a / e) for e, a in pairs)


@dataclass(frozen=True)
class Group:
    """Cases told about the same chance: `said`, the mean of the chances; `happened`,
    the share that came true, with its 95 % interval `low` to `high`."""

    n: int
    said: float
    happened: float
    low: float
    high: float


@dataclass(frozen=True)
class Quality:
    """How good chances were, held against `n` outcomes. None: cannot be told.

    - `brier`: mean squared error; `brier_base`: of always saying the base rate;
      `skill`: the share of the base's error that is avoided.
    - `auc`: does a higher chance go with the outcome? With its interval.
    - `ece`: mean distance of said and happened over ten groups of equal size.
    """

    n: int
    base_rate: float
    brier: float
    brier_base: float
    skill: float | None
    log_loss: float
    auc: float | None
    auc_low: float | None
    auc_high: float | None
    ece: float
    groups: tuple[Group, ...]


def quality(chances: Numbers, came: Numbers) -> Quality:
    """Chances held against outcomes (1 or 0). Needs at least one. Source: P03."""
    p, y = np.asarray(chances, float), np.asarray(came, float)
    base = float(y.mean())
    brier, brier_base = float(((p - y) ** 2).mean()), float(((base - y) ** 2).mean())
    safe = np.clip(p, _CERTAIN, 1 - _CERTAIN)
    area = auc(p[y > 0], p[y == 0])
    bounds = (
        (None, None)
        if area is None
        else auc_interval(area, int(y.sum()), int(len(y) - y.sum()))
    )
    found = groups(p, y)
    return Quality(
        n=len(y),
        base_rate=base,
        brier=brier,
        brier_base=brier_base,
        skill=1 - brier / brier_base if brier_base else None,
        log_loss=float(-(y * np.log(safe) + (1 - y) * np.log(1 - safe)).mean()),
        auc=area,
        auc_low=bounds[0],
        auc_high=bounds[1],
        ece=sum(g.n * abs(g.said - g.happened) for g in found) / len(y),
        groups=found,
    )


def groups(chances: Numbers, came: Numbers, count: int = 10) -> tuple[Group, ...]:
    """Up to `count` groups of equal size, lowest chances first."""
    p, y = np.asarray(chances, float), np.asarray(came, float)
    order = np.argsort(p, kind="stable")
    found = []
    for part in np.array_split(order, min(count, len(p))):
        hits, n = float(y[part].sum()), len(part)
        low, high = wilson(hits, n)
        found.append(Group(n, float(p[part].mean()), hits / n, low, high))
    return tuple(found)
