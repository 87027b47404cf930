"""What a number should be, by metric, segment and class of users: U01's benchmarks.

A target is where a number should get to. Below the floor a customer needs support;
above the ceiling one is ready to expand. Where less is better it is the other way
round.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from perennial.core.errors import BadValue
from perennial.metrics.registry import Good, Metric

Standing = Literal["", "needs_support", "ready_to_expand"]

#: Classes of users of whom fewer are better.
_FEWER = frozenset({"occasional", "inactive"})


@dataclass(frozen=True)
class Target:
    """`segment` and `group` are empty where it holds for all; `group` is a value of
    what the metric's rows always have, as the class of `usage_frequency`."""

    metric: str
    segment: str = ""
    group: str = ""
    target: float | None = None
    floor: float | None = None
    ceiling: float | None = None
    changed_at: datetime | None = None
    changed_by: str = ""

    def __post_init__(self) -> None:
        low, high = self.floor, self.ceiling
        if low is not None and high is not None and low > high:
            raise BadValue("the floor is above the ceiling")

    @property
    def is_empty(self) -> bool:
        return self.target is None and self.floor is None and self.ceiling is None

    def is_missed(self, value: float | None, metric: Metric) -> bool:
        """Is the value on the wrong side of the target?"""
        if value is None or self.target is None:
            return False
        if direction(metric, self.group) == "down":
            return value > self.target
        return value < self.target

    def standing(self, value: float | None, metric: Metric) -> Standing:
        """What the value of a customer asks for."""
        if value is None:
            return ""
        is_low = self.floor is not None and value < self.floor
        is_high = self.ceiling is not None and value > self.ceiling
        if direction(metric, self.group) == "down":
            is_low, is_high = is_high, is_low
        return "needs_support" if is_low else "ready_to_expand" if is_high else ""


def direction(metric: Metric, group: str) -> Good:
    """Which way is better: fewer inactive users, more daily ones."""
    if group in _FEWER:
        return "down"
    return metric.good if metric.good == "down" else "up"


def find(
    targets: Iterable[Target], metric: Metric, segment: str = "", group: str = ""
) -> Target | None:
    """The target of a segment, or else the one for all."""
    known = {
        t.segment: t for t in targets if t.metric == metric.key and t.group == group
    }
    return known.get(segment) or known.get("")
