"""The list as a file: CSV a batch of rows at a time, or a workbook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import polars.selectors as cs

from perennial.core.money import SCALE

#: What spreadsheets take for the beginning of a formula.
_FORMULA = r"^[=+\-@\t\r]"

_COLUMNS: tuple[pl.Expr, ...] = (
    pl.col("account_id"),
    pl.col("name"),
    pl.col("state"),
    pl.col("health_score"),
    pl.col("health_color"),
    pl.col("health_status"),
    pl.col("health_score_28d"),
    (pl.col("mrr_e4") / SCALE).alias("mrr"),
    pl.col("renewal_on"),
    (pl.col("renewal_on") - pl.col("as_of")).dt.total_days().alias("days_to_renewal"),
    pl.col("owner_email"),
    pl.col("lifecycle_stage"),
    pl.col("segment"),
    pl.col("plan"),
    pl.col("country"),
    pl.col("industry"),
    pl.col("last_touch_at"),
    pl.col("last_seen_at"),
    pl.col("active_users"),
    pl.col("seats"),
    pl.when(pl.col("seats") > 0)
    .then(pl.col("active_users") / pl.col("seats"))
    .alias("license_use"),
    pl.col("nps_score"),
    pl.col("open_tickets"),
    pl.col("urgent_tickets"),
    pl.col("as_of"),
)


def lines(batches: Iterable[pl.DataFrame]) -> Iterator[str]:
    """The head, then the rows of `account_measures`; plain numbers, ISO dates."""
    yield ",".join(column.meta.output_name() for column in _COLUMNS) + "\n"
    for rows in batches:
        chosen = rows.select(_COLUMNS)
        texts = [n for n, kind in chosen.schema.items() if kind == pl.String]
        yield chosen.with_columns(_harmless(name) for name in texts).write_csv(
            include_header=False,
            float_precision=4,
            datetime_format="%Y-%m-%dT%H:%M:%S%:z",
        )


def table(
    batches: Iterable[pl.DataFrame], zone: ZoneInfo
) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """Head and rows for a workbook; an instant is its local day."""
    head = [column.meta.output_name() for column in _COLUMNS]
    local = cs.datetime().dt.convert_time_zone(str(zone)).dt.date()
    rows = (
        row
        for frame in batches
        for row in frame.select(_COLUMNS).with_columns(local).iter_rows()
    )
    return head, rows


def _harmless(name: str) -> pl.Expr:
    """A text that a spreadsheet would compute gets an apostrophe in front."""
    text = pl.col(name)
    is_formula = text.str.contains(_FORMULA)
    return pl.when(is_formula).then("'" + text).otherwise(text).alias(name)
