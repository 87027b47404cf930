"""What level of use goes with which chance of renewal: H02 and H03 of the reference.

Use is that of the power feature by an account in a month. Bands are learned from
decisions, by segment; until there are enough, an example stands in, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from perennial.scoring.statistics import Floats, Numbers, rising, wilson

#: Chances of renewal from which on a band is orange, yellow, green.
CUTS = (0.55, 0.65, 0.75)
COLORS = ("red", "orange", "yellow", "green")
#: The example: no use, then these uses a month and more, with their chances.
_EXAMPLE_LOWS = (0.0, 1.0, 6.0, 11.0, 16.0)
_EXAMPLE_CHANCES = (None, 0.5, 0.6, 0.7, 0.8)
_EXAMPLE_COLORS = ("red", "red", "orange", "yellow", "green")


@dataclass(frozen=True)
class BandRules:
    """When a bin tells something, and how far it is drawn to the mean (section 17)."""

    alpha: float = 10
    min_n: int = 30
    min_class: int = 5
    cuts: tuple[float, float, float] = CUTS


@dataclass(frozen=True)
class Band:
    """Uses a month from `low` up to the next band: of `n` decisions there, `renewed`.

    `p` is the chance of renewal, smoothed and never falling from band to band, `low_p`
    to `high_p` the 95 % interval of the plain share; None in the example's band of no
    use, and the interval where nothing was counted.
    """

    low: float
    high: float | None
    color: str
    p: float | None
    low_p: float | None = None
    high_p: float | None = None
    n: int = 0
    renewed: int = 0


@dataclass(frozen=True)
class Bands:
    """The bands of a segment, lowest first, contiguous from 0 on.

    `source`: `segment` where learned from its own decisions, `workspace` where from
    everybody's, `example` where from nobody's.
    """

    segment: str
    source: str
    bands: tuple[Band, ...]

    def of(self, uses: float | None) -> Band | None:
        """The band of so many uses in a month; None where use cannot be told."""
        if uses is None:
            return None
        return [band for band in self.bands if uses >= band.low][-1]

    @property
    def green_from(self) -> float | None:
        """Uses a month from which on a segment is green; None if it never is."""
        green = [band.low for band in self.bands if band.color == "green"]
        return green[0] if green else None

    def gap_to_green(self, uses: float | None) -> int | None:
        """Uses a month that are missing to green; None where that cannot be told."""
        if uses is None or self.green_from is None:
            return None
        return max(0, ceil(self.green_from - uses))


def example(segment: str = "") -> Bands:
    """The bands to begin with; an example, not evidence."""
    highs = (*_EXAMPLE_LOWS[1:], None)
    rows = zip(_EXAMPLE_LOWS, highs, _EXAMPLE_COLORS, _EXAMPLE_CHANCES, strict=True)
    return Bands(segment, "example", tuple(Band(*row) for row in rows))


def learned(
    uses: Numbers,
    renewed: Sequence[bool],
    *,
    rules: BandRules | None = None,
    segment: str = "",
    source: str = "segment",
) -> Bands | None:
    """Bands from the uses a month before each decision, and its outcome.

    Bins begin as no use and the fifths of those who use it; neighbors are merged
    until each tells something. None where even all together are too few.
    """
    rules = rules or BandRules()
    x = _whole(np.asarray(uses, float))
    stayed = np.asarray(renewed, bool)
    lows = _fifths(x)
    at = np.searchsorted(lows, x, side="right") - 1
    n = np.bincount(at, minlength=len(lows))
    hits = np.bincount(at, weights=stayed, minlength=len(lows)).astype(int)
    bins = _merged(
        [(low, int(a), int(b)) for low, a, b in zip(lows, n, hits, strict=True)], rules
    )
    if not bins:
        return None
    chances = smoothed([b[1] for b in bins], [b[2] for b in bins], rules.alpha)
    highs = [*(b[0] for b in bins[1:]), None]
    bands = [
        Band(low, high, color(p, rules.cuts), p, *wilson(hit, count), count, hit)
        for (low, count, hit), high, p in zip(bins, highs, chances, strict=True)
    ]
    return Bands(segment, source, tuple(bands))


def by_segment(
    uses: Numbers,
    renewed: Sequence[bool],
    segments: Sequence[str | None],
    rules: BandRules | None = None,
) -> Mapping[str, Bands]:
    """Bands of every segment, and of all under "". A segment with too few decisions
    has those of all, and all the example's where even they are too few."""
    x, stayed = np.asarray(uses, float), np.asarray(renewed, bool)
    every = learned(x, list(stayed), rules=rules, source="workspace")
    found = {"": every or example()}
    for segment in sorted({s for s in segments if s}):
        inside = np.array([s == segment for s in segments])
        own = learned(x[inside], list(stayed[inside]), rules=rules, segment=segment)
        fallback = found[""]
        found[segment] = own or Bands(segment, fallback.source, fallback.bands)
    return found


def smoothed(n: Sequence[int], renewed: Sequence[int], alpha: float) -> list[float]:
    """Chances of bins: drawn to the share of all as if by `alpha` more decisions each,
    then never falling."""
    base = sum(renewed) / sum(n)
    drawn = [
        (hit + alpha * base) / (count + alpha)
        for hit, count in zip(renewed, n, strict=True)
    ]
    return rising(drawn, [float(count) for count in n])


def color(p: float, cuts: tuple[float, float, float] = CUTS) -> str:
    """The color of a chance of renewal; the lower bound belongs to the color."""
    return COLORS[sum(p >= cut for cut in cuts)]


def _whole(x: Floats) -> Floats:
    """Any use at all is at least one: bands count whole uses of a month."""
    return np.where(x > 0, np.maximum(x, 1.0), 0.0)


def _fifths(x: Floats) -> list[float]:
    """Lower edges: 0, 1, and whole uses that part the users into fifths."""
    used = x[x > 0]
    if not len(used):
        return [0.0]
    parts = np.ceil(np.quantile(used, (0.2, 0.4, 0.6, 0.8)))
    return sorted({0.0, 1.0, *(float(edge) for edge in parts)})


def _merged(
    bins: Iterable[tuple[float, int, int]], rules: BandRules
) -> list[tuple[float, int, int]]:
    """Neighbors together until each bin has enough of both; empty if none can."""
    rows = list(bins)
    while weak := [n for n, b in enumerate(rows) if not _tells(b, rules)]:
        if len(rows) == 1:
            return []
        at = min(weak, key=lambda n: rows[n][1])
        beside = [n for n in (at - 1, at + 1) if 0 <= n < len(rows)]
        first, second = sorted((at, min(beside, key=lambda n: rows[n][1])))
        low, n, hits = rows[first]
        rows[first : second + 1] = [(low, n + rows[second][1], hits + rows[second][2])]
    return rows


def _tells(bin_: tuple[float, int, int], rules: BandRules) -> bool:
    _, n, hits = bin_
    return n >= rules.min_n and min(hits, n - hits) >= rules.min_class
