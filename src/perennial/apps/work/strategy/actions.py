"""Verbs of the strategy: the vision, and objectives that metrics follow."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils.translation import gettext as _

from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.team.roles import Role
from perennial.apps.work.models import Objective, Vision
from perennial.core.errors import BadValue, PerennialError
from perennial.core.windows import Grain, add_months, floor
from perennial.lake.workspace import Workspace as Lake


@transaction.atomic
def say_vision(by: Membership, text: str) -> Vision:
    """Admins write it; everybody reads it."""
    must_cover(by, Role.ADMIN)
    vision, _new = Vision.objects.update_or_create(
        workspace=by.workspace,
        defaults={
            "text": text.strip(),
            "by": by.user,
            "changed_at": lake_of(by.workspace).now,
        },
    )
    record(by.workspace, by.user, "strategy.vision_changed")
    return vision


@transaction.atomic
def add_objective(
    by: Membership, *, title: str, metric: str, target: float, due_on: date
) -> Objective:
    """From where the metric stands today; raises `BadValue` where it says nothing."""
    must_cover(by, Role.ADMIN)
    lake = lake_of(by.workspace)
    if not title.strip():
        raise BadValue(_("An objective needs a title."))
    if due_on <= lake.today:
        raise BadValue(_("An objective is due in the future."))
    now = value_of(lake, metric)
    if now is None:
        raise BadValue(_("This metric says nothing yet."))
    if now == target:
        raise BadValue(_("It stands there already."))
    made = Objective.objects.create(
        workspace=by.workspace,
        title=title.strip()[:200],
        metric=metric,
        baseline=now,
        target=target,
        starts_on=lake.today,
        due_on=due_on,
        value=now,
        measured_at=lake.now,
    )
    record(by.workspace, by.user, "strategy.objective_added", made.title)
    return made


@transaction.atomic
def archive(objective: Objective, by: Membership) -> None:
    must_cover(by, Role.ADMIN)
    objective.archived_at = lake_of(by.workspace).now
    objective.save(update_fields=["archived_at"])
    record(by.workspace, by.user, "strategy.objective_archived", objective.title)


def value_of(lake: Lake, metric: str) -> float | None:
    """The metric of the whole company: of today for stocks, else of the last month.

    Raises `UnknownName` and `BadValue` for a metric that is not one number.
    """
    entry = lake.entry(metric)
    if entry.makes and not entry.focus:
        raise BadValue(_("This metric is not one number."))
    end = lake.today if entry.stock else floor(lake.today, Grain.MONTH)
    start = None if entry.stock else add_months(end, -1)
    asked = {"as_of": end} if start is None else {"start": start, "end": end}
    rows = lake.metric(metric, **asked).rows  # type: ignore[arg-type]
    for made in entry.makes:
        rows = rows.filter(rows[made] == entry.focus)
    values = rows["value"].drop_nulls().to_list()
    return float(values[0]) if len(values) == 1 else None


def measure(workspace: Workspace) -> int:
    """Follow every objective that is not over; how many moved."""
    lake, moved = lake_of(workspace), 0
    for objective in workspace.objectives.filter(
        archived_at=None, due_on__gte=lake.today
    ):
        try:
            value = value_of(lake, objective.metric)
        except PerennialError:
            continue  # a metric that is gone leaves its objective as it was
        if value is not None and value != objective.value:
            objective.value, objective.measured_at = value, lake.now
            objective.save(update_fields=["value", "measured_at"])
            moved += 1
    return moved
