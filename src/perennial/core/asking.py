"""Who may be asked, and when: the rules of all surveys of a workspace.

Pure: what is known of a person goes in, a reason not to ask comes out, or none. Days
are local days of the workspace. Chance is a hash, so that the same question about the
same person has one answer for ever, on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from perennial.core.ids import digest

PARTS: Final = 10_000


class Reason(StrEnum):
    """Why somebody is not asked; the first that holds, in this order."""

    UNSUBSCRIBED = "unsubscribed"
    OWN = "own"
    NOT_OPEN = "not_open"
    NEW = "new"
    ANSWERED = "answered"
    REFUSED = "refused"
    ASKED = "asked"
    WAVE = "wave"
    HELD_OUT = "held_out"
    NOT_DRAWN = "not_drawn"
    SURVEY_FULL = "survey_full"
    DAY_FULL = "day_full"


@dataclass(frozen=True)
class Quiet:
    """Rests across all surveys, in days, and how many people are asked a day in all.

    - `first_days`: from the first time somebody was seen.
    - `answer_days`, `refusal_days`: after an answer, after a refusal.
    - `asked_days`: after an invitation that came to nothing.
    """

    first_days: int = 30
    answer_days: int = 90
    refusal_days: int = 30
    asked_days: int = 30
    most_a_day: int | None = None


@dataclass(frozen=True)
class Plan:
    """When a survey asks.

    It is open on the days `[starts_on, ends_on)`. With `every_days` it comes in waves
    of that length, and a person is asked once in each; without it once in all. Of
    those who could be asked, `sample` percent are, drawn anew in each wave;
    `hold_out` percent never are. `first_days` stands in for the workspace's.
    """

    key: str
    starts_on: date
    ends_on: date | None = None
    every_days: int | None = None
    sample: int = 100
    hold_out: int = 0
    most_a_day: int | None = None
    first_days: int | None = None

    def is_open(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)

    def wave(self, day: date) -> int:
        """The number of the wave a day belongs to; the first is 1."""
        if not self.every_days or day < self.starts_on:
            return 1
        return (day - self.starts_on).days // self.every_days + 1


@dataclass(frozen=True)
class Known:
    """What is known of a person; days are the last on which it happened.

    `occasion` sets apart what may be asked about once each, a ticket for one: `waves`
    holds those pairs of wave and occasion in which this survey already asked.
    """

    person: str
    first_seen_on: date | None = None
    asked_on: date | None = None
    answered_on: date | None = None
    refused_on: date | None = None
    is_unsubscribed: bool = False
    is_own: bool = False
    waves: frozenset[tuple[int, str]] = frozenset()


@dataclass(frozen=True)
class Asked:
    """How many people were asked on the day so far."""

    by_survey: int = 0
    in_all: int = 0


def refusal(
    plan: Plan, quiet: Quiet, known: Known, asked: Asked, day: date, occasion: str = ""
) -> Reason | None:
    """The first reason not to ask a person today; None: ask."""
    return (
        _of_the_person(known)
        or (None if plan.is_open(day) else Reason.NOT_OPEN)
        or resting(plan, quiet, known, day)
        or _of_chance(plan, known, day, occasion)
        or _of_the_day(plan, quiet, asked)
    )


def _of_the_person(known: Known) -> Reason | None:
    if known.is_unsubscribed:
        return Reason.UNSUBSCRIBED
    return Reason.OWN if known.is_own else None


def resting(plan: Plan, quiet: Quiet, known: Known, day: date) -> Reason | None:
    """The rest a person is in, across all surveys. Nobody known is new."""
    first_days = quiet.first_days if plan.first_days is None else plan.first_days
    is_new = known.first_seen_on is None or _within(
        known.first_seen_on, day, first_days
    )
    if is_new and first_days:
        return Reason.NEW
    rests = (
        (Reason.ANSWERED, known.answered_on, quiet.answer_days),
        (Reason.REFUSED, known.refused_on, quiet.refusal_days),
        (Reason.ASKED, known.asked_on, quiet.asked_days),
    )
    return next((why for why, on, days in rests if _within(on, day, days)), None)


def _within(since: date | None, day: date, days: int) -> bool:
    return since is not None and (day - since).days < days


def _of_chance(plan: Plan, known: Known, day: date, occasion: str) -> Reason | None:
    wave = plan.wave(day)
    if (wave, occasion) in known.waves:
        return Reason.WAVE
    if is_held_out(plan, known.person):
        return Reason.HELD_OUT
    if drawn(plan.key, f"wave {wave} {occasion}", known.person) >= plan.sample * 100:
        return Reason.NOT_DRAWN
    return None


def is_held_out(plan: Plan, person: str) -> bool:
    """Is a person never asked, to be compared with those who are?"""
    return drawn(plan.key, "hold-out", person) < plan.hold_out * 100


def _of_the_day(plan: Plan, quiet: Quiet, asked: Asked) -> Reason | None:
    if plan.most_a_day is not None and asked.by_survey >= plan.most_a_day:
        return Reason.SURVEY_FULL
    if quiet.most_a_day is not None and asked.in_all >= quiet.most_a_day:
        return Reason.DAY_FULL
    return None


def drawn(*words: str) -> int:
    """A number below `PARTS` that words always give again, evenly spread."""
    return int(digest(*words)[:12], 16) % PARTS
