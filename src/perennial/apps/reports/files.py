"""What reports show as files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from django.http import HttpResponse

from perennial.apps.reports import behind, breakdown, detail
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.board import Theme
from perennial.apps.reports.dimensions import dimensions
from perennial.apps.reports.results import Answers, Row
from perennial.metrics.registry import Metric
from perennial.ui.files import Cell, download

_HEAD = ("period_start", "period_end", "value", "numerator", "denominator", "n")


def answer(
    answers: Answers, metric: Metric, asked: Asked, query: Mapping[str, str]
) -> HttpResponse:
    """The series of a metric; `of=rows` the rows behind, `of=parts` its breakdown."""
    of = query.get("of", "")
    if of == "rows":
        rows = behind.every(answers, metric, asked)
    elif of == "parts":
        rows = _parts(answers, metric, asked)
    else:
        of, rows = "", detail.series(answers, metric, asked)[2]
    name = f"{metric.key}-{of}" if of else metric.key
    return download(query, f"{name}-{answers.today}", *lines(metric, rows))


def _parts(answers: Answers, metric: Metric, asked: Asked) -> list[Row]:
    known = dimensions(answers, metric)
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
    return download(query, f"board-{day}", head, found)
