from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from perennial.apps.jobs import actions, queries, registry
from perennial.apps.jobs.models import JobRun
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.roles import Role
from perennial.core.errors import UnknownName


@role_required(Role.ADMIN)
def jobs(request: TeamRequest) -> HttpResponse:
    """The list; asked for by htmx, its moving part alone."""
    page = Paginator(queries.runs(request.workspace), 20).get_page(
        request.GET.get("page")
    )
    context = {
        "lanes": queries.lanes(request.workspace),
        "page": page,
        "titles": {known.name: known.title for known in registry.JOBS},
        "failed": queries.failed_count(request.workspace),
        "is_moving": any(run.is_active for run in page),
    }
    template = "jobs/jobs.html"
    return render(request, f"{template}#live" if request.htmx else template, context)


@require_POST
@role_required(Role.ADMIN)
def run_now(request: TeamRequest, name: str) -> HttpResponse:
    try:
        known = registry.job(name)
    except UnknownName as error:
        raise Http404 from error
    if known.is_told_what:
        raise Http404
    actions.run_now(name, request.workspace, by=request.user)
    return redirect("jobs:jobs")


@role_required(Role.ADMIN)
def run(request: TeamRequest, pk: int) -> HttpResponse:
    found = _run_or_404(request, pk)
    titles = {known.name: known.title for known in registry.JOBS}
    title = titles.get(found.name, found.name)
    template = "jobs/run.html"
    name = f"{template}#part" if request.htmx else template
    return render(request, name, {"run": found, "title": title})


@require_POST
@role_required(Role.ADMIN)
def retry(request: TeamRequest, pk: int) -> HttpResponse:
    actions.retry(_run_or_404(request, pk), by=request.user)
    return redirect("jobs:jobs")


def _run_or_404(request: TeamRequest, pk: int) -> JobRun:
    return get_object_or_404(queries.runs(request.workspace), pk=pk)
