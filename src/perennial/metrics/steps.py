"""Rows of metrics about steps in order: how many take each, and how long it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from perennial.core.windows import DAY
from perennial.metrics.durations import seconds_between
from perennial.metrics.query import Query

VARIANTS: Mapping[str, str] = {
    "cumulative": "of all who took the first step",
    "step": "of those who took the step before",
    "median_days": "median days since the step before, of those who took both",
}
_DAY_S = 86_400


def other_keys(q: Query, dimension: str) -> list[str]:
    """The query's keys but for the one that names the step."""
    return [key for key in q.keys if key != dimension]


def rows(
    q: Query,
    reached: ir.Table,
    steps: Sequence[str],
    *,
    within: int,
    dimension: str = "step",
) -> ir.Table:
    """The metric's rows: the last step, or each where it is split by `dimension`.

    `reached` has one row per period, group, person and step taken: `rank` from 1,
    `at`, `before` (the instant of the step before) and `entered` (the local day of
    the first). While somebody has less than `within` days behind them, the row is
    provisional. Steps nobody took count zero.
    """
    keys = other_keys(q, dimension)
    entered = reached.filter(reached["rank"] == 1)
    entered = entered.group_by(keys).agg(
        entered=entered.count(), latest=entered.entered.max()
    )
    counts = reached.group_by([*keys, "rank"]).agg(
        taken=reached.count(),
        seconds=seconds_between(reached.before, reached["at"]).median(),
    )
    every = entered.cross_join(_ranks(steps, dimension))
    found = every.left_join(counts, [*keys, "rank"], rname="{name}_c")
    found = found.mutate(taken=found.taken.fill_null(0))
    order = ibis.window(group_by=keys, order_by="rank")
    found = found.mutate(came=found.taken.lag().over(order).fill_null(found.entered))
    is_split = dimension in q.by
    shown = {
        "numerator": found.taken,
        "denominator": found.came if q.variant == "step" else found.entered,
        "n": found.taken if is_split else found.entered,
        "provisional": (found.latest >= q.horizon - DAY * within).cast("int64"),
    }
    if q.variant == "median_days":
        shown["value"] = found.seconds / _DAY_S
    if is_split:
        return found.select(*q.keys, "rank", **shown)
    return found.filter(found["rank"] == len(steps)).select(*q.keys, **shown)


def _ranks(steps: Sequence[str], dimension: str) -> ir.Table:
    """One row a step: its name in `dimension`, and `rank` from 1."""
    ranks = range(1, len(steps) + 1)
    columns = {
        dimension: pa.array(list(steps), pa.string()),
        "rank": pa.array(list(ranks), pa.int64()),
    }
    return ibis.memtable(pa.table(columns))
