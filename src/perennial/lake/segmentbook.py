"""The segments in force, as the lake was told of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perennial.metrics import conditions
from perennial.metrics.conditions import Condition

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

NAME = "segments"


@dataclass(frozen=True)
class Segment:
    """A segment in force."""

    key: str
    name: str
    condition: Condition


def known(workspace: Workspace) -> Mapping[str, Segment]:
    """Segments in force by key, by their newest word."""
    rows = workspace.lake.read(NAME).sort_by("changed_at").to_pylist()
    newest = {row["key"]: row for row in rows}
    return {
        key: Segment(key, row["name"], conditions.read(json.loads(row["document"])))
        for key, row in sorted(newest.items())
        if not row["is_archived"]
    }
