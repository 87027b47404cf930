"""What each source sends: how much, how lately, what waits, what was refused.

Only what came lately is read from the events; older days are asked of the roll-up.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from perennial.apps.customers.kept import kept
from perennial.apps.intake import rejected
from perennial.apps.intake.models import Batch, Source
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.windows import Period
from perennial.lake.duck import connect
from perennial.lake.local_days import month_names
from perennial.lake.workspace import Workspace as Lake

#: Hours of the little chart, newest last.
HOURS: Final = 24
#: A source that sent within this is receiving.
LIVE: Final = timedelta(minutes=10)
#: What came now may have happened so long ago, and lies in the months since then.
_BEHIND: Final = timedelta(days=40)
_RATE: Final = timedelta(minutes=5)
#: A source that sent in so many of the last hours, and now for one did not, is late.
_STEADY_HOURS: Final = 12
_SILENT: Final = timedelta(hours=1)
#: Waiting requests that are looked at: more are "at least so many".
_MOST_WAITING: Final = 10_000


@dataclass(frozen=True)
class Recent:
    """Events of a source in the last 24 hours, by the time they came."""

    last_at: datetime | None = None
    five_minutes: int = 0
    hours: tuple[int, ...] = (0,) * HOURS


@dataclass(frozen=True)
class Ever:
    """Events of a source since ever, as the roll-up has them."""

    first_at: datetime
    last_at: datetime
    events: int


@dataclass(frozen=True)
class Waiting:
    """Requests of a source in the inbox."""

    requests: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True)
class Arrival:
    """One source and what comes from it. `last_at` None: nothing ever came."""

    source: Source
    now: datetime
    recent: Recent
    ever: Ever | None
    waiting: Waiting
    refused_day: int
    refused: int
    has_key: bool

    @property
    def last_at(self) -> datetime | None:
        return self.recent.last_at or (self.ever.last_at if self.ever else None)

    @property
    def day(self) -> int:
        return sum(self.recent.hours)

    @property
    def a_minute(self) -> float:
        return self.recent.five_minutes / (_RATE / timedelta(minutes=1))

    @property
    def state(self) -> str:
        """ "never", "live", "late", "quiet" or "closed" (no key lets it send)."""
        if not self.has_key:
            return "closed"
        if self.last_at is None:
            return "never"
        silent = self.now - self.last_at
        if silent <= LIVE:
            return "live"
        is_steady = sum(1 for count in self.recent.hours if count) >= _STEADY_HOURS
        return "late" if is_steady and silent > _SILENT else "quiet"


def arrivals(workspace: Workspace, *, archived: bool = False) -> list[Arrival]:
    """Every source, those that sent last first."""
    sources = Source.objects.filter(
        workspace=workspace, archived_at__isnull=not archived
    )
    found = _arrivals(workspace, list(sources.prefetch_related("keys")))
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(
        found,
        key=lambda one: (one.last_at or oldest, one.source.created_at),
        reverse=True,
    )


def arrival(source: Source) -> Arrival:
    [found] = _arrivals(source.workspace, [source])
    return found


def _arrivals(workspace: Workspace, sources: Sequence[Source]) -> list[Arrival]:
    lake = lake_of(workspace)
    now = lake.now
    recent, ever, inbox = _recent(lake, now), _ever(lake), waiting(sources)
    refused = rejected.by_source(lake, now)
    return [
        Arrival(
            source,
            now,
            recent.get(source.slug, Recent()),
            ever.get(source.slug),
            inbox.get(source.pk, Waiting()),
            *refused.get(source.slug, (0, 0)),
            any(key.revoked_at is None for key in source.keys.all()),
        )
        for source in sources
    ]


def recent_months(now: datetime) -> list[str]:
    """Partitions of the events that hold what comes now."""
    tomorrow = now.date() + timedelta(days=1)
    return month_names(Period((now - _BEHIND).date(), tomorrow))


def _recent(lake: Lake, now: datetime) -> Mapping[str, Recent]:
    """Sources that sent in the last 24 hours."""
    query = f"""
        SELECT source_id, datediff('second', received_at, $1) // 3600 AS hours_ago,
               count(*), max(received_at),
               count(*) FILTER (received_at > $3)
        FROM {lake.lake.source("events", months=recent_months(now))}
        WHERE source_id IS NOT NULL AND received_at > $2 AND received_at <= $1
        GROUP BY ALL
    """
    with connect() as duck:
        since = now - timedelta(hours=HOURS)
        rows = duck.execute(query, [now, since, now - _RATE]).fetchall()
    by_source: dict[str, list[tuple[int, int, datetime, int]]] = defaultdict(list)
    for slug, ago, count, last, five in rows:
        by_source[slug].append((ago, count, last, five))
    return {slug: _summed(lines) for slug, lines in by_source.items()}


def _summed(lines: Sequence[tuple[int, int, datetime, int]]) -> Recent:
    hours = [0] * HOURS
    for ago, count, _last, _five in lines:
        hours[max(HOURS - 1 - ago, 0)] += count
    last = max(last for _ago, _count, last, _five in lines)
    return Recent(
        last.astimezone(UTC), sum(five for *_rest, five in lines), tuple(hours)
    )


@kept("event_days")
def _ever(lake: Lake) -> Mapping[str, Ever]:
    query = f"""
        SELECT source_id, min(first_at), max(last_at), sum(events)::BIGINT
        FROM {lake.lake.source("event_days")}
        WHERE source_id IS NOT NULL GROUP BY source_id
    """
    with connect() as duck:
        return {
            slug: Ever(first.astimezone(UTC), last.astimezone(UTC), count)
            for slug, first, last, count in duck.sql(query).fetchall()
        }


def waiting(sources: Sequence[Source]) -> dict[int, Waiting]:
    """By source, of the oldest requests in the inbox."""
    oldest = Batch.objects.order_by("pk").values_list("source_id", "received_at")
    mine = {source.pk for source in sources}
    lines = [line for line in oldest[:_MOST_WAITING] if line[0] in mine]
    counts = Counter(source for source, _at in lines)
    return {
        pk: Waiting(count, min(at for source, at in lines if source == pk))
        for pk, count in counts.items()
    }


def names(workspace: Workspace) -> dict[str, str]:
    """Names of sources by slug, archived ones too."""
    mine = Source.objects.filter(workspace=workspace).order_by("name")
    return dict(mine.values_list("slug", "name"))
