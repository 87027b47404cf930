"""Metrics that answer with a table of their own: cohorts, movements, topics.

Each becomes a grid: a heading a column, a name and cells a row. `heat` is 0 to 10
where a cell is colored by its share, and empty elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from babel.dates import format_date
from django.http import HttpResponse
from django.utils.translation import gettext as _

from perennial.apps.reports import asked as asking
from perennial.apps.reports import board, files, menus, values
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.behind import Behind, made_of, sum_of, weight
from perennial.apps.reports.elsewhere import elsewhere
from perennial.apps.reports.results import Answers, Question, Row
from perennial.apps.team.access import TeamRequest
from perennial.core.windows import Period
from perennial.metrics.registry import Metric
from perennial.ui import formats
from perennial.ui.charts import Chart, curve_chart
from perennial.ui.files import download
from perennial.ui.formats import Regional

#: Columns of a heat map: more do not fit, and hold few customers.
_MOST = 13


@dataclass(frozen=True)
class Cell:
    text: str
    heat: int | None = None
    is_faint: bool = False
    url: str = ""


@dataclass(frozen=True)
class Line:
    name: str
    cells: list[Cell]
    is_total: bool = False
    course: list[float | None] = field(default_factory=list)


@dataclass(frozen=True)
class Grid:
    head: list[str]
    lines: list[Line]
    title: str
    sub: str


def page(request: TeamRequest, metric: Metric, asked: Asked) -> dict[str, Any]:
    """What the template reads: the grid beside formula and caveats."""
    answers, regional = Answers(request.workspace), request.regional
    period = _period(metric, asked, answers.today)
    question, rows = _question(answers, metric, asked), rows_of(answers, metric, asked)
    return {
        "here": asked.url(),
        "asked": asked,
        "metric": metric,
        "title": _(metric.title),
        "about": values.prose(_(metric.description)),
        "caveats": values.prose(_(metric.caveats)) if metric.caveats else "",
        "formula_words": _(metric.formula),
        "family": board.THEMES[metric.theme],
        "period": period,
        "dates": asking.dates(period, regional),
        "grid": (
            grid := _grid(metric)(rows, metric, asked, regional) if rows else None
        ),
        "curve": _curve(grid, regional) if grid and _is_cohort(metric) else None,
        "rows": behind(answers, metric, asked, regional) if asked.rows else None,
        "elsewhere": elsewhere(
            question,
            request.workspace.key,
            request.build_absolute_uri("/").rstrip("/"),
        ),
    }


def rows_of(answers: Answers, metric: Metric, asked: Asked) -> list[Row]:
    """What the grid is made of."""
    return answers.rows(_question(answers, metric, asked))


def _question(answers: Answers, metric: Metric, asked: Asked) -> Question:
    period = _period(metric, asked, answers.today)
    return board.ask(metric, asked, period, grain=_grain(metric))


def behind(
    answers: Answers, metric: Metric, asked: Asked, regional: Regional
) -> Behind:
    """The accounts behind one cell: what `rows` names, in the period."""
    rows, total = _cell_rows(answers, metric, asked)
    made = made_of(answers, "account", sum_of(rows), total, metric, regional)
    name, days = metric.makes[-1], asking.period_of(asked.period, answers.today)
    said = {"dates": asking.dates(days, regional), "k": asked.rows}
    what = _("%(dates)s, %(k)s months later") if name == "k" else "%(k)s, %(dates)s"
    if name != "k":
        said["k"] = values.group_name(asked.rows)
    return replace(made, what=what % said)


def _cell_rows(
    answers: Answers, metric: Metric, asked: Asked
) -> tuple[list[Row], Row | None]:
    """The rows of a cell by account, those that weigh most first, and its own."""
    period = asking.period_of(asked.period, answers.today)
    grain = "month" if _is_cohort(metric) else "total"

    def those(*by: str) -> list[Row]:
        asks = board.ask(metric, asked, period, grain=grain, by=by)
        # A step comes as a number or as text, see `_cohorts`.
        found = answers.rows(asks)
        return [r for r in found if str(r.groups[metric.makes[-1]]) == asked.rows]

    rows = [row for row in those("account") if row.n or row.numerator]
    rows.sort(key=lambda row: abs(weight(row)), reverse=True)
    return rows, next(iter(those()), None)


def file(request: TeamRequest, metric: Metric, asked: Asked) -> HttpResponse:
    """The rows of the grid as a file; with `of=rows`, those behind a cell."""
    answers = Answers(request.workspace)
    if asked.rows and request.GET.get("of") == "rows":
        rows, _total = _cell_rows(answers, metric, asked)
    else:
        rows = rows_of(answers, metric, asked)
    head, found = files.lines(metric, rows)
    return download(request.GET, f"{metric.key}-{answers.today}", head, found)


def _is_cohort(metric: Metric) -> bool:
    return metric.makes[:1] == ("cohort",)


def _grain(metric: Metric) -> str:
    return "month" if _is_cohort(metric) or metric.theme == "revenue" else "total"


def _period(metric: Metric, asked: Asked, today: date) -> Period:
    """Cohorts and movements are of the last 13 months; others of the period."""
    if _grain(metric) == "month":
        return asking.history(today)
    return asking.period_of(asked.period, today)


def _grid(
    metric: Metric,
) -> Callable[[Sequence[Row], Metric, Asked, Regional], Grid]:
    if _is_cohort(metric):
        return _cohorts
    return _by_month if _grain(metric) == "month" else _list


def _cohorts(
    rows: Sequence[Row], metric: Metric, asked: Asked, regional: Regional
) -> Grid:
    """A line a cohort, a column a month since; the mean is weighted by size."""
    found: Mapping[date, dict[int, Row]] = defaultdict(dict)
    for row in rows:
        # Cohort and step come as text where groups are kept as text.
        found[row.start][int(row.groups["k"] or 0)] = row
    columns = range(min(_MOST, 1 + max(k for line in found.values() for k in line)))
    lines = [
        Line(
            format_date(start, "MMM y", regional.locale),
            [Cell(_size(line[0], metric, regional))]
            + [_heat(line.get(k), asked, regional) for k in columns],
        )
        for start, line in sorted(found.items())
        if 0 in line
    ]
    course = [
        _pooled([line[k] for line in found.values() if k in line]) for k in columns
    ]
    every = [Cell("")] + [
        Cell(formats.percent(v, regional) if v is not None else formats.EMPTY)
        for v in course
    ]
    lines.append(Line(_("All, weighted"), every, is_total=True, course=course))
    return Grid(
        [_("Cohort"), _("Size"), *map(str, columns)],
        lines,
        _("Kept of each cohort"),
        _("Months since the cohort’s own, which is 0."),
    )


def _curve(grid: Grid, regional: Regional) -> Chart | None:
    """What is kept of all cohorts, by how long they are there; None for one month."""
    course = grid.lines[-1].course
    if len(course) < 2:
        return None
    step = _("Months since the first")
    return curve_chart(course, regional, name=_("Kept"), step=step)


def _size(row: Row, metric: Metric, regional: Regional) -> str:
    if metric.theme == "revenue" or "revenue" in metric.key:
        return formats.money(row.denominator, regional)
    return formats.number(row.denominator, regional, 0)


def url_of(row: Row, name: str, asked: Asked) -> str:
    """The address of the rows behind a cell."""
    days = asking.written(Period(row.start, row.end))
    return asked.url(period=days, rows=name) + "#rows"


def _heat(row: Row | None, asked: Asked, regional: Regional) -> Cell:
    if row is None or row.value is None:
        return Cell("")
    heat = min(10, max(0, round(row.value * 10)))
    return Cell(
        formats.percent(row.value, regional, 0),
        heat,
        is_faint=row.status == "provisional",
        url=url_of(row, str(row.groups["k"]), asked),
    )


def _pooled(rows: Sequence[Row]) -> float | None:
    below = sum(row.denominator or 0 for row in rows)
    return sum(row.numerator or 0 for row in rows) / below if below else None


def _by_month(
    rows: Sequence[Row], metric: Metric, asked: Asked, regional: Regional
) -> Grid:
    """A line a month, newest first, a column a movement, and what they add up to."""
    names = list(dict.fromkeys(row.group or "" for row in rows))
    months: Mapping[date, dict[str, Row]] = defaultdict(dict)
    for row in rows:
        months[row.start][row.group or ""] = row
    is_sum = not {"opening", "closing"} & {*names}
    lines = []
    for start in sorted(months, reverse=True):
        line = months[start]
        amounts = [line[name].value if name in line else None for name in names]
        cells = [
            Cell(
                formats.money(v, regional),
                is_faint=not v,
                url=url_of(line[name], name, asked) if v else "",
            )
            for name, v in zip(names, amounts, strict=True)
        ]
        if is_sum:
            cells.append(Cell(formats.money(sum(v or 0 for v in amounts), regional)))
        lines.append(Line(format_date(start, "MMM y", regional.locale), cells))
    head = [_("Month"), *(values.group_name(name) for name in names)]
    return Grid(
        [*head, _("Together")] if is_sum else head,
        lines,
        _("By month"),
        _("Losses are negative; opening and movements make the closing."),
    )


def _list(
    rows: Sequence[Row], metric: Metric, asked: Asked, regional: Regional
) -> Grid:
    """A line a group with its value and how much it rests on."""
    unit = metric.unit_of(asked.variant)
    lines = [
        Line(
            values.group_name(row.group or ""),
            [
                Cell(
                    values.text(row.value, unit, regional),
                    url=asked.url(rows=str(row.group or "")) + "#rows",
                ),
                Cell(formats.number(row.n, regional, 0)),
            ],
        )
        for row in rows
    ]
    name = values.group_name(metric.makes[0])
    return Grid([name, _(metric.title), "n"], lines, _(metric.title), "")


def menus_of(
    request: TeamRequest, metric: Metric, asked: Asked, segments: list[str]
) -> list[menus.Menu]:
    """The chips that make sense here: cohorts choose no period."""
    answers_today = Answers(request.workspace).today
    period = asking.period_of(asked.period, answers_today)
    chips = menus.metric(metric, asked, period, segments, request)
    shown = chips[2:] if _grain(metric) == "month" else [chips[0], *chips[2:]]
    return [m for m in shown if m.name != _("vs")]
