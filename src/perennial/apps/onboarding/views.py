"""Onboarding: the flows, and one of them in numbers; a step ticked by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.customers import hooks
from perennial.apps.onboarding import actions, library, queries, words
from perennial.apps.onboarding.models import Flow
from perennial.apps.onboarding.tabs import tabs
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.core.errors import PerennialError
from perennial.core.windows import DAY, day_start
from perennial.lake import flowbook
from perennial.lake.places import Place
from perennial.ui.files import FORMATS, Cell, download
from perennial.ui.redirects import back

PERIODS: Final = (90, 180, 365)
_DAYS: Final = [str(days) for days in PERIODS]
_USUAL: Final = 180
_PAGE: Final = 20
#: Groups of a split that are shown, the largest.
_GROUPS: Final = 8


def flow_or_404(request: TeamRequest, pk: int) -> Flow:
    return get_object_or_404(queries.flows(request.workspace), pk=pk)


@role_required(Role.VIEWER)
def flows(request: TeamRequest) -> HttpResponse:
    """Flows with how many began, finished and stand still in 180 days."""
    lake = lake_of(request.workspace)
    lines = []
    for each in queries.flows(request.workspace):
        every = queries.standing(lake, each.name) if each.number else []
        lines.append((each, queries.summary(lake, _since(lake.today, every, _USUAL))))
    context = {
        "nav": "guides",
        "tabs": tabs("onboarding"),
        "lines": lines,
        "started": sum(summary.started for _, summary in lines),
        "stalled": sum(summary.stalled for _, summary in lines),
        "templates": library.TITLES,
        "days": _USUAL,
        "stall_days": lake.settings.onboarding_stall_days,
        "may_edit": request.membership.covers(Role.MEMBER),
    }
    return render(request, "onboarding/flows.html", context)


def _since(today: Any, every: Sequence[Place], days: int) -> list[Place]:
    """Those who began in the last days."""
    return [p for p in every if p.progress.started >= today - DAY * days]


def shared(request: TeamRequest, found: Flow, on: str) -> dict[str, Any]:
    """What every page of a flow shows."""
    pages = [
        ("flow", _("Results"), "onboarding:flow"),
        ("edit", _("Edit"), "onboarding:edit"),
    ]
    return {
        "nav": "guides",
        "flow": found,
        "tabs": [
            {"label": title, "url": reverse(name, args=[found.pk]), "on": key == on}
            for key, title, name in pages
        ],
        "may_edit": request.membership.covers(Role.MEMBER),
        "may_turn": request.membership.covers(Role.ADMIN),
    }


@role_required(Role.VIEWER)
def flow(request: TeamRequest, pk: int) -> HttpResponse:
    """Where people drop off, who stands still, and what comes of it."""
    found = flow_or_404(request, pk)
    if not found.number:
        return redirect("onboarding:edit", pk)
    lake, asked = lake_of(request.workspace), request.GET
    days = int(asked["days"]) if asked.get("days", "") in _DAYS else _USUAL
    some = _since(lake.today, queries.standing(lake, found.name), days)
    if asked.get("format") in FORMATS:
        return _file(request, found, some)
    rule = flowbook.known(lake.lake)[found.name].flow
    by = asked["by"] if asked.get("by") in words.SPLITS else next(iter(words.SPLITS))
    values = queries.attribute(lake, by)
    still = queries.stalled(lake, some)
    page = Paginator(still, _PAGE).get_page(asked.get("page"))
    lines = queries.steps(lake, rule, some)
    groups = queries.parts(rule, some, lambda account: values.get(account, ""))
    context = {
        **shared(request, found, "flow"),
        "rule": rule,
        "days": days,
        "periods": PERIODS,
        "summary": queries.summary(lake, some),
        "lines": lines,
        "worst": next((line for line in lines if line.is_worst), None),
        "by": by,
        "splits": words.SPLITS,
        "icons": words.ICONS,
        "groups": groups[:_GROUPS],
        "few": queries.FEWEST,
        "cohorts": queries.cohorts(lake, some),
        "conversions": queries.conversions(
            lake, found.name, rule.chain, lake.today - DAY * days, lake.today
        ),
        "stalled": queries.rows(request.workspace, list(page)),
        "page": page,
        "stall_days": lake.settings.onboarding_stall_days,
        "bulk_actions": hooks.bulk_actions(),
    }
    return render(request, "onboarding/flow.html", context)


def _file(request: TeamRequest, found: Flow, some: Sequence[Place]) -> HttpResponse:
    """Everybody in the flow and the days they took each step."""
    rule = flowbook.known(lake_of(request.workspace).lake)[found.name].flow
    names = [step.name for step in rule.steps]
    head = [
        "account_id", "account", "user_id", "name", "started_on", "version",
        "finished", "stalled", *names,
    ]  # fmt: skip
    rows = queries.rows(request.workspace, some)
    return download(
        request.GET, "onboarding", head, (list(_cells(row, names)) for row in rows)
    )


def _cells(row: queries.Standing, names: Sequence[str]) -> Iterator[Cell]:
    place = row.place
    yield from (place.account_id, row.account.name if row.account else None)
    yield from (place.user_id, row.who if place.user_id else None)
    yield from (place.progress.started, place.version)
    yield "yes" if place.progress.finished_at else "no"
    yield "yes" if row.is_stalled else "no"
    for name in names:
        at = place.progress.done.get(name)
        yield at.isoformat() if at else None


@require_POST
@role_required(Role.MEMBER)
def tick(request: TeamRequest) -> HttpResponse:
    """A step was done on a day, or was not after all."""
    sent, lake = request.POST, lake_of(request.workspace)
    account = sent.get("account", "")
    try:
        at = None if sent.get("do") == "undo" else _instant(lake, sent.get("day", ""))
        actions.tick(
            request.membership,
            sent.get("flow", ""),
            sent.get("step", ""),
            account,
            sent.get("user", ""),
            at=at,
        )
    except PerennialError as error:
        messages.error(request, str(error))
    return redirect(back(request, reverse("customers:account", args=[account])))


def _instant(lake: Any, text: str) -> datetime:
    """The day given, from its beginning; without one, now."""
    day = lake.day(text or None)
    now: datetime = lake.now
    if day is None or day == lake.today:
        return now
    return day_start(day, lake.settings.tz)
