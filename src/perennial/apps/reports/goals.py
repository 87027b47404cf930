"""Targets on screen: what is set, and which customers are below or above."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perennial.apps.reports import values
from perennial.apps.reports.dimensions import names_in
from perennial.apps.reports.results import Answers, Question, Row
from perennial.apps.team.actions import record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership
from perennial.core.windows import DAY
from perennial.lake import targets as store
from perennial.metrics.registry import Metric
from perennial.metrics.targets import Standing, Target, find
from perennial.ui.formats import Regional

#: Customers a list shows.
MOST = 50

_TITLES: Mapping[Standing, str | Promise] = {
    "needs_support": gettext_lazy("Need support"),
    "ready_to_expand": gettext_lazy("Ready to expand"),
}


@dataclass(frozen=True)
class Line:
    """A target as text; values that are not set are empty."""

    segment: str
    group: str
    target: str
    floor: str
    ceiling: str
    changed_by: str
    changed_at: datetime | None


@dataclass(frozen=True)
class Customer:
    account_id: str
    name: str
    segment: str
    group: str
    value: str
    limit: str


@dataclass(frozen=True)
class Group:
    """Customers a target says the same of; the list is cut, the count is not."""

    title: str | Promise
    customers: list[Customer]
    count: int


def set_target(by: Membership, target: Target) -> None:
    lake = lake_of(by.workspace)
    store.change(lake.lake, target, by=by.user.email, at=lake.now)
    verb = "target.removed" if target.is_empty else "target.set"
    what = {"segment": target.segment, "group": target.group}
    record(by.workspace, by.user, verb, target.metric, **what)


def lines(answers: Answers, metric: Metric, regional: Regional) -> list[Line]:
    def text(value: float | None) -> str:
        return "" if value is None else values.text(value, metric.unit, regional)

    return [
        Line(
            t.segment,
            str(values.CLASSES.get(t.group, t.group)),
            text(t.target),
            text(t.floor),
            text(t.ceiling),
            t.changed_by,
            t.changed_at,
        )
        for t in answers.targets
        if t.metric == metric.key
    ]


def standings(answers: Answers, metric: Metric, regional: Regional) -> list[Group]:
    """Customers below a floor or above a ceiling, those furthest off first."""
    known = [t for t in answers.targets if t.metric == metric.key]
    bounded = [t for t in known if t.floor is not None or t.ceiling is not None]
    if not bounded or "account" not in metric.dimensions:
        return []
    found: dict[Standing, list[tuple[float, Row, Target]]] = {}
    for row in _by_account(answers, metric):
        group = row.groups.get(metric.makes[0]) or "" if metric.makes else ""
        target = find(bounded, metric, row.groups.get("segment") or "", group)
        standing = target.standing(row.value, metric) if target else ""
        if target and standing and row.value is not None:
            limit = _limit(target, row.value)
            found.setdefault(standing, []).append((abs(row.value - limit), row, target))
    return [
        _group(answers, metric, title, found[name], regional)
        for name, title in _TITLES.items()
        if name in found
    ]


def _by_account(answers: Answers, metric: Metric) -> list[Row]:
    """The last complete window of every account."""
    end = answers.today
    start = end - DAY * metric.window(answers.lake.settings)
    has_segments = "segment" in answers.lake.account_attributes
    by = ("account", "segment") if has_segments else ("account",)
    return answers.rows(Question(metric.key, start, end, by=by))


def _limit(target: Target, value: float) -> float:
    """The bound the value is beyond."""
    if target.floor is not None and value < target.floor:
        return target.floor
    assert target.ceiling is not None
    return target.ceiling


def _group(
    answers: Answers,
    metric: Metric,
    title: str | Promise,
    rows: list[tuple[float, Row, Target]],
    regional: Regional,
) -> Group:
    shown = sorted(rows, key=lambda r: (-r[0], r[1].groups["account"] or ""))[:MOST]
    ids = [row.groups["account"] or "" for _far, row, _target in shown]
    names = names_in(answers, "accounts", ids)
    customers = []
    for id_, (_far, row, target) in zip(ids, shown, strict=True):
        assert row.value is not None
        limit = _limit(target, row.value)
        sign = "<" if row.value < limit else ">"
        customers.append(
            Customer(
                id_,
                names.get(id_) or id_ or _("not set"),
                row.groups.get("segment") or "",
                str(values.CLASSES.get(target.group, target.group)),
                values.text(row.value, metric.unit, regional),
                f"{sign} {values.text(limit, metric.unit, regional)}",
            )
        )
    return Group(title, customers, len(rows))
