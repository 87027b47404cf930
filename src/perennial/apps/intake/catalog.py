"""The event catalog: every name that came, how often, and what it means."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from django.utils.functional import Promise

from perennial.apps.customers.kept import kept
from perennial.apps.intake.definitions import Definition, definitions
from perennial.apps.intake.words import TYPES
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.lake.duck import connect
from perennial.lake.workspace import Workspace as Lake

#: Days that count as recent, and weeks of the little chart.
RECENT: Final = 30
WEEKS: Final = 12
SORTS: Final = ("event", "recent", "users", "first", "last")
#: Events whose properties are looked at, examples of each, characters of an example.
_SAMPLE: Final = 500
_EXAMPLES: Final = 3
_LONGEST: Final = 80


@dataclass(frozen=True)
class Seen:
    """One event name, as the roll-up knows it. `users` are those of the
    busiest day of a source."""

    event: str
    events: int
    recent: int
    users: int
    weeks: tuple[int, ...]
    first_at: datetime | None
    last_at: datetime | None
    sources: tuple[str, ...]

    @property
    def has_weeks(self) -> bool:
        return any(self.weeks)


@dataclass(frozen=True)
class Line:
    seen: Seen
    definition: Definition

    @property
    def name(self) -> str:
        return self.seen.event


@dataclass(frozen=True)
class Property:
    """What events of a name say in one place. `share` of those looked at say it."""

    name: str
    types: tuple[str, ...]
    share: float
    examples: tuple[str, ...]

    @property
    def type_names(self) -> list[str | Promise]:
        return [TYPES[type_] for type_ in self.types]


@dataclass(frozen=True)
class Sample:
    events: int
    properties: tuple[Property, ...]


@dataclass(frozen=True)
class Asked:
    """Search, filters and order of the catalog, as the address has them."""

    q: str = ""
    kind: str = ""
    guesses: bool = False
    sort: str = "recent"
    descending: bool = True


def lines(workspace: Workspace) -> list[Line]:
    """Every name that came or has a definition."""
    lake = lake_of(workspace)
    meanings = definitions(lake)
    found = _seen(lake, lake.today)
    known = [Line(seen, meanings[seen.event]) for seen in found]
    came = {seen.event for seen in found}
    unseen = [
        Line(_never(name), meanings[name]) for name in meanings if name not in came
    ]
    return known + unseen


def line(workspace: Workspace, name: str) -> Line | None:
    return next((one for one in lines(workspace) if one.name == name), None)


def chosen(found: Iterable[Line], asked: Asked) -> list[Line]:
    """Those that are asked for, in the order asked for."""
    q = asked.q.lower()
    kept_ = [
        one
        for one in found
        if (not q or q in one.name.lower() or q in one.definition.feature_name.lower())
        and (not asked.kind or one.definition.kind == asked.kind)
        and (not asked.guesses or one.definition.is_guess)
    ]
    by_name = sorted(kept_, key=lambda one: one.name.lower())
    return sorted(
        by_name, key=lambda one: _order(one, asked.sort), reverse=asked.descending
    )


def _order(one: Line, sort: str) -> Any:
    never = datetime.min.replace(tzinfo=UTC)
    return {
        "event": one.name.lower(),
        "recent": (one.seen.recent, one.seen.events),
        "users": one.seen.users,
        "first": one.seen.first_at or never,
        "last": one.seen.last_at or never,
    }[sort]


@kept("event_days", size=8)
def _seen(lake: Lake, today: date) -> tuple[Seen, ...]:
    """Read by source, put together by name; old months are read once."""
    files = lake.lake.files_by_month("event_days")
    since = f"{today - timedelta(days=WEEKS * 7 + 1):%Y-%m}"
    old = tuple(sorted(month for month in files if month < since))
    names = tuple(name for month in old for name in sorted(files[month]))
    recent = tuple(month for month in files if month >= since)
    by_name: dict[str, list[Any]] = defaultdict(list)
    for name, *rest in (*_old_rows(lake, old, names), *_rows(lake, recent)):
        by_name[name].append(rest)
    return tuple(_put_together(name, rows) for name, rows in by_name.items())


@lru_cache(maxsize=32)
def _old_rows(
    lake: Lake, months: tuple[str, ...], _files: tuple[str, ...]
) -> Sequence[Any]:
    """Months so old that no day of them is recent any more."""
    return _rows(lake, months)


def _rows(lake: Lake, months: tuple[str, ...]) -> Sequence[Any]:
    # Weeks end yesterday: today is not over, and would look like a fall.
    ago = "(datediff('day', date, $1) - 1) // 7"
    weeks = ", ".join(
        f"sum(events) FILTER (date < $1 AND {ago} = {number})"
        for number in reversed(range(WEEKS))
    )
    query = f"""
        SELECT event, source_id, sum(events)::BIGINT,
               coalesce(sum(events) FILTER (date > $2), 0)::BIGINT,
               coalesce(max(users) FILTER (date > $2), 0), [{weeks}]::BIGINT[],
               min(first_at), max(last_at)
        FROM {lake.lake.source("event_days", months=months)} GROUP BY event, source_id
    """
    with connect() as duck:
        given = [lake.today, lake.today - timedelta(days=RECENT)]
        return duck.execute(query, given).fetchall()


def _put_together(name: str, rows: Sequence[Any]) -> Seen:
    sources, events, recent, users, weeks, firsts, lasts = zip(*rows, strict=True)
    return Seen(
        name,
        sum(events),
        sum(recent),
        max(users),
        tuple(sum(some or 0 for some in week) for week in zip(*weeks, strict=True)),
        min(firsts).astimezone(UTC),
        max(lasts).astimezone(UTC),
        tuple(sorted({slug for slug in sources if slug})),
    )


def _never(name: str) -> Seen:
    return Seen(name, 0, 0, 0, (0,) * WEEKS, None, None, ())


def sample(lake: Lake, seen: Seen) -> Sample:
    """Properties of events of the newest month in which the name came."""
    if seen.last_at is None:
        return Sample(0, ())
    return _sample(lake, seen.event, f"{seen.last_at:%Y-%m}")


@kept("events", size=64)
def _sample(lake: Lake, name: str, month: str) -> Sample:
    query = f"""
        SELECT properties FROM {lake.lake.source("events", months=[month])}
        WHERE event = $1 LIMIT {_SAMPLE}
    """
    with connect() as duck:
        rows = duck.execute(query, [name]).fetchall()
    return described([json.loads(text) if text else {} for (text,) in rows])


def described(events: Sequence[Any]) -> Sample:
    """The properties of events: those said most often first."""
    counts: Counter[str] = Counter()
    types: dict[str, dict[str, None]] = {}
    examples: dict[str, dict[str, None]] = {}
    for event in events:
        for name, value in event.items() if isinstance(event, dict) else ():
            if value is None:
                continue
            counts[name] += 1
            types.setdefault(name, {})[_type(value)] = None
            shown = examples.setdefault(name, {})
            if len(shown) < _EXAMPLES:
                shown[_shown(value)] = None
    found = (
        Property(name, tuple(types[name]), count / len(events), tuple(examples[name]))
        for name, count in counts.items()
    )
    return Sample(
        len(events), tuple(sorted(found, key=lambda one: (-one.share, one.name)))
    )


def _type(value: object) -> str:
    names = {bool: "boolean", str: "text", list: "list", dict: "object"}
    return names.get(type(value), "number")


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
