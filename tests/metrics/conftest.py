"""The company whose numbers are computed twice, built once for all families."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from tests.made import copied
from tests.metrics import dirt_engagement, dirt_retention, dirt_voice
from tests.metrics.world import World, build, company, opened

#: Each family's own.
DIRT = (
    dirt_engagement,
    dirt_retention,
    dirt_voice,
)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Berlin, euros, over two changes of clocks; every family's dirt is in it."""
    path = copied(tmp_path_factory, "world", _build)
    return opened(path / "lake", pickle.loads((path / "tables").read_bytes()))


def _build(path: Path) -> None:
    tables = company()
    for family in DIRT:
        family.add(tables)
    build(path / "lake", tables, timezone="Europe/Berlin", currency="EUR")
    (path / "tables").write_bytes(pickle.dumps(tables))
