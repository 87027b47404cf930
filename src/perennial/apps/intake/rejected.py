"""Calls that could not become events: counts by reason and source, examples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.utils.functional import Promise

from perennial.apps.customers.kept import kept
from perennial.apps.intake.payloads import pretty
from perennial.apps.intake.stream.steps import Drop
from perennial.apps.intake.words import CURES
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.lake.duck import connect
from perennial.lake.store import REJECTS_KEPT
from perennial.lake.workspace import Workspace as Lake

DAYS: Final = REJECTS_KEPT.days
_EXAMPLES: Final = 3
#: Characters of a payload that are shown.
_SHOWN: Final = 20_000
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Count:
    """Rejects of a source for a reason, `ago` whole days before now."""

    slug: str
    code: str
    ago: int
    count: int
    last_at: datetime
    sendable: int


@dataclass(frozen=True)
class Example:
    """One reject. `number` tells it from others of its source."""

    slug: str
    number: int
    code: str
    payload: str
    at: datetime


@dataclass(frozen=True)
class Group:
    """Rejects for one reason, over 30 days."""

    code: str
    about: str | Promise
    cure: str | Promise
    total: int
    day: int
    days: tuple[int, ...]
    last_at: datetime
    sendable: int
    sources: tuple[tuple[str, int], ...]
    examples: tuple[Example, ...]


def about(code: str) -> str | Promise:
    """The reason in words; codes of later versions stand for themselves."""
    return Drop(code).about if code in set(Drop) else code


def cure(code: str) -> str | Promise:
    return CURES.get(code, "")


def counts(lake: Lake, now: datetime) -> tuple[Count, ...]:
    """Counts of the last 30 days; `now` counts in whole minutes."""
    return _counts(lake, now.replace(second=0, microsecond=0) + _MINUTE)


@kept("rejects", size=32)
def _counts(lake: Lake, now: datetime) -> tuple[Count, ...]:
    query = f"""
        SELECT source[6:], code, datediff('second', rejected_at, $1) // 86400 AS ago,
               count(*), max(rejected_at),
               count(*) FILTER (left(payload, 1) = '{{' AND json_valid(payload))
        FROM {lake.lake.source("rejects")}
        WHERE starts_with(source, 'http:') AND rejected_at > $2 GROUP BY ALL
    """
    with connect() as duck:
        rows = duck.execute(query, [now, now - REJECTS_KEPT]).fetchall()
    return tuple(
        Count(slug, code, min(max(ago, 0), DAYS - 1), count, at.astimezone(UTC), good)
        for slug, code, ago, count, at, good in rows
    )


def by_source(lake: Lake, now: datetime) -> dict[str, tuple[int, int]]:
    """Source to its rejects of the last 24 hours, and of 30 days."""
    found: dict[str, tuple[int, int]] = {}
    for one in counts(lake, now):
        day, total = found.get(one.slug, (0, 0))
        found[one.slug] = day + one.count * (one.ago == 0), total + one.count
    return found


def total(lake: Lake, now: datetime) -> int:
    return sum(one.count for one in counts(lake, now))


def groups(workspace: Workspace, slug: str = "") -> list[Group]:
    """By reason, most first; of one source, or of all."""
    lake = lake_of(workspace)
    by_code: dict[str, list[Count]] = defaultdict(list)
    for one in counts(lake, lake.now):
        if not slug or one.slug == slug:
            by_code[one.code].append(one)
    shown = _examples(lake, slug) if by_code else {}
    found = [
        _group(code, lines, tuple(shown.get(code, ())))
        for code, lines in by_code.items()
    ]
    return sorted(found, key=lambda group: (-group.total, group.code))


def _group(code: str, lines: Sequence[Count], shown: tuple[Example, ...]) -> Group:
    days = [0] * DAYS
    sources: dict[str, int] = defaultdict(int)
    for one in lines:
        days[DAYS - 1 - one.ago] += one.count
        sources[one.slug] += one.count
    return Group(
        code,
        about(code),
        cure(code),
        sum(days),
        days[-1],
        tuple(days),
        max(one.last_at for one in lines),
        sum(one.sendable for one in lines),
        tuple(sorted(sources.items(), key=lambda item: -item[1])),
        shown,
    )


@kept("rejects", size=32)
def _examples(lake: Lake, slug: str) -> dict[str, list[Example]]:
    """The newest of each reason."""
    query = f"""
        SELECT source[6:], row_number, code, left(payload, {_SHOWN}), rejected_at
        FROM {lake.lake.source("rejects")}
        WHERE starts_with(source, 'http:') AND ($1 = '' OR source[6:] = $1)
        QUALIFY row_number() OVER (
            PARTITION BY code ORDER BY rejected_at DESC, "row_number" DESC
        ) <= {_EXAMPLES}
        ORDER BY rejected_at DESC
    """
    found: dict[str, list[Example]] = defaultdict(list)
    with connect() as duck:
        for row in duck.execute(query, [slug]).fetchall():
            one = _example(row)
            found[one.code].append(one)
    return found


def example(workspace: Workspace, slug: str, number: int) -> Example | None:
    query = f"""
        SELECT source[6:], row_number, code, left(payload, {_SHOWN}), rejected_at
        FROM {lake_of(workspace).lake.source("rejects")}
        WHERE source = 'http:' || $1 AND row_number = $2
    """
    with connect() as duck:
        row = duck.execute(query, [slug, number]).fetchone()
    return _example(row) if row else None


def _example(row: Sequence[Any]) -> Example:
    slug, number, code, payload, at = row
    return Example(slug, number, code, pretty(payload), at.astimezone(UTC))
