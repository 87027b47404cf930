"""How a workspace counts: its settings as people read and change them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from perennial.apps.jobs.actions import run_now
from perennial.apps.team.actions import record, set_regional
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import User, Workspace
from perennial.core.settings import Settings, groups, written
from perennial.lake import settings_store


@dataclass(frozen=True)
class Line:
    """A setting: its value and its default as people write them, and who changed it."""

    key: str
    value: str
    default: str
    changed_at: datetime | None
    changed_by: str


def lines(workspace: Workspace) -> dict[str, list[Line]]:
    """Every setting, in the groups of `core.settings`."""
    lake = lake_of(workspace)
    now, usual = lake.settings, Settings()
    changed = settings_store.changed(lake.lake)
    return {
        title: [
            Line(
                key,
                written(getattr(now, key)),
                written(getattr(usual, key)),
                *changed.get(key, (None, "")),
            )
            for key in keys
        ]
        for title, keys in groups().items()
    }


@transaction.atomic
def change(
    workspace: Workspace,
    values: Mapping[str, str],
    *,
    by: str,
    user: User | None = None,
) -> list[str]:
    """Change settings given as people write them; names of those that are others now.

    What was counted by the old ones is counted again by a refresh in the background.
    Raises `BadValue` or `UnknownName` before anything is written.
    """
    lake = lake_of(workspace)
    before = lake.settings
    after = before.with_values(dict(values))
    changed = [n for n in values if getattr(after, n) != getattr(before, n)]
    if not changed:
        return []
    kept = {n: getattr(after, n) for n in changed}
    settings_store.change(lake.lake, kept, by=by, at=lake.now)
    set_regional(workspace, currency=after.currency, timezone=after.timezone)
    for name in changed:
        old, new = (written(getattr(s, name)) for s in (before, after))
        record(workspace, user, "settings.changed", name, before=old, now=new)
    run_now("refresh", workspace, by=user)
    return changed
