"""The small drawings of the server: sparkline, meter, split bar.

They are SVG with attributes only, because the Content-Security-Policy allows no
inline styles. Functions return plain numbers; templates write them down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, INSET = 64.0, 20.0, 3.0


@dataclass(frozen=True)
class Spark:
    points: tuple[str, ...]
    end_x: float
    end_y: float


def spark(values: Sequence[float | None]) -> Spark | None:
    """The line of `values` in a 64 × 20 box, cut where a value is missing.

    None when fewer than two values are known: a dot alone tells nothing.
    """
    known = [(i, v) for i, v in enumerate(values) if v is not None]
    if len(known) < 2:
        return None
    low, high = min(v for _, v in known), max(v for _, v in known)
    span = (high - low) or 1.0
    step = (WIDTH - 2 * INSET) / (len(values) - 1)

    def place(index: int, value: float) -> tuple[float, float]:
        y = 0.5 if high == low else (high - value) / span
        return (
            round(INSET + index * step, 1),
            round(INSET + y * (HEIGHT - 2 * INSET), 1),
        )

    lines: list[list[str]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            lines.append([])
        else:
            x, y = place(index, value)
            lines[-1].append(f"{x:g},{y:g}")
    end_x, end_y = place(*known[-1])
    return Spark(tuple(" ".join(line) for line in lines if line), end_x, end_y)


def share(value: float, of: float) -> float:
    """Percent of the track, between 0 and 100."""
    return round(min(max(value / of, 0.0), 1.0) * 100, 1) if of > 0 else 0.0


@dataclass(frozen=True)
class Part:
    state: str
    x: float
    width: float


def split(parts: Sequence[tuple[str, float]], gap: float = 1.0) -> tuple[Part, ...]:
    """Parts of one bar side by side, in percent, with a gap between them."""
    shown = [(state, value) for state, value in parts if value > 0]
    total = sum(value for _, value in shown)
    room = 100.0 - gap * (len(shown) - 1)
    out: list[Part] = []
    x = 0.0
    for state, value in shown:
        width = room * value / total
        out.append(Part(state, round(x, 2), round(width, 2)))
        x += width + gap
    return tuple(out)


def heat_step(value: float | None, high: float) -> int:
    """Which of the eight heat classes a cell gets; 0 is empty."""
    if value is None or value <= 0 or high <= 0:
        return 0
    return min(8, 1 + int(value / high * 7.999))
