"""The lake: one folder of Delta tables, and the only place that commits to them.

Readers never wait: every read is of one version of a table. Writers take a lock a
table, so that what they checked still holds when they commit; the lock is the
operating system's and falls with its process.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

import arro3.core
import duckdb
import pyarrow as pa
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    Transaction,
    WriterProperties,
    write_deltalake,
)
from deltalake.exceptions import DeltaError, TableNotFoundError
from filelock import FileLock, Timeout

from perennial.core.errors import PerennialError, UnknownName
from perennial.lake import decided, merged
from perennial.lake.duck import connect, connect_apart
from perennial.lake.seen import Seen
from perennial.lake.tables import MONTH, TABLES, Table

#: Commit metadata: the days whose rows a commit added, changed or removed.
DAYS = "perennial.days"
#: Value of `DAYS` when a commit only moved rows between files.
NO_DAYS = "[]"
#: Months with more files than this are worth compacting.
MANY_FILES = 8
#: A file below this size, in bytes, is put together with others like it,
SMALL_FILE = 16 * 2**20
#: once a month has as many of them.
MANY_SMALL_FILES = 50
#: Rejects are kept this long.
REJECTS_KEPT = timedelta(days=30)
#: Old files are kept this long for readers that still hold them.
RETENTION = timedelta(hours=24)

# zstd-1 beats zstd-3 in size and speed here (measured: 41.9 against 42.7 B/event).
# Values that are all different gain nothing from a dictionary; instants become small
# as differences (sessions: a fifth smaller, a fifth quicker). Nobody reads statistics
# of single pages.
_STATISTICS: Literal["CHUNK"] = "CHUNK"


def _writer(group: int) -> WriterProperties:
    return WriterProperties(
        compression="ZSTD",
        compression_level=1,
        max_row_group_size=group,
        default_column_properties=ColumnProperties(statistics_enabled=_STATISTICS),
        column_properties={
            "event_id": ColumnProperties(
                dictionary_enabled=False, statistics_enabled=_STATISTICS
            ),
        }
        | {
            name: ColumnProperties(
                dictionary_enabled=False,
                encoding="DELTA_BINARY_PACKED",
                statistics_enabled=_STATISTICS,
            )
            for name in ("timestamp", "started_at", "ended_at", "last_at")
        },
    )


_WRITER = _writer(250_000)
#: Who looks up one account reads few other rows.
_BY_ACCOUNT = _writer(32_768)


class Busy(PerennialError):
    """Others write a table for longer than one wants to wait."""


class VersionGone(PerennialError):
    """An older version of a table can no longer be read."""


@dataclass(frozen=True)
class Snapshot:
    """One version of a table: -1 and no files where it was never written."""

    version: int
    files: tuple[str, ...]
    columns: frozenset[str]


@dataclass(frozen=True)
class Written:
    """What a write did, in rows."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: Written) -> Written:
        return Written(
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
        )


class Lake:
    """The Delta tables of one workspace below `root`, a folder or an object URL."""

    def __init__(self, root: str | Path, *, locks: Path | None = None) -> None:
        self.root = str(root).rstrip("/")
        self._locks = locks or Path(self.root) / "_locks"
        self._handles: dict[str, DeltaTable] = {}
        #: While one is written through, nobody may read through it.
        self._writers: dict[str, DeltaTable] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self._merges: tuple[int, Mapping[str, str]] = (-1, {})
        self._guard = threading.Lock()

    # Reading

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
            return _relation(name, stored.files, stored.columns)
        by_month = self.files_by_month(name)
        files = [file for month in months for file in by_month.get(month, ())]
        return _relation(name, files, stored.columns, some=True)

    def source_at(self, name: str, version: int) -> str:
        """As `source`, at an older version; -1 is before the first write.

        Raises `VersionGone` where that version, or a file of it, is no more.
        """
        files, columns = self._files_at(name, version)
        stored = _relation(name, sorted(files), columns)
        return merged.lens(name, stored, self.merges)

    def difference(self, name: str, old: int, new: int) -> tuple[str, str]:
        """SQL of the rows only the old and only the new version of a table has.

        Reads only files the two do not share. For tables with a key.
        """
        (before, told), (after, known) = (
            self._files_at(name, version) for version in (old, new)
        )
        gone = _relation(name, sorted(before - after), told, some=True)
        come = _relation(name, sorted(after - before), known, some=True)
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
        partitions = _column(actions, f"partition.{MONTH}") or [""] * actions.num_rows
        for file, month in zip(self._files(handle), partitions, strict=True):
            months.setdefault(str(month), []).append(file)
        return months

    def rows_by_month(self, name: str) -> dict[str, int]:
        """Rows a partition, from the files' statistics."""
        handle = self._open(name)
        if handle is None:
            return {}
        actions = handle.get_add_actions(flatten=True)
        months = _column(actions, f"partition.{MONTH}") or [""] * actions.num_rows
        rows: dict[str, int] = {}
        for month, count in zip(months, _column(actions, "num_records"), strict=True):
            rows[str(month)] = rows.get(str(month), 0) + int(count)
        return rows

    def has_nulls(self, name: str, column: str) -> bool:
        """May some row lack `column`? Answered from the files' statistics."""
        handle = self._open(name)
        if handle is None:
            return False
        actions = handle.get_add_actions(flatten=True)
        counts = _column(actions, f"null_count.{column}") or [None] * actions.num_rows
        return any(count != 0 for count in counts)

    def has_values(self, name: str, column: str) -> bool:
        """May some row have a value in `column`? From the files' statistics."""
        handle = self._open(name)
        if handle is None or column not in _column_names(handle):
            return False
        actions = handle.get_add_actions(flatten=True)
        rows = _column(actions, "num_records") or [None] * actions.num_rows
        nulls = _column(actions, f"null_count.{column}") or [None] * actions.num_rows
        return any(n is None or n != of for n, of in zip(nulls, rows, strict=True))

    def least(self, name: str, column: str) -> Any:
        """The least value of a column of dates or instants, from the files' statistics
        (an instant to the millisecond); None without any."""
        if not self.has_values(name, column):
            return None
        handle = self._open(name)
        assert handle is not None
        actions = handle.get_add_actions(flatten=True)
        values = _column(actions, f"min.{column}")
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

    # Writing

    @contextmanager
    def lock(self, name: str, *, patience_s: float = -1) -> Iterator[None]:
        """The right to write table `name`; held by one thread at a time.

        Who holds it may take it again: to read, decide and write as one. Raises
        `Busy` where others hold it for longer than one has patience.
        """
        self._locks.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._locks / f"{name}.lock", is_singleton=True)
        try:
            lock.acquire(timeout=patience_s)
        except Timeout:
            raise Busy(f"{name} is being written") from None
        try:
            yield
        finally:
            lock.release()

    def write(
        self, name: str, rows: pa.Table, *, progress: Mapping[str, int] | None = None
    ) -> Written:
        """Put rows into a table by key, once.

        `rows` has the declared schema of the table. A row equal to the one stored
        changes nothing; a row with a known key replaces it (`insert_only` tables
        keep the first); tables without a key append. Of several rows with one key
        the last counts. `progress` is committed with the rows; rows whose progress
        was reached before are taken as known.
        """
        table = TABLES[name]
        _check_schema(table, rows.schema)
        with self.lock(name), connect() as duck:
            if name == decided.ACCOUNTS:
                rows = decided.over(self, rows)
            if progress and all(
                reached is not None and reached >= at
                for app, at in progress.items()
                for reached in [self.progress(name, app)]
            ):
                return Written(unchanged=rows.num_rows)
            duck.register("incoming", rows)
            if not table.key:
                return self._append_all(duck, table, rows, progress)
            single = _one_a_key(duck, table, rows)
            write = self._insert_new if table.insert_only else self._upsert
            written = write(duck, table, single, progress)
            left_out = rows.num_rows - _count(duck, single)
            return written + Written(unchanged=left_out)

    def _append_all(
        self,
        duck: duckdb.DuckDBPyConnection,
        table: Table,
        rows: pa.Table,
        progress: Mapping[str, int] | None,
    ) -> Written:
        if rows.num_rows:
            self._append(duck, table, "incoming", progress)
        return Written(inserted=rows.num_rows)

    def _insert_new(
        self,
        duck: duckdb.DuckDBPyConnection,
        table: Table,
        rows: str,
        progress: Mapping[str, int] | None,
    ) -> Written:
        key, same_key = quoted(table.key[-1]), _same_key(table, "stored", "given")
        months = self._months_of_known(duck, table, rows)
        duck.execute(
            f"CREATE TEMP TABLE known AS SELECT stored.* FROM {rows} given JOIN ("
            f"SELECT {_columns(table.key)} FROM {self.told(table.name, months=months)} "
            f"WHERE {key} IN (SELECT {key} FROM {rows})) stored ON {same_key}"
        )
        known, fresh = _count(duck, "known"), rows
        if known:
            same_key = _same_key(table, "known", "given")
            fresh = (
                f"(FROM {rows} given WHERE NOT EXISTS (FROM known WHERE {same_key}))"
            )
        count = _count(duck, rows) - known
        if count:
            self._append(duck, table, fresh, progress)
        return Written(inserted=count, unchanged=known)

    def _months_of_known(
        self, duck: duckdb.DuckDBPyConnection, table: Table, rows: str
    ) -> list[str] | None:
        """Months that may hold keys of `rows`; None: any, where no index can be."""
        seen = self._seen(table)
        if seen is None:
            return None
        return sorted(seen.months(duck, rows, self.files_by_month(table.name)))

    def _seen(self, table: Table) -> Seen | None:
        if "://" in self.root or not table.partition_by:
            return None
        folder = Path(self.root) / "_index" / table.name
        # A file may be older than a column.
        return Seen(
            folder,
            table.key,
            lambda files: _relation(table.name, files, frozenset(), some=True),
        )

    def _upsert(
        self,
        duck: duckdb.DuckDBPyConnection,
        table: Table,
        rows: str,
        progress: Mapping[str, int] | None,
    ) -> Written:
        months = _months(duck, table, rows)
        stored = self.told(table.name, months=months)
        same_key = _same_key(table, "stored", "changed")
        duck.execute(
            f"CREATE TEMP TABLE changed AS FROM {rows} EXCEPT SELECT * FROM {stored}"
        )
        count, every = _count(duck, "changed"), _count(duck, rows)
        if not count:
            return Written(unchanged=every)
        updated = _count(
            duck,
            f"(FROM changed WHERE EXISTS (FROM {stored} AS stored WHERE {same_key}))",
        )
        written = Written(count - updated, updated, every - count)
        if not updated:
            self._append(duck, table, "changed", progress)
            return written
        duck.execute(
            f"CREATE TEMP VIEW merged AS SELECT * FROM {stored} AS stored "
            f"WHERE NOT EXISTS (FROM changed WHERE {same_key}) "
            "UNION ALL BY NAME FROM changed"
        )
        days = _days(duck, table, "changed")
        self._commit(duck, table, "merged", months=months, days=days, progress=progress)
        return written

    def _append(
        self,
        duck: duckdb.DuckDBPyConnection,
        table: Table,
        relation: str,
        progress: Mapping[str, int] | None,
    ) -> None:
        days = _days(duck, table, relation)
        self._commit(duck, table, relation, mode="append", days=days, progress=progress)
        self._gather(table.name)

    def _gather(self, name: str) -> None:
        """Put small files together where loads have left many of them.

        Readers pay for each file. What loads leave is small, so this is quick;
        sorting is left to `compact`.
        """
        handle = self._open(name)
        assert handle is not None
        actions = handle.get_add_actions(flatten=True)
        months = _column(actions, f"partition.{MONTH}") or [None] * actions.num_rows
        small = Counter(
            month
            for month, size in zip(months, _column(actions, "size_bytes"), strict=True)
            if size < SMALL_FILE
        )
        for month, files in small.items():
            if files >= MANY_SMALL_FILES:
                DeltaTable(self.uri(name)).optimize.compact(
                    partition_filters=[(MONTH, "=", month)] if month else None,
                    target_size=SMALL_FILE,
                    writer_properties=_WRITER,
                    commit_properties=CommitProperties({DAYS: NO_DAYS}),
                )

    def replace(
        self,
        duck: duckdb.DuckDBPyConnection,
        name: str,
        relation: str,
        *,
        months: Sequence[str] | None = None,
        progress: Mapping[str, int] | None = None,
    ) -> None:
        """Overwrite a table, or these months of it, with a relation of `duck`.

        The caller holds the lock where it read the table before.
        """
        table = TABLES[name]
        self._commit(duck, table, relation, months=months, days=[], progress=progress)

    def delete(self, name: str, condition: str) -> int:
        """Delete the rows for which a condition in SQL holds; their number."""
        with self.lock(name), connect() as duck:
            return self._delete(duck, TABLES[name], condition)

    def delete_keys(self, name: str, keys: Sequence[tuple[Any, ...]]) -> int:
        """Delete the rows with these keys, as the table's key goes; their number."""
        table = TABLES[name]
        fields = [table.schema().field(column) for column in table.key]
        columns = zip(*keys, strict=True) if keys else ((),) * len(fields)
        gone = pa.table(
            [pa.array(c, f.type) for c, f in zip(columns, fields, strict=True)],
            schema=pa.schema(fields),
        )
        with self.lock(name), connect() as duck:
            duck.register("gone", gone)
            same_key = _same_key(table, "gone", "stored")
            return self._delete(duck, table, f"EXISTS (FROM gone WHERE {same_key})")

    def _delete(
        self, duck: duckdb.DuckDBPyConnection, table: Table, condition: str
    ) -> int:
        stored = f"{self.told(table.name)} AS stored"
        duck.execute(f"CREATE TEMP TABLE dead AS FROM {stored} WHERE {condition}")
        count = _count(duck, "dead")
        if not count:
            return 0
        months, days = _months(duck, table, "dead"), _days(duck, table, "dead")
        stored = f"{self.told(table.name, months=months)} AS stored"
        kept = f"(FROM {stored} WHERE ({condition}) IS NOT TRUE)"
        self._commit(duck, table, kept, months=months, days=days)
        return count

    def record(self, name: str, progress: Mapping[str, int]) -> None:
        """Commit progress to a table that was written, and no rows."""
        with self.lock(name), connect() as duck:
            self._append(duck, TABLES[name], empty(name), progress)

    def _commit(
        self,
        duck: duckdb.DuckDBPyConnection,
        table: Table,
        relation: str,
        *,
        mode: Literal["append", "overwrite"] = "overwrite",
        months: Sequence[str] | None = None,
        days: Iterable[date],
        progress: Mapping[str, int] | None = None,
    ) -> None:
        columns = _columns(table.names)
        if table.partition_by:
            columns += f", {_month_of(table)} AS {MONTH}"
        query = f"SELECT {columns} FROM {relation}"
        if table.by_account:
            # Two columns find an account's rows; all of them take three times as long.
            query += f" ORDER BY {_columns(table.sort_by[:2])}"
        writer = _BY_ACCOUNT if table.by_account else _WRITER
        schema = table.schema(partitions=True)
        data = duck.sql(query).to_arrow_reader(250_000).cast(schema)
        handle = self._open(table.name)
        stored = _stored_schema(handle) if handle else None
        whole = mode == "overwrite" and months is None
        schema_mode: Literal["merge", "overwrite"] | None = None
        if stored is not None and whole and not stored.equals(schema):
            schema_mode = "overwrite"
        elif stored is not None:
            _check_evolution(table, schema, stored)
            added = len(schema.names) > len(stored.names)
            schema_mode = "merge" if added else None
        partition_by = [MONTH] if table.partition_by else None
        commit = CommitProperties(
            custom_metadata={DAYS: json.dumps([day.isoformat() for day in days])},
            app_transactions=[
                Transaction(app, at) for app, at in (progress or {}).items()
            ],
        )
        target = self._newest(table.name, self._writers) or self.uri(table.name)
        if mode == "append":
            write_deltalake(
                target,
                data,
                mode="append",
                partition_by=partition_by,
                schema_mode=schema_mode,
                writer_properties=writer,
                commit_properties=commit,
            )
            return
        write_deltalake(
            target,
            data,
            mode="overwrite",
            predicate=None if months is None else f"{MONTH} IN ({_strings(months)})",
            partition_by=partition_by,
            schema_mode=schema_mode,
            writer_properties=writer,
            commit_properties=commit,
        )

    # Upkeep

    def compact(self, name: str) -> int:
        """Rewrite months of many small files as one sorted file; months done."""
        table = TABLES[name]
        done = 0
        with self.lock(name):
            for month, files in self.files_by_month(name).items():
                if len(files) < MANY_FILES:
                    continue
                months = [month] if table.partition_by else None
                with connect_apart() as duck:
                    order = _columns(table.sort_by)
                    rows = f"(FROM {self.told(name, months=months)} ORDER BY {order})"
                    duck.execute("SET preserve_insertion_order = true")
                    self._commit(duck, table, rows, months=months, days=[])
                done += 1
        return done

    def maintain(
        self, progress: Callable[[float, str], None], *, now: datetime | None = None
    ) -> None:
        """Compact and vacuum every table, and forget old rejects.

        Safe at any time, by any process. `now` is the present instant.
        """
        old = (now or datetime.now(UTC)) - REJECTS_KEPT
        self.delete("rejects", f"rejected_at < TIMESTAMPTZ '{old.isoformat()}'")
        for done, name in enumerate(TABLES):
            progress(done / len(TABLES), name)
            self.compact(name)
            self.vacuum(name)
            self._tidy_index(name)

    def _tidy_index(self, name: str) -> None:
        seen = self._seen(TABLES[name]) if TABLES[name].insert_only else None
        if seen is not None:
            with self.lock(name):
                seen.drop_if_stale(self.count(name))

    def vacuum(self, name: str, *, retention: timedelta = RETENTION) -> int:
        """Delete files that no version within `retention` refers to."""
        handle = self._open(name)
        if handle is None:
            return 0
        with self.lock(name):
            deleted = handle.vacuum(
                retention_hours=int(retention.total_seconds() // 3600),
                dry_run=False,
                enforce_retention_duration=False,
                full=True,
            )
        return len(deleted)


def _relation(
    name: str, files: Sequence[str], columns: frozenset[str], *, some: bool = False
) -> str:
    """SQL of a table's declared columns from files of a version with `columns`.

    Where they are but `some` of its files, each may be older than a column.
    """
    if not files:
        return empty(name)
    declared = TABLES[name].schema()
    selected = ", ".join(
        quoted(f.name)
        if some or f.name in columns
        else f"NULL::{_sql_type(f.type)} AS {quoted(f.name)}"
        for f in declared
    )
    read = (
        f"read_parquet([{_strings(files)}], "
        "union_by_name = true, hive_partitioning = false)"
    )
    if some:
        read = f"(FROM {read} UNION ALL BY NAME FROM {empty(name)})"
    return f"(SELECT {selected} FROM {read})"


def empty(name: str) -> str:
    """SQL of a relation with the columns of a table and no rows."""
    columns = TABLES[name].schema()
    nulls = (f"NULL::{_sql_type(f.type)} AS {quoted(f.name)}" for f in columns)
    return f"(SELECT {', '.join(nulls)} WHERE false)"


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _columns(names: Iterable[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def _strings(values: Iterable[str]) -> str:
    """Values as SQL string literals, separated by commas."""
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


def _sql_type(type_: pa.DataType) -> str:
    if pa.types.is_decimal(type_):
        return f"DECIMAL({type_.precision}, {type_.scale})"
    names = {
        pa.string(): "VARCHAR",
        pa.int64(): "BIGINT",
        pa.float64(): "DOUBLE",
        pa.bool_(): "BOOLEAN",
        pa.date32(): "DATE",
        pa.timestamp("us", tz="UTC"): "TIMESTAMPTZ",
    }
    return names[type_]


def _check_schema(table: Table, schema: pa.Schema) -> None:
    """Refuse what Delta would coerce in silence (1.7 into an integer becomes 1)."""
    if not schema.equals(table.schema()):
        raise PerennialError(
            f"rows for {table.name} must have its declared schema; got {schema}"
        )


def _column(actions: arro3.core.Table, name: str) -> list[Any]:
    """A column of a table's file list; empty where the list has none."""
    return list(actions[name].to_pylist()) if name in actions.column_names else []


def _column_names(handle: DeltaTable) -> frozenset[str]:
    return frozenset(field.name for field in handle.schema().fields)


def _stored_schema(handle: DeltaTable) -> pa.Schema:
    return pa.schema(handle.schema().to_arrow())


def _check_evolution(table: Table, declared: pa.Schema, stored: pa.Schema) -> None:
    """Columns may be added; a type never changes under stored rows."""
    for field in stored:
        if field.name not in declared.names:
            raise PerennialError(f"{table.name}.{field.name} is stored but unknown")
        if not declared.field(field.name).type.equals(field.type):
            raise PerennialError(
                f"{table.name}.{field.name} is stored as {field.type}, "
                f"not {declared.field(field.name).type}"
            )


def _count(duck: duckdb.DuckDBPyConnection, relation: str) -> int:
    found = duck.sql(f"SELECT count(*) FROM {relation}").fetchall()
    return int(found[0][0])


def _one_a_key(duck: duckdb.DuckDBPyConnection, table: Table, rows: pa.Table) -> str:
    """A relation of the incoming rows with one a key: the last, or the first where
    the table only inserts."""
    key = _columns(table.key)
    if _count(duck, f"(SELECT DISTINCT {key} FROM incoming)") == rows.num_rows:
        return "incoming"
    at = pa.array(range(rows.num_rows), pa.int64())
    duck.register("placed", rows.append_column("_at", at))
    order = "ASC" if table.insert_only else "DESC"
    duck.execute(
        "CREATE TEMP TABLE single AS SELECT * EXCLUDE (_at) FROM placed "
        f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY _at {order}) = 1"
    )
    return "single"


def _same_key(table: Table, left: str, right: str) -> str:
    return " AND ".join(
        f"{left}.{quoted(name)} IS NOT DISTINCT FROM {right}.{quoted(name)}"
        for name in table.key
    )


def _months(
    duck: duckdb.DuckDBPyConnection, table: Table, relation: str
) -> list[str] | None:
    if table.partition_by is None:
        return None
    rows = duck.sql(f"SELECT DISTINCT {_month_of(table)} FROM {relation}")
    return sorted(row[0] for row in rows.fetchall())


def _month_of(table: Table) -> str:
    """SQL of a row's partition."""
    return f"strftime({_when(table)}, '%Y-%m')"


def _when(table: Table) -> str:
    """SQL of the date or instant a row is partitioned by; UTC, without a zone, of
    which the time zone library would be asked row by row."""
    assert table.partition_by is not None
    at = quoted(table.partition_by)
    is_instant = pa.types.is_timestamp(table.schema().field(table.partition_by).type)
    return f"make_timestamp(epoch_us({at}))" if is_instant else at


def _days(duck: duckdb.DuckDBPyConnection, table: Table, relation: str) -> list[date]:
    """UTC days (local days where the column is a date) of a relation's rows."""
    if table.partition_by is None:
        return []
    rows = duck.sql(f"SELECT DISTINCT {_when(table)}::DATE FROM {relation}")
    return sorted(row[0] for row in rows.fetchall())
