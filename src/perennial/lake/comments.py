"""Topics of new comments in surveys, found by each refresh.

A comment is read once, and again when it changes. What a person said, or an analysis
that came with an import, is never written over. Cost grows with new comments: with
the months they are in, and the comments just before them, which teach what words mean
to these customers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis.expr.types as ir
import polars as pl
import pyarrow as pa

from perennial.core.ids import digest
from perennial.lake import corrections, taxonomies
from perennial.lake.duck import connect_apart
from perennial.lake.stored import VersionGone
from perennial.lake.tables import TABLES
from perennial.metrics.surveys import BUILT_IN, PARTS, on_scale, on_scales
from perennial.scoring import moods, themes
from perennial.scoring.lessons import Lessons
from perennial.scoring.moods import Moods

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

NAME = corrections.NAME
SOURCE: Final = corrections.SOURCE
#: Comments that are read by what the ones before them taught, and how many these are.
_AT_ONCE: Final = 1_000
_TAUGHT_BY: Final = 2_000
#: The way comments were read, as a commit says it.
_WAY: Final = "way"
#: What tells surveys apart of which some came with an analysis.
_SURVEY: Final = ("kind", "survey")


def take(workspace: Workspace) -> int:
    """Read what is new; how many comments."""
    lake = workspace.lake
    version = lake.snapshot(SOURCE).version
    if version < 0:
        return 0
    number, topics = taxonomies.active(lake)
    taught = corrections.lessons(workspace, topics)
    reader = themes.Reader(topics, taught=taught)
    way = _way(number, taught)
    now = {SOURCE: version, _WAY: int(digest(way)[:12], 16) if way else -1}
    before = {
        name: -1 if at is None else at
        for name in now
        for at in [lake.progress(NAME, name)]
    }
    if before == now:
        return 0
    # Read another way, every comment may speak of something else.
    is_same = before[_WAY] == now[_WAY]
    found = _unread(workspace, before[SOURCE] if is_same else -1, version, way)
    rows = [
        row
        for some, moods_of in _taught(workspace, found)
        for row in _read(some, reader.with_moods(moods_of))
    ]
    for row in rows:
        row["annotated_at"] = workspace.now
    table = pa.Table.from_pylist(rows, schema=TABLES[NAME].schema())
    # Progress says how far of the comments it is; of the topics, that is beside it.
    lake.write(NAME, table)
    lake.record(NAME, now)
    return len(found)


# What has to be read


def _way(number: int, taught: Mapping[str, Lessons]) -> str:
    """Names the way comments are read: by which topics and lessons; empty: as they
    come with the program."""
    told = [f"{language}:{of.digest}" for language, of in taught.items() if of.digest]
    return " ".join([str(number), *sorted(told)]) if number or told else ""


def _unread(workspace: Workspace, before: int, version: int, way: str) -> pl.DataFrame:
    """Comments that were not read as they are now, the oldest first: response_id,
    comment, language, points (0 to 10), hash, and the version of the next reading."""
    changed = _changed(workspace, before, version)
    if changed.is_empty():
        return pl.DataFrame()
    rows = answers(workspace)
    rows = rows.filter(rows.answered_at >= changed["answered_at"].min())
    found = workspace.engine.run(rows).join(changed, on="response_id", how="semi")
    found = found.with_columns(
        hash=pl.col("comment").map_elements(
            lambda comment: _hash(comment, way), return_dtype=pl.String
        )
    )
    found = _not_analyzed(workspace, found)
    known = _readings(workspace)
    found = found.join(known, on="response_id", how="left")
    is_new = pl.col("known").is_null() | (pl.col("known") != pl.col("hash"))
    found = found.filter(is_new).with_columns(next=pl.col("version").fill_null(0) + 1)
    return found.sort("answered_at", "response_id")


def answers(workspace: Workspace) -> ir.Table:
    """Answers with a comment: response_id, kind, survey, comment, language, answered_at,
    and points, the score from 0 to 10, null without a valid one."""
    rows = workspace.engine.table(SOURCE)
    rows = on_scales(rows.filter(rows.comment.strip() != ""))
    return rows.select(
        *("response_id", "kind", "survey", "comment", "language", "answered_at"),
        points=on_scale(rows, 0, 10).cast("float64") / PARTS,
    )


def _changed(workspace: Workspace, before: int, version: int) -> pl.DataFrame:
    """Answers with a comment that are not as they were: response_id, answered_at."""
    lake = workspace.lake
    try:
        _, come = lake.difference(SOURCE, before, version)
    except VersionGone:
        _, come = lake.difference(SOURCE, -1, version)
    with connect_apart() as duck:
        rows = duck.sql(
            f"SELECT response_id, answered_at FROM {come} WHERE trim(comment) <> ''"
        )
        return pl.DataFrame(rows.to_arrow_table())


def _hash(comment: str, way: str) -> str:
    """Of a comment and the way it is read."""
    return digest(comment, *([way] if way else []))[:16]


def _not_analyzed(workspace: Workspace, found: pl.DataFrame) -> pl.DataFrame:
    """Without comments of surveys whose answers came with an analysis, up to the last
    one that has: of those it says nothing about, it found nothing."""
    table, rows = workspace.engine.table(NAME), answers(workspace)
    given = table.filter(table.annotated_by.fill_null("analysis") == "analysis").select(
        "response_id"
    )
    rows = rows.semi_join(given, "response_id")
    last = rows.group_by(_SURVEY).agg(until=rows.answered_at.max())
    until = workspace.engine.run(last)
    found = found.join(until, on=_SURVEY, how="left", nulls_equal=True)
    later = pl.col("until").is_null() | (pl.col("answered_at") > pl.col("until"))
    return found.filter(later).drop("until")


def _readings(workspace: Workspace) -> pl.DataFrame:
    """The newest reading of each comment: response_id, known (a hash), version."""
    table = workspace.engine.table(NAME)
    table = table.filter(table.annotated_by == BUILT_IN)
    rows = workspace.engine.run(
        table.select("response_id", "version", known=table.comment_hash)
    )
    return rows.sort("version").unique("response_id", keep="last")


# Reading


def _taught(
    workspace: Workspace, found: pl.DataFrame
) -> Iterator[tuple[pl.DataFrame, Mapping[str, Moods]]]:
    """Comments in their order, some at once, with what those before them taught."""
    if found.is_empty():
        return
    rows = answers(workspace)
    rows = rows.filter(rows.points.notnull())
    for some in found.iter_slices(_AT_ONCE):
        before = rows.filter(rows.answered_at < some["answered_at"][0])
        before = before.order_by([before.answered_at.desc(), before.response_id])
        yield some, _moods(workspace.engine.run(before.limit(_TAUGHT_BY)))


def _moods(rows: pl.DataFrame) -> Mapping[str, Moods]:
    """What comments and their scores teach, by language."""
    told: dict[str, tuple[list[list[str]], list[float]]] = defaultdict(lambda: ([], []))
    for comment, language, points in rows.select(
        "comment", "language", "points"
    ).iter_rows():
        text = themes.mended(comment)
        spoken = themes.language_of(text, language)
        if spoken is not None:
            told[spoken][0].append(themes.stems_of(text, spoken))
            told[spoken][1].append(points)
    learned = {language: moods.learn(*of) for language, of in told.items()}
    return {language: found for language, found in learned.items() if found}


def _read(some: pl.DataFrame, reader: themes.Reader) -> Iterator[dict[str, Any]]:
    for row in some.iter_rows(named=True):
        reading = reader.read(row["comment"], row["language"])
        # A comment of no word at all was looked at, too.
        for topic, sentiment in reading.topics.items() or [(None, None)]:
            yield {
                "response_id": row["response_id"],
                "topic": topic,
                "sentiment": sentiment,
                "version": row["next"],
                "annotated_by": BUILT_IN,
                "language": reading.language,
                "comment_hash": row["hash"],
            }
