from __future__ import annotations

import pytest

from perennial.lake import models
from perennial.scoring.review import Review
from tests.builders import Case
from tests.insights import company


@pytest.fixture(scope="package")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Only read from: tests that write make their own."""
    return company.build(tmp_path_factory.mktemp("insights") / "lake" / "default")


@pytest.fixture(scope="package")
def learned(case: Case) -> Review:
    return models.learn(case.workspace)
