"""The rows a number is made of: the largest, and whether all of them add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.urls import reverse
from django.utils.translation import gettext as _

from perennial.apps.reports import asked as asking
from perennial.apps.reports import values
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.board import Numbers, ask
from perennial.apps.reports.dimensions import Text, names_in, title_of
from perennial.apps.reports.menus import Choice
from perennial.apps.reports.results import Answers, Question, Row
from perennial.metrics.registry import Metric
from perennial.ui.formats import Regional

#: Rows a table shows; the file has all of them.
MOST = 20


@dataclass(frozen=True)
class Line:
    """A row behind the number."""

    name: str
    url: str
    value: str
    numerator: str
    denominator: str
    share: float


@dataclass(frozen=True)
class Sum:
    """What a page says of rows that may be as many as there are accounts: the largest
    of them, and what all come to."""

    largest: Sequence[Row]
    count: int
    has_parts: bool
    value: float
    numerator: float
    denominator: float


@dataclass(frozen=True)
class Behind:
    entity: str
    choices: list[Choice]
    lines: list[Line]
    count: int
    has_parts: bool
    sum_text: str
    adds_up: bool
    what: str = ""

    @property
    def title(self) -> Text:
        return title_of(self.entity)


def shown(
    answers: Answers, metric: Metric, asked: Asked, found: Numbers, regional: Regional
) -> Behind:
    """The largest rows behind the number, and whether all of them add up."""
    entity = entity_of(metric, asked)
    rows = summed(answers, metric, asked)
    made = made_of(answers, entity, rows, found.now, metric, regional)
    return replace(made, choices=_entities(metric, asked, entity))


def made_of(
    answers: Answers,
    entity: str,
    rows: Sum,
    total: Row | None,
    metric: Metric,
    regional: Regional,
) -> Behind:
    """The largest of the rows that make a total, and whether all of them add up."""
    shown = rows.largest
    names = _entity_names(answers, entity, [row.groups.get(entity) for row in shown])
    longest = max((abs(weight(row)) for row in shown), default=0) or 1
    return Behind(
        entity=entity,
        choices=[],
        lines=[_line(r, entity, names, metric, regional, longest) for r in shown],
        count=rows.count,
        has_parts=rows.has_parts,
        sum_text=_sum_text(rows, total, metric, regional),
        adds_up=adds_up(rows, total),
    )


def entity_of(metric: Metric, asked: Asked) -> str:
    """Accounts, unless the number counts something else and that is asked for, or
    knows nothing of single accounts."""
    if asked.rows == metric.entity or "account" not in metric.dimensions:
        return metric.entity
    return "account"


def summed(answers: Answers, metric: Metric, asked: Asked) -> Sum:
    """What the rows behind a number come to; kept, which the rows are not."""
    entity, question = _asked(answers, metric, asked)
    return answers.kept(
        f"behind by {entity}",
        question,
        lambda: sum_of(every(answers, metric, asked)),
    )


def every(answers: Answers, metric: Metric, asked: Asked) -> list[Row]:
    """All rows, those first that weigh most."""
    entity, question = _asked(answers, metric, asked)
    rows = answers.rows_now(question, behind=entity == metric.entity)
    rows = [row for row in values.focus(metric, rows) if row.n or row.numerator]
    return sorted(rows, key=weight, reverse=True)


def _asked(answers: Answers, metric: Metric, asked: Asked) -> tuple[str, Question]:
    """Of whom the rows behind a number are, and the question they answer."""
    entity = entity_of(metric, asked)
    by = () if entity == metric.entity else (entity,)
    return entity, ask(
        metric, asked, asking.period_of(asked.period, answers.today), by=by
    )


def sum_of(rows: Sequence[Row]) -> Sum:
    """Of rows in their order, those first that weigh most."""
    return Sum(
        rows[:MOST],
        len(rows),
        any(row.denominator not in (None, 1.0) for row in rows),
        sum(row.value or 0 for row in rows),
        sum(row.numerator or 0 for row in rows),
        sum(row.denominator or 0 for row in rows),
    )


def weight(row: Row) -> float:
    """What a row brings to the number: its numerator."""
    return row.numerator or 0.0


def _entities(metric: Metric, asked: Asked, entity: str) -> list[Choice]:
    if metric.entity == "account" or "account" not in metric.dimensions:
        return []
    names = {"account": _("Accounts"), "user": _("Users")}
    return [
        Choice(
            names.get(name, name.capitalize()),
            asked.url(rows="" if name == "account" else name),
            name == entity,
        )
        for name in ("account", metric.entity)
    ]


def _line(
    row: Row,
    entity: str,
    names: Mapping[str, str],
    metric: Metric,
    regional: Regional,
    longest: float,
) -> Line:
    id_ = row.groups.get(entity) or ""
    url = (
        reverse("customers:account", args=[id_]) if entity == "account" and id_ else ""
    )
    return Line(
        names.get(id_) or id_ or _("not set"),
        url,
        values.text(row.value, metric.unit, regional),
        values.part_text(row.numerator, metric.unit, regional),
        values.divisor(row.denominator, regional),
        abs(weight(row)) / longest,
    )


def _entity_names(
    answers: Answers, entity: str, ids: Sequence[str | None]
) -> dict[str, str]:
    wanted = [id_ for id_ in ids if id_]
    table = {"account": "accounts", "user": "users"}.get(entity)
    if table is None or not wanted:
        return {}
    return answers.keep(
        f"{table} {wanted}", (table,), lambda: names_in(answers, table, wanted)
    )


def adds_up(rows: Sum, total: Row | None) -> bool:
    """Do the parts give the number: their values, or what those are made of?"""
    if total is None or total.value is None or total.numerator is None:
        return False
    if not rows.count:
        return False
    if is_close(rows.value, total.value):
        return True
    if total.denominator is not None and not (
        is_close(rows.denominator, total.denominator) and values.is_quotient(total)
    ):
        return False
    return is_close(rows.numerator, total.numerator)


def is_close(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-6 * max(abs(one), abs(other), 1)


def _sum_text(rows: Sum, total: Row | None, metric: Metric, regional: Regional) -> str:
    if total is None or total.numerator is None:
        return ""
    top = values.part_text(rows.numerator, metric.unit, regional)
    value = values.text(total.value, metric.unit, regional)
    if total.denominator is None:
        return top if top == value else f"{top} = {value}"
    return f"{top} / {values.divisor(rows.denominator, regional)} = {value}"
