"""`account_measures`: one row an account with what lists and Home show.

Built once a refresh, so that a list of 50,000 accounts is one small table to
sort and filter, and no screen computes what a snapshot already says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from perennial.core.windows import DAY, day_start
from perennial.lake.duck import connect
from perennial.lake.relations import empty
from perennial.lake.snapshots import dates_stored, latest
from perennial.lake.tables import TABLES

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

NAME = "account_measures"
#: A day without snapshots of its own takes those of so many days before, at most.
_NEAR = 7
#: The texts of accounts whose past is known.
TEXTS = ("segment", "plan", "country", "industry", "owner_email", "lifecycle_stage")


def build(workspace: Workspace, as_of: date, *, progress: Mapping[str, int]) -> None:
    """Replace the table with the accounts as of a day; `progress` says from what."""
    lake = workspace.lake
    weeks = [as_of - DAY * 7 * week for week in range(12)]
    with lake.lock(NAME), connect() as duck:
        history = latest(workspace, dates=[*weeks, as_of - DAY]).to_arrow()
        duck.register("history", history)
        is_past = as_of < workspace.today
        duck.execute(
            f"CREATE TEMP TABLE built AS {_sql(workspace, as_of, is_past=is_past)}"
        )
        lake.replace(duck, NAME, "built", progress=progress)


def build_some(workspace: Workspace, ids: Sequence[str]) -> None:
    """Bring the rows of a few accounts up to date, as of the day the table speaks of.

    Before the first refresh there is no table to bring up to date.
    """
    as_of = newest(workspace)
    if as_of is None or not ids:
        return
    lake = workspace.lake
    weeks = [as_of - DAY * 7 * week for week in range(12)]
    with lake.lock(NAME), connect() as duck:
        history = latest(workspace, dates=[*weeks, as_of - DAY])
        duck.register(
            "history", history.filter(pl.col("account_id").is_in(ids)).to_arrow()
        )
        duck.register("wanted", pa.table({"account_id": pa.array(ids)}))
        duck.execute(
            f"CREATE TEMP TABLE built AS {_sql(workspace, as_of)} "
            "AND k.account_id IN (SELECT account_id FROM wanted)"
        )
        schema = TABLES[NAME].schema()
        rows = duck.sql(f"FROM {empty(NAME)} UNION ALL BY NAME FROM built")
        lake.write(NAME, rows.to_arrow_table().select(schema.names).cast(schema))


def newest(workspace: Workspace) -> date | None:
    """The day the table speaks of; None before the first refresh."""
    day = workspace.lake.least(NAME, "as_of")  # it is the same in every row
    return day if isinstance(day, date) else None


def past(workspace: Workspace, as_of: date) -> pl.DataFrame:
    """The rows of the table as of an earlier day: accounts that were there then.

    Health is that of the newest snapshot of the week before; texts of accounts are
    what they were (decision 007).
    """
    lake, history = workspace.lake, _near(workspace, as_of)
    with connect() as duck:
        duck.register("history", history.to_arrow())
        duck.execute(
            f"CREATE TEMP TABLE told AS {_sql(workspace, as_of, is_past=True)}"
        )
        instant = day_start(as_of, workspace.settings.tz).isoformat()
        told = duck.sql(
            f"""
            FROM told
            WHERE created_at IS NULL OR created_at < TIMESTAMPTZ '{instant}'
               OR account_id IN (
                    SELECT account_id FROM {lake.source("mrr_ledger")}
                    WHERE date_from < DATE '{as_of}'
               )
            """
        ).to_arrow_table()
        former = duck.sql(
            f"""
            SELECT account_id, name, arg_min(value, date_to) AS value
            FROM {lake.source("former_attributes")}
            WHERE date_to > DATE '{as_of}' GROUP BY ALL
            """
        ).pl()
    schema = TABLES[NAME].schema()
    typed = told.select([n for n in schema.names if n in told.column_names])
    typed = typed.cast(pa.schema([schema.field(n) for n in typed.column_names]))
    rows = pl.from_arrow(typed)
    assert isinstance(rows, pl.DataFrame)
    return _as_they_were(rows, former)


def _near(workspace: Workspace, as_of: date) -> pl.DataFrame:
    """Snapshots as if taken on the day and the days it is compared with."""
    stored = dates_stored(workspace)
    wanted = [as_of - DAY * 7 * week for week in range(12)] + [as_of - DAY]
    found = {
        day: max((s for s in stored if day - DAY * _NEAR < s <= day), default=None)
        for day in wanted
    }
    rows = latest(workspace, dates=[day for day in found.values() if day])
    return pl.concat(
        [
            rows.clear(),
            *(
                rows.filter(pl.col("date") == stored_on).with_columns(date=pl.lit(day))
                for day, stored_on in found.items()
                if stored_on
            ),
        ]
    )


def _as_they_were(told: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    for name in TEXTS:
        was = former.filter(pl.col("name") == name)
        if was.is_empty():
            continue
        was = was.select("account_id", was="value", changed=pl.lit(value=True))
        told = told.join(was, "account_id", how="left").with_columns(
            pl.when(pl.col("changed")).then("was").otherwise(name).alias(name)
        )
        told = told.drop("was", "changed")
    return told


def add_new(workspace: Workspace) -> None:
    """Show accounts that came since the last refresh, which scores them later.

    Before the first refresh there is nothing to add to: that is done instead.
    """
    lake = workspace.lake
    if lake.snapshot(NAME).version < 0:
        workspace.refresh()
        return
    with connect() as duck:
        [(as_of, new)] = duck.sql(
            f"""
            SELECT (SELECT max(as_of) FROM {lake.source(NAME)}), count(*)
            FROM {lake.source("accounts")} a ANTI JOIN {lake.source(NAME)} m
                 USING (account_id)
            WHERE NOT coalesce(a.is_test, false)
            """
        ).fetchall()
    if new:
        build(workspace, as_of or workspace.today, progress={})


def _sql(workspace: Workspace, as_of: date, *, is_past: bool = False) -> str:
    """The rows as of a day; contacts of the day itself count but in the past.

    Who was called this morning is not to be called again.
    """
    source = workspace.lake.source
    instant = f"TIMESTAMPTZ '{day_start(as_of, workspace.settings.tz).isoformat()}'"
    day = f"DATE '{as_of}'"
    until = instant if is_past else f"TIMESTAMPTZ '{workspace.now.isoformat()}'"
    return f"""
    WITH known AS (
        SELECT account_id FROM {source("accounts")}
        UNION SELECT account_id FROM {source("account_days")}
        UNION SELECT account_id FROM {source("mrr_ledger")}
    ), now AS (
        SELECT * FROM history WHERE date = {day}
    ), weeks AS (
        SELECT account_id, string_agg(coalesce(round(score, 1)::VARCHAR, ''), ','
                   ORDER BY date) AS health_weeks
        FROM history
        WHERE date > {day} - 84 AND ({day} - date) % 7 = 0 GROUP BY account_id
    ), paid AS (
        SELECT account_id, min(date_from) FILTER (mrr_e4 > 0) AS customer_since,
               bool_or(is_paused AND date_from < {day}
                       AND coalesce(date_to >= {day}, true)) AS paused
        FROM {source("mrr_ledger")} WHERE date_from < {day} GROUP BY account_id
    ), trial AS (
        SELECT DISTINCT account_id FROM {source("subscription_items")}
        WHERE valid_from < {instant} AND coalesce(valid_to >= {instant}, true)
          AND (coalesce(is_trial, false) OR status = 'trialing' OR trial_end >= {instant})
    ), renewal AS (
        SELECT account_id, min(term_end) AS renewal_on FROM {source("contracts")}
        WHERE term_end >= {day} AND term_start < {day} GROUP BY account_id
    ), assigned AS (
        SELECT account_id, count(DISTINCT user_id) AS assigned_users
        FROM {source("assignments")}
        WHERE coalesce(date_from < {day}, true) AND coalesce(date_to >= {day}, true)
        GROUP BY account_id
    ), lately AS (
        SELECT account_id,
               sum(sessions) FILTER (date >= {day} - 14) AS logins_14d,
               sum(sessions) FILTER (date < {day} - 14) AS logins_14d_before
        FROM {source("account_days")}
        WHERE date >= {day} - 28 AND date < {day} GROUP BY account_id
    ), seen AS (
        SELECT account_id, max(last_at) AS last_seen_at FROM {source("user_days")}
        WHERE date < {day} GROUP BY account_id
    ), touch AS (
        SELECT account_id, max("at") AS last_touch_at FROM (
            SELECT account_id, "at" FROM {source("touchpoints")}
            UNION ALL
            SELECT account_id, sent_at FROM {source("emails")}
            WHERE NOT coalesce(is_automatic, false)
        ) WHERE "at" < {until} GROUP BY account_id
    ), nps AS (
        SELECT account_id, arg_max(score, answered_at) AS nps_score,
               max(answered_at) AS nps_at
        FROM {source("survey_responses")}
        WHERE kind = 'nps' AND answered_at < {until} GROUP BY account_id
    ), ticket AS (
        SELECT account_id, count(*) AS open_tickets,
               count(*) FILTER (lower(priority) IN ('urgent', 'high')) AS urgent_tickets
        FROM {source("tickets")}
        WHERE opened_at < {instant} AND coalesce(solved_at >= {instant}, true)
          AND coalesce(closed_at >= {instant}, true)
          AND NOT coalesce(is_spam, false) AND merged_into IS NULL
        GROUP BY account_id
    )
    SELECT k.account_id, {day} AS as_of, coalesce(a.name, k.account_id) AS name,
           a.segment, a.plan, a.country, a.industry, a.owner_email, a.lifecycle_stage,
           CASE WHEN json_extract_string(a.properties, '$.archived') = 'true'
                     THEN 'archived'
                WHEN n.mrr_e4 > 0 THEN 'paying'
                WHEN paid.paused THEN 'paused'
                WHEN paid.customer_since IS NOT NULL THEN 'churned'
                WHEN trial.account_id IS NOT NULL OR lower(a.lifecycle_stage) = 'trial'
                     THEN 'trial'
                WHEN lower(a.lifecycle_stage) = 'lead' THEN 'lead'
                ELSE 'free' END AS state,
           a.created_at, paid.customer_since, n.mrr_e4, n.mrr_90d_e4,
           renewal.renewal_on, n.seats, assigned.assigned_users, n.active_users,
           n.active_users_before, lately.logins_14d, lately.logins_14d_before,
           seen.last_seen_at, touch.last_touch_at, nps.nps_score, nps.nps_at,
           coalesce(ticket.open_tickets, 0) AS open_tickets,
           coalesce(ticket.urgent_tickets, 0) AS urgent_tickets,
           n.score AS health_score, n.color AS health_color,
           coalesce(n.status, 'inactive') AS health_status, n.cuts AS health_cuts,
           CASE WHEN coalesce(h28.mode, 'composite') = coalesce(n.mode, 'composite')
                THEN h28.score END AS health_score_28d, h1.color AS health_color_1d,
           weeks.health_weeks
    FROM known k
    LEFT JOIN {source("accounts")} a USING (account_id)
    LEFT JOIN now n USING (account_id)
    LEFT JOIN history h28 ON h28.account_id = k.account_id AND h28.date = {day} - 28
    LEFT JOIN history h1 ON h1.account_id = k.account_id AND h1.date = {day} - 1
    LEFT JOIN weeks ON weeks.account_id = k.account_id
    LEFT JOIN paid ON paid.account_id = k.account_id
    LEFT JOIN trial ON trial.account_id = k.account_id
    LEFT JOIN renewal ON renewal.account_id = k.account_id
    LEFT JOIN assigned ON assigned.account_id = k.account_id
    LEFT JOIN lately ON lately.account_id = k.account_id
    LEFT JOIN seen ON seen.account_id = k.account_id
    LEFT JOIN touch ON touch.account_id = k.account_id
    LEFT JOIN nps ON nps.account_id = k.account_id
    LEFT JOIN ticket ON ticket.account_id = k.account_id
    WHERE k.account_id IS NOT NULL AND NOT coalesce(a.is_test, false)
    """
