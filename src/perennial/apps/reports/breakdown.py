"""A number in its parts: by a dimension, and by the rows it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perennial.apps.customers.words import name_of, owner_names
from perennial.apps.reports import asked as asking
from perennial.apps.reports import values
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.board import Numbers, ask, missed
from perennial.apps.reports.menus import Choice
from perennial.apps.reports.results import Answers, Question, Row
from perennial.apps.reports.values import Change
from perennial.apps.team.access import TeamRequest
from perennial.metrics.dimensions import IN_SEGMENT
from perennial.metrics.registry import Metric
from perennial.ui.formats import Regional

Text = str | Promise

#: Rows a table shows; the file has all of them.
MOST = 20

#: Attributes of accounts to split by, in this order; others follow by name.
DIMENSIONS: dict[str, Text] = {
    "class": gettext_lazy("Class"),
    "color": gettext_lazy("Color"),
    "segment": gettext_lazy("Segment"),
    IN_SEGMENT: gettext_lazy("Saved segment"),
    "plan": gettext_lazy("Plan"),
    "country": gettext_lazy("Country"),
    "region": gettext_lazy("Region"),
    "industry": gettext_lazy("Industry"),
    "owner_email": gettext_lazy("Owner"),
    "tier": gettext_lazy("Tier"),
    "lifecycle_stage": gettext_lazy("Stage"),
}
#: What metrics can be split by of themselves.
OWN: dict[str, Text] = {
    "feature": gettext_lazy("Feature"),
    "area": gettext_lazy("Area"),
    "cause": gettext_lazy("Cause"),
    "step": gettext_lazy("Step"),
    "flow": gettext_lazy("Flow"),
    "stage": gettext_lazy("Stage"),
    "source": gettext_lazy("Source"),
    "kind": gettext_lazy("Kind"),
    "last_step": gettext_lazy("Last step"),
    "survey": gettext_lazy("Survey"),
    "wave": gettext_lazy("Wave"),
    "role": gettext_lazy("Role"),
    "touchpoint": gettext_lazy("Touchpoint"),
    "language": gettext_lazy("Language"),
    "scale": gettext_lazy("Scale"),
    "channel": gettext_lazy("Channel"),
    "topic": gettext_lazy("Topic"),
    "priority": gettext_lazy("Priority"),
    "direction": gettext_lazy("Direction"),
    "mailbox": gettext_lazy("Mailbox"),
    "endpoint": gettext_lazy("Endpoint"),
    "service": gettext_lazy("Service"),
    "measure": gettext_lazy("Measure"),
}
#: Attributes that are no groups: every account has its own.
_SINGLE = {
    *("created_at", "domain", "employees", "onboarding_completed_at"),
    *("parent_account_id", "currency"),
}


@dataclass(frozen=True)
class Part:
    """A line of the table; `share` is its bar, of the longest."""

    name: str
    value: str
    n: int | None
    change: Change | None
    share: float
    missed: str = ""


@dataclass(frozen=True)
class Breakdown:
    title: str
    by: Text
    choices: list[Choice]
    parts: list[Part]
    total: Part | None
    more: int
    adds_up: bool
    is_whole: bool


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


def dimensions(answers: Answers, metric: Metric) -> list[str]:
    """By what the number can be split, and there is something to split."""
    names = answers.keep(
        "dimensions",
        ("accounts", "account_attributes", "segment_members"),
        lambda: _filled(answers),
    )
    known = [name for name in DIMENSIONS if name in names]
    known += sorted(name for name in names if name not in DIMENSIONS)
    if not metric.is_of_accounts:
        known = []
    own = [name for name in metric.dimensions if name in OWN]
    known[2:2] = own
    return [*metric.makes, *known] if metric.focus else known


def _filled(answers: Answers) -> list[str]:
    """Attributes with at least two values; columns of accounts and others alike."""
    accounts = answers.lake.table("accounts")
    names = [n for n in answers.lake.account_attributes if n not in _SINGLE]
    columns = [name for name in names if name in accounts.columns]
    if not columns:
        return []
    counted = accounts.agg(**{name: accounts[name].nunique() for name in columns})
    counts = answers.lake.engine.run(counted).row(0, named=True)
    filled = [name for name in names if counts.get(name, 2) > 1]
    members = answers.lake.table("segment_members")
    live = answers.lake.engine.run(members.filter(members.ends_on.isnull()).limit(1))
    return filled if live.is_empty() else [*filled, IN_SEGMENT]


def table(
    answers: Answers,
    metric: Metric,
    asked: Asked,
    found: Numbers,
    request: TeamRequest,
) -> Breakdown | None:
    known = dimensions(answers, metric)
    if not known:
        return None
    by = asked.by if asked.by in known else known[0]
    now, before = split(answers, metric, asked, by)
    names = _names(answers, by, [row.group for row in now], request)
    parts = _table_parts(now, before, metric, names, request.regional)
    is_own = by in metric.makes
    if is_own or by == "segment":
        parts = [
            replace(part, missed=_missed(answers, metric, asked, by, row, request))
            for part, row in zip(parts, _ordered(now), strict=True)
        ]
    return Breakdown(
        title=_("By %(dimension)s") % {"dimension": str(title_of(by)).lower()},
        by=title_of(by),
        choices=[Choice(title_of(d), asked.url(by=d), d == by) for d in known],
        parts=parts[:MOST],
        total=None if is_own else _total(found, metric, request.regional),
        is_whole=is_own and _close(sum(row.value or 0 for row in now), 1),
        more=max(len(parts) - MOST, 0),
        adds_up=_adds_up(sum_of(now), found.now),
    )


def title_of(name: str) -> Text:
    named = DIMENSIONS.get(name) or OWN.get(name)
    return named or name.replace("_", " ").capitalize()


def split(
    answers: Answers, metric: Metric, asked: Asked, by: str
) -> tuple[list[Row], list[Row]]:
    """The rows of the parts, now and before."""
    period = asking.period_of(asked.period, answers.today)
    earlier = asking.before(asked.period, period, asked.compare)
    is_own = by in metric.makes
    more = () if is_own else (by,)
    both = [
        answers.rows(ask(metric, asked, span, by=more)) for span in (period, earlier)
    ]
    if not is_own:
        both = [values.focus(metric, rows) for rows in both]
    return both[0], both[1]


def _table_parts(
    now: list[Row],
    before: list[Row],
    metric: Metric,
    names: Mapping[str, str],
    regional: Regional,
) -> list[Part]:
    old = {row.group: row.value for row in before}
    longest = max((row.value or 0 for row in now), default=0) or 1
    return [
        Part(
            names.get(row.group or "") or row.group or _("not set"),
            values.text(row.value, metric.unit, regional),
            row.n,
            values.change(row.value, old.get(row.group), metric),
            (row.value or 0) / longest,
        )
        for row in _ordered(now)
    ]


def _ordered(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: -(row.value if row.value is not None else -1))


def _missed(
    answers: Answers,
    metric: Metric,
    asked: Asked,
    by: str,
    row: Row,
    request: TeamRequest,
) -> str:
    """Does a segment or class miss its own target?"""
    of = replace(asked, segment=row.group or "") if by == "segment" else asked
    group = row.group or "" if by in metric.makes else metric.focus
    own = replace(metric, focus=group)
    return missed(answers, own, of, row.value, request.regional)


def _total(found: Numbers, metric: Metric, regional: Regional) -> Part | None:
    if found.now is None:
        return None
    value = values.text(found.now.value, metric.unit, regional)
    return Part(_("All"), value, found.now.n, found.change, 1)


def _names(
    answers: Answers, by: str, ids: Iterable[str | None], request: TeamRequest
) -> Mapping[str, str]:
    """Names where the values are ids or addresses."""
    if by in ("class", "color"):
        return {key: str(name) for key, name in values.CLASSES.items()}
    if by == IN_SEGMENT:
        return {s.key: s.name for s in request.workspace.segments.all()}
    if by == "feature":
        return feature_names(answers)
    if by == "owner_email":
        people = owner_names(request.workspace)
        return {email: name_of(email, people) for email in ids if email}
    return {}


def feature_names(answers: Answers) -> dict[str, str]:
    """Names of features by id; an id without a name stands for itself."""

    def compute() -> dict[str, str]:
        features = answers.lake.table("features").select("feature_id", "name")
        rows = answers.lake.engine.run(features).iter_rows()
        return {key: name or key for key, name in rows}

    return answers.keep("features", ("features",), compute)


def behind(
    answers: Answers, metric: Metric, asked: Asked, found: Numbers, regional: Regional
) -> Behind:
    """The largest rows behind the number, and whether all of them add up."""
    entity = entity_of(metric, asked)
    rows = sum_behind(answers, metric, asked)
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
        adds_up=_adds_up(rows, total),
    )


def entity_of(metric: Metric, asked: Asked) -> str:
    """Accounts, unless the number counts something else and that is asked for, or
    knows nothing of single accounts."""
    if asked.rows == metric.entity or "account" not in metric.dimensions:
        return metric.entity
    return "account"


def sum_behind(answers: Answers, metric: Metric, asked: Asked) -> Sum:
    """What the rows behind a number come to; kept, which the rows are not."""
    entity, question = _behind(answers, metric, asked)
    return answers.kept(
        f"behind by {entity}",
        question,
        lambda: sum_of(behind_rows(answers, metric, asked)),
    )


def behind_rows(answers: Answers, metric: Metric, asked: Asked) -> list[Row]:
    """All rows, those first that weigh most."""
    entity, question = _behind(answers, metric, asked)
    rows = answers.rows_now(question, behind=entity == metric.entity)
    rows = [row for row in values.focus(metric, rows) if row.n or row.numerator]
    return sorted(rows, key=weight, reverse=True)


def _behind(answers: Answers, metric: Metric, asked: Asked) -> tuple[str, Question]:
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


def names_in(answers: Answers, table: str, ids: Sequence[str]) -> dict[str, str]:
    found = answers.lake.table(table)
    key = found[{"accounts": "account_id", "users": "user_id"}[table]]
    name = found.name if table == "accounts" else found.name.coalesce(found.email)
    rows = found.filter(key.isin(ids)).select(id=key, name=name)
    return {i: n for i, n in answers.lake.engine.run(rows).iter_rows() if n}


def _adds_up(rows: Sum, total: Row | None) -> bool:
    """Do the parts give the number: their values, or what those are made of?"""
    if total is None or total.value is None or total.numerator is None:
        return False
    if not rows.count:
        return False
    if _close(rows.value, total.value):
        return True
    if total.denominator is not None and not (
        _close(rows.denominator, total.denominator) and values.is_quotient(total)
    ):
        return False
    return _close(rows.numerator, total.numerator)


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-6 * max(abs(one), abs(other), 1)


def _sum_text(rows: Sum, total: Row | None, metric: Metric, regional: Regional) -> str:
    if total is None or total.numerator is None:
        return ""
    top = values.part_text(rows.numerator, metric.unit, regional)
    value = values.text(total.value, metric.unit, regional)
    if total.denominator is None:
        return top if top == value else f"{top} = {value}"
    return f"{top} / {values.divisor(rows.denominator, regional)} = {value}"
