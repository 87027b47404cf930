from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.server import Server
from tests.installed import install


@pytest.fixture(scope="session")
def environments(request: pytest.FixtureRequest) -> Path:
    """Where SDKs are installed; kept between runs."""
    return request.config.cache.mkdir("conformance")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(install(tmp_path_factory.mktemp("installation")))
    server.start()
    yield server
    server.stop()
