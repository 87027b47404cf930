"""A document as PDF, drawn with Typst: tagged, with its fonts inside."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from perennial.ui.charts.look import COLORS, FONTS
from perennial.ui.documents.blocks import Document
from perennial.ui.documents.layout import sheets
from perennial.ui.documents.marks import Grid, Image, Mark

_TEMPLATE = Path(__file__).parent / "document.typ"


def pdf(document: Document) -> bytes:
    import typst  # 80 MB that most processes never need

    with TemporaryDirectory() as folder:
        main = str(written(document, Path(folder)))
        fonts = [str(FONTS)]
        made = typst.compile(
            main, root=folder, font_paths=fonts, ignore_system_fonts=True
        )
    assert isinstance(made, bytes)
    return made


def written(document: Document, folder: Path) -> Path:
    """The document and its pictures as files, which Typst reads; the one to compile."""
    pages = [[_told(mark, folder) for mark in sheet] for sheet in sheets(document)]
    said = {
        "title": document.name,
        "author": document.author,
        "language": document.language,
        "size": document.size,
        "colors": COLORS["light"],
        "pages": pages,
    }
    (folder / "document.json").write_text(json.dumps(said))
    return Path(shutil.copy(_TEMPLATE, folder))


def _told(mark: Mark, folder: Path) -> dict[str, Any]:
    """A mark as the template reads it; pictures become files beside it."""
    told = {"kind": type(mark).__name__.lower(), **asdict(mark)}
    if isinstance(mark, Image):
        told["png"] = f"{hashlib.sha256(mark.png).hexdigest()}.png"
        (folder / told["png"]).write_bytes(mark.png)
    elif isinstance(mark, Grid):
        told["figures"] = sorted(mark.figures)
    return told
