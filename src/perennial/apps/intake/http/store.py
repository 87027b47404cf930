"""The inbox as a table of the application database, for threads of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import Max, Min

from perennial.apps.intake.models import Batch, WriteKey

#: How long a statement may wait for the lock of another writer. A request waits for
#: at most two transactions, the one before its own and its own, so that it is
#: answered within ten seconds (clients give up after 10 to 15).
LOCK_WAIT_MS: Final = 4_000
#: Rows of one INSERT: powers of two, so that few statements are prepared, kept and
#: used again. One statement a row would let go of the interpreter lock at each row,
#: and wait for it.
_CHUNKS: Final = (256, 128, 64, 32, 16, 8, 4, 2, 1)
_COLUMNS: Final = ("source_id", "call", "received_at", "body", "size")


class Row(NamedTuple):
    """One acknowledged request, or the part of it that belongs to one source."""

    source_id: int
    call: str
    received_at: datetime
    body: bytes


class Store(Protocol):
    """Where batches wait. Everything raises what the database raises."""

    def write(self, rows: Sequence[Row]) -> None:
        """All of them durable, or none."""

    def backlog(self) -> int:
        """About how many rows wait for the loader."""

    def free_bytes(self) -> int | None:
        """What the disk of the inbox has left; None where it is not ours."""

    def keys(self) -> dict[str, int]:
        """Source by write key, of those that may be used."""

    def close(self) -> None:
        """Ends the connection of this thread."""


class DatabaseStore:
    """`Store` on a database of Django. Connections belong to threads."""

    def __init__(self, alias: str = "default") -> None:
        self.alias = alias

    def write(self, rows: Sequence[Row]) -> None:
        with (
            self._connected() as connection,
            transaction.atomic(self.alias),
            connection.cursor() as cursor,
        ):
            if connection.vendor == "postgresql":
                _copy(connection, cursor, rows)
            else:
                _insert_all(connection, cursor, rows)
            connection.queries_log.clear()  # else DEBUG keeps what was sent

    def backlog(self) -> int:
        with self._connected():
            ends = Batch.objects.using(self.alias).aggregate(a=Min("id"), z=Max("id"))
        return 0 if ends["a"] is None else int(ends["z"] - ends["a"] + 1)

    def free_bytes(self) -> int | None:
        database = connections[self.alias].settings_dict
        if "sqlite" not in database["ENGINE"]:
            return None
        return shutil.disk_usage(Path(database["NAME"]).parent).free

    def keys(self) -> dict[str, int]:
        usable = WriteKey.objects.using(self.alias).filter(
            revoked_at=None, source__archived_at=None
        )
        with self._connected():
            return dict(usable.values_list("key", "source_id"))

    def close(self) -> None:
        connections[self.alias].close()

    @contextmanager
    def _connected(self) -> Iterator[BaseDatabaseWrapper]:
        """The connection of this thread; a new one after any error."""
        connection = connections[self.alias]
        try:
            if connection.connection is None:
                connection.ensure_connection()
                with connection.cursor() as cursor:
                    cursor.execute(_patience(connection.vendor))
            yield connection
        except BaseException:
            connection.close()
            raise


def _patience(vendor: str) -> str:
    if vendor == "sqlite":
        return f"PRAGMA busy_timeout = {LOCK_WAIT_MS}"
    return f"SET statement_timeout = {LOCK_WAIT_MS}"


def _chunks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    at = 0
    while at < len(rows):
        size = next(size for size in _CHUNKS if size <= len(rows) - at)
        yield rows[at : at + size]
        at += size


def _copy(connection: BaseDatabaseWrapper, cursor: Any, rows: Sequence[Row]) -> None:
    """PostgreSQL takes bodies as they are in a binary copy, and only there."""
    table, columns = _names(connection)
    copy = f"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)"
    with connection.wrap_database_errors, cursor.copy(copy) as copied:
        copied.set_types(["int8", "varchar", "timestamptz", "bytea", "int4"])
        for row in rows:
            copied.write_row((*row, len(row.body)))


def _insert_all(
    connection: BaseDatabaseWrapper, cursor: CursorWrapper, rows: Sequence[Row]
) -> None:
    for chunk in _chunks(rows):
        insert = _insert(connection, len(chunk))
        cursor.execute(insert, _values(connection, chunk))


def _names(connection: BaseDatabaseWrapper) -> tuple[str, str]:
    quote = connection.ops.quote_name
    return quote(Batch._meta.db_table), ", ".join(map(quote, _COLUMNS))


def _insert(connection: BaseDatabaseWrapper, rows: int) -> str:
    table, columns = _names(connection)
    places = ", ".join(["(%s, %s, %s, %s, %s)"] * rows)
    return f"INSERT INTO {table} ({columns}) VALUES {places}"


def _values(connection: BaseDatabaseWrapper, rows: Sequence[Row]) -> list[Any]:
    as_stored = connection.ops.adapt_datetimefield_value
    return [
        value
        for row in rows
        for value in (
            row.source_id,
            row.call,
            as_stored(row.received_at),
            row.body,
            len(row.body),
        )
    ]
