"""`former_attributes`: what accounts were before they became what they are.

Numbers of the past go by the segment an account was in then (G6), and the facts
say only what it is in now. So whenever accounts change, what they no longer are
is written down here with the day it ended; it is never rewritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import duckdb

from perennial.lake import ledgers
from perennial.lake.store import Lake

NAME = "former_attributes"


def keep(
    lake: Lake,
    duck: duckdb.DuckDBPyConnection,
    today: date,
    *,
    progress: Mapping[str, int],
) -> None:
    """Write down attributes that differ from `account_attributes`, as ended today.

    It has to come before that table is built again. An attribute nobody had
    before, and an account that is new, are taken to have been so ever since.
    """
    ledgers.build_attributes(lake, duck)
    duck.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE ended AS
        WITH old AS (FROM {lake.source("account_attributes")}),
             new AS (FROM built_account_attributes),
        every AS (
            SELECT account_id, name FROM old
            UNION
            SELECT account_id, name FROM new
            WHERE account_id IN (SELECT account_id FROM old)
              AND name IN (SELECT name FROM old)
        )
        SELECT account_id, name, old.value, DATE '{today}' AS date_to
        FROM every LEFT JOIN old USING (account_id, name)
                   LEFT JOIN new USING (account_id, name)
        WHERE old.value IS DISTINCT FROM new.value
          AND account_id IN (SELECT account_id FROM {lake.source("accounts")})
        """
    )
    # What changed twice in a day was the first of it until that day.
    duck.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE kept AS
        FROM {lake.source(NAME)}
        UNION ALL BY NAME
        FROM ended ANTI JOIN {lake.source(NAME)} USING (account_id, name, date_to)
        """
    )
    with lake.lock(NAME):
        lake.replace(duck, NAME, "kept", progress=progress)
