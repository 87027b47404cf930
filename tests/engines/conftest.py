"""A small company in a lake, and two engines that read it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from perennial.lake import definitions, measures, refresh, settings_store, snapshots
from perennial.lake.engines import SparkEngine
from perennial.lake.store import Lake
from perennial.lake.workspace import Workspace
from tests.builders import clock
from tests.engines.same import NOW, OWN
from tests.made import made_once
from tests.metrics.dirt_voice import annotate
from tests.metrics.world import company, write


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Only read, and so the same for every file."""
    return Lake(made_once(tmp_path_factory, "lake-of-engines", _make))


def _make(folder: Path) -> None:
    """A small company in Berlin, over a change of clocks."""
    lake = Lake(folder)
    settings = {"timezone": "Europe/Berlin", "currency": "EUR"}
    settings_store.change(lake, settings, by="test", at=NOW)
    tables = company()
    annotate(tables)
    write(lake, tables)
    for key, table, column in OWN:
        own = {"key": key, "title": key, "table": table, "column": column}
        own |= {"measure": "percentile", "percentile": 75}
        definitions.define(lake, own, by="test", at=NOW)
    workspace = Workspace(lake, clock=clock(NOW))
    refresh.roll_up(workspace, refresh.Refreshed())
    snapshots.take(workspace, date(2026, 6, 1))
    measures.build(workspace, date(2026, 6, 1), progress={})


@pytest.fixture(scope="module")
def duck(lake: Lake) -> Workspace:
    return Workspace(lake, clock=clock(NOW))


@pytest.fixture(scope="module")
def spark(lake: Lake) -> Iterator[Workspace]:
    server_module = pytest.importorskip(
        "pysail.spark", reason="pysail is not installed"
    )
    from pyspark.sql import SparkSession

    server = server_module.SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    _, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").getOrCreate()
    yield Workspace(lake, engine=SparkEngine(lake, session), clock=clock(NOW))
    session.stop()
    server.stop()
