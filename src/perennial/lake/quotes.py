"""Comments with what they speak of, and the word of a person on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

import ibis
import ibis.expr.types as ir
import polars as pl
import pyarrow as pa

from perennial.core.errors import BadValue
from perennial.lake import taxonomies
from perennial.lake.comments import NAME, everything
from perennial.lake.duck import connect
from perennial.lake.tables import TABLES
from perennial.metrics import said
from perennial.metrics.feedback import is_mismatch
from perennial.metrics.query import ask
from perennial.metrics.said import SOURCES
from perennial.metrics.surveys import PARTS, comment_topics, comments, ranked
from perennial.scoring.taxonomy import Topic
from perennial.scoring.themes import Reader, mended

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace


class NoComment(BadValue):
    """There is no such comment, or no word of a person on it."""


#: Comments that are looked through, the newest of each source in a period.
_MOST: Final = 2_000


@dataclass(frozen=True)
class Quote:
    """A comment. `kind` and `score` are those of its answer to a survey, `points` the
    score from 0 to 10; `topics` have their sentiment in [-1, 1], None where nobody told.
    `is_mismatch`: score and words of an NPS answer disagree (F04); `is_corrected`: a
    person said what it speaks of."""

    response_id: str
    source: str
    account_id: str | None
    comment: str
    language: str | None
    at: datetime
    kind: str | None
    score: float | None
    points: float | None
    topics: Mapping[str, float | None]
    is_mismatch: bool
    is_corrected: bool


def quotes(
    workspace: Workspace, start: date, end: date, where: str | None = None
) -> list[Quote]:
    """Comments that `feedback_topics` counts over `[start, end)`, the newest first."""
    query = ask(
        workspace.entry("feedback_topics"),
        now=workspace.now,
        settings=workspace.settings,
        start=start,
        end=end,
        where=where,
    )
    t = workspace.inputs(query)
    rows = t.in_periods(comments(t))
    order = [rows["at"].desc(), rows.response_id]
    of_source = ibis.window(group_by="source", order_by=order)
    placed = rows.mutate(place=ibis.row_number().over(of_source))
    newest = placed.filter(placed.place < _MOST)
    texts = said.everything(t.everything).select("response_id", "comment")
    found = newest.join(texts, "response_id")
    found = found.left_join(comment_topics(t), "response_id")
    spoken = _spoken(t.everything(NAME)).select(spoken_of="response_id").distinct()
    found = found.left_join(spoken, found.response_id == spoken.spoken_of)
    columns = (
        *("response_id", "source", "account_id", "comment", "at", "kind"),
        *("score", "points", "group", "topic", "sentiment", "spoken_of"),
    )
    found = found.mutate(language=found.language.coalesce(found.read_in))
    frame = workspace.engine.run(found.select(*columns, "language"))
    frame = frame.sort("at", "response_id", "topic", descending=[True, False, False])
    parts = frame.partition_by("response_id", maintain_order=True)
    return [_quote(part) for part in parts]


def _quote(rows: pl.DataFrame) -> Quote:
    row = rows.row(0, named=True)
    topics = {t: s for t, s in rows.select("topic", "sentiment").iter_rows() if t}
    felt = [sentiment for sentiment in topics.values() if sentiment is not None]
    points = None if row["points"] is None else row["points"] / PARTS
    is_nps = row["group"] is not None
    return Quote(
        row["response_id"],
        row["source"],
        row["account_id"],
        row["comment"].strip(),
        row["language"],
        row["at"],
        row["kind"],
        row["score"],
        points,
        topics,
        is_nps and is_mismatch(float(row["score"]), felt),
        row["spoken_of"] is not None,
    )


@dataclass(frozen=True)
class Changed:
    """A comment that would speak of other topics."""

    comment: str
    before: Sequence[str]
    after: Sequence[str]


def preview(workspace: Workspace, topics: Sequence[Topic], most: int) -> list[Changed]:
    """Which of the last comments would speak of other topics than by those in force."""
    rows = everything(workspace)
    rows = rows.order_by([rows["at"].desc(), rows.response_id]).limit(most)
    now, then = Reader(taxonomies.active(workspace.lake)[1]), Reader(topics)
    found = []
    for row in workspace.engine.run(rows).iter_rows(named=True):
        before, after = (
            sorted(reader.read(row["comment"], row["language"]).topics)
            for reader in (now, then)
        )
        if before != after:
            found.append(Changed(mended(row["comment"]), before, after))
    return found


def correct(workspace: Workspace, response_id: str, topics: Sequence[str]) -> None:
    """A person's word on what a comment speaks of; none of any topic where it is empty.

    A topic keeps its sentiment, one that is new gets the mean of the others. Raises
    `NoComment` where there is no such comment.
    """
    lake, source = workspace.lake, SOURCES[said.source_of(response_id)]
    told = source.said(workspace.engine.table(source.table))
    if workspace.engine.run(told.filter(told.response_id == response_id)).is_empty():
        raise NoComment(f"there is no comment {response_id}")
    with lake.lock(NAME):
        table = workspace.engine.table(NAME)
        table = table.filter(table.response_id == response_id)
        version = _last_word(workspace.engine.run(table)) + 1
        rows = workspace.engine.run(ranked(table)).iter_rows(named=True)
        felt = {row["topic"]: row["sentiment"] for row in rows}
        known = [s for s in felt.values() if s is not None]
        mood = sum(known) / len(known) if known else None
        spoken = [
            {
                "response_id": response_id,
                "source": source.name,
                "topic": topic,
                "sentiment": felt.get(topic, mood) if topic else None,
                "version": version,
                "annotated_by": "person",
                "annotated_at": workspace.now,
            }
            for topic in dict.fromkeys(topics) or [None]
        ]
        schema = TABLES[NAME].schema()
        lake.write(NAME, pa.Table.from_pylist(spoken, schema=schema))


def take_back(workspace: Workspace, response_id: str) -> None:
    """Without a person's word on a comment: it speaks of what was read in it. Raises
    `NoComment` where nobody said anything of it."""
    key = TABLES[NAME].key
    table = _spoken(workspace.engine.table(NAME))
    said_of = table.filter(table.response_id == response_id).select(*key)
    gone = workspace.engine.run(said_of).rows()
    if not gone:
        raise NoComment(f"nobody corrected comment {response_id}")
    workspace.lake.delete_keys(NAME, gone)


def _spoken(rows: ir.Table) -> ir.Table:
    return rows.filter(rows.annotated_by == "person")


def _last_word(rows: pl.DataFrame) -> int:
    """The version of the last word of a person; 0 where there is none."""
    spoken = rows.filter(pl.col("annotated_by") == "person")["version"].max()
    return int(spoken) if isinstance(spoken, int) else 0


def names(workspace: Workspace, accounts: Sequence[str]) -> Mapping[str, list[str]]:
    """Names of all users an account ever had, by account."""
    source = workspace.lake.source
    with connect() as duck:
        rows = duck.execute(
            f"SELECT account_id, list(DISTINCT name) FROM {source('assignments')} "
            f"JOIN {source('users')} USING (user_id) WHERE name IS NOT NULL "
            "AND account_id IN (SELECT unnest($ids)) GROUP BY account_id",
            {"ids": list(accounts)},
        )
        return dict(rows.fetchall())
