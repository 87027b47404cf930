"""Who matters at an account: roles of users, and contacts who use nothing."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.customers import contact_actions as actions
from perennial.apps.customers import people, queries
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue, PerennialError


@require_POST
@role_required(Role.MEMBER)
def change(request: TeamRequest, account_id: str) -> HttpResponse:
    """Give a user a role, add a contact, or remove one."""
    found = queries.get_account_or_404(request.workspace, account_id)
    sent, by = request.POST, request.membership
    back = redirect("customers:people", account_id)
    try:
        if sent.get("do") == "remove":
            every = request.workspace.contacts.filter(account_id=account_id)
            contact = get_object_or_404(every, pk=sent.get("pk") or 0)
            actions.remove_contact(contact, by)
        elif sent.get("user"):
            staff = people.people(request.workspace, found)
            if sent["user"] not in {person.user_id for person in staff}:
                raise BadValue(_("This person has no seat in the account."))
            actions.set_role(by, account_id, sent["user"], sent.get("role", ""))
        else:
            actions.add_contact(
                by,
                account_id,
                name=sent.get("name", ""),
                email=sent.get("email", ""),
                role=sent.get("role", ""),
            )
    except PerennialError as error:
        messages.error(request, str(error))
        return back
    messages.success(request, _("The contacts are changed."))
    return back
