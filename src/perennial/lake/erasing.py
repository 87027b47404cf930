"""A person or an account, taken out of the lake everywhere, and looked for afterwards.

Rows that are theirs go. Where a row of others mentions their e-mail address, or their
id in quotes (as JSON has it), the mention becomes `[erased]`. A name in somebody's
text is not looked for: it is nobody's alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Final

import pyarrow as pa

from perennial.lake.duck import connect
from perennial.lake.relations import months_of, quoted, relation_of, strings
from perennial.lake.store import Lake
from perennial.lake.tables import TABLES, Table

ERASED: Final = "[erased]"
_USER: Final = ("user_id", "anonymous_id", "previous_id")
_ACCOUNT: Final = ("account_id", "into_id")
#: Rows that belong to a row of another table: their column, and SQL of it there.
_OF: Final = {
    "feedback_annotations": (
        "response_id",
        {
            "survey_responses": "response_id",
            "tickets": "'ticket:' || ticket_id",
            "touchpoints": "'contact:' || touchpoint_id",
            "notes": "'note:' || note_id",
        },
    ),
    "goal_values": ("goal_id", {"goals": "goal_id"}),
    "lead_stages": ("lead_id", {"leads": "lead_id"}),
}


@dataclass(frozen=True)
class Subject:
    """Who is erased: every id they had, and their e-mail addresses in lower case."""

    users: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()

    def with_addresses(self, more: Iterable[str]) -> Subject:
        lower = {address.strip().lower() for address in more} - {""}
        return Subject(self.users, self.accounts, self.addresses | lower)

    @property
    def patterns(self) -> list[tuple[str, str]]:
        """Regular expressions of a mention, whatever its case, and what it becomes."""
        found = []
        if self._forms:
            found.append((f'\\\\*"{_any(self._forms)}\\\\*"', f'"{ERASED}"'))
        if self.addresses:
            found.append((_any(self.addresses), ERASED))
        return found

    @cached_property
    def _forms(self) -> frozenset[str]:
        """Ids as JSON has them, quotes and umlauts written out or not."""
        forms = product(self.users | self.accounts, (True, False))
        return frozenset(json.dumps(i, ensure_ascii=a)[1:-1] for i, a in forms)

    @cached_property
    def _words(self) -> list[str]:
        return [word.lower() for word in self._forms | self.addresses]

    def redacted(self, text: str) -> str:
        lower = text.lower()
        # A hundred words are found sooner one by one than as one expression.
        if not any(word in lower for word in self._words):
            return text
        for pattern, instead in self.patterns:
            text = re.sub(pattern, instead, text, flags=re.IGNORECASE)
        return text


def person(lake: Lake, user_id: str) -> Subject:
    """A user with the ids they had before they were known, and their addresses."""
    ids, more = set[str](), {user_id}
    while more - ids:
        ids |= more
        more = set(_values(lake, "identities", "previous_id", _is_in("user_id", ids)))
    return _with_own_addresses(lake, Subject(users=frozenset(ids)))


def account(lake: Lake, account_id: str) -> Subject:
    """An account, those merged into it, and the people who are in no other."""
    ids = {account_id} | {a for a, into in lake.merges.items() if into == account_id}
    inside = _is_in("account_id", ids)
    theirs = f"{inside} AND user_id NOT NULL"
    mine = set(_values(lake, "assignments", "user_id", theirs))
    others = set(_values(lake, "assignments", "user_id", f"NOT {inside}"))
    subject = Subject(users=frozenset(mine - others), accounts=frozenset(ids))
    return _with_own_addresses(lake, subject)


def rows(lake: Lake, subject: Subject) -> dict[str, int]:
    """How many rows are theirs, by table; tables that have none are left out."""
    found = {}
    with connect() as duck:
        for name in TABLES:
            if condition := _theirs(lake, name, subject):
                query = f"SELECT count(*) FROM {lake.told(name)} WHERE {condition}"
                [found[name]] = duck.sql(query).fetchall()[0]
    return {name: n for name, n in found.items() if n}


def erase(
    lake: Lake, subject: Subject, report: Callable[[float, str], None]
) -> dict[str, int]:
    """Delete their rows and redact mentions; rows deleted or changed, by table.

    Older versions of the tables stay until `Lake.forget`.
    """
    gone: dict[str, int] = {}
    names = sorted(TABLES, key=lambda name: name not in _OF)  # while parents are there
    for done, name in enumerate(names):
        report(done / len(names), name)
        condition = _theirs(lake, name, subject)
        deleted = lake.delete(name, condition) if condition else 0
        if n := deleted + _redact(lake, TABLES[name], subject):
            gone[name] = n
    return gone


def left(lake: Lake, subject: Subject) -> dict[str, int]:
    """Rows and log entries that still tell of them, by table: in every file below
    the lake's folder, also those no version refers to."""
    found: dict[str, int] = {}
    for name, table in TABLES.items():
        folder = Path(lake.root) / name
        if n := _left_in_rows(folder, table, subject) + _left_in_log(folder, subject):
            found[name] = n
    return found


# What is theirs


def _theirs(lake: Lake, name: str, subject: Subject) -> str:
    """SQL: is a row theirs? Nothing where none can be."""
    own = _own(TABLES[name], subject)
    column, parents = _OF.get(name, ("", {}))
    for parent, key in parents.items():
        if above := _own(TABLES[parent], subject):
            told = f"SELECT {key} FROM {lake.told(parent)} WHERE {' OR '.join(above)}"
            own.append(f"{column} IN ({told})")
    return f"({' OR '.join(own)})" if own else ""


def _own(table: Table, subject: Subject) -> list[str]:
    columns = [(c, subject.users) for c in _USER] + [
        (c, subject.accounts) for c in _ACCOUNT
    ]
    found = [_is_in(c, ids) for c, ids in columns if ids and c in table.names]
    if table.name == "emails" and subject.addresses:
        listed = strings(sorted(subject.addresses))
        sent = "string_split(replace(lower(to_addresses), ' ', ''), ',')"
        found += [
            f"lower(from_address) IN ({listed})",
            f"list_has_any({sent}, [{listed}])",
        ]
    if table.name == "feedback_annotations":  # reasons to leave are named by account
        found += [
            f"starts_with(response_id, {strings([f'cancellation:{account_id}:'])})"
            for account_id in sorted(subject.accounts)
        ]
    if table.name == "rejects":  # calls that were not understood, as they were sent
        found += _mentions("payload", subject)
    return found


def _mentions(column: str, subject: Subject) -> list[str]:
    return [
        f"regexp_matches({quoted(column)}, {strings([pattern])}, 'i')"
        for pattern, _ in subject.patterns
    ]


def _redact(lake: Lake, table: Table, subject: Subject) -> int:
    texts = _texts(table)
    parent = "parent_account_id" if table.name == "accounts" else ""
    changed = {name: _redacted(name, subject) for name in texts}
    hits = [hit for name in texts for hit in _mentions(name, subject)]
    if parent and subject.accounts:
        below = _is_in(parent, subject.accounts)
        changed[parent] = f"CASE WHEN NOT {below} THEN {parent} END"
        hits.append(below)
    if not hits:
        return 0
    with lake.lock(table.name), connect() as duck:
        hit = " OR ".join(hits)
        duck.execute(
            f"CREATE TEMP TABLE hit AS FROM {lake.told(table.name)} WHERE {hit}"
        )
        [[n]] = duck.sql("SELECT count(*) FROM hit").fetchall()
        if n:
            months = months_of(duck, table, "hit")
            cells = ", ".join(f"{sql} AS {quoted(c)}" for c, sql in changed.items())
            stored = lake.told(table.name, months=months)
            rows = f"(SELECT * REPLACE ({cells}) FROM {stored})"
            lake.replace(duck, table.name, rows, months=months)
        return int(n)


def _redacted(column: str, subject: Subject) -> str:
    sql = quoted(column)
    for pattern, instead in subject.patterns:
        sql = f"regexp_replace({sql}, {strings([pattern, instead])}, 'gi')"
    return sql


def _texts(table: Table) -> list[str]:
    """Columns in which anything may be written."""
    ids = {*table.key, *_USER, *_ACCOUNT, "parent_account_id"}
    return [
        field.name
        for field in table.schema()
        if pa.types.is_string(field.type) and field.name not in ids
    ]


# Looking for it afterwards


def _left_in_rows(folder: Path, table: Table, subject: Subject) -> int:
    files = sorted(
        str(p) for p in folder.rglob("*.parquet") if "_delta_log" not in p.parts
    )
    found = [
        *_own(table, subject),
        *(hit for name in _texts(table) for hit in _mentions(name, subject)),
    ]
    if not files or not found:
        return 0
    relation = relation_of(table.name, files, frozenset(), some=True)
    with connect() as duck:
        query = f"SELECT count(*) FROM {relation} WHERE {' OR '.join(found)}"
        return int(duck.sql(query).fetchall()[0][0])


def _left_in_log(folder: Path, subject: Subject) -> int:
    """A log says of each file the least and the greatest value of its columns."""
    log = _log(folder / "_delta_log")
    return sum(subject.redacted(text) != text for text in log)


def _log(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.json")):
        yield path.read_text()
    with connect() as duck:
        for path in sorted(folder.glob("*.parquet")):
            query = f"SELECT to_json(entry)::VARCHAR FROM {strings([str(path)])} entry"
            for (text,) in duck.sql(query).fetchall():
                yield text


def _with_own_addresses(lake: Lake, subject: Subject) -> Subject:
    if not subject.users:
        return subject
    mine = f"{_is_in('user_id', subject.users)} AND email NOT NULL"
    return subject.with_addresses(_values(lake, "users", "email", mine))


def _values(lake: Lake, name: str, column: str, condition: str) -> list[str]:
    with connect() as duck:
        query = f"SELECT DISTINCT {column} FROM {lake.told(name)} WHERE {condition}"
        return [value for (value,) in duck.sql(query).fetchall()]


def _is_in(column: str, values: Iterable[str]) -> str:
    return f"({quoted(column)} IN ({strings(sorted(values))}))"


def _any(texts: Iterable[str]) -> str:
    return f"(?:{'|'.join(re.escape(text) for text in sorted(texts))})"
