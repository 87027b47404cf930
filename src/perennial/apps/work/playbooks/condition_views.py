"""What a step of a playbook asks, or its end: the form that segments have."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from perennial.apps.customers import condition_form
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.apps.work.models import Playbook
from perennial.apps.work.playbooks import actions, editor
from perennial.apps.work.playbooks.views import or_404
from perennial.core.errors import BadValue, PerennialError
from perennial.lake import matching
from perennial.metrics import conditions


@role_required(Role.MEMBER)
def condition(request: TeamRequest, pk: int, place: str) -> HttpResponse:
    """Say the condition at a place; the playbook is a draft until it is turned on."""
    found = or_404(request, pk)
    try:
        stored = editor.condition_at(found.document, place)
    except BadValue as error:
        raise Http404 from error
    do, problem = request.POST.get("do", ""), ""
    if do in {"save", "clear"}:
        try:
            _save(request, found, place, is_cleared=do == "clear")
        except PerennialError as error:
            problem = str(error)
        else:
            messages.success(request, _("Saved."))
            part = "ends" if place == editor.ENDS else "then"
            return redirect(f"{reverse('work:playbook', args=[pk])}#{part}")
    given = request.POST if request.method == "POST" else stored or {"all": []}
    context = {
        "nav": "playbooks",
        "playbook": found,
        "place": place,
        "is_end": place == editor.ENDS,
        "may_clear": editor.may_clear(found.document, place),
        "problem": problem,
        "editor": condition_form.editor(request.workspace, given),
    }
    status = 422 if problem else 200
    return render(request, "work/playbook_condition.html", context, status=status)


def _save(
    request: TeamRequest, found: Playbook, place: str, *, is_cleared: bool
) -> None:
    said: dict[str, Any] | None = None
    if not is_cleared:
        read = conditions.read(condition_form.document_of(request.POST))
        if read == conditions.EVERYBODY:
            raise BadValue(_("Choose what the step asks."))
        matching.check(lake_of(request.workspace), read)
        said = conditions.to_document(read)
    document = editor.with_condition(found.document, place, said)
    actions.save(found, request.membership, document)
