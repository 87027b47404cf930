"""The events of some local days as the roll-ups of usage take them.

Whose an event is, `meaning` says; names that begin with "$", excluded and late events
(G3, G4) are no activity.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property

import duckdb

from perennial.core.event_names import LOGIN, LOGOUT
from perennial.core.settings import Settings
from perennial.core.windows import DAY, Period, day_start
from perennial.lake.local_days import (
    MICROSECOND,
    define_local_day,
    microseconds,
    month_names,
)
from perennial.lake.meaning import Meaning
from perennial.lake.store import Lake
from perennial.lake.touched import facts_at


class Activity:
    """Reads `heard`, all events around a span, and `activity`, those that count."""

    def __init__(
        self, lake: Lake, duck: duckdb.DuckDBPyConnection, settings: Settings
    ) -> None:
        self._lake = lake
        self._duck = duck
        self._settings = settings
        self._crowded: set[str] = set()
        self._longest = settings.session_longest
        self._gap = settings.session_gap

    def prepare(self, progress: Mapping[str, int]) -> None:
        """Ask the facts, as of these versions, once for all spans."""
        facts = facts_at(self._lake, progress)
        meaning = Meaning(self._duck, facts, self._settings.late_days)
        meaning.definitions()
        meaning.aliases()
        meaning.devices()
        meaning.members()
        keys = {"device": "anonymous_id", "member": "user_id"}
        self._crowded = {n for n, key in keys.items() if meaning.is_crowded(n, key)}

    def load(self, span: Period) -> None:
        """`activity`: the events of a span and of a session's length around it.

        A session that reaches into the span began at most that long before, but
        where it is cut depends on where its chain of events began: for chains
        longer than what was read, read further back.
        """
        tz = self._settings.tz
        start, end = day_start(span.start, tz), day_start(span.end, tz)
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
        define_local_day(self._duck, self._settings.tz, low - DAY * 2, high + DAY * 2)
        months = month_names(Period(low.date(), high.date() + DAY))
        self._duck.execute(
            f"""
            CREATE OR REPLACE TEMP VIEW heard AS
            SELECT e.account_id, {self._user} AS user_id, e.event, e.timestamp,
                   e.source_id, {self._counts} AS counts
            FROM {self._lake.source("events", months=months)} e {self._links}
            WHERE e.timestamp >= TIMESTAMPTZ '{low.isoformat()}'
              AND e.timestamp < TIMESTAMPTZ '{high.isoformat()}'
            """
        )
        self._duck.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE name AS
            SELECT event, regexp_matches(lower(event), '{LOGOUT}') AS is_logout,
                   is_logout OR regexp_matches(lower(event), '{LOGIN}') AS is_login
            FROM (SELECT DISTINCT event FROM heard) WHERE NOT starts_with(event, '$')
            """
        )
        self._duck.execute(
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

    def _chain_is_cut_off(self, read: datetime, start: datetime) -> bool:
        """Does somebody's unbroken activity reach from before `read` to `start`?"""
        low, high, gap = (
            microseconds(read),
            microseconds(start),
            self._gap // MICROSECOND,
        )
        found = self._duck.execute(
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
        months = self._lake.files_by_month("events")
        return any(month <= first for month in months)

    # What only some lakes need costs the others nothing.

    @cached_property
    def _counts(self) -> str:
        """SQL: is the event in numbers? Not when excluded or, by HTTP, too late."""
        rules = []
        if self._lake.has_values("events", "excluded_as"):
            rules.append("e.excluded_as IS NULL")
        if self._lake.has_values("events", "source_id"):
            late = timedelta(days=self._settings.late_days) // MICROSECOND
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
        if not self._lake.has_nulls("events", "account_id"):
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

    def _count(self, relation: str) -> int:
        found = self._duck.execute(f"SELECT count(*) FROM {relation}").fetchall()
        return int(found[0][0])
