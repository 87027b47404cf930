"""Imports and their rejects, as the lake has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import ibis.expr.types as ir

from perennial.apps.intake.files import Reason
from perennial.apps.intake.words import TABLE_NAMES, reason_text
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace

#: Imports a page shows, and rejects of a reason.
MOST = 50
SAMPLES = 5


@dataclass(frozen=True)
class Import:
    """One file that was imported. Without `finished_at` it was broken off."""

    import_id: str
    table: str
    file: str
    started_at: datetime
    finished_at: datetime | None
    rows: int
    loaded: int
    unchanged: int
    rejected: int
    reasons: dict[str, int]

    @property
    def table_title(self) -> object:
        return TABLE_NAMES.get(self.table, self.table)

    @property
    def took(self) -> timedelta | None:
        return self.finished_at - self.started_at if self.finished_at else None


@dataclass(frozen=True)
class Reject:
    row: int
    reason: str
    payload: str


@dataclass(frozen=True)
class Rejects:
    """The rows refused for one reason, with the first of them."""

    code: str
    title: str
    count: int
    rows: list[Reject]


def imports(workspace: Workspace) -> list[Import]:
    """The newest imports first."""
    lake = lake_of(workspace)
    found = lake.table("imports")
    rows = lake.engine.run(found.order_by(found.started_at.desc()).limit(MOST))
    return [_import(row) for row in rows.iter_rows(named=True)]


def import_of(workspace: Workspace, import_id: str) -> Import | None:
    lake = lake_of(workspace)
    found = lake.table("imports")
    rows = lake.engine.run(found.filter(found.import_id == import_id))
    return next((_import(row) for row in rows.iter_rows(named=True)), None)


def _import(row: dict[str, Any]) -> Import:
    counts = {n: row[n] or 0 for n in ("rows", "loaded", "unchanged", "rejected")}
    return Import(
        import_id=row["import_id"],
        table=row["table_name"],
        file=row["file_name"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        reasons=json.loads(row["reasons"] or "{}"),
        **counts,
    )


def rejects(workspace: Workspace, of: Import) -> list[Rejects]:
    """Refused rows by reason, the most frequent first."""
    if not of.rejected:
        return []
    lake = lake_of(workspace)
    found = _rejected(lake.table("rejects"), of)
    groups = []
    for code, count in sorted(of.reasons.items(), key=lambda pair: -pair[1]):
        rows = found.filter(found.code == code).order_by("row_number").limit(SAMPLES)
        some = [
            Reject(row["row_number"], row["reason"], row["payload"])
            for row in lake.engine.run(rows).iter_rows(named=True)
        ]
        groups.append(Rejects(code, _title(code), count, some))
    return groups


def all_rejects(workspace: Workspace, of: Import) -> Iterator[Reject]:
    lake = lake_of(workspace)
    found = _rejected(lake.table("rejects"), of).order_by("row_number")
    for row in lake.engine.run(found).iter_rows(named=True):
        yield Reject(row["row_number"], row["reason"], row["payload"])


def _rejected(table: ir.Table, of: Import) -> ir.Table:
    """Rejects carry the file and the moment their import began."""
    return table.filter(
        (table.table_name == of.table)
        & (table.rejected_at == of.started_at)
        & table.source.startswith(f"{of.file} ")
    )


def _title(code: str) -> str:
    try:
        return reason_text(Reason(code))
    except ValueError:  # a reason of a later version
        return code
