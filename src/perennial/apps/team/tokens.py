"""Tokens of programs that ask: made, revoked, recognized."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja.errors import AuthorizationError
from ninja.security import HttpBearer

from perennial.apps.team.actions import record
from perennial.apps.team.models import (
    Answered,
    ApiToken,
    Membership,
    User,
    Workspace,
)
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue

_PREFIX = "prn_"
#: "Last used" is written no more often than this.
_SEEN = timedelta(minutes=1)


@transaction.atomic
def create(
    workspace: Workspace,
    name: str,
    *,
    by: User | None,
    scope: ApiToken.Scope = ApiToken.Scope.READ,
) -> tuple[ApiToken, str]:
    """A token and its text, which is kept nowhere and never shown again."""
    name = name.strip()
    if not name or len(name) > 120:
        raise BadValue(_("A token has a name of at most 120 characters."))
    text = _PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        workspace=workspace,
        name=name,
        scope=scope,
        start=text[:10],
        digest=_digest(text),
        created_by=by,
    )
    record(workspace, by, "token.created", name, token=token.start, scope=scope.value)
    return token, text


@transaction.atomic
def revoke(token: ApiToken, *, by: User | None) -> None:
    """The token stops working at once."""
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        record(token.workspace, by, "token.revoked", token.name, token=token.start)


class Bearer(HttpBearer):
    """Lets in who holds a token of this scope; `request.auth` is the token."""

    def __init__(self, scope: ApiToken.Scope) -> None:
        super().__init__()
        self._scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        found = (
            ApiToken.objects.select_related("workspace")
            .filter(digest=_digest(token), revoked_at=None)
            .first()
        )
        if found is None:
            return None
        if not found.covers(self._scope):
            raise AuthorizationError
        _seen(found)
        return found


def _seen(token: ApiToken) -> None:
    now = timezone.now()
    if token.used_at is None or now - token.used_at > _SEEN:
        ApiToken.objects.filter(pk=token.pk).update(used_at=now)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def acting(token: ApiToken) -> Membership:
    """As whom a token writes: whoever made it, an owner for one of the command line.

    Raises `AuthorizationError` where that person works here no more.
    """
    members = token.workspace.memberships.select_related("user", "workspace")
    if token.created_by is None:
        found = members.filter(role=Role.OWNER).order_by("pk").first()
    else:
        found = members.filter(user=token.created_by).first()
    if found is None:
        raise AuthorizationError
    return found


@transaction.atomic
def once(
    request: HttpRequest, token: ApiToken, make: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Do what a request asks for, once for each Idempotency-Key it carries.

    Raises `BadValue` for a key that came with another request before.
    """
    key = request.headers.get("Idempotency-Key", "")[:255]
    if not key:
        return make()
    asked = sha256(request.path.encode() + b"\0" + request.body).hexdigest()
    known = Answered.objects.filter(token=token, key=key).first()
    if known is None:
        answer = make()
        Answered.objects.create(token=token, key=key, digest=asked, answer=answer)
        return answer
    if known.digest != asked:
        raise BadValue("this Idempotency-Key was used for another request")
    answered: dict[str, Any] = known.answer
    return answered


READ, WRITE = Bearer(ApiToken.Scope.READ), Bearer(ApiToken.Scope.WRITE)
