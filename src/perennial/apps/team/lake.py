"""The data of a workspace: where screens and jobs get it."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path

import ibis.expr.types as ir
import polars as pl
from django.conf import settings

from perennial.apps.team.models import Workspace
from perennial.lake.engines import DuckEngine
from perennial.lake.store import Lake
from perennial.lake.workspace import Workspace as LakeWorkspace


def lake_of(workspace: Workspace) -> LakeWorkspace:
    """The lake of a workspace, opened once a process and shared by its threads.

    A workspace without data yet has an empty lake: its tables have no rows.
    """
    return _opened(settings.DATA.lake / workspace.key)


@lru_cache(maxsize=256)
def _opened(root: Path) -> LakeWorkspace:
    lake = Lake(root)
    return LakeWorkspace(lake, engine=ScreenEngine(lake))


class ScreenEngine:
    """DuckDB for screens: it remembers the expression of a table by its version.

    Asking DuckDB for the columns of a table takes 5 ms, half of a small query, and
    a page reads a dozen tables (measured on the example company).
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._duck = DuckEngine(lake)
        self._known = threading.local()

    def table(self, name: str) -> ir.Table:
        known: dict[str, tuple[int, ir.Table]] = self._known.__dict__
        version = self._lake.snapshot(name).version
        if name not in known or known[name][0] != version:
            known[name] = (version, self._duck.table(name))
        return known[name][1]

    def run(self, expression: ir.Table) -> pl.DataFrame:
        return self._duck.run(expression)

    def sql(self, expression: ir.Table) -> str:
        return self._duck.sql(expression)
