"""What people decide of accounts: owner, stage, tags, attributes of their own.

A decision is written into `accounts` itself, so that everything that reads accounts
knows it, and beside it, with what the sources say: whatever they say later is noted
there and does not reach the account before the decision is released.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from perennial.lake.duck import connect, connect_apart
from perennial.lake.tables import FACTS, TABLES

if TYPE_CHECKING:
    from datetime import datetime

    from perennial.lake.store import Lake
    from perennial.lake.workspace import Workspace

NAME = "account_decisions"
ACCOUNTS = "accounts"
#: Columns of accounts that are decided as they are; all else is a property.
COLUMNS = frozenset(
    c.name for c in FACTS[ACCOUNTS] if c.type == "string" and c.name != "account_id"
)
_PROPERTIES = "properties"
#: How long a person waits for a refresh that is rolling up.
_PATIENCE_S = 3.0

Row = dict[str, Any]
#: The account and the name of what is decided.
Key = tuple[str, str]


@dataclass(frozen=True)
class Decision:
    """What one attribute of one account is from now on; None: it has none."""

    account_id: str
    name: str
    value: Any


def decide(
    workspace: Workspace, decisions: Sequence[Decision], *, by: str
) -> Mapping[Key, Any]:
    """Write decisions down, the last one of an account and name; what was before them.

    Attributes, their history and the account measures follow in the same step,
    health and segments with the next refresh.
    """
    lake = workspace.lake
    with lake.lock(ACCOUNTS):
        accounts = _accounts(lake, {d.account_id for d in decisions})
        kept = {(r["account_id"], r["name"]): r for r in _kept(lake)}
        rows: dict[Key, Row] = {}
        was: dict[Key, Any] = {}
        for one in decisions:
            account = accounts[one.account_id]
            key = (one.account_id, one.name)
            was.setdefault(key, _get(account, one.name))
            before = kept.get(key) or rows.get(key)
            said = before["imported"] if before else _told(_get(account, one.name))
            rows[key] = _row(one, said, workspace.now, by)
            _set(account, one.name, one.value)
        _write(lake, NAME, [*rows.values()])
        _write(lake, ACCOUNTS, [*accounts.values()])
        follow(workspace, list(accounts))
    return was


def release(workspace: Workspace, keys: Sequence[Key]) -> None:
    """Let the sources decide again: (account_id, name); those not decided stay."""
    lake = workspace.lake
    with lake.lock(ACCOUNTS):
        kept = {(r["account_id"], r["name"]): r for r in _kept(lake)}
        found = [kept[key] for key in keys if key in kept]
        accounts = _accounts(lake, {row["account_id"] for row in found})
        for row in found:
            account = accounts[row["account_id"]]
            _set(account, row["name"], json.loads(row["imported"] or "null"))
        lake.delete_keys(NAME, [(row["account_id"], row["name"]) for row in found])
        _write(lake, ACCOUNTS, [*accounts.values()])
        follow(workspace, list(accounts))


def values_of(lake: Lake, account_id: str, names: Sequence[str]) -> dict[str, Any]:
    """What an account has now of each of these names; None where it has none."""
    [account] = _accounts(lake, {account_id}).values()
    return {name: _get(account, name) for name in names}


def decisions_of(lake: Lake, account_id: str) -> Mapping[str, Any]:
    """What the sources say of each decided attribute of an account."""
    rows = (r for r in _kept(lake) if r["account_id"] == account_id)
    return {row["name"]: json.loads(row["imported"] or "null") for row in rows}


def over(lake: Lake, incoming: pa.Table) -> pa.Table:
    """Rows for `accounts` with decisions in place of what they say, which is noted."""
    if lake.snapshot(NAME).version < 0:
        return incoming
    kept: dict[str, list[Row]] = {}
    for row in _kept(lake):
        kept.setdefault(row["account_id"], []).append(row)
    if not any(i in kept for i in incoming.column("account_id").to_pylist()):
        return incoming
    rows, noted = incoming.to_pylist(), []
    for account in rows:
        for decision in kept.get(account["account_id"], ()):
            said = _get(account, decision["name"])
            value = json.loads(decision["value"])
            if said == value:  # the source agrees, or a row is written back
                continue
            _set(account, decision["name"], value)
            if _told(said) != decision["imported"]:
                noted.append({**decision, "imported": _told(said)})
    if noted:
        _write(lake, NAME, noted)
    return pa.Table.from_pylist(rows, schema=incoming.schema)


# --- rows --------------------------------------------------------------------


def _kept(lake: Lake) -> list[Row]:
    return lake.read(NAME).to_pylist() if lake.snapshot(NAME).version >= 0 else []


def _accounts(lake: Lake, ids: set[str]) -> dict[str, Row]:
    """The rows of these accounts; one that only events know of has just its id."""
    bare = dict.fromkeys(TABLES[ACCOUNTS].names)
    found: dict[str, Row] = {i: {**bare, "account_id": i} for i in sorted(ids)}
    with connect() as duck:
        duck.register("wanted", pa.table({"account_id": pa.array(sorted(ids))}))
        rows = duck.sql(
            f"FROM {lake.told(ACCOUNTS)} SEMI JOIN wanted USING (account_id)"
        ).to_arrow_table()
    return found | {row["account_id"]: row for row in rows.to_pylist()}


def _row(one: Decision, imported: str, at: datetime, by: str) -> Row:
    return {
        "account_id": one.account_id,
        "name": one.name,
        "value": _told(one.value),
        "imported": imported,
        "decided_at": at,
        "decided_by": by,
    }


def _told(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _get(account: Mapping[str, Any], name: str) -> Any:
    if name in COLUMNS:
        return account[name]
    return _properties(account).get(name)


def _set(account: Row, name: str, value: Any) -> None:
    if name in COLUMNS:
        account[name] = value
        return
    properties = {**_properties(account), name: value}
    held = {key: each for key, each in properties.items() if each is not None}
    account[_PROPERTIES] = json.dumps(held, ensure_ascii=False) if held else None


def _properties(account: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = json.loads(account[_PROPERTIES] or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _write(lake: Lake, name: str, rows: Sequence[Row]) -> None:
    if rows:
        lake.write(name, pa.Table.from_pylist(list(rows), schema=TABLES[name].schema()))


def follow(workspace: Workspace, ids: Sequence[str]) -> None:
    """Attributes with their history, and what lists show of these accounts."""
    from perennial.lake import measures, refresh
    from perennial.lake.store import Busy

    try:
        with (
            workspace.lake.lock("roll_up", patience_s=_PATIENCE_S),
            connect_apart() as duck,
        ):
            refresh.roll_up_attributes(workspace, duck)
    except Busy:  # a refresh is at work: it, or the next one, brings them up to date
        pass
    measures.build_some(workspace, ids)
