"""Starting a playbook for accounts chosen in the list, and how far that is."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.customers.edit_views import chosen
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.roles import Role
from perennial.apps.work.models import Playbook
from perennial.apps.work.playbooks import actions, many
from perennial.core.errors import PerennialError


@require_POST
@role_required(Role.MEMBER)
def start_many(request: TeamRequest) -> HttpResponse:
    """Ask which playbook, then start it: at once for some, for many by a worker."""
    ids = chosen(request)
    running = request.workspace.playbooks.filter(state=Playbook.State.ON)
    pk = request.POST.get("playbook", "")
    if not ids:
        messages.error(request, _("Choose accounts first."))
        return redirect("customers:accounts")
    if pk.isdecimal():
        found = get_object_or_404(running, pk=int(pk))
        _start(request, found, ids)
        return redirect("work:runs", found.pk)
    context = {
        "nav": "accounts",
        "count": len(ids),
        "accounts": [] if request.POST.get("all") else ids,
        "query": request.POST.get("query", ""),
        "all": request.POST.get("all", ""),
        "playbooks": running.order_by("name"),
    }
    return render(request, "work/start_many.html", context)


def _start(request: TeamRequest, playbook: Playbook, ids: list[str]) -> None:
    try:
        if len(ids) > many.AT_ONCE:
            many.start(playbook, request.membership, ids)
            return
        started = actions.start_for(playbook, request.membership, ids)
    except PerennialError as error:
        messages.error(request, str(error))
        return
    text = _("Started for %(started)s of %(count)s accounts.")
    messages.success(request, text % {"started": started, "count": len(ids)})


@role_required(Role.VIEWER)
def state(request: TeamRequest, pk: int) -> HttpResponse:
    """The moving part of the page while a playbook is started for many."""
    found = get_object_or_404(request.workspace.playbooks, pk=pk)
    context = {"many": many.newest(found), "is_news": True}
    return render(request, "work/many_state.html", context)
