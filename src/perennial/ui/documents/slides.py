"""A document as slides for PowerPoint, LibreOffice and Keynote.

Texts stay texts, tables stay tables, charts are pictures: people go on writing.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from pptx import Presentation
from pptx.dml.color import RGBColor
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Pt

from perennial.ui.charts import COLORS
from perennial.ui.documents.blocks import Document
from perennial.ui.documents.layout import sheets
from perennial.ui.documents.marks import LINE, Box, Grid, Image, Mark, Run, Text

_FONT = "Inter"
_BLANK = 6
#: Programs without Inter take a wider font: texts on one line get this much room.
_ROOM = 1.12


def slides(document: Document) -> bytes:
    made = Presentation()
    made.slide_width, made.slide_height = (Pt(length) for length in document.size)
    said = made.core_properties
    said.title = document.name
    said.author, said.language = document.author, document.language
    for sheet in sheets(document):
        slide = made.slides.add_slide(made.slide_layouts[_BLANK])
        for mark in sheet:
            _draw(slide.shapes, mark)
    file = BytesIO()
    made.save(file)
    return file.getvalue()


def _draw(shapes: Any, mark: Mark) -> None:
    if isinstance(mark, Box):
        _box(shapes, mark)
    elif isinstance(mark, Image):
        _image(shapes, mark)
    elif isinstance(mark, Grid):
        _grid(shapes, mark)
    else:
        _text(shapes, mark)


def _box(shapes: Any, mark: Box) -> None:
    kind = MSO_SHAPE.ROUNDED_RECTANGLE if mark.radius else MSO_SHAPE.RECTANGLE
    box = shapes.add_shape(kind, *_place(mark))
    if mark.radius:
        box.adjustments[0] = min(mark.radius / min(mark.width, mark.height), 0.5)
    box.fill.solid()
    box.fill.fore_color.rgb = _color(mark.color)
    box.line.fill.background()
    # The theme would give it a shadow, and some programs do so all the same.
    box._element.remove(box._element.find(qn("p:style")))


def _image(shapes: Any, mark: Image) -> None:
    drawn = shapes.add_picture(BytesIO(mark.png), Pt(mark.x), Pt(mark.y))
    scale = min(Pt(mark.width) / drawn.width, Pt(mark.height) / drawn.height)
    drawn.width, drawn.height = int(drawn.width * scale), int(drawn.height * scale)
    drawn._element.nvPicPr.cNvPr.set("descr", mark.text)


def _text(shapes: Any, mark: Text) -> None:
    is_line = mark.height < 2 * mark.size * LINE and not mark.is_right
    x, y, width, height = _place(mark)
    box = shapes.add_textbox(x, y, int(width * _ROOM) if is_line else width, height)
    frame = box.text_frame
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    paragraph = frame.paragraphs[0]
    paragraph.line_spacing = Pt(mark.size * LINE)
    paragraph.alignment = PP_ALIGN.RIGHT if mark.is_right else PP_ALIGN.LEFT
    for run in mark.runs:
        _run(paragraph, run, mark.size)


def _run(paragraph: Any, run: Run, size: float) -> None:
    made = paragraph.add_run()
    made.text = run.text
    made.font.name, made.font.size = _FONT, Pt(size)
    made.font.bold = run.weight >= 600
    made.font.color.rgb = _color(run.color)


def _grid(shapes: Any, mark: Grid) -> None:
    rows, columns = len(mark.rows), len(mark.widths)
    place = (mark.x, mark.y, sum(mark.widths), mark.row * rows)
    frame = shapes.add_table(rows, columns, *(Pt(length) for length in place))
    table = frame.table
    _plain(frame, table)
    for column, width in zip(table.columns, mark.widths, strict=True):
        column.width = Pt(width)
    for n, (row, cells) in enumerate(zip(table.rows, mark.rows, strict=True)):
        row.height = Pt(mark.row)
        is_sum = mark.sums and n == rows - 1
        for c, text in enumerate(cells):
            run = Run(text, 600 if is_sum else 400, "ink" if n else "ink-3")
            _cell(row.cells[c], run, mark.size, is_right=c in mark.figures)


def _plain(frame: Any, table: Any) -> None:
    """No bands, no colored head: the style "No Style, Table Grid" but lines."""
    table.first_row = table.horz_banding = False
    style = frame._element.graphic.graphicData.tbl.tblPr.find(
        "{http://schemas.openxmlformats.org/drawingml/2006/main}tableStyleId"
    )
    style.text = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"


def _cell(cell: Any, run: Run, size: float, *, is_right: bool) -> None:
    cell.margin_left = cell.margin_right = Pt(6)
    cell.margin_top = cell.margin_bottom = 0
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    paragraph = cell.text_frame.paragraphs[0]
    paragraph.alignment = PP_ALIGN.RIGHT if is_right else PP_ALIGN.LEFT
    _run(paragraph, run, size)


def _place(mark: Box | Text) -> tuple[int, int, int, int]:
    return Pt(mark.x), Pt(mark.y), Pt(mark.width), Pt(mark.height)


def _color(role: str) -> RGBColor:
    red, green, blue = bytes.fromhex(COLORS["light"][role].lstrip("#"))
    return RGBColor(red, green, blue)  # type: ignore[no-untyped-call]
