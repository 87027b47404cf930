"""Whatever is killed and when: what was acknowledged is in the lake, once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.conformance.torture import torture

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kills process groups")


def test_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    found = torture(tmp_path, seconds=9, kills=5)
    found.check()
    assert found.kills == 5
    assert len(found.acknowledged) > 500
