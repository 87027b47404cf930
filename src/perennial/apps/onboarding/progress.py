"""What guides ask of onboarding: flows, and how far a person got in one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from perennial.apps.customers.kept import kept
from perennial.apps.jobs import actions as jobs
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.onboarding import Per, Step
from perennial.lake import flowbook, places
from perennial.lake.entries import ENTRIES, STEPS
from perennial.lake.flowbook import Book
from perennial.lake.places import Place
from perennial.lake.workspace import Workspace as Lake


@dataclass(frozen=True)
class Flow:
    """A flow in force."""

    name: str
    per: Per
    steps: tuple[Step, ...]


def flows(workspace: Workspace) -> list[Flow]:
    """Flows people can enter, by name."""
    found = _books(lake_of(workspace)).values()
    return [
        Flow(book.name, book.flow.per, book.flow.steps)
        for book in found
        if not book.is_stopped
    ]


def steps_of(workspace: Workspace, flow: str) -> list[str]:
    """Names of the steps of the version in force, in order; none for no such flow."""
    book = _books(lake_of(workspace)).get(flow)
    return [step.name for step in book.flow.steps] if book else []


def progress_of(
    workspace: Workspace, flow: str, person: str, account: str | None
) -> Mapping[str, datetime | None]:
    """Step and when it was completed, None: not yet; empty for who is not in the flow.

    In the order of the version they follow.
    """
    place = _place(lake_of(workspace), flow, person, account)
    if place is None:
        return {}
    done = place.progress.done
    return {step.name: done.get(step.name) for step in place.progress.flow.steps}


def complete(
    workspace: Workspace,
    flow: str,
    step: str,
    person: str,
    account: str | None,
    at: datetime,
) -> bool:
    """A person ticked a step in the checklist of a guide. The first instant stays.

    Their page does not wait for what follows from it: that is derived in a moment.

    False where it is no such step, or they are not in the flow.
    """
    place = _ticking(workspace, flow, step, person, account)
    if place is None:
        return False
    if step not in place.progress.done:
        lake = lake_of(workspace)
        flowbook.tick(lake, flow, step, place.account_id, place.user_id, at=at)
        jobs.soon("derive_onboarding", workspace)
    return True


def is_ticked_by_lists(
    workspace: Workspace, flow: str, step: str, person: str, account: str | None
) -> bool:
    """Is it a step that checklists tick, of somebody who is in the flow?"""
    return _ticking(workspace, flow, step, person, account) is not None


def _ticking(
    workspace: Workspace, flow: str, step: str, person: str, account: str | None
) -> Place | None:
    place = _place(lake_of(workspace), flow, person, account)
    known = place.progress.flow.step(step) if place else None
    return place if known and known.by == "checklist" else None


@kept(flowbook.NAME, size=16)
def _books(lake: Lake) -> Mapping[str, Book]:
    return flowbook.known(lake.lake)


@kept(flowbook.NAME, ENTRIES, STEPS, size=4096)
def _place(lake: Lake, flow: str, person: str, account: str | None) -> Place | None:
    book = _books(lake).get(flow)
    if book is None or not (person if book.flow.per == "user" else account):
        return None
    who = {"user": person} if book.flow.per == "user" else {"account": account}
    return next(iter(places.places(lake, flow, **who)), None)
