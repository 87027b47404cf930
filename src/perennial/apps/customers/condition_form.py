"""The form that edits a condition row by row, for every page that has one.

A page puts `editor(...)` into its context, includes `customers/condition.html` in a
form of its own, and reads `document_of(request.POST)` when that form is sent. With
JavaScript each change asks again for the rows and their counts; without it the
buttons of the form do. Groups inside the outermost one are counted as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from django.http import QueryDict
from django.utils.translation import gettext as _

from perennial.apps.customers import condition_words as words
from perennial.apps.customers.condition_tree import (
    Nest,
    Part,
    of_document,
    of_form,
    to_document,
)
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
#: Groups within groups that the form offers; deeper ones are shown as well.
_DEEPEST = 3


@dataclass(frozen=True)
class Line:
    """One row of the form, named by its place. `input` is how its value is given:
    options, number, date, text, nothing. A group has `lines` and `joins` instead."""

    n: str
    field: str = ""
    operators: Sequence[Option] = ()
    input: str = ""
    value: str = ""
    options: Sequence[Option] = ()
    unit: str = ""
    days: int | None = None
    problem: str = ""
    count: int | None = None
    joins: Sequence[Option] = ()
    lines: Sequence[Line] = ()

    @property
    def chosen(self) -> Sequence[str]:
        return [str(option.label) for option in self.options if option.on]

    @property
    def is_outermost(self) -> bool:
        return "-" not in self.n

    @property
    def may_nest(self) -> bool:
        """A group inside it would still be one that people understand."""
        return self.n.count("-") + 1 < _DEEPEST

    @property
    def every(self) -> Iterator[Line]:
        yield self
        for line in self.lines:
            yield from line.every


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
        counts = [f"#count-{line.n}" for line in self.lines]
        every = (each for line in self.lines for each in line.every)
        chosen = [f"#chosen-{each.n}" for each in every if each.input == "options"]
        return ",".join((*counts, *chosen))

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
    tree = _tree(given)
    lake = lake_of(workspace)
    choices = words.Choices(workspace)
    lines, read, problem = [], [], ""
    for n, part in enumerate(tree.parts):
        lines.append(_line(str(n), part, choices))
        try:
            read.append((str(n), conditions.read(to_document(part))))
        except BadValue:  # its row says what is missing
            continue
    join: Literal["all", "any"] = "any" if tree.join == "any" else "all"
    condition = Group(join, tuple(each for _, each in read))
    try:
        found = matching.counts(lake, condition)
    except PerennialError as error:
        found, problem = [], str(error)
    counts = dict(zip((n for n, _ in read), found, strict=False))
    return Editor(
        join,
        [replace(line, count=counts.get(line.n)) for line in lines],
        words.fields(choices),
        condition,
        problem,
        may_edit,
    )


def document_of(sent: QueryDict) -> dict[str, Any]:
    """The document of a form; what is not complete is refused when it is read."""
    return to_document(_tree(sent))


def _tree(given: QueryDict | Mapping[str, Any]) -> Nest:
    if isinstance(given, QueryDict):
        return of_form(given, _row, {"field": _FIRST, "op": "is"})
    return of_document(given)


# --- what was sent -----------------------------------------------------------


def _row(data: QueryDict, n: str) -> dict[str, Any]:
    """A row as a document."""
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


def _line(n: str, part: Part, choices: words.Choices) -> Line:
    if isinstance(part, Nest):
        inside = [_line(f"{n}-{m}", p, choices) for m, p in enumerate(part.parts)]
        problem = "" if inside else _("A group needs a condition.")
        return Line(n, lines=inside, joins=words.joins(part.join), problem=problem)
    key, op, value = part.get("field", ""), part.get("op", ""), part.get("value")
    about, problem = condition_fields.field(str(key)), _problem(part)
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


def _problem(row: Mapping[str, Any]) -> str:
    """Why a row cannot be read; the place is where it stands."""
    try:
        conditions.read(row)
    except BadValue as error:
        return str(error).rpartition(": ")[2]
    return ""


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
