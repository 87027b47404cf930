"""What a table is, and the columns that many have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

Type = Literal["string", "int", "float", "money", "bool", "date", "timestamp", "json"]

#: Money keeps four decimals per row and is only rounded when it is shown.
ARROW_TYPES: Mapping[Type, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "money": pa.decimal128(18, 4),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "json": pa.string(),
}

#: Physical partition column: the UTC month of `Table.partition_by`, as "2026-11".
MONTH = "month"


@dataclass(frozen=True)
class Column:
    """One column: its logical type, and what the value means.

    `default` fills a missing value on import; `choices` is the closed set of
    values a row may carry.
    """

    name: str
    type: Type
    about: str
    required: bool = False
    default: str | int | bool | None = None
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table of the lake: columns, key, and how it is laid out on disk.

    - `key`: columns that identify a row; a row with a known key replaces it.
      `insert_only` tables (events) keep the first row instead.
    - `one_of`: groups of columns of which a row must carry at least one.
    - `partition_by`: a date or timestamp column; files are split by its UTC month.
    - `sort_by`: the order inside a file, which is what readers prune on.
    - `by_account`: pages look rows of one account up. Files are written in the order
      of `sort_by`, which begins with it, in small groups of rows.
    - Columns of a source that are not declared here are kept, as one JSON object,
      in `properties`.
    """

    name: str
    about: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    one_of: tuple[tuple[str, ...], ...] = ()
    partition_by: str | None = None
    sort_by: tuple[str, ...] = ()
    insert_only: bool = False
    by_account: bool = False

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.required)

    def schema(self, *, partitions: bool = False) -> pa.Schema:
        """Arrow schema of a row; with `partitions`, as it is stored."""
        fields = [
            pa.field(c.name, ARROW_TYPES[c.type], nullable=True) for c in self.columns
        ]
        if partitions and self.partition_by:
            fields.append(pa.field(MONTH, pa.string()))
        return pa.schema(fields)


PROPERTIES = Column("properties", "json", "Everything else the source said, as JSON.")


def id_column(
    name: str, about: str, *, required: bool = False, aliases: str = ""
) -> Column:
    """A column of ids; `aliases` are other names files have for it, between blanks."""
    return Column(name, "string", about, required, aliases=tuple(aliases.split()))


ACCOUNT = id_column(
    "account_id",
    "The customer's id in your systems.",
    aliases="account customer_id customer company_id organization_id group_id org_id",
)
USER = id_column(
    "user_id", "The person's id in your product.", aliases="user person_id"
)
TRAITS_AT = Column(
    "traits_at", "json", "When the intake last heard each trait, in epoch milliseconds."
)
CURRENCY = Column("currency", "string", "ISO 4217 code; empty: the workspace's.")
STARTS = Column(
    "starts_at",
    "timestamp",
    "First instant it holds; empty: since ever.",
    aliases=("start_date", "starts", "start"),
)
ENDS = Column(
    "ends_at",
    "timestamp",
    "First instant it no longer holds; empty: still holds.",
    aliases=("end_date", "ends", "end"),
)


def required(column: Column) -> Column:
    """The column, where every row has to have it."""
    return Column(
        column.name,
        column.type,
        column.about,
        required=True,
        default=column.default,
        choices=column.choices,
        aliases=column.aliases,
    )


def fact(
    name: str,
    about: str,
    key: str,
    *columns: Column,
    one_of: tuple[tuple[str, ...], ...] = (),
    partition_by: str | None = None,
    sort_by: str = "",
    insert_only: bool = False,
) -> Table:
    """A table of facts: sorted by its `key` unless said otherwise, with `properties`.

    `key` and `sort_by` are names between blanks.
    """
    if all(column.name != PROPERTIES.name for column in columns):
        columns = (*columns, PROPERTIES)
    return Table(
        name,
        about,
        tuple(key.split()),
        columns,
        one_of,
        partition_by,
        tuple(sort_by.split()) or tuple(key.split()),
        insert_only,
    )


def derived(
    name: str,
    about: str,
    key: str,
    *columns: Column,
    partition_by: str | None = None,
    sort_by: str = "",
    by_account: bool = False,
) -> Table:
    """A table that is made from others, sorted by its `key` unless said otherwise.

    `by_account` puts the account first: pages look its rows up.
    """
    names = tuple(key.split())
    sort = tuple(sort_by.split()) or names
    if by_account:
        sort = ("account_id", *(name for name in sort if name != "account_id"))
    return Table(
        name, about, names, columns, (), partition_by, sort, by_account=by_account
    )
