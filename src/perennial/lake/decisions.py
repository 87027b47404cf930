"""Decisions of the past, read from the lake: what every model is learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import ibis
import polars as pl

from perennial.core.windows import DAY, Period
from perennial.metrics import registry
from perennial.metrics.query import Query, ask
from perennial.metrics.rates import rates_at
from perennial.scoring import decisions

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

#: No decision is older.
_FIRST = date(1990, 1, 1)


def decided(
    workspace: Workspace,
    *,
    as_of: date | None = None,
    where: str | None = None,
    by: Sequence[str] = ("segment",),
    every_month: bool = False,
) -> pl.DataFrame:
    """One row per decision before `as_of`, oldest first; see `scoring.decisions`.

    Columns account_id, term_start, decided_on (local days), renewed, term_days,
    is_monthly, counts, mrr_e4 (what was paid on the day before, in 1/10,000 of the workspace
    currency at the rates of `as_of`; null where unknown), and each attribute of `by`
    as it was on the day of the decision. `where` is a condition on attributes. Of
    monthly terms an account's last one, or with `every_month` each.
    """
    horizon = min(as_of or workspace.today, workspace.today)
    query = question(workspace, Period(_FIRST, horizon))
    inputs = workspace.inputs(query)
    run = workspace.engine.run
    contracts = run(decisions.of_contracts(inputs, query))
    stretches = run(decisions.of_subscriptions(inputs, query))
    terms = decisions.terms(
        stretches, horizon=horizon, grace_days=query.settings.renewal_grace_days
    )
    found = decisions.counted(pl.concat([contracts.select(terms.columns), terms]))
    if not every_month:
        found = found.filter("counts")
    if found.is_empty():
        return found.with_columns(
            pl.lit(None, pl.Int64).alias("mrr_e4"),
            *(pl.lit(None, pl.String).alias(name) for name in by),
        )
    split = workspace.inputs(replace(query, by=tuple(by), where=where))
    rows = ibis.memtable(found.with_columns(date="decided_on").to_arrow())
    rows = split.split(rows).drop("date")
    rates = ibis.memtable(rates_at(inputs, query, [horizon - DAY]).to_arrow())
    money = decisions.with_mrr(inputs, rows, rates, query.settings.currency)
    told = run(money).with_columns(pl.col(name).replace("", None) for name in by)
    return told.sort("decided_on", "account_id")


def question(workspace: Workspace, period: Period) -> Query:
    """A question of no metric in particular, about one period that is over."""
    query = ask(
        registry.get("renewal_rate"),
        now=workspace.now,
        settings=workspace.settings,
        start=period.start,
        end=period.end,
    )
    return replace(query, as_of=period.end)
