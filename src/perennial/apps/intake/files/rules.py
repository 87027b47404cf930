"""Why a row cannot be taken: the closed set of reasons, and the checks in SQL.

A check reads `g_<column>`, the value as given, and `<column>`, the value converted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from perennial.apps.intake.files.columns import Binding
from perennial.apps.intake.files.sql import literal, quoted
from perennial.apps.intake.files.values import ENDS
from perennial.lake.tables import Column, Table


class Reason(StrEnum):
    """Why a row was rejected: stable codes, in the order they are looked for."""

    MALFORMED_ROW = "malformed_row"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_BOOLEAN = "not_a_boolean"
    NOT_A_DATE = "not_a_date"
    NOT_A_CHOICE = "not_a_choice"
    MISSING_VALUE = "missing_value"
    MISSING_ONE_OF = "missing_one_of"
    OUT_OF_RANGE = "out_of_range"
    ENDS_BEFORE_START = "ends_before_start"
    CLOSED_BEFORE_OPENED = "closed_before_opened"
    REPEATED_KEY = "repeated_key"

    @property
    def about(self) -> str:
        return _ABOUT[self]


_ABOUT = {
    Reason.MALFORMED_ROW: "the row cannot be cut into fields",
    Reason.NOT_A_NUMBER: "a value is not a number",
    Reason.NOT_A_BOOLEAN: "a value is neither true nor false",
    Reason.NOT_A_DATE: "a value is not a date or time",
    Reason.NOT_A_CHOICE: "a value is not one of those allowed",
    Reason.MISSING_VALUE: "a required value is missing",
    Reason.MISSING_ONE_OF: "at least one of several values is required",
    Reason.OUT_OF_RANGE: "a time is before 1970 or over ten years ahead",
    Reason.ENDS_BEFORE_START: "it ends before it starts",
    Reason.CLOSED_BEFORE_OPENED: "it was answered or closed before it was opened",
    Reason.REPEATED_KEY: "another row of the file has the same key",
}

#: Columns that start and end an interval.
_INTERVALS = (
    ("starts_at", "ends_at"),
    ("valid_from", "valid_to"),
    ("term_start", "term_end"),
    ("paused_from", "paused_to"),
)
_AFTER_OPENING = ("first_response_at", "solved_at", "closed_at")
_EARLIEST = "1970-01-01"
_SHOWN = 60


@dataclass(frozen=True)
class Rule:
    """One check: rows for which `condition` holds are refused, saying `sentence`."""

    reason: Reason
    condition: str
    sentence: str


def rules(
    table: Table, bindings: Mapping[str, Binding], *, latest: datetime
) -> tuple[Rule, ...]:
    """All checks of an import, in the order in which they count."""
    found = [
        *_conversions(bindings),
        *_missing(table, bindings),
        *_ranges(bindings, latest),
        *_intervals(bindings),
    ]
    return tuple(found)


def _conversions(bindings: Mapping[str, Binding]) -> Iterator[Rule]:
    for name, binding in bindings.items():
        wrong = _wrong(binding.column)
        if wrong is None:
            continue
        reason, sentence = wrong
        given, value = quoted(f"g_{name}"), quoted(name)
        yield Rule(
            reason,
            f"{given} IS NOT NULL AND {value} IS NULL",
            f"{literal(name + ': ')} || {_shown(given)} || {literal(sentence)}",
        )


def _wrong(column: Column) -> tuple[Reason, str] | None:
    """The reason and its words when a value does not fit a column."""
    if column.choices:
        return Reason.NOT_A_CHOICE, f" is not one of {', '.join(column.choices)}"
    match column.type:
        case "int":
            return Reason.NOT_A_NUMBER, " is not a whole number"
        case "float" | "money":
            return Reason.NOT_A_NUMBER, " is not a number"
        case "bool":
            return Reason.NOT_A_BOOLEAN, " is neither true nor false"
        case "date" | "timestamp":
            return Reason.NOT_A_DATE, f" is not a {_noun(column)}"
        case _:
            return None


def _noun(column: Column) -> str:
    return "date" if column.type == "date" else "date or time"


def _missing(table: Table, bindings: Mapping[str, Binding]) -> Iterator[Rule]:
    for name in table.required:
        if table[name].default is None:
            yield Rule(
                Reason.MISSING_VALUE,
                f"{quoted(name)} IS NULL",
                literal(f"{name} is missing"),
            )
    for group in table.one_of:
        there = [quoted(name) for name in group if name in bindings]
        yield Rule(
            Reason.MISSING_ONE_OF,
            " AND ".join(f"{name} IS NULL" for name in there),
            literal(f"{' and '.join(group)} are missing: one is needed"),
        )


def _ranges(bindings: Mapping[str, Binding], latest: datetime) -> Iterator[Rule]:
    for name, binding in bindings.items():
        if binding.column.type not in ("date", "timestamp"):
            continue
        value = quoted(name)
        type_ = "DATE" if binding.column.type == "date" else "TIMESTAMPTZ"
        last = latest.date().isoformat()
        condition = f"{value} < {type_} '{_EARLIEST}'"
        if name not in ENDS:  # what ends in 2099 is meant not to end
            condition += f" OR {value} > {type_} '{last}'"
        yield Rule(
            Reason.OUT_OF_RANGE,
            condition,
            f"{literal(name + ': ')} || {_shown(quoted(f'g_{name}'))} || "
            + literal(f" is before {_EARLIEST} or after {last}"),
        )


def _intervals(bindings: Mapping[str, Binding]) -> Iterator[Rule]:
    pairs = [(Reason.ENDS_BEFORE_START, start, end) for start, end in _INTERVALS]
    pairs += [
        (Reason.CLOSED_BEFORE_OPENED, "opened_at", after) for after in _AFTER_OPENING
    ]
    for reason, start, end in pairs:
        if start in bindings and end in bindings:
            yield Rule(
                reason,
                f"{quoted(end)} < {quoted(start)}",
                f"{literal(end + ' ')} || {_shown(quoted(f'g_{end}'))} || "
                f"{literal(f' is before {start} ')} || {_shown(quoted(f'g_{start}'))}",
            )


def _shown(value: str) -> str:
    return f"'\"' || left({value}::VARCHAR, {_SHOWN}) || '\"'"
