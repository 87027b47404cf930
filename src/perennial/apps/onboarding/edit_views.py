"""The builder: a form, and who would be where by it."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

import yaml
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.customers import condition_form, hooks
from perennial.apps.customers.kept import kept
from perennial.apps.onboarding import actions, forms, library, queries, words
from perennial.apps.onboarding.models import Flow
from perennial.apps.onboarding.views import flow_or_404, shared
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.core.errors import PerennialError
from perennial.core.names import free
from perennial.lake import flowbook
from perennial.lake.workspace import Workspace as Lake
from perennial.ui.redirects import back

#: People of the preview, who began last.
_FEW: Final = 8
_MOST_NAMES: Final = 500


@require_POST
@role_required(Role.MEMBER)
def new(request: TeamRequest) -> HttpResponse:
    template = request.POST.get("template", "")
    title = str(library.TITLES.get(template, ("",))[0])
    taken = set(request.workspace.onboarding_flows.values_list("name", flat=True))
    try:
        flow = actions.add(request.membership, free(title, taken), template)
    except PerennialError as error:
        messages.error(request, str(error))
        return redirect("onboarding:flows")
    return redirect("onboarding:edit", flow.pk)


@require_POST
@role_required(Role.ADMIN)
def turn(request: TeamRequest, pk: int) -> HttpResponse:
    """Publish or stop."""
    flow, do = flow_or_404(request, pk), request.POST.get("do", "")
    if do not in ("publish", "stop"):
        raise Http404
    try:
        if do == "stop":
            actions.stop(flow, request.membership)
        else:
            number = actions.publish(flow, request.membership)
            text = _(
                "Version %(n)s is in force. Who is where will be here in a moment."
            )
            messages.success(request, text % {"n": number})
    except PerennialError as error:
        messages.error(request, str(error))
        return redirect("onboarding:edit", pk)
    return redirect(back(request, reverse("onboarding:flow", args=[pk])))


@require_POST
@role_required(Role.MEMBER)
def discard(request: TeamRequest, pk: int) -> HttpResponse:
    flow = flow_or_404(request, pk)
    try:
        actions.discard(flow, request.membership)
    except PerennialError as error:
        messages.error(request, str(error))
        return redirect("onboarding:edit", pk)
    return redirect("onboarding:flows")


@role_required(Role.VIEWER)
def edit(request: TeamRequest, pk: int) -> HttpResponse:
    """The form; a change of it is kept at once, and in force when it is published."""
    flow = flow_or_404(request, pk)
    text = ""
    if request.method == "POST":
        if not request.membership.covers(Role.MEMBER):
            raise PermissionDenied
        text = _save(request, flow)
    elif request.GET.get("format") == "yaml":
        response = HttpResponse(_yaml(flow), content_type="text/yaml")
        response["Content-Disposition"] = 'attachment; filename="onboarding.yaml"'
        return response
    if request.htmx and request.POST.get("do", "") == "":
        context = _context(request, flow, text) | {"look": _look(request, flow)}
        return render(request, "onboarding/edit.html#live", context)
    # Who would be where takes seconds on many events: it comes after the page.
    context = _context(request, flow, text) | {"is_to_come": True}
    return render(request, "onboarding/edit.html", context)


def _save(request: TeamRequest, flow: Flow) -> str:
    """Keep what was sent; the text as it was written, where it is refused."""
    sent = request.POST
    try:
        if sent.get("do") == "yaml":
            actions.save_text(flow, request.membership, sent.get("yaml", ""))
        else:
            document = forms.document_of(sent, flow.document)
            name = sent.get("name", flow.name)
            actions.save(flow, request.membership, name, document)
    except PerennialError as error:
        messages.error(request, str(error))
        flow.refresh_from_db()
        return sent.get("yaml", "") if sent.get("do") == "yaml" else ""
    return ""


def _context(request: TeamRequest, flow: Flow, text: str) -> dict[str, Any]:
    lake = lake_of(request.workspace)
    context = shared(request, flow, "edit")
    who = flow.document.get("who") or {"all": []}
    segments = request.workspace.segments.filter(archived_at=None).order_by("name")
    return {
        **context,
        "document": flow.document,
        "steps": forms.shown(flow.document),
        "editor": condition_form.editor(
            request.workspace, who, may_edit=context["may_edit"]
        ),
        "yaml": text or _yaml(flow),
        "words": {"by": words.BY, "per": words.PER},
        "segments": segments,
        "events": [
            *dict.fromkeys([*hooks.guide_events(request.workspace), *event_names(lake)])
        ],
        "problem": actions.problem(flow),
        "is_changed": _is_changed(lake, flow),
    }


def _yaml(flow: Flow) -> str:
    made = {"name": flow.name, **{k: v for k, v in flow.document.items() if v}}
    return yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=88)


def _is_changed(lake: Lake, flow: Flow) -> bool:
    """Does the draft say something else than what is in force?"""
    book = flowbook.known(lake.lake).get(flow.name)
    try:
        return book is None or book.flow != flowbook.checked(lake, flow.document)
    except PerennialError:
        return True


def _look(request: TeamRequest, flow: Flow) -> dict[str, Any] | None:
    """Who would be where, if the draft were in force; None: it is not right yet."""
    lake = lake_of(request.workspace)
    try:
        some = queries.tried(lake, flow.name, json.dumps(flow.document))
    except PerennialError:
        return None
    steps = [step.get("name") for step in flow.document["steps"]]
    done = Counter(name for place in some for name in place.progress.done)
    first = sorted(some, key=lambda p: p.progress.started, reverse=True)[:_FEW]
    return {
        "n": len(some),
        "finished": sum(p.progress.finished_at is not None for p in some),
        "steps": [
            (name, done[name], done[name] / len(some) if some else 0) for name in steps
        ],
        "rows": queries.rows(request.workspace, first),
    }


@kept("event_days", size=8)
def event_names(lake: Lake) -> list[str]:
    """Names of events that came in, the most frequent first."""
    table = lake.engine.table("event_days")
    found = table.group_by("event").agg(n=table.events.sum())
    rows = lake.engine.run(found.order_by(found.n.desc()).limit(_MOST_NAMES))
    return sorted(rows["event"].drop_nulls().to_list())
