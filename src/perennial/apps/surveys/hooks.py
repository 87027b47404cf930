"""What surveys need of applications above them, found by name in the settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast

from django.conf import settings

from perennial.apps.team.models import Workspace


class Outbox(Protocol):
    """Sends mails once each: `settings.OUTBOX` names the module."""

    def write_mail(
        self,
        workspace: Workspace,
        *,
        key: str,
        to: str,
        subject: str,
        text: str,
        html: str = "",
        headers: Mapping[str, str] | None = None,
        account_id: str = "",
    ) -> object: ...

    def failed(self, workspace: Workspace, keys: Collection[str]) -> set[str]: ...


@dataclass(frozen=True)
class Visitor:
    """Whom a page says it is before: `account_id` counts only for people whose
    account nobody else told."""

    user_id: str
    account_id: str = ""
    languages: Sequence[str] = ()


class Shows(Protocol):
    """A kind of thing that pages of the product may show: `settings.SHOWS` names the
    module of each, and a part of the snippet draws it (`js/src/snippet/show`)."""

    def things(self, workspace: Workspace, visitor: Visitor) -> list[dict[str, Any]]:
        """What could be shown to a person now: id, pages, event, delay_s, and `ticket`,
        the words that `claim` gets back, signed."""

    def claim(
        self, workspace: Workspace, words: Sequence[str], languages: Sequence[str]
    ) -> dict[str, Any] | None:
        """What to show, now that the moment has come; None: nothing."""


def shows() -> dict[str, Shows]:
    """Everything that pages may show, by kind."""
    return {
        kind: cast(Shows, import_module(name)) for kind, name in settings.SHOWS.items()
    }


def outbox() -> Outbox:
    return cast(Outbox, import_module(settings.OUTBOX))
