"""What today's customers will pay: P04 of the reference.

Accounts leave independently, each with its own chance at each decision that lies
within the horizon. New business is not included.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from perennial.scoring.statistics import Floats

#: Futures that are tried out for a range.
FUTURES = 10_000
#: The range holds four futures in five.
_RANGE = (0.1, 0.9)


@dataclass(frozen=True)
class Expected:
    """What to expect at the end of a horizon of today's customers.

    - `logos`, `mrr`: how many stay, and what they pay; `mrr` without changes of what
      each pays. `grr`: that as a share of today's.
    - `mrr_net`: with the usual growth of those who stay; `nrr`: as a share.
    - `lower`, `upper`: the 80 % range of `mrr_net`; `sd`: standard deviation of `mrr`.

    Money in the unit given; shares are None where today's is nothing.
    """

    accounts: int
    today: float
    logos: float
    mrr: float
    grr: float | None
    sd: float
    mrr_net: float
    nrr: float | None
    lower: float
    upper: float


def expected(
    chances: Sequence[float] | Floats,
    mrr: Sequence[float] | Floats,
    growth: Sequence[float] | Floats | None = None,
    *,
    futures: int = FUTURES,
) -> Expected:
    """Accounts with their chances to be there at the end, what they pay now, and the
    factor by which those who stay change it until then (1 without)."""
    p, now = np.asarray(chances, float), np.asarray(mrr, float)
    factor = np.ones(len(p)) if growth is None else np.asarray(growth, float)
    today = float(now.sum())
    kept, net = float((p * now).sum()), float((p * now * factor).sum())
    low, high = _range(p, now * factor, futures)
    return Expected(
        accounts=len(p),
        today=today,
        logos=float(p.sum()),
        mrr=kept,
        grr=kept / today if today else None,
        sd=sqrt(float((p * (1 - p) * now**2).sum())),
        mrr_net=net,
        nrr=net / today if today else None,
        lower=low,
        upper=high,
    )


def _range(p: Floats, amounts: Floats, futures: int) -> tuple[float, float]:
    """The 80 % range of what those who stay pay. The same futures every time."""
    uncertain = (p > 0) & (p < 1) & (amounts != 0)
    sure = float(amounts[p >= 1].sum())
    if not uncertain.any():
        return sure, sure
    random = np.random.default_rng(20_000)
    totals = np.full(futures, sure)
    # Account by account: futures times accounts would not fit for many of them.
    for chance, amount in zip(p[uncertain], amounts[uncertain], strict=True):
        totals += amount * (random.random(futures) < chance)
    low, high = np.quantile(totals, _RANGE)
    return float(low), float(high)


def staying(
    p: float, *, horizon_days: float, days_to_renewal: float | None, term_days: float
) -> float:
    """The chance that an account is there after the horizon, from the chance `p` that
    its next decision is a renewal.

    Decisions come at the renewal (overdue: now) and every term after it. Without a
    renewal date it decides every term, the first a term from now.
    """
    first = term_days if days_to_renewal is None else days_to_renewal
    if first > horizon_days:
        return 1.0
    decisions = 1 + int((horizon_days - first) // term_days)
    return p**decisions


@dataclass(frozen=True)
class Hindsight:
    """A forecast of the past beside what happened; in the unit given."""

    as_of: str
    expected: float
    lower: float
    upper: float
    actual: float

    @property
    def is_inside(self) -> bool:
        return self.lower <= self.actual <= self.upper


def wape(found: Sequence[Hindsight]) -> float | None:
    """Absolute errors as a share of what happened; None without anything."""
    total = sum(abs(h.actual) for h in found)
    if not total:
        return None
    return sum(abs(h.expected - h.actual) for h in found) / total
