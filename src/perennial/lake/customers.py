"""Customers as of a day: what they pay, and when they decide next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from perennial.core.money import SCALE
from perennial.core.windows import DAY, Period, add_months
from perennial.lake import decisions, snapshots
from perennial.scoring.decisions import of_subscriptions
from perennial.scoring.scorecard import standard

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

#: Accounts that a usual growth is taken from, at least.
_ENOUGH = 10
_YEAR = 365
#: Groups a growth is taken from, the closest first.
_KEYS = ("segment", "color")
_LEVELS: tuple[tuple[str, ...], ...] = (_KEYS, ("segment",), ())


def customers(workspace: Workspace, as_of: date) -> pl.DataFrame:
    """One row per account that pays on the day before `as_of`.

    Columns account_id, segment, owner_email, mrr_e4 (in 1/10,000 of the workspace
    currency; null without a rate), renewal_on (first day after the running term),
    term_days. Without a contract the term is the longest billing interval.
    """
    paying = _paying(workspace, as_of)
    ends = {**_of_subscriptions(workspace, as_of), **_of_contracts(workspace, as_of)}
    found = [ends.get(account) for account in paying["account_id"]]
    return paying.with_columns(
        renewal_on=pl.Series([f and f[0] for f in found], dtype=pl.Date),
        term_days=pl.Series([f and f[1] for f in found], dtype=pl.Int64),
    )


def _paying(workspace: Workspace, as_of: date) -> pl.DataFrame:
    rows = workspace.metric(
        "mrr", as_of=as_of, by=["account", "segment", "owner_email"]
    ).rows
    amount = (pl.col("numerator") * SCALE).round().cast(pl.Int64)
    return rows.filter(pl.col("n") > 0).select(
        pl.col("account").alias("account_id"), "segment", "owner_email", mrr_e4=amount
    )


def _of_contracts(workspace: Workspace, as_of: date) -> Mapping[str, tuple[date, int]]:
    """End and length in days of each account's contract.

    The last that has begun: one that is over and was neither renewed nor followed is
    overdue; one that was renewed without another is taken to run as long again.
    """
    table = workspace.engine.table("contracts")
    begun = table.filter(
        (table.term_start < as_of) & (table.term_end > table.term_start)
    )
    rows = workspace.engine.run(
        begun.select("account_id", "term_start", "term_end", "outcome")
    ).sort("term_start")
    found = {}
    for account, start, end, outcome in rows.iter_rows():
        length = end - start
        while outcome == "renewed" and end < as_of:
            end += length
        found[account] = (end, length.days)
    return found


def _of_subscriptions(
    workspace: Workspace, as_of: date
) -> Mapping[str, tuple[date, int]]:
    query = decisions.question(workspace, Period(as_of - DAY, as_of))
    rows = workspace.engine.run(of_subscriptions(workspace.inputs(query), query))
    found = {}
    for account, since, until, months in rows.iter_rows():
        if since < as_of <= until:
            nth = 1
            while (end := add_months(since, nth * months)) < as_of:
                nth += 1
            found[account] = (end, (end - add_months(since, (nth - 1) * months)).days)
    return found


def usual_growth(workspace: Workspace, as_of: date) -> pl.DataFrame:
    """By what factor customers of a segment and color who stay change what they pay
    in a year: segment, color, growth, n. Null stands for all segments, or colors.

    From who paid a year before `as_of` and still does; by their health of then.
    """
    before = as_of - DAY * _YEAR
    old, new = (_paying(workspace, day) for day in (before, as_of))
    both = old.join(new.select("account_id", now="mrr_e4"), on="account_id")
    card = standard(workspace.settings.health)
    health = snapshots.compute(workspace, [before], card=card)
    colors = health.select("account_id", "color")
    both = both.join(colors, on="account_id", how="left").drop_nulls(["mrr_e4", "now"])
    total = (pl.col("now").sum() / pl.col("mrr_e4").sum()).alias("growth")
    parts = []
    for keys in _LEVELS:
        groups = both.drop_nulls(keys) if keys else both
        missing = [pl.lit(None, pl.String).alias(k) for k in _KEYS if k not in keys]
        rows = groups.with_columns(missing).group_by(_KEYS).agg(total, n=pl.len())
        parts.append(rows.filter(pl.col("n") >= _ENOUGH))
    return pl.concat(parts)


def with_growth(accounts: pl.DataFrame, growth: pl.DataFrame) -> pl.DataFrame:
    """Accounts (segment, color) with the `growth` of the closest group that has one;
    1 where none has."""
    rows = accounts
    for n, keys in enumerate(_LEVELS):
        others = [k for k in _KEYS if k not in keys]
        level = growth.filter(
            *(pl.col(k).is_null() for k in others),
            *(pl.col(k).is_not_null() for k in keys),
        )
        name = f"growth_{n}"
        told = level.select(*keys, pl.col("growth").alias(name))
        rows = (
            rows.join(told, on=keys, how="left", maintain_order="left")
            if keys
            else rows.with_columns(
                pl.lit(told[name][0] if len(told) else None, pl.Float64).alias(name)
            )
        )
    names = [f"growth_{n}" for n in range(len(_LEVELS))]
    return rows.with_columns(growth=pl.coalesce(*names, pl.lit(1.0))).drop(names)
