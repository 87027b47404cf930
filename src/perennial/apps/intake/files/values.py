"""SQL that turns a source value into the declared type; null where it cannot.

Three traps of DuckDB 2.0 shape this module: a cast of text to TIMESTAMP drops an
offset in silence, a cast of '3.7' to BIGINT rounds, and casts take '1_000' and
'0x1F'. So text is matched against a pattern first and cast after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from perennial.apps.intake.files.model import EPOCHS
from perennial.apps.intake.files.sources import Kind
from perennial.apps.intake.files.sql import any_of, literal
from perennial.lake.tables import Column

_SPACE = "' ' || chr(9) || chr(10) || chr(13) || chr(160)"
#: What exporters write for "no value" in columns that are not text.
_NOTHING = ("null", "none", "nan", "nat", "n/a", "\\n", "-")
_TRUE = ("true", "t", "yes", "y", "1", "1.0", "on")
_FALSE = ("false", "f", "no", "n", "0", "0.0", "off")
#: Other words for a choice, compared as `choice_key` writes them.
_SYNONYMS = {
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "quarterly": "quarter",
    "semiannual": "half_year",
    "halfyear": "half_year",
    "annual": "year",
    "annually": "year",
    "yearly": "year",
    "canceled": "cancelled",
    "email": "e-mail",
}
#: Columns that end an interval: 9999-12-31 there means "never".
_ENDS = ("ends_at", "valid_to", "term_end", "paused_to")

_DAY = r"\d{4}-\d{1,2}-\d{1,2}"
_CLOCK = r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d{1,9})?)?"
_LOCAL = rf"{_DAY}({_CLOCK})?"
_INSTANT = rf"{_DAY}{_CLOCK}([zZ]|[+-]\d{{2}}(:?\d{{2}})?)"
_HALF_DAY = rf"{_DAY}[ T]\d{{1,2}}:\d{{2}}(:\d{{2}})? ?[AaPp]\.?[Mm]\.?"
_PLAIN_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_NUMBER_FRINGE = r"[\s\x{a0}\x{202f}$€£¥]+"


@dataclass(frozen=True)
class Given:
    """A source value in SQL: where it is, and what kind of value stands there."""

    sql: str
    kind: Kind


@dataclass(frozen=True)
class Format:
    """How one column writes numbers and times.

    `date`: iso, dmy, mdy; s, ms, us, ns since 1970; or a strptime pattern.
    """

    decimal: str = "."
    date: str = "iso"


PLAIN = Format()
#: Formats of source values, by their SQL.
Formats = Mapping[str, Format]


def text_of(given: Given) -> str:
    """The value as text."""
    c = given.sql
    if given.kind in ("text", "string"):
        return c
    if given.kind == "json":
        text = f"nullif(trim({c}::JSON ->> '$', {_SPACE}), '')"
        return f"CASE WHEN left({c}, 1) = '\"' THEN {text} ELSE {c} END"
    if given.kind == "nested":
        return f"to_json({c})::VARCHAR"
    if given.kind == "float":
        whole = f"{c} = floor({c}) AND abs({c}) < 1e15"
        return (
            f"CASE WHEN isfinite({c}) THEN CASE WHEN {whole} "
            f"THEN {c}::BIGINT::VARCHAR ELSE {c}::VARCHAR END END"
        )
    return f"{c}::VARCHAR"


def given_sql(column: Column, given: Given) -> str:
    """The value before conversion; null where the source says there is none."""
    if column.type in ("string", "json"):
        return text_of(given)
    if given.kind in ("text", "string", "json"):
        text = f"({text_of(given)})"
        return f"CASE WHEN lower({text}) NOT IN {any_of(_NOTHING)} THEN {text} END"
    if given.kind == "float":
        return f"CASE WHEN NOT isnan({given.sql}) THEN {given.sql} END"
    return given.sql


def value_sql(column: Column, given: Given, form: Format, zone: str) -> str:
    """The value as the column's type, from what `given_sql` made of it."""
    if given.kind in ("string", "json"):
        given = Given(given.sql, "text")
    match column.type:
        case "string":
            return _choice(column, given.sql) if column.choices else given.sql
        case "int" | "float" | "money":
            return _number(column.type, given, form)
        case "bool":
            return _boolean(given)
        case "date":
            day = _date(given, form, zone)
            return _without_never(column, day)
        case "timestamp":
            return _without_never(column, _timestamp(given, form, zone))
        case "json":
            return given.sql


def choice_key(text: str) -> str:
    """How choices are compared: case, space, hyphen and underscore do not count."""
    return "".join(character for character in text.lower() if character.isalnum())


def _choice(column: Column, text: str) -> str:
    known = {choice_key(choice): choice for choice in column.choices}
    for word, choice in _SYNONYMS.items():
        if choice in column.choices:
            known.setdefault(choice_key(word), choice)
    cases = " ".join(
        f"WHEN {literal(key)} THEN {literal(choice)}" for key, choice in known.items()
    )
    return f"CASE regexp_replace(lower({text}), '[^a-z0-9]', '', 'g') {cases} END"


def _boolean(given: Given) -> str:
    c = given.sql
    if given.kind == "bool":
        return c
    if given.kind in ("int", "float", "decimal"):
        return f"CASE {c} WHEN 1 THEN true WHEN 0 THEN false END"
    if given.kind != "text":
        return "NULL::BOOLEAN"
    return (
        f"CASE WHEN lower({c}) IN {any_of(_TRUE)} THEN true "
        f"WHEN lower({c}) IN {any_of(_FALSE)} THEN false END"
    )


def _number(type_: str, given: Given, form: Format) -> str:
    c = given.sql
    if given.kind == "text":
        c = number_text(c, form.decimal)
    elif given.kind == "bool":
        c = f"{c}::INTEGER"
    elif given.kind not in ("int", "float", "decimal"):
        c = "NULL::VARCHAR"
    if type_ == "money":
        return f"try_cast({c} AS DECIMAL(18, 4))"
    if type_ == "float":
        number = f"try_cast({c} AS DOUBLE)"
        return f"CASE WHEN isfinite({number}) THEN {number} END"
    if given.kind == "int":
        return f"try_cast({c} AS BIGINT)"
    number = f"try_cast({c} AS DECIMAL(38, 10))"
    return f"CASE WHEN {number} = floor({number}) THEN try_cast({number} AS BIGINT) END"


def number_text(text: str, decimal: str) -> str:
    """Text of a number in SQL's own notation; null where it is not a number.

    Groups of thousands are taken only where they are groups of three.
    """
    group = ", '’" if decimal == "." else ". '’"
    group += r"\x{a0}\x{202f}"
    point = r"\." if decimal == "." else ","
    bare = f"regexp_replace({text}, '^{_NUMBER_FRINGE}|{_NUMBER_FRINGE}$', '', 'g')"
    grouped = rf"[+-]?\d{{1,3}}([{group}]\d{{3}})+({point}\d*)?"
    plain = rf"[+-]?(\d+{point}?\d*|{point}\d+)([eE][+-]?\d+)?"
    digits = f"regexp_replace({bare}, {literal(f'[{group}]')}, '', 'g')"
    point_only = (
        f"CASE WHEN regexp_full_match({bare}, {literal(grouped)}) THEN {digits} "
        f"WHEN regexp_full_match({bare}, {literal(plain)}) THEN {bare} END"
    )
    if decimal == ",":
        return f"replace({point_only}, ',', '.')"
    return (
        f"CASE WHEN regexp_full_match({text}, {literal(_PLAIN_NUMBER)}) THEN {text} "
        f"ELSE {point_only} END"
    )


def _timestamp(given: Given, form: Format, zone: str) -> str:
    c = given.sql
    if given.kind == "instant":
        return f"{c}::TIMESTAMPTZ"
    if given.kind in ("local", "date"):
        return f"timezone({literal(zone)}, {c}::TIMESTAMP)"
    if given.kind in ("int", "float", "decimal"):
        if form.date in EPOCHS:
            return _epoch(f"{c}::DOUBLE", form.date)
        return _read_time(f"try_cast({c} AS BIGINT)::VARCHAR", "iso", zone)
    if given.kind != "text":
        return "NULL::TIMESTAMPTZ"
    if form.date in EPOCHS:
        number = f"try_cast({c} AS DOUBLE)"
        digits = literal(r"-?\d+(\.\d+)?")
        return (
            f"CASE WHEN regexp_full_match({c}, {digits}) "
            f"THEN {_epoch(number, form.date)} ELSE {_read_time(c, 'iso', zone)} END"
        )
    if "%" in form.date:
        parsed = f"try_strptime({c}, {literal(form.date)})"
        return parsed if "%z" in form.date else f"timezone({literal(zone)}, {parsed})"
    return _read_time(c, form.date, zone)


def _date(given: Given, form: Format, zone: str) -> str:
    if given.kind in ("date", "local"):
        return f"{given.sql}::DATE"
    return f"timezone({literal(zone)}, {_timestamp(given, form, zone)})::DATE"


def _without_never(column: Column, value: str) -> str:
    if column.name not in _ENDS:
        return value
    return f"CASE WHEN year({value}) < 9999 THEN {value} END"


def _epoch(number: str, unit: str) -> str:
    factor = {"s": "1e6", "ms": "1e3", "us": "1", "ns": "1e-3"}[unit]
    micros = f"({number} * {factor})"
    return (
        f"CASE WHEN abs({micros}) < 9e15 THEN "
        f"timezone('UTC', make_timestamp(round({micros})::BIGINT)) END"
    )


def _read_time(text: str, order: str, zone: str) -> str:
    """An instant from text; an offset in the text wins over the zone."""
    text = _year_first(text, order)
    return _read_iso(text, zone, otherwise=_read_loose(text, zone))


def _read_iso(text: str, zone: str, *, otherwise: str) -> str:
    return (
        f"CASE WHEN regexp_full_match({text}, {literal(_LOCAL)}) "
        f"THEN timezone({literal(zone)}, try_cast({text} AS TIMESTAMP)) "
        f"WHEN regexp_full_match({text}, {literal(_INSTANT)}) "
        f"THEN try_cast({text} AS TIMESTAMPTZ) ELSE {otherwise} END"
    )


def _read_loose(text: str, zone: str) -> str:
    """Other ways to write the same, and 12-hour clocks."""
    loose = text
    for pattern, replacement in (
        (r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})", r"\1-\2-\3"),
        (r"^(\d{4})(\d{2})(\d{2})([T ]|$)", r"\1-\2-\3\4"),
        (r"([T ])(\d{2})(\d{2})(\d{2})(\D|$)", r"\1\2:\3:\4\5"),
        (r"(:\d{2}),(\d)", r"\1.\2"),
        (r" ?(UTC|GMT)$", "Z"),
        (r" ([+-]\d{2}:?\d{0,2}|Z)$", r"\1"),
    ):
        loose = f"regexp_replace({loose}, {literal(pattern)}, {literal(replacement)})"
    patterns = "['%Y-%m-%d %I:%M %p', '%Y-%m-%d %I:%M:%S %p']"
    clock = f"regexp_replace({text}, ' ?([AaPp])\\.?[Mm]\\.?$', ' \\1M')"
    half_day = (
        f"CASE WHEN regexp_full_match({text}, {literal(_HALF_DAY)}) THEN "
        f"timezone({literal(zone)}, "
        f"try_strptime(replace(upper({clock}), 'T', ' '), {patterns})) END"
    )
    return _read_iso(loose, zone, otherwise=half_day)


def _year_first(text: str, order: str) -> str:
    """Dates written dd.mm.yyyy or mm/dd/yyyy as yyyy-mm-dd, the rest as it is."""
    if order not in ("dmy", "mdy"):
        return text
    day_month = r"\2-\1" if order == "dmy" else r"\1-\2"
    start = r"^(\d{1,2})[-./ ](\d{1,2})[-./ ]"
    for year, full in (
        (r"(\d{4})(\D|$)", r"\3"),
        (r"([0-6]\d)(\D|$)", r"20\3"),
        (r"([7-9]\d)(\D|$)", r"19\3"),
    ):
        replacement = rf"{full}-{day_month}\4"
        text = (
            f"regexp_replace({text}, {literal(start + year)}, {literal(replacement)})"
        )
    # "31.12.2025, 23:59" is how German spreadsheets write a time.
    return f"regexp_replace({text}, '^(\\d{{4}}-\\d{{1,2}}-\\d{{1,2}}), *', '\\1 ')"
