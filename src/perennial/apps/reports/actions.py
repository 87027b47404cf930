"""Verbs of reports: compute what people will ask for, before they do."""

from __future__ import annotations

import logging
from collections.abc import Callable

from perennial.apps.customers import home, today
from perennial.apps.customers.queries import Book, book
from perennial.apps.health import queries as health
from perennial.apps.intake.queries import freshness
from perennial.apps.reports import asked as asking
from perennial.apps.reports import (
    behind,
    board,
    boards,
    breakdown,
    detail,
    explore,
    findings,
    tables,
)
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.boards import KEY, Choice, is_a_number
from perennial.apps.reports.dimensions import dimensions
from perennial.apps.reports.results import Answers
from perennial.apps.team.lake import lake_of
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
    segment too; with `pages` all that pages ask for first. Tells how many tiles."""
    found = book(workspace)
    if found is None:
        return 0
    answers = Answers(workspace)
    tiles = [Choice(m) for m in answers.catalog.values() if is_a_number(m)]
    tiles += [tile for tile in boards.built_in("", all_metrics()) or [] if tile.variant]
    for done, tile in enumerate(tiles):
        if report:
            report(done / len(tiles), tile.metric.title)
        for segment in ["", *found.segments] if tile.text in KEY else [""]:
            asked = Asked(segment=segment, variant=tile.variant)
            _try(tile.metric.key, board.numbers, answers, tile.metric, asked)
        if pages and not tile.variant:
            _page(answers, tile.metric)
    findings.found(answers, Regional())
    if pages:
        _other_pages(answers)
        _first_pages(workspace, found)
    return len(tiles)


def _try(what: str, work: Callable[..., object], *asked: object) -> None:
    """One that cannot be computed never keeps the others back."""
    try:
        work(*asked)
    except PerennialError as error:
        logger.info("%s is not computed beforehand: %s", what, error)


def _page(answers: Answers, metric: Metric) -> None:
    """What the page of a metric asks for by default."""
    asked, known = Asked(), dimensions(answers, metric)
    question = board.ask(metric, asked, asking.period_of(asked.period, answers.today))
    _try(metric.key, detail.series, answers, metric, asked)
    _try(metric.key, behind.summed, answers, metric, asked)
    if known:
        _try(metric.key, breakdown.split, answers, metric, asked, known[0])
    _try(metric.key, answers.sql, question)


def _other_pages(answers: Answers) -> None:
    """Metrics that are tables, and the explorers."""
    for metric in answers.catalog.values():
        if not is_a_number(metric):
            _try(metric.key, tables.rows_of, answers, metric, Asked())
    for name, (_title, page, _columns) in explore.PAGES.items():
        _try(name, page, answers, Asked(), Regional())


def _first_pages(workspace: Workspace, found: Book) -> None:
    """What Home asks for, of everybody who signs in, and Health."""
    for email in workspace.memberships.values_list("user__email", flat=True):
        owner = email if found.owns(email) else ""
        today.needed(workspace, found.reader(email), owner, today.SHOWN)
        today.changes(workspace, found.reader(email), owner)
    home.summary(workspace, found.as_of, "")
    freshness(workspace)
    lake = lake_of(workspace)
    for segment in ("", *found.segments):
        health.days(lake, found.as_of, segment)
        health.reasons_without(lake, found.as_of, segment)
        for most in (health.SOME, health.MANY):
            health.movers(lake, found.as_of, segment, most)
        health.risky(lake, found.as_of, segment)
