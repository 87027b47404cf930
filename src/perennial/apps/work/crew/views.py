"""The team's load, and who is away."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.apps.work import tabs
from perennial.apps.work.crew import actions, queries
from perennial.apps.work.models import Absence
from perennial.apps.work.tasks import queries as tasks
from perennial.core.errors import PerennialError


@role_required(Role.VIEWER)
def team(request: TeamRequest) -> HttpResponse:
    workspace = request.workspace
    lines = queries.lines(workspace)
    context = {
        "nav": "tasks",
        "headline": queries.headline(lines),
        "attention": queries.attention(lake_of(workspace)),
        "tabs": tabs.tabs("team", request),
        "lines": lines,
        "days": queries.DAYS,
        "workers": tasks.workers(workspace),
        "may_edit": request.membership.covers(Role.MEMBER),
        "may_all": request.membership.covers(Role.ADMIN),
        "me": request.membership,
    }
    return render(request, "work/team.html", context)


@require_POST
@role_required(Role.MEMBER)
def away(request: TeamRequest) -> HttpResponse:
    people = request.workspace.memberships
    who = get_object_or_404(people, pk=_number(request.POST.get("who", "")))
    stand_in = get_object_or_404(people, pk=_number(request.POST.get("stand_in", "")))
    try:
        ends_on = date.fromisoformat(request.POST.get("until", ""))
        actions.go_away(request.membership, who, stand_in=stand_in, ends_on=ends_on)
    except ValueError:
        messages.error(request, _("Say until which day."))
    except PerennialError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Noted; the stand-in takes over."))
    return redirect("work:team")


@require_POST
@role_required(Role.ADMIN)
def hand_over(request: TeamRequest) -> HttpResponse:
    given = request.POST
    people = request.workspace.memberships.select_related("user")
    to = get_object_or_404(people, pk=_number(given.get("to", "")))
    try:
        made = actions.hand_over(request.membership, given.get("owner", ""), to=to)
    except PerennialError as error:
        messages.error(request, str(error))
        return redirect("work:team")
    said = _("%(who)s took over. Accounts: %(accounts)s, open tasks: %(tasks)s.") % {
        "who": to.user.display_name,
        "accounts": made.accounts,
        "tasks": made.tasks,
    }
    if made.edit is None:
        messages.success(request, said)
    else:
        url = reverse("customers:edited", args=[made.edit.pk])
        undo = _("Give the accounts back")
        messages.success(
            request, format_html('{} <a href="{}">{}</a>', said, url, undo)
        )
    return redirect("work:team")


@require_POST
@role_required(Role.MEMBER)
def back(request: TeamRequest, pk: int) -> HttpResponse:
    every = Absence.objects.filter(membership__workspace=request.workspace)
    try:
        actions.come_back(request.membership, get_object_or_404(every, pk=pk))
    except PerennialError as error:
        messages.error(request, str(error))
    return redirect("work:team")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
