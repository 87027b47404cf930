"""What onboarding adds to the page of an account: how far it came, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from perennial.apps.customers.account import Account
from perennial.apps.customers.kept import kept
from perennial.apps.onboarding import queries, words
from perennial.apps.onboarding.queries import Standing
from perennial.apps.team.access import TeamRequest
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.core.onboarding import Step
from perennial.lake import places
from perennial.lake.places import Done, Place
from perennial.lake.workspace import Workspace as Lake

#: People of a flow that are listed, who began last.
_FEW: Final = 3


@dataclass(frozen=True)
class Line:
    """A step of somebody's, done or not."""

    step: Step
    done: Done | None

    @property
    def icon(self) -> str:
        return words.ICONS[self.step.by]

    @property
    def is_by_hand(self) -> bool:
        return self.step.by == "hand"


@dataclass(frozen=True)
class Way:
    """An account or a person in a flow, with the steps."""

    row: Standing
    lines: list[Line]

    @property
    def place(self) -> Place:
        return self.row.place

    @property
    def taken(self) -> int:
        """Steps done, of those that have to be."""
        chain = self.place.progress.flow.chain
        return sum(name in self.place.progress.done for name in chain)


def panel(request: TeamRequest, account: Account) -> SafeString | str:
    """The flows an account is in, and those of its people who are still there."""
    lake = lake_of(request.workspace)
    every = _of_account(lake, account.account_id)
    if not every:
        return ""
    accounts = [p for p in every if p.user_id is None]
    people = [p for p in every if p.user_id is not None]
    shown = [*accounts, *people[:_FEW]]
    ways = [_way(row) for row in queries.rows(request.workspace, shown)]
    context = {
        "account": account,
        "ways": ways,
        "more": len(every) - len(shown),
        "today": lake.today,
        "may_edit": request.membership.covers(Role.MEMBER),
        "here": request.get_full_path(),
    }
    return render_to_string("onboarding/account_panel.html", context, request)


def _way(row: Standing) -> Way:
    steps = row.place.progress.flow.steps
    return Way(row, [Line(step, row.place.done.get(step.name)) for step in steps])


@kept(*queries.STANDING)
def _of_account(lake: Lake, account_id: str) -> list[Place]:
    """Without people who are switched off: nobody can help them on."""
    found = places.places(lake, account=account_id)
    return [place for place in found if not place.is_off]
