"""A version of what was learned about renewals, and what is new against another: P05.

A version is one document: the power feature of each segment with all that was
compared, the bands of its use, the renewal model with how it was judged. It holds
plain numbers only, so that it says the same for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, Literal

import msgspec
import numpy as np

from perennial.scoring import backtest
from perennial.scoring.additive import Additive
from perennial.scoring.bands import Bands
from perennial.scoring.gaps import Trend
from perennial.scoring.power_features import Discovery
from perennial.scoring.statistics import Numbers, psi
from perennial.scoring.trials import Comparison

#: An edge moved by more than this share, or a chance by more than this, is news.
_EDGE, _CHANCE = 0.20, 0.05


@dataclass(frozen=True)
class Review:
    """What decisions before `as_of` tell. Segments are keys, "" is all of them.

    - `discoveries`, `trends`: what was found of each feature, by segment; trends of
      the power feature only.
    - `features`: the power feature of each segment, its own or that of all; a segment
      that is not there has none.
    - `bands`: of its use, by terms of the usual length, of months the last ones;
      `chances`: the same of every decision, so that of monthly terms they say the
      chance of a month.
    - `shares`: of decisions in each of the bands, lowest first.
    - `percentiles`: of their uses a month, 101 a segment: what they were is told in
      the bands of any other version, too. None are known of older versions.
    - `comparison`, `model`: how the models did, and the one that was adopted; None
      where the bands were.
    - `base`: share that renewed and number, of `monthly` and of `longer` terms.
    """

    as_of: date
    discoveries: dict[str, Discovery]
    trends: dict[str, Trend]
    features: dict[str, str]
    bands: dict[str, Bands]
    chances: dict[str, Bands]
    shares: dict[str, tuple[float, ...]]
    comparison: Comparison
    model: Additive | None
    base: dict[str, tuple[float, int]]
    percentiles: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def feature(self, segment: str | None) -> str | None:
        return self.features.get(segment or "") or self.features.get("")

    def bands_of(self, segment: str | None) -> Bands:
        return self.bands.get(segment or "") or self.bands[""]

    def to_json(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Review:
        return msgspec.convert(_upgraded(msgspec.json.decode(text)), cls)


def _upgraded(document: dict[str, Any]) -> dict[str, Any]:
    """A document as it is written today: AUCs that stood beside the models were plain
    numbers once. Fields that came later have defaults."""
    compared = document["comparison"]
    nothing = dict.fromkeys(f.name for f in fields(backtest.Verdict))
    compared["beside"] = {
        way: v
        if isinstance(v, dict)
        else {**nothing, "n": compared["n"], "left": 0, "red": 0, "warned": 0, "auc": v}
        for way, v in compared["beside"].items()
    }
    return document


Kind = Literal["feature", "edges", "edge", "chances", "use", "model"]
Verdict = Literal["stable", "watch", "shift"]


@dataclass(frozen=True)
class Change:
    """One thing that is different: `kind`, of which segment, before and after.

    `edges`: where green begins, or the number of bands; `edge`: another one between
    two bands; `use`: `after` is the population stability index of the decisions.
    """

    kind: Kind
    segment: str
    before: str | float | None
    after: str | float | None


def differences(
    old: Review, new: Review, *, psi_watch: float = 0.10
) -> tuple[Change, ...]:
    """What a person should look at before `new` takes the place of `old`."""
    found = []
    for segment in sorted({*old.bands, *new.bands}):
        before, after = old.feature(segment), new.feature(segment)
        if before != after:
            found.append(Change("feature", segment, before, after))
            continue
        found += _moved(segment, old.bands_of(segment), new.bands_of(segment))
        index = _drift(old, new, segment)
        if index is not None and index >= psi_watch:
            found.append(Change("use", segment, None, index))
    if old.comparison.adopted != new.comparison.adopted:
        models = old.comparison.adopted, new.comparison.adopted
        found.append(Change("model", "", *models))
    return tuple(found)


def _moved(segment: str, old: Bands, new: Bands) -> list[Change]:
    green = old.green_from, new.green_from
    is_recut = len(old.bands) != len(new.bands)
    edges = [(a.low, b.low) for a, b in zip(old.bands, new.bands, strict=False)]
    moved = [pair for pair in edges if _is_far(*pair, _EDGE)]
    found = []
    if is_recut or _is_far(*green, _EDGE):
        found.append(Change("edges", segment, *green))
    elif moved:
        found.append(Change("edge", segment, *moved[0]))
    chances = [
        (a.p, b.p)
        for a, b in zip(old.bands, new.bands, strict=False)
        if a.p is not None and b.p is not None
    ]
    far = [pair for pair in chances if abs(pair[0] - pair[1]) > _CHANCE]
    if far and not is_recut:
        most = max(far, key=lambda pair: abs(pair[0] - pair[1]))
        found.append(Change("chances", segment, *most))
    return found


def _drift(old: Review, new: Review, segment: str) -> float | None:
    """How far uses of the new decisions are from those of the old ones, in the bands of
    these; None where one of the two does not know."""
    before, uses = old.shares.get(segment, ()), new.percentiles.get(segment)
    if uses is None or not sum(before):
        return None
    return psi(before, shares(old.bands[segment], uses))


def _is_far(a: float | None, b: float | None, share: float) -> bool:
    if a is None or b is None:
        return a != b
    return abs(b - a) > share * max(a, 1.0)


def shares(bands: Bands, uses: Numbers) -> tuple[float, ...]:
    """Shares of cases in each band, lowest first; zeros without any."""
    x = np.asarray(uses, float)
    x = x[~np.isnan(x)]
    at = np.searchsorted([band.low for band in bands.bands], x, side="right") - 1
    counts = np.bincount(at, minlength=len(bands.bands))
    return tuple(float(n) / max(len(x), 1) for n in counts)


def percentiles(uses: Numbers) -> tuple[float, ...]:
    """The 101 percentiles, each the use of some case; none without cases."""
    x = np.asarray(uses, float)
    x = x[~np.isnan(x)]
    if not len(x):
        return ()
    found = np.percentile(x, range(101), method="inverted_cdf")
    return tuple(float(value) for value in found)


def shift(
    expected: Numbers, actual: Numbers, *, watch: float, shifted: float
) -> tuple[float, Verdict]:
    """Population stability index of two distributions over bands, and what it means."""
    index = psi(list(expected), list(actual))
    if index > shifted:
        return index, "shift"
    return index, "watch" if index >= watch else "stable"
