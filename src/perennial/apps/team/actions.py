"""Verbs that change people, roles and workspaces. Each leaves an audit entry."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.contrib.auth import authenticate, login
from django.db import transaction
from django.http import HttpRequest
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from perennial.apps.team import brake, links, queries
from perennial.apps.team.models import (
    AuditEntry,
    Membership,
    User,
    Workspace,
    clean_email,
)
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue, Forbidden, PerennialError

DEFAULT_KEY = "default"


class NotAllowed(Forbidden):
    """The person's role does not cover the change."""


def must_cover(by: Membership, role: Role) -> None:
    """Refuse, with `NotAllowed`, those whose role is less than this one."""
    if not by.covers(role):
        raise NotAllowed(_("Your role does not allow this"))


class SignInRefused(PerennialError):
    """Wrong address or password, or too many tries."""


def record(
    workspace: Workspace | None,
    by: User | None,
    verb: str,
    target: str = "",
    **details: str | int | bool | None,
) -> AuditEntry:
    """Writes down who did what. Details never carry secrets."""
    return AuditEntry.objects.create(
        workspace=workspace,
        actor=by,
        actor_name=by.email if by else "",
        verb=verb,
        target=target,
        details=details,
    )


# --- beginning ---------------------------------------------------------------


@transaction.atomic
def initialize(
    email: str,
    *,
    name: str = "",
    key: str = DEFAULT_KEY,
    workspace_name: str = "",
    currency: str = "USD",
    timezone: str = "UTC",
) -> str:
    """Makes the workspace and its owner where missing; the path of a link in.

    Run again, it gives the owner a new link and changes nothing else.
    """
    workspace = create_workspace(
        key, workspace_name, currency=currency, timezone=timezone
    )
    user = get_or_create_user(email, name)
    Membership.objects.update_or_create(
        user=user, workspace=workspace, defaults={"role": Role.OWNER}
    )
    record(workspace, user, "workspace.initialized", user.email)
    return links.make_path(user)


def create_workspace(
    key: str, name: str = "", *, currency: str = "USD", timezone: str = "UTC"
) -> Workspace:
    workspace, _created = Workspace.objects.get_or_create(
        key=key,
        defaults={
            "name": name or key.replace("-", " ").title(),
            "currency": currency,
            "timezone": timezone,
        },
    )
    return workspace


@transaction.atomic
def rename(by: Membership, name: str) -> None:
    """What the workspace is called."""
    must_cover(by, Role.ADMIN)
    workspace, before = by.workspace, by.workspace.name
    workspace.name = name.strip()[:120]
    if not workspace.name:
        raise BadValue(_("A workspace needs a name."))
    workspace.save(update_fields=["name"])
    record(workspace, by.user, "workspace.renamed", workspace.name, before=before)


def set_regional(workspace: Workspace, *, currency: str, timezone: str) -> None:
    """Follows the lake's settings, which decide."""
    workspace.currency, workspace.timezone = currency, timezone
    workspace.save(update_fields=["currency", "timezone"])


def get_or_create_user(email: str, name: str = "") -> User:
    cleaned = clean_email(email)
    if "@" not in cleaned:
        raise BadValue(_("%(email)s is not an e-mail address") % {"email": email})
    known = User.objects.filter(email=cleaned).first()
    return known or User.objects.create_user(cleaned, name)


# --- people and roles --------------------------------------------------------


@transaction.atomic
def add_member(
    workspace: Workspace, email: str, role: Role, *, by: Membership, name: str = ""
) -> tuple[Membership, str]:
    """A membership and the path of an invitation to hand over; empty for someone
    who already signs in to another workspace."""
    _must_cover(by, role)
    user = get_or_create_user(email, name)
    if workspace.memberships.filter(user=user).exists():
        raise BadValue(_("%(email)s is already here") % {"email": user.email})
    membership = Membership.objects.create(user=user, workspace=workspace, role=role)
    record(workspace, by.user, "member.added", user.email, role=role.value)
    is_known = _is_elsewhere(membership)
    return membership, "" if is_known else invite(membership, by=by)


def invite(membership: Membership, *, by: Membership) -> str:
    """The path of a one-time link for a member. It signs in as that person, so
    only one whose role covers theirs may make it."""
    _must_cover(by, Role(membership.role))
    if _is_elsewhere(membership):
        raise NotAllowed(
            _("This person also belongs to another workspace and signs in there")
        )
    record(membership.workspace, by.user, "member.link_made", membership.user.email)
    return links.make_path(membership.user, links.INVITATION)


def _is_elsewhere(membership: Membership) -> bool:
    """A link signs in as the person, so it must not open what is not ours."""
    others = membership.user.memberships.exclude(workspace=membership.workspace)
    return others.exists()


@transaction.atomic
def change_role(membership: Membership, role: Role, *, by: Membership) -> None:
    _must_cover(by, role)
    _must_cover(by, Role(membership.role))
    if role != Role.OWNER:
        _must_not_be_last_owner(membership)
    before, membership.role = membership.role, role.value
    membership.save(update_fields=["role"])
    record(
        membership.workspace,
        by.user,
        "member.role_changed",
        membership.user.email,
        before=before,
        after=role.value,
    )


@transaction.atomic
def remove_member(membership: Membership, *, by: Membership) -> None:
    _must_cover(by, Role(membership.role))
    _must_not_be_last_owner(membership)
    record(membership.workspace, by.user, "member.removed", membership.user.email)
    for path in settings.WHEN_A_MEMBER_LEAVES:
        import_string(path)(membership.workspace, membership.user)
    membership.delete()


def _must_cover(by: Membership, role: Role) -> None:
    """Admins run the workspace; nobody hands out more than they have."""
    must_cover(by, Role.ADMIN)
    must_cover(by, role)


def _must_not_be_last_owner(membership: Membership) -> None:
    owners = queries.owners(membership.workspace).select_for_update()
    if [m.pk for m in owners] == [membership.pk]:
        raise BadValue(_("A workspace needs an owner; make someone else owner first"))


# --- signing in --------------------------------------------------------------


def sign_in(request: HttpRequest, email: str, password: str) -> User:
    """By password; the same refusal for a wrong address and a wrong password."""
    address = brake.address_of(request)
    if brake.is_on(email, address):
        raise SignInRefused(_("Too many tries. Wait 15 minutes, then try again."))
    user = authenticate(request, username=clean_email(email), password=password)
    if not isinstance(user, User):
        brake.count_failure(email, address)
        raise SignInRefused(_("This e-mail address and password do not match."))
    brake.release(email)
    login(request, user)
    _signed_in(user, "password")
    return user


@transaction.atomic
def sign_in_by_link(
    request: HttpRequest, token: str, kind: links.LinkKind
) -> User | None:
    """By one-time link; None when it is used, old or not ours."""
    user = links.redeem(token, kind)
    if user is None:
        return None
    login(request, user)
    _signed_in(user, "link")
    return user


def sign_in_demo(request: HttpRequest, email: str) -> User | None:
    user = User.objects.filter(email=clean_email(email), is_active=True).first()
    if user is not None:
        login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return user


def _signed_in(user: User, how: str) -> None:
    for membership in queries.memberships_of(user):
        record(membership.workspace, user, "person.signed_in", user.email, how=how)


def change_profile(user: User, values: Mapping[str, str | bool]) -> None:
    for name in ("name", "language", "timezone", "has_shortcuts"):
        if name in values:
            setattr(user, name, values[name])
    user.save(update_fields=["name", "language", "timezone", "has_shortcuts"])


def make_login_link(email: str) -> str:
    """The path of a sign-in link for a known person: for the command line."""
    user = User.objects.filter(email=clean_email(email), is_active=True).first()
    if user is None:
        raise BadValue(f"nobody here has the address {email}")
    record(None, None, "person.link_made", user.email)
    return links.make_path(user)
