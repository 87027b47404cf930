"""Merging accounts on screen: whom with, what that would do, and the way back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.customers import attributes, merging, queries
from perennial.apps.customers.account import Account
from perennial.apps.customers.words import owner_names
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.roles import Role
from perennial.core.errors import PerennialError


@role_required(Role.ADMIN)
def merge(request: TeamRequest, account_id: str) -> HttpResponse:
    """Ask which account stays, show what goes along, and do it."""
    found = queries.get_account_or_404(request.workspace, account_id)
    sent = request.POST if request.method == "POST" else request.GET
    other = sent.get("into", "").strip()
    try:
        into = queries.meant(request.workspace, other) if other else None
        if into is not None and into.account_id == account_id:
            into = None
            messages.error(request, _("Choose another account than this one."))
        if into is not None and request.method == "POST":
            return _done(request, found, into)
    except PerennialError as error:
        messages.error(request, str(error))
        into = None
    context = {"nav": "accounts", "account": found, "into": into, "typed": other}
    if into is not None:
        context |= _preview(request, found, into)
    return render(request, "customers/merge.html", context)


def _preview(request: TeamRequest, found: Account, into: Account) -> dict[str, object]:
    names = owner_names(request.workspace)
    conflicts = merging.conflicts(request.workspace, found.account_id, into.account_id)
    return {
        "going": merging.going(request.workspace, found.account_id),
        "conflicts": [(each.of, *each.shown(names)) for each in conflicts],
    }


def _done(request: TeamRequest, found: Account, into: Account) -> HttpResponse:
    keys = {of.key for of in attributes.titles(request.workspace)}
    taken = [key for key in keys if request.POST.get(f"take-{key}") == "goes"]
    made = merging.merge(
        request.membership, found.account_id, into.account_id, taken=taken
    )
    said = _("%(gone)s counts as %(stays)s. Numbers follow the refresh that began.")
    link = format_html(
        ' <a href="{}">{}</a>', reverse("customers:merged", args=[made.pk]), _("Undo")
    )
    told = said % {"gone": found.name, "stays": into.name}
    messages.success(request, format_html("{}{}", told, link))
    return redirect("customers:account", into.account_id)


@role_required(Role.VIEWER)
def merged(request: TeamRequest, pk: int) -> HttpResponse:
    """What a merge did, with the way back."""
    made = get_object_or_404(request.workspace.account_merges, pk=pk)
    context = {
        "nav": "accounts",
        "merge": made,
        "into": queries.some(request.workspace, (made.into_id,)).get(made.into_id),
        "moved": merging.moved(made),
        "edits": merging.chosen(made),
        "may_edit": request.membership.covers(Role.ADMIN),
    }
    return render(request, "customers/merged.html", context)


@require_POST
@role_required(Role.ADMIN)
def undo(request: TeamRequest, pk: int) -> HttpResponse:
    made = get_object_or_404(request.workspace.account_merges, pk=pk)
    merging.undo(made, request.membership)
    said = _("%(name)s is an account of its own again.")
    messages.success(request, said % {"name": made.name})
    return redirect("customers:account", made.account_id)
