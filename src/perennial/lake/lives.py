"""How long customers stay, read from the lake: the survival view of P03 and E03."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from perennial.core.errors import UnknownName
from perennial.core.survival import Spell
from perennial.core.windows import DAY, Period
from perennial.lake import decisions
from perennial.lake.asked import Asked, Rows
from perennial.metrics.inputs import Inputs
from perennial.metrics.lifetimes import watched
from perennial.metrics.query import Query
from perennial.metrics.stretches import MONTH_PARTS, alive, joined
from perennial.scoring.decisions import monthly
from perennial.scoring.survival import Survival, differs, survival

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from perennial.lake.workspace import Workspace

#: Customers whose lives are told: those who may leave every month, or everybody.
TERMS = ("monthly", "all")


def rows(workspace: Workspace, asked: Asked) -> Rows:
    """One row per group and month of tenure; one without a month where a group says
    nothing yet."""
    terms = asked.params.get("terms", TERMS[0])
    if terms not in TERMS:
        raise UnknownName("terms", terms, list(TERMS))
    groups = _spells(workspace, asked, terms)
    p = differs({str(key): spells for key, spells in groups.items()})
    return [
        row
        for key, spells in sorted(groups.items(), key=lambda g: str(g[0]))
        for row in _told(dict(zip(asked.by, key, strict=True)), spells, p)
    ]


def _told(
    group: dict[str, Any], spells: list[Spell], p: float | None
) -> list[dict[str, Any]]:
    found = survival(spells, MONTH_PARTS)
    whole = {
        "n": found.n,
        "ended": found.ended,
        "median": found.median,
        "median_lower": found.median_low,
        "median_upper": found.median_high,
        "p_groups_alike": p,
        "status": "ok" if found.is_enough else "insufficient",
    }
    return [{**group, **month, **whole} for month in _months(found)]


def _months(found: Survival) -> list[dict[str, Any]]:
    return [
        {"month": m.month, "survival": m.share, "lower": m.low, "upper": m.high,
         "at_risk": m.at_risk}
        for m in found.months
    ]  # fmt: skip


def _spells(
    workspace: Workspace, asked: Asked, terms: str
) -> dict[tuple[str | None, ...], list[Spell]]:
    """Lives by group: the one an account was in when the life began, so that a change
    of groups ends nothing (G6)."""
    window = Period(asked.as_of - DAY, asked.as_of)
    query = replace(
        decisions.question(workspace, window), by=asked.by, where=asked.where
    )
    found = workspace.engine.run(_lives(workspace.inputs(query), query, terms))
    groups: dict[tuple[str | None, ...], list[Spell]] = {}
    for *key, ended, duration, entry, count in found.sort(pl.all()).iter_rows():
        groups.setdefault(tuple(key), []).append(Spell(duration, ended, entry, count))
    return groups


def _lives(t: Inputs, q: Query, terms: str) -> ir.Table:
    """Lives counted: the groups of `q`, ended, duration, entry, lives."""
    split = alive(t, q)
    starts = split.group_by(["account_id", "since"]).agg(
        **{name: split[name].min() for name in q.by}
    )
    lives = watched(t, q, joined(split, ["account_id"]))
    lives = lives.left_join(starts, ["account_id", "since"], rname="{name}_s")
    if terms == "monthly":
        lives = lives.semi_join(monthly(t.whole), "account_id")
    by = [*q.by, "ended", "duration", "entry"]
    return lives.group_by(by).agg(lives=lives.count())
