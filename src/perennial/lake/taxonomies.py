"""The topics of comments in force, as the lake was told of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from perennial.core.errors import BadValue
from perennial.lake.tables import TABLES
from perennial.scoring import taxonomy_text
from perennial.scoring.taxonomy import STANDARD, Topic

if TYPE_CHECKING:
    from perennial.lake.store import Lake
    from perennial.lake.workspace import Workspace

NAME: Final = "feedback_taxonomies"


def active(lake: Lake) -> tuple[int, tuple[Topic, ...]]:
    """The version in force and its topics; 0 is the standard."""
    rows = lake.read(NAME).sort_by("version").to_pylist()
    if not rows:
        return 0, STANDARD
    return rows[-1]["version"], taxonomy_text.read(json.loads(rows[-1]["document"]))


def publish(workspace: Workspace, document: object, *, by: str) -> int:
    """The document is in force; its number. Comments are read again by it with the
    next refresh. Raises `BadValue`, also where it is in force already."""
    topics, lake = taxonomy_text.read(document), workspace.lake
    with lake.lock(NAME):
        number, now = active(lake)
        if topics == now:
            raise BadValue("these topics are in force already")
        row = {
            "version": number + 1,
            "document": json.dumps(
                taxonomy_text.to_document(topics), ensure_ascii=False
            ),
            "published_at": workspace.now,
            "published_by": by,
        }
        schema = TABLES[NAME].schema()
        lake.write(NAME, pa.Table.from_pylist([row], schema=schema))
    return number + 1
