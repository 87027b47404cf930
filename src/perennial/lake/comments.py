"""Topics of new comments, whoever said them where, found by each refresh.

A comment is read once, and again when it changes. What a person said, or an analysis
that came with an import, is never written over. Cost grows with new comments: with
the months they are in, and the comments just before them, which teach what words mean
to these customers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import ibis
import ibis.expr.types as ir
import polars as pl
import pyarrow as pa

from perennial.core.ids import digest
from perennial.lake import corrections, merged, taxonomies
from perennial.lake.duck import connect_apart
from perennial.lake.stored import VersionGone
from perennial.lake.tables import TABLES
from perennial.metrics import said
from perennial.metrics.said import SOURCES, Source
from perennial.metrics.surveys import BUILT_IN, PARTS, on_scale, on_scales
from perennial.scoring import moods, themes
from perennial.scoring.lessons import Lessons
from perennial.scoring.moods import Moods

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

NAME = corrections.NAME
#: Comments that are read by what the ones before them taught, and how many these are.
_AT_ONCE: Final = 1_000
_TAUGHT_BY: Final = 2_000
#: The way comments were read, as a commit says it.
_WAY: Final = "way"
#: What tells apart where some comments came with an analysis.
_TOGETHER: Final = ("source", "kind", "survey")


def take(workspace: Workspace) -> int:
    """Read what is new; how many comments."""
    lake = workspace.lake
    versions = {name: lake.snapshot(name).version for name in said.TABLES}
    if max(versions.values()) < 0:
        return 0
    number, topics = taxonomies.active(lake)
    taught = corrections.lessons(workspace, topics)
    reader = themes.Reader(topics, taught=taught)
    way = _way(number, taught)
    now = versions | merged.version(lake)
    now[_WAY] = int(digest(way)[:12], 16) if way else -1
    before = {
        name: -1 if at is None else at
        for name in now
        for at in [lake.progress(NAME, name)]
    }
    if before == now:
        return 0
    # Read another way, every comment may speak of something else; of merged accounts,
    # a cancellation is another's.
    if before[_WAY] != now[_WAY]:
        before = dict.fromkeys(now, -1)
    elif before.get(merged.NAME) != now.get(merged.NAME):
        before[SOURCES["cancellation"].table] = -1
    found = _unread(workspace, before, now, way)
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


def _unread(
    workspace: Workspace, before: Mapping[str, int], now: Mapping[str, int], way: str
) -> pl.DataFrame:
    """Comments that were not read as they are now, the oldest first: as they were said,
    with a hash, and the version of the next reading."""
    changed = [
        _changed(workspace, source, before[source.table], now[source.table])
        for source in SOURCES.values()
        if before[source.table] != now[source.table]
    ]
    found = pl.concat(changed) if changed else pl.DataFrame()
    if found.is_empty():
        return pl.DataFrame()
    found = found.with_columns(
        hash=pl.col("comment").map_elements(
            lambda comment: _hash(comment, way), return_dtype=pl.String
        )
    )
    found = _not_analyzed(workspace, found)
    known = _readings(workspace, found["response_id"])
    found = found.join(known, on="response_id", how="left")
    is_new = pl.col("known").is_null() | (pl.col("known") != pl.col("hash"))
    found = found.filter(is_new).with_columns(next=pl.col("version").fill_null(0) + 1)
    return found.sort("at", "response_id")


def everything(workspace: Workspace) -> ir.Table:
    """Comments of every source, as `said` tells of them."""
    return said.everything(workspace.engine.table)


def _scored(workspace: Workspace) -> ir.Table:
    """Answers with a comment and a valid score: response_id, comment, language, at,
    and points, the score from 0 to 10."""
    rows = workspace.engine.table(SOURCES["survey"].table)
    rows = on_scales(rows.filter(rows.comment.strip() != ""))
    rows = rows.filter(rows.score.notnull())
    return rows.select(
        *("response_id", "comment", "language"),
        at="answered_at",
        points=on_scale(rows, 0, 10).cast("float64") / PARTS,
    )


def _changed(
    workspace: Workspace, source: Source, before: int, version: int
) -> pl.DataFrame:
    """Comments of a source that are not as they were, as they are now."""
    lake, name = workspace.lake, source.table
    try:
        _, come = lake.difference(name, before, version)
    except VersionGone:
        _, come = lake.difference(name, -1, version)
    rows = ibis.table(workspace.engine.table(name).schema(), name="come")
    told = ibis.to_sql(source.said(rows), dialect="duckdb")
    with connect_apart() as duck:
        duck.execute(f"CREATE TEMP VIEW come AS {come}")
        return pl.DataFrame(duck.sql(told).to_arrow_table())


def _hash(comment: str, way: str) -> str:
    """Of a comment and the way it is read."""
    return digest(comment, *([way] if way else []))[:16]


def _not_analyzed(workspace: Workspace, found: pl.DataFrame) -> pl.DataFrame:
    """Without comments of surveys, or of other sources, that came with an analysis, up
    to the last one that has: of those it says nothing about, it found nothing."""
    table = workspace.engine.table(NAME)
    given = table.filter(table.annotated_by.fill_null("analysis") == "analysis").select(
        "response_id"
    )
    if workspace.engine.run(given.limit(1)).is_empty():
        return found
    rows = everything(workspace).semi_join(given, "response_id")
    until = workspace.engine.run(rows.group_by(_TOGETHER).agg(until=rows["at"].max()))
    found = found.join(until, on=_TOGETHER, how="left", nulls_equal=True)
    later = pl.col("until").is_null() | (pl.col("at") > pl.col("until"))
    return found.filter(later).drop("until")


def _readings(workspace: Workspace, some: pl.Series) -> pl.DataFrame:
    """The newest reading of some comments: response_id, known (a hash), version."""
    table = workspace.engine.table(NAME)
    table = table.filter(table.annotated_by == BUILT_IN)
    table = table.semi_join(ibis.memtable(some.to_frame().to_arrow()), "response_id")
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
    rows = _scored(workspace)
    for some in found.iter_slices(_AT_ONCE):
        before = rows.filter(rows["at"] < some["at"][0])
        before = before.order_by([before["at"].desc(), before.response_id])
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
                "source": row["source"],
                "topic": topic,
                "sentiment": sentiment,
                "version": row["next"],
                "annotated_by": BUILT_IN,
                "language": reading.language,
                "comment_hash": row["hash"],
            }
