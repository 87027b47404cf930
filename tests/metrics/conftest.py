"""The company whose numbers are computed twice, built once for all families."""

from __future__ import annotations

import pytest

from tests.metrics import dirt_engagement, dirt_retention, dirt_voice
from tests.metrics.world import World, build, company

#: Each family's own.
DIRT = (
    dirt_engagement,
    dirt_retention,
    dirt_voice,
)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Berlin, euros, over two changes of clocks; every family's dirt is in it."""
    tables = company()
    for family in DIRT:
        family.add(tables)
    path = tmp_path_factory.mktemp("world")
    return build(path, tables, timezone="Europe/Berlin", currency="EUR")
