"""The chance that an account renews: P03 of the reference.

The bands of use are the first model. Models of more measures have to beat them, and
the base rate, on decisions they had not seen: each is learned again and again from
what was decided by a day, and judged by what was decided after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import numpy as np
import polars as pl

from perennial.scoring import bands
from perennial.scoring.additive import Additive, boosted, calibrated, logistic
from perennial.scoring.backtest import Verdict, judge
from perennial.scoring.statistics import Floats, Quality, auc, one_thread, quality

#: The part of all decisions, oldest first, that the first model is learned from, and
#: the number of times it is learned again after that.
_FIRST, _FOLDS = 0.4, 5
#: The latest part of what is learned from, which calibrates.
_CALIBRATES, _LEAST_CALIBRATING = 0.25, 50
#: Fewer stayers, or leavers, than this judge nothing.
_LEAST_JUDGING = 10

Fit = Callable[[Floats, np.ndarray, Sequence[str], Sequence[int]], Additive]
#: What more of a measure can only do to the chance; the others may do either.
_SIGNS = {
    **dict.fromkeys(("power_uses", "active_users", "minutes", "active_days", "nps"), 1),
    **dict.fromkeys(("frequency", "breadth", "depth", "growth"), 1),
    **dict.fromkeys(("power_trend", "silent_days", "tickets", "unsolved"), -1),
}
FITS: Mapping[str, Fit] = {"logistic": logistic, "boosted": boosted}


@dataclass(frozen=True)
class Cases:
    """Decisions, oldest first: measures by case, uses of the power feature a month
    (NaN: cannot be told), segment, outcome; `known_on` is the day up to which the
    measures look, `decided_on` the day the outcome was there to learn from."""

    x: Floats
    names: tuple[str, ...]
    uses: Floats
    segments: Sequence[str | None]
    renewed: np.ndarray
    known_on: Sequence[date]
    decided_on: Sequence[date]

    def __len__(self) -> int:
        return len(self.renewed)

    def take(self, rows: np.ndarray) -> Cases:
        return Cases(
            self.x[rows],
            self.names,
            self.uses[rows],
            [self.segments[i] for i in rows],
            self.renewed[rows],
            [self.known_on[i] for i in rows],
            [self.decided_on[i] for i in rows],
        )


@dataclass(frozen=True)
class Trial:
    """A model judged by decisions it had not seen; `adopted` if it is the one used.

    `verdict` judges its chances as a score, colored by the cuts of bands. `failed`
    names what speaks against it: `brier` (not better than the simpler one), `base` (not
    better than the base rate), `ece` (chances off by too much).
    """

    model: str
    quality: Quality
    verdict: Verdict
    adopted: bool = False
    failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """All models on the same decisions. `status` is `insufficient` where there are too
    few to judge by: then there are no trials, and the bands stand."""

    status: str
    trials: tuple[Trial, ...]
    adopted: str
    #: AUC of what anybody could look at instead, by name.
    beside: Mapping[str, float | None]
    #: The composite health score on the same decisions; None where it was not given.
    health: Verdict | None
    n: int
    since: date | None


def folds(cases: Cases, min_class: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows to learn from and rows to judge by: later ones, whose measures end when all
    of the former had been decided."""
    start = round(len(cases) * _FIRST)
    decided = np.array(cases.decided_on, "datetime64[D]")
    known = np.array(cases.known_on, "datetime64[D]")
    for later in np.array_split(np.arange(start, len(cases)), _FOLDS):
        if not len(later):
            continue
        before = np.flatnonzero(decided < known[later].min())
        stayed = int(cases.renewed[before].sum())
        if min(stayed, len(before) - stayed) >= min_class:
            yield before, later


@one_thread
def compare(
    cases: Cases,
    *,
    min_class: int = 20,
    ece_max: float = 0.05,
    rules: bands.BandRules | None = None,
    counts: Floats | None = None,
    silent: Floats | None = None,
    health: tuple[Floats, Sequence[str | None]] | None = None,
) -> Comparison:
    """Every model on the same later decisions, simplest first.

    `counts` are uses of all features by case, `silent` days since the last log-in:
    what others judge by, for comparison. `health` is the composite score by case (NaN:
    none) and its color.
    """
    parts = list(folds(cases, min_class))
    judged = np.concatenate([np.arange(0), *(later for _, later in parts)])
    y = cases.renewed[judged]
    if min(y.sum(), (~y).sum()) < _LEAST_JUDGING:
        return Comparison("insufficient", (), "bands", {}, None, len(cases), None)
    said = {"bands": _joined(parts, lambda a, b: _by_bands(cases, a, b, rules))}
    for kind in FITS:
        said[kind] = _joined(parts, partial(_by_model, cases, kind))
    found = {model: quality(p, y) for model, p in said.items()}
    cuts = rules.cuts if rules else bands.CUTS
    verdicts = {model: _judged(p, y, cuts) for model, p in said.items()}
    trials, adopted = _adopted(found, verdicts, ece_max)
    beside: dict[str, float | None] = {}
    if silent is not None:
        beside["silent_days"] = auc(*_parted(-silent[judged], y))
    if counts is not None:
        by_counts = _joined(parts, lambda a, b: _by_counts(counts, cases.renewed, a, b))
        beside["usage_counts"] = auc(*_parted(by_counts, y))
    since = cases.decided_on[int(judged[0])]
    composite = _of_health(health, judged, y) if health else None
    return Comparison("ok", trials, adopted, beside, composite, len(judged), since)


def _judged(p: Floats, y: np.ndarray, cuts: tuple[float, float, float]) -> Verdict:
    colors = [bands.color(chance, cuts) for chance in p]
    return judge(p, [bool(v) for v in y], colors=colors)


def _of_health(
    health: tuple[Floats, Sequence[str | None]], judged: np.ndarray, y: np.ndarray
) -> Verdict:
    """The score judged where there was one."""
    scores, colors = health[0][judged], [health[1][i] for i in judged]
    known = np.flatnonzero(~np.isnan(scores))
    return judge(
        scores[known],
        [bool(v) for v in y[known]],
        colors=[colors[i] for i in known],
    )


def _adopted(
    found: Mapping[str, Quality], verdicts: Mapping[str, Verdict], ece_max: float
) -> tuple[tuple[Trial, ...], str]:
    chosen, failures = "bands", {}
    for model, told in found.items():
        if model == "bands":
            continue
        failed = [
            name
            for name, fails in (
                ("brier", told.brier >= found[chosen].brier),
                ("base", told.brier >= told.brier_base),
                ("ece", told.ece > ece_max),
            )
            if fails
        ]
        failures[model] = tuple(failed)
        if not failed:
            chosen = model
    trials = [
        Trial(model, told, verdicts[model], model == chosen, failures.get(model, ()))
        for model, told in found.items()
    ]
    return tuple(trials), chosen


@one_thread
def fit(kind: str, x: Floats, y: np.ndarray, names: Sequence[str]) -> Additive:
    """A model of cases, oldest first, calibrated by the latest quarter of them as seen
    by a model of the others."""
    split = len(y) - round(len(y) * _CALIBRATES)
    signs = [_SIGNS.get(name, 0) for name in names]
    whole = FITS[kind](x, y, names, signs)
    early = y[:split]
    if len(y) - split < _LEAST_CALIBRATING or early.all() or not early.any():
        return whole
    other = calibrated(FITS[kind](x[:split], early, names, signs), x[split:], y[split:])
    return replace(whole, calibration=other.calibration)


def chance_by_bands(
    found: Mapping[str, bands.Bands], uses: Floats, segments: Sequence[str | None]
) -> Floats:
    """The chance of each account's band; NaN where it has none."""
    told = np.full(len(uses), np.nan)
    for row, (x, segment) in enumerate(zip(uses, segments, strict=True)):
        of = found.get(segment or "") or found[""]
        band = of.of(None if np.isnan(x) else float(x))
        if band is not None and band.p is not None:
            told[row] = band.p
    return told


def _joined(
    parts: Sequence[tuple[np.ndarray, np.ndarray]],
    said: Callable[[np.ndarray, np.ndarray], Floats],
) -> Floats:
    return np.concatenate([said(before, later) for before, later in parts])


def _by_bands(
    cases: Cases, before: np.ndarray, later: np.ndarray, rules: bands.BandRules | None
) -> Floats:
    old, new = cases.take(before), cases.take(later)
    known = np.flatnonzero(~np.isnan(old.uses))
    seen = old.take(known)
    found = bands.by_segment(
        seen.uses, [bool(v) for v in seen.renewed], seen.segments, rules
    )
    told = chance_by_bands(found, new.uses, new.segments)
    return np.where(np.isnan(told), old.renewed.mean(), told)


def _by_model(cases: Cases, kind: str, before: np.ndarray, later: np.ndarray) -> Floats:
    model = fit(kind, cases.x[before], cases.renewed[before], cases.names)
    return model.chances(cases.x[later])


def _by_counts(
    counts: Floats, renewed: np.ndarray, before: np.ndarray, later: np.ndarray
) -> Floats:
    x = np.log1p(counts)
    names = [str(n) for n in range(x.shape[1])]
    return logistic(x[before], renewed[before], names).chances(x[later])


def _parted(values: Floats, y: np.ndarray) -> tuple[Floats, Floats]:
    return values[y], values[~y]


def measures(cases: pl.DataFrame, segments: Sequence[str]) -> tuple[Floats, list[str]]:
    """Observed cases as the columns a model takes, and their names.

    NaN where a measure cannot be told. Counts are logarithms, so that a doubling
    counts the same anywhere. A column for each of `segments`.
    """
    users = pl.max_horizontal("active_users", pl.lit(1))
    columns = {
        "power_uses": _log("power_uses"),
        "power_trend": pl.col("power_trend"),
        **{part: pl.col(part) for part in ("frequency", "breadth", "depth", "growth")},
        "active_users": _log("active_users"),
        "seats": _log("seats"),
        "minutes": (pl.col("duration_ms") / 60_000 / users / pl.col("days")).log1p(),
        "active_days": pl.col("active_days") / pl.col("days"),
        "silent_days": pl.col("silent_days").clip(0, 120).cast(pl.Float64).log1p(),
        "tenure_months": _log("tenure_months"),
        "term_days": _log("term_days"),
        "mrr": _log("mrr_e4"),
        "tickets": (pl.col("opened") / users).log1p(),
        "unsolved": _log("unsolved"),
        "nps": pl.col("nps"),
        **{
            f"segment={name}": (pl.col("segment") == name).cast(pl.Float64)
            for name in segments
        },
    }
    frame = cases.select(
        expression.cast(pl.Float64).alias(name) for name, expression in columns.items()
    )
    return frame.fill_null(float("nan")).to_numpy(), frame.columns


def _log(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Float64).log1p()


def group_of(name: str) -> str:
    """The reason a measure belongs to: all segments are one, use and its trend too."""
    return {"power_trend": "power_uses"}.get(name, name.partition("=")[0])
