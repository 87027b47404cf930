"""Roll-ups of usage: events become days, sessions and feature uses.

The same code builds everything and rebuilds a few days: it computes whole ranges
of local days from the events around them (`activity`, `sessions`) and puts them in
place of what was stored. What is no activity counts in `event_days` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime

import duckdb

from perennial.core.settings import Settings
from perennial.core.windows import DAY, Period, day_start
from perennial.lake.activity import Activity
from perennial.lake.local_days import local_months, merged, microseconds, month_names
from perennial.lake.relations import empty
from perennial.lake.sessions import Sessions
from perennial.lake.store import Lake

TABLES = ("user_days", "feature_days", "event_days", "sessions", "account_days")

#: Events read at once: enough for every core, little enough for memory.
_SPAN_EVENTS = 2_000_000


class UsageBuilder:
    """Builds usage roll-ups of `lake` with `duck`, by the workspace's settings."""

    def __init__(
        self,
        lake: Lake,
        duck: duckdb.DuckDBPyConnection,
        settings: Settings,
        progress: Mapping[str, int],
    ) -> None:
        """`progress` is the version of each source that the roll-ups speak of."""
        self.lake = lake
        self.duck = duck
        self.settings = settings
        self._progress = progress
        self._loaded: set[str] = set()
        self._activity = Activity(lake, duck, settings)
        self._sessions = Sessions(duck, settings)

    def all(self, progress: Callable[[float], None] | None = None) -> None:
        """Build every day there is, some months at a time."""
        spans: list[Period | None] = [*self._spans()] or [None]
        self._prepare()
        with ThreadPoolExecutor(1) as writer:  # of one span while the next is computed
            written: Future[None] | None = None
            for done, span in enumerate(spans, start=1):
                if span is not None:
                    self._load(span)
                    self._collect(span)
                if written is not None:
                    written.result()
                self._set_aside()
                is_first, is_last = done == 1, done == len(spans)
                written = writer.submit(self._flush, whole=is_first, last=is_last)
                if progress:
                    progress(done / len(spans))
            if written is not None:
                written.result()

    def days(self, changed: set[date]) -> None:
        """Rebuild the local days that a change of events of these days can touch.

        A session that holds a changed event began at most its greatest length
        before; with a day of unchanged events behind it nothing is carried on.
        """
        self._prepare()
        reach = (
            Period(
                self._day(self._start(day) - self.settings.session_longest),
                day + DAY * 2,
            )
            for day in changed
        )
        spans = merged(reach)
        while spans:
            span = self._load_widened(spans.pop(0))
            while spans and spans[0].start <= span.end:
                end = max(span.end, spans.pop(0).end)
                span = self._load_widened(Period(span.start, end))
            self._keep_around(span)
            self._collect(span)
        self._set_aside()
        self._flush(whole=False, last=True)

    # One span of local days

    def _load(self, span: Period) -> None:
        """Read `activity` and its sessions, `cut`, for a span."""
        self._activity.load(span)
        self._sessions.load(span)

    def _load_widened(self, span: Period) -> Period:
        """Load `span`, up to where a change can have moved the cuts of a session.

        Only activity without a break over the whole last day, on which nothing
        changed, carries a change past the end.
        """
        while True:
            self._load(span)
            gap = self.settings.session_gap
            low = microseconds(self._start(span.end - DAY) + gap)
            high = microseconds(self._start(span.end) - gap)
            if not self._sessions.are_unbroken(low, high):
                return span
            span = Period(span.start, span.end + DAY)

    def _keep_around(self, span: Period) -> None:
        """Keep what is stored in the months of `span`, but for its days."""
        months = [m for m in month_names(span) if m not in self._loaded]
        self._loaded.update(months)
        for name in TABLES:
            stored = self.lake.source(name, months=months)
            self.duck.execute(f"INSERT INTO built_{name} FROM {stored}")
            self.duck.execute(f"DELETE FROM built_{name} WHERE {_inside(span)}")

    def _collect(self, span: Period) -> None:
        """Add the rows of a loaded span to the `built_…` tables."""
        inside = _inside(span)
        self.duck.execute(
            f"INSERT INTO built_sessions BY NAME SELECT * FROM cut WHERE {inside}"
        )
        self._add_user_days(span)
        self._add_feature_days(span)
        self._add_event_days(span)
        self.duck.execute(
            f"""
            INSERT INTO built_account_days
            SELECT date, account_id, count(user_id), sum(events),
                   sum(sessions), sum(duration_ms)
            FROM (
                SELECT date, account_id, user_id, events, 0 AS sessions, duration_ms
                FROM built_user_days WHERE {inside}
                UNION ALL
                SELECT date, account_id, NULL, 0, 1, 0 FROM built_sessions
                WHERE {inside}
            )
            WHERE account_id IS NOT NULL GROUP BY date, account_id
            """
        )

    def _add_user_days(self, span: Period) -> None:
        self.duck.execute(
            f"""
            INSERT INTO built_user_days
            SELECT date, account_id, user_id, sum(events), sum(duration_ms),
                   make_timestamptz(max(us))
            FROM (
                SELECT date, account_id, user_id, 1 AS events, 0 AS duration_ms, us
                FROM activity
                WHERE is_activity AND (user_id IS NOT NULL OR account_id IS NOT NULL)
                UNION ALL
                SELECT date, account_id, user_id, 0, duration_ms, NULL FROM cut
                WHERE duration_ms > 0 AND local_day(epoch_us(ended_at)) = date
                UNION ALL
                {self._sessions.over_midnight(span)}
                UNION ALL
                SELECT date, account_id, user_id, uses, coalesce(seconds, 0) * 1000, NULL
                FROM {self._usage_facts(span)} WHERE uses > 0
            )
            WHERE {_inside(span)} GROUP BY date, account_id, user_id
            """
        )

    def _add_feature_days(self, span: Period) -> None:
        self.duck.execute(
            f"""
            INSERT INTO built_feature_days
            SELECT date, account_id, user_id, feature_id, sum(uses), sum(errors)
            FROM (
                SELECT date, account_id, user_id, feature_id, 1 AS uses, 0 AS errors
                FROM activity WHERE feature_id IS NOT NULL
                UNION ALL
                SELECT date, account_id, user_id, feature_id, uses, coalesce(errors, 0)
                FROM {self._usage_facts(span)} WHERE feature_id IS NOT NULL
            )
            WHERE {_inside(span)} GROUP BY date, account_id, user_id, feature_id
            """
        )

    def _add_event_days(self, span: Period) -> None:
        start, end = self._start(span.start), self._start(span.end)
        self.duck.execute(
            f"""
            INSERT INTO built_event_days
            SELECT local_day(epoch_us(timestamp)) AS date, event, source_id, count(*),
                   count(DISTINCT user_id), min(timestamp), max(timestamp)
            FROM heard
            WHERE timestamp >= TIMESTAMPTZ '{start.isoformat()}'
              AND timestamp < TIMESTAMPTZ '{end.isoformat()}'
            GROUP BY ALL
            """
        )

    def _usage_facts(self, span: Period) -> str:
        months = month_names(span)
        usage = self.lake.source("usage", months=months)
        return f"""(
            SELECT u.date, coalesce(u.account_id, s.account_id) AS account_id,
                   coalesce(x.person, u.user_id) AS user_id,
                   u.feature_id, u.uses, u.seconds, u.errors
            FROM {usage} u LEFT JOIN subscriber s USING (subscription_id)
            LEFT JOIN alias x ON x.user_id = u.user_id
        )"""

    # What is shared by all ranges

    def _prepare(self) -> None:
        duck, source = self.duck, self.lake.source
        self._loaded.clear()
        for name in TABLES:
            duck.execute(f"CREATE OR REPLACE TABLE built_{name} AS {empty(name)}")
        self._activity.prepare(self._progress)
        duck.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE subscriber AS
            SELECT subscription_id, min(account_id) AS account_id
            FROM {source("subscription_items")} GROUP BY subscription_id
            """
        )

    def _set_aside(self) -> None:
        """What was built becomes `full_…`, and the next span begins with nothing."""
        for name in TABLES:
            self.duck.execute(f"DROP TABLE IF EXISTS full_{name}")
            self.duck.execute(f"ALTER TABLE built_{name} RENAME TO full_{name}")
            self.duck.execute(f"CREATE TABLE built_{name} AS {empty(name)}")

    def _flush(self, *, whole: bool, last: bool) -> None:
        """Write what was set aside; `whole` replaces all that was stored.

        The last commit, to the last table, says which sources it speaks of: a
        build that died before is not taken for done.
        """
        *others, final = TABLES
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: self._write(name, whole, {}), others))
        self._write(final, whole, self._progress if last else {})

    def _write(self, name: str, whole: bool, progress: Mapping[str, int]) -> None:
        duck, full = self.duck.cursor(), f"full_{name}"
        months = None if whole else sorted(self._loaded | _months_of(duck, full))
        if whole or months:
            with self.lake.lock(name):
                self.lake.replace(duck, name, full, months=months, progress=progress)
        duck.execute(f"TRUNCATE {full}")

    def _spans(self) -> Iterator[Period]:
        """All local months, put together to spans that fit in memory.

        A statement over little data uses one core and costs as much to plan.
        """
        events = self.lake.rows_by_month("events")
        span, rows = None, 0
        for month in self._months():
            more = events.get(f"{month.start:%Y-%m}", 0)
            if span is not None and rows + more > _SPAN_EVENTS:
                yield span
                span, rows = None, 0
            span = Period(span.start if span else month.start, month.end)
            rows += more
        if span is not None:
            yield span

    def _months(self) -> list[Period]:
        """The local months that can hold usage, oldest first."""
        events, usage = (self.lake.files_by_month(name) for name in ("events", "usage"))
        return local_months({*events, *usage})

    def _day(self, instant: datetime) -> date:
        return instant.astimezone(self.settings.tz).date()

    def _start(self, day: date) -> datetime:
        return day_start(day, self.settings.tz)


def _months_of(duck: duckdb.DuckDBPyConnection, relation: str) -> set[str]:
    days = duck.execute(f"SELECT DISTINCT date FROM {relation}").fetchall()
    return {f"{day:%Y-%m}" for (day,) in days}


def _inside(span: Period) -> str:
    return f"(date >= DATE '{span.start}' AND date < DATE '{span.end}')"
