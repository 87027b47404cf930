"""Chances as a sum of parts: models whose every answer can be taken apart.

A model is an intercept and, for each measure, a curve; their sum is log-odds, and a
calibration turns that into a chance. Logistic regression has straight lines, boosted
stumps have steps. Both are plain numbers, so that a version can be kept as JSON and
gives the same answer for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import scipy

from perennial.scoring.statistics import Floats

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

# scikit-learn takes a second to load: the few who learn do it, nobody else.

#: Fewer cases are calibrated by a line instead of steps (P03).
ENOUGH_FOR_STEPS = 200
#: What a logistic regression pays for large weights.
_RIDGE = 3.0
#: Cases by which a step of few is drawn to the base rate.
_DRAWN = 4
#: Values a measure is told apart by, at most, in a model of steps.
_MOST_STEPS = 32
#: Chances are kept this far from certainty.
_SURE = 0.005


@dataclass(frozen=True)
class Curve:
    """Log-odds of a measure: a line, `weight` for each `scale` from the `mean`, and
    steps, `values[i]` from `edges[i - 1]` on. `unknown` where it cannot be told."""

    mean: float = 0.0
    scale: float = 1.0
    weight: float = 0.0
    edges: tuple[float, ...] = ()
    values: tuple[float, ...] = (0.0,)
    unknown: float = 0.0

    def __call__(self, x: Floats) -> Floats:
        steps = np.asarray(self.values)[np.searchsorted(self.edges, x, side="right")]
        line = (x - self.mean) / self.scale * self.weight
        return np.where(np.isnan(x), self.unknown, line + steps)


@dataclass(frozen=True)
class Calibration:
    """From log-odds to a chance: a line (`slope`, `shift`), or between points."""

    slope: float = 1.0
    shift: float = 0.0
    points: tuple[tuple[float, float], ...] = ()

    def __call__(self, log_odds: Floats) -> Floats:
        if self.points:
            x, p = np.array(self.points).T
            chance = np.interp(log_odds, x, p)
        else:
            chance = scipy.special.expit(self.slope * log_odds + self.shift)
        return np.asarray(np.clip(chance, _SURE, 1 - _SURE))


@dataclass(frozen=True)
class Additive:
    """A model of the measures `names`, in the order of the columns it is given."""

    kind: str
    names: tuple[str, ...]
    intercept: float
    curves: tuple[Curve, ...]
    calibration: Calibration = field(default_factory=Calibration)

    def parts(self, x: Floats) -> Floats:
        """Log-odds of each measure, by case and measure."""
        return np.column_stack([curve(x[:, n]) for n, curve in enumerate(self.curves)])

    def chances(self, x: Floats) -> Floats:
        return self.calibration(self.intercept + self.parts(x).sum(axis=1))

    def reasons(
        self, x: Floats, groups: Sequence[str], given: str = ""
    ) -> tuple[Floats, Sequence[str], Floats]:
        """How far each group of measures moves the chance from a base, by case: bases,
        names of groups, and moves by case and group.

        `groups` names the group of each measure. The greatest moves first, each from
        where the last one ended: with the base they add up to the chance. The base is
        the chance of a case of which every part is nothing but that of `given`, a
        group that is a fact to start from and no reason.
        """
        names = [g for g in dict.fromkeys(groups) if g != given]
        member = np.array([names.index(g) if g != given else -1 for g in groups])
        parts = self.parts(x)
        start = self.intercept + parts[:, member == -1].sum(axis=1)
        sums = np.column_stack(
            [parts[:, member == n].sum(axis=1) for n in range(len(names))]
        )
        order = np.argsort(-np.abs(sums), axis=1, kind="stable")
        sorted_ = np.take_along_axis(sums, order, axis=1)
        base = self.calibration(start)
        reached = self.calibration(start[:, None] + np.cumsum(sorted_, axis=1))
        before = np.column_stack([base, reached[:, :-1]])
        moves = np.zeros_like(sums)
        np.put_along_axis(moves, order, reached - before, axis=1)
        return base, names, moves


def logistic(
    x: Floats, y: np.ndarray, names: Sequence[str], signs: Sequence[int] = ()
) -> Additive:
    """Logistic regression with a ridge; what is unknown counts as the mean.

    `signs` says for each measure whether more of it may only raise the chance (1),
    only lower it (−1), or either (0): measures that go together would else share an
    effect out as a large one and its opposite.
    """
    known = ~np.isnan(x)
    n = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, x, 0.0).sum(axis=0) / n
    spread = np.sqrt((np.where(known, x - mean, 0.0) ** 2).sum(axis=0) / n)
    scale = np.where(spread > 0, spread, 1.0)
    scaled = np.where(known, (x - mean) / scale, 0.0)
    intercept, *slopes = weights(scaled, y, signs=signs)
    curves = [
        Curve(float(m), float(s), w)
        for m, s, w in zip(mean, scale, slopes, strict=True)
    ]
    return Additive("logistic", tuple(names), intercept, tuple(curves))


def weights(
    x: Floats, y: np.ndarray, *, ridge: float = _RIDGE, signs: Sequence[int] = ()
) -> list[float]:
    """Intercept and weights of a logistic regression with a ridge, within signs."""

    def loss(w: Floats) -> tuple[float, Floats]:
        z = w[0] + x @ w[1:]
        off = scipy.special.expit(z) - y
        total = np.logaddexp(0, z).sum() - y @ z + ridge / 2 * w[1:] @ w[1:]
        slope = np.concatenate([[off.sum()], x.T @ off + ridge * w[1:]])
        return float(total), slope

    bounds = {1: (0.0, None), -1: (None, 0.0), 0: (None, None)}
    allowed = [(None, None), *(bounds[s] for s in signs or [0] * x.shape[1])]
    start = np.zeros(x.shape[1] + 1)
    found = scipy.optimize.minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=allowed
    )
    return [float(w) for w in found.x]


def boosted(
    x: Floats, y: np.ndarray, names: Sequence[str], signs: Sequence[int] = ()
) -> Additive:
    """Gradient boosting of stumps: each measure gets a curve of steps, none depends on
    another. The steps are read off the model, and centered on what is usual; `signs`
    as for `logistic`."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    edges = [_edges(x[:, column]) for column in range(x.shape[1])]
    places = np.column_stack(
        [_places(x[:, column], inner) for column, inner in enumerate(edges)]
    )
    model = HistGradientBoostingClassifier(
        max_leaf_nodes=2,
        learning_rate=0.1,
        max_iter=100,
        min_samples_leaf=20,
        l2_regularization=1.0,
        monotonic_cst=list(signs) or None,
        random_state=0,
    )
    model.fit(places, y)
    start, effects = _effects(model, [len(inner) + 1 for inner in edges])
    curves, intercept = [], start
    for column, inner in enumerate(edges):
        *values, unknown = effects[column]
        at = places[:, column]
        each = np.where(np.isnan(at), unknown, np.array(values)[_index(at)])
        middle = float(each.mean())
        intercept += middle
        values = [float(value) - middle for value in values]
        curves.append(
            Curve(
                edges=tuple(inner),
                values=tuple(values),
                unknown=float(unknown) - middle,
            )
        )
    return Additive("boosted", tuple(names), intercept, tuple(curves))


def _edges(x: Floats) -> list[float]:
    """Where a measure is parted: between quantiles, or between its few values."""
    values = np.unique(x[~np.isnan(x)])
    if len(values) > _MOST_STEPS:
        shares = np.arange(1, _MOST_STEPS) / _MOST_STEPS
        return [float(v) for v in np.unique(np.quantile(x[~np.isnan(x)], shares))]
    return [float(v) for v in (values[:-1] + values[1:]) / 2]


def _places(x: Floats, edges: Sequence[float]) -> Floats:
    found = np.searchsorted(edges, x, side="right").astype(float)
    # A measure nobody has would be no column at all.
    return found * 0 if np.isnan(x).all() else np.where(np.isnan(x), np.nan, found)


def _index(places: Floats) -> np.ndarray:
    return np.nan_to_num(places).astype(int)


def _effects(
    model: HistGradientBoostingClassifier, sizes: Sequence[int]
) -> tuple[float, list[Floats]]:
    """Log-odds of a case of all zeros, and what each place of each measure, unknown
    last, adds to it: of stumps, that is the same whatever the others are."""
    probes = np.zeros((1 + sum(sizes) + len(sizes), len(sizes)))
    row = 1
    for column, size in enumerate(sizes):
        probes[row : row + size + 1, column] = [*range(size), np.nan]
        row += size + 1
    told = model.decision_function(probes)
    ends = np.cumsum([size + 1 for size in sizes])
    return float(told[0]), np.split(told[1:] - told[0], ends[:-1])


def calibrated(model: Additive, x: Floats, y: np.ndarray) -> Additive:
    """The model with its chances held against cases it had not seen.

    Never falling steps, or with fewer than 200 cases a line (Platt). With one outcome
    only it stays as it is.
    """
    from sklearn.linear_model import LogisticRegression

    if y.all() or not y.any():
        return model
    raw = model.intercept + model.parts(x).sum(axis=1)
    if len(y) < ENOUGH_FOR_STEPS:
        line = LogisticRegression(C=1.0).fit(raw[:, None], y)
        slope = max(float(line.coef_[0][0]), 0.0)
        told = Calibration(slope, float(line.intercept_[0]))
    else:
        told = Calibration(points=_steps(raw, y))
    return replace(model, calibration=told)


def _steps(raw: Floats, y: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Log-odds and chances between which lines are drawn: isotonic steps, each drawn
    to the base rate as if by a few more cases, so that a step of two is not certain."""
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression().fit_transform(raw, y)
    values, step, n = np.unique(fitted, return_inverse=True, return_counts=True)
    drawn = (values * n + _DRAWN * y.mean()) / (n + _DRAWN)
    rises = np.maximum.accumulate(drawn)
    ends = {
        float(edge): float(rises[k])
        for k in range(len(n))
        for edge in (raw[step == k].min(), raw[step == k].max())
    }
    return tuple(sorted(ends.items()))
