"""The lake: one folder of Delta tables, and the only place that commits to them.

Writers take a lock a table, so that what they checked still holds when they commit;
the lock is the operating system's and falls with its process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

import duckdb
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable
from filelock import FileLock, Timeout

from perennial.core.errors import PerennialError
from perennial.lake import commits, decided
from perennial.lake.duck import connect, connect_apart
from perennial.lake.relations import (
    count,
    days_of,
    empty,
    listed,
    months_of,
    one_a_key,
    quoted,
    relation_of,
    same_key,
)
from perennial.lake.seen import Seen
from perennial.lake.stored import DAYS, Stored, values_of
from perennial.lake.tables import MONTH, TABLES, Table

#: Value of `DAYS` when a commit only moved rows between files.
NO_DAYS: Final = "[]"
#: Months with more files than this are worth compacting.
MANY_FILES: Final = 8
#: A file below this size, in bytes, is put together with others like it,
SMALL_FILE: Final = 16 * 2**20
#: once a month has as many of them.
MANY_SMALL_FILES: Final = 50
#: Rejects are kept this long.
REJECTS_KEPT: Final = timedelta(days=30)
#: Old files are kept this long for readers that still hold them.
RETENTION: Final = timedelta(hours=24)


class Busy(PerennialError):
    """Others write a table for longer than one wants to wait."""


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


class Lake(Stored):
    """The tables of one workspace, to read and to write."""

    def __init__(self, root: str | Path, *, locks: Path | None = None) -> None:
        super().__init__(root)
        self._locks = locks or Path(self.root) / "_locks"
        #: While one is written through, nobody may read through it.
        self._writers: dict[str, DeltaTable] = {}

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
            single = one_a_key(duck, table, rows) if table.key else rows
            duck.register("incoming", single)
            if not table.key:
                written = self._append_all(duck, table, single, progress)
            elif table.insert_only:
                written = self._insert_new(duck, table, single, progress)
            else:
                written = self._upsert(duck, table, single, progress)
            return written + Written(unchanged=rows.num_rows - single.num_rows)

    # `rows` are `incoming`, and have one a key

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
        rows: pa.Table,
        progress: Mapping[str, int] | None,
    ) -> Written:
        key, is_same = quoted(table.key[-1]), same_key(table, "stored", "given")
        months = self._months_of_known(duck, table)
        duck.execute(
            "CREATE TEMP TABLE known AS SELECT stored.* FROM incoming given JOIN ("
            f"SELECT {listed(table.key)} FROM {self.told(table.name, months=months)} "
            f"WHERE {key} IN (SELECT {key} FROM incoming)) stored ON {is_same}"
        )
        known = count(duck, "known")
        if not known:
            self._append(duck, table, "incoming", progress, whole=rows)
        elif known < rows.num_rows:
            is_same = same_key(table, "known", "given")
            fresh = (
                f"(FROM incoming given WHERE NOT EXISTS (FROM known WHERE {is_same}))"
            )
            self._append(duck, table, fresh, progress)
        return Written(inserted=rows.num_rows - known, unchanged=known)

    def _months_of_known(
        self, duck: duckdb.DuckDBPyConnection, table: Table
    ) -> list[str] | None:
        """Months that may hold keys of `incoming`; None: any, where no index can be."""
        seen = self._seen(table)
        if seen is None:
            return None
        files = self.files_by_month(table.name)
        return sorted(seen.months(duck, "incoming", files))

    def _seen(self, table: Table) -> Seen | None:
        if "://" in self.root or not table.partition_by:
            return None
        folder = Path(self.root) / "_index" / table.name
        # A file may be older than a column.
        return Seen(
            folder,
            table.key,
            lambda files: relation_of(table.name, files, frozenset(), some=True),
        )

    def _upsert(
        self,
        duck: duckdb.DuckDBPyConnection,
        table: Table,
        rows: pa.Table,
        progress: Mapping[str, int] | None,
    ) -> Written:
        months = months_of(duck, table, "incoming")
        stored = self.told(table.name, months=months)
        is_same = same_key(table, "stored", "changed")
        duck.execute(
            f"CREATE TEMP TABLE changed AS FROM incoming EXCEPT SELECT * FROM {stored}"
        )
        changed, every = count(duck, "changed"), rows.num_rows
        if not changed:
            return Written(unchanged=every)
        updated = count(
            duck,
            f"(FROM changed WHERE EXISTS (FROM {stored} AS stored WHERE {is_same}))",
        )
        written = Written(changed - updated, updated, every - changed)
        if not updated:
            self._append(duck, table, "changed", progress)
            return written
        duck.execute(
            f"CREATE TEMP VIEW merged AS SELECT * FROM {stored} AS stored "
            f"WHERE NOT EXISTS (FROM changed WHERE {is_same}) "
            "UNION ALL BY NAME FROM changed"
        )
        days = days_of(duck, table, "changed")
        self._commit(duck, table, "merged", months=months, days=days, progress=progress)
        return written

    def _append(
        self,
        duck: duckdb.DuckDBPyConnection,
        table: Table,
        relation: str,
        progress: Mapping[str, int] | None,
        *,
        whole: pa.Table | None = None,
    ) -> None:
        """Add the rows of a relation; `whole` are the same, in any order."""
        days = days_of(duck, table, relation)
        self._commit(
            duck,
            table,
            relation if whole is None else commits.filed(table, whole),
            mode="append",
            days=days,
            progress=progress,
        )
        self._gather(table.name)

    def _gather(self, name: str) -> None:
        """Put small files together where loads have left many of them.

        Readers pay for each file. What loads leave is small, so this is quick;
        sorting is left to `compact`.
        """
        handle = self._open(name)
        assert handle is not None
        actions = handle.get_add_actions(flatten=True)
        months = values_of(actions, f"partition.{MONTH}") or [None] * actions.num_rows
        small = Counter(
            month
            for month, size in zip(
                months, values_of(actions, "size_bytes"), strict=True
            )
            if size < SMALL_FILE
        )
        for month, files in small.items():
            if files >= MANY_SMALL_FILES:
                DeltaTable(self.uri(name)).optimize.compact(
                    partition_filters=[(MONTH, "=", month)] if month else None,
                    target_size=SMALL_FILE,
                    writer_properties=commits.WRITER,
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
            is_same = same_key(table, "gone", "stored")
            return self._delete(duck, table, f"EXISTS (FROM gone WHERE {is_same})")

    def _delete(
        self, duck: duckdb.DuckDBPyConnection, table: Table, condition: str
    ) -> int:
        stored = f"{self.told(table.name)} AS stored"
        duck.execute(f"CREATE TEMP TABLE dead AS FROM {stored} WHERE {condition}")
        dead = count(duck, "dead")
        if not dead:
            return 0
        months, days = months_of(duck, table, "dead"), days_of(duck, table, "dead")
        stored = f"{self.told(table.name, months=months)} AS stored"
        kept = f"(FROM {stored} WHERE ({condition}) IS NOT TRUE)"
        self._commit(duck, table, kept, months=months, days=days)
        return dead

    def record(self, name: str, progress: Mapping[str, int]) -> None:
        """Commit progress to a table that was written, and no rows."""
        with self.lock(name), connect() as duck:
            self._append(duck, TABLES[name], empty(name), progress)

    def _commit(
        self,
        duck: duckdb.DuckDBPyConnection,
        table: Table,
        rows: str | pa.Table,
        *,
        mode: Literal["append", "overwrite"] = "overwrite",
        months: Sequence[str] | None = None,
        days: Iterable[date],
        progress: Mapping[str, int] | None = None,
    ) -> None:
        if isinstance(rows, str):
            rows = duck.sql(commits.query(table, rows)).to_arrow_reader(250_000)
        commits.commit(
            self._newest(table.name, self._writers) or self.uri(table.name),
            table,
            rows,
            mode=mode,
            months=months,
            days=days,
            progress=progress,
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
                    order = listed(table.sort_by)
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
        if self._open(name) is None:
            return 0
        with self.lock(name):
            # Anew: one that is held may refer to a log that was forgotten.
            deleted = DeltaTable(self.uri(name)).vacuum(
                retention_hours=int(retention.total_seconds() // 3600),
                dry_run=False,
                enforce_retention_duration=False,
                full=True,
                commit_properties=CommitProperties({DAYS: NO_DAYS}),
            )
        return len(deleted)

    def forget(self, name: str) -> None:
        """Delete every file of older versions of a table, and what the log has of
        them: the least and the greatest of what was in each file.

        What is derived from this version goes on from it.
        """
        if self._open(name) is None:
            return
        with self.lock(name):
            handle = DeltaTable(self.uri(name))
            handle.create_checkpoint()
            oldest = f"{handle.version():020}"
            self.vacuum(name, retention=timedelta())
            for path in (Path(self.root) / name / "_delta_log").iterdir():
                if path.name[:20].isdigit() and path.name[:20] < oldest:
                    path.unlink()


def _check_schema(table: Table, schema: pa.Schema) -> None:
    """Refuse what Delta would coerce in silence (1.7 into an integer becomes 1)."""
    if not schema.equals(table.schema()):
        raise PerennialError(
            f"rows for {table.name} must have its declared schema; got {schema}"
        )
