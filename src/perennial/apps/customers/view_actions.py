"""Verbs of saved views of the list."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from perennial.apps.customers.models import View
from perennial.apps.team.actions import NotAllowed, must_cover, record
from perennial.apps.team.models import Membership
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue


@transaction.atomic
def save_view(
    by: Membership, *, name: str, query: str, is_shared: bool, view: View | None = None
) -> View:
    """A new view, or another address for one's own; members share views."""
    if not name.strip():
        raise BadValue(_("A view has a name."))
    if is_shared:
        must_cover(by, Role.MEMBER)
    if view is None:
        view = View(workspace=by.workspace, owner=by.user)
    _must_own(view, by)
    view.name, view.query, view.is_shared = name.strip()[:80], query[:1000], is_shared
    view.save()
    record(by.workspace, by.user, "view.saved", view.name, shared=is_shared)
    return view


@transaction.atomic
def delete_view(view: View, by: Membership) -> None:
    _must_own(view, by)
    record(by.workspace, by.user, "view.deleted", view.name)
    view.delete()


def _must_own(view: View, by: Membership) -> None:
    """Everybody changes their own views, admins those that are shared."""
    if view.owner_id == by.user.pk:
        return
    if not (view.is_shared and by.covers(Role.ADMIN)):
        raise NotAllowed(_("Only its owner or an admin changes a view."))
