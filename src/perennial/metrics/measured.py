"""Measures of accounts in conditions on any metric: `mrr >= 1000`, `renewal < '2027-01-01'`.

They are those of now, whatever day a row is of, like segments: who pays much today says
nothing of who did then.
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis.expr.types as ir

from perennial.core.money import SCALE
from perennial.metrics.condition_fields import FIELDS, Field

_TABLE_KINDS = ("number", "past", "ahead", "choice")
_ELSEWHERE = ("renewal_chance",)

#: Names of measures, as conditions of segments have them too.
MEASURES: Mapping[str, Field] = {
    key: field
    for key, field in FIELDS.items()
    if field.kind in _TABLE_KINDS and field.group != "account" and key not in _ELSEWHERE
}
#: What accounts can be split by, too.
GROUPS = frozenset(key for key, field in MEASURES.items() if field.kind == "choice")


def measured(measures: ir.Table, name: str) -> ir.Table:
    """One row per account of `account_measures`: account_id, and the measure by name.

    Money is in the workspace's currency, shares are fractions.
    """
    field = MEASURES[name]
    if name == "license_use":
        value = measures.active_users.cast("float64") / measures.seats.nullif(0)
    elif field.unit == "money":
        value = measures[field.column].cast("float64") / SCALE
    else:
        value = measures[field.column]
    return measures.select("account_id", **{name: value})
