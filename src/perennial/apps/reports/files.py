"""A metric as a file: its series, or the rows behind the number."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from django.http import HttpResponse

from perennial.apps.intake.csvs import safe
from perennial.apps.reports import breakdown, detail
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.results import Answers, Row
from perennial.metrics.registry import Metric

_HEAD = ("period_start", "period_end", "value", "numerator", "denominator", "n")


def answer(
    answers: Answers, metric: Metric, asked: Asked, query: Mapping[str, str]
) -> HttpResponse:
    """`?format=csv`; with `of=rows` the rows behind."""
    of_rows = query.get("of") == "rows"
    names = (breakdown.entity_of(metric, asked),) if of_rows else ()
    if of_rows:
        rows = breakdown.behind_rows(answers, metric, asked)
    else:
        rows = detail.series(answers, metric, asked)[2]
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["metric", *names, *_HEAD, "status"])
    writer.writerows(_lines(metric, rows, names))
    response = HttpResponse(file.getvalue(), content_type="text/csv; charset=utf-8")
    what = f"{metric.key}-rows" if of_rows else metric.key
    name = f"{what}-{answers.today}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _lines(
    metric: Metric, rows: Iterable[Row], names: Iterable[str]
) -> Iterable[list[object]]:
    for row in rows:
        groups = [safe(row.groups.get(name) or "") for name in names]
        numbers = [row.value, row.numerator, row.denominator, row.n]
        yield [metric.key, *groups, row.start, row.end, *numbers, row.status]
