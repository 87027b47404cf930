"""Roll-ups of usage: events become days, sessions and feature uses.

The same code builds everything and rebuilds a few days: it computes whole ranges
of local days from the events around them and puts them in place of what was
stored. Whose an event is, `meaning` says; names that begin with "$", excluded and
late events (G3, G4) only count in `event_days`. Sessions follow U02 of the
reference: per user and account, a gap of more than 30 minutes or a log-out ends
one, none is longer than 24 hours, midnight does not split it (its time is split
over the days).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from perennial.core.event_names import LOGIN, LOGOUT
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
from perennial.lake.meaning import Meaning
from perennial.lake.relations import empty
from perennial.lake.store import Lake
from perennial.lake.touched import facts_at

TABLES = ("user_days", "feature_days", "event_days", "sessions", "account_days")

_US = 1_000_000
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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
        self._long: list[tuple[int, int]] = []
        self._crowded: set[str] = set()
        self._longest = timedelta(hours=settings.session_max_h)
        self._gap = timedelta(seconds=settings.session_timeout_s)

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
            Period(self._day(self._start(day) - self._longest), day + DAY * 2)
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
        self._load_activity(span)
        self._load_sessions(span)

    def _load_widened(self, span: Period) -> Period:
        """Load `span`, up to where a change can have moved the cuts of a session.

        Only activity without a break over the whole last day, on which nothing
        changed, carries a change past the end.
        """
        while True:
            self._load(span)
            low = self._start(span.end - DAY) + self._gap
            high = self._start(span.end) - self._gap
            if not self._unbroken(_us(low), _us(high)):
                return span
            span = Period(span.start, span.end + DAY)

    def _unbroken(self, low: int, high: int) -> bool:
        if any(first <= low and last >= high for first, last in self._long):
            return True
        found = self.duck.execute(
            f"SELECT 1 FROM chain WHERE started <= {low} AND ended >= {high} LIMIT 1"
        )
        return bool(found.fetchall())

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

    def _load_activity(self, span: Period) -> None:
        """`activity`: the events of a span and of a session's length around it.

        A session that reaches into the span began at most that long before, but
        where it is cut depends on where its chain of events began: for chains
        longer than what was read, read further back.
        """
        start, end = self._start(span.start), self._start(span.end)
        pad = self._longest
        while True:
            self._read_events(start - pad, end + self._longest)
            if not self._chain_is_cut_off(start - pad, start):
                return
            if not self._has_before(start - pad):
                return
            pad *= 2

    def _read_events(self, low: datetime, high: datetime) -> None:
        """`heard`, all events between two instants, and `activity`, what counts."""
        define_local_day(self.duck, self.settings.tz, low - DAY * 2, high + DAY * 2)
        months = month_names(Period(low.date(), high.date() + DAY))
        self.duck.execute(
            f"""
            CREATE OR REPLACE TEMP VIEW heard AS
            SELECT e.account_id, {self._user} AS user_id, e.event, e.timestamp,
                   e.source_id, {self._counts} AS counts
            FROM {self.lake.source("events", months=months)} e {self._links}
            WHERE e.timestamp >= TIMESTAMPTZ '{low.isoformat()}'
              AND e.timestamp < TIMESTAMPTZ '{high.isoformat()}'
            """
        )
        self.duck.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE name AS
            SELECT event, regexp_matches(lower(event), '{LOGOUT}') AS is_logout,
                   is_logout OR regexp_matches(lower(event), '{LOGIN}') AS is_login
            FROM (SELECT DISTINCT event FROM heard) WHERE NOT starts_with(event, '$')
            """
        )
        self.duck.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE activity AS
            SELECT {self._account} AS account_id, e.user_id, epoch_us(e.timestamp) AS us,
                   local_day(us) AS date,
                   CASE WHEN d.kind = 'feature' OR (d.kind IS NULL AND NOT n.is_login)
                        THEN coalesce(d.feature_id, e.event) END AS feature_id,
                   coalesce(d.is_activity, true) AS is_activity,
                   n.is_logout::INT AS is_logout
            FROM heard e {self._members}
            JOIN name n ON n.event = e.event
            LEFT JOIN definition d ON d.event = e.event
             AND d.since <= e.timestamp AND d.until > e.timestamp
            WHERE e.counts
            """
        )

    # What only some lakes need costs the others nothing.

    @cached_property
    def _counts(self) -> str:
        """SQL: is the event in numbers? Not when excluded or, by HTTP, too late."""
        rules = []
        if self.lake.has_values("events", "excluded_as"):
            rules.append("e.excluded_as IS NULL")
        if self.lake.has_values("events", "source_id"):
            late = timedelta(days=self.settings.late_days) // _MICROSECOND
            rules.append(
                "(e.source_id IS NULL OR e.received_at IS NULL OR "
                f"epoch_us(e.received_at) - epoch_us(e.timestamp) <= {late})"
            )
        return " AND ".join(rules) or "true"

    @cached_property
    def _has_links(self) -> bool:
        return bool(self._count("alias") or self._count("device"))

    @property
    def _user(self) -> str:
        """SQL of the person an event is of."""
        if not self._has_links:
            return "e.user_id"
        return "coalesce(x.person, e.user_id, v.user_id)"

    @property
    def _links(self) -> str:
        if not self._has_links:
            return ""
        return f"""
            LEFT JOIN alias x ON x.user_id = e.user_id
            {self._step("device")} v
              ON v.anonymous_id = CASE WHEN e.user_id IS NULL THEN e.anonymous_id END
             AND v.since <= e.timestamp {self._until("device", "v")}"""

    @property
    def _account(self) -> str:
        """SQL of an event's account: its own, or else the only one the person
        belonged to at that instant (G4)."""
        return (
            "coalesce(e.account_id, m.account_id)" if self._members else "e.account_id"
        )

    @cached_property
    def _members(self) -> str:
        if not self.lake.has_nulls("events", "account_id"):
            return ""
        return f"""
            {self._step("member")} m
              ON m.user_id = CASE WHEN e.account_id IS NULL THEN e.user_id END
             AND m.since <= e.timestamp {self._until("member", "m")}"""

    # Rows of a step function do not overlap and leave no gap, so that the last one
    # begun is the one that holds. To look it up is slower, but for crowds.

    def _step(self, name: str) -> str:
        return f"{'ASOF ' if name in self._crowded else ''}LEFT JOIN {name}"

    def _until(self, name: str, alias: str) -> str:
        return "" if name in self._crowded else f"AND {alias}.until > e.timestamp"

    def _chain_is_cut_off(self, read: datetime, start: datetime) -> bool:
        """Does somebody's unbroken activity reach from before `read` to `start`?"""
        low, high, gap = _us(read), _us(start), self._gap // _MICROSECOND
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

    def _has_before(self, read: datetime) -> bool:
        first = f"{read:%Y-%m}"
        months = self.lake.files_by_month("events")
        return any(month <= first for month in months)

    def _load_sessions(self, span: Period) -> None:
        """`cut`: sessions of `activity` that can reach into the span, whole."""
        gap, longest = self._gap // _MICROSECOND, self._longest // _MICROSECOND
        first = self._start(span.start) - self._longest
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
            CREATE OR REPLACE TEMP VIEW cut AS
            SELECT local_day(started) AS date,
                   account_id, user_id, make_timestamptz(started) AS started_at,
                   make_timestamptz(ended) AS ended_at, events,
                   (ended - started) // 1000 AS duration_ms
            FROM chain WHERE started >= {_us(first)}
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
        longest = self._longest // _MICROSECOND
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
                   make_timestamptz(max(us))
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
            for day in span
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
        facts = facts_at(self.lake, self._progress)
        meaning = Meaning(duck, facts, self.settings.late_days)
        meaning.definitions()
        meaning.aliases()
        meaning.devices()
        meaning.members()
        keys = {"device": "anonymous_id", "member": "user_id"}
        self._crowded = {n for n, key in keys.items() if meaning.is_crowded(n, key)}
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

    def _count(self, relation: str) -> int:
        found = self.duck.execute(f"SELECT count(*) FROM {relation}").fetchall()
        return int(found[0][0])

    def _day(self, instant: datetime) -> date:
        return instant.astimezone(self.settings.tz).date()

    def _start(self, day: date) -> datetime:
        return day_start(day, self.settings.tz)


def local_months(partitions: Iterable[str]) -> list[Period]:
    """The local months that can lie in monthly partitions, oldest first."""
    firsts = {date.fromisoformat(f"{name}-01") for name in partitions}
    # A local month reaches up to 14 hours into its UTC neighbors.
    firsts |= {f - DAY for f in firsts} | {f + DAY * 31 for f in firsts}
    firsts = {first.replace(day=1) for first in firsts}
    return [Period(first, add_months(first, 1)) for first in sorted(firsts)]


def merged(spans: Iterable[Period]) -> list[Period]:
    """Spans of days in order, those that touch made one."""
    found: list[Period] = []
    for span in sorted(spans, key=lambda span: span.start):
        if found and span.start <= found[-1].end:
            last = found.pop()
            span = Period(last.start, max(last.end, span.end))
        found.append(span)
    return found


def local_days(utc_days: Iterable[date], tz: ZoneInfo) -> set[date]:
    """The local days that UTC days reach into."""
    found: set[date] = set()
    for day in utc_days:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        found |= {
            instant.astimezone(tz).date()
            for instant in (start, start + DAY - _MICROSECOND)
        }
    return found


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
    return (instant - _EPOCH) // _MICROSECOND


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
