"""Who calls speak of: users, accounts, memberships and identities, kept up to date.

Everything here is the same for any order and repetition of calls, so a load that
was cut off is simply done again.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from perennial.apps.intake.stream.spells import Call, Spell, spells
from perennial.apps.intake.stream.traits import Row, Said, merged
from perennial.lake.duck import connect
from perennial.lake.store import Lake
from perennial.lake.tables import FACTS, TABLES

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Pair = tuple[str, str]


@dataclass
class Heard:
    """What the calls of one load say about people, by id.

    `named` has every id of a table that was named, `users` and `accounts` the traits
    said of some; `links` the first time two ids were said to be one person, by kind.
    """

    named: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    users: dict[str, list[Said]] = field(default_factory=lambda: defaultdict(list))
    accounts: dict[str, list[Said]] = field(default_factory=lambda: defaultdict(list))
    spells: dict[Pair, set[Call]] = field(default_factory=lambda: defaultdict(set))
    links: dict[Pair, tuple[str, datetime]] = field(default_factory=dict)

    def hear(self, call: Mapping[str, Any]) -> None:
        """One accepted call that is not only an event."""
        traits: Mapping[str, Any] = json.loads(call["properties"] or "{}")
        user, account, at = call["user_id"], call["account_id"], call["at_us"]
        if call["is_leaving"]:
            self._leaves(user, account, at, traits)
        elif call["type"] == "identify":
            if user:
                self.users[user].append(Said(at // 1000, traits))
            self._link(call["anonymous_id"], user, "anonymous", at)
        elif call["type"] == "alias":
            self._link(call["previous_id"], user, "alias", at)
        elif call["type"] == "group":
            self.accounts[account].append(Said(at // 1000, traits))
            if user:
                self.spells[user, account].add(Call(_instant(at), is_in=True))

    def _leaves(
        self, user: str | None, account: str | None, at: int, said: Mapping[str, Any]
    ) -> None:
        user = _first(said, ("userId", "user_id")) or user
        account = account or _first(
            said, ("groupId", "group_id", "accountId", "account_id")
        )
        when = _instant(at)
        for name in ("left_at", "ends_at"):
            if isinstance(said.get(name), str):
                when = _read(said[name]) or when
        if user and account:
            self.spells[user, account].add(Call(when, is_in=False))
            self.named["users"].add(user)
            self.named["accounts"].add(account)

    def _link(self, previous: str | None, user: str | None, kind: str, at: int) -> None:
        if not previous or not user or previous == user:
            return
        known = self.links.get((previous, user))
        when = _instant(at)
        if known is None or (when, kind) < (known[1], known[0]):
            self.links[previous, user] = kind, when


def save(lake: Lake, heard: Heard) -> None:
    """Bring the tables of people up to what was heard."""
    _save_named(lake, "users", heard.named["users"], heard.users)
    _save_named(lake, "accounts", heard.named["accounts"], heard.accounts)
    _save_links(lake, heard.links)
    _save_spells(lake, heard.spells)


def _save_named(
    lake: Lake, name: str, named: Set[str], told: Mapping[str, list[Said]]
) -> None:
    """Rows of users or accounts: bare ones for ids nobody knew."""
    if not named:
        return
    table = FACTS[name]
    [key] = table.key
    bare: Row = dict.fromkeys(table.names)
    with lake.lock(name):
        known = {row[key]: row for row in _stored(lake, name, key, told)}
        rows = [
            merged(name, known.get(id_, {**bare, key: id_}), calls)
            for id_, calls in told.items()
        ]
        # Most ids are only named, and known: of those the table has no more to tell.
        bare_ids = _unknown(lake, name, key, named - told.keys())
        rows += [{**bare, key: id_} for id_ in bare_ids]
        _write(lake, name, rows)


def _save_links(lake: Lake, links: Mapping[Pair, tuple[str, datetime]]) -> None:
    if not links:
        return
    previous = {previous for previous, _ in links}
    first = {
        (row["previous_id"], row["user_id"]): row["at"]
        for row in _stored(lake, "identities", "previous_id", previous)
    }
    rows = [
        {"previous_id": pair[0], "user_id": pair[1], "kind": kind, "at": at}
        for pair, (kind, at) in links.items()
        if pair not in first or at < first[pair]
    ]
    _write(lake, "identities", rows)


def _save_spells(lake: Lake, calls: Mapping[Pair, set[Call]]) -> None:
    if not calls:
        return
    with lake.lock("memberships"):
        stored: dict[Pair, list[Row]] = defaultdict(list)
        users = {user for user, _ in calls}
        for row in _stored(lake, "memberships", "user_id", users):
            stored[row["user_id"], row["account_id"]].append(row)
        changed = {
            pair: rows
            for pair, heard in calls.items()
            for rows in [_respelled(pair, stored[pair], heard)]
            if rows is not None
        }
        if changed:
            _replace_spells(lake, changed)


def _respelled(
    pair: Pair, stored: Sequence[Row], heard: Iterable[Call]
) -> list[Row] | None:
    """A pair's rows with what was heard; None where nothing changes."""
    before = [Spell(row["starts_at"], row["ends_at"]) for row in stored]
    after = spells(before, heard)
    if sorted(map(str, before)) == sorted(map(str, after)):
        return None
    kept = {row["starts_at"]: row["properties"] for row in stored}
    user, account = pair
    return [
        {
            "user_id": user,
            "account_id": account,
            "starts_at": spell.start,
            "ends_at": spell.end,
            "properties": kept.get(spell.start),
        }
        for spell in after
    ]


def _replace_spells(lake: Lake, changed: Mapping[Pair, Sequence[Row]]) -> None:
    """A start that moved is another key: rows of a pair are replaced together."""
    rows = [row for pair in changed.values() for row in pair]
    schema = TABLES["memberships"].schema()
    with connect() as duck:
        duck.register("changed", pa.Table.from_pylist(rows, schema=schema))
        duck.execute(
            "CREATE TEMP VIEW respelled AS SELECT stored.* "
            f"FROM {lake.told('memberships')} stored "
            "ANTI JOIN changed USING (user_id, account_id) "
            "UNION ALL BY NAME FROM changed"
        )
        lake.replace(duck, "memberships", "respelled")


def _stored(lake: Lake, name: str, column: str, ids: Collection[str]) -> list[Row]:
    """Rows of a table whose `column` is one of `ids`."""
    if not ids:
        return []
    with connect() as duck:
        duck.register("named", _named(column, ids))
        query = f"FROM {lake.told(name)} SEMI JOIN named USING ({column})"
        rows: list[Row] = duck.sql(query).to_arrow_table().to_pylist()
        return rows


def _unknown(lake: Lake, name: str, key: str, ids: Collection[str]) -> list[str]:
    """Those of `ids` that a table has no row of."""
    with connect() as duck:
        duck.register("named", _named(key, ids))
        query = f"FROM named ANTI JOIN {lake.told(name)} USING ({key})"
        return [id_ for (id_,) in duck.sql(query).fetchall()]


def _named(column: str, ids: Collection[str]) -> pa.Table:
    return pa.table({column: pa.array(sorted(ids), pa.string())})


def _write(lake: Lake, name: str, rows: Sequence[Row]) -> None:
    if rows:
        schema = TABLES[name].schema()
        lake.write(name, pa.Table.from_pylist(list(rows), schema=schema))


def _first(said: Mapping[str, Any], names: Sequence[str]) -> str | None:
    for name in names:
        value = said.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value:
            return str(value)
    return None


def _instant(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def _read(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
