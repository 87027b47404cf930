"""Roll-ups of usage: events become days, sessions and feature uses.

The same code builds everything and rebuilds a few days: it computes whole ranges
of local days from the events around them and puts them in place of what was
stored. Sessions follow U02 of the reference: per user and account, a gap of more
than 30 minutes or a log-out ends one, none is longer than 24 hours, midnight does
not split it (its time is split over the days).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from perennial.core.settings import Settings
from perennial.core.windows import (
    DAY,
    Grain,
    Period,
    add_months,
    day_start,
    offsets,
    periods,
)
from perennial.lake.store import Lake, empty

TABLES = ("user_days", "feature_days", "sessions", "account_days")

_US = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Events read at once: enough for every core, little enough for memory.
_SPAN_EVENTS = 2_000_000
#: Rows collected before they are written: bounds memory in a full build.
_FLUSH_ROWS = 6_000_000

# Names that are a log-in or a log-out where nobody said what they are.
_LOGIN = r"^(user[ _]*)?(logged[ _-]*in|log[ _-]*in|login|sign[ _-]*in|signed[ _-]*in|signin)$"
_LOGOUT = r"^(user[ _]*)?(logged[ _-]*out|log[ _-]*out|logout|sign[ _-]*out|signed[ _-]*out|signout)$"


class UsageBuilder:
    """Builds usage roll-ups of `lake` with `duck`, by the workspace's settings."""

    def __init__(
        self,
        lake: Lake,
        duck: duckdb.DuckDBPyConnection,
        settings: Settings,
        progress: Mapping[str, int],
    ) -> None:
        self.lake = lake
        self.duck = duck
        self.settings = settings
        self._progress = progress
        self._loaded: set[str] = set()
        self._long: list[tuple[int, int]] = []

    def all(self, progress: Callable[[float], None] | None = None) -> None:
        """Build every day there is, some months at a time."""
        spans = list(self._spans())
        self._prepare()
        whole = True
        for done, span in enumerate(spans, start=1):
            self._load(span)
            self._collect(span)
            if done == len(spans) or self._collected() >= _FLUSH_ROWS:
                self._flush(whole=whole, last=done == len(spans))
                whole = False
            if progress:
                progress(done / len(spans))
        if not spans:
            self._flush(whole=True, last=True)

    def days(self, changed: set[date]) -> None:
        """Rebuild the local days that these changed days can have touched."""
        self._prepare()
        spans = list(ranges(changed))
        while spans:
            span = self._load_widened(spans.pop(0))
            while spans and spans[0].start <= span.end:
                end = max(span.end, spans.pop(0).end)
                span = self._load_widened(Period(span.start, end))
            self._keep_around(span)
            self._collect(span)
        self._flush(whole=False, last=True)

    # One span of local days

    def _load(self, span: Period) -> None:
        """Read `activity` and its sessions, `cut`, for a span."""
        self._load_activity(span)
        self._load_sessions(span)

    def _load_widened(self, span: Period) -> Period:
        """Load `span`, up to where a change can have moved the cuts of a session.

        Only activity without a 30-minute break over the whole last day, in a
        chain begun before it, carries a change past the end.
        """
        while True:
            self._load(span)
            low, high = _us(self._start(span.end - DAY)), _us(self._start(span.end))
            if not any(first < low and last >= high for first, last in self._long):
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

    def _load_activity(self, span: Period) -> None:
        """`activity`: the events of a span, a day before and a day after.

        A session that reaches into the span began at most 24 hours earlier, but
        where it is cut depends on where its chain of events began: for chains
        longer than the day before, read further back.
        """
        pad = 1
        while True:
            read = Period(span.start - DAY * pad, span.end + DAY)
            self._read_events(read)
            if not self._chain_is_cut_off(read, span) or not self._has_before(read):
                return
            pad *= 2

    def _read_events(self, read: Period) -> None:
        low, high = self._start(read.start), self._start(read.end)
        define_local_day(self.duck, self.settings.tz, low - DAY * 2, high + DAY * 2)
        months = month_names(Period(low.date(), high.date() + DAY))
        self.duck.execute(
            f"""
            CREATE OR REPLACE TEMP VIEW raw AS
            SELECT event_id, account_id, user_id, event, timestamp
            FROM {self.lake.source("events", months=months)}
            WHERE timestamp >= TIMESTAMPTZ '{low.isoformat()}'
              AND timestamp < TIMESTAMPTZ '{high.isoformat()}'
            """
        )
        self.duck.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE name AS
            SELECT event, regexp_matches(lower(event), '{_LOGOUT}') AS is_logout,
                   is_logout OR regexp_matches(lower(event), '{_LOGIN}') AS is_login
            FROM (SELECT DISTINCT event FROM raw)
            """
        )
        self.duck.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE activity AS
            SELECT a.account_id, a.user_id, epoch_us(a.timestamp) AS us,
                   local_day(us) AS date,
                   CASE WHEN d.kind = 'feature' OR (d.kind IS NULL AND NOT n.is_login)
                        THEN coalesce(d.feature_id, a.event) END AS feature_id,
                   coalesce(d.is_activity, true) AS is_activity,
                   n.is_logout::INT AS is_logout
            FROM {self._attributed} a
            JOIN name n ON n.event = a.event
            LEFT JOIN definition d ON d.event = a.event
             AND d.valid_from <= a.timestamp AND d.valid_to > a.timestamp
            """
        )

    @cached_property
    def _attributed(self) -> str:
        """SQL of events with their account: their own, or else the only one the
        user belonged to at that instant (G4)."""
        if not self.lake.has_nulls("events", "account_id"):
            return "raw"
        return """(
            SELECT account_id, user_id, event, timestamp FROM raw
            WHERE account_id IS NOT NULL OR user_id IS NULL
            UNION ALL
            SELECT CASE WHEN count(DISTINCT m.account_id) = 1
                        THEN min(m.account_id) END,
                   raw.user_id, raw.event, raw.timestamp
            FROM raw LEFT JOIN member m ON m.user_id = raw.user_id
             AND m.starts_at <= raw.timestamp AND m.ends_at > raw.timestamp
            WHERE raw.account_id IS NULL AND raw.user_id IS NOT NULL
            GROUP BY raw.event_id, raw.user_id, raw.event, raw.timestamp
        )"""

    def _chain_is_cut_off(self, read: Period, span: Period) -> bool:
        """Does somebody's unbroken activity reach from before `read` into `span`?"""
        low, high = _us(self._start(read.start)), _us(self._start(span.start))
        gap = self.settings.session_timeout_s * _US
        found = self.duck.execute(
            """
            WITH early AS (
                SELECT account_id, user_id, us, lag(us, 1, $1) OVER (
                    PARTITION BY account_id, user_id ORDER BY us) AS before
                FROM activity WHERE us < $2 AND is_activity AND user_id IS NOT NULL
            )
            SELECT 1 FROM early GROUP BY account_id, user_id
            HAVING max(us - before) <= $3 AND $2 - max(us) <= $3 LIMIT 1
            """,
            [low, high, gap],
        ).fetchall()
        return bool(found)

    def _has_before(self, read: Period) -> bool:
        first = f"{self._start(read.start):%Y-%m}"
        months = self.lake.files_by_month("events")
        return any(month <= first for month in months)

    def _load_sessions(self, span: Period) -> None:
        """`cut`: sessions of `activity`, whole ones from a day before the span."""
        gap, longest = self.settings.session_timeout_s * _US, self._longest()
        # One sorted list a user, as measured four times faster than windows. An
        # event's time carries in its lowest bit whether it is a log-out.
        self.duck.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE chain AS
            WITH lists AS (
                SELECT account_id, user_id, list_sort(list(us * 2 + is_logout)) AS t
                FROM activity WHERE is_activity AND user_id IS NOT NULL
                GROUP BY account_id, user_id
            ), starts AS (
                SELECT account_id, user_id, t, list_filter(
                    range(1, len(t) + 1),
                    lambda i: i = 1 OR t[i] // 2 - t[i - 1] // 2 > {gap}
                              OR t[i - 1] % 2 = 1 AND t[i] // 2 > t[i - 1] // 2) AS s
                FROM lists
            ), spans AS (
                SELECT account_id, user_id, t, unnest(s) AS a,
                       unnest(list_append(s[2:], len(t) + 1)) - 1 AS b
                FROM starts
            )
            SELECT account_id, user_id, t[a] // 2 AS started, t[b] // 2 AS ended,
                   b - a + 1 AS events,
                   CASE WHEN t[b] // 2 - t[a] // 2 > {longest} THEN t[a:b] END AS t
            FROM spans
            """
        )
        self._cut_long_chains()
        self.duck.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE cut AS
            SELECT local_day(started) AS date,
                   account_id, user_id, make_timestamp(started)::TIMESTAMPTZ AS started_at,
                   make_timestamp(ended)::TIMESTAMPTZ AS ended_at, events,
                   (ended - started) // 1000 AS duration_ms
            FROM chain WHERE started >= {_us(self._start(span.start - DAY))}
            """
        )

    def _cut_long_chains(self) -> None:
        """Cut chains of over 24 hours greedily from their first event. Rare."""
        long = self.duck.execute(
            "SELECT account_id, user_id, t FROM chain WHERE t IS NOT NULL"
        ).fetchall()
        self._long = [(times[0] // 2, times[-1] // 2) for _, _, times in long]
        if not long:
            return
        longest = self._longest()
        pieces = [
            (account, user, *piece)
            for account, user, times in long
            for piece in cut([time // 2 for time in times], longest)
        ]
        columns = ("account_id", "user_id", "started", "ended", "events")
        rows = pa.table(dict(zip(columns, zip(*pieces, strict=True), strict=True)))
        self.duck.execute("DELETE FROM chain WHERE t IS NOT NULL")
        self.duck.register("pieces", rows)
        self.duck.execute("INSERT INTO chain SELECT *, NULL FROM pieces")
        self.duck.unregister("pieces")

    def _add_user_days(self, span: Period) -> None:
        self.duck.execute(
            f"""
            INSERT INTO built_user_days
            SELECT date, account_id, user_id, sum(events), sum(duration_ms),
                   make_timestamp(max(us))::TIMESTAMPTZ
            FROM (
                SELECT date, account_id, user_id, 1 AS events, 0 AS duration_ms, us
                FROM activity
                WHERE is_activity AND (user_id IS NOT NULL OR account_id IS NOT NULL)
                UNION ALL
                SELECT date, account_id, user_id, 0, duration_ms, NULL FROM cut
                WHERE duration_ms > 0 AND local_day(epoch_us(ended_at)) = date
                UNION ALL
                {self._split_over_midnight(span)}
                UNION ALL
                SELECT date, account_id, user_id, uses, coalesce(seconds, 0) * 1000, NULL
                FROM {self._usage_facts(span)} WHERE uses > 0
            )
            WHERE {_inside(span)} GROUP BY date, account_id, user_id
            """
        )

    def _split_over_midnight(self, span: Period) -> str:
        """SQL of sessions over midnight, one row a day, milliseconds adding up."""
        days = ", ".join(
            f"(DATE '{day}', {_us(self._start(day))}, {_us(self._start(day + DAY))})"
            for day in Period(span.start - DAY, span.end + DAY * 2)
        )
        return f"""
            SELECT d.day, account_id, user_id, 0,
                   (least(epoch_us(ended_at), d.high) - epoch_us(started_at)) // 1000
                 - (greatest(epoch_us(started_at), d.low) - epoch_us(started_at)) // 1000,
                   NULL
            FROM cut JOIN (VALUES {days}) AS d(day, low, high)
              ON epoch_us(started_at) < d.high AND epoch_us(ended_at) >= d.low
            WHERE duration_ms > 0 AND local_day(epoch_us(ended_at)) != date
        """

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

    def _usage_facts(self, span: Period) -> str:
        months = month_names(span)
        usage = self.lake.source("usage", months=months)
        return f"""(
            SELECT u.date, coalesce(u.account_id, s.account_id) AS account_id,
                   u.user_id, u.feature_id, u.uses, u.seconds, u.errors
            FROM {usage} u LEFT JOIN subscriber s USING (subscription_id)
        )"""

    # What is shared by all ranges

    def _prepare(self) -> None:
        duck, source = self.duck, self.lake.source
        self._loaded.clear()
        for name in TABLES:
            duck.execute(f"CREATE OR REPLACE TABLE built_{name} AS {empty(name)}")
        duck.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE definition AS
            SELECT name AS event, kind, feature_id,
                   coalesce(counts_as_activity, kind != 'system') AS is_activity,
                   coalesce(valid_from, TIMESTAMPTZ '-infinity') AS valid_from,
                   least(coalesce(valid_to, 'infinity'), coalesce(lead(valid_from)
                       OVER (PARTITION BY name ORDER BY valid_from NULLS FIRST),
                       'infinity')) AS valid_to
            FROM {source("event_definitions")}
            """
        )
        duck.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE member AS
            SELECT user_id, account_id,
                   coalesce(starts_at, TIMESTAMPTZ '-infinity') AS starts_at,
                   coalesce(ends_at, TIMESTAMPTZ 'infinity') AS ends_at
            FROM {source("memberships")}
            """
        )
        duck.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE subscriber AS
            SELECT subscription_id, min(account_id) AS account_id
            FROM {source("subscription_items")} GROUP BY subscription_id
            """
        )

    def _flush(self, *, whole: bool, last: bool) -> None:
        """Write what was built; `whole` replaces all that was stored.

        The last commit, to the last table, says which sources it speaks of: a
        build that died before is not taken for done.
        """
        *others, final = TABLES
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: self._write(name, whole, {}), others))
        self._write(final, whole, self._progress if last else {})

    def _write(self, name: str, whole: bool, progress: Mapping[str, int]) -> None:
        duck, built = self.duck.cursor(), f"built_{name}"
        months = None if whole else sorted(self._loaded | _months_of(duck, built))
        if whole or months:
            with self.lake.lock(name):
                self.lake.replace(duck, name, built, months=months, progress=progress)
        duck.execute(f"TRUNCATE {built}")

    def _collected(self) -> int:
        counts = " + ".join(f"(SELECT count(*) FROM built_{name})" for name in TABLES)
        found = self.duck.execute(f"SELECT {counts}").fetchall()
        return int(found[0][0])

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
        names = set(self.lake.files_by_month("events"))
        names |= set(self.lake.files_by_month("usage"))
        firsts = {date.fromisoformat(f"{name}-01") for name in names}
        # A local month reaches up to 14 hours into its UTC neighbors.
        firsts |= {f - DAY for f in firsts} | {f + DAY * 31 for f in firsts}
        firsts = {first.replace(day=1) for first in firsts}
        return [Period(first, add_months(first, 1)) for first in sorted(firsts)]

    def _longest(self) -> int:
        return self.settings.session_max_h * 3600 * _US

    def _start(self, day: date) -> datetime:
        return day_start(day, self.settings.tz)


def ranges(changed: set[date]) -> Iterator[Period]:
    """Spans of days that cover each changed day and its neighbors, in order."""
    start = end = None
    for day in sorted(changed):
        low, high = day - DAY, day + DAY * 2
        if start is None or end is None:
            start, end = low, high
        elif low <= end:
            end = high
        else:
            yield Period(start, end)
            start, end = low, high
    if start is not None and end is not None:
        yield Period(start, end)


def cut(times: Sequence[int], longest: int) -> Iterator[tuple[int, int, int]]:
    """Pieces (first, last, events) of sorted times, none longer than `longest`."""
    first = last = times[0]
    events = 0
    for time in times:
        if time - first > longest:
            yield first, last, events
            first, events = time, 0
        last = time
        events += 1
    yield first, last, events


def _months_of(duck: duckdb.DuckDBPyConnection, relation: str) -> set[str]:
    rows = duck.execute(f"SELECT DISTINCT strftime(date, '%Y-%m') FROM {relation}")
    return {row[0] for row in rows.fetchall()}


def _us(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def _inside(span: Period) -> str:
    return f"(date >= DATE '{span.start}' AND date < DATE '{span.end}')"


def month_names(span: Period) -> list[str]:
    """The calendar months `span` touches, as partitions are called."""
    return [
        f"{month.start:%Y-%m}" for month in periods(span.start, span.end, Grain.MONTH)
    ]


def define_local_day(
    duck: duckdb.DuckDBPyConnection, tz: ZoneInfo, start: datetime, end: datetime
) -> None:
    """Define `local_day(us)`: the local day of an instant in UTC microseconds.

    Good between two instants. Integer arithmetic over the zone's offsets, many
    times faster than asking the time zone library for every row.
    """
    first, *changes = offsets(tz, start, end)
    cases = "".join(
        f"WHEN us >= {_us(change.since)} THEN {change.seconds * _US} "
        for change in reversed(changes)
    )
    shift = (
        f"CASE {cases}ELSE {first.seconds * _US} END" if cases else first.seconds * _US
    )
    duck.execute(
        "CREATE OR REPLACE TEMP MACRO local_day(us) AS "
        f"(DATE '1970-01-01' + ((us + {shift}) // {86_400 * _US})::INT)"
    )
