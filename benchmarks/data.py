"""Events to measure with: log-normal accounts and users, sessions, a year."""

from __future__ import annotations

from pathlib import Path

import duckdb

from perennial.lake.tables import FACTS

SCHEMA = FACTS["events"].schema()
#: Rows of the CSV file: enough for a rate, small enough for the disk.
CSV_ROWS = 1_000_000
ACCOUNTS = 5000


def write(folder: Path, events: int, accounts: int = ACCOUNTS) -> tuple[Path, Path]:
    """Parquet of all events of 2025 and CSV of the first of them."""
    folder.mkdir(parents=True)
    parquet, csv = folder / "events.parquet", folder / "events.csv"
    sessions = events // 8
    with duckdb.connect() as duck:
        duck.execute("SELECT setseed(0.42)")
        duck.execute(
            f"""
            CREATE TABLE session AS
            SELECT range AS session, floor({accounts} * power(random(), 3))::INT AS account,
                   floor(40 * power(random(), 2))::INT AS person,
                   TIMESTAMPTZ '2025-01-01' + INTERVAL (floor(random() * 333)::INT) DAY
                   + INTERVAL (floor(7 * 3600 + random() * 36000)::INT) SECOND AS start
            FROM range({sessions})
            """
        )
        duck.execute(
            f"""
            COPY (
                SELECT printf('%08x-%06d', session, n) AS event_id,
                       'feature ' || floor(30 * power(random(), 2))::INT AS event,
                       start + INTERVAL (n * 50) SECOND AS timestamp,
                       'account-' || account || '/' || person AS user_id,
                       'account-' || account AS account_id
                FROM session, range(8) AS t(n) ORDER BY timestamp
            ) TO '{parquet}' (ROW_GROUP_SIZE 250000)
            """
        )
        duck.execute(f"COPY (FROM '{parquet}' LIMIT {CSV_ROWS}) TO '{csv}' (HEADER)")
    return parquet, csv


def write_subscriptions(folder: Path) -> Path:
    """Parquet of two years of subscriptions: a row a change of an account's MRR."""
    path = folder / "subscriptions.parquet"
    with duckdb.connect() as duck:
        duck.execute("SELECT setseed(0.42)")
        duck.execute(
            f"""
            COPY (
                WITH change AS (
                    SELECT account, n, DATE '2023-12-01'
                           + INTERVAL (floor(60 * account % 700)::INT + 97 * n) DAY AS since,
                           floor(random() * 9)::INT * 50 AS mrr
                    FROM range({ACCOUNTS}) AS a(account), range(8) AS c(n)
                )
                SELECT 's' || account AS subscription_id, 'account-' || account AS account_id,
                       mrr::DOUBLE AS mrr, since::DATE AS valid_from,
                       lead(since::DATE) OVER (PARTITION BY account ORDER BY since) AS valid_to
                FROM change ORDER BY account_id, valid_from
            ) TO '{path}'
            """
        )
    return path
