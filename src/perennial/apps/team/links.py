"""One-time sign-in links: signed, short-lived, dead after any sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, cast

from django.db import transaction
from django.urls import reverse
from sesame.utils import get_token, get_user

from perennial.apps.team.models import User


@dataclass(frozen=True)
class LinkKind:
    """`key` is signed with the token: an invitation is no sign-in link."""

    key: str
    lives: timedelta


SIGN_IN: Final = LinkKind("sign-in", timedelta(hours=1))
INVITATION: Final = LinkKind("invitation", timedelta(hours=24))
KINDS: Final = {kind.key: kind for kind in (SIGN_IN, INVITATION)}


def make_path(user: User, kind: LinkKind = SIGN_IN) -> str:
    """The path of a link; whoever shows it puts the address of the site before."""
    token = cast("str", get_token(user, scope=kind.key))
    return reverse("team:use_link", args=[kind.key, token])


def person_behind(token: str, kind: LinkKind) -> User | None:
    """Whom the token signs in, without using it up."""
    found = get_user(token, scope=kind.key, max_age=kind.lives, update_last_login=False)
    return cast("User | None", found)


@transaction.atomic
def redeem(token: str, kind: LinkKind) -> User | None:
    """The person, once: the row is locked, then the token is read again.

    The caller signs the person in within the same transaction; that changes
    `last_login`, which is part of what the token signs.
    """
    user = person_behind(token, kind)
    if user is None:
        return None
    User.objects.select_for_update().get(pk=user.pk)
    return person_behind(token, kind)
