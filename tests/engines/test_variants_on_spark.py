"""Every way of counting on two engines; apart, as a worker runs a file."""

from __future__ import annotations

import pytest

from perennial.lake.workspace import Workspace
from perennial.metrics.registry import all_metrics
from tests.engines.same import NAMED, SPAN, assert_same


@pytest.mark.parametrize(
    ("key", "variant"),
    [(m.key, v) for m in all_metrics().values() for v in list(m.variants)[1:]],
)
def test_every_variant(
    duck: Workspace, spark: Workspace, key: str, variant: str
) -> None:
    asked = {**SPAN, "variant": variant, "params": NAMED.get(key, {})}
    assert_same(duck.metric(key, **asked).rows, spark.metric(key, **asked).rows)
