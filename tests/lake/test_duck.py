"""One DuckDB a process: what its users share, and what they do not."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from perennial.lake import duck
from tests.builders import Case


@pytest.fixture(autouse=True)
def _of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duck, "_OPEN", {})


def test_what_one_makes_nobody_else_sees() -> None:
    one, other = duck.connect(), duck.connect()
    for connection, value in ((one, 1), (other, 2)):
        connection.execute(f"CREATE TEMP TABLE made AS SELECT {value} AS x")
        connection.execute(f"CREATE TEMP MACRO said() AS {value}")
    one.close()
    assert other.execute("SELECT x, said() FROM made").fetchall() == [(2, 2)]


def test_every_connection_is_in_utc() -> None:
    for connection in (duck.connect(), duck.connect_apart()):
        [(zone,)] = connection.execute("SELECT current_setting('TimeZone')").fetchall()
        assert zone == "UTC"


def test_a_dead_duckdb_is_replaced(tmp_path: Path) -> None:
    """As after an internal error, which ends it for all of its connections."""
    case = Case(tmp_path)
    case.events(("ada", "a", "2026-05-31T12:00"))
    case.roll_up()
    assert case.value("dau", as_of="2026-06-01") == 1
    duck._OPEN[os.getpid()].close()
    with pytest.raises(duckdb.Error):
        case.value("dau", as_of="2026-06-01")
    assert case.value("dau", as_of="2026-06-01") == 1
