"""Verbs of reports: compute what people will ask for, before they do."""

from __future__ import annotations

import logging
from collections.abc import Callable

from perennial.apps.customers.queries import book
from perennial.apps.reports import asked as asking
from perennial.apps.reports import board, boards, breakdown, detail, findings
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.boards import KEY, Choice, is_a_number
from perennial.apps.reports.results import Answers
from perennial.apps.team.models import Workspace
from perennial.core.errors import PerennialError
from perennial.metrics.registry import Metric, all_metrics
from perennial.ui.formats import Regional

logger = logging.getLogger(__name__)

Report = Callable[[float, str], None]


def warm(
    workspace: Workspace, *, pages: bool = True, report: Report | None = None
) -> int:
    """Fills every tile of the default period, those of the first board for each
    segment too; with `pages` the page of each metric. Tells how many were filled."""
    found = book(workspace)
    if found is None:
        return 0
    answers = Answers(workspace)
    tiles = [Choice(m) for m in answers.lake.catalog.values() if is_a_number(m)]
    tiles += [tile for tile in boards.built_in("", all_metrics()) or [] if tile.variant]
    for done, tile in enumerate(tiles):
        if report:
            report(done / len(tiles), tile.metric.title)
        try:
            for segment in ["", *found.segments] if tile.text in KEY else [""]:
                asked = Asked(segment=segment, variant=tile.variant)
                board.numbers(answers, tile.metric, asked)
            if pages and not tile.variant:
                _page(answers, tile.metric)
        except PerennialError as error:  # one metric never keeps the others back
            logger.warning("metric %s not computed: %s", tile.metric.key, error)
    findings.found(answers, Regional())
    return len(tiles)


def _page(answers: Answers, metric: Metric) -> None:
    """What the page of a metric asks for by default."""
    asked = Asked()
    detail.series(answers, metric, asked)
    breakdown.behind_rows(answers, metric, asked)
    known = breakdown.dimensions(answers, metric)
    if known:
        breakdown.split(answers, metric, asked, known[0])
    answers.sql(board.ask(metric, asked, asking.period_of(asked.period, answers.today)))
