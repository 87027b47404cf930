"""A number split by a dimension: each part, its change, and whether they add up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from perennial.apps.customers.words import name_of, owner_names
from perennial.apps.reports import asked as asking
from perennial.apps.reports import values
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.behind import MOST, adds_up, is_close, sum_of
from perennial.apps.reports.board import Numbers, ask, missed
from perennial.apps.reports.dimensions import Text, dimensions, feature_names, title_of
from perennial.apps.reports.menus import Choice
from perennial.apps.reports.results import Answers, Row
from perennial.apps.reports.values import Change
from perennial.apps.team.access import TeamRequest
from perennial.metrics.dimensions import IN_SEGMENT
from perennial.metrics.registry import Metric
from perennial.ui.formats import Regional


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
        is_whole=is_own and is_close(sum(row.value or 0 for row in now), 1),
        more=max(len(parts) - MOST, 0),
        adds_up=adds_up(sum_of(now), found.now),
    )


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
