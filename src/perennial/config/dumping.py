"""The database of a team server as one file, and back, by PostgreSQL's own programs.

They know every type and every version of the server. The password is told to them in
their environment: a command line can be read by everybody on the machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from perennial.config.database import from_url
from perennial.core.errors import BadValue

#: Owners and rights are those of the server it is restored to.
_PLAIN: Final = ("--no-owner", "--no-privileges", "--no-password")
_TABLES: Final = """
    SELECT count(*) FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace::regnamespace::text NOT IN
        ('pg_catalog', 'information_schema', 'pg_toast')
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
"""


def dump(url: str, target: Path) -> None:
    """Write the database as it is at one instant; others may write meanwhile.

    Raises `BadValue` where `pg_dump` is missing, or cannot.
    """
    # The archive around it is compressed, and better.
    _run("pg_dump", url, "--format=custom", "--compress=0", f"--file={target}")


def load(url: str, source: Path) -> None:
    """Fill an empty database with what `dump` wrote, all of it or nothing.

    Raises `BadValue` where `pg_restore` is missing, or cannot.
    """
    _run("pg_restore", url, "--single-transaction", "--exit-on-error", str(source))


def check_empty(url: str) -> None:
    """Raises `BadValue` where there are tables, or nobody answers."""
    import psycopg

    conninfo, password = _told(url)
    try:
        with psycopg.connect(conninfo, password=password) as connection:
            found = connection.execute(_TABLES).fetchone()
    except psycopg.Error as error:
        raise BadValue(f"the database does not answer: {_line(str(error))}") from error
    if found != (0,):
        raise BadValue("the database is not empty: restore into an empty one")


def _run(program: str, url: str, *arguments: str) -> None:
    path = shutil.which(program)
    if path is None:
        raise BadValue(
            f"{program} is not installed: it comes with PostgreSQL "
            "(apt-get install postgresql-client), of the server's version or newer"
        )
    conninfo, password = _told(url)
    done = subprocess.run(
        [path, *_PLAIN, f"--dbname={conninfo}", *arguments],
        env={**os.environ, "PGPASSWORD": password},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise BadValue(_line(done.stderr) or f"{program} ended with {done.returncode}")


def _told(url: str) -> tuple[str, str]:
    """How to connect, without the password; and the password."""
    from psycopg.conninfo import make_conninfo

    known = from_url(url)
    more = {name: value for name, value in known["OPTIONS"].items() if value}
    password = more.pop("password", known["PASSWORD"])
    named = {"dbname": "NAME", "user": "USER", "host": "HOST", "port": "PORT"}
    found = {name: known[key] for name, key in named.items() if known[key]}
    return make_conninfo("", **found, **more), password


def _line(said: str) -> str:
    """What went wrong, in one line."""
    return said.strip().partition("\n")[0]
