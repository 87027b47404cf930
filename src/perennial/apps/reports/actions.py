"""Verbs of reports: compute what people will ask for, before they do."""

from __future__ import annotations

import logging
from collections.abc import Callable

from perennial.apps.customers.queries import book
from perennial.apps.reports import asked as asking
from perennial.apps.reports import board, breakdown, detail
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.results import Answers
from perennial.apps.team.models import Workspace
from perennial.core.errors import PerennialError
from perennial.metrics.registry import Metric, all_metrics

logger = logging.getLogger(__name__)

Report = Callable[[float, str], None]


def warm(
    workspace: Workspace, *, pages: bool = True, report: Report | None = None
) -> int:
    """Fills the board of the default period, for all customers and each segment;
    with `pages` the page of each metric, too. Tells how many were filled."""
    found = book(workspace)
    if found is None:
        return 0
    answers = Answers(workspace)
    segments = ["", *found.segments]
    metrics = list(all_metrics().values())
    for done, metric in enumerate(metrics):
        if report:
            report(done / len(metrics), metric.title)
        try:
            for segment in segments:
                board.numbers(answers, metric, Asked(segment=segment))
            if pages:
                _page(answers, metric)
        except PerennialError as error:  # one metric never keeps the others back
            logger.warning("metric %s could not be computed: %s", metric.key, error)
    return len(metrics) * len(segments)


def _page(answers: Answers, metric: Metric) -> None:
    """What the page of a metric asks for by default."""
    asked = Asked()
    detail.series(answers, metric, asked)
    breakdown.behind_rows(answers, metric, asked)
    known = breakdown.dimensions(answers, metric)
    if known:
        breakdown.split(answers, metric, asked, known[0])
    answers.sql(board.ask(metric, asked, asking.period_of(asked.period, answers.today)))
