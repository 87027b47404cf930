"""Every metric on two engines, compared exactly.

Both could be wrong together, so the numbers themselves are held against fixed
values by the worked examples; here it is only that the engines agree.
"""

from __future__ import annotations

from typing import Any

import pytest

from perennial.lake.workspace import Workspace
from perennial.metrics.registry import all_metrics, get
from tests.engines.same import NAMED, OWN, SPAN, assert_same


@pytest.mark.parametrize("key", list(all_metrics()))
def test_every_metric_by_segment(duck: Workspace, spark: Workspace, key: str) -> None:
    split = ["segment"] if get(key).is_of_accounts else []
    asked = {**SPAN, "by": split, "params": NAMED.get(key, {})}
    assert_same(duck.metric(key, **asked).rows, spark.metric(key, **asked).rows)


@pytest.mark.parametrize("key", [key for key, *_ in OWN])
def test_metrics_of_ones_own(duck: Workspace, spark: Workspace, key: str) -> None:
    asked = {**SPAN, "by": ["segment"]}
    assert_same(duck.metric(key, **asked).rows, spark.metric(key, **asked).rows)


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        ("funnel", {"by": ["step", "segment"], "variant": "step"}),
        ("onboarding_funnel", {"by": ["step", "account"], "variant": "drop"}),
        ("lead_funnel", {"by": ["stage", "source"]}),
        ("free_to_paid", {"by": ["kind", "last_step"]}),
        ("user_retention", {"params": {"days": "0,1,7"}, "by": ["segment"]}),
        ("user_retention", {"params": {"days": "1-7"}, "variant": "bracket"}),
        ("user_retention", {"params": {"start_event": "Report Scheduled"}}),
        ("time_to_adopt", {"by": ["feature", "account"], "variant": "adopters"}),
        ("time_to_value", {"params": {"event": "Report Scheduled"}}),
        ("product_usage_rate", {"by": ["area"], "variant": "seconds"}),
        ("key_feature_coverage", {"by": ["feature"]}),
        ("health_score", {"by": ["account"]}),
    ],
)
def test_what_is_asked_with_names_and_steps(
    duck: Workspace, spark: Workspace, key: str, asked: dict[str, Any]
) -> None:
    asked = {**SPAN, "params": NAMED.get(key, {}), **asked}
    assert_same(duck.metric(key, **asked).rows, spark.metric(key, **asked).rows)
