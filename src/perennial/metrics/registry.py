"""The catalog: one entry holds all there is to know about a metric.

The command line, Python, HTTP, screens, charts and the reference page read it
here. A metric is added with `@metric` in its family's module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from perennial.core.errors import UnknownName

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import polars as pl

    from perennial.core.settings import Settings
    from perennial.metrics.inputs import Inputs
    from perennial.metrics.query import Query

Unit = Literal[
    "count", "ratio", "money", "score", "index",
    "milliseconds", "seconds", "minutes", "hours", "days", "months",
]  # fmt: skip
Good = Literal["up", "down", "none"]
Theme = Literal[
    "usage", "retention", "revenue", "voice", "support", "onboarding", "product", "health",
    "custom",
]  # fmt: skip

Compute = Callable[["Inputs", "Query"], "ir.Table"]
Conclude = Callable[["Query", "pl.DataFrame"], "pl.DataFrame"]

ALL_GRAINS = ("total", "day", "week", "month", "quarter", "year")
_ATTRIBUTE = "any account attribute"
ACCOUNT_DIMENSIONS = ("account", _ATTRIBUTE)
USER_DIMENSIONS = (*ACCOUNT_DIMENSIONS, "user")


#: What every number of customers can be given (G4).
_OF_CUSTOMERS = {
    "include_test": "1: test accounts, test users and one's own people count too",
}


@dataclass(frozen=True)
class Metric:
    """Everything about one metric.

    - `compute` gives one row per period and dimension: `numerator`,
      `denominator` (null where there is none), `n`, and `value` only where the
      value is not their quotient (a median). A row whose `insufficient` is above
      zero has no value and says so; one whose `provisional` is can still change.
      `rank` orders rows that are not to be sorted by name. Percentiles are rounded
      to whole stored units: engines differ in their last bits.
    - `conclude` turns what the engine counted into such rows where that takes
      more than adding up (a survival curve); plain Polars, the same on all engines.
    - `example`: a worked example, in words and then as a sum that comes out.
    - `scale` and `denominator_scale` turn stored integers into the unit: money is
      kept in 1/10,000, time in milliseconds.
    - `dimensions`: what it can be split by; `makes`: columns its rows always have
      of themselves, `focus` the value of the first that is the number of a tile.
    - `fills`: an answer has a row for every period and group; a cohort's has not.
    - `empty`: the value of an observed period without rows; None means null, and
      so it is for `ratios`, variants of a count that are a rate.
    - `window_days`: how far an `as_of` question looks back, or the setting that
      says so.
    - `params`: what `--set` may give, and what it means.
    - `units`, `goods`: the unit and the good direction of variants that have another.
    - `small`: a quotient of fewer (`n`) is a small sample (G1).
    - `stock`: the value is that of the period's last instant.
    - `entity`: the dimension whose rows add up to the number.
    - `reads`: the tables the number is made from; before their first day there
      is no data. `also_reads`: what it looks up beside them.
    """

    key: str
    title: str
    theme: Theme
    unit: Unit
    formula: str
    source: str
    compute: Compute
    reads: tuple[str, ...]
    also_reads: tuple[str, ...] = ()
    example: str = ""
    dimensions: tuple[str, ...] = ACCOUNT_DIMENSIONS
    makes: tuple[str, ...] = ()
    focus: str = ""
    fills: bool = True
    grains: tuple[str, ...] = ALL_GRAINS
    good: Good = "up"
    empty: int | None = None
    ratios: tuple[str, ...] = ()
    scale: int = 1
    denominator_scale: int = 1
    conclude: Conclude | None = None
    window_days: int | str = 28
    small: int = 5
    stock: bool = False
    entity: str = "account"
    variants: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, Unit] = field(default_factory=dict)
    goods: Mapping[str, Good] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    caveats: str = ""

    @property
    def description(self) -> str:
        """What it is, in a sentence or two: the docstring of its function."""
        return " ".join((self.compute.__doc__ or "").split())

    def window(self, settings: Settings) -> int:
        """Days an `as_of` question looks back."""
        days = self.window_days
        return getattr(settings, days) if isinstance(days, str) else days

    @property
    def tables(self) -> tuple[str, ...]:
        """Every table a change of which can change the number."""
        return (*self.reads, *self.also_reads)

    @property
    def is_of_accounts(self) -> bool:
        """Can it be split by attributes of accounts?"""
        return _ATTRIBUTE in self.dimensions

    @property
    def takes(self) -> Mapping[str, str]:
        """Every parameter it can be given: its own, and what all of customers take."""
        return {**self.params, **(_OF_CUSTOMERS if self.is_of_accounts else {})}

    @property
    def own_dimensions(self) -> frozenset[str]:
        """Names the metric's own rows carry, beside those of accounts and users."""
        return frozenset((*self.dimensions, *self.makes))

    def unit_of(self, variant: str) -> Unit:
        """The unit the numbers of a variant are in."""
        return self.units.get(variant, self.unit)

    def counted(self, variant: str) -> Metric:
        """The entry as one way of counting has it: its unit, direction and formula.

        Words without a quotient say how the formula is read, and replace none.
        """
        way = self.variants.get(variant, "")
        is_formula = variant in self.units or " / " in way
        return replace(
            self,
            unit=self.unit_of(variant),
            good=self.goods.get(variant, self.good),
            formula=way if is_formula else self.formula,
        )

    def variant(self, name: str | None) -> str:
        """A known variant's name, the first one by default."""
        if not name:
            return next(iter(self.variants), "")
        if name not in self.variants:
            raise UnknownName(f"variant of {self.key}", name, list(self.variants))
        return name


#: Modules of the catalog, in the order people read it.
FAMILIES = (
    "activity", "sessions", "features", "adoption", "seats",
    "funnels", "trials", "onboarding", "engagement", "tenure", "returning", "health",
    "revenue", "movements", "churn", "renewals", "cohorts",
    "lifetimes", "economics",
    "voice", "feedback", "support", "emails", "attention",
    "reliability", "outcomes",
)  # fmt: skip

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
    families = [f"perennial.metrics.{name}" for name in FAMILIES]
    for family in families:
        import_module(family)
    # Modules register as they are loaded, in whatever order that happens.
    return dict(
        sorted(
            _METRICS.items(),
            key=lambda item: families.index(item[1].compute.__module__),
        )
    )
