"""The strategy: one page the whole company can read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.apps.work import tabs
from perennial.apps.work.models import Objective, Vision
from perennial.apps.work.strategy import actions
from perennial.core.errors import PerennialError
from perennial.metrics.outcomes import progress
from perennial.metrics.registry import Metric


@dataclass(frozen=True)
class Line:
    """An objective, its metric, and how much of its way is done; shares as percent."""

    objective: Objective
    metric: Metric | None
    share: float | None

    @property
    def is_ratio(self) -> bool:
        return self.metric is not None and self.metric.unit == "ratio"


@role_required(Role.VIEWER)
def strategy(request: TeamRequest) -> HttpResponse:
    workspace = request.workspace
    lake = lake_of(workspace)
    found = workspace.objectives.filter(archived_at=None)
    context = {
        "nav": "tasks",
        "tabs": tabs.tabs("strategy", request),
        "vision": Vision.objects.filter(workspace=workspace).first(),
        "lines": [_line(lake.catalog.get(o.metric), o) for o in found],
        "metrics": sorted(
            (m for m in lake.catalog.values() if not m.makes or m.focus),
            key=lambda m: m.title,
        ),
        "may_edit": request.membership.covers(Role.ADMIN),
    }
    return render(request, "work/strategy.html", context)


def _line(metric: Metric | None, o: Objective) -> Line:
    share = progress(o.baseline, o.target, o.value)
    return Line(o, metric, None if share is None else min(max(share, 0.0), 1.0))


@require_POST
@role_required(Role.ADMIN)
def change(request: TeamRequest) -> HttpResponse:
    """The vision, a new objective, or one put away."""
    try:
        _change(request)
    except ValueError:
        messages.error(request, _("A number and a day are needed."))
    except PerennialError as error:
        messages.error(request, str(error))
    return redirect("work:strategy")


def _change(request: TeamRequest) -> None:
    given, by = request.POST, request.membership
    do = given.get("do", "")
    if do == "vision":
        actions.say_vision(by, given.get("text", ""))
    elif do == "objective":
        metric = given.get("metric", "")
        target = float(given.get("target", "").strip().rstrip("%").replace(",", "."))
        entry = lake_of(request.workspace).entry(metric)
        actions.add_objective(
            by,
            title=given.get("title", ""),
            metric=metric,
            # A share is typed as people say it: 95 for 95 %.
            target=target / 100 if entry.unit == "ratio" else target,
            due_on=date.fromisoformat(given.get("due_on", "")),
        )
    elif do == "archive":
        every = request.workspace.objectives.filter(archived_at=None)
        pk = given.get("objective", "")
        found = get_object_or_404(every, pk=int(pk) if pk.isdecimal() else 0)
        actions.archive(found, by)
    else:
        raise Http404
