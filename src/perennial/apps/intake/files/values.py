"""SQL that turns a source value into the declared type; null where it cannot.

A cast of '3.7' to BIGINT rounds, and casts take '1_000' and '0x1F': text is matched
against a pattern first and cast after. Dates and times are in `times`.

The steps of a value: `given_sql` (is it there?), `tidy_sql` (one notation for
times), `value_sql` (the type).
"""

from __future__ import annotations

from perennial.apps.intake.files.given import Format, Given
from perennial.apps.intake.files.sql import any_of, literal
from perennial.apps.intake.files.times import date_sql, tidy_time, time_sql
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
#: Whole numbers that clocks measure: their fractions are rounded, those of counts are
#: mistakes.
MEASURED = ("duration_ms", "seconds")
#: Columns that end an interval: 9999-12-31 there means "never".
ENDS = ("ends_at", "valid_to", "term_end", "paused_to")
_NEVER = r"^9999-|[-./]9999(\D|$)"

_PLAIN_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_NUMBER_FRINGE = r"[\s\x{a0}\x{202f}$€£¥]+"
_MONTH, _FIRST = r"^(\d{4}-\d{1,2})$", r"\1-01"


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
    is_end = column.name in ENDS
    if given.kind in ("text", "string", "json"):
        text = f"({text_of(given)})"
        is_there = f"lower({text}) NOT IN {any_of(_NOTHING)}"
        if is_end:
            is_there += f" AND NOT regexp_matches({text}, {literal(_NEVER)})"
        return f"CASE WHEN {is_there} THEN {text} END"
    if given.kind == "float":
        return f"CASE WHEN NOT isnan({given.sql}) THEN {given.sql} END"
    if is_end and given.kind in ("date", "local", "instant"):
        return f"CASE WHEN year({given.sql}) < 9999 THEN {given.sql} END"
    return given.sql


def tidy_sql(column: Column, given: Given, form: Format) -> str | None:
    """A time in text, in ISO notation; None where there is nothing to tidy."""
    is_text = given.kind in ("text", "string", "json")
    if column.type not in ("date", "timestamp") or not is_text or "%" in form.date:
        return None
    text = given.sql
    if column.name == "month":  # 2026-01 is the first of it
        text = f"regexp_replace({text}, {literal(_MONTH)}, {literal(_FIRST)})"
    return tidy_time(text, form.date)


def value_sql(column: Column, given: Given, form: Format, zone: str) -> str:
    """The value as the column's type, from the steps before."""
    if given.kind in ("string", "json"):
        given = Given(given.sql, "text")
    match column.type:
        case "string":
            return _choice(column, given.sql) if column.choices else given.sql
        case "int" | "float" | "money":
            return _number(column, given, form)
        case "bool":
            return _boolean(given)
        case "date":
            return date_sql(given, form, zone)
        case "timestamp":
            return time_sql(given, form, zone)
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


def _number(column: Column, given: Given, form: Format) -> str:
    c = given.sql
    if given.kind == "text":
        c = number_text(c, form.decimal)
    elif given.kind == "bool":
        c = f"{c}::INTEGER"
    elif given.kind not in ("int", "float", "decimal"):
        c = "NULL::VARCHAR"
    if column.type == "money":
        return f"try_cast({c} AS DECIMAL(18, 4))"
    if column.type == "float":
        number = f"try_cast({c} AS DOUBLE)"
        return f"CASE WHEN isfinite({number}) THEN {number} END"
    if given.kind == "int":
        return f"try_cast({c} AS BIGINT)"
    number = f"try_cast({c} AS DECIMAL(38, 10))"
    if column.name in MEASURED:
        return f"try_cast(round({number}) AS BIGINT)"
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
