"""A folder is made once; who comes later changes nothing that numbers rest on."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from perennial.lake.opening import open_workspace
from tests.installed import install


def init(data: Path, *options: str) -> str:
    program = [sys.executable, "-m", "perennial.cli.main", "--data", str(data), "init"]
    done = subprocess.run(
        [*program, *options], check=True, capture_output=True, text=True
    )
    return done.stdout


def test_data_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    data = install(tmp_path / "data")
    with closing(sqlite3.connect(data / "perennial.sqlite3")) as database:
        database.execute(
            "INSERT INTO django_migrations (app, name, applied) "
            "VALUES ('team', '9999_of_tomorrow', '2030-01-01')"
        )
        database.commit()
    assert complaint(data) == (
        "perennial: a newer version of Perennial has used this data "
        "(team.9999_of_tomorrow is unknown here): install that version\n"
    )


def test_a_database_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    url = "postgresql://me:secret@127.0.0.1:1/cs"
    said = complaint(tmp_path / "data", PERENNIAL_DATABASE_URL=url)
    assert said.startswith("perennial: the application database cannot be used: ")
    assert said.count("\n") == 1
    assert "secret" not in said


def complaint(data: Path, **environment: str) -> str:
    """What `keys list` says on standard error, having ended with 1."""
    program = [sys.executable, "-m", "perennial.cli.main", "--data", str(data)]
    done = subprocess.run(
        [*program, "keys", "list"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert done.returncode == 1
    return done.stderr


def test_a_second_administrator_keeps_currency_and_zone(tmp_path: Path) -> None:
    data = install(tmp_path / "data")
    own = ("--currency", "EUR", "--timezone", "Europe/Berlin")
    assert "/sign-in/" in init(data, "--email", "maja@x.example", *own)
    assert "/sign-in/" in init(data, "--email", "elin@x.example")
    settings = open_workspace(data, "default").settings
    assert (settings.currency, settings.timezone) == ("EUR", "Europe/Berlin")
