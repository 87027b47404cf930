"""Which days of usage a change of meaning can touch.

New links of ids, memberships and definitions come with every load. They change
little: this module compares what two states of those facts say of events (see
`meaning`) and finds the days of the events they say different things of. It may
name a day too many, never one too few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import duckdb

from perennial.lake.meaning import CROWD, Meaning
from perennial.lake.store import Lake

#: Facts whose changes this module can follow.
FOLLOWED = ("identities", "memberships", "event_definitions")

_EVER = "TIMESTAMPTZ '-infinity'"
_OPEN = "TIMESTAMPTZ 'infinity'"


class Touched:
    """Compares two states of the followed facts, given as versions by name.

    Raises `VersionGone` where the old state cannot be read any more.
    """

    def __init__(
        self,
        lake: Lake,
        duck: duckdb.DuckDBPyConnection,
        late_days: int,
        before: Mapping[str, int],
        now: Mapping[str, int],
    ) -> None:
        self.lake = lake
        self.duck = duck
        self._before = before
        self._now = now
        self._old = Meaning(duck, facts_at(lake, before), late_days, "old_")
        self._new = Meaning(duck, facts_at(lake, now), late_days, "new_")
        self._people_changed = any(
            before[name] != now[name] for name in ("identities", "memberships")
        )

    def event_days(self) -> set[date]:
        """UTC days of the events that mean something else now."""
        days: set[date] = set()
        if self._people_changed:
            self._compare_people()
            days |= self._days_of("user_id", "touched_user", "true")
            days |= self._days_of("anonymous_id", "touched_device", "user_id IS NULL")
        if self._before["event_definitions"] != self._now["event_definitions"]:
            for state in (self._old, self._new):
                state.definitions()
            self._differ("definition", "event", ("kind", "feature_id", "is_activity"))
            self._make(
                "touched_name", "SELECT *, false AS bare FROM different_definition"
            )
            days |= self._days_of("event", "touched_name", "true")
        return days

    def usage_days(self) -> set[date]:
        """Days of usage added up elsewhere whose users are somebody else now."""
        if not self._people_changed:
            return set()
        rows = self.duck.execute(
            f"SELECT DISTINCT date FROM {self.lake.source('usage')} "
            "WHERE user_id IN (FROM moved)"
        )
        return {row[0] for row in rows.fetchall()}

    # People

    def _compare_people(self) -> None:
        """`touched_user` and `touched_device`: ids as events carry them, and when.

        `bare` says that only events without an account of their own are meant.
        """
        for state in (self._old, self._new):
            state.aliases()
        self._make(
            "moved",
            "SELECT DISTINCT user_id FROM ("
            "(FROM old_alias EXCEPT FROM new_alias) UNION ALL "
            "(FROM new_alias EXCEPT FROM old_alias))",
        )
        self._compare_devices()
        self._compare_members()
        self._make(
            "touched_user",
            f"""
            SELECT user_id AS id, {_EVER} AS low, {_OPEN} AS high, false AS bare FROM moved
            UNION ALL SELECT *, true FROM different_member
            UNION ALL SELECT a.user_id, low, high, true
            FROM different_member d JOIN new_alias a ON a.person = d.id
            """,
        )
        self._devices_of("new_", "SELECT id FROM touched_user", "touched_devices")
        self._new.devices("touched_devices")
        self._make(
            "touched_device",
            """
            SELECT *, false AS bare FROM different_device
            UNION ALL
            SELECT anonymous_id, greatest(low, since), least(high, until), true
            FROM new_device d JOIN different_member m
              ON m.id = d.user_id AND since < high AND until > low
            """,
        )

    def _compare_devices(self) -> None:
        gone, come = self._changed("identities")
        self._make(
            "linked",
            f"SELECT previous_id FROM {gone} WHERE kind = 'anonymous' UNION "
            f"SELECT previous_id FROM {come} WHERE kind = 'anonymous'",
        )
        self._devices_of("old_", "FROM moved", "old_wanted")
        self._devices_of("new_", "FROM moved", "new_wanted")
        self._make("wanted", "FROM linked UNION FROM old_wanted UNION FROM new_wanted")
        for state in (self._old, self._new):
            state.devices("wanted")
        self._differ("device", "anonymous_id", ("user_id",))

    def _devices_of(self, state: str, users: str, into: str) -> None:
        """`into`: anonymous ids that lead to some users, or are such ids."""
        facts = self._old.facts if state == "old_" else self._new.facts
        self._make(
            into,
            f"SELECT previous_id FROM {facts['identities']} "
            f"WHERE kind = 'anonymous' AND user_id IN ({users}) UNION {users}",
        )

    def _compare_members(self) -> None:
        gone, come = self._changed("memberships")
        self._make(
            "rejoined",
            f"SELECT user_id FROM {gone} UNION SELECT user_id FROM {come} "
            "UNION FROM moved",
        )
        self._make(
            "wanted",
            " UNION ".join(
                f"SELECT coalesce(person, user_id) FROM rejoined "
                f"LEFT JOIN {state}alias USING (user_id)"
                for state in ("old_", "new_")
            ),
        )
        for state in (self._old, self._new):
            state.members("wanted")
        self._differ("member", "user_id", ("account_id",))

    # Parts

    def _changed(self, name: str) -> tuple[str, str]:
        return self.lake.difference(name, self._before[name], self._now[name])

    def _differ(self, name: str, key: str, values: tuple[str, ...]) -> None:
        """`different_…` (id, low, high): where the two step functions differ."""
        old, new = f"old_{name}", f"new_{name}"
        self._make(
            "unequal",
            f"SELECT DISTINCT {key} AS id FROM ("
            f"(FROM {old} EXCEPT FROM {new}) UNION ALL (FROM {new} EXCEPT FROM {old}))",
        )
        value, nothing = (
            f"row({', '.join(values)})",
            f"row({', '.join(_nulls(values))})",
        )
        told = " UNION ALL ".join(
            f"SELECT {key} AS id, since AS low, {number} AS state, true AS begins, "
            f"{value} AS value FROM {state} WHERE {key} IN (FROM unequal) UNION ALL "
            f"SELECT {key}, until, {number}, false, {nothing} FROM {state} "
            f"WHERE until < {_OPEN} AND {key} IN (FROM unequal)"
            for number, state in enumerate((old, new))
        )
        # Where one row ends and the next begins, the one that begins holds.
        self._make(
            f"different_{name}",
            f"""
            WITH told AS ({told}), moment AS (
                SELECT id, low, max_by(value, begins) FILTER (state = 0) AS old,
                       max_by(value, begins) FILTER (state = 1) AS new
                FROM told GROUP BY id, low
            ), held AS (
                SELECT id, low, lead(low, 1, {_OPEN}) OVER w AS high,
                       last_value(old IGNORE NULLS) OVER w AS old,
                       last_value(new IGNORE NULLS) OVER w AS new
                FROM moment WINDOW w AS (PARTITION BY id ORDER BY low)
            )
            SELECT id, low, high FROM held
            WHERE coalesce(old, {nothing}) IS DISTINCT FROM coalesce(new, {nothing})
            """,
        )

    def _days_of(self, column: str, touched: str, condition: str) -> set[date]:
        """UTC days of events whose `column` is touched at their time."""
        months = self._months(touched)
        if not months:
            return set()
        # A day too many is allowed: of many spans of one id the whole is taken.
        self._make(
            "wide",
            f"""
            SELECT id, low, high, bare FROM {touched}
            QUALIFY count(*) OVER (PARTITION BY id) <= {CROWD}
            UNION ALL
            SELECT id, min(low), max(high), bool_and(bare) FROM {touched}
            GROUP BY id HAVING count(*) > {CROWD}
            """,
        )
        rows = self.duck.execute(
            f"""
            SELECT DISTINCT timestamp::DATE
            FROM {self.lake.source("events", months=months)} e
            JOIN wide t ON t.id = e.{column}
            WHERE {condition} AND timestamp >= low AND timestamp < high
              AND (account_id IS NULL OR NOT bare)
            """
        )
        return {row[0] for row in rows.fetchall()}

    def _months(self, touched: str) -> list[str]:
        """Months of events that a relation of touched ids reaches into."""
        ((low, high),) = self.duck.execute(
            "SELECT strftime(min(low), '%Y-%m'), strftime(max(high), '%Y-%m') "
            f"FROM {touched}"
        ).fetchall()
        # "-infinity" sorts before every month, "infinity" after.
        return [
            month
            for month in self.lake.files_by_month("events")
            if low is not None and low <= month <= high
        ]

    def _make(self, name: str, query: str) -> None:
        self.duck.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")


def _nulls(values: Sequence[str]) -> list[str]:
    return ["NULL"] * len(values)


def facts_at(lake: Lake, versions: Mapping[str, int]) -> dict[str, str]:
    """SQL of the followed facts as they were at some versions."""
    return {name: lake.source_at(name, versions[name]) for name in FOLLOWED}
