"""Sessions of activity, by U02 of the reference.

Per user and account, a gap of more than 30 minutes or a log-out ends one, none is
longer than 24 hours, midnight does not split it (its time is split over the days).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb
import pyarrow as pa

from perennial.core.settings import Settings
from perennial.core.windows import DAY, Period, day_start
from perennial.lake.local_days import MICROSECOND, microseconds


class Sessions:
    """Makes `cut`, the sessions in `activity`, a temporary table of `duck`."""

    def __init__(self, duck: duckdb.DuckDBPyConnection, settings: Settings) -> None:
        self._duck = duck
        self._tz = settings.tz
        self._gap = settings.session_gap
        self._longest = settings.session_longest
        self._long: list[tuple[int, int]] = []

    def load(self, span: Period) -> None:
        """`cut`: sessions of `activity` that can reach into the span, whole."""
        gap, longest = self._gap // MICROSECOND, self._longest // MICROSECOND
        first = day_start(span.start, self._tz) - self._longest
        # One sorted list a user, as measured four times faster than windows. An
        # event's time carries in its lowest bit whether it is a log-out.
        self._duck.execute(
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
        self._duck.execute(
            f"""
            CREATE OR REPLACE TEMP VIEW cut AS
            SELECT local_day(started) AS date,
                   account_id, user_id, make_timestamptz(started) AS started_at,
                   make_timestamptz(ended) AS ended_at, events,
                   (ended - started) // 1000 AS duration_ms
            FROM chain WHERE started >= {microseconds(first)}
            """
        )

    def _cut_long_chains(self) -> None:
        """Cut chains of over 24 hours greedily from their first event. Rare."""
        long = self._duck.execute(
            "SELECT account_id, user_id, t FROM chain WHERE t IS NOT NULL"
        ).fetchall()
        self._long = [(times[0] // 2, times[-1] // 2) for _, _, times in long]
        if not long:
            return
        longest = self._longest // MICROSECOND
        pieces = [
            (account, user, *piece)
            for account, user, times in long
            for piece in cut([time // 2 for time in times], longest)
        ]
        columns = ("account_id", "user_id", "started", "ended", "events")
        rows = pa.table(dict(zip(columns, zip(*pieces, strict=True), strict=True)))
        self._duck.execute("DELETE FROM chain WHERE t IS NOT NULL")
        self._duck.register("pieces", rows)
        self._duck.execute("INSERT INTO chain SELECT *, NULL FROM pieces")
        self._duck.unregister("pieces")

    def are_unbroken(self, low: int, high: int) -> bool:
        """Does somebody's activity have no break between these microseconds?"""
        if any(first <= low and last >= high for first, last in self._long):
            return True
        found = self._duck.execute(
            f"SELECT 1 FROM chain WHERE started <= {low} AND ended >= {high} LIMIT 1"
        )
        return bool(found.fetchall())

    def over_midnight(self, span: Period) -> str:
        """SQL of sessions over midnight, one row a day, milliseconds adding up."""
        starts = [
            (day, day_start(day, self._tz), day_start(day + DAY, self._tz))
            for day in span
        ]
        days = ", ".join(
            f"(DATE '{day}', {microseconds(low)}, {microseconds(high)})"
            for day, low, high in starts
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
