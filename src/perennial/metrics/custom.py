"""Metrics that people define: a way of counting over the rows of a fact table.

A definition becomes an entry like every other, so that whatever works with a metric
works with it. Events are counted beforehand, by day, account and user, in the
roll-up `definition_days`; other facts are few enough to be read as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Literal, get_args

import ibis
import ibis.expr.types as ir

from perennial.core.errors import BadValue
from perennial.metrics import filters
from perennial.metrics.durations import summary
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import (
    ACCOUNT_DIMENSIONS,
    USER_DIMENSIONS,
    Compute,
    Good,
    Metric,
    Unit,
)

Measure = Literal["count", "unique", "sum", "average", "ratio", "percentile"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
#: Those that need a column, and those that need numbers in it.
OF_A_COLUMN = frozenset({"unique", "sum", "average", "percentile"})
OF_NUMBERS = OF_A_COLUMN - {"unique"}
UNITS: tuple[Unit, ...] = (
    *("count", "money", "score", "index"),
    *("milliseconds", "seconds", "minutes", "hours", "days", "months"),
)
EVENTS = "events"
#: The roll-up that holds what definitions count of events.
ROLLUP = "definition_days"
#: Numbers are added up in whole 1/10,000, so that engines agree.
SCALE = 10_000

_KEY = re.compile(r"[a-z][a-z0-9_]{1,59}")


@dataclass(frozen=True)
class Definition:
    """What one version of a metric of somebody's own counts.

    - `where` says which rows of `table`, `part` which of them are the part of a ratio.
    - `column` is what is distinct, added up, or ranked; `at` the instant or day that
      says when a row happened.
    """

    key: str
    title: str
    measure: Measure
    table: str
    at: str
    column: str = ""
    where: str = ""
    part: str = ""
    percentile: int = 50
    unit: Unit = "count"
    good: Good = "up"
    about: str = ""
    version: int = 1

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise BadValue(
                f"a key is made of a-z, 0-9 and _, and begins with a letter: {self.key!r}"
            )
        if not self.title.strip():
            raise BadValue("a metric has a title")
        if self.measure not in MEASURES:
            raise BadValue(f"unknown measure {self.measure!r}: {', '.join(MEASURES)}")
        if (self.measure in OF_A_COLUMN) != bool(self.column):
            need = "needs" if self.measure in OF_A_COLUMN else "has no"
            raise BadValue(f"a {self.measure} {need} column")
        if (self.measure == "ratio") != bool(self.part):
            need = "needs" if self.measure == "ratio" else "has no"
            raise BadValue(f"a {self.measure} {need} condition of its part")
        if not 1 <= self.percentile <= 99:
            raise BadValue("a percentile is a whole number from 1 to 99")
        if self.unit not in UNITS or self.good not in get_args(Good):
            raise BadValue(f"unknown unit {self.unit!r} or direction {self.good!r}")
        for condition in filter(None, (self.where, self.part)):
            filters.parse(condition)

    @classmethod
    def of(cls, values: Mapping[str, object]) -> Definition:
        """From plain values, as they are stored; raises `BadValue`."""
        known = {field.name for field in fields(cls)}
        if unknown := set(values) - known:
            raise BadValue(f"a definition has no {', '.join(sorted(unknown))}")
        try:
            return cls(**values)  # type: ignore[arg-type]
        except TypeError as error:
            raise BadValue(f"a definition is not complete: {error}") from None

    @property
    def values(self) -> dict[str, object]:
        return asdict(self)

    @property
    def is_of_events(self) -> bool:
        return self.table == EVENTS

    @property
    def names(self) -> set[str]:
        """Everything of a row it speaks of."""
        said = [filters.names(filters.parse(c)) for c in (self.where, self.part) if c]
        return {*(name for names in said for name in names), self.column, self.at} - {
            ""
        }

    @property
    def formula(self) -> str:
        """What is computed, as people read a formula."""
        rows = f"{self.table} where {self.where}" if self.where else self.table
        match self.measure:
            case "count":
                return f"number of {rows}"
            case "unique":
                return f"distinct {self.column} of {rows}"
            case "sum":
                return f"sum of {self.column} of {rows}"
            case "average":
                return f"sum of {self.column} of {rows} / how many have one"
            case "ratio":
                return f"those where {self.part} / {rows}"
            case "percentile":
                return f"{self.percentile}th percentile of {self.column} of {rows}"


@dataclass(frozen=True)
class Source:
    """What is known of a fact table: its id, whose rows are, what they are split by."""

    key: str = ""
    has_user: bool = False
    texts: tuple[str, ...] = ()


class _Counts:
    """A definition as the function of an entry; its text is the description."""

    def __init__(self, definition: Definition, source: Source) -> None:
        self._definition = definition
        self._source = source
        self.__doc__ = definition.about or f"{definition.title}, as you defined it."
        self.__name__ = definition.key

    def __call__(self, t: Inputs, q: Query) -> ir.Table:
        d = self._definition
        rows = _of_events(t, d) if d.is_of_events else _of_facts(t, d, self._source)
        return _measured(t.in_periods(rows), q, d)


def entry(definition: Definition, source: Source, versions: int) -> Metric:
    """The entry of a definition, of which there have been so many versions."""
    d = definition
    whose = USER_DIMENSIONS if source.has_user else ACCOUNT_DIMENSIONS
    texts = () if d.is_of_events else source.texts
    compute: Compute = _Counts(d, source)
    is_count = d.measure in {"count", "unique", "sum"}
    return Metric(
        key=d.key,
        title=d.title,
        theme="custom",
        unit="ratio" if d.measure == "ratio" else d.unit,
        formula=d.formula,
        source=f"definition {d.version}",
        compute=compute,
        reads=("user_days",) if d.is_of_events else (d.table,),
        also_reads=("metric_definitions", *((ROLLUP,) if d.is_of_events else ())),
        dimensions=(*whose, *texts),
        good=d.good,
        empty=0 if is_count else None,
        scale=SCALE if d.measure in {"sum", "average"} else 1,
        entity="user" if d.measure == "unique" and d.column == "user_id" else "account",
        params={"version": f"an earlier definition, 1 to {versions}"},
        caveats=_caveats(d),
    )


def _caveats(d: Definition) -> str:
    if d.unit == "money" and d.measure in OF_NUMBERS:
        return "Amounts are added up as they stand: currencies are not converted."
    return ""


# Rows: date, account_id, user_id where known, times, and by measure: amount, thing, of


def _of_events(t: Inputs, d: Definition) -> ir.Table:
    """What the roll-up counted for this version of the definition."""
    rows = t.rows(ROLLUP)
    rows = rows.filter((rows.metric == d.key) & (rows.version == d.version))
    thing = rows[d.column] if d.column in ("user_id", "account_id") else rows["value"]
    return t.split(
        rows.mutate(
            thing=thing,
            amount=_amount(rows["value"].try_cast("float64")),
        )
    )


def _of_facts(t: Inputs, d: Definition, source: Source) -> ir.Table:
    """Rows of the fact table that are meant, each once."""

    def prepared(rows: ir.Table) -> ir.Table:
        if source.has_user and source.key:
            rows = t.attributed(d.table, source.key, rows, d.at)
        rows = met(rows, d)
        value = rows[d.column] if d.column else ibis.null("string")
        columns: dict[str, ir.Value] = {"thing": value.cast("string")}
        if d.measure in OF_NUMBERS:
            columns["amount"] = _amount(value.cast("float64"))
        return rows.mutate(times=ibis.literal(1, "int64"), **columns)

    return t.facts(d.table, d.at, prepared)


def met(rows: ir.Table, d: Definition) -> ir.Table:
    """Rows for which `where` holds, with `of`: 1 where `part` does too, else 0."""
    if d.where:
        rows = rows.filter(filters.condition(filters.parse(d.where), rows.__getitem__))
    if not d.part:
        return rows.mutate(of=ibis.literal(0, "int64"))
    holds = filters.condition(filters.parse(d.part), rows.__getitem__)
    return rows.mutate(of=holds.fill_null(False).cast("int64"))


def _amount(value: ir.FloatingValue) -> ir.IntegerValue:
    return (value * SCALE).round().cast("int64")


def _measured(rows: ir.Table, q: Query, d: Definition) -> ir.Table:
    none = ibis.null("int64")
    grouped = rows.group_by(q.keys)
    n = rows.times.sum()
    match d.measure:
        case "count":
            return grouped.agg(numerator=n, denominator=none, n=n)
        case "unique":
            things = rows.thing.nunique()
            return grouped.agg(numerator=things, denominator=none, n=n)
        case "ratio":
            part = (rows.of * rows.times).sum()
            return grouped.agg(numerator=part, denominator=n, n=n)
        case "percentile":
            rank = "median" if d.percentile == 50 else f"p{d.percentile}"
            return summary(rows, q.keys, "amount", rank, unit=SCALE, weight="times")
    known = rows.times.sum(where=rows.amount.notnull())
    total = (rows.amount * rows.times).sum()
    below = known if d.measure == "average" else none
    return grouped.agg(numerator=total, denominator=below, n=known)
