"""What a page is drawn of: texts, boxes, pictures, tables, at a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from PIL import ImageFont

from perennial.ui.charts.look import FONTS

#: From one line of text to the next, of its size.
LINE = 1.36
_FILES = {400: "Inter-Regular.ttf", 500: "Inter-Medium.ttf", 600: "Inter-SemiBold.ttf"}


@dataclass(frozen=True)
class Run:
    """A stretch of text in one look; `color` is a role of the charts."""

    text: str
    weight: int = 400
    color: str = "ink"


@dataclass(frozen=True)
class Text:
    x: float
    y: float
    width: float
    height: float
    size: float
    runs: Sequence[Run]
    is_right: bool = False
    level: int = 0  # of a heading; 0: none


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float
    color: str
    radius: float = 0.0


@dataclass(frozen=True)
class Image:
    x: float
    y: float
    width: float
    height: float
    png: bytes
    text: str


@dataclass(frozen=True)
class Grid:
    """A table: `rows` of texts that fit their cells, the first is the head."""

    x: float
    y: float
    widths: Sequence[float]
    row: float
    size: float
    rows: Sequence[Sequence[str]]
    figures: frozenset[int]
    sums: bool


Mark = Text | Box | Image | Grid


@cache
def _font(weight: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS / _FILES[weight], 100)


def width_of(text: str, size: float, weight: int = 400) -> float:
    return float(_font(weight).getlength(text)) * size / 100


def lines_of(runs: Sequence[Run], size: float, width: float) -> int:
    """How many lines a text takes, broken between words."""
    count, used = 1, 0.0
    for run in runs:
        for word in run.text.replace("\n", " ").split(" "):
            long = width_of(word + " ", size, run.weight)
            if used and used + long > width:
                count, used = count + 1, 0.0
            used += long
    return count


def fitted(text: str, size: float, width: float, weight: int = 400) -> str:
    """A text on one line: what is too much ends in an ellipsis."""
    if width_of(text, size, weight) <= width:
        return text
    while text and width_of(text + "…", size, weight) > width:
        text = text[:-1]
    return text.rstrip() + "…"
