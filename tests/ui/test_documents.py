"""Documents: nothing leaves its page, whatever it says, and both files can be opened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from io import BytesIO
from zipfile import ZipFile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pptx import Presentation

from perennial.ui import charts, documents
from perennial.ui.charts import Point
from perennial.ui.documents import (
    A4,
    Bar,
    Bars,
    Block,
    Column,
    Document,
    Fact,
    Items,
    Page,
    Table,
)
from perennial.ui.documents.layout import FOOT, sheets
from perennial.ui.documents.marks import Box, Grid, Image, Mark, width_of
from perennial.ui.formats import Regional

WORDS = st.text("abcdefg ÄßŞ&<#$*_\\", min_size=1, max_size=90)
ITEMS = st.builds(
    lambda texts: Items("Said", [(text, text) for text in texts], sub="Why"),
    st.lists(WORDS, max_size=30),
)
BARS = st.builds(
    lambda texts: Bars("Parts", [Bar(t, t, 0.5, "1 / 2") for t in texts]),
    st.lists(WORDS, max_size=8),
)
TABLES = st.builds(
    lambda texts: Table("Rows", ("A", "B"), [(t, t) for t in texts], (2, 1)),
    st.lists(WORDS, max_size=60),
)
BLOCKS = st.lists(st.one_of(ITEMS, BARS, TABLES), max_size=4)


def made(*columns: Sequence[Block], subtitle: str = "Review", **of: object) -> Document:
    page = Page(
        "Page", "This is so.", "And so on.", [Column(c) for c in columns],
        [Fact("Name", "A value that is far too long for the room it has", "note")] * 3,
    )  # fmt: skip
    return Document("Kestrel & Sons", "Aldermoor", "Foot", "de", [page], subtitle, **of)  # type: ignore[arg-type]


def bottom(mark: Mark) -> float:
    if isinstance(mark, Grid):
        return mark.y + mark.row * len(mark.rows)
    return mark.y + mark.height


def right(mark: Mark) -> float:
    return mark.x + (sum(mark.widths) if isinstance(mark, Grid) else mark.width)


@settings(max_examples=60)
@given(BLOCKS, BLOCKS, st.booleans())
@example([], [Bars("Parts", [Bar("a", "b", 0.5, "1 / 2")] * 8)], False)
def test_nothing_leaves_its_page_and_nothing_is_lost(
    left: list[Block], other: list[Block], on_paper: bool
) -> None:
    columns = [left] if on_paper else [left, other]
    document = made(*columns, size=A4 if on_paper else documents.SLIDE)
    wide, high = document.size
    rows = items = 0
    for sheet in sheets(document)[1:]:
        body, foot = sheet[:-3], sheet[-3:]
        assert all(bottom(mark) <= high - FOOT for mark in body), body
        assert all(right(mark) <= wide for mark in sheet)
        assert isinstance(foot[0], Box)
        rows += sum(len(m.rows) - 1 for m in body if isinstance(m, Grid))
        items += sum(isinstance(m, Box) and m.width == 5 for m in body)
    blocks = [block for column in columns for block in column]
    assert rows == sum(len(b.rows) for b in blocks if isinstance(b, Table))
    assert items == sum(len(b.items) for b in blocks if isinstance(b, Items))


def test_a_cell_says_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "A product with a name that no column holds " * 3
    table = Table("Rows", ("Product", "€"), [(long, "1")], (1, 1), frozenset({1}))
    [grid] = [m for m in sheets(made([table]))[1] if isinstance(m, Grid)]
    cell = grid.rows[1][0]
    assert cell.endswith("…")
    assert width_of(cell, grid.size) <= grid.widths[0]


@pytest.fixture(scope="module")
def whole() -> Document:
    days = [date(2026, 1, 5) + timedelta(7 * n) for n in range(6)]
    chart = charts.line_chart(
        [Point(day, n * 1000.0) for n, day in enumerate(days)],
        Regional("de"), name="MRR", grain="week", unit="money", period="Woche",
    )  # fmt: skip
    drawn = documents.picture(chart, "MRR", "je Woche", Regional("de"), width=420, height=180)  # fmt: skip
    assert drawn is not None
    rows = Table("Was", ("A", "B"), [("Plätze", "7"), ("Summe", "9")], (2, 1), frozenset({1}), sums=True)  # fmt: skip
    return made([drawn], [rows, Items("Schritte", [("Anrufen", "heute")], numbered=True)], mark=("red", "12 Rot"))  # fmt: skip


def test_slides_hold_texts_tables_and_pictures(whole: Document) -> None:
    file = Presentation(BytesIO(documents.slides(whole)))
    cover, page = file.slides
    said = [s.text_frame.text for s in cover.shapes if s.has_text_frame]
    assert {"Kestrel & Sons", "Review", "12 Rot"} <= set(said)
    [table] = [s.table for s in page.shapes if s.has_table]
    assert [[c.text for c in row.cells] for row in table.rows][1] == ["Plätze", "7"]
    [shown] = [s for s in page.shapes if s.shape_type == 13]
    assert shown._element.nvPicPr.cNvPr.get("descr") == "MRR. je Woche"
    assert file.slide_width == 960 * 12_700
    with ZipFile(BytesIO(documents.slides(whole))) as parts:
        assert parts.testzip() is None


def test_a_pdf_is_tagged_and_has_its_fonts(whole: Document) -> None:
    file = documents.pdf(whole)
    assert file.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in file or b"/MarkInfo" in file
    for face in (b"Inter-Regular", b"Inter-SemiBold"):
        assert face in file
    assert [m for m in sheets(whole)[1] if isinstance(m, Image)]
