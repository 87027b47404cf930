"""What surveys need of applications above them, found by name in the settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import import_module
from typing import Protocol, cast

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


def outbox() -> Outbox:
    return cast(Outbox, import_module(settings.OUTBOX))
