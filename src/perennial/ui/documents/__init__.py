"""Documents: pages of facts, charts and tables, as PDF and as slides.

A document says what stands on its pages (`blocks`), one layout says where (`layout`),
and two writers draw the same marks: `pdf` with Typst, `slides` as PowerPoint. No Django
in here.
"""

from __future__ import annotations

from perennial.ui.documents.blocks import (
    A4,
    SLIDE,
    Bar,
    Bars,
    Block,
    Column,
    Document,
    Fact,
    Facts,
    Items,
    Page,
    Picture,
    Table,
    picture,
)
from perennial.ui.documents.pdf import pdf
from perennial.ui.documents.slides import slides

__all__ = [
    "A4",
    "SLIDE",
    "Bar",
    "Bars",
    "Block",
    "Column",
    "Document",
    "Fact",
    "Facts",
    "Items",
    "Page",
    "Picture",
    "Table",
    "pdf",
    "picture",
    "slides",
]
