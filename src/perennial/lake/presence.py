"""`presence`: on which days people were active, each with the day before that one.

Who was active within so many days is a count of distinct people, and to count them
anew for each of 365 days costs a hash of every id. With the day somebody was last
there before, it is a sum over days: a person counts from a day of presence on for as
long as the window is, but for days that the last presence covers already.

Made from `user_days`, months at a time, from the first month that changed on.
"""

from __future__ import annotations

from datetime import date

import duckdb

from perennial.lake.store import Lake

NAME = "presence"
SOURCE = "user_days"


def is_current(lake: Lake) -> bool:
    """Does it speak of what `user_days` says now?"""
    return lake.progress(NAME, SOURCE) == lake.snapshot(SOURCE).version


def roll_up(
    lake: Lake,
    duck: duckdb.DuckDBPyConnection,
    *,
    was: int,
    since: date | None,
) -> None:
    """Bring the table to the present version of `user_days`.

    Days from `since` on have changed since version `was`; None: any.
    """
    now = lake.snapshot(SOURCE).version
    known = lake.progress(NAME, SOURCE)
    if known == now:
        return
    first = None if since is None or known != was else f"{since:%Y-%m}"
    every = {*lake.files_by_month(SOURCE), *lake.files_by_month(NAME)}
    months = sorted(m for m in every if first is None or m >= first)
    if not months:
        lake.record(NAME, {SOURCE: now})
        return
    _build(lake, duck, months, sorted(every - {*months}))
    with lake.lock(NAME):
        lake.replace(
            duck,
            NAME,
            f"built_{NAME}",
            months=None if first is None else months,
            progress={SOURCE: now},
        )


def _build(
    lake: Lake, duck: duckdb.DuckDBPyConnection, months: list[str], before: list[str]
) -> None:
    """`built_presence` of these months; what came before them is in others."""
    duck.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE built_{NAME} AS
        WITH there AS (
            SELECT DISTINCT date, user_id FROM {lake.source(SOURCE, months=months)}
            WHERE user_id IS NOT NULL AND events > 0
        ), earlier AS (
            SELECT user_id, max(date) AS date
            FROM {lake.source(SOURCE, months=before)}
            WHERE user_id IS NOT NULL AND events > 0 GROUP BY user_id
        )
        SELECT t.date, user_id, coalesce(
                   lag(t.date) OVER (PARTITION BY user_id ORDER BY t.date), e.date
               ) AS previous_on
        FROM there t LEFT JOIN earlier e USING (user_id)
        """
    )
