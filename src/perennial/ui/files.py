"""Tables as files that spreadsheets open: CSV, or a workbook for Excel."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.http import HttpResponse

Cell = str | float | Decimal | date | None
Lines = Iterable[Sequence[Cell]]

#: What spreadsheets take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: Widths of columns in characters: of a text, and of a day or number.
_WIDE, _NARROW = 24, 14


def safe(text: str) -> str:
    """The text, so that it cannot become a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def download(
    query: Mapping[str, str], name: str, head: Sequence[str], rows: Lines
) -> HttpResponse:
    """The rows in the format the address asks for, to be saved under a name."""
    ending = "xlsx" if query.get("format") == "xlsx" else "csv"
    kind, write = _FORMATS[ending]
    response = HttpResponse(write(head, rows), content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    return response


def _csv(head: Sequence[str], rows: Lines) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(map(safe, head))
    for row in rows:
        writer.writerow(safe(cell) if isinstance(cell, str) else cell for cell in row)
    return text.getvalue().encode()


def _xlsx(head: Sequence[str], rows: Lines) -> bytes:
    """One sheet with a head that stays; a text is written as text, never a formula."""
    content = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(content, options) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, head, book.add_format({"bold": True}))
        sheet.freeze_panes(1, 0)
        kinds: list[Any] = [None] * len(head)
        for n, row in enumerate(rows, start=1):
            for at, cell in enumerate(row):
                kinds[at] = kinds[at] or type(cell)
                if isinstance(cell, str):
                    sheet.write_string(n, at, cell)
                elif isinstance(cell, date):
                    sheet.write_datetime(n, at, cell, day)
                elif cell is not None:
                    sheet.write_number(n, at, cell)
        for at, kind in enumerate(kinds):
            sheet.set_column(at, at, _WIDE if kind is str else _NARROW)
    return content.getvalue()


Write = Callable[[Sequence[str], Lines], bytes]
_FORMATS: dict[str, tuple[str, Write]] = {
    "csv": ("text/csv; charset=utf-8", _csv),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _xlsx,
    ),
}
#: What an address can ask for.
FORMATS = tuple(_FORMATS)
