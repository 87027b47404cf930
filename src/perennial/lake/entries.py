"""Who is stored as being in an onboarding flow, and what is stored of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import duckdb

from perennial.core.onboarding import Flow
from perennial.lake import flowbook
from perennial.lake.flowbook import Book

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

ENTRIES: Final = "onboarding_entries"
STEPS: Final = "onboarding_steps"

Key = tuple[str | None, str | None]
Row = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One of those in a flow: an account, or a person in it. `merged_into` is the
    account it counts as, where that is another one."""

    book: Book
    version: int
    account_id: str | None
    user_id: str | None
    started_on: date
    merged_into: str | None = None

    @property
    def flow(self) -> Flow:
        return self.book.versions[self.version]

    @property
    def key(self) -> Key:
        return self.account_id, self.user_id

    @property
    def id(self) -> str | None:
        """Whose steps are stored: the person's, or the account's."""
        return self.user_id if self.flow.per == "user" else self.account_id

    @property
    def account(self) -> str | None:
        return self.merged_into or self.account_id

    @property
    def who(self) -> str | None:
        """Whose events count: the person's, wherever they are, or the account's."""
        return self.user_id if self.flow.per == "user" else self.account


class Told:
    """What is stored: flows, entries, steps and ticks, as they were written."""

    def __init__(self, workspace: Workspace, duck: duckdb.DuckDBPyConnection) -> None:
        lake = workspace.lake
        self.books = flowbook.known(lake)
        self._lake, self._duck = lake, duck
        self._read: set[str | None] = set()
        self._steps: dict[tuple[str, Key], dict[str, Row]] = defaultdict(dict)
        self.entries = [
            Entry(
                self.books[r["flow"]],
                r["version"],
                *key_of(r),
                r["started_on"],
                lake.merges.get(r["account_id"]),
            )
            for r in self._rows(ENTRIES)
            if r["version"] in self.books[r["flow"]].versions
        ]

    def _rows(self, name: str, ids: Sequence[str | None] | None = None) -> list[Row]:
        """Rows of a table; of some people or accounts, where they are given."""
        query, given = f"FROM {self._lake.told(name)}", {}
        if ids is not None:
            query += " WHERE coalesce(user_id, account_id) IN (SELECT unnest($ids))"
            given = {"ids": ids}
        found = self._duck.sql(query, params=given).to_arrow_table()
        rows: list[Row] = found.to_pylist()
        return rows

    def read(self, some: Iterable[Entry]) -> None:
        """Steps of these entries, before `of` is asked for them."""
        ids = {entry.id for entry in some} - self._read
        self._read |= ids
        for row in self._rows(STEPS, sorted(ids, key=str)) if ids else ():
            if row["flow"] in self.books:
                self._steps[row["flow"], key_of(row)][row["step"]] = row

    def ticks(self, entry: Entry) -> Mapping[str, Row]:
        """Those of the account it counts as: people tick what they see as one."""
        return self._ticks.get((entry.book.name, (entry.account, entry.user_id)), {})

    @cached_property
    def _ticks(self) -> Mapping[tuple[str, Key], Mapping[str, Row]]:
        found: dict[tuple[str, Key], dict[str, Row]] = defaultdict(dict)
        # Last, so that it counts: what was said of the account that stays.
        into = self._lake.merges
        rows = self._rows(flowbook.TICKS)
        for row in sorted(rows, key=lambda row: row["account_id"] not in into):
            account, user = key_of(row)
            key = row["flow"], (into.get(account or "", account), user)
            found[key][row["step"]] = row
        return found

    def of(self, entry: Entry) -> Mapping[str, Row]:
        return self._steps.get((entry.book.name, entry.key), {})


def key_of(row: Mapping[str, Any]) -> Key:
    return row["account_id"], row["user_id"]


def ours(stored: Mapping[str, Row]) -> set[str]:
    """Steps that were derived here."""
    return {step for step, row in stored.items() if row["version"] is not None}
