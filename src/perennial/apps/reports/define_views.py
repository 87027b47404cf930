"""Screens where metrics of one's own are made, changed and retired."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.reports import own
from perennial.apps.reports.forms import DefinitionForm
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue
from perennial.lake import definitions


@role_required(Role.VIEWER)
def listing(request: TeamRequest) -> HttpResponse:
    """Every metric of one's own, with what it counts and who defined it."""
    context = {
        "lines": own.lines(request.workspace),
        "may_define": request.role.covers(Role.MEMBER),
    }
    return render(request, "reports/own.html", context)


@role_required(Role.MEMBER)
def create(request: TeamRequest) -> HttpResponse:
    return _form(request, {"table": "tickets", "measure": "count", "unit": "count"})


@role_required(Role.MEMBER)
def edit(request: TeamRequest, key: str) -> HttpResponse:
    """A new version of it; the ones before stay on record."""
    known = own.versions(request.workspace, key)
    if not known or known[-1].is_retired:
        raise Http404
    return _form(request, known[-1].definition.values, known)


def _form(
    request: TeamRequest,
    initial: dict[str, object],
    known: list[definitions.Kept] | None = None,
) -> HttpResponse:
    form = DefinitionForm(request.POST or None, initial=initial)
    if known:
        form.fields["key"].disabled = True
    is_valid = form.is_valid()
    is_trial = request.POST.get("do") == "preview"
    if is_valid and not is_trial:
        made = own.define(request.membership, form.cleaned_data["definition"])
        messages.success(request, own.said(made))
        return redirect("reports:metric", made.key)
    context: dict[str, Any] = {"form": form, "versions": known}
    table = str(form["table"].value())
    context["columns"] = own.columns(request.workspace, table)
    if is_valid:
        context["preview"] = own.preview(request, form.cleaned_data["definition"])
    if request.htmx:
        return render(request, "reports/define_preview.html", context)
    status = 422 if form.errors and not is_trial else 200
    return render(request, "reports/define.html", context, status=status)


@require_POST
@role_required(Role.MEMBER)
def retire(request: TeamRequest, key: str) -> HttpResponse:
    known = own.versions(request.workspace, key)
    if not known or known[-1].is_retired:
        raise Http404
    try:
        own.retire(request.membership, key)
    except BadValue as error:
        messages.error(request, str(error))
        return redirect("reports:own")
    said = _("%(title)s is retired; its versions stay on record.")
    messages.success(request, said % {"title": known[-1].definition.title})
    return redirect("reports:own")
