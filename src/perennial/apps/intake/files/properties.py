"""Columns nobody declared, as one JSON object in SQL."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from perennial.apps.intake.files.given import Given
from perennial.apps.intake.files.sources import SourceColumn
from perennial.apps.intake.files.sql import column as named
from perennial.apps.intake.files.sql import literal
from perennial.lake.tables import PROPERTIES

_SAMPLE = 100_000
_POINTER = "'/' || replace(replace(k, '~', '~0'), '/', '~1')"
# As JSON writes numbers, and short enough for a double to hold: an id with leading
# zeros or twenty digits stays text.
_NUMBER = r"-?(0|[1-9]\d{0,14})(\.\d{1,18})?([eE][+-]?\d{1,3})?"


def object_sql(
    columns: Sequence[SourceColumn], plain: frozenset[int] = frozenset()
) -> str:
    """Columns as a JSON object, nulls left out; null where nothing is left.

    Text columns in `plain` hold numbers and booleans.
    """
    if not columns:
        return "NULL::VARCHAR"
    members = ", ".join(
        _member(column, is_plain=column.index in plain)
        for column in sorted(columns, key=lambda column: column.name)
    )
    return f"nullif('{{' || concat_ws(',', {members}) || '}}', '{{}}')"


def merged_sql(text: str, extras: str, *, is_json: bool) -> str:
    """The object `extras` merged into the JSON object `text`.

    What is no object is kept under its name; `is_json`: it is known to be valid.
    """
    is_object = f"left({text}, 1) = '{{'"
    if not is_json:
        is_object = f"json_valid({text}) AND {is_object}"
    alone = f"json_object('{PROPERTIES.name}', {text})"
    return (
        f"CASE WHEN {text} IS NULL THEN {extras} "
        f"WHEN {is_object} THEN CASE WHEN {extras} IS NULL THEN nullif({text}, '{{}}') "
        f"ELSE json_merge_patch({text}, {extras})::VARCHAR END "
        f"ELSE json_merge_patch({alone}, coalesce({extras}, '{{}}'))::VARCHAR END"
    )


def canonical(properties: str) -> str:
    """A JSON object with its keys in order: equal objects are then equal texts."""
    member = f"to_json(k)::VARCHAR || ':' || json_extract({properties}, {_POINTER})"
    members = f"list_transform(list_sort(json_keys({properties})), lambda k: {member})"
    return f"'{{' || array_to_string({members}, ',') || '}}'"


def plain_types(rows: pa.Table, columns: Sequence[SourceColumn]) -> frozenset[int]:
    """Text columns whose values are all JSON numbers or booleans, by their index.

    Decided a column, so that postal codes do not become text here and numbers there.
    Not in SQL: to plan an aggregate of a thousand columns takes many seconds.
    """
    head = rows.slice(0, _SAMPLE)
    texts = (column for column in columns if column.kind == "text")
    return frozenset(c.index for c in texts if _are_plain(head.column(named(c.index))))


def _are_plain(values: pa.ChunkedArray) -> bool:
    """As `_is_plain`, of all values that are there, and there are some."""
    is_number = pc.match_substring_regex(values, f"^(?:{_NUMBER})$")
    is_word = pc.is_in(pc.utf8_lower(values), pa.array(["true", "false"]))
    is_missing = pc.is_null(values)
    return values.null_count < len(values) and bool(
        pc.all(pc.or_(pc.or_(is_missing, is_word), pc.fill_null(is_number, False)))
    )


def _is_plain(text: str) -> str:
    return (
        f"(regexp_full_match({text}, {literal(_NUMBER)}) "
        f"OR lower({text}) IN ('true', 'false'))"
    )


def _member(column: SourceColumn, *, is_plain: bool) -> str:
    """`"name":value`, or null, which concat_ws leaves out."""
    name = literal(json.dumps(column.name, ensure_ascii=False) + ":")
    given = Given(named(column.index), column.kind)
    value = _json(given)
    if is_plain:
        c = given.sql
        value = f"CASE WHEN {_is_plain(c)} THEN lower({c}) ELSE {value} END"
    return f"({name} || {value})"


def _json(given: Given) -> str:
    c = given.sql
    match given.kind:
        case "json":
            return c
        case "int" | "bool" | "decimal":
            return f"{c}::VARCHAR"
        case "float":
            return f"CASE WHEN isfinite({c}) THEN to_json({c})::VARCHAR END"
        case _:
            return f"to_json({c})::VARCHAR"
