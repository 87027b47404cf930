"""A success plan on paper: goals with their way, milestones of both sides."""

from __future__ import annotations

from datetime import date

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from perennial.apps.team.models import Workspace
from perennial.apps.work.documents.goals import goal_bar, milestone_items
from perennial.apps.work.plans.queries import PlanLine
from perennial.ui import formats
from perennial.ui.documents import A4, Bars, Column, Document, Fact, Items, Page
from perennial.ui.formats import Regional

#: Goals that stay together on a page.
_FEW = 8


def compose(
    workspace: Workspace, line: PlanLine, regional: Regional, today: date
) -> Document:
    """What the page for the customer shows, and no more: it may be handed over."""
    plan = line.plan
    name = line.account.name if line.account else plan.account_id
    blocks: list[Bars | Items] = []
    paragraphs = [part.strip() for part in plan.summary.splitlines() if part.strip()]
    if paragraphs:
        blocks.append(Items(_("What it is for"), [(part, "") for part in paragraphs]))
    bars = [goal_bar(goal, workspace, today, regional) for goal in line.goals]
    blocks += [
        Bars(_("Goals") if n == 0 else "", bars[n : n + _FEW])
        for n in range(0, len(bars), _FEW)
    ]
    blocks += _milestones(line, today, regional)
    words = {"done": line.reached, "of": len(line.goals)}
    lead = _("%(done)s of %(of)s goals reached,") % words
    done = {"done": line.done, "of": len(line.milestones)}
    rest = _("%(done)s of %(of)s milestones done.") % done
    as_of = formats.day(today, regional, date.min)
    page = Page(plan.title, lead, rest, [Column(blocks)], _owners(line, name))
    return Document(
        title=plan.title,
        author=workspace.name,
        footer=f"{workspace.name} · {_('Success plan')} · {name} · {as_of}",
        language=get_language() or "en",
        pages=[page],
        size=A4,
    )


def _milestones(line: PlanLine, today: date, regional: Regional) -> list[Items]:
    """Those of each side, in their order."""
    titles = {"ours": pgettext("next steps", "What we do"), "theirs": _("What you do")}
    found = []
    for side, title in titles.items():
        stones = [stone for stone in line.milestones if stone.side == side]
        items = milestone_items(stones, today, regional, with_side=False)
        if items:
            found.append(Items(title, items, numbered=True))
    return found


def _owners(line: PlanLine, name: str) -> list[Fact]:
    plan = line.plan
    ours = plan.owner.display_name if plan.owner else formats.EMPTY
    return [
        Fact(_("Customer"), name),
        Fact(_("Responsible with us"), ours),
        Fact(_("Responsible with you"), plan.customer_owner or formats.EMPTY),
    ]
