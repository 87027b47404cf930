"""What stands on a page. All lengths are points, 72 to the inch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from perennial.ui import charts
from perennial.ui.charts import Chart
from perennial.ui.formats import Regional

#: Width and height of a page.
SLIDE = (960.0, 540.0)
A4 = (595.0, 842.0)
_PIXELS = 1.1


@dataclass(frozen=True)
class Fact:
    """A number with its name, and one line below; `color` is a role of the charts."""

    label: str
    value: str
    note: str = ""
    color: str = "ink"


@dataclass(frozen=True)
class Facts:
    """Numbers side by side, as many in a row as fit."""

    facts: Sequence[Fact]


@dataclass(frozen=True)
class Picture:
    """A chart; `text` is read to those who do not see it."""

    title: str
    sub: str
    png: bytes
    text: str
    height: float


@dataclass(frozen=True)
class Table:
    """Rows of one line each. `widths` are shares; columns in `figures` stand right."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float]
    figures: frozenset[int] = frozenset()
    sub: str = ""
    sums: bool = False


@dataclass(frozen=True)
class Bar:
    """A part of something: `share` of its way, 0 to 1; None: not measured."""

    name: str
    detail: str
    share: float | None
    figure: str


@dataclass(frozen=True)
class Bars:
    title: str
    bars: Sequence[Bar]
    sub: str = ""


@dataclass(frozen=True)
class Items:
    """Sentences, each with a line of detail below; `numbered` where order matters."""

    title: str
    items: Sequence[tuple[str, str]]
    sub: str = ""
    empty: str = ""
    numbered: bool = False


Block = Facts | Picture | Table | Bars | Items


@dataclass(frozen=True)
class Column:
    """Blocks below each other, in a share of the page's width."""

    blocks: Sequence[Block]
    share: float = 1.0


@dataclass(frozen=True)
class Page:
    """A headline sentence, the fact first, numbers, and columns below. What does not
    fit into a column runs on over further pages."""

    title: str
    lead: str = ""
    rest: str = ""
    columns: Sequence[Column] = ()
    facts: Sequence[Fact] = ()


@dataclass(frozen=True)
class Document:
    """`mark` is a health color and its words for the cover. A document without a
    `subtitle` has no cover: it begins with its first page."""

    title: str
    author: str
    footer: str
    language: str
    pages: Sequence[Page]
    subtitle: str = ""
    size: tuple[float, float] = SLIDE
    facts: Sequence[Fact] = ()
    mark: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        return " – ".join(part for part in (self.title, self.subtitle) if part)


def picture(
    chart: Chart | None,
    title: str,
    sub: str,
    regional: Regional,
    *,
    width: float,
    height: float,
) -> Picture | None:
    """The chart of a page as it stands in a column of this width; about as high."""
    if chart is None:
        return None
    # Charts are drawn for screens, where 12 pixels are small print. Without a ground
    # of their own, fine lines turn dark where a program makes them smaller.
    paper = {"background": "$surface", "height": round(height * _PIXELS)}
    spec = {**chart.spec, **paper}
    png = charts.png(spec, regional, width=round(width * _PIXELS), scale=3)
    wide, high = (int.from_bytes(png[at : at + 4]) for at in (16, 20))
    return Picture(title, sub, png, f"{title}. {sub}".strip(), width * high / wide)
