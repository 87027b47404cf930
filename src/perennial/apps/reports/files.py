"""What a page shows as a file: CSV, or a workbook for Excel."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import xlsxwriter
from django.http import HttpResponse

from perennial.apps.intake.csvs import safe
from perennial.apps.reports import breakdown, detail
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.board import Theme
from perennial.apps.reports.results import Answers, Row
from perennial.metrics.registry import Metric

Cell = str | float | date | None
Lines = Iterable[Sequence[Cell]]

_HEAD = ("period_start", "period_end", "value", "numerator", "denominator", "n")
#: Widths of columns in characters: of a text, and of a day or number.
_WIDE, _NARROW = 24, 14


def answer(
    answers: Answers, metric: Metric, asked: Asked, query: Mapping[str, str]
) -> HttpResponse:
    """The series of a metric; `of=rows` the rows behind, `of=parts` its breakdown."""
    of = query.get("of", "")
    if of == "rows":
        rows = breakdown.behind_rows(answers, metric, asked)
    elif of == "parts":
        rows = _parts(answers, metric, asked)
    else:
        of, rows = "", detail.series(answers, metric, asked)[2]
    name = f"{metric.key}-{of}" if of else metric.key
    return file(query, f"{name}-{answers.today}", *lines(metric, rows))


def _parts(answers: Answers, metric: Metric, asked: Asked) -> list[Row]:
    known = breakdown.dimensions(answers, metric)
    if not known:
        return []
    by = asked.by if asked.by in known else known[0]
    return breakdown.split(answers, metric, asked, by)[0]


def lines(metric: Metric, rows: Sequence[Row]) -> tuple[list[str], list[list[Cell]]]:
    """Heads and rows of a metric's answer, with the groups it is split by."""
    names = list(rows[0].groups) if rows else []
    head = ["metric", *names, *_HEAD, "status"]
    found: list[list[Cell]] = []
    for row in rows:
        groups: list[Cell] = [row.groups.get(name) or "" for name in names]
        numbers = [row.value, row.numerator, row.denominator, row.n]
        period = [row.start, row.end]
        found.append([metric.key, *groups, *period, *numbers, row.status])
    return head, found


def of_board(
    query: Mapping[str, str], themes: Iterable[Theme], day: date
) -> HttpResponse:
    """A board: a line a tile."""
    head = ["theme", "metric", "title", "value", "before", "unit", "n", "status"]
    found: list[list[Cell]] = []
    for theme in themes:
        for tile in theme.tiles:
            now = tile.numbers.now if tile.numbers else None
            before = tile.numbers.before if tile.numbers else None
            found.append(
                [
                    str(theme.title),
                    tile.metric.key,
                    tile.title,
                    now.value if now else None,
                    before.value if before else None,
                    tile.metric.unit,
                    now.n if now else None,
                    now.status if now else "no_data",
                ]
            )
    return file(query, f"board-{day}", head, found)


def file(
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
