"""One account under a draft: its score, and what each part would give."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from perennial.apps.customers import explain
from perennial.apps.customers.breakdown import Breakdown, Part, breakdown, snapshot
from perennial.apps.customers.parts import part_name
from perennial.apps.health.preview import scored
from perennial.core.settings import COMPOSITE
from perennial.lake import snapshots
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring.scorecard import Scorecard
from perennial.ui.formats import Regional


@dataclass(frozen=True)
class Tried:
    """An account under a draft; `change` of parts and sum is against today's score.

    `breakdown` is None where there is no score, and `reason` says why.
    """

    account_id: str
    name: str
    rows: list[tuple[str, str, Part]]
    breakdown: Breakdown | None
    reason: str
    profile: str


def of(
    lake: Lake, card: Scorecard, as_of: date, wanted: str, regional: Regional
) -> Tried | None:
    """The account that is meant, under a card; None where none has that name."""
    found = _account(lake, wanted)
    rows = scored(lake, card, as_of)
    draft = rows.filter(pl.col("account_id") == found["account_id"]) if found else None
    if found is None or draft is None or draft.is_empty():
        return None
    unstored = {"computed_at": None, "recomputed": False, "version": None}
    now = snapshot(lake, {**draft.row(0, named=True), **unstored})
    stored = snapshots.latest(lake, dates=[as_of], account_id=found["account_id"])
    before = None
    if not stored.is_empty():
        before = snapshot(lake, stored.row(0, named=True))
        # What is no scorecard has other parts: nothing to compare them with.
        before = before if before.mode == COMPOSITE else None
    told = breakdown(now, before)
    rules = {c.name: c for rules in card.rules for c in rules.components}
    return Tried(
        found["account_id"],
        found["name"] or found["account_id"],
        [
            (
                part_name(p.name),
                explain.measured_text(p, rules.get(p.name), now, regional),
                p,
            )
            for p in (told.parts if told else ())
        ],
        told,
        "" if told else explain.no_score_text(now.status, now.coverage, regional),
        now.profile,
    )


def _account(lake: Lake, wanted: str) -> dict[str, Any] | None:
    """The account of that id, or the largest of those with such a name."""
    text = wanted.strip().lower()
    if not text:
        return None
    m = lake.table("account_measures").select("account_id", "name", "mrr_e4")
    is_named = m.name.fill_null("").lower().contains(text)
    found = lake.engine.run(m.filter(is_named | (m.account_id.lower() == text)))
    is_meant = pl.col("account_id").str.to_lowercase() == text
    best = found.sort(is_meant, "mrr_e4", descending=True, nulls_last=True)
    return best.row(0, named=True) if len(best) else None
