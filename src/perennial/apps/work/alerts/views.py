"""The page of alerts, and what people do to one."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.customers import queries as customers
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.apps.work import tabs
from perennial.apps.work.alerts import actions, queries
from perennial.apps.work.alerts.rules import BY_KEY
from perennial.apps.work.models import Alert
from perennial.core.errors import PerennialError
from perennial.ui.redirects import back

SNOOZES = (3, 7, 14, 30, 90)


@role_required(Role.VIEWER)
def alerts(request: TeamRequest) -> HttpResponse:
    workspace, email = request.workspace, request.user.email
    book = customers.book(workspace)
    mine = "mine" if book is not None and book.owns(email) else "team"
    asked = queries.parse(request.GET, mine)
    today = lake_of(workspace).today
    found = queries.asked_for(workspace, email, asked)
    groups = queries.groups(request.membership, found, request.regional, today)
    context = {
        "nav": "tasks",
        "tabs": tabs.tabs("alerts", request),
        "asked": asked,
        "today": today,
        "groups": groups,
        "count": found.count(),
        "quiet": queries.quiet(workspace, email, asked),
        "rules": queries.rules(workspace, actions.settings_of(workspace)),
        "snoozes": SNOOZES,
        "may_edit": request.membership.covers(Role.MEMBER),
        "may_rule": request.membership.covers(Role.ADMIN),
        "here": request.get_full_path(),
    }
    return render(request, "work/alerts.html", context)


@require_POST
@role_required(Role.MEMBER)
def act(request: TeamRequest, pk: int) -> HttpResponse:
    """Acknowledge, snooze or close an alert, or say whether it was useful."""
    alert = get_object_or_404(request.workspace.alerts, pk=pk)
    try:
        _act(request, alert)
    except PerennialError as error:
        messages.error(request, str(error))
    return redirect(back(request, reverse("work:alerts")))


def _act(request: TeamRequest, alert: Alert) -> None:
    by, verb = request.membership, request.POST.get("do", "")
    if verb == "acknowledge":
        actions.acknowledge(alert, by)
        messages.success(request, _("Acknowledged."))
    elif verb == "snooze":
        days = request.POST.get("days", "")
        until = lake_of(request.workspace).today + timedelta(
            days=int(days) if days.isdecimal() else 0
        )
        actions.snooze(alert, by, until=until, reason=request.POST.get("reason", ""))
        messages.success(request, _("It sleeps until then."))
    elif verb == "close":
        actions.close(alert, by)
        messages.success(
            request, _("Closed. The rule stays silent for two weeks here.")
        )
    elif verb in {"useful", "not_useful"}:
        actions.judge(alert, by, is_useful=verb == "useful")
        messages.success(request, _("Thank you: rules are judged by it."))
    else:
        raise Http404


@require_POST
@role_required(Role.ADMIN)
def rule(request: TeamRequest, key: str) -> HttpResponse:
    """Set a rule; the next evaluation goes by it."""
    if key not in BY_KEY:
        raise Http404
    text = request.POST.get("threshold", "").strip().replace(",", ".")
    kind = BY_KEY[key].kind
    try:
        number = float(text) if text else None
        if number is not None and kind == "share":
            number /= 100
        actions.set_rule(
            request.membership, key, is_on="is_on" in request.POST, threshold=number
        )
    except ValueError:
        messages.error(request, _("A threshold is a number."))
    except PerennialError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The rule is set; alerts follow within minutes."))
    return redirect("work:alerts")
