"""What facts say of events: whose they are, which account's, what a name means.

Each answer is a step function of time, kept as rows `[since, until)` that do not
overlap, in a temporary table. The roll-ups ask the newest facts; `refresh` asks
two states of the facts and rebuilds only where the answers differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa

from perennial.lake.local_days import microseconds

#: A link of ids: when it was first seen, in microseconds, and the id it leads to.
Link = tuple[int, str]

#: Rows of one id from which on joins look for the one that holds, not through all.
CROWD = 100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EVER = "TIMESTAMPTZ '-infinity'"
_OPEN = "TIMESTAMPTZ 'infinity'"


@dataclass(frozen=True)
class Meaning:
    """One state of the facts, answered in temporary tables of `duck`.

    `facts` is the SQL of `identities`, `memberships` and `event_definitions`;
    `prefix` begins the names of the tables made, `late_days` is the setting.
    """

    duck: duckdb.DuckDBPyConnection
    facts: Mapping[str, str]
    late_days: int
    prefix: str = ""

    def aliases(self) -> None:
        """`alias` (user_id, person): former ids and whose they are now, for ever.

        An id follows its newest link, and so on; ids in a circle are one person,
        called by the newest name given within it.
        """
        rows = self.duck.execute(
            f"""
            SELECT previous_id, coalesce(epoch_us("at"), 0), user_id
            FROM {self.facts["identities"]}
            WHERE kind = 'alias' AND previous_id != user_id ORDER BY ALL
            """
        ).fetchall()
        named = persons({previous: (at, user) for previous, at, user in rows})
        found = pa.table(
            {"user_id": list(named.keys()), "person": list(named.values())},
            schema=pa.schema([("user_id", pa.string()), ("person", pa.string())]),
        )
        self.duck.register("found", found)
        self._make("alias", "FROM found")
        self.duck.unregister("found")

    def devices(self, only: str | None = None) -> None:
        """`device` (anonymous_id, since, until, user_id): who was on a device (G4).

        An event at t is of the first link at or after t, if that is not more than
        `late_days` later, and else of the last link before t. Needs `alias`;
        `only` is a relation of the anonymous ids wanted.
        """
        wanted = f"AND previous_id IN (FROM {only})" if only else ""
        others = f"WHERE user_id IN (FROM {only})" if only else ""
        self._make(
            "device",
            f"""
            WITH link AS (
                SELECT previous_id AS anonymous_id, user_id,
                       coalesce("at", TIMESTAMPTZ '1970-01-01') AS linked
                FROM {self.facts["identities"]} WHERE kind = 'anonymous' {wanted}
            ), begun AS (
                SELECT anonymous_id, user_id, greatest(
                           linked - INTERVAL {self.late_days} DAY,
                           coalesce(lag(linked) OVER w + INTERVAL 1 MICROSECOND, {_EVER})
                       ) AS since
                FROM link WINDOW w AS (PARTITION BY anonymous_id ORDER BY linked, user_id)
                UNION ALL
                SELECT user_id, person, {_EVER} FROM {self._alias} {others}
            )
            SELECT anonymous_id, since, lead(since, 1, {_OPEN}) OVER (
                       PARTITION BY anonymous_id ORDER BY since, b.user_id) AS until,
                   coalesce(person, b.user_id) AS user_id
            FROM begun b LEFT JOIN {self._alias} x ON x.user_id = b.user_id
            QUALIFY since < until
            """,
        )

    def members(self, only: str | None = None) -> None:
        """`member` (user_id, since, until, account_id): whose single account it is.

        A user of none or several accounts has none (G4). Needs `alias`; `only` is
        a relation of the persons wanted.
        """
        wanted = f"WHERE coalesce(x.person, m.user_id) IN (FROM {only})" if only else ""
        self._make(
            "member",
            f"""
            WITH held AS (
                SELECT coalesce(x.person, m.user_id) AS person, account_id,
                       coalesce(starts_at, {_EVER}) AS starts,
                       coalesce(ends_at, {_OPEN}) AS ends
                FROM {self.facts["memberships"]} m
                LEFT JOIN {self._alias} x ON x.user_id = m.user_id {wanted}
            ), known AS (
                SELECT account_id, row_number() OVER () AS code
                FROM (SELECT DISTINCT account_id FROM held)
            ), met AS (
                SELECT *, coalesce(max(ends) OVER (
                           PARTITION BY person, account_id ORDER BY starts, ends
                           ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                       ), {_EVER}) AS before
                FROM held WHERE starts < ends
            ), own AS (  -- what is new in each row: an account counts once at a time
                SELECT person, code, greatest(starts, before) AS starts, ends
                FROM met JOIN known USING (account_id) WHERE ends > before
            ), edge AS (
                SELECT person, since, sum(n) AS n, sum(code) AS code FROM (
                    SELECT person, starts AS since, 1 AS n, code FROM own
                    UNION ALL
                    SELECT person, ends, -1, -code FROM own WHERE ends < {_OPEN}
                ) GROUP BY person, since
            ), step AS (  -- the sum of the codes of one account is its code
                SELECT person, since, lead(since, 1, {_OPEN}) OVER w AS until,
                       CASE WHEN sum(n) OVER w = 1 THEN sum(code) OVER w END AS code
                FROM edge WINDOW w AS (PARTITION BY person ORDER BY since)
            )
            SELECT person AS user_id, since, until, account_id
            FROM step LEFT JOIN known USING (code)
            """,
        )

    def definitions(self) -> None:
        """`definition` (event, since, until, kind, feature_id, is_activity)."""
        self._make(
            "definition",
            f"""
            SELECT name AS event, coalesce(valid_from, {_EVER}) AS since,
                   least(coalesce(valid_to, {_OPEN}), coalesce(lead(valid_from)
                       OVER (PARTITION BY name ORDER BY valid_from NULLS FIRST),
                       {_OPEN})) AS until,
                   kind, feature_id,
                   coalesce(counts_as_activity, kind != 'system') AS is_activity
            FROM {self.facts["event_definitions"]}
            """,
        )

    def is_crowded(self, table: str, key: str) -> bool:
        """Has some id so many rows that events cannot be held against them all?

        One device for everybody, say, because a client sends a constant.
        """
        found = self.duck.execute(
            f"SELECT 1 FROM {self.prefix}{table} GROUP BY {key} "
            f"HAVING count(*) > {CROWD} LIMIT 1"
        )
        return bool(found.fetchall())

    @property
    def _alias(self) -> str:
        return f"{self.prefix}alias"

    def _make(self, name: str, query: str) -> None:
        self.duck.execute(
            f"CREATE OR REPLACE TEMP TABLE {self.prefix}{name} AS {query}"
        )


def aliases(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The person each former id belongs to; `rows` are alias links of `identities`."""
    links = sorted(
        (row["previous_id"], row["at"] or _EPOCH, row["user_id"]) for row in rows
    )
    newest = {
        former: (microseconds(at), user) for former, at, user in links if former != user
    }
    return persons(newest)


def persons(links: Mapping[str, Link]) -> dict[str, str]:
    """The person each id belongs to, where that is another id.

    `links` is the newest link of each former id.
    """
    found: dict[str, str] = {}
    for start in links:
        way: dict[str, None] = {}
        at = start
        while at in links and at not in found and at not in way:
            way[at] = None
            at = links[at][1]
        if at in way:  # a circle
            ring = list(way)[list(way).index(at) :]
            person = max(links[member] for member in ring)[1]
            found[person] = person
        else:
            person = found.get(at, at)
        found |= dict.fromkeys(way, person)
    return {user: person for user, person in found.items() if user != person}
