"""Health by what a workspace goes by: the scorecard (H01), the band of use (H02), or
the chance of renewal (P03).

What a customer's health is on a day is one score with one color, whatever mode it is
by, so that lists, changes of color, alerts and playbooks speak of the same. The other
modes stand beside it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from perennial.core.settings import COMPOSITE
from perennial.scoring.explanation import on_grid

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

#: The part of a chance that is the chance of a usual customer.
USUAL = "usual"
#: What a score by another mode says itself.
_OWN = {
    "score": pl.Float64,
    "color": pl.String,
    "parts": pl.String,
    "cuts": pl.String,
    "mode": pl.String,
    "model": pl.Int64,
}


def applied(workspace: Workspace, computed: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Snapshots by a scorecard as those of the mode in force; the scorecard's score
    stays as `composite_score` and `composite_color`.

    The scorecard counts where there is nothing else: on other days than `as_of`, of
    who does not pay, before a version is approved; and a person's word always does.
    Who is too new, or not measured enough, has no score in any mode.
    """
    rows = computed.with_columns(
        composite_score="computed_score", composite_color="color"
    )
    told = _told(workspace, as_of).with_columns(date=pl.lit(as_of))
    rows = rows.join(told, ["account_id", "date"], how="left", suffix="_told")
    is_plain = pl.col("computed_score").eq_missing(pl.col("score"))
    counts = (pl.col("status") == "ok") & is_plain & pl.col("score_told").is_not_null()
    own = {
        name: pl.when(counts).then(f"{name}_told").otherwise(name)
        for name in ("score", "color", "parts", "cuts")
    }
    return rows.with_columns(
        **own,
        computed_score=pl.when(counts).then("score_told").otherwise("computed_score"),
        mode=pl.when(counts).then("mode").otherwise(pl.lit(COMPOSITE)),
        model=pl.when(counts).then("model"),
    ).drop(f"{name}_told" for name in own)


def _told(workspace: Workspace, as_of: date) -> pl.DataFrame:
    """Health of customers by a mode that is no scorecard; nothing where there is none."""
    mode = workspace.settings.health_mode
    schema = {"account_id": pl.String, **_OWN}
    if mode == COMPOSITE:
        return pl.DataFrame(schema=schema)
    edges = [round(100 * edge, 9) for edge in workspace.settings.chances]
    cuts = json.dumps(edges)
    table = workspace.engine.table("renewal_scores")
    stored = workspace.engine.run(table.filter(table.date == as_of))
    newest = stored.sort("computed_at").unique("account_id", keep="last")
    rows = []
    for row in newest.iter_rows(named=True):
        if mode == "band":
            color, moves = row["band_color"], _of_band(row["band_p"], row["uses"])
        else:
            color, moves = row["color"], _of_chance(row["p"], row["reasons"])
        if color is not None:
            score, parts = _parts(moves)
            rows.append(
                (row["account_id"], score, color, parts, cuts, mode, row["version"])
            )
    return pl.DataFrame(rows, schema=schema, orient="row")


#: A part by name, what it gives in points, and what was measured.
_Moves = Sequence[tuple[str, float, float | None]]


def _of_band(p: float | None, uses: float | None) -> _Moves:
    """The band says it all; no use has no chance in the example, and is red."""
    return [("power_uses", 100 * (p or 0.0), uses)]


def _of_chance(p: float | None, reasons: str) -> _Moves:
    told = json.loads(reasons)
    base = p if told["base"] is None else told["base"]
    moves = [(name, 100 * move, None) for name, move in told["parts"]]
    return [(USUAL, 100 * (base or 0.0), None), *moves]


def _parts(moves: _Moves) -> tuple[float, str]:
    """The score, and its parts as JSON: sums of billionths, so that they add up."""
    given = [on_grid(points) for _, points, _ in moves]
    parts = [
        {"name": name, "value": None, "weight": 0.0, "contribution": points}
        | ({} if measured is None else {"measured": measured})
        for (name, _, measured), points in zip(moves, given, strict=True)
    ]
    return sum(given), json.dumps(parts)
