"""What people are told of, and how unless they choose otherwise: one list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from perennial.apps.team.models import Membership
from perennial.apps.work.models import Preference

Email = Preference.Email


@dataclass(frozen=True)
class Kind:
    """`emails` are the choices a person has; the first one holds without a choice."""

    key: str
    title: str | Promise
    emails: tuple[Email, ...]
    in_app: bool = True


DIGEST: Final = "digest"
_PLAIN: Final = (Email.NEVER, Email.NOW)
KINDS: Final = (
    Kind("alert", _("An alert opens on an account of mine"), _PLAIN),
    Kind("task", _("A task is given to me"), (Email.NOW, Email.NEVER)),
    Kind("draft", _("A message waits for me to send it"), _PLAIN),
    Kind("mention", _("Somebody mentions me"), (Email.NOW, Email.NEVER)),
    Kind(
        DIGEST,
        _("Digest: five accounts that need a human, with reasons"),
        (Email.DAILY, Email.WEEKLY, Email.NEVER),
        in_app=False,
    ),
)
BY_KEY: Final[Mapping[str, Kind]] = {kind.key: kind for kind in KINDS}


@dataclass(frozen=True)
class Choice:
    in_app: bool
    email: Email


def choices(membership: Membership) -> dict[str, Choice]:
    """What a member chose of each kind."""
    chosen = {p.what: p for p in membership.preferences.all()}
    return {
        kind.key: Choice(
            chosen[kind.key].in_app and kind.in_app
            if kind.key in chosen
            else kind.in_app,
            Email(chosen[kind.key].email) if kind.key in chosen else kind.emails[0],
        )
        for kind in KINDS
    }
