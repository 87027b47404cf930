"""One account's rows, without test users and one's own people.

Metrics leave them out for every question (`perennial.metrics.inputs`); pages of
one account ask little, often, and so name the few hidden users instead of joining.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from perennial.apps.customers.kept import kept
from perennial.lake.workspace import Workspace as Lake


def only(account_id: str) -> str:
    """The condition that names one account; a quote in the id is doubled."""
    return "account = '{}'".format(account_id.replace("'", "''"))


def rows_of(
    lake: Lake,
    name: str,
    account_id: str,
    columns: Sequence[str] = (),
    since: date | None = None,
) -> pl.DataFrame:
    """Rows of a table that belong to an account; `columns` name the user's id where
    the table has one."""
    rows = lake.engine.rows(name, account_id, columns, since)
    hidden = hidden_users(lake).get(account_id)
    if not hidden or "user_id" not in rows.columns:
        return rows
    user = pl.col("user_id")
    return rows.filter(user.is_null() | ~user.is_in(hidden))


@kept("users", "assignments", size=64)
def hidden_users(lake: Lake) -> Mapping[str, Sequence[str]]:
    """Users that are in no number (G4), by account; most accounts have none."""
    domains = [domain.lower() for domain in lake.settings.internal_domains]
    users = lake.table("users")
    hidden = users.is_test.fill_null(False) | users.is_internal.fill_null(False)
    if domains:
        domain = users.email.lower().re_extract(r"@(.+)$", 1)
        hidden = hidden | domain.isin(domains).fill_null(False)
    # Whoever is seen in an account has a seat there (settled point 6).
    seats = lake.table("assignments").semi_join(users.filter(hidden), "user_id")
    found: dict[str, list[str]] = {}
    pairs = lake.engine.run(seats.select("account_id", "user_id").distinct())
    for account_id, user_id in pairs.iter_rows():
        found.setdefault(account_id, []).append(user_id)
    return found
