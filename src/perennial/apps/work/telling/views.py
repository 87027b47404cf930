"""What people were told, and how they want to be told."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.customers import queries as customers
from perennial.apps.customers import wording
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.team.roles import Role
from perennial.apps.work import outbox
from perennial.apps.work.models import Preference, WebhookSecret
from perennial.apps.work.telling import channels, kinds, notices
from perennial.core.errors import PerennialError

PAGE = 50


def unread(request: HttpRequest) -> int | None:
    """The number beside "Notifications" in the navigation."""
    workspace = getattr(request, "workspace", None)
    if not isinstance(workspace, Workspace) or not request.user.is_authenticated:
        return None
    return notices.unread(request.user, workspace) or None


@role_required(Role.VIEWER)
def notifications(request: TeamRequest) -> HttpResponse:
    """The own notices, newest first."""
    found = notices.of(request.user, request.workspace).order_by("-at", "-pk")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    ids = tuple(sorted({n.account_id for n in page if n.account_id}))
    known = customers.some(request.workspace, ids)
    if not wording.reads_all(request.membership):
        notices.hide(request.workspace, page)
    rows = []
    for notice in page:
        account = known.get(notice.account_id)
        name = account.name if account else ""
        rows.append((notice, notices.sentence(notice, name, request.regional)))
    context = {"nav": "notices", "page": page, "rows": rows}
    return render(request, "work/notices.html", context)


@require_POST
@role_required(Role.VIEWER)
def read_all(request: TeamRequest) -> HttpResponse:
    mine = notices.of(request.user, request.workspace)
    mine.filter(read_at=None).update(read_at=timezone.now())
    return redirect("work:notices")


@role_required(Role.VIEWER)
def preferences(request: TeamRequest) -> HttpResponse:
    """The matrix: what, in the application, by mail."""
    if request.method == "POST":
        for kind in kinds.KINDS:
            _keep(request, kind)
        _keep_channels(request, request.membership)
        return redirect("work:preferences")
    chosen = kinds.choices(request.membership)
    rows: list[Any] = [(kind, chosen[kind.key]) for kind in kinds.KINDS]
    context = {
        "nav": "notices",
        "rows": rows,
        "channels": channels.shown(request.workspace, request.membership),
        "rhythms": channels.RHYTHMS,
        "is_admin": request.membership.covers(Role.ADMIN),
    }
    return render(request, "work/preferences.html", context)


@role_required(Role.ADMIN)
def team_channels(request: TeamRequest) -> HttpResponse:
    """Where the whole team hears of alerts, and what receivers check: a new secret is
    shown once, on the page that made it."""
    secret = ""
    if request.POST.get("do") == "new_secret":
        secret = outbox.new_secret(request.membership)
    elif request.method == "POST":
        _keep_channels(request, None)
        return redirect("work:team_channels")
    known = WebhookSecret.objects.filter(workspace=request.workspace).first()
    context = {
        "nav": "notices",
        "channels": channels.shown(request.workspace, None),
        "rhythms": channels.RHYTHMS,
        "secret": secret,
        "last": outbox.last_of(outbox.webhook_secret(request.workspace)),
        "known": known,
    }
    found = render(request, "work/team_channels.html", context)
    if secret:
        add_never_cache_headers(found)
    return found


def _keep_channels(request: TeamRequest, of: Membership | None) -> None:
    """Both addresses, with what each is told; a test goes to the one asked for."""
    try:
        for kind in channels.KINDS:
            url = request.POST.get(f"url.{kind}", "")
            whats = request.POST.getlist(f"what.{kind}")
            channels.keep(request.membership, of, kind, url, whats)
        test = request.POST.get("test", "")
        if test in channels.KINDS:
            channels.test(request.membership, of, test)
    except PerennialError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("A test is on its way.") if test else _("Saved."))


def _keep(request: TeamRequest, kind: kinds.Kind) -> None:
    email = request.POST.get(f"email.{kind.key}", "")
    if email not in kind.emails:
        return
    Preference.objects.update_or_create(
        membership=request.membership,
        what=kind.key,
        defaults={"in_app": f"in_app.{kind.key}" in request.POST, "email": email},
    )
