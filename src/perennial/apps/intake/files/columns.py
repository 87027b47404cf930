"""Which source column feeds which column of the table, and which table it is."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from perennial.apps.intake.files.given import Given
from perennial.apps.intake.files.model import ImportOptions
from perennial.apps.intake.files.sources import SourceColumn, listed
from perennial.apps.intake.files.sql import column as named
from perennial.apps.intake.files.sql import literal
from perennial.apps.intake.files.values import text_of
from perennial.core.errors import BadValue, UnknownName
from perennial.lake.tables import FACTS, Column, Table

#: A table is recognized when it explains at least this share of a file's columns.
_EXPLAINED = 1 / 3
_NESTABLE = ("json", "nested", "text", "string")
_ALIAS_WEIGHT = 0.8
_KEY_WEIGHT = 0.5


@dataclass(frozen=True)
class Binding:
    """Where a column's values come from: `label` for people, `given` in SQL."""

    column: Column
    label: str
    given: Given
    is_constant: bool = False


@dataclass(frozen=True)
class Plan:
    """What goes where. `extras` are source columns kept in `properties`."""

    table: Table
    bindings: Mapping[str, Binding]
    extras: tuple[SourceColumn, ...]

    @property
    def labels(self) -> dict[str, str]:
        return {name: binding.label for name, binding in self.bindings.items()}


def fold(name: str) -> str:
    """A column name without case, spaces, underscores and camel case."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in text if character.isalnum())


def find(name: str, columns: Sequence[SourceColumn]) -> SourceColumn | None:
    """A source column by its exact name, or else by its folded one."""
    for column in columns:
        if column.name == name:
            return column
    wanted = fold(name)
    folded = [column for column in columns if wanted and fold(column.name) == wanted]
    return folded[0] if len(folded) == 1 else None


def match(
    table: Table,
    columns: Sequence[SourceColumn],
    *,
    used: frozenset[str] = frozenset(),
    skip: frozenset[str] = frozenset(),
) -> dict[str, SourceColumn]:
    """Target columns found by name, then by alias.

    A source column in `used` is only taken by its own name.
    """
    by_name: dict[str, SourceColumn] = {}
    exact = {column.name: column for column in columns}
    for column in columns:
        by_name.setdefault(fold(column.name), column)
    found = {
        target.name: exact.get(target.name) or by_name[fold(target.name)]
        for target in table
        if target.name not in skip and fold(target.name) in by_name
    }
    taken = set(used) | {column.name for column in found.values()}
    for target in table:
        if target.name in found or target.name in skip:
            continue
        for alias in target.aliases:
            column_found = by_name.get(fold(alias))
            if column_found is not None and column_found.name not in taken:
                found[target.name] = column_found
                taken.add(column_found.name)
                break
    return found


def plan(table: Table, columns: Sequence[SourceColumn], options: ImportOptions) -> Plan:
    """The plan of an import; raises `BadValue` where it cannot work."""
    _check_targets(table, options)
    bindings = _mapped(table, columns, options.mapping)
    for name, value in options.constants.items():
        constant = Given(literal(value), "text")
        bindings[name] = Binding(table[name], f"= {value}", constant, is_constant=True)
    # Only a column taken whole is used up: parts of templates and paths are not.
    whole = frozenset(
        binding.label for name, binding in bindings.items() if not binding.is_constant
    )
    found = match(table, columns, used=whole, skip=frozenset(bindings))
    for name, column in found.items():
        _check_one_fits(name, column, columns)
        given = Given(named(column.index), column.kind)
        bindings[name] = Binding(table[name], column.name, given)
    _check_required(table, bindings, columns)
    direct = {binding.given.sql for binding in bindings.values()}
    extras = tuple(c for c in columns if named(c.index) not in direct)
    order = {name: bindings[name] for name in table.names if name in bindings}
    return Plan(table, order, extras)


def _check_one_fits(
    target: str, found: SourceColumn, columns: Sequence[SourceColumn]
) -> None:
    """Of several columns with the name, none is taken silently for the others."""
    # Beside `name`, as the table calls it, a `Name` is not meant.
    alike = str if found.called == target else fold
    like = [c.name for c in columns if alike(c.called) == alike(found.called)]
    if len(like) > 1:
        ways = " or ".join(f"--map {target}={name}" for name in like)
        raise BadValue(f"the file has {len(like)} columns for {target}: say {ways}")


def _check_targets(table: Table, options: ImportOptions) -> None:
    named_targets = {*options.mapping, *options.constants}
    unknown = sorted(named_targets - set(table.names))
    if unknown:
        raise BadValue(
            f"{table.name} has no column {', '.join(unknown)}; "
            f"it has {', '.join(table.names)}"
        )


def _mapped(
    table: Table, columns: Sequence[SourceColumn], mapping: Mapping[str, str]
) -> dict[str, Binding]:
    bindings = {}
    missing: list[str] = []
    for name, source in mapping.items():
        found = _resolve(source, columns)
        if isinstance(found, Given):
            column = find(source, columns)
            label = column.name if column else source
            bindings[name] = Binding(table[name], label, found)
        else:
            missing += found
    if missing:
        raise BadValue(
            f"the file has no column {', '.join(sorted(set(missing)))}; "
            f"it has {listed(columns)}"
        )
    return bindings


def _resolve(source: str, columns: Sequence[SourceColumn]) -> Given | list[str]:
    """What a mapping names: a column, a path into one, a template; or what it lacks."""
    column = find(source, columns)
    if column is not None:
        return Given(named(column.index), column.kind)
    if "{" in source:
        return _template(source, columns)
    first, _, path = source.partition(".")
    column = find(first, columns)
    if column is None or not path or column.kind not in _NESTABLE:
        return [source]
    steps = "".join(f'."{step}"' for step in path.replace('"', "").split("."))
    value = f"({text_of(Given(named(column.index), column.kind))})"
    return Given(
        f"(CASE WHEN json_valid({value}) "
        f"THEN json_extract({value}, {literal('$' + steps)})::VARCHAR END)",
        "json",
    )


def _template(source: str, columns: Sequence[SourceColumn]) -> Given | list[str]:
    """Text with source columns in it; null where one of them is null."""
    try:
        parts = list(string.Formatter().parse(source))
    except ValueError as error:
        raise BadValue(f"{source!r} is not a template: {error}") from error
    pieces: list[str] = []
    missing: list[str] = []
    for text, name, spec, conversion in parts:
        if spec or conversion:
            raise BadValue(f"{source!r}: a template only names columns, {{column}}")
        if text:
            pieces.append(literal(text))
        if name is None:
            continue
        column = find(name, columns)
        if column is None:
            missing.append(name)
        else:
            pieces.append(f"({text_of(Given(named(column.index), column.kind))})")
    return missing or Given("(" + " || ".join(pieces) + ")", "text")


def _check_required(
    table: Table, bindings: Mapping[str, Binding], columns: Sequence[SourceColumn]
) -> None:
    missing = [name for name in table.required if name not in bindings]
    groups = [
        " or ".join(group)
        for group in table.one_of
        if not any(name in bindings for name in group)
    ]
    if missing or groups:
        raise BadValue(
            f"{table.name} needs {', '.join(missing + groups)}, which the file does "
            f"not have; map it from one of {listed(columns)} "
            "(--map column=source), or give it a value (--constant column=value)"
        )


def recognize_table(
    columns: Sequence[SourceColumn], options: ImportOptions, *, file_name: str
) -> Table:
    """The table a file is meant for, from its columns; its name breaks a tie."""
    scores = {
        table.name: score
        for table in FACTS.values()
        if (score := _score(table, columns, options)) > 0
    }
    if not scores:
        raise BadValue(
            f"no table fits the columns {listed(columns)}; "
            f"name one of {', '.join(FACTS)}"
        )
    best = max(scores.values())
    likely = [name for name, score in scores.items() if best - score < 0.25]
    if len(likely) > 1:
        hinted = [name for name in likely if fold(name) in fold(file_name)]
        likely = hinted or likely
    if len(likely) > 1:
        raise BadValue(f"the file may be {' or '.join(likely)}: name the table")
    return FACTS[likely[0]]


def _score(
    table: Table, columns: Sequence[SourceColumn], options: ImportOptions
) -> float:
    """How well a table fits: 0 when something it needs is missing."""
    named_targets = {*options.mapping, *options.constants}
    if not named_targets <= set(table.names):
        return 0.0
    found = match(table, columns, skip=frozenset(named_targets))
    has = named_targets | set(found)
    if not has >= set(table.required):
        return 0.0
    if any(not has & set(group) for group in table.one_of):
        return 0.0
    if len(has) < _EXPLAINED * len(columns):
        return 0.0
    exact = sum(fold(name) == fold(column.name) for name, column in found.items())
    key = sum(name in has for name in table.key) / max(len(table.key), 1)
    return (
        len(named_targets)
        + exact
        + _ALIAS_WEIGHT * (len(found) - exact)
        + _KEY_WEIGHT * key
    )


def fact_table(
    name: str,
    columns: Sequence[SourceColumn],
    options: ImportOptions,
    *,
    file_name: str,
) -> Table:
    """The fact table called `name`, or for "auto" the one the columns fit."""
    if name == "auto":
        return recognize_table(columns, options, file_name=file_name)
    if name not in FACTS:
        raise UnknownName("table", name, [*FACTS, "auto"])
    return FACTS[name]
