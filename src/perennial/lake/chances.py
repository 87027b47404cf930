"""What customers will do next, as far as the version in force can tell: each day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import polars as pl

from perennial.core.windows import DAY
from perennial.lake import incidents, learning, models
from perennial.lake.customers import customers
from perennial.lake.tables import TABLES
from perennial.scoring import bands, renewal
from perennial.scoring.review import Review
from perennial.scoring.statistics import Floats, wilson

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

NAME = "renewal_scores"
#: A term of at most so many days is a month.
_MONTH_DAYS = 31
#: Chances are carried over an outage no longer than this.
_CARRIED_DAYS = 7
#: What is not carried over.
_OF_TODAY = ("date", "mrr_e4", "renewal_on", "term_days")


def take(workspace: Workspace, as_of: date) -> int:
    """Store the chances of a day by the version in force; rows added.

    Nothing without an approved version, and nothing where the day has the same
    already.
    """
    version = models.active(workspace)
    if version is None:
        return 0
    rows = compute(workspace, version.review, as_of, customers(workspace, as_of))
    rows = rows.with_columns(version=pl.lit(version.number, pl.Int64))
    if incidents.detect(workspace, as_of):
        rows = _carried(workspace, rows, as_of)
    stored = of_day(workspace, as_of)
    told = [c for c in TABLES[NAME].names if c != "computed_at"]
    new = rows.select(told).join(
        stored.select(told), on=told, how="anti", nulls_equal=True
    )
    if new.is_empty():
        return 0
    schema = TABLES[NAME].schema()
    table = new.with_columns(computed_at=pl.lit(workspace.now)).select(schema.names)
    workspace.lake.write(NAME, table.to_arrow().cast(schema))
    return len(new)


def _carried(workspace: Workspace, rows: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Chances of the last stored day in place of those that missing events would give.
    Who came since has its own; what is paid and when it is renewed is of today."""
    stored = workspace.engine.run(
        workspace.engine.table(NAME).filter(
            lambda t: (t.date < as_of) & (t.date >= as_of - DAY * _CARRIED_DAYS)
        )
    )
    newest = stored.filter(pl.col("date") == pl.col("date").max())
    former = newest.sort("computed_at").unique("account_id", keep="last")
    today = rows.select("account_id", *_OF_TODAY)
    carried = former.drop("computed_at", *_OF_TODAY).join(today, "account_id")
    rest = rows.join(carried, "account_id", how="anti")
    return pl.concat([rest, carried.select(rest.columns)])


def of_day(workspace: Workspace, day: date) -> pl.DataFrame:
    """The stored chances of a day, the newest computation of each account."""
    table = workspace.engine.table(NAME)
    rows = workspace.engine.run(table.filter(table.date == day))
    return rows.sort("computed_at").unique("account_id", keep="last")


def compute(
    workspace: Workspace, review: Review, as_of: date, accounts: pl.DataFrame
) -> pl.DataFrame:
    """Chances of accounts as of a day, by a review: columns as in `renewal_scores`.

    `accounts` as from `customers`. One with less than 30 days of history has the
    share of all decisions of its kind, and says so by its reasons.
    """
    names = review.model.names if review.model else ()
    seen, x = learning.of_accounts(
        workspace, accounts, review.features, names, as_of=as_of
    )
    frame = accounts.join(
        seen.select("account_id", "power_uses", uses="power_lately").with_row_index(
            "row"
        ),
        on="account_id",
        how="left",
        maintain_order="left",
    )
    p, reasons = _chances(review, frame, x)
    low, high = _intervals(review, p)
    of = [review.bands_of(segment) for segment in frame["segment"]]
    uses = [None if u is None else float(u) for u in frame["uses"]]
    band = [b.of(u) for b, u in zip(of, uses, strict=True)]
    cuts = learning.band_rules(workspace.settings).cuts
    colors = [None if np.isnan(v) else bands.color(v, cuts) for v in p]
    return pl.DataFrame(
        {
            "account_id": frame["account_id"],
            "feature_id": pl.Series(
                [review.feature(s) for s in frame["segment"]], dtype=pl.String
            ),
            "uses": pl.Series(uses, dtype=pl.Float64),
            "band_color": pl.Series([b and b.color for b in band], dtype=pl.String),
            "band_p": pl.Series([b and b.p for b in band], dtype=pl.Float64),
            "gap_to_green": pl.Series(
                [b.gap_to_green(u) for b, u in zip(of, uses, strict=True)],
                dtype=pl.Int64,
            ),
            "p": pl.Series(p).fill_nan(None),
            "p_low": pl.Series(low).fill_nan(None),
            "p_high": pl.Series(high).fill_nan(None),
            "color": pl.Series(colors, dtype=pl.String),
            "reasons": reasons,
            "mrr_e4": frame["mrr_e4"],
            "renewal_on": frame["renewal_on"],
            "term_days": frame["term_days"],
        }
    ).with_columns(date=pl.lit(as_of))


def _chances(
    review: Review, frame: pl.DataFrame, x: Floats
) -> tuple[Floats, Sequence[str]]:
    """Chances and what makes them, by account; NaN where nothing was ever decided."""
    p, why = _by_kind(review, frame["term_days"])
    if review.model is not None:
        rows = frame["row"].is_not_null().to_numpy()
        at = frame["row"].drop_nulls().to_numpy()
        p[rows] = review.model.chances(x[at])
        groups = [renewal.group_of(name) for name in review.model.names]
        base, names, moves = review.model.reasons(x[at], groups, given="term_days")
        for row, start, move in zip(np.flatnonzero(rows), base, moves, strict=True):
            why[row] = _reasons(start, names, move)
        return p, why
    uses = frame["power_uses"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    told = renewal.chance_by_bands(review.chances, uses, frame["segment"].to_list())
    for row in np.flatnonzero(~np.isnan(told)):
        why[row] = _reasons(p[row], ["power_uses"], [told[row] - p[row]])
    return np.where(np.isnan(told), p, told), why


def _by_kind(review: Review, term_days: pl.Series) -> tuple[Floats, list[str]]:
    """The share of all decisions of terms as long, a month or longer."""
    every = [*review.base.values()]
    total = sum(n for _, n in every)
    mean = sum(p * n for p, n in every) / total if total else float("nan")
    p = np.array(
        [
            review.base.get(
                "monthly" if d is not None and d <= _MONTH_DAYS else "longer", (mean, 0)
            )[0]
            for d in term_days
        ],
        float,
    )
    return p, [_reasons(v, [], []) for v in p]


def _reasons(base: float, names: Sequence[str], moves: Sequence[float] | Floats) -> str:
    parts = sorted(
        ((name, float(m)) for name, m in zip(names, moves, strict=True) if m),
        key=lambda part: -abs(part[1]),
    )
    return msgspec.json.encode(
        {"base": None if np.isnan(base) else float(base), "parts": parts}
    ).decode()


def _intervals(review: Review, p: Floats) -> tuple[Floats, Floats]:
    """95 % intervals: by the number of decisions seen of which the same was said."""
    adopted = [t for t in review.comparison.trials if t.adopted]
    groups = list(chain.from_iterable(t.quality.groups for t in adopted))
    total = sum(n for _, n in review.base.values())
    bounds = []
    for chance in p:
        if np.isnan(chance) or not total:
            bounds.append((np.nan, np.nan))
            continue
        nearest = min(groups, key=lambda g: abs(g.said - chance), default=None)
        n = nearest.n if nearest else total
        bounds.append(wilson(chance * n, n))
    low, high = np.array(bounds, float).reshape(-1, 2).T
    return low, high
