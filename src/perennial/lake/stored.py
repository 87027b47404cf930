"""What is stored: a lake's Delta tables, read at their newest version or at any.

Readers never wait: every read is of one version of a table.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import arro3.core
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError, TableNotFoundError

from perennial.core.errors import PerennialError, UnknownName
from perennial.lake import merged
from perennial.lake.duck import connect
from perennial.lake.relations import quoted, relation_of
from perennial.lake.tables import MONTH, TABLES

#: Commit metadata: the days whose rows a commit added, changed or removed.
DAYS: Final = "perennial.days"


class VersionGone(PerennialError):
    """An older version of a table can no longer be read."""


@dataclass(frozen=True)
class Snapshot:
    """One version of a table: -1 and no files where it was never written."""

    version: int
    files: tuple[str, ...]
    columns: frozenset[str]


class Stored:
    """The Delta tables of one workspace below `root`, a folder or an object URL."""

    def __init__(self, root: str | Path) -> None:
        self.root = str(root).rstrip("/")
        self._handles: dict[str, DeltaTable] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._merges: tuple[int, Mapping[str, str]] = (-1, {})
        self._guard = threading.Lock()

    def uri(self, name: str) -> str:
        if name not in TABLES:
            raise UnknownName("table", name, sorted(TABLES))
        return f"{self.root}/{name}"

    def _open(self, name: str) -> DeltaTable | None:
        """The table at its newest version; None while it was never written."""
        return self._newest(name, self._handles)

    def _newest(self, name: str, handles: dict[str, DeltaTable]) -> DeltaTable | None:
        with self._guard:
            handle = handles.get(name)
            try:
                if handle is None:
                    if self._was_never_written(name):
                        return None
                    handle = handles[name] = DeltaTable(self.uri(name))
                elif not self._is_newest(name, handle.version()):
                    handle.update_incremental()
            except TableNotFoundError:
                return None
            return handle

    def _was_never_written(self, name: str) -> bool:
        """On a disk a glance tells, which costs less than to try."""
        log = f"{self.uri(name)}/_delta_log"
        return "://" not in self.root and not os.path.exists(log)

    def _is_newest(self, name: str, version: int) -> bool:
        """Is there no commit after this one? On a disk, two glances at the log tell.

        Where the log forgot this commit, it may have forgotten later ones too.
        """
        if "://" in self.root:
            return False
        log = f"{self.root}/{name}/_delta_log"
        return os.path.exists(f"{log}/{version:020}.json") and not os.path.exists(
            f"{log}/{version + 1:020}.json"
        )

    def snapshot(self, name: str) -> Snapshot:
        handle = self._open(name)
        if handle is None:
            return Snapshot(-1, (), frozenset())
        with self._guard:  # or another thread brings it to a newer version meanwhile
            version, known = handle.version(), self._snapshots.get(name)
            if known is None or known.version != version:
                files = tuple(self._files(handle))
                known = Snapshot(version, files, _column_names(handle))
                self._snapshots[name] = known
            return known

    @property
    def merges(self) -> Mapping[str, str]:
        """Accounts that people merged, and the account each counts as (`merged`)."""
        version = self.snapshot(merged.NAME).version
        if self._merges[0] != version:
            with connect() as duck:
                rows = duck.sql(f"FROM {self.told(merged.NAME)}").to_arrow_table()
            self._merges = (version, merged.targets(rows.to_pylist()))
        return self._merges[1] if version >= 0 else {}

    def source(self, name: str, *, months: Sequence[str] | None = None) -> str:
        """SQL of a relation with the table's declared columns, for DuckDB.

        Accounts that were merged are one; `told` has them apart.
        """
        return merged.lens(name, self.told(name, months=months), self.merges)

    def told(self, name: str, *, months: Sequence[str] | None = None) -> str:
        """The same as it is stored: for whoever writes it again."""
        stored = self.snapshot(name)
        if months is None:
            return relation_of(name, stored.files, stored.columns)
        by_month = self.files_by_month(name)
        files = [file for month in months for file in by_month.get(month, ())]
        return relation_of(name, files, stored.columns, some=True)

    def source_at(self, name: str, version: int) -> str:
        """As `source`, at an older version; -1 is before the first write.

        Raises `VersionGone` where that version, or a file of it, is no more.
        """
        files, columns = self._files_at(name, version)
        stored = relation_of(name, sorted(files), columns)
        return merged.lens(name, stored, self.merges)

    def difference(self, name: str, old: int, new: int) -> tuple[str, str]:
        """SQL of the rows only the old and only the new version of a table has.

        Reads only files the two do not share. For tables with a key.
        """
        (before, told), (after, known) = (
            self._files_at(name, version) for version in (old, new)
        )
        gone = relation_of(name, sorted(before - after), told, some=True)
        come = relation_of(name, sorted(after - before), known, some=True)
        gone, come = (merged.lens(name, rows, self.merges) for rows in (gone, come))
        return f"(FROM {gone} EXCEPT FROM {come})", f"(FROM {come} EXCEPT FROM {gone})"

    def _files_at(self, name: str, version: int) -> tuple[set[str], frozenset[str]]:
        if version < 0:
            return set(), frozenset()
        handle = self._open(name)
        if handle is None or handle.version() != version:
            try:
                handle = DeltaTable(self.uri(name), version=version)
            except (DeltaError, TableNotFoundError) as error:
                raise VersionGone(f"{name} at version {version}") from error
        files = self._files(handle)
        if "://" not in self.root and not all(Path(file).exists() for file in files):
            raise VersionGone(f"{name} at version {version}")
        return set(files), _column_names(handle)

    def _files(self, handle: DeltaTable) -> list[str]:
        """The files of a version, as DuckDB opens them: paths are no addresses."""
        files = handle.file_uris()
        return files if "://" in self.root else [unquote(file) for file in files]

    def read(self, name: str) -> pa.Table:
        """The whole table; for tables that people make, not for events."""
        with connect() as duck:
            return duck.sql(f"FROM {self.source(name)}").to_arrow_table()

    def files_by_month(self, name: str) -> dict[str, list[str]]:
        handle = self._open(name)
        if handle is None:
            return {}
        months: dict[str, list[str]] = {}
        actions = handle.get_add_actions(flatten=True)
        partitions = values_of(actions, f"partition.{MONTH}") or [""] * actions.num_rows
        for file, month in zip(self._files(handle), partitions, strict=True):
            months.setdefault(str(month), []).append(file)
        return months

    def rows_by_month(self, name: str) -> dict[str, int]:
        """Rows a partition, from the files' statistics."""
        handle = self._open(name)
        if handle is None:
            return {}
        actions = handle.get_add_actions(flatten=True)
        months = values_of(actions, f"partition.{MONTH}") or [""] * actions.num_rows
        rows: dict[str, int] = {}
        for month, count in zip(months, values_of(actions, "num_records"), strict=True):
            rows[str(month)] = rows.get(str(month), 0) + int(count)
        return rows

    def has_nulls(self, name: str, column: str) -> bool:
        """May some row lack `column`? Answered from the files' statistics."""
        handle = self._open(name)
        if handle is None:
            return False
        actions = handle.get_add_actions(flatten=True)
        counts = values_of(actions, f"null_count.{column}") or [None] * actions.num_rows
        return any(count != 0 for count in counts)

    def has_values(self, name: str, column: str) -> bool:
        """May some row have a value in `column`? From the files' statistics."""
        handle = self._open(name)
        if handle is None or column not in _column_names(handle):
            return False
        actions = handle.get_add_actions(flatten=True)
        rows = values_of(actions, "num_records") or [None] * actions.num_rows
        nulls = values_of(actions, f"null_count.{column}") or [None] * actions.num_rows
        return any(n is None or n != of for n, of in zip(nulls, rows, strict=True))

    def least(self, name: str, column: str) -> Any:
        """The least value of a column of dates or instants, from the files' statistics
        (an instant to the millisecond); None without any."""
        if not self.has_values(name, column):
            return None
        handle = self._open(name)
        assert handle is not None
        actions = handle.get_add_actions(flatten=True)
        values = values_of(actions, f"min.{column}")
        if any(value is None for value in values) or not values:
            with connect() as duck:
                query = f"SELECT min({quoted(column)}) FROM {self.source(name)}"
                return duck.sql(query).fetchall()[0][0]
        return min(values)

    def count(self, name: str) -> int:
        """Rows of a table, from the files' statistics."""
        handle = self._open(name)
        return 0 if handle is None else int(handle.count())

    def progress(self, name: str, source: str) -> int | None:
        """How far of `source` is in table `name`, as its writer recorded."""
        handle = self._open(name)
        return None if handle is None else handle.transaction_version(source)

    def days_changed(self, name: str, since: int) -> set[date] | None:
        """Days that commits after version `since` touched; None when unknown."""
        handle = self._open(name)
        if handle is None:
            return set()
        missing = handle.version() - since
        if missing <= 0:  # less than nothing: an older lake was restored
            return None if missing else set()
        commits = handle.history(missing)
        if len(commits) < missing or any(DAYS not in commit for commit in commits):
            return None
        return {
            date.fromisoformat(day)
            for commit in commits
            for day in json.loads(commit[DAYS])
        }


def values_of(actions: arro3.core.Table, name: str) -> list[Any]:
    """A column of a table's file list; empty where the list has none."""
    return list(actions[name].to_pylist()) if name in actions.column_names else []


def _column_names(handle: DeltaTable) -> frozenset[str]:
    return frozenset(field.name for field in handle.schema().fields)
