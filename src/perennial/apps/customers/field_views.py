"""Settings of what is edited on accounts: attributes and lifecycle stages."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.customers import attributes, condition_form, condition_words
from perennial.apps.customers import edit_actions as actions
from perennial.apps.customers.models import Attribute, Stage
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.core.errors import PerennialError
from perennial.lake import matching
from perennial.metrics import conditions


@role_required(Role.ADMIN)
def fields(request: TeamRequest) -> HttpResponse:
    """Attributes of accounts with a type, and the stages of their life."""
    workspace = request.workspace
    choices = condition_words.Choices(workspace)
    stages = [(stage, _said(stage, choices)) for stage in workspace.stages.all()]
    own = workspace.account_attributes.filter(archived_at=None).order_by("title")
    typed = {each.key for each in own}
    found = matching.known_fields(lake_of(workspace))["attribute"]
    context = {
        "nav": "settings",
        "attributes": own,
        "kinds": Attribute.Kind.choices,
        "untyped": [name for name in found if name not in typed and name != "archived"],
        "stages": stages,
        "stage_names": "\n".join(attributes.stage_names(workspace)),
    }
    return render(request, "customers/fields.html", context)


def _said(stage: Stage, choices: condition_words.Choices) -> str:
    if stage.rule is None:
        return ""
    return condition_words.sentence(conditions.read(stage.rule), choices)


@require_POST
@role_required(Role.ADMIN)
def define(request: TeamRequest) -> HttpResponse:
    """A new attribute, or another type for one."""
    title = request.POST.get("title", "")
    key = request.POST.get("key", "") or title.strip().lower().replace(" ", "_")
    try:
        actions.define_attribute(
            request.membership,
            key=key[:64],
            title=title,
            kind=request.POST.get("kind", ""),
            choices=request.POST.get("choices", "").replace(",", "\n").splitlines(),
        )
        messages.success(request, _("The attribute is saved."))
    except PerennialError as error:
        messages.error(request, str(error))
    return redirect("customers:fields")


@require_POST
@role_required(Role.ADMIN)
def archive(request: TeamRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(request.workspace.account_attributes, pk=pk)
    actions.archive_attribute(found, request.membership)
    messages.success(request, _("The attribute is offered no more."))
    return redirect("customers:fields")


@require_POST
@role_required(Role.ADMIN)
def stages(request: TeamRequest) -> HttpResponse:
    try:
        actions.set_stages(
            request.membership, request.POST.get("names", "").splitlines()
        )
        messages.success(request, _("The stages are saved."))
    except PerennialError as error:
        messages.error(request, str(error))
    return redirect("customers:fields")


@role_required(Role.ADMIN)
def rule(request: TeamRequest, pk: int) -> HttpResponse:
    """The condition by which accounts get a stage."""
    stage = get_object_or_404(request.workspace.stages, pk=pk)
    do = request.POST.get("do", "")
    problem = ""
    if do in ("save", "clear"):
        try:
            document = _document(request) if do == "save" else None
            actions.set_rule(stage, request.membership, document)
            messages.success(
                request, _("The rule is saved; it is followed each night.")
            )
            return redirect("customers:fields")
        except PerennialError as error:
            problem = str(error)
    given = request.POST if request.method == "POST" else stage.rule or {"all": []}
    context = {
        "nav": "settings",
        "stage": stage,
        "problem": problem,
        "editor": condition_form.editor(request.workspace, given),
    }
    status = 422 if problem else 200
    return render(request, "customers/stage_rule.html", context, status=status)


def _document(request: TeamRequest) -> dict[str, Any]:
    document = condition_form.document_of(request.POST)
    condition = conditions.read(document)
    matching.check(lake_of(request.workspace), condition)
    return conditions.to_document(condition)
