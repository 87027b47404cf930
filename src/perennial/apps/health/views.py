"""Health of all customers: how many are well, who moved, whom to call."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from perennial.apps.customers import queries as customers
from perennial.apps.customers.queries import Book
from perennial.apps.customers.words import owner_names
from perennial.apps.health import explained, files, frozen, outreach, overview, queries
from perennial.apps.health.overview import Asked
from perennial.apps.health.tabs import PAGES, tabs
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.lake import scorecards
from perennial.ui import explained as ui


def shared(request: TeamRequest, book: Book, on: str) -> dict[str, Any]:
    """What every page of health shows around its content."""
    midnight = datetime.min.time()
    return {
        "nav": "health",
        "now": datetime.combine(book.as_of, midnight, request.regional.zone),
        "data_to": customers.data_to(request.workspace, book.as_of),
        "tabs": tabs(on),
        "frozen": frozen.notice(lake_of(request.workspace), request.regional),
    }


def empty(request: TeamRequest) -> HttpResponse:
    return render(request, "health/empty.html", {"nav": "health"})


@role_required(Role.VIEWER)
def explain(request: TeamRequest, topic: str) -> HttpResponse:
    """What a card shows, explained: as a drawer, or as a page of its own."""
    about = explained.TOPICS.get(topic)
    if about is None:
        raise Http404
    page = explained.PAGES[topic]
    back = reverse(f"health:{page}"), PAGES[page]
    return ui.page(request, about, nav="health", back=back)


@role_required(Role.VIEWER)
def health(request: TeamRequest) -> HttpResponse:
    book = customers.book(request.workspace)
    if book is None or not book.customers:
        return empty(request)
    asked = overview.asked(request.GET.dict(), book)
    lake = lake_of(request.workspace)
    days = queries.days(lake, book.as_of, asked.segment)
    if request.GET.get("format") == "csv":
        return files.states(days, book.as_of)
    now, before = days.get(book.as_of, queries.Day()), overview.before(days, book.as_of)
    without = queries.reasons_without(lake, book.as_of, asked.segment)
    version = scorecards.active(lake)
    context = {
        **shared(request, book, "health"),
        **_moved(request, book, asked, queries.SOME),
        "asked": asked,
        "by_url": {by: asked.url(by=by) for by in (overview.ACCOUNTS, overview.MRR)},
        "chip": overview.segment_chip(asked, book.segments),
        "headline": overview.headline(now, before, request.regional),
        "chart": overview.chart(days, asked.by, request.regional),
        "lines": overview.lines(now, before),
        "total": overview.total(now, before),
        "without": overview.without_text(without, request.regional),
        "version": version,
        "cuts": overview.cuts(lake.settings, version.card),
        "goes_by": overview.goes_by(lake.settings.health_mode),
    }
    return render(request, "health/health.html", context)


@role_required(Role.VIEWER)
def movers(request: TeamRequest) -> HttpResponse:
    book = customers.book(request.workspace)
    if book is None or not book.customers:
        return empty(request)
    asked = overview.asked(request.GET.dict(), book)
    if request.GET.get("format") == "csv":
        lake = lake_of(request.workspace)
        both = queries.movers(lake, book.as_of, asked.segment, queries.MANY)
        return files.movers((*both[0].rows, *both[1].rows), book.as_of)
    context = {
        **shared(request, book, "movers"),
        **_moved(request, book, asked, queries.MANY),
        "chip": overview.segment_chip(asked, book.segments),
    }
    return render(request, "health/movers.html", context)


def _moved(request: TeamRequest, book: Book, asked: Asked, most: int) -> dict[str, Any]:
    lake = lake_of(request.workspace)
    worse, better = queries.movers(lake, book.as_of, asked.segment, most)
    kinds = ((_("Got worse"), "worse", worse), (_("Got better"), "better", better))
    return {
        "moved": [
            {
                "title": title,
                "key": key,
                "all": found,
                "rows": overview.mover_rows(found.rows, request.regional),
            }
            for title, key, found in kinds
        ]
    }


@role_required(Role.VIEWER)
def calls(request: TeamRequest) -> HttpResponse:
    """Red and orange customers in the order to call them, with the gap to green."""
    book = customers.book(request.workspace)
    if book is None or not book.customers:
        return empty(request)
    asked = overview.asked(request.GET.dict(), book)
    lake = lake_of(request.workspace)
    accounts = queries.risky(lake, book.as_of, asked.segment)
    rows = outreach.rows(lake, accounts, book.as_of, request.regional)
    if request.GET.get("format") == "csv":
        return files.outreach(rows, book.as_of)
    context = {
        **shared(request, book, "outreach"),
        "chip": overview.segment_chip(asked, book.segments),
        "rows": rows,
        "count": len(accounts),
        "headline": outreach.headline(accounts, rows, request.regional),
        "has_chances": any(row.p_renew is not None for row in rows),
        "names": owner_names(request.workspace),
    }
    return render(request, "health/outreach.html", context)
