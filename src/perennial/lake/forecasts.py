"""Forecasts of what today's customers will pay: told, kept, and held against what
happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from perennial.core.money import SCALE
from perennial.core.windows import add_months
from perennial.lake import chances, models
from perennial.lake.customers import customers, usual_growth, with_growth
from perennial.lake.tables import TABLES
from perennial.scoring import forecast
from perennial.scoring.forecast import Expected, Hindsight
from perennial.scoring.review import Review

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

NAME = "forecasts"
#: Months ahead that are kept each month.
HORIZONS = tuple(range(1, 13))
#: Months ahead that forecasts are judged by.
QUARTER = 3
_YEAR_MONTHS = 12
_MONTH_DAYS = 365.25 / 12


def accounts(workspace: Workspace, learned: Review, as_of: date) -> pl.DataFrame:
    """Customers as of a day with their chance `p`, MRR and usual yearly `growth`."""
    paying = customers(workspace, as_of)
    told = chances.compute(workspace, learned, as_of, paying)
    rows = paying.join(told.select("account_id", "p", "color"), on="account_id")
    growth = usual_growth(workspace, as_of)
    known = rows.filter(pl.col("mrr_e4").is_not_null() & pl.col("p").is_not_null())
    return with_growth(known, growth)


def expect(rows: pl.DataFrame, as_of: date, months: int) -> Expected:
    """What to expect of these accounts after so many months. Money in major units."""
    end = add_months(as_of, months)
    horizon = (end - as_of).days
    staying = [
        forecast.staying(
            p,
            horizon_days=horizon,
            days_to_renewal=(due - as_of).days if due else None,
            term_days=term or _MONTH_DAYS,
        )
        for p, due, term in rows.select("p", "renewal_on", "term_days").iter_rows()
    ]
    growth = rows["growth"].to_numpy() ** (months / _YEAR_MONTHS)
    return forecast.expected(staying, rows["mrr_e4"].to_numpy() / SCALE, growth)


def by_group(
    rows: pl.DataFrame, as_of: date, months: Iterable[int], by: Sequence[str] = ()
) -> list[tuple[dict[str, Any], int, Expected]]:
    """What to expect of each group of accounts, and of all where `by` is empty."""
    groups = rows.partition_by(by, as_dict=True) if by else {(): rows}
    return [
        (dict(zip(by, key, strict=True)), month, expect(some, as_of, month))
        for key, some in sorted(groups.items(), key=lambda g: tuple(map(str, g[0])))
        for month in months
    ]


def take(workspace: Workspace, as_of: date) -> int:
    """Keep the forecast of a month's first day, of all and by segment; rows added.

    Nothing without an approved version, and nothing for a day that has one.
    """
    version = models.active(workspace)
    first = as_of.replace(day=1)
    known = kept(workspace).filter(~pl.col("recomputed"))
    if version is None or first in known["as_of"]:
        return 0
    rows = accounts(workspace, version.review, first)
    told = by_group(rows, first, HORIZONS)
    if rows["segment"].n_unique() > 1:
        told += by_group(rows, first, HORIZONS, ["segment"])
    return _write(workspace, first, told, version=version.number, recomputed=False)


def take_past(
    workspace: Workspace,
    *,
    until: date,
    quarters: int = 8,
    report: Callable[[float, date], None] = lambda _share, _day: None,
) -> int:
    """Keep what would have been said at the start of past quarters, each learned from
    what was decided by then, where nothing is kept yet; rows added. Takes a while."""
    known = set(kept(workspace)["as_of"].to_list())
    added = 0
    for nth in range(quarters, 0, -1):
        as_of = add_months(until.replace(day=1), -QUARTER * nth)
        report(1 - nth / quarters, as_of)
        if as_of in known:
            continue
        learned = models.learn(workspace, as_of=as_of)
        if not learned.base:
            continue
        rows = accounts(workspace, learned, as_of)
        if not rows.is_empty():
            told = by_group(rows, as_of, [QUARTER])
            added += _write(workspace, as_of, told, version=None, recomputed=True)
    return added


def _write(
    workspace: Workspace,
    as_of: date,
    told: Sequence[tuple[dict[str, Any], int, Expected]],
    *,
    version: int | None,
    recomputed: bool,
) -> int:
    found = [
        {
            "as_of": as_of,
            "horizon": months,
            "segment": group.get("segment"),
            "version": version,
            "accounts": e.accounts,
            "mrr": _money(e.today),
            "logos": e.logos,
            "expected_mrr": _money(e.mrr_net),
            "lower": _money(e.lower),
            "upper": _money(e.upper),
            "grr": e.grr,
            "nrr": e.nrr,
            "computed_at": workspace.now,
            "recomputed": recomputed,
        }
        for group, months, e in told
    ]
    schema = TABLES[NAME].schema()
    workspace.lake.write(NAME, pa.Table.from_pylist(found, schema=schema))
    return len(found)


def kept(workspace: Workspace) -> pl.DataFrame:
    """Every forecast that was kept, the newest computation of each."""
    rows = workspace.engine.run(workspace.engine.table(NAME))
    keys = ["as_of", "horizon", "segment"]
    return rows.sort("computed_at").unique(keys, keep="last").sort(keys)


def hindsight(workspace: Workspace, *, months: int, until: date) -> list[Hindsight]:
    """Forecasts so many months ahead beside what the same customers then paid, oldest
    first: those of which the outcome is known before `until`."""
    rows = kept(workspace).filter(
        (pl.col("horizon") == months) & pl.col("segment").is_null()
    )
    found = []
    for as_of, expected, lower, upper in rows.select(
        "as_of", "expected_mrr", "lower", "upper"
    ).iter_rows():
        end = add_months(as_of, months)
        if end <= until:
            actual = paid_later(workspace, as_of, end)
            told = (float(expected), float(lower), float(upper))
            found.append(Hindsight(as_of.isoformat(), *told, actual))
    return found


def paid_later(workspace: Workspace, as_of: date, end: date) -> float:
    """What those who were customers on a day paid a month later on, major units."""
    then = customers(workspace, as_of).select("account_id")
    later = customers(workspace, end).join(then, on="account_id")
    return float(later["mrr_e4"].fill_null(0).sum()) / SCALE


def _money(amount: float) -> Decimal:
    return Decimal(f"{amount:.4f}")
