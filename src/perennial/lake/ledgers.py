"""Ledgers: what held on every day, as runs of equal days.

Money, seats and memberships change rarely, so a ledger stores one row for each
run `[date_from, date_to)` instead of one a day. The value of a day is the value
at its last instant (G2). They are rebuilt whole when their facts change: their
size follows the number of contracts, not of events.
"""

from __future__ import annotations

import duckdb

from perennial.core.money import MONTHS_PER_INTERVAL, SCALE
from perennial.core.settings import Settings
from perennial.lake import closing, merged
from perennial.lake.meaning import Meaning
from perennial.lake.store import Lake
from perennial.lake.tables import FACTS

#: Statuses of a subscription item that never pay.
_UNPAID = (
    "('canceled', 'cancelled', 'incomplete', 'incomplete_expired', 'unpaid', 'ended')"
)

#: SQL of the instant a cancellation ends an item, by `churn_recognition`.
_CANCELED = {
    "service_end": "'infinity'",
    "cancel_effective": "coalesce(cancel_effective_at, 'infinity')",
    "cancel_requested": "coalesce(cancel_requested_at, 'infinity')",
}

#: Stand for "since ever" and "still".
_FIRST, _LAST = "DATE '0001-01-01'", "DATE '9999-12-31'"


def build_mrr(lake: Lake, duck: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """`mrr_ledger`: MRR by account, currency and day, by rule R01.

    Trials, metered and unpaid items are no MRR; a pause makes it zero and says
    so; a failed payment keeps it for the dunning days. By `churn_recognition` it
    ends with the service, when the notice takes effect, or with the notice. Closed
    months keep what they said.
    """
    _items(lake, duck, settings)
    duck.execute(
        """
        CREATE OR REPLACE TEMP TABLE step AS
        SELECT account_id, currency, date, sum(amount) AS amount, sum(pause) AS pause,
               bool_or(failed) AS failed
        FROM (
            SELECT account_id, currency, day_from AS date, amount, 0 AS pause,
                   false AS failed FROM paying
            UNION ALL
            SELECT account_id, currency, day_to, -amount, 0, is_past_due FROM paying
            WHERE day_to IS NOT NULL
            UNION ALL
            SELECT account_id, currency, day_from, 0, 1, false FROM pausing
            UNION ALL
            SELECT account_id, currency, day_to, 0, -1, false FROM pausing
            WHERE day_to IS NOT NULL
        )
        GROUP BY account_id, currency, date
        """
    )
    duck.execute(
        """
        CREATE OR REPLACE TEMP TABLE built_mrr_ledger AS
        WITH level AS (
            SELECT account_id, currency, date, failed,
                   sum(amount) OVER w AS mrr_e4, sum(pause) OVER w > 0 AS paused
            FROM step
            WINDOW w AS (PARTITION BY account_id, currency ORDER BY date)
        ), run AS (
            SELECT account_id, currency, date AS date_from, mrr_e4::BIGINT AS mrr_e4,
                   mrr_e4 = 0 AND paused AS is_paused,
                   mrr_e4 = 0 AND NOT paused AND failed AS is_involuntary
            FROM level
            WINDOW v AS (PARTITION BY account_id, currency ORDER BY date)
            QUALIFY mrr_e4 IS DISTINCT FROM lag(mrr_e4) OVER v
                 OR (mrr_e4 = 0 AND paused) IS DISTINCT FROM
                    lag(mrr_e4 = 0 AND paused) OVER v
        )
        SELECT account_id, currency, date_from,
               lead(date_from) OVER (
                   PARTITION BY account_id, currency ORDER BY date_from) AS date_to,
               mrr_e4, is_paused, is_involuntary, NULL::BIGINT AS late_e4
        FROM run
        """
    )
    closing.keep_closed(lake, duck, settings)


def _items(lake: Lake, duck: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """`paying` and `pausing`: day ranges of items that pay and that are paused."""
    tz = settings.timezone
    months = " ".join(
        f"WHEN '{name}' THEN gross * {denominator} / ({numerator} * interval_count)"
        for name, (numerator, denominator) in MONTHS_PER_INTERVAL.items()
    )
    canceled = _CANCELED[settings.churn_recognition]
    # One item has one state at a time: an open row ends where its next begins.
    duck.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE item AS
        WITH history AS (
            SELECT *, coalesce(valid_to, lead(valid_from) OVER w) AS ends,
                   status = 'past_due' AND lag(status) OVER w
                       IS NOT DISTINCT FROM 'past_due' AS still_due,
                   quantity IS NULL AS single
            FROM {lake.source("subscription_items")}
            WINDOW w AS (PARTITION BY subscription_id, item_id ORDER BY valid_from)
        ), priced AS (
            SELECT *, coalesce(interval_count, 1) AS interval_count_,
                   coalesce(quantity, 1)::DECIMAL(18, 4) * unit_amount
                       - coalesce(discount, 0) AS gross
            FROM history
            WHERE coalesce(usage_type, 'licensed') != 'metered'
              AND coalesce(status, 'active') NOT IN {_UNPAID}
        ), due AS (
            SELECT *, max(CASE WHEN status = 'past_due' AND NOT still_due
                          THEN valid_from END) OVER (
                PARTITION BY subscription_id, item_id ORDER BY valid_from) AS due_since
            FROM priced
        )
        SELECT account_id,
               upper(coalesce(nullif(currency, ''), '{settings.currency}')) AS currency,
               CASE WHEN coalesce(is_trial, status = 'trialing')
                    THEN coalesce(trial_end, 'infinity')
                    WHEN is_trial IS NULL AND trial_end > valid_from THEN trial_end
                    ELSE valid_from END AS starts,
               coalesce(status = 'past_due', false) AS is_past_due,
               least(coalesce(ends, 'infinity'), {canceled},
                     CASE WHEN status = 'past_due' THEN
                          due_since + INTERVAL {settings.dunning_days} DAY
                          ELSE 'infinity' END) AS ends,
               CASE WHEN status = 'paused' THEN valid_from
                    WHEN paused_to <= paused_from THEN NULL
                    ELSE paused_from END AS paused_from,
               CASE WHEN status = 'paused' THEN NULL ELSE paused_to END AS paused_to,
               greatest(0, coalesce(
                   mrr * {SCALE},
                   round(CASE coalesce(interval, 'month') {_with_count(months)} END, 4)
                       * {SCALE}))::BIGINT AS amount
        FROM due
        """
    )
    local = f"timezone('{tz}', {{}})::DATE"
    day_from = local.format("nullif(low, 'infinity')")
    day_to = local.format("nullif(high, 'infinity')")
    duck.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE paying AS
        SELECT account_id, currency, amount, is_past_due,
               {day_from} AS day_from, {day_to} AS day_to
        FROM (
            SELECT *, starts AS low, least(ends, coalesce(paused_from, 'infinity')) AS high
            FROM item
            UNION ALL
            SELECT *, greatest(starts, paused_to) AS low, ends AS high
            FROM item WHERE paused_from IS NOT NULL AND paused_to IS NOT NULL
        )
        WHERE low < high AND amount > 0
          AND {day_from} IS DISTINCT FROM {day_to}
        """
    )
    duck.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE pausing AS
        SELECT account_id, currency, {day_from} AS day_from, {day_to} AS day_to
        FROM (
            SELECT *, greatest(starts, paused_from) AS low,
                   least(ends, coalesce(paused_to, 'infinity')) AS high
            FROM item WHERE paused_from IS NOT NULL
        )
        WHERE low < high AND {day_from} IS DISTINCT FROM {day_to}
        """
    )


def _with_count(cases: str) -> str:
    return cases.replace("interval_count)", "interval_count_)")


def build_seats(
    lake: Lake, duck: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    """`seat_ledger`: seats bought by account and day; contracts at once add up."""
    local = f"timezone('{settings.timezone}', {{}})::DATE"
    duck.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE built_seat_ledger AS
        WITH signed AS (  -- a contract follows another of the account that signed it
            SELECT account_id, seats, coalesce(starts_at, '1970-01-01') AS starts,
                   coalesce(ends_at, lead(coalesce(starts_at, '1970-01-01')) OVER (
                       PARTITION BY account_id ORDER BY starts_at NULLS FIRST)) AS ends
            FROM {lake.told("seat_contracts")}
        ), contract AS (
            FROM {merged.under("signed", lake.merges)}
        ), step AS (
            SELECT account_id, date, sum(seats) AS seats, sum(n) AS n FROM (
                SELECT account_id, {local.format("starts")} AS date, seats, 1 AS n
                FROM contract
                UNION ALL
                SELECT account_id, {local.format("ends")}, -seats, -1 FROM contract
                WHERE ends IS NOT NULL
            ) GROUP BY account_id, date
        ), level AS (
            SELECT account_id, date,
                   CASE WHEN sum(n) OVER w > 0 THEN sum(seats) OVER w END AS seats
            FROM step WINDOW w AS (PARTITION BY account_id ORDER BY date)
        ), run AS (
            SELECT account_id, date AS date_from, seats::BIGINT AS seats FROM level
            WINDOW v AS (PARTITION BY account_id ORDER BY date)
            QUALIFY row_number() OVER v = 1
                 OR seats IS DISTINCT FROM lag(seats) OVER v
        )
        SELECT account_id, date_from, lead(date_from) OVER (
                   PARTITION BY account_id ORDER BY date_from) AS date_to, seats
        FROM run
        """
    )


def build_assignments(
    lake: Lake, duck: duckdb.DuckDBPyConnection, settings: Settings
) -> None:
    """`assignments`: seats in use, one row a user, account and run of days.

    A live membership is an assignment. A user seen in an account without any
    membership there is assigned from the first day on (settled point 6). One
    person has one seat, under however many ids: runs that overlap are one.
    """
    local = f"timezone('{settings.timezone}', {{}})::DATE"
    facts = {"identities": lake.source("identities")}
    Meaning(duck, facts, settings.late_days).aliases()
    duck.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE built_assignments AS
        WITH member AS (
            SELECT account_id, coalesce(person, user_id) AS user_id,
                   {local.format("starts_at")} AS date_from,
                   {local.format("ends_at")} AS date_to
            FROM {lake.source("memberships")} LEFT JOIN alias USING (user_id)
        ), seen AS (
            SELECT account_id, user_id, min(date) AS date_from, NULL AS date_to
            FROM {lake.source("user_days")}
            WHERE account_id IS NOT NULL AND user_id IS NOT NULL
            GROUP BY account_id, user_id
        ), every AS (
            FROM member
            UNION ALL
            FROM seen ANTI JOIN member USING (account_id, user_id)
        ), held AS (
            SELECT account_id, user_id, coalesce(date_from, {_FIRST}) AS since, least(
                       coalesce(date_to, {_LAST}),
                       coalesce({local.format("u.deactivated_at")}, {_LAST})
                   ) AS until
            FROM every LEFT JOIN {lake.source("users")} u USING (user_id)
            WHERE date_from IS NULL OR date_from < until
        ), run AS (
            SELECT *, sum(begins::INT) OVER w AS run FROM (
                SELECT *, since > coalesce(max(until) OVER (
                    w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), {_FIRST})
                    AS begins
                FROM held WINDOW w AS (
                    PARTITION BY account_id, user_id ORDER BY since, until)
            ) WINDOW w AS (PARTITION BY account_id, user_id ORDER BY since, until)
        )
        SELECT account_id, user_id, nullif(min(since), {_FIRST}) AS date_from,
               nullif(max(until), {_LAST}) AS date_to
        FROM run GROUP BY account_id, user_id, run
        """
    )


#: Text columns of accounts that say who one is rather than what one is like.
_NAMES = {"account_id", "name", "domain", "parent_account_id"}


def build_attributes(
    lake: Lake, duck: duckdb.DuckDBPyConnection, _settings: Settings | None = None
) -> None:
    """`account_attributes`: texts and properties of accounts, one row an attribute."""
    columns = [
        c.name for c in FACTS["accounts"] if c.type == "string" and c.name not in _NAMES
    ]
    duck.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE built_account_attributes AS
        SELECT account_id, name, json_extract_string(properties, '$."' || name || '"')
                   AS value
        FROM (
            SELECT account_id, properties, unnest(json_keys(properties)) AS name
            FROM {lake.source("accounts")}
            WHERE properties IS NOT NULL AND json_valid(properties)
        )
        WHERE value IS NOT NULL
        UNION ALL
        FROM (SELECT account_id, {", ".join(columns)} FROM {lake.source("accounts")})
        UNPIVOT (value FOR name IN ({", ".join(columns)}))
        """
    )
