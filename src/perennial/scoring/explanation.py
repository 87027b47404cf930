"""Why a score is what it is, and why it moved: parts that add up exactly.

Contributions are stored as binary floating point whose sums are exact (see
`scores`); here they are decimals of exactly the same value, so that parts add up to
a score, and differences of parts to the difference of two scores, without a rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

#: Points are told in billionths (2⁻³⁰): sums of such numbers lose nothing.
GRID = 2.0**30
#: Wide enough for the exact sum of any numbers in binary floating point.
_EXACT = Context(prec=1200)


@dataclass(frozen=True)
class Part:
    """One part of a score: value 0 to 100, its nominal weight, and what it gives.

    `contribution` is in points of the score, exact; None where there is no score or
    the part was not measured. `measured` is what a metric said, in its unit.
    """

    name: str
    value: float | None
    weight: float
    contribution: Decimal | None
    measured: float | None = None


def parts(text: str | None) -> tuple[Part, ...]:
    """The parts as a snapshot carries them."""
    return tuple(_part(each) for each in json.loads(text or "[]"))


def _part(told: Mapping[str, Any]) -> Part:
    contribution = told["contribution"]
    return Part(
        told["name"],
        told["value"],
        told["weight"],
        None if contribution is None else Decimal(contribution),
        told.get("measured"),
    )


def former_parts(
    values: Mapping[str, float | None],
    weights: Mapping[str, float],
    score: float | None,
) -> tuple[Part, ...]:
    """The parts of a snapshot that was stored without them: the last takes the rest."""
    known = [name for name in weights if values[name] is not None]
    if score is None or not known:
        return tuple(Part(n, values[n], w, None) for n, w in weights.items())
    whole = sum(weights[name] for name in known)
    given = {n: Decimal((values[n] or 0.0) * weights[n] / whole) for n in known}
    others = total([given[name] for name in known[:-1]])
    given[known[-1]] = _EXACT.subtract(Decimal(score), others)
    return tuple(Part(n, values[n], w, given.get(n)) for n, w in weights.items())


def on_grid(points: float) -> float:
    """Points to the nearest billionth, so that they add up exactly with others."""
    return round(points * GRID) / GRID


def total(contributions: Sequence[Decimal]) -> Decimal:
    """The exact sum."""
    found = Decimal(0)
    for each in contributions:
        found = _EXACT.add(found, each)
    return found


def changes(now: Sequence[Part], before: Sequence[Part]) -> dict[str, Decimal]:
    """What each part gave the score more or less than before, exact.

    A part that was not there before, or is no longer, counts with all it gives:
    together the changes are the change of the score, whatever became of weights.
    """
    after = _given(now)
    earlier = _given(before)
    names = dict.fromkeys((*(p.name for p in now), *(p.name for p in before)))
    zero = Decimal(0)
    return {
        name: _EXACT.subtract(after.get(name, zero), earlier.get(name, zero))
        for name in names
        if name in after or name in earlier
    }


def _given(found: Sequence[Part]) -> dict[str, Decimal]:
    return {p.name: p.contribution for p in found if p.contribution is not None}


def drivers(now: Sequence[Part], before: Sequence[Part]) -> list[tuple[str, float]]:
    """The changes that go the way of the score, the largest first; then the others.

    Points of the score: weight × change, as H04 sorts them.
    """
    moved = {name: float(by) for name, by in changes(now, before).items() if by}
    way = 1 if sum(moved.values()) > 0 else -1
    return sorted(moved.items(), key=lambda item: (-item[1] * way, item[0]))
