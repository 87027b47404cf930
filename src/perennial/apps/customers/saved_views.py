"""Saved views of the list: the form, and what is done with it."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from perennial.apps.customers import listing, view_actions
from perennial.apps.customers.models import View
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.roles import Role
from perennial.core.errors import PerennialError


def views_of(request: TeamRequest) -> QuerySet[View]:
    """One's own and those that are shared."""
    mine = Q(owner=request.user) | Q(is_shared=True)
    return request.workspace.account_views.filter(mine)


def url_of(view: View) -> str:
    """The address of a saved view; what it knows no more of is left out."""
    asked = listing.parse(QueryDict(view.query.removeprefix("?")))
    return asked.url(view=str(view.pk))


@role_required(Role.VIEWER)
def save(request: TeamRequest) -> HttpResponse:
    """The list as it is under a name; sent for a view of one's own, it changes it."""
    given = request.POST if request.method == "POST" else request.GET
    asked = listing.parse(given if request.method == "GET" else _query(given))
    known = views_of(request).filter(pk=asked.view or 0).first()
    if request.method == "POST":
        return _done(request, asked, known)
    context = {
        "nav": "accounts",
        "asked": asked,
        "view": known,
        "may_change": known is not None
        and (
            known.owner_id == request.user.pk or request.membership.covers(Role.ADMIN)
        ),
        "may_share": request.membership.covers(Role.MEMBER),
    }
    part = "#part" if request.htmx else ""
    return render(request, f"customers/view.html{part}", context)


def _query(given: QueryDict) -> QueryDict:
    return QueryDict(given.get("query", "").removeprefix("?"))


def _done(
    request: TeamRequest, asked: listing.Filter, known: View | None
) -> HttpResponse:
    do = request.POST.get("do", "")
    back = reverse("customers:accounts")
    try:
        if do == "delete":
            found = get_object_or_404(views_of(request), pk=asked.view or 0)
            view_actions.delete_view(found, request.membership)
            messages.success(request, _("The view is deleted."))
            return redirect(back)
        saved = view_actions.save_view(
            request.membership,
            name=request.POST.get("name", ""),
            query=asked.url(view=""),
            is_shared=bool(request.POST.get("is_shared")),
            view=known if do == "change" else None,
        )
    except PerennialError as error:
        messages.error(request, str(error))
        return redirect(back + asked.url())
    messages.success(request, _("The view is saved."))
    return redirect(back + url_of(saved))
