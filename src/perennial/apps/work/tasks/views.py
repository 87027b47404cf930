"""The pages of tasks: list, board, calendar, and one task."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.api import paging
from perennial.apps.customers import queries as customers
from perennial.apps.surveys.models import Answer
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.apps.team.roles import Role
from perennial.apps.work import tabs
from perennial.apps.work.models import Task, TaskState
from perennial.apps.work.tasks import actions, queries
from perennial.apps.work.tasks.forms import TaskForm, initial
from perennial.core.errors import PerennialError
from perennial.core.windows import add_months
from perennial.scoring.themes import mended
from perennial.ui.redirects import back

#: Rows of the list on a page.
PAGE = 100
#: Offered while a name is typed.
NAMES = 12


def waiting(request: HttpRequest) -> int | None:
    """The number beside "Tasks" in the navigation: mine that are due."""
    workspace = getattr(request, "workspace", None)
    if not isinstance(workspace, Workspace) or not request.user.is_authenticated:
        return None
    mine = workspace.tasks.filter(owner=request.user)
    found = queries.counts(mine, lake_of(workspace).today)
    return (found.late + found.today) or None


@role_required(Role.VIEWER)
def tasks(request: TeamRequest) -> HttpResponse:
    asked = _asked(request)
    found = queries.asked_for(request.workspace, request.membership, asked)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    today = lake_of(request.workspace).today
    rows = list(page)
    groups = (
        [queries.Group(_("Done"), rows)]
        if asked.show == "done" and rows
        else queries.by_due_day(rows, today)
    )
    context = {
        **_shared(request, "tasks", asked, rows),
        "groups": groups,
        "page": page,
        "workers": queries.workers(request.workspace),
    }
    return render(request, "work/tasks.html", context)


@role_required(Role.VIEWER)
def board(request: TeamRequest) -> HttpResponse:
    asked = _asked(request)
    since = lake_of(request.workspace).today - timedelta(days=queries.DONE_DAYS)
    columns = queries.columns(request.workspace, request.membership, asked, since)
    every = [task for column in columns for task in column.tasks]
    context = {**_shared(request, "board", asked, every), "columns": columns}
    return render(request, "work/board.html", context)


@role_required(Role.VIEWER)
def calendar(request: TeamRequest) -> HttpResponse:
    asked = _asked(request)
    today = lake_of(request.workspace).today
    month = queries.month_of(request.GET.get("month", ""), today)
    found = queries.asked_for(request.workspace, request.membership, asked)
    weeks = queries.calendar(found, month, today)
    every = [task for week in weeks for day in week for task in day.tasks]
    context = {
        **_shared(request, "calendar", asked, every),
        "weeks": weeks,
        "month": month,
        "before": f"{asked.url()}&month={add_months(month, -1):%Y-%m}",
        "after": f"{asked.url()}&month={add_months(month, 1):%Y-%m}",
    }
    return render(request, "work/calendar.html", context)


def _asked(request: TeamRequest) -> queries.Asked:
    """Who asks for nothing sees the own tasks; viewers own none and see all."""
    if "who" in request.GET or request.membership.covers(Role.MEMBER):
        return queries.parse(request.GET)
    return queries.Asked(**{**vars(queries.parse(request.GET)), "who": queries.TEAM})


def _shared(
    request: TeamRequest, page: str, asked: queries.Asked, rows: Iterable[Task]
) -> dict[str, Any]:
    workspace = request.workspace
    today = lake_of(workspace).today
    queries.as_read(request.membership, rows)
    every = queries.Asked(who=asked.who)
    counted = queries.asked_for(workspace, request.membership, every)
    return {
        "nav": "tasks",
        "tabs": tabs.tabs(page, request),
        "asked": asked,
        "today": today,
        "counts": queries.counts(counted, today),
        "may_edit": request.membership.covers(Role.MEMBER),
        "here": request.get_full_path(),
    }


# --- one task ----------------------------------------------------------------


@role_required(Role.MEMBER)
def new(request: TeamRequest) -> HttpResponse:
    start = {
        "account": request.GET.get("account", ""),
        "account_id": request.GET.get("account", ""),
        "title": request.GET.get("title", "")[:200],
        "reason": _comment(request) or request.GET.get("reason", "")[:300],
        "owner": str(request.user.pk),
    }
    given = request.POST if request.method == "POST" else None
    form = TaskForm(given, workspace=request.workspace, initial=start)
    form.fields["title"].widget.attrs["autofocus"] = True
    if given is not None and form.is_valid():
        try:
            task = actions.add_task(request.membership, form.values)
        except PerennialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("The task is noted."))
            return redirect(_back(request, task))
    context = {
        "nav": "tasks",
        "form": form,
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }
    template = "work/task_new.html"
    name = f"{template}#part" if request.htmx else template
    return render(request, name, context, status=422 if form.errors else 200)


def _comment(request: TeamRequest) -> str:
    """The comment of the answer an address names: its text stays out of addresses."""
    asked = request.GET.get("answer", "")
    if not asked.isdecimal() or not paging.fits(int(asked)):
        return ""
    every = Answer.objects.filter(survey__workspace=request.workspace)
    found = every.filter(pk=asked).first()
    return Truncator(mended(found.comment)).chars(200) if found else ""


@role_required(Role.VIEWER)
def task(request: TeamRequest, pk: int) -> HttpResponse:
    """One task; the form changes it."""
    found = _task_or_404(request, pk)
    may_edit = request.membership.covers(Role.MEMBER)
    given = request.POST if request.method == "POST" and may_edit else None
    if request.method == "POST" and given is None:
        return HttpResponse(status=403)
    form = TaskForm(
        given, workspace=request.workspace, task=found, initial=initial(found)
    )
    if given is not None and form.is_valid():
        try:
            actions.change_task(found, request.membership, form.values)
        except PerennialError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("work:task", pk)
    queries.as_read(request.membership, [found])
    context = {
        "nav": "tasks",
        "task": found,
        "form": form,
        "today": lake_of(request.workspace).today,
        "may_edit": may_edit,
        "states": TaskState,
        "story": request.workspace.audit.filter(
            verb__startswith="task.", details__task=found.pk
        ).order_by("-at")[:20],
    }
    return render(
        request, "work/task.html", context, status=422 if form.errors else 200
    )


@require_POST
@role_required(Role.MEMBER)
def move(request: TeamRequest, pk: int) -> HttpResponse:
    """Start, finish, drop, reopen: by the button of a row or of the page."""
    found = _task_or_404(request, pk)
    state = request.POST.get("state", "")
    if state not in TaskState.values:
        raise Http404
    following = actions.move_task(found, request.membership, TaskState(state))
    if following is not None:
        day = following.due_on.isoformat() if following.due_on else ""
        messages.info(request, _("It comes again on %(day)s.") % {"day": day})
    return redirect(_back(request, found))


@require_POST
@role_required(Role.MEMBER)
def tick(request: TeamRequest, pk: int, place: int) -> HttpResponse:
    found = _task_or_404(request, pk)
    try:
        actions.tick(found, request.membership, place)
    except PerennialError as error:
        raise Http404 from error
    return redirect("work:task", pk)


@require_POST
@role_required(Role.MEMBER)
def bulk(request: TeamRequest) -> HttpResponse:
    """One verb for every chosen row: done, drop, or give to somebody."""
    ids = [int(text) for text in request.POST.getlist("task") if text.isdecimal()]
    chosen = list(queries.of_workspace(request.workspace).filter(pk__in=ids))
    verb = request.POST.get("do", "")
    if not chosen:
        messages.warning(request, _("Choose at least one task."))
    elif verb in {TaskState.DONE, TaskState.DROPPED}:
        for one in chosen:
            actions.move_task(one, request.membership, TaskState(verb))
        messages.success(request, _("%(n)s tasks changed.") % {"n": len(chosen)})
    elif verb == "give":
        _give(request, chosen)
    return redirect(_back(request, None))


def _give(request: TeamRequest, chosen: list[Task]) -> None:
    people = {str(m.user.pk): m.user for m in queries.workers(request.workspace)}
    owner = people.get(request.POST.get("owner", ""))
    if owner is None:
        messages.warning(request, _("Choose who takes the tasks."))
        return
    moved = actions.reassign(chosen, request.membership, owner)
    text = _("%(n)s tasks went to %(who)s.")
    messages.success(request, text % {"n": moved, "who": owner.display_name})


@role_required(Role.VIEWER)
def account_names(request: TeamRequest) -> HttpResponse:
    """Names that a text may mean, as options of a field."""
    text = request.GET.get("account", "").strip()
    found = customers.named(request.workspace, text, NAMES) if text else []
    return render(request, "work/account_names.html", {"accounts": found})


def _task_or_404(request: TeamRequest, pk: int) -> Task:
    return get_object_or_404(queries.of_workspace(request.workspace), pk=pk)


def _back(request: TeamRequest, task: Task | None) -> str:
    page = reverse("work:task", args=[task.pk]) if task else reverse("work:tasks")
    return back(request, page)
