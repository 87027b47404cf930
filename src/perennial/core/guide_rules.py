"""Whom a guide is for, how often it is shown, and what it is held against: the part of
its document (`core.guides`) that `core.guiding` decides by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from perennial.core import reading
from perennial.core.errors import BadValue
from perennial.core.reading import one_of

OFTEN: Final = ("once", "until_finished", "every")
PROGRESS: Final = ("finished", "not_finished", "seen", "not_seen")
#: What is counted as one by chance and in the effect: a person or a whole account.
UNITS: Final = ("person", "account")
KNOWN: Final = ("all", "new", "known")
_LONGEST_DELAY_S: Final = 600


@dataclass(frozen=True)
class Who:
    """For whom: everybody, unless said otherwise.

    `progress` in another `guide`; `known` tells people first seen since `since` from
    those before; `invited`: accounts that a playbook or a person chose, alone.
    """

    segment: str = ""
    roles: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    event: str = ""
    guide: int | None = None
    progress: str = "finished"
    known: str = "all"
    since: date | None = None
    invited: bool = False


@dataclass(frozen=True)
class When:
    """How often and from when: see `core.guiding`. Shares in percent: `hold_out` of all
    see nothing, `other` of those who see something see the second variant."""

    often: str = "once"
    every_days: int = 30
    most: int | None = None
    rest_days: int = 7
    starts_on: date | None = None
    ends_on: date | None = None
    delay_s: int = 0
    hold_out: int = 0
    other: int = 0
    by: str = "person"


@dataclass(frozen=True)
class Target:
    """What the guide is to bring about, within `days` of being shown: an event, or a
    metric of the catalog."""

    event: str = ""
    metric: str = ""
    days: int = 14


def read_who(given: Mapping[str, Any]) -> Who:
    """Raises `BadValue`, as do those below."""
    known, since = one_of(given, "known", KNOWN, "all"), reading.day(given, "since")
    if known != "all" and since is None:
        raise BadValue("since: the day that tells new people from known ones")
    return Who(
        segment=str(given.get("segment") or ""),
        roles=reading.texts(given, "roles"),
        pages=reading.texts(given, "pages"),
        event=str(given.get("event") or "").strip()[:200],
        guide=reading.number(given, "guide", 1, 2**63 - 1),
        progress=one_of(given, "progress", PROGRESS, "finished"),
        known=known,
        since=since,
        invited=bool(given.get("invited")),
    )


def read_when(given: Mapping[str, Any]) -> When:
    def number(name: str, low: int, high: int, usual: int) -> int:
        found = reading.number(given, name, low, high)
        return usual if found is None else found

    starts_on, ends_on = reading.day(given, "starts_on"), reading.day(given, "ends_on")
    if starts_on and ends_on and ends_on <= starts_on:
        raise BadValue("ends_on: after the first day")
    return When(
        often=one_of(given, "often", OFTEN, "once"),
        every_days=number("every_days", 1, 730, 30),
        most=reading.number(given, "most", 1, 1_000),
        rest_days=number("rest_days", 0, 730, 7),
        starts_on=starts_on,
        ends_on=ends_on,
        delay_s=number("delay_s", 0, _LONGEST_DELAY_S, 0),
        hold_out=number("hold_out", 0, 90, 0),
        other=number("other", 0, 100, 0),
        by=one_of(given, "by", UNITS, "person"),
    )


def read_target(given: Mapping[str, Any]) -> Target | None:
    event = str(given.get("event") or "").strip()[:200]
    metric = str(given.get("metric") or "").strip()
    if event and metric:
        raise BadValue("target: an event or a metric, not both")
    if not event and not metric:
        return None
    days = reading.number(given, "days", 1, 90)
    return Target(event, metric, 14 if days is None else days)
