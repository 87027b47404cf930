"""Reading the scales of a scorecard: targets, bands, lines, percentiles."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from perennial.scoring.documents import Reading
from perennial.scoring.scorecard import (
    FACTS,
    Bands,
    Direction,
    Linear,
    Percentile,
    Scale,
    Target,
)

_SCALES = ("target", "bands", "linear", "percentile")


class Scales(Reading):
    """Reads what turns a measured value into points."""

    def scale(self, value: object, place: str, direction: Direction) -> Scale:
        given = self.mapping(value, place, _SCALES)
        if len(given) != 1:
            self.bad(place, f"needs exactly one of {', '.join(_SCALES)}")
            return Target(1.0)
        [(kind, told)] = given.items()
        place = f"{place}.{kind}"
        if kind == "target":
            return Target(self.above_zero(told, place))
        if kind == "linear":
            return self.linear(told, place, direction)
        if kind == "bands":
            return self.bands(told, place, direction)
        return self.percentile(told, place)

    def linear(self, value: object, place: str, direction: Direction) -> Linear:
        given = self.mapping(value, place, ("from", "to"))
        start = self.number(given.get("from"), f"{place}.from")
        end = self.number(given.get("to"), f"{place}.to")
        if self.problems:
            return Linear(0.0, 1.0)
        if start == end:
            self.bad(place, "from and to are the same value")
            return Linear(0.0, 1.0)
        if (start < end) != (direction == "up"):
            self.bad(place, f"goes against the direction {direction}: "
                     f"0 points at {start:g}, 100 at {end:g}")  # fmt: skip
        return Linear(start, end)

    def percentile(self, value: object, place: str) -> Percentile:
        if value is True:
            return Percentile()
        within = self.mapping(value, place, ("within",)).get("within", "")
        if within:
            self.attribute(str(within), f"{place}.within")
        return Percentile(str(within))

    def bands(self, value: object, place: str, direction: Direction) -> Scale:
        given = self.mapping(value, place, ("includes", "of"))
        includes = self.choice(
            given.get("includes", "lower"), f"{place}.includes", ("lower", "upper")
        )
        place = f"{place}.of"
        rows = [
            self.band(each, f"{place}[{n}]")
            for n, each in enumerate(self.listed(given.get("of"), place))
        ]
        edges = self._edges(rows, place)
        points = [band[2] for band in rows]
        falls = [(a, b) for a, b in pairwise(points) if (b < a) == (direction == "up")]
        for before, after in falls:
            if before != after:
                self.bad(place, f"points go from {before:g} to {after:g}, "
                         f"against the direction {direction}")  # fmt: skip
        if not edges:
            return Target(1.0)
        return Bands(tuple(edges), tuple(points), includes)  # type: ignore[arg-type]

    def band(
        self, value: object, place: str
    ) -> tuple[float | None, float | None, float]:
        """Where a band begins and ends (None: it has no end), and its points."""
        given = self.mapping(value, place, ("from", "to", "points"))
        low, high = (
            self.number(given[name], f"{place}.{name}") if name in given else None
            for name in ("from", "to")
        )
        points = self.number(given.get("points"), f"{place}.points", low=0, high=100)
        return low, high, points

    def _edges(
        self, rows: Sequence[tuple[float | None, float | None, float]], place: str
    ) -> list[float]:
        """The edges between bands; raises what leaves a gap or overlaps."""
        if len(rows) < 2:
            self.bad(place, "needs at least two bands")
            return []
        if rows[0][0] is not None:
            self.bad(f"{place}[0].from", f"values below {rows[0][0]:g} have no band")
        if rows[-1][1] is not None:
            last = f"{place}[{len(rows) - 1}].to"
            self.bad(last, f"values beyond {rows[-1][1]:g} have no band")
        edges: list[float] = []
        for n, (band, following) in enumerate(pairwise(rows), 1):
            edge = self._edge(band[1], following[0], f"{place}[{n}].from")
            if edges and edge <= edges[-1]:
                self.bad(f"{place}[{n}].from", "bands must rise")
            edges.append(edge)
        return edges

    def _edge(self, end: float | None, start: float | None, place: str) -> float:
        if end is None and start is None:
            self.bad(place, "the edge between two bands is missing")
        elif end is not None and start is not None and start > end:
            self.bad(place, f"gap: values from {end:g} to {start:g} have no band")
        elif end is not None and start is not None and start < end:
            self.bad(place, f"overlap: values from {start:g} to {end:g} have two bands")
        known = start if start is not None else end
        return 0.0 if known is None else known

    def attribute(self, name: str, place: str) -> None:
        if self.attributes is not None and name not in self.attributes:
            known = ", ".join(sorted({*self.attributes, *FACTS}))
            self.bad(place, f"unknown attribute {name!r}; known: {known}")
