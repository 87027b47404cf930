"""The data of a workspace: where screens and jobs get it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from perennial.apps.team.models import Workspace
from perennial.lake.store import Lake
from perennial.lake.workspace import Workspace as LakeWorkspace


def lake_of(workspace: Workspace) -> LakeWorkspace:
    """The lake of a workspace, opened once a process and shared by its threads.

    A workspace without data yet has an empty lake: its tables have no rows.
    """
    return opened(settings.DATA.lake / workspace.key)


@lru_cache(maxsize=256)
def opened(root: Path) -> LakeWorkspace:
    return LakeWorkspace(Lake(root))
