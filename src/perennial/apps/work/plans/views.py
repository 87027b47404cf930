"""Success plans: the list, one plan, and the page a customer sees."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from perennial.apps.customers import queries as customers
from perennial.apps.customers import wording
from perennial.apps.team.access import TeamRequest, public, role_required
from perennial.apps.team.addresses import absolute
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership
from perennial.apps.team.roles import Role
from perennial.apps.work import tabs
from perennial.apps.work.documents.goals import goal_bar
from perennial.apps.work.models import Goal, Milestone, Plan
from perennial.apps.work.plans import actions, queries
from perennial.apps.work.plans.experience import experience
from perennial.apps.work.plans.queries import GoalLine, PlanLine
from perennial.apps.work.tasks import queries as tasks
from perennial.core.errors import PerennialError
from perennial.metrics.registry import Metric
from perennial.ui.documents import Bar
from perennial.ui.formats import Regional


@role_required(Role.VIEWER)
def plans(request: TeamRequest) -> HttpResponse:
    workspace = request.workspace
    account = request.GET.get("account", "")
    found = queries.plans(workspace)
    if account:
        found = found.filter(account_id=account)
    mask = not wording.reads_all(request.membership)
    context = {
        "nav": "tasks",
        "tabs": tabs.tabs("plans", request),
        "lines": queries.lines(workspace, list(found[:200]), mask=mask),
        "account": account,
        "may_edit": request.membership.covers(Role.MEMBER),
    }
    return render(request, "work/plans.html", context)


@require_POST
@role_required(Role.MEMBER)
def new(request: TeamRequest) -> HttpResponse:
    given = request.POST
    try:
        account = customers.meant(request.workspace, given.get("account", ""))
        plan = actions.add_plan(
            request.membership,
            account.account_id,
            title=given.get("title", ""),
            template=given.get("template", ""),
        )
    except PerennialError as error:
        messages.error(request, str(error))
        return redirect("work:plans")
    return redirect("work:plan", plan.pk)


@role_required(Role.VIEWER)
def plan(request: TeamRequest, pk: int) -> HttpResponse:
    found = _or_404(request, pk)
    mask = not wording.reads_all(request.membership)
    lake = lake_of(request.workspace)
    [line] = queries.lines(request.workspace, [found], mask=mask)
    context = {
        "nav": "tasks",
        "line": line,
        "goals": _goals(line, request.regional),
        "experience": experience(lake, found.account_id, request.regional),
        "plan": found,
        "sides": Milestone.Side.choices,
        "metrics": _metrics(request),
        "workers": tasks.workers(request.workspace),
        "link": absolute(reverse("work:shared_plan", args=[found.token])),
        "today": lake.today,
        "may_edit": request.membership.covers(Role.MEMBER),
        "removed": queries.removed(found),
    }
    return render(request, "work/plan.html", context)


def _goals(line: PlanLine, regional: Regional) -> list[tuple[GoalLine, Bar, str]]:
    """Goals in the unit, and with the title, of the metric that follows them."""
    workspace = line.plan.workspace
    lake = lake_of(workspace)
    return [
        (
            one,
            goal_bar(one, workspace, lake.today, regional),
            _(lake.catalog[key].title)
            if (key := one.goal.metric) in lake.catalog
            else "",
        )
        for one in line.goals
    ]


def _metrics(request: TeamRequest) -> list[Metric]:
    """What can be followed of a single account as one number."""
    catalog = lake_of(request.workspace).catalog.values()
    found = [m for m in catalog if "account" in m.dimensions and not m.makes]
    return sorted(found, key=lambda m: m.title)


@require_POST
@role_required(Role.MEMBER)
def change(request: TeamRequest, pk: int) -> HttpResponse:
    """Everything the page's buttons do to a plan."""
    found = _or_404(request, pk)
    try:
        _change(request, found)
    except ValueError:
        messages.error(request, _("A number and a day are needed."))
    except PerennialError as error:
        messages.error(request, str(error))
    archived = request.POST.get("do") == "archive"
    return redirect("work:plans") if archived else redirect("work:plan", pk)


def _change(request: TeamRequest, found: Plan) -> None:
    by, given = request.membership, request.POST
    do = given.get("do", "")
    if do == "save":
        actions.change_plan(found, by, given)
    elif do in {"share", "unshare"}:
        actions.share(found, by, is_shared=do == "share")
    elif do == "archive":
        actions.archive(found, by)
    elif do == "goal":
        actions.add_goal(
            found,
            by,
            title=given.get("title", ""),
            baseline=_number(given.get("baseline", "")),
            target=_number(given.get("target", "")),
            due_on=date.fromisoformat(given.get("due_on", "")),
            metric=given.get("metric", ""),
        )
    elif do == "value":
        goal = get_object_or_404(Goal, plan=found, pk=int(given.get("goal", "")))
        actions.say_value(goal, by, _number(given.get("value", "")))
    elif do == "milestone":
        text = given.get("due_on", "")
        due = date.fromisoformat(text) if text else None
        side = given.get("side", "")
        actions.add_milestone(
            found, by, title=given.get("title", ""), side=side, due_on=due
        )
    elif do == "tick":
        chosen = int(given.get("milestone", ""))
        actions.tick(get_object_or_404(Milestone, plan=found, pk=chosen), by)
    elif do == "remove_goal":
        chosen = int(given.get("goal", ""))
        goal = get_object_or_404(Goal, plan=found, pk=chosen)
        actions.remove_goal(goal, by)
        _taken_out(request, goal)
    elif do == "remove_milestone":
        chosen = int(given.get("milestone", ""))
        stone = get_object_or_404(Milestone, plan=found, pk=chosen)
        actions.remove_milestone(stone, by)
        _taken_out(request, stone)
    elif do == "put_back":
        _put_back(found, by, given.get("what", ""))
    else:
        raise Http404


def _taken_out(request: TeamRequest, what: Goal | Milestone) -> None:
    """The button belongs to a form of the plan's page."""
    said = _("“%(title)s” was taken out.") % {"title": what.title}
    undo = format_html(
        '<button class="btn btn-sm" form="put-back" name="what" value="{}">{}</button>',
        queries.name(what),
        _("Undo"),
    )
    messages.success(request, format_html("{} {}", said, undo))


def _put_back(found: Plan, by: Membership, what: str) -> None:
    kind, _dash, pk = what.partition("-")
    if kind == "goal":
        gone = Goal.every.exclude(removed_at=None)
        actions.put_goal_back(get_object_or_404(gone, plan=found, pk=int(pk)), by)
    else:
        stones = Milestone.every.exclude(removed_at=None)
        stone = get_object_or_404(stones, plan=found, pk=int(pk))
        actions.put_milestone_back(stone, by)


def _number(text: str) -> float:
    return float(text.strip().replace(",", "."))


@never_cache
@public
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """The plan as the customer sees it: nothing of health, money or notes."""
    found = get_object_or_404(
        Plan.objects.select_related("workspace", "owner"),
        token=token,
        is_shared=True,
        archived_at=None,
    )
    [line] = queries.lines(found.workspace, [found])
    workspace = found.workspace
    regional = Regional(timezone=workspace.timezone, currency=workspace.currency)
    context: dict[str, Any] = {
        "line": line,
        "goals": _goals(line, regional),
        "plan": found,
        "regional": regional,
    }
    response = render(request, "work/shared_plan.html", context)
    response["X-Robots-Tag"] = "noindex"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _or_404(request: TeamRequest, pk: int) -> Plan:
    return get_object_or_404(queries.plans(request.workspace), pk=pk)
