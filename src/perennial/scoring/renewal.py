"""The chance that an account renews: P03 of the reference.

What models are learned from, and the models of more measures than the bands of use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from perennial.scoring import bands
from perennial.scoring.additive import Additive, boosted, calibrated, logistic
from perennial.scoring.statistics import Floats, one_thread

#: The latest part of what is learned from, which calibrates.
_CALIBRATES, _LEAST_CALIBRATING = 0.25, 50

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
    measures look, `decided_on` the day the outcome was there to learn from. Colors of
    bands are learned from those that are `counted`: terms of the usual length, and of
    months the last ones.

    What others judge by, where it is given: `counts`, uses of all features; `silent`,
    days since the last log-in; `health`, the composite score (NaN: none) and `colors`.
    """

    x: Floats
    names: tuple[str, ...]
    uses: Floats
    segments: Sequence[str | None]
    renewed: np.ndarray
    known_on: Sequence[date]
    decided_on: Sequence[date]
    counted: np.ndarray | None = None
    counts: Floats | None = None
    silent: Floats | None = None
    health: Floats | None = None
    colors: Sequence[str | None] = ()

    def __len__(self) -> int:
        return len(self.renewed)

    def take(self, rows: np.ndarray) -> Cases:
        def some(values: Any) -> Any:
            if isinstance(values, np.ndarray):
                return values[rows]
            return values and [values[i] for i in rows]

        of_cases = [f.name for f in fields(self) if f.name != "names"]
        told = {name: some(getattr(self, name)) for name in of_cases}
        return Cases(names=self.names, **told)


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
