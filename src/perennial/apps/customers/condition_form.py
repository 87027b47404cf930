"""The form that edits a condition row by row, for every page that has one.

A page puts `editor(...)` into its context, includes `customers/condition.html` in a
form of its own, and reads `document_of(request.POST)` when that form is sent. With
JavaScript each change asks again for the rows and their counts; without it the
buttons of the form do. Groups inside the outermost one are shown and kept as they
are: people write those as YAML.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import QueryDict

from perennial.apps.customers import condition_words as words
from perennial.apps.customers.condition_words import Option, OptionGroup
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.errors import BadValue, PerennialError
from perennial.lake import matching
from perennial.metrics import condition_fields, conditions
from perennial.metrics.condition_fields import BARE, OPERATORS, Field
from perennial.metrics.conditions import USUAL_DAYS, Condition, Group

#: What a new row speaks of.
_FIRST = "health_color"
_LISTED = ("is", "is_not")


@dataclass(frozen=True)
class Line:
    """One row of the form. `input` is how its value is given: options, number, date,
    text, nothing; `group` is a nested group in words, which has no inputs."""

    n: int
    group: str = ""
    kept: str = ""
    field: str = ""
    operators: Sequence[Option] = ()
    input: str = ""
    value: str = ""
    options: Sequence[Option] = ()
    unit: str = ""
    days: int | None = None
    problem: str = ""
    count: int | None = None

    @property
    def chosen(self) -> Sequence[str]:
        return [str(option.label) for option in self.options if option.on]


@dataclass(frozen=True)
class Editor:
    """The form as a page shows it."""

    join: str
    lines: Sequence[Line]
    fields: Sequence[OptionGroup]
    condition: Condition
    problem: str = ""
    may_edit: bool = True

    @property
    def outputs(self) -> str:
        """What a change of a value brings up to date, without closing its menu."""
        shown = [f"#count-{line.n},#chosen-{line.n}" for line in self.lines]
        return ",".join(shown)

    @property
    def total(self) -> int | None:
        counted = [line.count for line in self.lines if line.count is not None]
        return counted[-1] if counted else None


def editor(
    workspace: Workspace,
    given: QueryDict | Mapping[str, Any],
    *,
    may_edit: bool = True,
) -> Editor:
    """The form for what was sent, or for a document as it is stored."""
    parts = _sent(given) if isinstance(given, QueryDict) else _stored(given)
    join = _join(given)
    lake = lake_of(workspace)
    choices = words.Choices(workspace)
    lines, read, problem = [], [], ""
    for n, part in enumerate(parts):
        try:
            read.append((n, conditions.read(part)))
            said = ""
        except BadValue as error:
            said = str(error).rpartition(": ")[2]
        lines.append(_line(n, part, choices, said))
    condition = Group(join, tuple(each for _, each in read))
    try:
        found = matching.counts(lake, condition)
    except PerennialError as error:
        found, problem = [], str(error)
    counts = dict(zip((n for n, _ in read), found, strict=False))
    return Editor(
        join,
        [replace(line, count=counts.get(line.n)) for line in lines],
        words.fields(lake),
        condition,
        problem,
        may_edit,
    )


def document_of(sent: QueryDict) -> dict[str, Any]:
    """The document of a form; what is not complete is refused when it is read."""
    return {_join(sent): list(_sent(sent))}


def _join(given: QueryDict | Mapping[str, Any]) -> Any:
    if isinstance(given, QueryDict):
        said = given.get("do", "").removeprefix("join_")
        join = said if said in ("all", "any") else given.get("join")
        return "any" if join == "any" else "all"
    return "any" if "any" in given else "all"


def _stored(document: Mapping[str, Any]) -> list[Any]:
    """The rows of a document; what is no group of rows is one row."""
    for join in ("all", "any"):
        if join in document:
            return list(document[join])
    return [document]


# --- what was sent -----------------------------------------------------------


def _sent(data: QueryDict) -> Iterator[Any]:
    """Each row as a document, in order; `do` adds one or takes one away."""
    do = data.get("do", "")
    for name in data.getlist("row"):
        if do != f"remove.{name}" and name.isdecimal():
            yield _part(data, name)
    if do == "add_condition":
        yield {"field": _FIRST, "op": "is"}


def _part(data: QueryDict, n: str) -> Any:
    kept = data.get(f"kept.{n}")
    if kept:
        try:
            return json.loads(kept)
        except ValueError:
            return {}
    key = data.get(f"field.{n}", "")
    about = condition_fields.field(key)
    if about is None:
        return {"field": key}
    op = data.get(f"op.{n}", "")
    if op not in OPERATORS[about.kind] or data.get(f"was.{n}", key) != key:
        op = OPERATORS[about.kind][0]
    part: dict[str, Any] = {"field": key, "op": op}
    value = _value(about, op, data.getlist(f"value.{n}"))
    if data.get(f"was.{n}", key) != key:
        value = None  # what was said of another field is not meant for this one
    if value is not None:
        part["value"] = value
    if about.kind == "count":
        days = data.get(f"days.{n}", "")
        part["days"] = int(days) if days.isdecimal() else USUAL_DAYS
    return part


def _value(about: Field, op: str, given: Sequence[str]) -> Any:
    texts = [text.strip() for text in given if text.strip()]
    if op in BARE or not texts:
        return None
    if op in _LISTED:
        if about.kind == "attribute":  # typed, separated by commas
            texts = [each.strip() for text in texts for each in text.split(",")]
        return [text for text in texts if text]
    if op in ("before", "from", "contains"):
        return texts[0]
    number = texts[0].replace("\u00a0", "").replace(" ", "").replace(",", ".")
    try:
        found = float(number)
    except ValueError:
        return texts[0]
    return round(found / 100, 6) if about.unit == "share" else found


# --- as it is shown ----------------------------------------------------------


def _line(n: int, part: Any, choices: words.Choices, problem: str) -> Line:
    if not isinstance(part, Mapping) or "field" not in part:
        try:
            said = words.sentence(conditions.read(part), choices)
        except BadValue:
            said = json.dumps(part)
        return Line(n, group=said, kept=json.dumps(part), problem=problem)
    key, op, value = part["field"], part.get("op", ""), part.get("value")
    about = condition_fields.field(str(key))
    if about is None:
        return Line(n, field=str(key), problem=problem)
    options: Sequence[Option] = ()
    shape = _shape(about, op)
    if shape == "options":
        chosen = [value] if isinstance(value, str) else list(value or ())
        options = choices.options(about, chosen)
    operators = [
        Option(each, words.operator(each), on=each == op)
        for each in OPERATORS[about.kind]
    ]
    return Line(
        n,
        field=about.key,
        operators=operators,
        input=shape,
        value=_shown(about, value) if shape != "options" else "",
        options=options,
        unit=words.unit(about, op, choices.currency),
        days=part.get("days", USUAL_DAYS) if about.kind == "count" else None,
        problem=problem if value is not None else "",
    )


def _shape(about: Field, op: str) -> str:
    if op in BARE:
        return ""
    if op in _LISTED:
        return "text" if about.kind in ("attribute", "text") else "options"
    if op in ("before", "from"):
        return "date"
    return "text" if op == "contains" else "number"


def _shown(about: Field, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, int | float):
        number = round(value * 100, 4) if about.unit == "share" else value
        return f"{number:g}" if abs(number) < 1e6 else f"{number:.10g}"
    return str(value)
