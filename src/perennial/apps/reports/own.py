"""Metrics of one's own: what they are, what a new one would say, making them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from perennial.apps.jobs.actions import enqueue
from perennial.apps.reports import values
from perennial.apps.reports.results import Answers
from perennial.apps.team.access import TeamRequest
from perennial.apps.team.actions import record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, Workspace
from perennial.core.windows import DAY, Grain, Period, floor
from perennial.lake import definitions
from perennial.metrics.custom import Definition, entry
from perennial.ui.charts.parts import period_text

#: Weeks of a preview.
WEEKS = 13


@dataclass(frozen=True)
class Line:
    """A metric of one's own in a list: the newest version, and how many there are."""

    kept: definitions.Kept
    is_retired: bool


@dataclass(frozen=True)
class Preview:
    """What a definition says of the last weeks: each with its value and its bar."""

    weeks: list[tuple[str, str, float]]
    course: list[float | None]
    value: str
    n: int
    formula: str


def versions(workspace: Workspace, key: str) -> list[definitions.Kept]:
    """Every version of a metric of one's own, oldest first."""
    kept = definitions.history(lake_of(workspace).lake)
    return [one for one in kept if one.definition.key == key]


def lines(workspace: Workspace) -> list[Line]:
    """Those in force first, by title."""
    newest = {k.definition.key: k for k in definitions.history(lake_of(workspace).lake)}
    order = sorted(
        newest.values(), key=lambda k: (k.is_retired, k.definition.title.lower())
    )
    return [Line(kept, kept.is_retired) for kept in order]


def columns(workspace: Workspace, table: str) -> list[str]:
    """What conditions and columns can speak of."""
    if table == "events":
        return ["event", "user_id", "account_id", _("any property of the events")]
    return definitions.columns(table) if table in definitions.COUNTED else []


def define(by: Membership, definition: Definition) -> Definition:
    """Keep it; events are counted in the background."""
    lake = lake_of(by.workspace)
    made = definitions.define(
        lake.lake,
        {k: v for k, v in definition.values.items() if k != "version"},
        by=by.user.email,
        at=lake.now,
    )
    record(by.workspace, by.user, "metric.defined", made.key, version=made.version)
    if made.is_of_events:
        enqueue("refresh", by.workspace, by=by.user)
    return made


def said(made: Definition) -> str:
    facts = {"title": made.title, "version": made.version}
    if made.is_of_events:
        return (
            _("%(title)s is kept as version %(version)s. Its events are being counted.")
            % facts
        )
    return _("%(title)s is kept as version %(version)s.") % facts


def retire(by: Membership, key: str) -> None:
    lake = lake_of(by.workspace)
    definitions.retire(lake.lake, key, by=by.user.email, at=lake.now)
    record(by.workspace, by.user, "metric.retired", key)


def preview(request: TeamRequest, definition: Definition) -> Preview:
    """The last complete weeks, and what all of them come to."""
    answers = Answers(request.workspace)
    end = floor(answers.today, Grain.WEEK, answers.lake.settings.calendar)
    span = Period(end - DAY * 7 * WEEKS, end)
    tables = (definition.table, "accounts", "users", "identities", "memberships")
    weeks, whole = answers.keep(
        f"preview {definition!r} {span}",
        tables,
        lambda: _tried(answers, definition, span),
    )
    metric = entry(definition, definitions.source(definition.table), 1)
    most = max((abs(value) for _at, value in weeks if value), default=1)
    regional = request.regional
    return Preview(
        [
            (
                period_text(at, "week", regional),
                values.text(value, metric.unit, regional),
                abs(value or 0) / most,
            )
            for at, value in weeks
        ],
        [value for _at, value in weeks],
        values.text(whole["value"], metric.unit, regional),
        whole["n"] or 0,
        metric.formula,
    )


def _tried(
    answers: Answers, definition: Definition, span: Period
) -> tuple[list[tuple[Any, float | None]], dict[str, Any]]:
    by_week = answers.lake.tried(definition, span, Grain.WEEK).rows
    (whole,) = answers.lake.tried(definition, span, Grain.TOTAL).to_dicts()
    return list(by_week.select("period_start", "value").iter_rows()), whole
