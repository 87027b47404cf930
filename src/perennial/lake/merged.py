"""Accounts that people merged: facts stay as they were told, and are read as one's.

`account_merges` says which account counts as which. Whoever reads a table through
`Lake.source` or an engine gets facts under the account that stays, and nothing of the
others where every account has a row of its own; whoever writes asks for what was told.
So taking a merge back needs no more than its row to go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from perennial.core.errors import BadValue
from perennial.lake.meaning import persons
from perennial.lake.tables import FACTS, TABLES

if TYPE_CHECKING:
    from datetime import datetime

    from perennial.lake.store import Lake
    from perennial.lake.workspace import Workspace

NAME = "account_merges"
ACCOUNT = "account_id"
PARENT = "parent_account_id"
#: Facts that are read under the account that stays.
FOLLOWING = frozenset(
    name for name, table in FACTS.items() if ACCOUNT in table.names
) - {"accounts"} | {"onboarding_entries", "health_overrides", "health_pulses"}
#: One row an account (and day): those of an account that was merged do not count.
LEAVING = frozenset(
    ("accounts", "account_measures", "health_snapshots", "health_transitions")
) | {"renewal_scores", "segment_members"}


def targets(rows: Iterable[Mapping[str, Any]]) -> Mapping[str, str]:
    """Where each merged account ends, however many steps that takes."""
    return persons({row[ACCOUNT]: (0, row["into_id"]) for row in rows})


def lens(name: str, relation: str, into: Mapping[str, str]) -> str:
    """SQL for DuckDB of a table as it is read while accounts are merged."""
    if not into or name not in FOLLOWING | LEAVING:
        return relation
    if name in FOLLOWING:
        return under(relation, into)
    left = f"(FROM {relation} t ANTI JOIN {_pairs(into)} ON m.old_id = t.{ACCOUNT})"
    if name != "accounts":
        return left
    return (  # whoever stood below one that left stands below the one that stays
        f"(SELECT t.* REPLACE (nullif(coalesce(m.new_id, t.{PARENT}), t.{ACCOUNT}) "
        f"AS {PARENT}) FROM {left} t LEFT JOIN {_pairs(into)} ON m.old_id = t.{PARENT})"
    )


def under(relation: str, into: Mapping[str, str]) -> str:
    """SQL of a relation with each account's rows under the account that stays."""
    if not into:
        return relation
    return (
        f"(SELECT t.* REPLACE (coalesce(m.new_id, t.{ACCOUNT}) AS {ACCOUNT}) "
        f"FROM {relation} t LEFT JOIN {_pairs(into)} ON m.old_id = t.{ACCOUNT})"
    )


def merge(workspace: Workspace, account_id: str, into: str, *, by: str) -> None:
    """From now on all that is told of one account counts as the other's.

    Raises `BadValue` where it is merged already, or the other way round.
    """
    lake = workspace.lake
    with lake.lock(NAME):
        known = lake.merges
        if account_id in known or into in known or account_id == into:
            raise BadValue(f"{account_id} cannot be merged into {into}")
        row = _row(account_id, into, workspace.now, by)
        lake.write(NAME, pa.Table.from_pylist([row], schema=TABLES[NAME].schema()))
    follow(workspace, account_id, into)


def part(workspace: Workspace, account_id: str) -> None:
    """Take a merge back: what is told of the account is its own again."""
    lake = workspace.lake
    into = lake.merges.get(account_id, account_id)
    lake.delete_keys(NAME, [(account_id,)])
    follow(workspace, account_id, into)


def follow(workspace: Workspace, *accounts: str) -> None:
    """What lists show of these accounts; roll-ups follow with the next refresh."""
    from perennial.lake import decided, measures

    workspace.lake.delete_keys(measures.NAME, [(account,) for account in accounts])
    decided.follow(workspace, accounts)


def version(lake: Lake) -> dict[str, int]:
    """What derived tables note of it: nothing before anything was merged."""
    found = lake.snapshot(NAME).version
    return {NAME: found} if found >= 0 else {}


def _row(account_id: str, into: str, at: datetime, by: str) -> dict[str, Any]:
    return {ACCOUNT: account_id, "into_id": into, "merged_at": at, "merged_by": by}


def _pairs(into: Mapping[str, str]) -> str:
    pairs = (f"({_text(old)}, {_text(new)})" for old, new in sorted(into.items()))
    return f"(VALUES {', '.join(pairs)}) m(old_id, new_id)"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
