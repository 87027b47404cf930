"""Published scorecards: numbered versions that never change, kept in the lake.

Version 0 is built in: the composite score by the targets of the settings. What
counts is the newest version.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from perennial.core.errors import BadValue
from perennial.core.windows import DAY, Period
from perennial.lake.segmentbook import known as known_segments
from perennial.lake.tables import TABLES
from perennial.scoring import scorecard_text
from perennial.scoring.scorecard import Scorecard, standard
from perennial.scoring.scorecard_reading import read

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

NAME = "scorecards"


@dataclass(frozen=True)
class Version:
    """A version and the card it stands for; the built-in one has no date."""

    number: int
    card: Scorecard
    note: str = ""
    published_at: datetime | None = None
    published_by: str = ""


def active(workspace: Workspace) -> Version:
    """The version that scores are computed by."""
    return history(workspace)[-1]


def version(workspace: Workspace, number: int) -> Version:
    """One version; raises `BadValue` where there is none of that number."""
    found = {each.number: each for each in history(workspace)}
    if number not in found:
        known = ", ".join(map(str, found))
        raise BadValue(f"there is no scorecard version {number}; known: {known}")
    return found[number]


def history(workspace: Workspace) -> list[Version]:
    """Every version, the built-in one first."""
    rows = workspace.lake.read(NAME).sort_by("version").to_pylist()
    built_in = Version(0, standard(workspace.settings.health))
    return [built_in, *(_version(workspace, row) for row in rows)]


def _version(workspace: Workspace, row: dict[str, Any]) -> Version:
    return Version(
        row["version"],
        stored(workspace, json.loads(row["document"])),
        row["note"] or "",
        row["published_at"],
        row["published_by"] or "",
    )


def stored(workspace: Workspace, document: object) -> Scorecard:
    """The card of a document that was accepted once, whatever is gone since."""
    return read(document, catalog=workspace.every_metric)


def written(workspace: Workspace, document: object) -> Scorecard:
    """The card of a document that speaks of what this workspace has; raises
    `BadScorecard`."""
    return read(
        document,
        workspace.account_attributes,
        workspace.catalog,
        known_segments(workspace),
    )


def check(workspace: Workspace, text: str) -> Scorecard:
    """The scorecard of a YAML or JSON text; raises `BadScorecard` and `BadValue`."""
    card = written(workspace, scorecard_text.plain(text))
    try_out(workspace, card)
    return card


def try_out(workspace: Workspace, card: Scorecard) -> None:
    """Ask its metrics once; raises `BadValue` for parameters they do not take.

    A scorecard that cannot be computed would stop every refresh after it.
    """
    today = workspace.today
    for source in card.metrics.values():
        workspace.metric_over(
            source.key,
            [Period(today - DAY, today)],
            by=("account",),
            variant=source.variant,
            params=source.params,
        )


def publish(workspace: Workspace, card: Scorecard, *, by: str, note: str) -> Version:
    """Make a card the version in force; scores follow with the next refresh.

    Raises `BadScorecard` where it does not fit this workspace, and `BadValue` where
    it is the version in force already.
    """
    document = scorecard_text.to_document(card)
    written(workspace, document)
    try_out(workspace, card)
    with workspace.lake.lock(NAME):
        current = active(workspace)
        if current.card == card:
            raise BadValue(f"version {current.number} is the same scorecard")
        row = {
            "version": current.number + 1,
            "name": card.name,
            "document": json.dumps(document, ensure_ascii=False),
            "note": note.strip(),
            "published_at": workspace.now,
            "published_by": by,
        }
        schema = TABLES[NAME].schema()
        workspace.lake.write(NAME, pa.Table.from_pylist([row], schema=schema))
    return _version(workspace, row)
