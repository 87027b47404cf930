"""What a number should be, and which customers are off: set and seen."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from perennial.apps.customers.queries import book
from perennial.apps.reports import boards, goals
from perennial.apps.reports.forms import TargetForm
from perennial.apps.reports.results import Answers
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.roles import Role
from perennial.metrics.targets import Target


@role_required(Role.VIEWER)
def targets(request: TeamRequest, key: str) -> HttpResponse:
    """The targets of a metric, a form to set one, and the customers they speak of."""
    answers = Answers(request.workspace)
    metric = answers.lake.catalog.get(key)
    if metric is None or not boards.is_a_number(metric):
        raise Http404
    may_set = request.role.covers(Role.MEMBER)
    if request.method == "POST" and not may_set:
        raise Http404
    found = book(request.workspace)
    segments = found.segments if found else []
    form = TargetForm(request.POST or None, metric=metric, segments=segments)
    if request.method == "POST" and form.is_valid():
        goals.set_target(request.membership, Target(key, **form.values))
        messages.success(request, _("The target is kept."))
        return redirect("reports:targets", key)
    context = {
        "metric": metric,
        "title": _(metric.title),
        "form": form if may_set else None,
        "targets": goals.lines(answers, metric, request.regional),
        "standings": goals.standings(answers, metric, request.regional),
    }
    status = 422 if form.errors else 200
    return render(request, "reports/targets.html", context, status=status)
