"""What level of use goes with which chance of renewal: H02 and H03 of the reference.

Use is that of the power feature by an account in a month. Bands are learned from
decisions, by segment; until there are enough, an example stands in, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from math import ceil, log

import numpy as np

from perennial.scoring.statistics import Floats, Numbers, rising, wilson

#: Chances of renewal from which on a band is orange, yellow, green.
CUTS = (0.55, 0.65, 0.75)
COLORS = ("red", "orange", "yellow", "green")
#: The example: no use, then these uses a month and more, with their chances.
_EXAMPLE_LOWS = (0.0, 1.0, 6.0, 11.0, 16.0)
_EXAMPLE_CHANCES = (None, 0.5, 0.6, 0.7, 0.8)
_EXAMPLE_COLORS = ("red", "red", "orange", "yellow", "green")


#: A lower edge, decisions from it on, and how many of them renewed.
Bin = tuple[float, int, int]


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
    everybody's, `example` where from nobody's. `green_low` to `green_high` is the 95 %
    interval of where green begins; None: not told, or never.
    """

    segment: str
    source: str
    bands: tuple[Band, ...]
    green_low: float | None = None
    green_high: float | None = None

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

    Bins begin as no use and the fifths of those who use it (or tenths, where fifths
    tell nothing apart); neighbors are merged so that each tells something. None where
    even all together are too few.
    """
    rules = rules or BandRules()
    x, stayed = _whole(np.asarray(uses, float)), np.asarray(renewed, bool)
    bins: list[Bin] = []
    for parts in (5, 10):
        bins = _merged(_bins(x, stayed, parts), rules)
        if len(bins) != 1:
            break
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
    *,
    repeats: int = 0,
) -> Mapping[str, Bands]:
    """Bands of every segment, and of all under "". A segment whose decisions do not
    part into two bands at least has those of all: one band tells no level of use from
    another. All have the example's where even they are too few.

    With `repeats`, from so many draws of the decisions, where green may begin.
    """
    x, stayed = np.asarray(uses, float), np.asarray(renewed, bool)
    of = np.array([segment or "" for segment in segments], object)
    found = _by_segment(x, stayed, of, rules)
    random = np.random.default_rng(0)
    drawn: dict[str, list[float]] = {segment: [] for segment in found}
    for _ in range(repeats):
        rows = random.integers(0, len(x), len(x))
        again = _by_segment(x[rows], stayed[rows], of[rows], rules)
        for segment, edges in drawn.items():
            green = again[segment].green_from if segment in again else None
            edges.append(np.inf if green is None else green)
    for segment, edges in drawn.items():
        low, high = _interval(edges)
        found[segment] = replace(found[segment], green_low=low, green_high=high)
    return found


def _by_segment(
    x: Floats, stayed: np.ndarray, of: np.ndarray, rules: BandRules | None
) -> dict[str, Bands]:
    every = learned(x, list(stayed), rules=rules, source="workspace") or example()
    found = {"": every}
    for segment in sorted({*of} - {""}):
        inside = of == segment
        own = learned(x[inside], list(stayed[inside]), rules=rules, segment=segment)
        found[segment] = (
            own
            if own and len(own.bands) > 1
            else Bands(segment, every.source, every.bands)
        )
    return found


def _interval(edges: Sequence[float]) -> tuple[float | None, float | None]:
    if not edges:
        return None, None
    low, high = np.quantile(edges, (0.025, 0.975), method="nearest")
    return (
        float(low) if np.isfinite(low) else None,
        float(high) if np.isfinite(high) else None,
    )


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


def _bins(x: Floats, stayed: np.ndarray, parts: int) -> list[Bin]:
    """No use, any use, and whole uses that part the users equally."""
    used = x[x > 0]
    shares = np.arange(1, parts) / parts
    inner = list(np.quantile(used, shares, method="higher")) if len(used) else []
    lows = sorted({0.0, 1.0, *(float(ceil(edge)) for edge in inner)})
    at = np.searchsorted(lows, x, side="right") - 1
    n = np.bincount(at, minlength=len(lows))
    hits = np.bincount(at, weights=stayed, minlength=len(lows))
    return [(low, int(a), int(b)) for low, a, b in zip(lows, n, hits, strict=True)]


def _merged(bins: Sequence[Bin], rules: BandRules) -> list[Bin]:
    """Neighbors together so that each bin has enough of both: of all such ways one
    with the most bins, and of those the likeliest. Empty where there is none."""
    inner = range(1, len(bins))
    for count in range(len(bins) - 1, -1, -1):
        ways = [_together(bins, cuts) for cuts in combinations(inner, count)]
        told = [way for way in ways if all(_tells(b, rules) for b in way)]
        if told:
            return max(told, key=_likelihood)
    return []


def _together(bins: Sequence[Bin], cuts: Sequence[int]) -> list[Bin]:
    edges = [0, *cuts, len(bins)]
    parts = [bins[a:b] for a, b in pairwise(edges)]
    return [(p[0][0], sum(b[1] for b in p), sum(b[2] for b in p)) for p in parts]


def _likelihood(bins: Sequence[Bin]) -> float:
    return sum(
        part * log(part / n) for _, n, hits in bins for part in (hits, n - hits) if part
    )


def _tells(bin_: Bin, rules: BandRules) -> bool:
    _, n, hits = bin_
    return n >= rules.min_n and min(hits, n - hits) >= rules.min_class
