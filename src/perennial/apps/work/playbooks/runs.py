"""What a run does next: pure, from its book, its position and the present.

A run stands before a step. `advance` goes as far as it can without waiting and says
what to do on the way; whoever calls it does that and remembers the new position in
one transaction, so that a step is done once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from perennial.apps.work.playbooks.document import (
    AssignStep,
    Book,
    BranchStep,
    EmailStep,
    GuideStep,
    PostStep,
    SetStep,
    SurveyStep,
    TagStep,
    TaskStep,
    WaitStep,
)
from perennial.metrics.conditions import Condition

#: Does a condition hold for the account of the run, now?
Holds: TypeAlias = Callable[[Condition], bool]
Ending: TypeAlias = Literal["", "finished", "condition", "time"]
Doing: TypeAlias = (
    TaskStep
    | EmailStep
    | PostStep
    | SetStep
    | AssignStep
    | TagStep
    | SurveyStep
    | GuideStep
)


@dataclass(frozen=True)
class Note:
    """A line of the run's log: what happened at a step."""

    step: str
    what: str
    details: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Place:
    """Before which step a run stands; at a wait that has begun, when it is over."""

    position: str
    due_at: datetime | None = None


@dataclass(frozen=True)
class Advance:
    """What to do, in order, and where the run stands then."""

    place: Place
    todo: tuple[Doing, ...] = ()
    notes: tuple[Note, ...] = ()
    ending: Ending = ""


def advance(
    book: Book,
    place: Place,
    *,
    now: datetime,
    started_at: datetime,
    tz: ZoneInfo,
    holds: Holds,
) -> Advance:
    """As far as the run can go now; loops cannot be written, so it ends."""
    ending = _ending(book, started_at, now, tz, holds)
    if ending:
        return Advance(Place(place.position), ending=ending)
    todo: list[Doing] = []
    notes: list[Note] = []
    here = place
    while here.position:
        step = book.step(here.position)
        assert step is not None, here.position
        if isinstance(step, WaitStep):
            if here.due_at is None:
                here = Place(step.id, later(now, step.days, tz))
                notes.append(Note(step.id, "waits", (("days", str(step.days)),)))
            over = _over(step, here, now, holds)
            if not over:
                return Advance(here, tuple(todo), tuple(notes))
            notes.append(Note(step.id, over))
            here = Place(book.after(step.id))
        elif isinstance(step, BranchStep):
            here, note = _turn(book, step, holds)
            notes.append(note)
        else:
            todo.append(step)
            here = Place(book.after(step.id))
    return Advance(here, tuple(todo), tuple(notes), ending="finished")


def _ending(
    book: Book, started_at: datetime, now: datetime, tz: ZoneInfo, holds: Holds
) -> Ending:
    if book.end.condition is not None and holds(book.end.condition):
        return "condition"
    if now >= later(started_at, book.end.after_days, tz):
        return "time"
    return ""


def _over(step: WaitStep, here: Place, now: datetime, holds: Holds) -> str:
    """Why a wait is over; empty while it is not."""
    if step.until is not None and holds(step.until):
        return "held"
    if here.due_at is not None and now >= here.due_at:
        return "time_over"
    return ""


def _turn(book: Book, step: BranchStep, holds: Holds) -> tuple[Place, Note]:
    is_so = holds(step.condition)
    way = step.then if is_so else step.otherwise
    following = way[0].id if way else book.after(step.id)
    return Place(following), Note(step.id, "yes" if is_so else "no")


def later(start: datetime, days: int, tz: ZoneInfo) -> datetime:
    """Some local days later at the same time on the clock, whatever clocks do between.

    Where the clock skips that time, the instant it would have been by the former
    offset.
    """
    local = start.astimezone(tz)
    return (local.replace(tzinfo=None) + timedelta(days=days)).replace(tzinfo=tz)
