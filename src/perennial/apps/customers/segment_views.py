"""Segments on screen: the list, one with its members, the editor."""

from __future__ import annotations

from typing import Any

import yaml
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.customers import condition_form, condition_words, queries
from perennial.apps.customers import segment_actions as actions
from perennial.apps.customers import segment_queries as segments
from perennial.apps.customers.condition_form import Editor
from perennial.apps.customers.models import Segment
from perennial.apps.customers.views import now_of
from perennial.apps.customers.words import owner_names
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue, PerennialError
from perennial.metrics import conditions

#: A condition of sixty rows is far smaller.
_MOST_TEXT = 50_000
#: Moves shown on a segment's page.
_MOVES = 12
_NEW = {"all": [{"field": "health_color", "op": "is", "value": ["red", "orange"]}]}


@role_required(Role.VIEWER)
def listing(request: TeamRequest) -> HttpResponse:
    workspace = request.workspace
    choices = condition_words.Choices(workspace)
    sizes = segments.sizes(workspace)
    rows = [
        (
            segment,
            sizes.get(segment.key, segments.Size()),
            condition_words.sentence(conditions.read(segment.document), choices),
        )
        for segment in segments.segments(workspace)
    ]
    context = {
        "nav": "accounts",
        "rows": rows,
        "archived": workspace.segments.exclude(archived_at=None).order_by("name"),
        "may_edit": request.membership.covers(Role.MEMBER),
    }
    return render(request, "customers/segments.html", context)


@role_required(Role.MEMBER)
def create(request: TeamRequest) -> HttpResponse:
    """A new segment: the form, and what it would hold."""
    if request.POST.get("do") == "save":
        return _saved(request, None)
    given = request.POST if request.method == "POST" else _NEW
    return _page(request, None, given)


@role_required(Role.VIEWER)
def segment(request: TeamRequest, key: str) -> HttpResponse:
    found = segments.get_segment_or_404(request.workspace, key)
    if request.GET.get("format") == "yaml":
        response = HttpResponse(_yaml(found.document), content_type="text/yaml")
        response["Content-Disposition"] = f'attachment; filename="segment-{key}.yaml"'
        return response
    return _page(request, found, found.document)


@require_POST
@role_required(Role.MEMBER)
def change(request: TeamRequest, key: str) -> HttpResponse:
    found = segments.get_segment_or_404(request.workspace, key)
    if request.POST.get("do") in ("save", "save_text"):
        return _saved(request, found)
    return _page(request, found, request.POST)


@require_POST
@role_required(Role.MEMBER)
def archive(request: TeamRequest, key: str) -> HttpResponse:
    found = segments.get_segment_or_404(request.workspace, key)
    try:
        if found.archived_at is None:
            actions.archive_segment(found, request.membership)
        else:
            actions.restore_segment(found, request.membership)
    except PerennialError as error:
        messages.error(request, str(error))
        return redirect("customers:segment", key)
    said = (
        _("“%(name)s” is archived.") if found.archived_at else _("“%(name)s” is back.")
    )
    messages.success(request, said % {"name": found.name})
    return redirect("customers:segments")


@require_POST
@role_required(Role.MEMBER)
def condition(request: TeamRequest) -> HttpResponse:
    """The rows of any form with a condition, as they are after a change in it."""
    editor = condition_form.editor(request.workspace, request.POST)
    context: dict[str, Any] = {"editor": editor}
    if request.POST.get("with_matches"):
        context |= {"with_matches": True, **_matches(request, editor)}
    return render(request, "customers/condition_answer.html", context)


def _saved(request: TeamRequest, found: Segment | None) -> HttpResponse:
    given = {
        "name": request.POST.get("name", ""),
        "description": request.POST.get("description", ""),
    }
    try:
        document = _document(request.POST)
        if found is None:
            found = actions.create_segment(
                request.membership, **given, document=document
            )
        else:
            actions.change_segment(
                found, request.membership, **given, document=document
            )
    except PerennialError as error:
        return _page(request, found, request.POST, problem=str(error))
    messages.success(request, _("The segment is saved."))
    return redirect("customers:segment", found.key)


def _document(sent: QueryDict) -> object:
    if sent.get("do") != "save_text":
        return condition_form.document_of(sent)
    text = sent.get("text", "")
    if len(text) > _MOST_TEXT:
        raise BadValue(_("The text is too long to be a condition."))
    return conditions.to_document(conditions.parse(text))


def _page(
    request: TeamRequest, found: Segment | None, given: Any, problem: str = ""
) -> HttpResponse:
    may_edit = request.membership.covers(Role.MEMBER) and not (
        found and found.archived_at
    )
    editor = condition_form.editor(request.workspace, given, may_edit=may_edit)
    sent = given if isinstance(given, QueryDict) else {}
    key = found.key if found else ""
    context = {
        "nav": "accounts",
        "segment": found,
        "name": sent.get("name", found.name if found else ""),
        "description": sent.get("description", found.description if found else ""),
        "editor": editor,
        "may_edit": may_edit,
        "problem": problem,
        "text": sent.get("text") or _yaml(conditions.to_document(editor.condition)),
        "size": segments.sizes(request.workspace).get(key, segments.Size()),
        "moves": segments.moves(lake_of(request.workspace), key, _MOVES),
        "uses": segments.uses_of(request.workspace, key) if found else [],
        **_matches(request, editor),
    }
    status = 422 if problem else 200
    return render(request, "customers/segment.html", context, status=status)


def _matches(request: TeamRequest, editor: Editor) -> dict[str, Any]:
    """Whom the rows fit as they stand; None where they cannot be asked."""
    workspace = request.workspace
    book = queries.book(workspace)
    now = now_of(request, book.as_of if book else lake_of(workspace).today)
    names = owner_names(workspace)
    try:
        found = segments.preview(workspace, editor.condition)
    except PerennialError:
        return {"matches": None, "now": now, "names": names}
    return {"matches": found, "now": now, "names": names}


def _yaml(document: object) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=88)
