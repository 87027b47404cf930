"""Goals and milestones of success plans, as reviews and plans on paper show them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.utils.translation import gettext as _

from perennial.apps.reports import values
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.apps.work.models import Milestone
from perennial.apps.work.plans import queries as plans
from perennial.ui import formats
from perennial.ui.documents import Bar
from perennial.ui.formats import Regional


def goal_bar(
    line: plans.GoalLine, workspace: Workspace, day: date, regional: Regional
) -> Bar:
    """A goal in the unit of the metric that follows it."""
    goal = line.goal
    metric = lake_of(workspace).catalog.get(goal.metric)
    unit = metric.unit if metric else "count"
    words = {
        "from": values.text(goal.baseline, unit, regional),
        "to": values.text(goal.target, unit, regional),
        "due": formats.day(goal.due_on, regional, day),
    }
    detail = _("from %(from)s to %(to)s by %(due)s") % words
    return Bar(goal.title, detail, line.share, values.text(goal.value, unit, regional))


def milestone_items(
    stones: Sequence[Milestone],
    day: date,
    regional: Regional,
    *,
    with_side: bool = True,
) -> list[tuple[str, str]]:
    """Each with who does it, and when it was done or is due."""
    found = []
    for stone in stones:
        when = _("no date")
        if stone.done_on:
            done = formats.day(stone.done_on, regional, day)
            when = _("done %(day)s") % {"day": done}
        elif stone.due_on:
            due = formats.day(stone.due_on, regional, day)
            when = _("due %(day)s") % {"day": due}
        side = f"{stone.get_side_display()} · " if with_side else ""
        found.append((stone.title, f"{side}{when}"))
    return found
