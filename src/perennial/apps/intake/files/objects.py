"""JSON as numbered batches: one object a line, an array, or objects in a row."""

from __future__ import annotations

import codecs
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv

from perennial.apps.intake.files.lines import Cutter, trimmed_column
from perennial.apps.intake.files.sources import (
    MEMORY,
    ROW,
    Batch,
    Kind,
    Malformed,
    SourceColumn,
    check_width,
    gathered,
    numbered,
    source_columns,
)
from perennial.apps.intake.files.sql import column, literal, one
from perennial.apps.intake.files.stream import Bytes, Encoding, decoded_head
from perennial.core.errors import BadValue
from perennial.lake.duck import connect_apart

_STREAM_ROWS = 50_000


@dataclass(frozen=True)
class JsonSource:
    """A JSON file. Its columns are the keys of all its objects.

    `layout`: newline_delimited, array, or unstructured (objects one after another).
    `strings` are keys whose first values are all strings.
    """

    data: Bytes
    encoding: Encoding
    layout: str
    keys: tuple[str, ...] = ()
    strings: frozenset[str] = frozenset()
    count: int = 0

    @classmethod
    def of(cls, data: Bytes, encoding: Encoding) -> JsonSource:
        """Reads the whole file once: a key may appear in its last object first."""
        source = cls(data, encoding, _layout(*decoded_head(data, encoding)))
        keys: dict[str, None] = {}
        strings: frozenset[str] | None = None
        count = 0
        with closing(connect_apart(memory_limit=MEMORY)) as duck:
            for batch in source._texts():
                count += batch.rows.num_rows
                found = _keys(duck, batch.rows)
                keys |= dict.fromkeys(found)
                check_width(len(keys))
                if strings is None:
                    strings = _strings(duck, batch.rows, found)
        strings = strings or frozenset()
        return cls(data, encoding, source.layout, tuple(keys), strings, count)

    @property
    def columns(self) -> tuple[SourceColumn, ...]:
        kinds: list[Kind] = [
            "string" if key in self.strings else "json" for key in self.keys
        ]
        return source_columns(self.keys, kinds)

    @property
    def recognized(self) -> dict[str, str]:
        encoding = self.encoding.name.removesuffix("-sig")
        return {"format": "json", "layout": self.layout, "encoding": encoding}

    def batches(self) -> Iterator[Batch]:
        with closing(connect_apart(memory_limit=MEMORY)) as duck:
            duck.execute("SET preserve_insertion_order = true")
            for batch in self._texts():
                yield self._expanded(duck, batch)

    def _texts(self) -> Iterator[Batch]:
        """Batches with one column, c0: the text of a JSON value."""
        if self.layout == "newline_delimited":
            return gathered(_lines(self.data, self.encoding))
        return gathered(self._values())

    def _values(self) -> Iterator[Batch]:
        with (
            _plain(self.data, self.encoding) as path,
            closing(connect_apart(memory_limit=MEMORY)) as duck,
        ):
            duck.execute("SET preserve_insertion_order = true")
            query = (
                f"SELECT json::VARCHAR AS c0 FROM read_json_objects("
                f"{literal(str(path))}, format = {literal(self.layout)})"
            )
            last = 0
            try:
                for block in duck.sql(query).to_arrow_reader(_STREAM_ROWS):
                    numbers = pa.array(np.arange(last + 1, last + 1 + block.num_rows))
                    last += block.num_rows
                    rows = numbered(pa.table(block), numbers)
                    yield Batch(rows, [], last / max(self.count, last))
            except (duckdb.Error, OSError) as error:
                reason = str(error).splitlines()[0]
                name = self.data.path.name
                raise BadValue(f"{name} is not JSON: {reason}") from error

    def _expanded(self, duck: duckdb.DuckDBPyConnection, batch: Batch) -> Batch:
        """One column a key; what is no object is refused."""
        duck.register("texts", batch.rows)
        query = _members_sql(self.keys, self.strings)
        values = duck.sql(query).to_arrow_table()
        wrong = duck.sql(
            f"SELECT {ROW}, c0 FROM texts WHERE c0 <> '' AND NOT {_IS_OBJECT}"
        )
        refused = [
            Malformed(row, text, "not a JSON object") for row, text in wrong.fetchall()
        ]
        duck.unregister("texts")
        for index, key in enumerate(self.keys):
            if key in self.strings:
                values = values.set_column(
                    index, column(index), trimmed_column(values[column(index)])
                )
        return Batch(values, batch.malformed + refused, batch.done)


#: Lines were trimmed, so an object starts with its brace.
_IS_OBJECT = "coalesce(left(c0, 1) = '{' AND json_valid(c0), false)"


def _members_sql(keys: Sequence[str], strings: frozenset[str]) -> str:
    """Every key as a column: strings as text, everything else as JSON.

    DuckDB reads an object into a struct in one go, but a struct cannot have both
    "Id" and "id"; of such keys the second is fetched alone.
    """
    types: dict[str, str] = {}
    columns: list[str] = []
    names = {key.lower(): key for key in reversed(keys)}
    for index, key in enumerate(keys):
        if names[key.lower()] == key:
            types[key] = "VARCHAR" if key in strings else "JSON"
            value = f"struct_extract(v, {literal(key)})::VARCHAR"
        else:
            fetch = "json_extract_string" if key in strings else "json_extract"
            value = f"nullif({fetch}(c0, {literal(_pointer(key))})::VARCHAR, 'null')"
        columns.append(f"{value} AS {column(index)}")
    structure = literal(json.dumps(types, ensure_ascii=False))
    return (
        f"SELECT {', '.join(columns)}, {ROW} FROM (SELECT {ROW}, c0, "
        f"from_json(c0, {structure}) AS v FROM texts WHERE {_IS_OBJECT})"
    )


def _strings(
    duck: duckdb.DuckDBPyConnection, rows: pa.Table, keys: Sequence[str]
) -> frozenset[str]:
    if not keys:
        return frozenset()
    duck.register("texts", rows)
    checks = ", ".join(
        f"bool_and(left({column(index)}, 1) = '\"')" for index in range(len(keys))
    )
    found = one(duck, f"SELECT {checks} FROM ({_members_sql(keys, frozenset())})")
    duck.unregister("texts")
    return frozenset(key for key, holds in zip(keys, found, strict=True) if holds)


def _layout(head: str, is_whole: bool) -> str:
    text = head.lstrip()
    if text.startswith("["):
        return "array"
    first, _, rest = text.partition("\n")
    try:
        is_line = isinstance(json.loads(first), dict)
    except ValueError:
        is_line = False
    if is_line or (not is_whole and not rest):
        return "newline_delimited"
    # A first line that is no JSON may be a bad row, or the start of a longer object.
    return "newline_delimited" if _is_object_a_line(rest) else "unstructured"


def _is_object_a_line(text: str) -> bool:
    for line in text.splitlines()[:20]:
        try:
            if isinstance(json.loads(line), dict):
                return True
        except ValueError:
            continue
    return False


def _lines(data: Bytes, encoding: Encoding) -> Iterator[Batch]:
    # JSON escapes control characters: this delimiter is in no line.
    cutter = Cutter(
        width=1,
        encoding=encoding,
        parse=pyarrow.csv.ParseOptions(
            delimiter="\x01", quote_char=False, escape_char=False
        ),
    )
    return cutter.batches(data)


def _keys(duck: duckdb.DuckDBPyConnection, rows: pa.Table) -> list[str]:
    duck.register("texts", rows)
    found = one(
        duck,
        "SELECT list(k ORDER BY n, k) FROM (SELECT k, min(n) AS n FROM ("
        "SELECT unnest(json_keys(c0)) AS k, unnest(range(len(json_keys(c0)))) AS n "
        f"FROM texts WHERE {_IS_OBJECT}) WHERE k <> '' GROUP BY k)",
    )[0]
    duck.unregister("texts")
    return list(found or [])


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


@contextmanager
def _plain(data: Bytes, encoding: Encoding) -> Iterator[Path]:
    """A path DuckDB can read: the file, or a copy of it as plain UTF-8."""
    if data.compression is None and encoding.name == "utf-8-sig":
        yield data.path
        return
    with tempfile.TemporaryDirectory(prefix="perennial-import-") as folder:
        path = Path(folder) / "copy.json"
        with data.open() as reader, path.open("wb") as copy:
            decoder = codecs.getincrementaldecoder(encoding.name)("replace")
            for chunk in reader.chunks():
                copy.write(decoder.decode(chunk).encode())
        yield path
