"""Who is shown a guide, and when: the rules of all guides of a workspace.

Pure: what is known of a person goes in, a reason not to show comes out, or none. Days
are local days of the workspace. Chance is a hash, as in `core.asking`: the same
question about the same person has one answer for ever.

A *showing* begins when a guide is first put before somebody and ends when they finish
or close it. Forms that stay, and walkthroughs in their first days, go on over page
loads: that is the same showing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from perennial.core.asking import drawn
from perennial.core.guide_rules import Who
from perennial.core.guides import STAYING, Guide

#: Forms that come in between: one of them a day for a person, across all guides.
INTERRUPTING: Final = frozenset({"tooltip", "modal", "walkthrough"})
#: Days after its first in which a walkthrough that nobody ended goes on.
_GOES_ON_DAYS: Final = 1
HELD_OUT: Final = "held_out"
VARIANTS: Final = ("a", "b", HELD_OUT)


class Reason(StrEnum):
    """Why somebody is not shown a guide; the first that holds, in this order."""

    OWN = "own"
    NOT_OPEN = "not_open"
    NOT_INVITED = "not_invited"
    KNOWN = "known"
    PROGRESS = "progress"
    HELD_OUT = "held_out"
    FINISHED = "finished"
    SNOOZED = "snoozed"
    RESTING = "resting"
    SHOWN = "shown"
    ENOUGH = "enough"
    DAY_FULL = "day_full"


@dataclass(frozen=True)
class Shown:
    """What became of one guide for one person; days are the last on which it happened.

    `times` counts showings, `began_on` is the first day of the last one, `lost_on` the
    day it ended because the page lacked an element, and `snoozed_until` the first day
    on which it may come back.
    """

    times: int = 0
    began_on: date | None = None
    finished_on: date | None = None
    dismissed_on: date | None = None
    lost_on: date | None = None
    snoozed_until: date | None = None
    is_held_out: bool = False

    @property
    def is_over(self) -> bool:
        """Was the last showing ended, by the person or with a lost element?"""
        return any(
            on is not None and self.began_on is not None and on >= self.began_on
            for on in (self.finished_on, self.dismissed_on, self.lost_on)
        )


@dataclass(frozen=True)
class Reader:
    """A person before a page: `guided_on` is the last day on which another guide came
    in between; `finished` and `seen` name guides."""

    person: str
    account: str = ""
    first_seen_on: date | None = None
    is_own: bool = False
    is_invited: bool = False
    guided_on: date | None = None
    seen: frozenset[int] = frozenset()
    finished: frozenset[int] = frozenset()


def refusal(guide: Guide, reader: Reader, shown: Shown, day: date) -> Reason | None:
    """The first reason not to show a guide today; None: show it, or go on with it.

    `Reason.HELD_OUT` is given once somebody was counted as held out. Whoever shows
    writes that down first (`variant`), so that they stand beside those who were shown
    it at such a moment.
    """
    return (
        _of_the_person(guide, reader, day)
        or (Reason.HELD_OUT if shown.is_held_out else None)
        or (None if goes_on(guide, shown, day) else _of_often(guide, shown, day))
        or _of_the_day(guide, reader, shown, day)
    )


def _of_the_person(guide: Guide, reader: Reader, day: date) -> Reason | None:
    when = guide.when
    if reader.is_own:
        return Reason.OWN
    if (when.starts_on and day < when.starts_on) or (
        when.ends_on and day >= when.ends_on
    ):
        return Reason.NOT_OPEN
    if guide.who.invited and not reader.is_invited:
        return Reason.NOT_INVITED
    if not _is_known_as_wanted(guide.who, reader):
        return Reason.KNOWN
    return None if _has_progress(guide.who, reader) else Reason.PROGRESS


def _is_known_as_wanted(who: Who, reader: Reader) -> bool:
    """Nobody known is new."""
    if who.known == "all" or who.since is None:
        return True
    is_new = reader.first_seen_on is None or reader.first_seen_on >= who.since
    return is_new == (who.known == "new")


def _has_progress(who: Who, reader: Reader) -> bool:
    if who.guide is None:
        return True
    guides = reader.finished if "finished" in who.progress else reader.seen
    return (who.guide in guides) != who.progress.startswith("not_")


def goes_on(guide: Guide, shown: Shown, day: date) -> bool:
    """Is it the same showing still: put before them again, and not counted again?"""
    if not shown.times or shown.began_on is None:
        return False
    if guide.form == "resource_center":
        return True
    if shown.is_over or _is_snoozed(shown, day):
        return False
    if guide.form in STAYING:
        return True
    if shown.snoozed_until is not None and shown.snoozed_until > shown.began_on:
        return (day - shown.snoozed_until).days <= _GOES_ON_DAYS
    days = (day - shown.began_on).days
    return guide.form == "walkthrough" and days <= _GOES_ON_DAYS


def _is_snoozed(shown: Shown, day: date) -> bool:
    return shown.snoozed_until is not None and day < shown.snoozed_until


def _of_often(guide: Guide, shown: Shown, day: date) -> Reason | None:
    when = guide.when
    if shown.finished_on is not None and when.often != "every":
        return Reason.FINISHED
    if _is_snoozed(shown, day):
        return Reason.SNOOZED
    if not shown.times or shown.began_on is None:
        return None
    if when.often == "once":
        return Reason.SHOWN
    if _within(shown.dismissed_on, day, when.rest_days):
        return Reason.RESTING
    if when.most is not None and shown.times >= when.most:
        return Reason.ENOUGH
    days = when.every_days if when.often == "every" else 1
    return Reason.SHOWN if _within(shown.began_on, day, days) else None


def _of_the_day(guide: Guide, reader: Reader, shown: Shown, day: date) -> Reason | None:
    if guide.form not in INTERRUPTING or goes_on(guide, shown, day):
        return None
    return Reason.DAY_FULL if reader.guided_on == day else None


def _within(since: date | None, day: date, days: int) -> bool:
    return since is not None and (day - since).days < days


def variant(guide: Guide, key: str, reader: Reader) -> str:
    """Which of `VARIANTS` a person is in: the same for ever, and the same for a whole
    account where the guide says so. Somebody without an account stands for themselves.
    """
    unit = reader.account if guide.when.by == "account" else ""
    who = f"account {unit}" if unit else f"person {reader.person}"
    if drawn(key, "hold-out", who) < guide.when.hold_out * 100:
        return HELD_OUT
    is_other = drawn(key, "variant", who) < guide.when.other * 100
    return "b" if guide.other and is_other else "a"
