"""The application database: SQLite in the data folder, or PostgreSQL by URL."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from perennial.core.errors import BadValue


def named() -> str:
    """The URL of a database that is not in the data folder; else empty."""
    return os.environ.get("PERENNIAL_DATABASE_URL", "")


def sqlite(path: Path) -> dict[str, Any]:
    """WAL, so that readers and one writer do not wait for each other; writing
    transactions take their lock at once instead of failing half-way; every
    commit is on the disk before it is answered. What is deleted is overwritten
    where that writes no more pages: Debian's SQLite would write all of them, a
    seventh of what a load costs."""
    pragmas = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
        "PRAGMA cache_size=-16000; PRAGMA secure_delete=FAST"
    )
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 10,
            "init_command": pragmas,
        },
    }


def from_url(url: str) -> dict[str, Any]:
    """`postgresql://user:password@host:5432/name?sslmode=require`.

    Raises `BadValue`, which never says the URL: there is a password in it.
    """
    try:
        parts = urlsplit(url)
        port = str(parts.port or "")
    except ValueError as error:
        raise BadValue(f"PERENNIAL_DATABASE_URL is no URL: {error}") from None
    if parts.scheme not in {"postgres", "postgresql"}:
        raise BadValue("PERENNIAL_DATABASE_URL must begin with postgresql://")
    if find_spec("psycopg") is None:
        raise BadValue(
            "PERENNIAL_DATABASE_URL names a PostgreSQL database, which takes an extra: "
            "pip install 'perennial[postgres]'"
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": port,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
