"""What a number should be, and what being off it means."""

from __future__ import annotations

from pathlib import Path

import pytest

from perennial.core.errors import BadValue
from perennial.lake import targets as store
from perennial.metrics.registry import get
from perennial.metrics.targets import Target, find
from tests.builders import Case, instant


def test_a_target_is_missed_on_its_wrong_side() -> None:
    kept = Target("net_revenue_retention", target=0.91)
    metric = get("net_revenue_retention")
    assert [kept.is_missed(v, metric) for v in (0.9, 0.91, 1.2, None)] == [
        True, False, False, False,
    ]  # fmt: skip
    churn = Target("customer_churn_rate", target=0.02)
    metric = get("customer_churn_rate")
    assert [churn.is_missed(v, metric) for v in (0.01, 0.02, 0.03)] == [
        False, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("group", "value", "standing"),
    [
        ("daily", 0.1, "needs_support"),
        ("daily", 0.2, ""),
        ("daily", 0.6, ""),
        ("daily", 0.7, "ready_to_expand"),
        ("inactive", 0.1, "ready_to_expand"),
        ("inactive", 0.7, "needs_support"),
        ("daily", None, ""),
    ],
)
def test_below_the_floor_one_needs_support(
    group: str, value: float | None, standing: str
) -> None:
    """U01: benchmarks by class; more inactive users are no reason to expand."""
    target = Target("usage_frequency", group=group, floor=0.2, ceiling=0.6)
    assert target.standing(value, get("usage_frequency")) == standing


def test_a_segment_goes_before_all() -> None:
    every = [
        Target("mau", target=10),
        Target("mau", "SMB", target=5),
        Target("dau", target=1),
    ]
    metric = get("mau")
    assert getattr(find(every, metric, "SMB"), "target", None) == 5
    assert getattr(find(every, metric, "ENT"), "target", None) == 10
    assert find(every, metric, group="daily") is None


def test_every_change_is_kept(tmp_path: Path) -> None:
    case = Case(tmp_path)
    changes = [(5.0, "ann", 1), (7.0, "bob", 2), (None, "eve", 3)]
    seen = []
    for value, by, day in changes:
        target = Target("mau", "SMB", target=value)
        store.change(case.lake, target, by=by, at=instant(f"2026-06-0{day}T08:00"))
        seen.append([(t.target, t.changed_by) for t in case.workspace.targets])
    assert seen == [[(5.0, "ann")], [(7.0, "bob")], []]
    assert len(case.table("metric_targets")) == 3
    with pytest.raises(BadValue):
        Target("mau", floor=2, ceiling=1)
