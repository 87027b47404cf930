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
from perennial.core import questionnaire
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
        _who(_part(document, "who")),
        _when(_part(document, "when"), asks),
    )
    if when.trigger == "event" and not who.event:
        raise BadValue("event: the name of the event it waits for")
    return Document(asks, who, when)


def _part(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name) or {}
    if not isinstance(found, Mapping):
        raise BadValue(f"{name}: names and values are expected")
    return found


def _who(given: Mapping[str, Any]) -> Who:
    return Who(
        str(given.get("segment") or ""),
        _texts(given, "roles"),
        _texts(given, "pages"),
        str(given.get("event") or "").strip()[:200],
    )


def _when(given: Mapping[str, Any], asks: Questionnaire) -> When:
    channels = _texts(given, "channels") or ("product",)
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
        _number(given, "every_days", 7, 730),
        _day(given, "ends_on"),
        _number(given, "sample", 0, 100) or 0 if "sample" in given else 100,
        _number(given, "hold_out", 0, 90) or 0,
        _number(given, "most_a_day", 1, 1_000_000),
        _number(given, "first_days", 0, 730),
        _number(given, "remind_days", 1, 60),
        _number(given, "delay_s", 0, _LONGEST_DELAY_S) or 0,
        str(given.get("touchpoint") or "").strip()[:120],
    )


def _texts(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = given.get(name) or ()
    if not isinstance(found, list | tuple) or len(found) > 50:
        raise BadValue(f"{name}: a list is expected")
    return tuple(str(each).strip()[:200] for each in found if str(each).strip())


def _number(given: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    found = given.get(name)
    if found is None or found == "":
        return None
    if isinstance(found, bool) or not isinstance(found, int):
        raise BadValue(f"{name}: a whole number is expected")
    if not low <= found <= high:
        raise BadValue(f"{name}: {low} to {high}")
    return found


def _day(given: Mapping[str, Any], name: str) -> date | None:
    found = given.get(name)
    try:
        return date.fromisoformat(str(found)) if found else None
    except ValueError:
        raise BadValue(f"{name}: a day is expected, as 2026-11-22") from None
