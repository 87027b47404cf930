"""The catalog: one entry holds all there is to know about a metric.

The command line, Python, HTTP, screens, charts and the reference page read it
here. A metric is added with `@metric` in its family's module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from perennial.core.errors import UnknownName

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from perennial.metrics.inputs import Inputs
    from perennial.metrics.query import Query

Unit = Literal["count", "ratio", "money", "seconds", "days", "score"]
Good = Literal["up", "down", "none"]
Theme = Literal["usage", "revenue", "retention", "health"]

Compute = Callable[["Inputs", "Query"], "ir.Table"]

ALL_GRAINS = ("total", "day", "week", "month", "quarter", "year")
ACCOUNT_DIMENSIONS = ("account", "any account attribute")
USER_DIMENSIONS = (*ACCOUNT_DIMENSIONS, "user")


@dataclass(frozen=True)
class Metric:
    """Everything about one metric.

    - `compute` gives one row per period and dimension: `numerator`,
      `denominator` (null where there is none), `n`, and `value` only where the
      value is not their quotient (a median). `scale` turns stored integers into
      the unit: money is kept in 1/10,000, time in milliseconds. Percentiles are
      rounded to whole stored units: engines differ in their last bits.
    - `empty`: the value of an observed period without rows; None means null.
    - `window_days`: how far an `as_of` question looks back.
    - `stock`: the value is that of the period's last instant.
    - `entity`: the dimension whose rows add up to the number.
    - `reads`: the roll-ups the number is made from; before their first day
      there is no data.
    """

    key: str
    title: str
    theme: Theme
    unit: Unit
    formula: str
    source: str
    compute: Compute
    reads: tuple[str, ...]
    dimensions: tuple[str, ...] = ACCOUNT_DIMENSIONS
    grains: tuple[str, ...] = ALL_GRAINS
    good: Good = "up"
    empty: int | None = None
    scale: int = 1
    window_days: int = 28
    stock: bool = False
    entity: str = "account"
    variants: Mapping[str, str] = field(default_factory=dict)
    caveats: str = ""

    @property
    def description(self) -> str:
        """What it is, in a sentence or two: the docstring of its function."""
        return " ".join((self.compute.__doc__ or "").split())

    def variant(self, name: str | None) -> str:
        """A known variant's name, the first one by default."""
        if not name:
            return next(iter(self.variants), "")
        if name not in self.variants:
            raise UnknownName(f"variant of {self.key}", name, list(self.variants))
        return name


_METRICS: dict[str, Metric] = {}


def metric(**facts: object) -> Callable[[Compute], Compute]:
    """Put the decorated function into the catalog, with the facts of its entry."""

    def register(compute: Compute) -> Compute:
        entry = Metric(key=compute.__name__, compute=compute, **facts)  # type: ignore[arg-type]
        if entry.key in _METRICS:
            raise ValueError(f"metric {entry.key} is defined twice")
        _METRICS[entry.key] = entry
        return compute

    return register


def get(key: str) -> Metric:
    """The metric called `key`; raises `UnknownName`."""
    catalog = all_metrics()
    if key not in catalog:
        raise UnknownName("metric", key, list(catalog))
    return catalog[key]


def all_metrics() -> Mapping[str, Metric]:
    """Every metric by key, family by family."""
    from perennial.metrics import activity, features, revenue, seats, sessions

    families = [m.__name__ for m in (activity, sessions, features, seats, revenue)]
    # Modules register as they are loaded, in whatever order that happens.
    return dict(
        sorted(
            _METRICS.items(),
            key=lambda item: families.index(item[1].compute.__module__),
        )
    )
