"""Verbs of contacts. Each leaves an audit entry."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from perennial.apps.customers.models import Contact
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, clean_email
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue


@transaction.atomic
def set_role(by: Membership, account_id: str, user_id: str, role: str) -> None:
    """What part a user plays at an account; empty: none that is known."""
    must_cover(by, Role.MEMBER)
    _check(role)
    Contact.objects.update_or_create(
        workspace=by.workspace,
        account_id=account_id,
        user_id=user_id,
        defaults={"role": role, "by": by.user, "since": lake_of(by.workspace).now},
    )
    record(
        by.workspace, by.user, "contact.role_set", account_id, user=user_id, role=role
    )


@transaction.atomic
def add_contact(
    by: Membership, account_id: str, *, name: str, email: str, role: str
) -> Contact:
    """Somebody who does not use the product."""
    must_cover(by, Role.MEMBER)
    _check(role)
    if not name.strip():
        raise BadValue(_("A contact has a name."))
    address = clean_email(email)
    try:
        if address:
            validate_email(address)
    except ValidationError:
        raise BadValue(
            _("%(email)s is not an e-mail address") % {"email": email}
        ) from None
    contact = Contact.objects.create(
        workspace=by.workspace,
        account_id=account_id,
        name=name.strip()[:120],
        email=address,
        role=role,
        by=by.user,
        since=lake_of(by.workspace).now,
    )
    record(by.workspace, by.user, "contact.added", account_id, role=role)
    return contact


@transaction.atomic
def remove_contact(contact: Contact, by: Membership) -> None:
    must_cover(by, Role.MEMBER)
    record(by.workspace, by.user, "contact.removed", contact.account_id)
    contact.delete()


def _check(role: str) -> None:
    if role and role not in Contact.Role.values:
        raise BadValue(_("This is not a role of contacts."))
