from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.shortcuts import render

from perennial.apps.customers.queries import book
from perennial.apps.intake.queries import freshness
from perennial.apps.reports import asked as asking
from perennial.apps.reports import (
    board,
    boards,
    detail,
    explained,
    files,
    filtering,
    hooks,
    menus,
    tables,
)
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.findings import found as found_in_use
from perennial.apps.reports.models import Board
from perennial.apps.reports.results import Answers
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue, PerennialError
from perennial.metrics.registry import Metric
from perennial.ui.files import FORMATS


@role_required(Role.VIEWER)
def metrics(request: TeamRequest) -> HttpResponse:
    """The board. What is not computed yet comes tile by tile."""
    found = book(request.workspace)
    if found is None:
        return render(request, "reports/empty.html")
    asked = asked_of(request, found.segments)
    is_file = request.GET.get("format") in FORMATS
    answers = Answers(request.workspace, wait=is_file or "wait" in request.GET)
    known = list(boards.visible(request.membership))
    shown = next((b for b in known if str(b.pk) == asked.board), None)
    built_in = boards.built_in(asked.board, answers.catalog)
    if built_in is not None:
        themes = board.themes(answers, built_in, asked, request.regional)
    elif shown is not None:
        choices = boards.choices(shown)
        themes = board.chosen(answers, choices, asked, request.regional)
    else:
        raise Http404
    if is_file:
        return files.of_board(request.GET, themes, answers.today)
    period = asking.period_of(asked.period, answers.today)
    context = {
        "asked": asked,
        "themes": themes,
        "headline": board.headline(themes, request.regional),
        "menus": menus.board(asked, period, found.segments, known, request),
        "is_partial": any(t.numbers is None for g in themes for t in g.tiles),
        "count": sum(len(theme.tiles) for theme in themes),
        "board": shown,
        "may_change": shown and boards.may_change(shown, request.membership),
        "freshness": freshness(request.workspace),
        "links": hooks.links(request, asked, board=shown),
    }
    return render(request, "reports/metrics.html", context)


@role_required(Role.VIEWER)
def findings(request: TeamRequest) -> HttpResponse:
    """What use of the product tells by itself."""
    if book(request.workspace) is None:
        return render(request, "reports/empty.html")
    every = found_in_use(Answers(request.workspace), request.regional)
    return render(request, "reports/findings.html", {"findings": every})


@role_required(Role.VIEWER)
def tile(request: TeamRequest, key: str) -> HttpResponse:
    """One tile of the board, computed now; it fails alone."""
    metric = _metric(request, key)
    asked = asking.fitting(asked_of(request, None), metric)
    metric = metric.counted(asked.variant)
    try:
        found = board.tile(Answers(request.workspace), metric, asked, request.regional)
    except PerennialError as error:
        context = {"metric": metric, "error": str(error)}
        return render(request, "reports/tile_failed.html", context)
    return render(request, "reports/tile.html", {"tile": found})


@role_required(Role.VIEWER)
def metric(request: TeamRequest, key: str) -> HttpResponse:
    """One metric: the number, its course, its parts, the rows behind it."""
    try:
        return _metric_page(request, key)
    except BadValue as error:  # a parameter that fits nothing
        raise BadRequest(str(error)) from None


def _metric_page(request: TeamRequest, key: str) -> HttpResponse:
    found = _metric(request, key)
    segments = _segments(request)
    asked = asking.fitting(asked_of(request, segments), found)
    found = found.counted(asked.variant)
    if request.GET.get("format") in FORMATS and boards.is_a_number(found):
        return files.answer(Answers(request.workspace), found, asked, request.GET)
    if not boards.is_a_number(found):
        if request.GET.get("format") in FORMATS:
            return tables.file(request, found, asked)
        context = tables.page(request, found, asked)
        context |= {
            "menus": tables.menus_of(request, found, asked, segments),
            "freshness": freshness(request.workspace),
        }
        return render(request, "reports/table.html", context)
    part = request.GET.get("part", "") if request.htmx else ""
    if part in detail.PARTS:
        page = detail.page(request, found, asked, parts=(part,), wait=True)
        return render(request, f"reports/metric_{part}.html", page)
    wait = "wait" in request.GET
    context = detail.page(request, found, asked, parts=detail.PARTS, wait=wait)
    context |= {
        "menus": menus.metric(found, asked, context["period"], segments, request),
        "chart": detail.drawn(
            Answers(request.workspace), request.regional, found, asked
        ),
        "links": hooks.links(request, asked, metric=found),
        "related": detail.related(request, found, asked),
        "boards": _own_boards(request, found),
        "choice": boards.Choice(found, asked.variant).text,
        "freshness": freshness(request.workspace),
    }
    return render(request, "reports/metric.html", context)


@role_required(Role.VIEWER)
def explain(request: TeamRequest, key: str) -> HttpResponse:
    """The number explained: as a drawer, or as a page of its own."""
    found = _metric(request, key)
    asked = asking.fitting(asked_of(request, _segments(request)), found)
    found = found.counted(asked.variant)
    try:
        context: dict[str, Any] = explained.page(request, found, asked)
    except BadValue as error:
        raise BadRequest(str(error)) from None
    template = "reports/explain.html"
    return render(request, f"{template}#part" if request.htmx else template, context)


def _own_boards(request: TeamRequest, metric: Metric) -> list[Board]:
    """Boards the metric can be added to by this person."""
    if not (boards.is_a_number(metric) and request.role.covers(Role.MEMBER)):
        return []
    known = boards.visible(request.membership)
    return [b for b in known if boards.may_change(b, request.membership)]


def _metric(request: TeamRequest, key: str) -> Metric:
    found = lake_of(request.workspace).catalog.get(key)
    if found is None:
        raise Http404
    return found


def _segments(request: TeamRequest) -> list[str]:
    found = book(request.workspace)
    return found.segments if found else []


def asked_of(request: TeamRequest, segments: list[str] | None) -> Asked:
    """A segment nobody has is refused: its zeros would look like an answer. What was
    typed and makes no sense is said, and left out."""
    asked = asking.parse(request.GET)
    known = _segments(request) if segments is None else segments
    if asked.segment and asked.segment not in known:
        raise BadRequest(f"no segment {asked.segment!r}")
    saved = request.workspace.segments.filter(archived_at=None)
    if asked.member_of and not saved.filter(key=asked.member_of).exists():
        raise BadRequest(f"no segment {asked.member_of!r}")
    try:
        filtering.check(asked, lake_of(request.workspace))
    except PerennialError as error:
        raise BadRequest(str(error)) from None
    try:
        return filtering.with_typed(asked, request.GET)
    except PerennialError as error:
        messages.error(request, str(error))
        return asked
