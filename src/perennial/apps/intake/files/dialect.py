"""How a CSV file is written: delimiter, quotes, and where its header is.

DuckDB's sniffer was tried first and reads `a;b` over `1,5;2,3` as three columns,
because it does not trust the header. Here every combination reads the start of the
file, and the one in which the rows are as long as the header wins.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from perennial.core.errors import BadValue

_DELIMITERS = (",", ";", "\t", "|", "^", "~", ":", "\x1f")
_SAMPLE_ROWS = 500
#: Lines of a title above the header that are skipped.
_PREAMBLE = 10


@dataclass(frozen=True)
class Dialect:
    """How to cut a CSV file into fields. `skip` lines come before the header."""

    delimiter: str
    quote: str
    escape: str | None
    skip: int
    header: tuple[str, ...]


@dataclass(frozen=True)
class _Reading:
    """The start of a file, read in one way."""

    delimiter: str
    quote: str
    escape: str | None
    rows: Sequence[Sequence[str]]
    ends: Sequence[int]

    @property
    def width(self) -> int:
        """The usual number of fields; of equally usual ones the larger."""
        counts = Counter(len(row) for row in self.rows if row)
        return max(counts, key=lambda width: (counts[width], width), default=0)

    @property
    def top(self) -> int:
        """Where the header is: the first row, or the first below a title."""
        if len(self.rows[0]) < 2 <= self.width:
            for at, row in enumerate(self.rows[:_PREAMBLE]):
                if len(row) == self.width:
                    return at
        return next((at for at, row in enumerate(self.rows) if row), 0)

    @property
    def score(self) -> tuple[bool, bool, float, int, int]:
        """Several columns, no title, rows like the header, no quotes left, columns."""
        below = [row for row in self.rows[self.top + 1 :] if row]
        width = len(self.rows[self.top])
        fitting = [row for row in below if _fits(row, width)]
        share = len(fitting) / len(below) if below else 1.0
        columns = zip(*fitting, strict=False)
        quoted = sum(all(map(_is_wrapped, column)) for column in columns)
        has_columns = width > 1 and share >= 0.5
        return (has_columns, self.top == 0, round(share, 1), -quoted, width)


def recognize_dialect(
    head: str, *, is_whole: bool, delimiter: str | None = None
) -> Dialect:
    """The dialect of a file that starts with `head`."""
    first = re.match(r"sep=(.)\r?\n", head)
    if first:
        found = recognize_dialect(
            head[first.end() :], is_whole=is_whole, delimiter=delimiter or first[1]
        )
        return _skipping(found, found.skip + 1)
    if not head.strip():
        raise BadValue("the file has no header")
    delimiters = (delimiter,) if delimiter else _DELIMITERS
    readings = [
        _read(head, one, quote, escape, is_whole=is_whole)
        for quote, escape, one in itertools.product("\"'", ("\\", None), delimiters)
        if _is_plausible(head, quote, escape)
    ]
    best = max(readings, key=lambda reading: reading.score)
    return _dialect(best)


def _is_plausible(head: str, quote: str, escape: str | None) -> bool:
    """A backslash escapes a quote when the field goes on after it."""
    if escape is not None:
        return bool(re.search(rf"\\{quote}[^,;\t|\r\n{quote}]", head))
    return quote == '"' or quote in head


def _read(
    head: str, delimiter: str, quote: str, escape: str | None, *, is_whole: bool
) -> _Reading:
    rows: list[list[str]] = []
    ends: list[int] = []
    reader = csv.reader(
        io.StringIO(head, newline=""),
        delimiter=delimiter,
        quotechar=quote,
        escapechar=escape,
        doublequote=escape is None,
    )
    for row in itertools.islice(reader, _SAMPLE_ROWS):
        rows.append(row)
        ends.append(reader.line_num)
    if not is_whole and len(rows) < _SAMPLE_ROWS and len(rows) > 1:
        rows.pop()  # it was cut off
    return _Reading(delimiter, quote, escape, rows, ends)


def _fits(row: Sequence[str], width: int) -> bool:
    """Is a row as long as the header, or longer by one empty field?"""
    return len(row) == width or (len(row) == width + 1 and not row[-1])


def _is_wrapped(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"


def _dialect(reading: _Reading) -> Dialect:
    top = reading.top
    header = _names(reading.rows, top)
    skip = reading.ends[top - 1] if top else 0
    return Dialect(reading.delimiter, reading.quote, reading.escape, skip, header)


def _names(rows: Sequence[Sequence[str]], index: int) -> tuple[str, ...]:
    """What the header calls the columns: one more, unnamed, for a trailing sign."""
    header = [name.strip().strip("\ufeff") for name in rows[index]]
    below = [row for row in rows[index + 1 :] if row]
    if below and all(len(row) == len(header) + 1 and not row[-1] for row in below):
        header.append("")
    return tuple(header)


def _skipping(dialect: Dialect, skip: int) -> Dialect:
    return Dialect(
        dialect.delimiter, dialect.quote, dialect.escape, skip, dialect.header
    )
