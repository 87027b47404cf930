"""What an import is asked for, what it answers, and where it writes."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from perennial.core import windows
from perennial.core.errors import BadValue

#: Called with the share of the work done, 0 to 1, never falling.
Progress = Callable[[float], None]

DATE_ORDERS = ("iso", "dmy", "mdy")
EPOCHS = ("s", "ms", "us", "ns")


@dataclass(frozen=True)
class ImportOptions:
    """How to read a file. What is None is recognized from the file.

    - `mapping`: target column -> source column, a path into a JSON column
      ("context.groupId"), or a template of source columns ("{account}-{product}").
    - `constants`: target column -> one value for all rows.
    - `where`: which rows to take, over source columns: "units = 'users'".
    - `timezone`: the IANA zone of times without an offset.
    - `date_format`: iso, dmy, mdy, s, ms, us, ns (epoch), or a strptime pattern.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    where: str | None = None
    timezone: str = "UTC"
    delimiter: str | None = None
    encoding: str | None = None
    date_format: str | None = None
    decimal: str | None = None
    dry_run: bool = False

    def __post_init__(self) -> None:
        windows.zone(self.timezone)
        both = sorted(set(self.mapping) & set(self.constants))
        if both:
            raise BadValue(f"mapped and constant at once: {', '.join(both)}")
        if self.delimiter is not None and not _is_delimiter(self.delimiter):
            raise BadValue(f"a delimiter is one character, not {self.delimiter!r}")
        if self.decimal not in (None, ".", ","):
            raise BadValue(f"the decimal sign is '.' or ',', not {self.decimal!r}")
        known = (None, *DATE_ORDERS, *EPOCHS)
        if self.date_format not in known and "%" not in str(self.date_format):
            raise BadValue(
                f"unknown date format {self.date_format!r}; known: "
                f"{', '.join((*DATE_ORDERS, *EPOCHS))}, or a pattern like %d.%m.%Y"
            )
        _check_encoding(self.encoding)


def _is_delimiter(text: str) -> bool:
    return len(text) == 1 and text.isascii() and text not in "\r\n\"'"


def _check_encoding(name: str | None) -> None:
    if name is None:
        return
    try:
        is_text = codecs.lookup(name)._is_text_encoding
    except LookupError:
        is_text = False
    if not is_text:
        raise BadValue(f"unknown encoding {name!r}")


@dataclass(frozen=True)
class ImportReport:
    """What an import did: `rows` = `loaded` + `unchanged` + `rejected`.

    - `rows`: rows of the file that `where` let pass, malformed ones included.
    - `loaded`: rows new to the lake, or changed; in a dry run, rows that are good.
    - `unchanged`: rows already known, in the lake or earlier in the file.
    - `reasons`: rejected rows by reason code; `sentences` says the same for people.
    - `mapping`: target column -> where its values come from.
    - `recognized`: what was found out about the file: encoding, delimiter, dates.
    - `sample`: in a dry run, the first good rows.
    """

    table: str
    file: str
    import_id: str
    rows: int
    loaded: int
    unchanged: int
    rejected: int
    reasons: Mapping[str, int]
    sentences: tuple[str, ...]
    mapping: Mapping[str, str]
    recognized: Mapping[str, str] = field(default_factory=dict)
    sample: tuple[Mapping[str, object], ...] = ()
    dry_run: bool = False


class Written(Protocol):
    """What a write did, in rows."""

    @property
    def inserted(self) -> int: ...
    @property
    def updated(self) -> int: ...
    @property
    def unchanged(self) -> int: ...


class LakeWriter(Protocol):
    """The part of the lake that an import needs; `perennial.lake.store.Lake` is one.

    `write` upserts by key (tables that only insert keep the first row, also of rows
    in one write). `progress` is committed with the rows, and rows whose progress was
    reached before are taken as known: tables without a key need it to be resumed.
    """

    def write(
        self, name: str, rows: pa.Table, *, progress: Mapping[str, int] | None = None
    ) -> Written: ...

    def read(self, name: str) -> pa.Table: ...
