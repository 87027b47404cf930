"""The same questions, asked of the raw file by DuckDB's SQL and ClickHouse's engine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from chdb.session import Session


@dataclass(frozen=True)
class Question:
    duckdb: str
    clickhouse: str


def questions(parquet: Path, start: date, end: date) -> dict[str, Question]:
    """SQL of each question for both engines."""
    duck, house = f"'{parquet}'", f"file('{parquet}', Parquet)"
    d = f"timestamp >= DATE '{start}' AND timestamp < DATE '{end}'"
    h = f"timestamp >= toDateTime('{start} 00:00:00') AND timestamp < toDateTime('{end} 00:00:00')"
    return {
        "dau, 90 days": Question(
            f"SELECT timestamp::DATE d, count(DISTINCT user_id) FROM {duck} WHERE {d} GROUP BY d",
            f"SELECT toDate(timestamp) d, uniqExact(user_id) FROM {house} WHERE {h} GROUP BY d",
        ),
        "mau, 90 days": Question(
            f"""
            WITH day AS (SELECT DISTINCT timestamp::DATE d, user_id FROM {duck}
                         WHERE timestamp >= DATE '{start}' - 30 AND timestamp < DATE '{end}')
            SELECT s.d, count(DISTINCT user_id) FROM (SELECT unnest(generate_series(
                DATE '{start}', DATE '{end}' - 1, INTERVAL 1 DAY))::DATE d) s
            JOIN day ON day.d <= s.d AND day.d > s.d - 30 GROUP BY s.d
            """,
            f"""
            SELECT d + k AS at, uniqExact(user_id) FROM (
                SELECT DISTINCT toDate(timestamp) d, user_id FROM {house}
                WHERE timestamp >= toDateTime('{start} 00:00:00') - INTERVAL 30 DAY
                  AND timestamp < toDateTime('{end} 00:00:00'))
            ARRAY JOIN range(30) AS k WHERE at >= toDate('{start}') AND at < toDate('{end}')
            GROUP BY at
            """,
        ),
        "stickiness by month": Question(
            f"""
            SELECT date_trunc('month', d) m, sum(u) / count(*) / any_value(t) FROM (
                SELECT timestamp::DATE d, count(DISTINCT user_id) u FROM {duck}
                WHERE {d} GROUP BY d)
            JOIN (SELECT date_trunc('month', timestamp)::DATE m2, count(DISTINCT user_id) t
                  FROM {duck} WHERE {d} GROUP BY m2) ON m2 = date_trunc('month', d) GROUP BY m
            """,
            f"""
            SELECT toStartOfMonth(timestamp) m,
                   uniqExact(toDate(timestamp), user_id) / uniqExact(toDate(timestamp))
                   / uniqExact(user_id) FROM {house} WHERE {h} GROUP BY m
            """,
        ),
        "sessions by day": Question(
            f"""
            SELECT timestamp::DATE d, count(*) FROM (
                SELECT timestamp, lag(timestamp) OVER (PARTITION BY account_id, user_id
                    ORDER BY timestamp) before FROM {duck} WHERE {d})
            WHERE before IS NULL OR timestamp - before > INTERVAL 30 MINUTE GROUP BY d
            """,
            f"""
            SELECT toDate(timestamp) d, count() FROM (
                SELECT timestamp, lagInFrame(timestamp, 1, toDateTime64(0, 6)) OVER (
                    PARTITION BY account_id, user_id ORDER BY timestamp
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) before
                FROM {house} WHERE {h})
            WHERE dateDiff('second', before, timestamp) > 1800 GROUP BY d
            """,
        ),
        "feature uses by account": Question(
            f"SELECT account_id, event, count(*) FROM {duck} WHERE {d} GROUP BY ALL",
            f"SELECT account_id, event, count() FROM {house} WHERE {h} GROUP BY account_id, event",
        ),
    }


@cache
def _house() -> Session:
    """ClickHouse's engine; a process has one, with tables in a folder of its own."""
    from chdb.session import Session

    return Session()


class MergeTree:
    """Tables of ClickHouse's own, loaded with the same rows.

    Ordered by user and time, as funnels and cohorts want it.
    """

    def __init__(self, events: Path, subscriptions: Path) -> None:
        self._files = {}
        for name, path, order in (
            ("events", events, "(user_id, timestamp)"),
            ("subscriptions", subscriptions, "(account_id, valid_from)"),
        ):
            file = f"file('{path}', Parquet)"
            self._files[file] = name
            _house().query(f"DROP TABLE IF EXISTS {name}")
            _house().query(
                f"CREATE TABLE {name} ENGINE = MergeTree ORDER BY {order} "
                f"SETTINGS allow_nullable_key = 1 AS SELECT * FROM {file}"
            )

    def ask(self, sql: str) -> None:
        """A question about the files, asked of the tables instead."""
        for file, table in self._files.items():
            sql = sql.replace(file, table)
        ask_clickhouse(sql)


def ask_duckdb(sql: str) -> int:
    with duckdb.connect() as duck:
        duck.execute("SET TimeZone = 'UTC'")
        return duck.sql(sql).to_arrow_table().num_rows


def ask_clickhouse(sql: str) -> None:
    _house().query(sql, "ArrowTable")
