"""What was deleted from the application database leaves its disk, too."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper

#: How long a transaction from before may stay open before it is told of.
PATIENCE_S: Final = 30.0
_POLL_S: Final = 0.2
#: Sessions that may see what was deleted before transaction %s: it cannot go before.
_SEEING: Final = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type <> 'autovacuum worker' AND age(backend_xmin) >= age(%s::xid)
"""


def free(addresses: Iterable[str]) -> Counter[str]:
    """Write the database anew without what was deleted; what may be there still.

    SQLite: by file, how many of the addresses are in its bytes. PostgreSQL, whose files
    are not ours to read: how many transactions are open that see deleted rows.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return _postgresql(cursor)
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return _in_files(addresses)


def _postgresql(cursor: CursorWrapper) -> Counter[str]:
    """All tables, not those that were touched alone: what waited in the inbox had their
    events, and former versions of rows have what was corrected since."""
    cursor.execute("SELECT pg_current_xact_id()::xid::text")
    now = cursor.fetchone()
    deadline = time.monotonic() + PATIENCE_S
    while seeing := _count(cursor, now):
        if time.monotonic() >= deadline:
            return Counter({"postgresql.transactions": seeing})
        time.sleep(_POLL_S)
    for table in connection.introspection.django_table_names(only_existing=True):
        # Without FULL, pages keep the bytes until something else comes there.
        cursor.execute(f"VACUUM (FULL) {connection.ops.quote_name(table)}")
    return Counter()


def _count(cursor: CursorWrapper, now: tuple[str]) -> int:
    cursor.execute(_SEEING, now)
    return int(cursor.fetchone()[0])


def _in_files(addresses: Iterable[str]) -> Counter[str]:
    """Is an address anywhere in the database's files, also where no row is?"""
    found, sought = Counter[str](), [address.encode() for address in addresses]
    for path in settings.DATA.path.glob(f"{settings.DATA.database.name}*"):
        content = path.read_bytes().lower()
        found[path.name] = sum(address in content for address in sought)
    return found
