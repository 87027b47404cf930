"""Screens of the explorers."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from perennial.apps.customers.queries import book
from perennial.apps.intake.queries import freshness
from perennial.apps.reports import asked as asking
from perennial.apps.reports import explore, menus
from perennial.apps.reports import funnel as funnels
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.results import Answers
from perennial.apps.reports.views import asked_of
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.roles import Role
from perennial.ui.files import FORMATS, download


@role_required(Role.VIEWER)
def explorer(request: TeamRequest, name: str) -> HttpResponse:
    """A chart and the table behind it."""
    found = book(request.workspace)
    if found is None:
        return render(request, "reports/empty.html")
    if name not in explore.PAGES:
        raise Http404
    asked = asked_of(request, found.segments)
    title, page, head = explore.PAGES[name]
    answers = Answers(request.workspace)
    explored = page(answers, asked, request.regional)
    if request.GET.get("format") in FORMATS:
        rows = [list(row) for row in explored.raw]
        return download(request.GET, f"{name}-{answers.today}", head, rows)
    context = _frame(request, answers, asked, found.segments, name)
    context |= {"title": title, "explored": explored}
    return render(request, "reports/explore.html", context)


@role_required(Role.VIEWER)
def funnel(request: TeamRequest) -> HttpResponse:
    """Steps that are chosen, and what comes of them."""
    found = book(request.workspace)
    if found is None:
        return render(request, "reports/empty.html")
    asked = asked_of(request, found.segments)
    answers = Answers(request.workspace)
    built = funnels.parse(request.GET, answers)
    made = funnels.funnel(answers, asked, built, request.regional)
    if request.GET.get("format") in FORMATS:
        rows: list[list[Any]] = [
            [s.name, s.taken, s.bar, s.dropped] for s in (made.steps if made else [])
        ]
        head = ["step", "people", "share", "dropped"]
        return download(request.GET, f"funnel-{answers.today}", head, rows)
    empty = [""] * max(1, min(2, funnels.MOST_STEPS - len(built.steps)))
    said = urlencode({"step": built.steps, "within": built.within}, doseq=True)
    context = _frame(request, answers, asked, found.segments, "funnel", said)
    context |= {
        "title": _("Funnel"),
        "built": built,
        "slots": [*built.steps, *empty][: funnels.MOST_STEPS],
        "offers": dict.fromkeys([*built.steps, *funnels.offered(answers)]),
        "funnel": made,
        "splits": [(name, asked.url(by=name) + f"&{said}") for name in explore.SPLITS],
    }
    return render(request, "reports/funnel.html", context)


def _frame(
    request: TeamRequest,
    answers: Answers,
    asked: Asked,
    segments: list[str],
    name: str,
    kept: str = "",
) -> dict[str, Any]:
    period = asking.period_of(asked.period, answers.today)
    tabs = [("funnel", _("Funnel")), *((k, v[0]) for k, v in explore.PAGES.items())]
    return {
        "asked": asked,
        "tabs": [(key, label, key == name) for key, label in tabs],
        "menus": menus.explorer(asked, period, segments, request, kept),
        "freshness": freshness(request.workspace),
    }
