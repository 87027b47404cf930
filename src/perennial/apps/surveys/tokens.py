"""Signed links: each for one purpose, and dead after its time."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final

from django.conf import settings
from django.core import signing

from perennial.apps.surveys.models import Invite, Survey
from perennial.apps.team.models import Workspace


@dataclass(frozen=True)
class Purpose:
    """What a token is good for: one made for another purpose does not open it."""

    salt: str
    lives: timedelta


ANSWER: Final = Purpose("surveys.answer", timedelta(days=60))
UNSUBSCRIBE: Final = Purpose("surveys.unsubscribe", timedelta(days=3_650))
PREVIEW: Final = Purpose("surveys.preview", timedelta(days=7))
#: What the snippet may ask a person, until it has the page for it.
TICKET: Final = Purpose("surveys.ticket", timedelta(hours=12))
#: An answer of nobody known, that its giver may go on with.
ANONYMOUS: Final = Purpose("surveys.anonymous", timedelta(days=1))


def make(purpose: Purpose, *words: str | int) -> str:
    return signing.dumps(list(words), salt=purpose.salt)


def read(purpose: Purpose, token: str) -> list[str | int] | None:
    """What a token says; None where it is forged, expired or for something else."""
    try:
        found = signing.loads(token, salt=purpose.salt, max_age=purpose.lives)
    except signing.BadSignature:
        return None
    return found if isinstance(found, list) else None


def invite_of(token: str) -> Invite | None:
    """The invitation a link is for, of a survey that is still there."""
    said = read(ANSWER, token)
    if said is None:
        return None
    found = Invite.objects.select_related("survey__workspace").filter(
        pk=said[0], survey__archived_at=None
    )
    return found.first()


def survey_of_preview(token: str) -> Survey | None:
    said = read(PREVIEW, token)
    if said is None:
        return None
    return Survey.objects.select_related("workspace").filter(pk=said[0]).first()


def person_secret(workspace: Workspace) -> str:
    """What a team's own server signs its users' ids with, so that nobody can pass for
    another; follows from the installation's key."""
    mixed = hmac.digest(
        settings.SECRET_KEY.encode(), f"people:{workspace.key}".encode(), "sha256"
    )
    return mixed.hex()


def is_signed(workspace: Workspace, person: str, signature: str) -> bool:
    """Did the team's own server say that this is the person?"""
    secret = person_secret(workspace).encode()
    wanted = hmac.new(secret, person.encode(), sha256).hexdigest()
    return hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "replace"))
