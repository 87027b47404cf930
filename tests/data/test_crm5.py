"""A simulated product of 5.4 million events, by the command line alone.

The numbers are computed a second time in plain SQL over the files themselves.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner

from perennial.cli.main import cli
from perennial.lake.opening import open_workspace
from perennial.lake.workspace import Workspace

DATA = Path(__file__).parents[3] / "shared" / "data" / "crm5"
DATES = (date(2022, 7, 1), date(2023, 3, 15), date(2024, 1, 1))

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no data at {DATA}")

#: The commands of docs/how-to/import-real-data.md.
IMPORTS = (
    ("accounts", "account.csv", "--map account_id=id"),
    (
        "subscription_items",
        "subscription.csv",
        "--map subscription_id=account_id --map item_id=product "
        "--map valid_from=start_date --map valid_to=end_date",
    ),
    (
        "seat_contracts",
        "subscription.csv",
        "--map seats=quantity --map starts_at=start_date --map ends_at=end_date",
    ),
    (
        "event_definitions",
        "event_type.csv",
        "--map name=event_type_id --map feature_id=event_type_name",
    ),
    (
        "events",
        "event.parquet",
        "--map event=event_type_id --map timestamp=event_time "
        "--map user_id={account_id}-{user_id}",
    ),
)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("crm5")
    for table, file, options in IMPORTS:
        arguments = ["import", table, str(DATA / file), *options.split()]
        if table == "seat_contracts":
            arguments += ["--where", "units = 'users'"]
        assert run(folder, *arguments).exit_code == 0
    assert run(folder, "refresh", "--as-of", "2024-01-01").exit_code == 0
    return open_workspace(folder)


def run(folder: Path, *arguments: str) -> Any:
    return CliRunner().invoke(
        cli, ["--data", str(folder), *arguments], catch_exceptions=False
    )


def sql(query: str) -> Any:
    with duckdb.connect() as duck:
        (row,) = duck.sql(query).fetchall()
    return row[0]


EVENTS = f"(SELECT DISTINCT * FROM '{DATA}/event.parquet')"
SUBSCRIPTIONS = f"'{DATA}/subscription.csv'"


def test_every_row_arrives_or_is_accounted_for(workspace: Workspace) -> None:
    assert workspace.lake.count("events") == sql(f"SELECT count(*) FROM {EVENTS}")
    counts = {r["table_name"]: r for r in workspace.lake.read("imports").to_pylist()}
    events = counts["events"]
    assert events["rows"] == 5_428_286
    assert events["loaded"] + events["unchanged"] + events["rejected"] == events["rows"]
    assert counts["subscription_items"]["loaded"] == 6_492
    assert counts["seat_contracts"]["loaded"] == 2_164
    assert counts["accounts"]["loaded"] == 339


@pytest.mark.parametrize("day", DATES)
def test_customers_mrr_and_seats(workspace: Workspace, day: date) -> None:
    live = f"start_date < DATE '{day}' AND end_date >= DATE '{day}'"
    mrr = sql(f"SELECT sum(mrr) FROM {SUBSCRIPTIONS} WHERE {live}")
    customers = sql(
        f"SELECT count(*) FROM (SELECT account_id FROM {SUBSCRIPTIONS} WHERE {live} "
        "GROUP BY 1 HAVING sum(mrr) > 0)"
    )
    seats = sql(
        f"SELECT sum(quantity) FROM {SUBSCRIPTIONS} WHERE {live} AND units = 'users'"
    )
    assert workspace.metric("mrr", as_of=day).value == pytest.approx(mrr, abs=1e-6)
    assert workspace.metric("customers", as_of=day).value == customers
    (row,) = workspace.metric("license_utilization", as_of=day).to_dicts()
    assert row["denominator"] == seats


@pytest.mark.parametrize("day", DATES)
def test_active_users_and_sessions(workspace: Workspace, day: date) -> None:
    person = "(account_id, user_id)"
    for key, days in (("dau", 1), ("mau", 30)):
        start = day - timedelta(days=days)
        users = sql(
            f"SELECT count(DISTINCT {person}) FROM {EVENTS} "
            f"WHERE event_time >= DATE '{start}' AND event_time < DATE '{day}'"
        )
        assert workspace.metric(key, as_of=day).value == users
    start = day - timedelta(days=1)
    sessions = sql(
        f"""
        WITH gap AS (
            SELECT event_time, event_time - lag(event_time) OVER (
                PARTITION BY account_id, user_id ORDER BY event_time) AS since
            FROM {EVENTS}
            WHERE event_time >= DATE '{start}' - 7 AND event_time < DATE '{day}'
        )
        SELECT count(*) FROM gap WHERE event_time >= DATE '{start}'
         AND (since IS NULL OR since > INTERVAL 30 MINUTE)
        """
    )
    found = workspace.metric("sessions", start=start, end=day).value
    assert found == sessions


def test_accounts_answer_for_themselves(workspace: Workspace) -> None:
    """The same numbers account by account, not only in sum."""
    day = DATES[1]
    with duckdb.connect() as duck:
        expected = dict(
            duck.sql(
                f"SELECT account_id::VARCHAR, count(DISTINCT user_id) FROM {EVENTS} "
                f"WHERE event_time >= DATE '{day}' - 30 AND event_time < DATE '{day}' GROUP BY 1"
            ).fetchall()
        )
    rows = workspace.metric("mau", as_of=day, by=["account"]).to_dicts()
    assert {row["account"]: row["value"] for row in rows} == expected


def test_users_come_back_week_by_week(workspace: Workspace) -> None:
    """Retention of cohorts of users, from the events themselves."""
    with duckdb.connect() as duck:
        expected = {
            (week, k): users
            for week, k, users in duck.sql(
                f"""
                WITH seen AS (
                    SELECT DISTINCT account_id, user_id,
                           date_trunc('week', event_time)::DATE AS week
                    FROM {EVENTS}
                ), began AS (
                    SELECT account_id, user_id, min(week) AS cohort FROM seen GROUP BY ALL
                )
                SELECT cohort, (week - cohort) // 7, count(*)
                FROM seen JOIN began USING (account_id, user_id) GROUP BY ALL
                """
            ).fetchall()
        }
    span = {"start": "2022-01-03", "end": "2022-06-27", "grain": "week"}
    rows = workspace.metric("user_retention", **span).to_dicts()
    found = {(row["cohort"], row["k"]): row for row in rows}
    assert len({cohort for cohort, _ in found}) > 20
    for (cohort, k), row in found.items():
        assert row["numerator"] == expected.get((cohort, k), 0)
        assert row["denominator"] == expected[cohort, 0]


def test_features_are_tried_and_used_again(workspace: Workspace) -> None:
    first, end = date(2022, 3, 1), date(2022, 9, 1)
    with duckdb.connect() as duck:
        expected = dict(
            duck.sql(
                f"""
                WITH day AS (
                    SELECT DISTINCT account_id, user_id, event_type_id,
                           event_time::DATE AS day
                    FROM {EVENTS}
                ), tried AS (
                    SELECT account_id, user_id, event_type_id, min(day) AS began
                    FROM day GROUP BY ALL
                ), back AS (
                    SELECT tried.*, bool_or(day > began AND day <= began + 30) AS again
                    FROM tried JOIN day USING (account_id, user_id, event_type_id)
                    WHERE began >= DATE '{first}' AND began < DATE '{end}'
                    GROUP BY ALL
                )
                SELECT t.event_type_name, avg(again::INT)
                FROM back JOIN '{DATA}/event_type.csv' t USING (event_type_id)
                GROUP BY ALL
                """
            ).fetchall()
        )
    found = workspace.metric(
        "feature_repeat_rate", start=first, end=end, by=["feature"]
    ).to_dicts()
    assert {r["feature"]: r["value"] for r in found} == pytest.approx(expected)


def test_importing_again_and_refreshing_again_change_nothing(
    workspace: Workspace,
) -> None:
    lake = workspace.lake
    before = {
        name: lake.snapshot(name).version
        for name in ("events", "user_days", "account_measures")
    }
    table, file, options = IMPORTS[1]
    folder = Path(lake.root).parents[1]
    assert (
        run(folder, "import", table, str(DATA / file), *options.split()).exit_code == 0
    )
    assert run(folder, "refresh", "--as-of", "2024-01-01").exit_code == 0
    assert before == {name: lake.snapshot(name).version for name in before}


def test_signs_of_those_who_leave(workspace: Workspace) -> None:
    """Known of the simulation: meetings and added contacts keep customers, disqualified
    opportunities and cancelled meetings lose them, as lost opportunities do. Few leave
    (23 decisions): the signs come out, and none is sure."""
    found = {
        row["feature"]: row
        for row in workspace.insight("power-features", as_of="2024-01-01").to_dicts()
    }
    assert {row["status"] for row in found.values()} == {"ok"}
    for keeps in ("meeting", "add_contact", "edit_contact"):
        assert found[keeps]["mean_retained"] > found[keeps]["mean_churned"]
        assert found[keeps]["auc"] > 0.5
    for loses in ("disqualify_opportunity", "cancel_meeting", "lose_opportunity"):
        assert found[loses]["mean_retained"] < found[loses]["mean_churned"]
        assert found[loses]["auc"] < 0.5
        assert found[loses]["odds_ratio"] < 1
    assert not any(row["significant"] for row in found.values())
    # A quarter of the customers hold meetings: too few for it to be chosen.
    assert found["meeting"]["excluded_reason"] == "low_adoption"
