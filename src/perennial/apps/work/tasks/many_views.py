"""A task for accounts chosen in a list: asked for, added, taken back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from perennial.apps.customers.edit_views import chosen
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.apps.work.models import TaskState
from perennial.apps.work.tasks import many
from perennial.apps.work.tasks import queries as tasks
from perennial.core.errors import PerennialError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN = 100


@require_POST
@role_required(Role.MEMBER)
def add(request: TeamRequest) -> HttpResponse:
    """Ask what is to be done, then add it for each of the chosen accounts."""
    ids, sent = chosen(request), request.POST
    if not ids:
        messages.error(request, _("Choose accounts first."))
        return redirect("customers:accounts")
    if "title" in sent:
        try:
            due_on = lake_of(request.workspace).day(sent.get("due_on") or None)
            at = many.add(
                request.membership,
                ids,
                sent["title"],
                due_on,
                to_owners=sent.get("who") != "me",
            )
            micros = (at - _EPOCH) // timedelta(microseconds=1)
            return redirect("work:many_tasks", micros)
        except PerennialError as error:
            messages.error(request, str(error))
    context = {
        "nav": "tasks",
        "count": len(ids),
        "accounts": [] if sent.get("all") else ids,
        "query": sent.get("query", ""),
        "all": sent.get("all", ""),
        "title": sent.get("title", ""),
        "due_on": sent.get("due_on", ""),
        "who": sent.get("who", "owner"),
    }
    return render(request, "work/add_many.html", context)


def _at(micros: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        raise Http404 from None


@role_required(Role.MEMBER)
def added(request: TeamRequest, micros: int) -> HttpResponse:
    """What was added together, and how to take it back."""
    found = many.added(request.membership, _at(micros))
    first = found.first()
    if first is None:
        raise Http404
    context = {
        "nav": "tasks",
        "micros": micros,
        "title": first.title,
        "tasks": tasks.as_read(request.membership, found[:_SHOWN]),
        "count": found.count(),
        "live": found.filter(state=TaskState.OPEN).count(),
    }
    return render(request, "work/added_many.html", context)


@require_POST
@role_required(Role.MEMBER)
def undo(request: TeamRequest, micros: int) -> HttpResponse:
    n = many.undo(request.membership, _at(micros))
    text = ngettext("%(n)s task was dropped.", "%(n)s tasks were dropped.", n)
    messages.success(request, text % {"n": n})
    return redirect("work:many_tasks", micros)
