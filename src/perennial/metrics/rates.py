"""Money in the workspace's currency: closing rates (G7), and amounts turned by them.

Rates are few and asked for in nearly every question of money: they are found here, and
go to the engine as rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.windows import DAY, month_end
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query

#: Days a rate may be older than the day it is needed for.
_OLDEST = 7


def closing_rates(t: Inputs, dues: pl.DataFrame) -> pl.DataFrame:
    """Rows of `dues` by currency, with `rate`: to the workspace's, as it was on `due`.

    The last rate before counts, if it is at most 7 days older; currencies without one
    are left out.
    """
    known = t.rates.sort("date")
    every = dues.join(known.select(currency="base").unique(), how="cross")
    found = every.sort("due").join_asof(
        known.rename({"base": "currency"}),
        left_on="due",
        right_on="date",
        by="currency",
        tolerance=f"{_OLDEST}d",
        check_sortedness=False,
    )
    return found.filter(pl.col("rate").is_not_null()).drop("due", "date")


def rates_at(t: Inputs, q: Query, days: Iterable[date]) -> pl.DataFrame:
    """One row per day and currency: day, currency, rate: what held at its end (G7).

    The closing rate of the month's end, or of yesterday while that is to come.
    """
    rows = [(day, min(month_end(day), q.today - DAY)) for day in sorted(set(days))]
    schema = {"day": pl.Date, "due": pl.Date}
    return closing_rates(t, pl.DataFrame(rows, schema=schema, orient="row"))


def converted(
    q: Query,
    amount: ir.IntegerColumn,
    currency: ir.StringColumn,
    rate: ir.FloatingColumn,
) -> ir.IntegerColumn:
    """An amount in the workspace currency, in whole 1/10,000; null without a rate."""
    own = currency == q.settings.currency
    foreign = (amount.cast("float64") * rate).round().cast("int64")
    return ibis.cases((own, amount), else_=foreign)
