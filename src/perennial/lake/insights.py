"""What can be learned from the past, by name: rows for people and programs.

Each insight is computed anew from what was known before a day, whatever versions
people approved; rows are plain values, columns as the contract names them first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl
import pyarrow as pa

from perennial.core.errors import UnknownName
from perennial.lake import insights_of_renewals, insights_of_use, lives
from perennial.lake.asked import Asked, Rows
from perennial.lake.tables import TABLES

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace


@dataclass(frozen=True)
class Insight:
    """One insight: what it answers, the groups it can be split by, its parameters
    with what they mean, and what makes its rows."""

    name: str
    title: str
    about: str
    rows: Callable[[Workspace, Asked], Rows]
    dimensions: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)


def answer(
    workspace: Workspace,
    name: str,
    *,
    as_of: date | str | None = None,
    by: Sequence[str] = (),
    where: str | None = None,
    params: Mapping[str, str] | None = None,
) -> pl.DataFrame:
    """The rows of an insight as of a day (default: today); raises `UnknownName` for
    what there is not, and `BadValue`."""
    if name not in INSIGHTS:
        raise UnknownName("insight", name, list(INSIGHTS))
    insight = INSIGHTS[name]
    for dimension in by:
        if dimension not in insight.dimensions:
            raise UnknownName(
                f"dimension of {name}", dimension, list(insight.dimensions)
            )
    for param in params or {}:
        if param not in insight.params:
            raise UnknownName(f"parameter of {name}", param, list(insight.params))
    day = workspace.day(as_of) or workspace.today
    asked = Asked(min(day, workspace.today), tuple(by), where, dict(params or {}))
    return pl.DataFrame(insight.rows(workspace, asked), infer_schema_length=None)


# Answers that are kept: computed at night, read by day

KEPT = "insight_answers"


def keep(workspace: Workspace, name: str, as_of: date, **asked: Any) -> None:
    """Compute an answer and keep it in place of the last one to the same question."""
    rows = answer(workspace, name, as_of=as_of, **asked).to_dicts()
    row = {
        "name": name,
        "asked": _as_text(asked),
        "as_of": as_of,
        "rows": msgspec.json.encode(rows).decode(),
        "computed_at": workspace.now,
    }
    schema = TABLES[KEPT].schema()
    workspace.lake.write(KEPT, pa.Table.from_pylist([row], schema=schema))


def kept(workspace: Workspace, name: str, as_of: date, **asked: Any) -> Rows:
    """The kept answer as of a day, or else the answer computed now."""
    table = workspace.engine.table(KEPT)
    same = (table.name == name) & (table.asked == _as_text(asked))
    found = workspace.engine.run(table.filter(same & (table.as_of == as_of)))
    if found.is_empty():
        return answer(workspace, name, as_of=as_of, **asked).to_dicts()
    rows: Rows = msgspec.json.decode(found["rows"][0])
    return rows


def _as_text(asked: Mapping[str, Any]) -> str:
    return msgspec.json.encode(dict(sorted(asked.items()))).decode()


_ATTRIBUTES = ("segment", "owner_email")

#: Every insight by its name.
INSIGHTS: Mapping[str, Insight] = {
    insight.name: insight
    for insight in (
        Insight(
            "power-features",
            "Power features",
            "Which use of the product separates those who stayed from those who left.",
            insights_of_renewals.power_features_rows,
            dimensions=("segment",),
        ),
        Insight(
            "renewal-model",
            "Renewal model",
            "How well chances of renewal were told, on decisions the model had not seen.",
            insights_of_renewals.renewal_model,
        ),
        Insight(
            "backtest",
            "Back-test",
            "How well each way to tell health told leavers from stayers, on decisions "
            "none had seen.",
            insights_of_renewals.backtest,
        ),
        Insight(
            "forecast",
            "Forecast",
            "What today's customers will pay in the months ahead, with an 80 % range.",
            insights_of_renewals.forecast,
            dimensions=_ATTRIBUTES,
            params={"horizon": "months ahead; without it 1 to 12"},
        ),
        Insight(
            "survival",
            "Survival",
            "How long customers stay who may leave every month, by group.",
            lives.rows,
            dimensions=("segment", "plan"),
            params={"terms": "monthly (default), or all for every customer"},
        ),
        Insight(
            "usage-patterns",
            "Usage patterns",
            "Whether light use is a few people's or everybody's, when use falls, what "
            "nobody uses.",
            insights_of_use.usage_patterns,
        ),
        Insight(
            "product-health",
            "Product health",
            "Whether features keep the users who try them.",
            insights_of_use.product_health,
        ),
        Insight(
            "lifetime-value",
            "Lifetime value",
            "What a customer is worth, in its forms; or of those who buy freely.",
            insights_of_use.lifetime_value,
            dimensions=_ATTRIBUTES,
            params={"model": "survival (default), or bgnbd for purchases without one"},
        ),
        Insight(
            "feedback",
            "Feedback",
            "What comments are about, and how the scores of those who say it differ.",
            insights_of_use.feedback,
            dimensions=_ATTRIBUTES,
        ),
    )
}
