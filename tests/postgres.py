"""A PostgreSQL of the tests' own, with a password: made when a test first asks for it.

Without its programs the tests are skipped, with a line that says so; in CI (CI=true)
they have to run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Final

import psycopg
import pytest
from django.db import connections
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

from perennial.config.database import from_url

PASSWORD: Final = "s3cret/word"
_QUICK: Final = "-c fsync=off -c full_page_writes=off -c shared_buffers=32MB"
_NUMBERS = count(1)

_PROGRAM: Final = """
from perennial.config.start import setup
setup(migrate=True)
from django.core.management import call_command
call_command("makemigrations", check=True, dry_run=True)
"""


def _programs() -> Path | None:
    """Debian keeps those of a server apart from what people call."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    named = shutil.which("initdb") or next(reversed(debian), None)
    return Path(named).resolve().parent if named else None


@dataclass(frozen=True)
class Server:
    """A cluster in a folder, asked over a socket that lies there as well."""

    folder: Path

    def url(self, database: str) -> str:
        password = PASSWORD.replace("/", "%2F")
        return f"postgresql://perennial:{password}@/{database}?host={self.folder}"

    def empty(self) -> str:
        """A new database with nothing in it; its URL."""
        return self._create("template0")

    def migrated(self) -> str:
        """A new database as the first start leaves it; its URL."""
        return self._create(self._template)

    def _create(self, template: str) -> str:
        name = f"test_{next(_NUMBERS)}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(create.format(*map(sql.Identifier, (name, template))))
        return self.url(name)

    @cached_property
    def _template(self) -> str:
        url = self.empty()
        with tempfile.TemporaryDirectory() as data:
            plain = {k: v for k, v in os.environ.items() if not k.startswith("DJANGO_")}
            mine = {"PERENNIAL_DATA": data, "PERENNIAL_DATABASE_URL": url}
            subprocess.run(
                [sys.executable, "-c", _PROGRAM],
                env={**plain, "PYTHONPATH": "src", **mine},
                check=True,
            )
        return str(from_url(url)["NAME"])


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    programs = _programs()
    if programs is None:
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail("PostgreSQL is not installed")
        pytest.skip("no PostgreSQL on this machine: apt-get install postgresql")
    # A path of pytest's would be too long for a socket. It refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="perennial-pg-"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    word = folder / "password"
    word.write_text(PASSWORD)
    word.chmod(0o644)

    def run(program: str, *arguments: str) -> None:
        command = [programs / program, "-D", folder / "data", *arguments]
        subprocess.run(
            command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL
        )

    try:
        run(
            *("initdb", "--no-sync", "--encoding=UTF8", "--locale=C"),
            *("--username=perennial", "--auth=scram-sha-256", f"--pwfile={word}"),
        )
        options = f"-c listen_addresses= -c unix_socket_directories={folder} {_QUICK}"
        run("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", options)
        try:
            yield Server(folder)
        finally:
            run("pg_ctl", "stop", "-m", "immediate")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def on_postgres(
    postgres: Server,
    django_db_blocker: DjangoDbBlocker,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The application's database is one of PostgreSQL, migrated; its URL."""
    url, usual = postgres.migrated(), connections["default"]
    merged = {**connections.databases["default"], **from_url(url)}
    monkeypatch.setitem(connections.databases, "default", merged)
    del connections["default"]
    with django_db_blocker.unblock():
        try:
            yield url
        finally:
            connections["default"].close()
            connections["default"] = usual
