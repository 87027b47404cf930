"""What customers who buy freely will still buy: BG/NBD and Gamma-Gamma (E03).

For purchases without a contract, such as usage top-ups; never for subscriptions.
Pure functions: time is in weeks, money in any one unit. BG/NBD: Fader, Hardie and
Lee, 2005; Gamma-Gamma: Fader and Hardie, 2013.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import exp, inf, log
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy

Floats = npt.NDArray[np.float64]

_WEEK = 7
#: e to a higher power is no floating point number.
_MOST_EXPONENT = 700
#: Logarithms of parameters beyond what a computer can hold.
_FARTHEST = 50
#: Above this, how often and for how much people buy are not independent.
MOST_CORRELATED = 0.3


class Buyer(NamedTuple):
    """One customer's purchases: `repeats` after the first, the last of them `recency`
    after it, watched for `age` since it; weeks. `value`: mean of the repeats."""

    repeats: int
    recency: float
    age: float
    value: float = 0.0


def buyers(
    purchases: Iterable[tuple[str, date, float]], end: date
) -> Mapping[str, Buyer]:
    """Purchases (customer, day, amount) before `end` as buyers.

    Several purchases of a day count as one, of their sum. The age is counted to the
    last day before `end`.
    """
    days: dict[str, dict[date, float]] = {}
    for customer, day, amount in purchases:
        if day < end:
            of = days.setdefault(customer, {})
            of[day] = of.get(day, 0.0) + amount
    return {customer: _buyer(amounts, end) for customer, amounts in days.items()}


def _buyer(amounts: Mapping[date, float], end: date) -> Buyer:
    first, *later = sorted(amounts)
    repeats = len(later)
    recency = (later[-1] - first).days / _WEEK if later else 0.0
    value = sum(amounts[day] for day in later) / repeats if later else 0.0
    return Buyer(repeats, recency, ((end - first).days - 1) / _WEEK, value)


@dataclass(frozen=True)
class BgNbd:
    """How often customers buy (r, alpha), and when they stop (a, b)."""

    r: float
    alpha: float
    a: float
    b: float

    def p_alive(self, buyer: Buyer) -> float:
        """The chance that the customer still buys, above 0 up to 1.

        Without a repeat it is 1 by construction: that says nothing of a customer.
        """
        return 1 / (1 + self._odds_of_leaving(buyer))

    def expected(self, buyer: Buyer, weeks: float) -> float:
        """Purchases to be expected within the next `weeks`."""
        if weeks <= 0:
            return 0.0
        x, _, age, _ = buyer
        a, b, r = self.a, self.b, self.r
        if abs(a - 1) < 1e-9:  # The formula divides by a − 1; its limit is finite.
            a = 1 + 1e-9
        z = weeks / (self.alpha + age + weeks)
        series = scipy.special.hyp2f1(r + x, b + x, a + b + x - 1, z)
        kept = ((self.alpha + age) / (self.alpha + age + weeks)) ** (r + x)
        bought = (a + b + x - 1) / (a - 1) * (1 - kept * series)
        return float(bought / (1 + self._odds_of_leaving(buyer)))

    def _odds_of_leaving(self, buyer: Buyer) -> float:
        x, recency, age, _ = buyer
        if x == 0:
            return 0.0
        waited = (self.r + x) * log((self.alpha + age) / (self.alpha + recency))
        return self.a / (self.b + x - 1) * exp(min(waited, _MOST_EXPONENT))


@dataclass(frozen=True)
class GammaGamma:
    """How much customers spend on a purchase: their own mean is gamma (p) around one
    that varies between them (q, v)."""

    p: float
    q: float
    v: float

    def expected(self, buyer: Buyer) -> float | None:
        """The customer's expected mean value of a purchase; None where q is at most
        1, as there is no mean then."""
        if self.q <= 1:
            return None
        bought = self.p * buyer.repeats
        weight = bought / (bought + self.q - 1)
        everybody = self.p * self.v / (self.q - 1)
        return weight * buyer.value + (1 - weight) * everybody


@dataclass(frozen=True)
class Outlook:
    """What buyers will do within some weeks: `purchases` of all, and their `worth`;
    None where how often and how much go together, or where there is no mean.

    `alive`: how many of those who bought again are likely to buy still. Who bought
    once says nothing about that.
    """

    purchases: float
    worth: float | None
    alive: float
    repeated: int


def outlook(
    found: Sequence[Buyer], often: BgNbd, spending: GammaGamma | None, weeks: float
) -> Outlook:
    correlation = value_correlation(found)
    is_free = correlation is None or abs(correlation) < MOST_CORRELATED
    purchases = [often.expected(buyer, weeks) for buyer in found]
    values = [spending.expected(b) for b in found] if spending and is_free else []
    told = [v for v in values if v is not None]
    again = [buyer for buyer in found if buyer.repeats]
    return Outlook(
        sum(purchases),
        sum(p * v for p, v in zip(purchases, told, strict=True)) if told else None,
        sum(often.p_alive(buyer) for buyer in again),
        len(again),
    )


def value_correlation(found: Iterable[Buyer]) -> float | None:
    """The correlation of how often and how much repeat buyers buy; None without any.

    Gamma-Gamma takes it to be zero: above `MOST_CORRELATED` its answer is no good.
    """
    pairs = [(b.repeats, b.value) for b in found if b.repeats > 0]
    if len({x for x, _ in pairs}) < 2 or len({m for _, m in pairs}) < 2:
        return None
    return float(np.corrcoef(np.array(pairs).T)[0, 1])


def fit_bgnbd(found: Iterable[Buyer]) -> BgNbd | None:
    """The parameters that make these buyers most likely; None without repeats."""
    rows = [(b.repeats, b.recency, b.age) for b in found if b.age > 0]
    if not any(x for x, _, _ in rows):
        return None
    unique, weight = np.unique(np.array(rows, dtype=float), axis=0, return_counts=True)
    x, recency, age = unique.T
    again, gammaln = x > 0, scipy.special.gammaln

    def loss(point: Floats) -> float:
        r, alpha, a, b = np.exp(point)
        often = gammaln(r + x) - gammaln(r) + r * log(alpha)
        stays = gammaln(a + b) + gammaln(b + x) - gammaln(b) - gammaln(a + b + x)
        here = -(r + x) * np.log(alpha + age)
        odds = log(a) - np.log(b + np.maximum(x, 1) - 1)
        gone = odds - (r + x) * np.log(alpha + recency)
        total = often + stays + np.where(again, np.logaddexp(here, gone), here)
        return float(-(weight * total).sum() / weight.sum())

    return BgNbd(*_lowest(loss, 4))


def fit_gamma_gamma(found: Iterable[Buyer]) -> GammaGamma | None:
    """The parameters that make these values most likely; None without repeats."""
    rows = [(b.repeats, b.value) for b in found if b.repeats > 0 and b.value > 0]
    if not rows:
        return None
    x, m = np.array(rows, dtype=float).T
    gammaln = scipy.special.gammaln

    def loss(point: Floats) -> float:
        p, q, v = np.exp(point)
        total = (
            gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * log(v)
            + (p * x - 1) * np.log(m) + p * x * np.log(x)
            - (p * x + q) * np.log(x * m + v)
        )  # fmt: skip
        return float(-total.mean())

    return GammaGamma(*_lowest(loss, 3))


def _lowest(loss: Callable[[Floats], float], size: int) -> Sequence[float]:
    """The positive numbers with the lowest loss, which takes their logarithms.

    Nelder and Mead's simplex: no derivatives, and the same answer every time.
    """
    found = scipy.optimize.minimize(
        lambda point: _finite(loss, point),
        np.zeros(size),
        method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-12, "maxiter": 400 * size},
    )
    return [exp(value) for value in found.x]


def _finite(loss: Callable[[Floats], float], point: Floats) -> float:
    if np.abs(point).max() > _FARTHEST:
        return inf
    value = loss(np.asarray(point))
    return value if np.isfinite(value) else inf
