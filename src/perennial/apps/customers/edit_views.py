"""Editing accounts on screen: one attribute of one, or of many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from perennial.apps.customers import (
    account_page,
    attributes,
    details,
    listing,
    merging,
    queries,
)
from perennial.apps.customers import edit_actions as actions
from perennial.apps.customers.attributes import ARCHIVED, TAGS, Definition
from perennial.apps.customers.models import Edit
from perennial.apps.customers.words import owner_names
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue, PerennialError

_HISTORY, _SHOWN = 12, 100


@role_required(Role.VIEWER)
def account_details(request: TeamRequest, account_id: str) -> HttpResponse:
    """Attributes of an account, as a drawer or a page."""
    found = queries.get_account_or_404(request.workspace, account_id)
    names = owner_names(request.workspace)
    context = {
        "nav": "accounts",
        "now": account_page.now(request, found),
        "account": found,
        "details": details.details(request.workspace, account_id, names),
        "history": details.history(request.workspace, account_id, names, _HISTORY),
        "may_edit": request.membership.covers(Role.MEMBER),
        "may_merge": request.membership.covers(Role.ADMIN),
        "merges": merging.of_account(request.workspace, account_id),
        "next": request.GET.get("next", ""),
    }
    template = "customers/details.html"
    return render(request, f"{template}#part" if request.htmx else template, context)


@require_POST
@role_required(Role.MEMBER)
def edit(request: TeamRequest, account_id: str) -> HttpResponse:
    """Set one attribute of an account, or let the sources decide it again."""
    found = queries.get_account_or_404(request.workspace, account_id)
    name = request.POST.get("name", "")
    back = redirect("customers:account", account_id)
    came_from = request.POST.get("next", "")
    if came_from.startswith("?"):  # the list, as it was filtered
        back = redirect(reverse("customers:accounts") + came_from)
    try:
        of = attributes.definition(request.workspace, name)
        if request.POST.get("do") == "release":
            actions.release(request.membership, account_id, name)
            messages.success(request, _("What the sources say counts again."))
            return back
        value = attributes.read(of, request.POST.getlist("value"))
        made = actions.edit_accounts(request.membership, name, {account_id: value})
    except PerennialError as error:
        messages.error(request, str(error))
        return back
    _say_done(request, made, _("%(title)s of %(account)s is changed."),
              title=of.title, account=found.name)  # fmt: skip
    return back


@role_required(Role.VIEWER)
def edited(request: TeamRequest, pk: int) -> HttpResponse:
    """What an edit changed, with the way back."""
    made = get_object_or_404(request.workspace.account_edits, pk=pk)
    context = {
        "nav": "accounts",
        "edit": made,
        "title": attributes.definition(request.workspace, made.name).title,
        "rows": details.changed(request.workspace, made, _SHOWN),
        "count": made.decisions.count(),
        "live": made.decisions.filter(ended_at=None).count(),
        "may_edit": request.membership.covers(Role.MEMBER),
    }
    return render(request, "customers/edit.html", context)


@require_POST
@role_required(Role.MEMBER)
def undo(request: TeamRequest, pk: int) -> HttpResponse:
    made = get_object_or_404(request.workspace.account_edits, pk=pk)
    count = actions.undo(made, request.membership)
    said = ngettext(
        "%(n)s account is as it was before.",
        "%(n)s accounts are as they were before.",
        count,
    )
    messages.success(request, said % {"n": count})
    return redirect("customers:edited", pk)


# --- many at once ------------------------------------------------------------


def chosen(request: TeamRequest) -> list[str]:
    """Ids of the accounts a form of the list chose: the ticked ones, or all that its
    filter matches."""
    sent = request.POST
    if sent.get("all"):
        book = queries.book(request.workspace)
        if book is None:
            return []
        asked = listing.parse(QueryDict(sent.get("query", "").removeprefix("?")))
        return queries.ids(request.workspace, asked, book.reader(request.user.email))
    return queries.known_ids(request.workspace, sent.getlist("account"))


@require_POST
@role_required(Role.MEMBER)
def bulk(request: TeamRequest) -> HttpResponse:
    """Ask what the chosen accounts should get, then give it to them."""
    ids, kind = chosen(request), request.POST.get("do", "")
    if not ids:
        messages.error(request, _("Choose accounts first."))
        return redirect("customers:accounts")
    name = TAGS if kind in ("tag_add", "tag_remove") else kind
    try:
        of = attributes.definition(request.workspace, name)
        if "value" in request.POST or kind == ARCHIVED:
            return _applied(request, of, kind, ids)
    except PerennialError as error:
        messages.error(request, str(error))
        return redirect("customers:accounts")
    context = {
        "nav": "accounts",
        "of": of,
        "do": kind,
        "count": len(ids),
        "accounts": [] if request.POST.get("all") else ids,
        "query": request.POST.get("query", ""),
        "all": request.POST.get("all", ""),
    }
    return render(request, "customers/bulk.html", context)


def _applied(
    request: TeamRequest, of: Definition, kind: str, ids: Sequence[str]
) -> HttpResponse:
    values = _values(request, of, kind, ids)
    made = actions.edit_accounts(request.membership, of.key, values)
    said = ngettext(
        "%(title)s of %(n)s account is changed.",
        "%(title)s of %(n)s accounts is changed.",
        len(ids),
    )
    _say_done(request, made, said, title=of.title, n=len(ids))
    back = request.POST.get("query", "")
    return redirect(reverse("customers:accounts") + (back if back[:1] == "?" else ""))


def _values(
    request: TeamRequest, of: Definition, kind: str, ids: Sequence[str]
) -> dict[str, Any]:
    if kind == ARCHIVED:
        return dict.fromkeys(ids, True)
    value = attributes.read(of, request.POST.getlist("value"))
    if kind not in ("tag_add", "tag_remove"):
        return dict.fromkeys(ids, value)
    if not value:
        raise BadValue(_("Name at least one tag."))
    held = details.tags_by_account(request.workspace, ids)
    wanted = set(value)
    join = set.union if kind == "tag_add" else set.difference
    return {
        account: attributes.read_tags(sorted(join(set(tags), wanted)))
        for account, tags in held.items()
    }


def _say_done(request: TeamRequest, made: Edit, text: str, **said: Any) -> None:
    link = format_html(
        ' <a href="{}">{}</a>', reverse("customers:edited", args=[made.pk]), _("Undo")
    )
    messages.success(request, format_html("{}{}", text % said, link))
