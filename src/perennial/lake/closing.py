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

from perennial.core.ids import digest
from perennial.core.settings import Settings
from perennial.lake.store import Lake

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
    first_open = f"DATE '{date.fromordinal(closed)}'"
    duck.execute(_LATE.format(stored=lake.source(NAME), day=first_open))
    duck.execute(_TOGETHER.format(stored=lake.source(NAME), day=first_open))


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
        SELECT account_id, currency, mrr_e4 FROM built_mrr_ledger
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
        FROM built_mrr_ledger WHERE date_to IS NULL OR date_to > {day}
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
"""
