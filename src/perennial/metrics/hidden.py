"""Who is in no number: test accounts, test users, one's own people (G4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import ibis.expr.types as ir

from perennial.core.settings import Settings
from perennial.metrics.dimensions import NOTHING


class Hidden(NamedTuple):
    """Ids as columns of their own; None where there are none."""

    users: ir.StringColumn | None
    accounts: ir.StringColumn | None


def hidden(source: Callable[[str], ir.Table], settings: Settings) -> Hidden:
    """The ids, as questions to `users` and `accounts`; `source` gives a table."""
    users, accounts = source("users"), source("accounts")
    out = users.is_test.fill_null(False) | users.is_internal.fill_null(False)
    if settings.internal_domains:
        domain = users.email.lower().re_extract(r"@(.+)$", 1)
        own = domain.isin([d.lower() for d in settings.internal_domains])
        out = out | own.fill_null(False)
    return Hidden(
        users.filter(out).user_id,
        accounts.filter(accounts.is_test.fill_null(False)).account_id,
    )


def shown(table: ir.Table, out: Hidden) -> ir.Table:
    """Rows of a table that are in numbers, also those of nobody or of no account."""
    for column, ids in (("user_id", out.users), ("account_id", out.accounts)):
        if ids is not None and column in table.columns:
            table = table.filter(table[column].fill_null(NOTHING).notin(ids))
    return table
