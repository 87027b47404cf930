"""How a file writes numbers and dates, decided once a column from evidence.

A file is written by one program, so what one column proves holds for the others:
a 27 in front of one date settles every date with the same separator.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import duckdb

from perennial.apps.intake.files.given import Format, Formats, Given
from perennial.apps.intake.files.model import ImportOptions
from perennial.apps.intake.files.sources import Batch
from perennial.apps.intake.files.sql import literal, one
from perennial.apps.intake.files.values import text_of
from perennial.core.errors import BadValue

#: Rows of a batch that are looked at for the shapes of dates.
_SAMPLE = 100_000
_DIGITS = r"-?\d{9,19}(\.\d+)?"
_COMPACT = r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
_SHORT = r"^(\d{1,2})([-./ ])(\d{1,2})[-./ ]\d"
_TEXTS = ("text", "string", "json")
_NATIVE = ("int", "float", "decimal")


@dataclass(frozen=True)
class Subject:
    """A source value whose format is looked for, and its name for people."""

    label: str
    given: Given


@dataclass
class Order:
    """What dates with one separator have shown: their largest first two numbers."""

    first: int = 0
    second: int = 0
    is_same: bool = True

    def add(self, first: int, second: int, *, is_same: bool) -> None:
        self.first = max(self.first, first)
        self.second = max(self.second, second)
        self.is_same = self.is_same and is_same

    @property
    def verdict(self) -> str | None:
        if self.first > 12:
            return "dmy"
        return "mdy" if self.second > 12 else None


@dataclass
class Dates:
    """Evidence about the dates of one column."""

    values: int = 0
    epochs: int = 0
    largest: float = 0
    orders: dict[str, Order] = field(default_factory=dict)


def recognize_formats(
    duck: duckdb.DuckDBPyConnection,
    batches: Iterable[Batch],
    *,
    numbers: Sequence[Subject],
    dates: Sequence[Subject],
    options: ImportOptions,
) -> Formats:
    """Formats by the SQL of the value; reads on only while something is open."""
    seen_dates = {subject.given.sql: Dates() for subject in dates}
    shapes: dict[str, set[str]] = {subject.given.sql: set() for subject in numbers}
    if not seen_dates and not shapes:
        return {}
    for batch in batches:
        duck.register("raw", batch.rows)
        for subject in dates:
            _look_at_dates(duck, subject.given, seen_dates[subject.given.sql])
        for subject in numbers:
            shapes[subject.given.sql] |= _shapes(duck, subject.given)
        duck.unregister("raw")
        if not _is_open(seen_dates, shapes, options):
            break
    decimal = options.decimal or _decimal(shapes.values())
    orders = _orders(seen_dates.values())
    formats = {sql: Format(decimal=decimal) for sql in shapes}
    for subject in dates:
        found = _date_format(subject, seen_dates[subject.given.sql], orders, options)
        formats[subject.given.sql] = Format(decimal=decimal, date=found)
    return formats


def _is_open(
    dates: dict[str, Dates], shapes: dict[str, set[str]], options: ImportOptions
) -> bool:
    """Would more rows tell more?"""
    orders = _orders(dates.values()).values()
    is_order_open = any(order.verdict is None for order in orders)
    has_commas = any("," in shape for seen in shapes.values() for shape in seen)
    is_decimal_open = has_commas and not _votes(shapes.values())
    return (options.date_format is None and is_order_open) or (
        options.decimal is None and is_decimal_open
    )


def _look_at_dates(duck: duckdb.DuckDBPyConnection, given: Given, seen: Dates) -> None:
    if given.kind in _NATIVE:
        number = f"{given.sql}::DOUBLE"
        count, largest = one(
            duck,
            f"SELECT count(*), max(abs({number})) FROM raw WHERE isfinite({number})",
        )
        seen.values += count
        seen.largest = max(seen.largest, largest or 0)
        # 20260131 is a day, not an instant of August 1970.
        seen.epochs += 0 if 1.9e7 < seen.largest < 2.2e7 else count
        return
    if given.kind not in _TEXTS:
        return
    sample = f"(SELECT {text_of(given)} AS v FROM raw LIMIT {_SAMPLE})"
    is_epoch = (
        f"regexp_full_match(v, {literal(_DIGITS)}) "
        f"AND NOT regexp_full_match(v, {literal(_COMPACT)})"
    )
    is_short = f"regexp_matches(v, {literal(_SHORT)})"
    count, epochs, largest, shorts = one(
        duck,
        f"SELECT count(v), count(*) FILTER ({is_epoch}), "
        f"max(abs(try_cast(v AS DOUBLE))) FILTER ({is_epoch}), "
        f"count(*) FILTER ({is_short}) FROM {sample}",
    )
    seen.values += count
    seen.epochs += epochs
    seen.largest = max(seen.largest, largest or 0)
    if shorts and shorts >= 0.5 * count:  # else a few that stray must not decide
        _look_at_orders(duck, given, seen)


def _look_at_orders(duck: duckdb.DuckDBPyConnection, given: Given, seen: Dates) -> None:
    """All rows: a file sorted by time starts with many equal days."""
    day = f"left(({text_of(given)}), 7)"
    first, sign, second = (
        f"regexp_extract(d, {literal(_SHORT)}, {group})" for group in (1, 2, 3)
    )
    found = duck.sql(
        "SELECT sign, max(a), max(b), bool_and(a = b) FROM ("
        f"SELECT {sign} AS sign, {first}::INTEGER AS a, {second}::INTEGER AS b "
        f"FROM (SELECT DISTINCT {day} AS d FROM raw) "
        f"WHERE regexp_matches(d, {literal(_SHORT)})) GROUP BY sign"
    ).fetchall()
    for separator, largest, other, is_same in found:
        order = seen.orders.setdefault(separator, Order())
        order.add(largest, other, is_same=is_same)


def _shapes(duck: duckdb.DuckDBPyConnection, given: Given) -> set[str]:
    """Numbers with a comma or several dots, every digit but 0 written as 9."""
    if given.kind not in _TEXTS:
        return set()
    telling = literal(r",|\..*\.")
    rows = duck.sql(
        "SELECT DISTINCT translate(v, '12345678', '99999999') "
        f"FROM (SELECT {text_of(given)} AS v FROM raw) "
        f"WHERE regexp_matches(v, {telling}) AND length(v) < 40"
    ).fetchall()
    return {row[0] for row in rows}


def _decimal(shapes: Iterable[set[str]]) -> str:
    """A comma where all evidence says so; the dot else."""
    return "," if _votes(shapes) == {","} else "."


def _votes(shapes: Iterable[set[str]]) -> set[str]:
    votes = (_decimal_of(shape) for seen in shapes for shape in seen)
    return {vote for vote in votes if vote}


def _decimal_of(shape: str) -> str | None:
    """The decimal sign that a number proves; None where both are possible."""
    digits = re.sub(r"[^\d.,]", "", shape)
    last = max(digits, key=lambda sign: (sign in ".,") * (digits.rfind(sign) + 1))
    other = "." if last == "," else ","
    if other in digits:
        return last
    if digits.count(last) > 1:
        return other
    whole, _, fraction = digits.partition(last)
    is_group = len(fraction) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0")
    return None if is_group else last


def _orders(dates: Iterable[Dates]) -> dict[str, Order]:
    """By separator, over all columns."""
    orders: dict[str, Order] = {}
    for seen in dates:
        for sign, order in seen.orders.items():
            known = orders.setdefault(sign, Order())
            known.add(order.first, order.second, is_same=order.is_same)
    return orders


def _date_format(
    subject: Subject, seen: Dates, orders: dict[str, Order], options: ImportOptions
) -> str:
    if options.date_format is not None:
        return options.date_format
    if seen.epochs and seen.epochs >= 0.5 * seen.values:
        return _epoch_unit(seen.largest)
    if not seen.orders:
        return "iso"
    for sign, own in seen.orders.items():
        verdict = own.verdict or orders[sign].verdict
        if verdict is not None:
            return verdict
    if "/" in seen.orders and not seen.orders["/"].is_same:
        raise BadValue(
            f"{subject.label}: the dates may be day/month or month/day; "
            "say which (--date-format dmy or mdy)"
        )
    return "dmy"


def _epoch_unit(largest: float) -> str:
    for unit, limit in (("s", 1e11), ("ms", 1e14), ("us", 1e17)):
        if largest < limit:
            return unit
    return "ns"
