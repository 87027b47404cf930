"""Boards and metrics by mail: the list, one of them, and the way out for readers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from perennial.apps.customers.hooks import Link
from perennial.apps.reports import boards
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.models import Board
from perennial.apps.team.access import TeamRequest, public, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.apps.work.mailings import actions, schedule, sending
from perennial.apps.work.mailings.composing import page_of
from perennial.apps.work.models import Mailing
from perennial.core.errors import PerennialError
from perennial.metrics.registry import Metric


def link(
    request: TeamRequest, asked: Asked, *, metric: Metric | None, board: Board | None
) -> Link | None:
    """What a page of metrics offers (`settings.REPORT_LINKS`)."""
    is_all = metric is None and board is None and asked.board
    if not request.membership.covers(Role.MEMBER) or is_all:
        return None
    here = asked.url() + (f"&metric={metric.key}" if metric else "")
    return Link(_("By e-mail"), f"{reverse('work:new_mailing')}{here}")


@role_required(Role.MEMBER)
def mailings(request: TeamRequest) -> HttpResponse:
    lake = lake_of(request.workspace)
    rows = [
        {
            "mailing": mailing,
            "page": page_of(mailing),
            "next": schedule.next_moment(mailing.every, lake.now, lake.settings.tz),
        }
        for mailing in actions.visible(request.membership)
    ]
    return render(request, "work/mailings.html", {"nav": "metrics", "rows": rows})


@role_required(Role.MEMBER)
def new(request: TeamRequest) -> HttpResponse:
    """How often and to whom; what it shows is the page one came from."""
    of = _of(request)
    given: dict[str, Any] = {"every": Mailing.Every.WEEK, "to": [request.user.email]}
    if request.method == "POST":
        given = _given(request)
        try:
            actions.add(request.membership, of, **given)
        except PerennialError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("It will go out by mail."))
            return redirect("work:mailings")
    return render(request, "work/mailing.html", _form(request, of.title, **given))


@role_required(Role.MEMBER)
def mailing(request: TeamRequest, pk: int) -> HttpResponse:
    found = _or_404(request, pk)
    given: dict[str, Any] = {"every": found.every, "to": found.readers}
    if request.method == "POST":
        given = _given(request)
        try:
            actions.change(found, request.membership, **given)
        except PerennialError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("work:mailings")
    context = _form(request, found.title, **given) | {"mailing": found}
    return render(request, "work/mailing.html", context)


@require_POST
@role_required(Role.MEMBER)
def act(request: TeamRequest, pk: int) -> HttpResponse:
    """Pause, go on, delete, or one at once to oneself."""
    found, by, do = _or_404(request, pk), request.membership, request.POST.get("do")
    try:
        if do in {"pause", "resume"}:
            actions.pause(found, by, is_paused=do == "pause")
        elif do == "delete":
            actions.delete(found, by)
        elif do == "now":
            actions.send_now(found, by)
            messages.success(request, _("It is on its way to you."))
        else:
            raise Http404
    except PerennialError as error:
        messages.error(request, str(error))
    return redirect("work:mailings")


@csrf_exempt
@never_cache
@public
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """Ends a mailing for one reader: asked first, because programs open links, or at
    once by the button of a mail program (RFC 8058)."""
    found = sending.of_token(token)
    if found is None:
        raise Http404
    mailing, email = found
    if request.method == "POST":
        actions.leave(mailing, email)
    context = {"mailing": mailing, "is_over": email not in mailing.readers}
    response = render(request, "work/leave_mailing.html", context)
    response["Referrer-Policy"] = "no-referrer"
    return response


def _of(request: TeamRequest) -> actions.Of:
    asked, key = request.GET.copy(), request.GET.get("metric", "")
    asked.pop("metric", None)
    query = f"?{asked.urlencode()}" if asked else ""
    if key:
        metric = lake_of(request.workspace).catalog.get(key)
        if metric is None or not boards.is_a_number(metric):
            raise Http404
        return actions.Of(_(metric.title), query, metric=key)
    if not request.GET.get("board"):
        return actions.Of(_("Key metrics"), query)
    own = boards.visible(request.membership)
    pk = request.GET["board"]
    board = get_object_or_404(own, pk=pk if pk.isdecimal() else 0)
    return actions.Of(board.name, query, board=board)


def _given(request: TeamRequest) -> dict[str, Any]:
    others = request.POST.get("others", "").replace(",", " ").split()
    to = [*request.POST.getlist("to"), *others]
    return {"every": request.POST.get("every", ""), "to": to}


def _form(
    request: TeamRequest, title: str, *, to: list[str], every: str
) -> dict[str, Any]:
    """The form as it is stored, or as it was sent and refused."""
    pairs = request.workspace.memberships.order_by("user__name").values_list(
        "user__email", "user__name"
    )
    people = [(email, name or email, email in to) for email, name in pairs]
    known = {email for email, _name, _on in people}
    return {
        "nav": "metrics",
        "title": title,
        "people": people,
        "others": " ".join(email for email in to if email not in known),
        "every": Mailing.Every.choices,
        "chosen": every,
        "hour": schedule.HOUR,
    }


def _or_404(request: TeamRequest, pk: int) -> Mailing:
    return get_object_or_404(actions.visible(request.membership), pk=pk)
