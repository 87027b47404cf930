"""Closed months: what a month's MRR was known to be stays what it was.

A month closes some days after its end, with all before it. What becomes known of its
days later is no part of them: the level jumps on the first open day, and `late_e4` of
`mrr_ledger` says how much of the jump is late knowledge, so that the bridge of that
month can tell it from what happened in it (R01). The ledger itself is the book: its
closed days are carried from one build to the next.

The history a workspace begins with stays open until the first month it lived through
closes. Another rule of counting (`RULES`) is another number: all months open again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import duckdb
import pyarrow as pa

from perennial.core.ids import digest
from perennial.core.settings import Settings
from perennial.lake import merged
from perennial.lake.duck import connect
from perennial.lake.store import Lake
from perennial.lake.stored import VersionGone

NAME = "mrr_ledger"
#: Settings that say what MRR is, and when it is closed.
RULES = (
    "timezone",
    "currency",
    "dunning_days",
    "churn_recognition",
    "month_close_days",
)
#: What commits of the ledger say of its book; days are ordinals, 0 is none.
_RULES, _OPENED, _CLOSED = "rules", "opened", "closed_until"


def book(lake: Lake, settings: Settings, today: date) -> Mapping[str, int]:
    """What the next build has to record: since when there is a book, closed until
    when (exclusive), and by which rules."""
    rules = _fingerprint(settings)
    opened, closed = today.toordinal(), 0
    if lake.progress(NAME, _RULES) == rules:
        opened = lake.progress(NAME, _OPENED) or opened
        closed = lake.progress(NAME, _CLOSED) or 0
    if settings.month_close_days >= 0:
        ended = today - timedelta(days=settings.month_close_days)
        month = ended.replace(day=1).toordinal()
        if month > opened:
            closed = max(closed, month)
    return {_RULES: rules, _OPENED: opened, _CLOSED: closed}


def keep_closed(
    lake: Lake, duck: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    """Let `built_mrr_ledger` say of closed days what the stored ledger says."""
    closed = lake.progress(NAME, _CLOSED)
    if not closed or lake.progress(NAME, _RULES) != _fingerprint(settings):
        return
    duck.register("moved", _moved(lake))
    first_open = f"DATE '{date.fromordinal(closed)}'"
    stored = f"(FROM {lake.source(NAME)} ANTI JOIN moved USING (account_id))"
    known = "(FROM built_mrr_ledger ANTI JOIN moved USING (account_id))"
    for sql in (_LATE, _TOGETHER):
        duck.execute(sql.format(stored=stored, known=known, day=first_open))
    duck.unregister("moved")


def _moved(lake: Lake) -> pa.Table:
    """Accounts that were merged, or parted again, since the book was written: what they
    pay went from one to the other, which is no news of a closed month."""
    then = lake.progress(NAME, merged.NAME)
    found: set[str] = set()
    if merged.version(lake) != ({} if then is None else {merged.NAME: then}):
        for at in (then, lake.snapshot(merged.NAME).version):
            found |= _of_merges(lake, -1 if at is None else at)
    return pa.table({"account_id": pa.array(sorted(found), pa.string())})


def _of_merges(lake: Lake, version: int) -> set[str]:
    with connect() as duck:
        try:
            rows = duck.sql(f"FROM {lake.source_at(merged.NAME, version)}")
        except VersionGone:
            return set()
        return {
            each
            for a, b in rows.select("account_id, into_id").fetchall()
            for each in (a, b)
        }


def _fingerprint(settings: Settings) -> int:
    text = repr([getattr(settings, name) for name in RULES])
    return int(digest(text)[:12], 16)


#: What is known now of the last closed day, less what the book says of it.
_LATE = """
    CREATE OR REPLACE TEMP TABLE late_mrr AS
    WITH said AS (
        SELECT account_id, currency, mrr_e4 FROM {stored}
        WHERE date_from < {day} AND (date_to IS NULL OR date_to >= {day})
    ), known AS (
        SELECT account_id, currency, mrr_e4 FROM {known}
        WHERE date_from < {day} AND (date_to IS NULL OR date_to >= {day})
    )
    SELECT account_id, currency,
           coalesce(known.mrr_e4, 0) - coalesce(said.mrr_e4, 0) AS late_e4
    FROM said FULL JOIN known USING (account_id, currency)
    WHERE late_e4 != 0
"""

#: The book up to its last day, then what is known now; equal runs are one.
_TOGETHER = """
    CREATE OR REPLACE TEMP TABLE built_mrr_ledger AS
    WITH open AS (
        SELECT account_id, currency, greatest(date_from, {day}) AS date_from,
               mrr_e4, is_paused, is_involuntary
        FROM {known} WHERE date_to IS NULL OR date_to > {day}
    ), told AS (
        FROM open
        UNION ALL BY NAME
        SELECT account_id, currency, {day} AS date_from, 0 AS mrr_e4,
               false AS is_paused, false AS is_involuntary
        FROM late_mrr ANTI JOIN (FROM open WHERE date_from = {day})
             USING (account_id, currency)
    ), step AS (
        SELECT account_id, currency, date_from, mrr_e4, is_paused, is_involuntary,
               late_e4
        FROM {stored} WHERE date_from < {day}
        UNION ALL BY NAME
        SELECT told.*, CASE WHEN date_from = {day} THEN late_e4 END AS late_e4
        FROM told LEFT JOIN late_mrr USING (account_id, currency)
    ), run AS (
        FROM step
        WINDOW w AS (PARTITION BY account_id, currency ORDER BY date_from)
        QUALIFY late_e4 IS NOT NULL
             OR mrr_e4 IS DISTINCT FROM lag(mrr_e4) OVER w
             OR is_paused IS DISTINCT FROM lag(is_paused) OVER w
    )
    SELECT account_id, currency, date_from,
           lead(date_from) OVER (
               PARTITION BY account_id, currency ORDER BY date_from) AS date_to,
           mrr_e4, is_paused, is_involuntary, late_e4
    FROM run
    UNION ALL BY NAME
    FROM built_mrr_ledger SEMI JOIN moved USING (account_id)
"""
