from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.intake import actions, headlines, imports, queries
from perennial.apps.intake.forms import TableForm, UploadForm
from perennial.apps.intake.state import state
from perennial.apps.intake.tabs import tabs
from perennial.apps.intake.uploads import Upload, upload_of
from perennial.apps.jobs.models import JobRun
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.roles import Role
from perennial.ui.files import Lines, download


@role_required(Role.VIEWER)
def data(request: TeamRequest) -> HttpResponse:
    """Tables, imports, the last refresh; asked for by htmx, the refresh alone."""
    refreshed = queries.last_refresh(request.workspace)
    may_import = request.role.covers(Role.MEMBER)
    context: dict[str, Any] = {"refreshed": refreshed, "may_import": may_import}
    if request.htmx:
        return render(request, "intake/refresh.html", context)
    tables = queries.tables(request.workspace)
    fresh = queries.freshness(request.workspace)
    found = imports.imports(request.workspace)
    context |= {
        "tabs": tabs(request.workspace, "data"),
        "problems": state(request.workspace),
        "tables": tables,
        "freshness": fresh,
        "imports": found,
        "headline": headlines.data(tables, fresh, request.regional),
        "is_empty": not any(table.rows for table in tables) and not found,
    }
    return render(request, "intake/data.html", context)


@role_required(Role.MEMBER)
def upload(request: TeamRequest) -> HttpResponse:
    """Choose a file; the next page shows what is in it, before anything is loaded."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        kept = actions.take_in(
            request.workspace,
            form.cleaned_data["file"],
            form.cleaned_data["table"],
            by=request.user,
        )
        return redirect("intake:uploaded", kept.token)
    context = {"form": form, "limit": settings.UPLOAD_LIMIT_MB}
    status = 422 if form.errors else 200
    return render(request, "intake/upload.html", context, status=status)


@role_required(Role.MEMBER)
def uploaded(request: TeamRequest, token: str) -> HttpResponse:
    """A file on its way: being checked, checked, being imported, done."""
    found = upload_of(request.workspace.key, token)
    run = _run(request, token, "import_file")
    if found is None and run is None:
        raise Http404
    context = _state(request, found, run, token)
    template = "intake/uploaded.html"
    return render(request, f"{template}#live" if request.htmx else template, context)


def _state(
    request: TeamRequest, found: Upload | None, run: JobRun | None, token: str
) -> dict[str, Any]:
    checking = None if run else _run(request, token, "check_file")
    checked = found.checked if found else None
    asked = run.arguments.get("table", "") if run else ""
    table = asked or (checked.table if checked else "") or actions.AUTO
    return {
        "token": token,
        "upload": found,
        "run": run,
        "checking": checking,
        "checked": checked,
        "form": TableForm(initial={"table": table}),
        "headline": headlines.uploaded(checked, run, request.regional),
    }


@require_POST
@role_required(Role.MEMBER)
def check(request: TeamRequest, token: str) -> HttpResponse:
    """The same file, taken for another table."""
    form = TableForm(request.POST)
    if form.is_valid():
        table = form.cleaned_data["table"]
        found = _upload(request, token)
        actions.check_soon(request.workspace, found, table, by=request.user)
    return redirect("intake:uploaded", token)


@require_POST
@role_required(Role.MEMBER)
def start(request: TeamRequest, token: str) -> HttpResponse:
    found = _upload(request, token)
    checked = found.checked
    if checked is not None and not checked.error:
        actions.start(request.workspace, found, checked.table, by=request.user)
    return redirect("intake:uploaded", token)


@require_POST
@role_required(Role.MEMBER)
def cancel(request: TeamRequest, token: str) -> HttpResponse:
    run = _run(request, token, "import_file")
    if run is None or not run.is_active:
        _upload(request, token).remove()
        messages.success(request, _("The file was removed. Nothing was loaded."))
    return redirect("intake:upload" if "again" in request.POST else "intake:data")


@role_required(Role.VIEWER)
def imported(request: TeamRequest, import_id: str) -> HttpResponse:
    """One import: what was loaded, and what was not, with the reason."""
    found = _import(request, import_id)
    context = {
        "imported": found,
        "groups": imports.rejects(request.workspace, found),
        "headline": headlines.imported(found, request.regional),
    }
    return render(request, "intake/imported.html", context)


@role_required(Role.VIEWER)
def rejects_file(request: TeamRequest, import_id: str) -> HttpResponse:
    found = _import(request, import_id)
    every = imports.all_rejects(request.workspace, found)
    rows: Lines = ([r.row, r.reason, r.payload] for r in every)
    name = f"rejects-{found.table}-{import_id[:8]}"
    return download({}, name, ["row", "reason", "payload"], rows)


@require_POST
@role_required(Role.MEMBER)
def refresh(request: TeamRequest) -> HttpResponse:
    actions.refresh_now(request.workspace, by=request.user)
    return redirect("intake:data")


def _import(request: TeamRequest, import_id: str) -> imports.Import:
    found = imports.import_of(request.workspace, import_id)
    if found is None:
        raise Http404
    return found


def _upload(request: TeamRequest, token: str) -> Upload:
    found = upload_of(request.workspace.key, token)
    if found is None:
        raise Http404
    return found


def _run(request: TeamRequest, token: str, name: str) -> JobRun | None:
    runs = request.workspace.job_runs.filter(name=name, arguments__upload=token)
    return runs.order_by("-pk").first()
