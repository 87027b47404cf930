"""What is known of a person and guides: what the rules of `core.guiding` look at, and
which items of a list are ticked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Q

from perennial.apps.customers.kept import kept
from perennial.apps.guides.models import Guide, Invited, Showing, Told
from perennial.apps.onboarding import progress as onboarding
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core import guides as documents
from perennial.core.guiding import INTERRUPTING, Reader, Shown
from perennial.core.windows import local_date
from perennial.lake import deeds
from perennial.lake.respondents import Person
from perennial.lake.workspace import Workspace as Lake


@dataclass
class Known:
    """One person and all guides of a workspace, read at once."""

    workspace: Workspace
    person: Person

    @cached_property
    def _showings(self) -> dict[int, Showing]:
        found = Showing.objects.filter(
            guide__workspace=self.workspace, person=self.person.user_id
        )
        return {each.guide_id: each for each in found.select_related("guide")}

    @cached_property
    def _invited(self) -> set[int]:
        account = self.person.account_id
        if not account:
            return set()
        found = Invited.objects.filter(
            guide__workspace=self.workspace, account_id=account
        )
        return set(found.values_list("guide_id", flat=True))

    def showing(self, guide: Guide) -> Showing | None:
        return self._showings.get(guide.pk)

    def variant(self, guide: Guide) -> str:
        found = self.showing(guide)
        return found.variant if found else ""

    def reader(self, guide: Guide) -> Reader:
        """The person as they stand before a guide."""
        between = (
            each.began_on
            for each in self._showings.values()
            if each.times
            and each.guide.form in INTERRUPTING
            and each.guide_id != guide.pk
        )
        return Reader(
            person=self.person.user_id,
            account=self.person.account_id,
            first_seen_on=self.person.first_seen_on,
            is_own=self.person.is_own,
            is_invited=guide.pk in self._invited,
            guided_on=max(between, default=None),
            seen=frozenset(k for k, s in self._showings.items() if s.seen_at),
            finished=frozenset(k for k, s in self._showings.items() if s.finished_at),
        )

    def shown(self, guide: Guide) -> Shown:
        """What became of a guide so far."""
        found, zone = self.showing(guide), lake_of(self.workspace).settings.tz
        if found is None:
            return Shown()

        def day(at: datetime | None) -> object:
            return local_date(at, zone) if at else None

        return Shown(
            times=found.times,
            began_on=found.began_on,
            finished_on=day(found.finished_at),  # type: ignore[arg-type]
            dismissed_on=day(found.dismissed_at),  # type: ignore[arg-type]
            lost_on=day(found.lost_at),  # type: ignore[arg-type]
            snoozed_until=found.snoozed_until,
            is_held_out=found.variant == "held_out",
        )


def ticked(showing: Showing, document: documents.Guide, person: Person) -> set[str]:
    """The items of a list that are done: those the browser ticked, those whose event,
    or step of a flow, is in the lake, and those that are done by using them."""
    items, workspace = document.content(showing.variant).items, showing.guide.workspace
    used = [item.id for item in items if _is_done_by_use(workspace, item, person)]
    told = showing.told.filter(
        Q(did=Told.Did.STEP) | Q(did=Told.Did.CLICKED, step__in=used)
    ).values_list("step", flat=True)
    events = tuple(sorted({item.event for item in items if item.event}))
    did = _did(lake_of(workspace), person.user_id, events) if events else frozenset()
    steps = {
        f"{flow}/{step}"
        for flow in _flows(document, showing.variant)
        for step, at in _in_flow(workspace, flow, person).items()
        if at is not None
    }
    done = (item.id for item in items if item.event in did or item.step in steps)
    return {*told, *done}


def _is_done_by_use(workspace: Workspace, item: documents.Item, person: Person) -> bool:
    if not item.step:
        return not item.event
    flow, _slash, step = item.step.partition("/")
    account = person.account_id or None
    return onboarding.is_ticked_by_lists(workspace, flow, step, person.user_id, account)


def is_in_flows(
    workspace: Workspace, document: documents.Guide, person: Person
) -> bool:
    """Is a person in every flow whose steps a list names? A list of steps they were
    never to take is not for them."""
    return all(_in_flow(workspace, flow, person) for flow in _flows(document, "a"))


def _flows(document: documents.Guide, variant: str) -> list[str]:
    items = document.content(variant).items
    return sorted({item.step.partition("/")[0] for item in items if item.step})


def _in_flow(
    workspace: Workspace, flow: str, person: Person
) -> Mapping[str, datetime | None]:
    account = person.account_id or None
    return onboarding.progress_of(workspace, flow, person.user_id, account)


@kept("feature_days", "event_definitions", size=4_096)
def _did(lake: Lake, user_id: str, events: tuple[str, ...]) -> frozenset[str]:
    return deeds.did(lake, user_id, events)
