"""A survey's document whole: what is asked, of whom, when and how.

    who: {segment: enterprise, roles: [admin], pages: [/reports/*], event: ""}
    when: {channels: [product, email], trigger: schedule, every_days: 91, sample: 50}

`who.event` and `trigger: event` name an event; pages are paths, `*` for anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Final

from perennial.apps.surveys.models import Channel
from perennial.core import questionnaire, reading
from perennial.core.asking import Plan
from perennial.core.errors import BadValue
from perennial.core.questionnaire import Questionnaire

#: What makes a survey ask: its calendar, or something that happened.
TRIGGERS: Final = ("schedule", "ticket_solved", "onboarding_done", "event")
CHANNELS: Final = tuple(channel.value for channel in Channel)
_LONGEST_DELAY_S: Final = 600


@dataclass(frozen=True)
class Who:
    """Whom it asks: everybody, unless said otherwise."""

    segment: str = ""
    roles: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    event: str = ""


@dataclass(frozen=True)
class When:
    """How it reaches people, and when; numbers as in `core.asking.Plan`."""

    channels: tuple[str, ...] = ("product",)
    trigger: str = "schedule"
    every_days: int | None = None
    ends_on: date | None = None
    sample: int = 100
    hold_out: int = 0
    most_a_day: int | None = None
    first_days: int | None = None
    remind_days: int | None = None
    delay_s: int = 3
    touchpoint: str = ""


@dataclass(frozen=True)
class Document:
    asks: Questionnaire
    who: Who
    when: When

    def plan(self, key: str, starts_on: date) -> Plan:
        when = self.when
        # What happened is asked about once each, not in waves.
        waves = when.every_days if when.trigger == "schedule" else None
        return Plan(
            key,
            starts_on,
            when.ends_on,
            waves,
            when.sample,
            when.hold_out,
            when.most_a_day,
            when.first_days,
        )


def is_page(patterns: tuple[str, ...], path: str) -> bool:
    """Is a path one of these? Of no pattern, every path is."""
    return not patterns or any(fnmatchcase(path, each) for each in patterns)


def read(document: object) -> Document:
    """Raises `BadValue` with the place and the reason."""
    asks = questionnaire.read(document)
    assert isinstance(document, Mapping)
    who, when = (
        _who(reading.part(document, "who")),
        _when(reading.part(document, "when"), asks),
    )
    if when.trigger == "event" and not who.event:
        raise BadValue("event: the name of the event it waits for")
    return Document(asks, who, when)


def _who(given: Mapping[str, Any]) -> Who:
    return Who(
        str(given.get("segment") or ""),
        reading.texts(given, "roles"),
        reading.texts(given, "pages"),
        str(given.get("event") or "").strip()[:200],
    )


def _when(given: Mapping[str, Any], asks: Questionnaire) -> When:
    channels = reading.texts(given, "channels") or ("product",)
    trigger = str(given.get("trigger") or "schedule")
    if trigger not in TRIGGERS:
        raise BadValue(f"trigger: one of {', '.join(TRIGGERS)}")
    if not set(channels) <= set(CHANNELS):
        raise BadValue(f"channels: some of {', '.join(CHANNELS)}")
    if "email" in channels and not asks.said(asks.subject, asks.default):
        raise BadValue("mail: a subject is needed")
    return When(
        channels,
        trigger,
        reading.number(given, "every_days", 7, 730),
        reading.day(given, "ends_on"),
        reading.number(given, "sample", 0, 100) or 0 if "sample" in given else 100,
        reading.number(given, "hold_out", 0, 90) or 0,
        reading.number(given, "most_a_day", 1, 1_000_000),
        reading.number(given, "first_days", 0, 730),
        reading.number(given, "remind_days", 1, 60),
        reading.number(given, "delay_s", 0, _LONGEST_DELAY_S) or 0,
        str(given.get("touchpoint") or "").strip()[:120],
    )
