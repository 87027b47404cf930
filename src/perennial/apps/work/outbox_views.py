"""The outbox: drafts to send, and what went out."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.customers import queries as customers
from perennial.apps.jobs import actions as jobs
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.roles import Role
from perennial.apps.work import outbox, tabs
from perennial.apps.work.models import Message
from perennial.core.errors import PerennialError
from perennial.ui.redirects import back

PAGE = 25
_AGAIN = (Message.State.FAILED, Message.State.UNSURE, Message.State.KEPT)


@role_required(Role.MEMBER)
def messages_(request: TeamRequest) -> HttpResponse:
    """Messages of one state, newest first; drafts unless asked otherwise."""
    state = request.GET.get("state", Message.State.DRAFT)
    if state not in Message.State.values:
        raise Http404
    found = _seen(request).filter(state=state).order_by("-pk")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    ids = tuple(sorted({message.account_id for message in page}))
    known = customers.some(request.workspace, ids)
    context = {
        "nav": "tasks",
        "tabs": tabs.tabs("outbox", request),
        "state": state,
        "states": Message.State.choices,
        "page": page,
        "lines": [(message, known.get(message.account_id)) for message in page],
        "again": _AGAIN,
        "may_edit": True,
        "has_server": bool(settings.EMAIL_HOST),
        "is_admin": request.membership.covers(Role.ADMIN),
    }
    return render(request, "work/outbox.html", context)


@require_POST
@role_required(Role.MEMBER)
def message(request: TeamRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(_seen(request), pk=pk)
    do, given = request.POST.get("do", ""), request.POST
    try:
        if do == "send":
            outbox.send_draft(
                found,
                request.membership,
                to=given.get("to", ""),
                subject=given.get("subject", ""),
                text=given.get("text", ""),
            )
        elif do == "discard":
            outbox.discard(found, request.membership)
        elif do == "again":
            outbox.send_again(found, request.membership)
        else:
            raise Http404
    except PerennialError as error:
        messages.error(request, str(error))
    else:
        jobs.run_now("follow_up", request.workspace, by=request.user)
        messages.success(request, _("Done."))
    return redirect(back(request, reverse("work:outbox")))


def _seen(request: TeamRequest) -> QuerySet[Message]:
    """Drafts, and what went to customers; colleagues see their own mails."""
    every = request.workspace.messages.all()
    if request.membership.covers(Role.ADMIN):
        return every
    ours = Q(run__isnull=False) | Q(state=Message.State.DRAFT)
    return every.filter(ours | Q(to=request.user.email))
