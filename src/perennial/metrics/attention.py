"""Where the attention of the team goes: V03 of the reference."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.money import SCALE
from perennial.core.windows import DAY
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import metric
from perennial.metrics.revenue import priced_ledger
from perennial.metrics.support import opened_tickets

COLORS = ("red", "orange", "yellow", "green")
#: The color of accounts without a score, and of all accounts together.
_NONE, _ALL = "none", "all"
#: Minutes are added up in whole parts of this size.
_PARTS = 1000
_COUNTS = ("minutes", "mrr", "tickets", "insufficient")
_RANKS = {color: place for place, color in enumerate((*COLORS, _NONE))}
#: No contact takes longer than a year, nor less than no time.
_LONGEST = 366 * 24 * 60
#: A snapshot is taken each day, and each week of the past; older ones tell nothing.
_OLDEST_DAYS = 31


def _concluded(q: Query, rows: pl.DataFrame) -> pl.DataFrame:
    """From one row an account to one a color, or to the loudness of all."""
    rows = rows.with_columns(pl.col("color").fill_null(_NONE))
    rows = rows.sort([*q.keys, "account_id"], nulls_last=True)
    keys = [name for name in q.keys if name != "color"]
    return _loudness(rows, keys) if q.variant == "loudness" else _index(q, rows, keys)


def _index(q: Query, rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    sums = rows.group_by([*keys, "color"]).agg(
        *(pl.col(name).sum() for name in _COUNTS), n=pl.len()
    )
    every = rows.select(keys).unique().join(_colors(rows), how="cross")
    sums = every.join(sums, on=[*keys, "color"], how="left").fill_null(0)
    minutes, mrr = (pl.col(name).cast(pl.Float64) for name in ("minutes", "mrr"))
    all_minutes, all_mrr = (part.sum().over(keys) for part in (minutes, mrr))
    lacks = pl.col("insufficient").sum().over(keys)
    match q.variant:
        case "minutes":
            part, whole, lacks = minutes / _PARTS, all_minutes / _PARTS, pl.lit(0)
        case "mrr":
            part, whole = mrr / SCALE, all_mrr / SCALE
        case _:
            part, whole = _share(minutes, all_minutes), _share(mrr, all_mrr)
    # One division at the end: shares of 0.6 and 0.1 give 6, not 5.999….
    index = _share(minutes * all_mrr, mrr * all_minutes)
    return sums.select(
        *keys,
        "color",
        "n",
        numerator=part,
        denominator=whole,
        value=index if q.variant == "index" else _share(part, whole),
        insufficient=lacks,
        rank=pl.col("color").replace_strict(_RANKS),
    )


def _colors(rows: pl.DataFrame) -> pl.DataFrame:
    """All colors there are; that of accounts without a score only if one has none."""
    known = [*COLORS, *([_NONE] if (rows["color"] == _NONE).any() else [])]
    return pl.DataFrame({"color": known}, schema={"color": pl.String})


def _share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole != 0).then(part / whole)


def _loudness(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Spearman's correlation of tickets and touch minutes over accounts."""
    told = rows.group_by(keys, maintain_order=True).agg(
        value=pl.corr("tickets", "minutes", method="spearman"), n=pl.len()
    )
    return told.with_columns(
        color=pl.lit(_ALL),
        numerator=pl.lit(None, pl.Float64),
        denominator=pl.lit(None, pl.Int64),
    )


@metric(
    title="Attention index",
    theme="support",
    unit="index",
    formula="share of the touch minutes / share of MRR, by health color",
    example="red accounts get 60 of 100 minutes and pay 1000 of 10000: (60 / 100) / (1000 / 10000) = 6",
    source="V03",
    reads=("touchpoints", "mrr_ledger", "health_snapshots"),
    also_reads=("tickets",),
    makes=("color",),
    focus="red",
    entity="color",
    good="none",
    conclude=_concluded,
    variants={
        "index": "share of the touch minutes / share of MRR",
        "minutes": "share of the touch minutes",
        "mrr": "share of MRR",
        "loudness": "rank correlation of tickets and touch minutes over accounts",
    },
    units={"minutes": "ratio", "mrr": "ratio"},
    caveats=(
        "An account has the color of its last health snapshot up to the period's end, "
        "and counts with the MRR of the period's last day. Contacts without minutes "
        "count nothing. Split by owner_email for the load of each manager."
    ),
)
def attention_index(t: Inputs, q: Query) -> ir.Table:
    """How much more of the team's time accounts of a color get than of the revenue
    they pay: 1 is in proportion, 6 is six times as much."""
    keys = [*(name for name in q.keys if name != "color"), "account_id"]
    touches = t.in_periods(t.facts("touchpoints", "at"))
    length = ibis.cases(
        (touches.minutes.between(0, _LONGEST), touches.minutes), else_=0
    )
    touches = touches.mutate(parts=(length * _PARTS).round().cast("int64"))
    priced = priced_ledger(t, q)
    tickets = t.in_periods(opened_tickets(t))
    zero = ibis.literal(0, "int64")
    rows = [
        touches.select(
            *keys, minutes="parts", mrr=zero, tickets=zero, insufficient=zero
        ),
        priced.select(
            *keys,
            minutes=zero,
            mrr=priced.amount.fill_null(0),
            tickets=zero,
            insufficient=priced.amount.isnull().cast("int64"),
        ),
        tickets.select(
            *keys,
            minutes=zero,
            mrr=zero,
            tickets=ibis.literal(1, "int64"),
            insufficient=zero,
        ),
    ]
    every = ibis.union(*rows)
    every = every.filter(every.account_id.notnull())
    sums = every.group_by(keys).agg(**{name: every[name].sum() for name in _COUNTS})
    colors = _colors_at_end(t)
    found = sums.left_join(colors, ["period_start", "account_id"], rname="{name}_c")
    return found.select(*keys, *_COUNTS, "color")


def _colors_at_end(t: Inputs) -> ir.Table:
    """One row per period and account: the color of its last snapshot by its end.

    The snapshot of a day speaks of all before it, so that of the day after the last
    one counts.
    """
    snapshots = _of_late(t)
    pairs = snapshots.cross_join(t.ends)
    pairs = pairs.filter(
        (pairs.date <= (pairs["last"] + ibis.interval(days=1)).cast("date"))
        & (pairs.date > (pairs["last"] - ibis.interval(days=_OLDEST_DAYS)).cast("date"))
    )
    newest = ibis.window(
        group_by=["period_start", "account_id"],
        order_by=[ibis.desc("date"), ibis.desc("computed_at")],
    )
    ranked = pairs.mutate(place=ibis.row_number().over(newest))
    return ranked.filter(ranked.place == 0).select(
        "period_start", "account_id", "color"
    )


def _of_late(t: Inputs) -> ir.Table:
    """Snapshots some period can end with: plain bounds let the engine skip files."""
    q, rows = t.query, t.everything("health_snapshots")
    ends = [done.end for period in q.periods if (done := q.complete(period))]
    low = min(ends, default=q.today) - DAY * (_OLDEST_DAYS + 1)
    return rows.filter((rows.date >= low) & (rows.date <= max(ends, default=q.today)))
