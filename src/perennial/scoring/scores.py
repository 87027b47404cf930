"""Scores by a scorecard: components, weights, contributions that add up.

Computed after the engine, from its whole numbers, so that every engine gives the
same. Contributions add up exactly: each is rounded to a multiple of 2⁻³⁰ points (a
billionth), the largest takes what is left, and sums of such numbers lose nothing in
binary floating point, whatever their order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from perennial.scoring import health, scales
from perennial.scoring.explanation import GRID
from perennial.scoring.scorecard import (
    OVERRIDE,
    CatalogMetric,
    Component,
    Cuts,
    Measure,
    Rules,
    Scorecard,
)

COLORS = ("red", "orange", "yellow", "green")
#: Users are scored by these parts alone: breadth and growth are of accounts (H01).
OF_USERS = ("frequency", "depth")


def color(score: pl.Expr, cuts: Cuts) -> pl.Expr:
    """The color of a score; the lower bound of each color belongs to it."""
    orange, yellow, green = cuts
    return (
        pl.when(score < orange)
        .then(pl.lit("red"))
        .when(score < yellow)
        .then(pl.lit("orange"))
        .when(score < green)
        .then(pl.lit("yellow"))
        .when(score >= green)
        .then(pl.lit("green"))
    )


def raw_column(component: str) -> str:
    """The column with what was measured for a component."""
    return f"raw__{component}"


def scored(
    measured: pl.DataFrame, card: Scorecard, *, of_users: bool = False
) -> pl.DataFrame:
    """Measures with score, color, status, coverage and `parts` by a card.

    `measured` has the columns of `health.told`, `date`, `profile` (the number of the
    card's profile), `raw__NAME` for components that are no measures, `override` (a
    whole number or null) and the groups percentiles are taken within. `score` and
    values are 0 to 100, null where they cannot be told: `status` is then
    `insufficient`, `onboarding` or `inactive`. `computed_score` is the score without
    an override. `parts` is a list of {name, value, weight, contribution, measured},
    as JSON.
    """
    rows = _with_values(measured, card, of_users=of_users)
    rows = _with_state(rows, card, of_users=of_users)
    rows = _with_contributions(rows, card)
    rows = _with_measures(rows, card)
    rows = rows.with_columns(
        color=_by_profile(card, lambda r: color(pl.col("score"), r.cuts)),
        cuts=_by_profile(card, lambda r: pl.lit(json.dumps(r.cuts))),
        profile=_by_profile(card, lambda r: pl.lit(r.profile)),
        parts=pl.Series(_parts(rows, card), dtype=pl.String),
    )
    own = [c for c in rows.columns if "__" in c]
    return rows.drop(*own, scales.RANKED, "override")


def _by_profile(card: Scorecard, told: Any) -> pl.Expr:
    """An expression that differs by profile; one profile needs no case."""
    found: pl.Expr = told(card.rules[-1])
    for number, rules in enumerate(card.rules[:-1]):
        case = pl.when(pl.col("profile") == number).then(told(rules))
        found = case.otherwise(found)
    return found


def _of(rules: Rules, name: str) -> Component:
    return next(c for c in rules.components if c.name == name)


def _with_values(
    rows: pl.DataFrame, card: Scorecard, *, of_users: bool
) -> pl.DataFrame:
    waits = pl.col("is_onboarding") & (card.onboarding == "no_score")
    rows = rows.with_columns((pl.col("is_live") & ~waits).alias(scales.RANKED))
    values = {
        f"value__{name}": _by_profile(card, lambda r, n=name: _value(_of(r, n)))
        for name in card.names
        if not of_users or _is_of_users(card, name)
    }
    rows = rows.with_columns(**values)
    lacking = {f"value__{name}" for name in card.names} - set(values)
    return rows.with_columns(pl.lit(None, pl.Float64).alias(name) for name in lacking)


def _is_of_users(card: Scorecard, name: str) -> bool:
    source = _of(card.rules[-1], name).source
    return isinstance(source, Measure) and source.key in OF_USERS


def _value(component: Component) -> pl.Expr:
    """Points of one component, before its rule for what is missing."""
    source, scale = component.source, component.scale
    if isinstance(source, Measure):
        return health.component(source.key, source.targets)
    measured = pl.col(raw_column(component.name))
    if isinstance(source, CatalogMetric):
        assert scale is not None
        measured = scales.points(measured, scale, source.direction)
    return measured.clip(0.0, 100.0)


def _with_state(rows: pl.DataFrame, card: Scorecard, *, of_users: bool) -> pl.DataFrame:
    """What is left out, what counts as zero, and whether there is a score."""
    zeros = [
        pl.col(f"value__{c.name}").fill_null(0.0)
        for c in card.components
        if c.missing == "zero" and (not of_users or _is_of_users(card, c.name))
    ]
    rows = rows.with_columns(
        is_lacking=_any_null(c for c in card.components if c.missing == "insufficient")
        if not of_users
        else pl.lit(value=False)
    ).with_columns(zeros)
    weights = {
        f"weight__{n}": _by_profile(card, lambda r, n=n: pl.lit(r.shares[n]))
        for n in card.names
    }
    rows = rows.with_columns(**weights)
    whole = pl.sum_horizontal(f"weight__{n}" for n in card.names)
    available = pl.sum_horizontal(
        pl.when(pl.col(f"value__{n}").is_not_null())
        .then(pl.col(f"weight__{n}"))
        .otherwise(0.0)
        for n in card.names
    )
    rows = rows.with_columns(available__=available, whole__=whole)
    rows = rows.with_columns(coverage=pl.col("available__") / pl.col("whole__"))
    short = pl.col("coverage") < (0.0 if of_users else card.min_coverage)
    waits = pl.col("is_onboarding") & (card.onboarding == "no_score")
    lacks = pl.col("is_lacking") | short | (pl.col("available__") <= 0)
    status = (
        pl.when(~pl.col("is_live"))
        .then(pl.lit("inactive"))
        .when(pl.col("override").is_not_null())
        .then(pl.lit("ok"))
        .when(waits)
        .then(pl.lit("onboarding"))
        .when(lacks)
        .then(pl.lit("insufficient"))
        .otherwise(pl.lit("ok"))
    )
    is_told = pl.col("is_live") & ~waits & ~lacks
    return rows.with_columns(status=status, is_told__=is_told).drop("is_lacking")


def _any_null(components: Any) -> pl.Expr:
    names = [f"value__{component.name}" for component in components]
    if not names:
        return pl.lit(value=False)
    return pl.any_horizontal(pl.col(name).is_null() for name in names)


def _with_contributions(rows: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """Score and contributions; see the top of this module for how they add up."""
    products = [
        pl.col(f"value__{n}").fill_null(0.0) * pl.col(f"weight__{n}")
        for n in card.names
    ]
    told = pl.col("is_told__")
    computed = pl.when(told).then(pl.sum_horizontal(products) / pl.col("available__"))
    rows = rows.with_columns(computed_score=computed)
    steps = {
        f"step__{name}": (product / pl.col("available__") * GRID).round() / GRID
        for name, product in zip(card.names, products, strict=True)
    }
    rows = rows.with_columns(**steps)
    total = pl.sum_horizontal(*steps)
    is_known = [pl.col(f"value__{name}").is_not_null() for name in card.names]
    sizes = [
        pl.when(known).then(step).otherwise(-1.0)
        for known, step in zip(is_known, map(pl.col, steps), strict=True)
    ]
    largest = pl.concat_list(sizes).list.arg_max()
    is_kept = pl.col("override").is_null()
    parts = {
        f"contribution__{name}": pl.when(told & is_known[number]).then(
            pl.when(is_kept & (largest == number))
            .then(pl.col("computed_score") - (total - pl.col(f"step__{name}")))
            .otherwise(pl.col(f"step__{name}"))
        )
        for number, name in enumerate(card.names)
    }
    is_set = ~is_kept & pl.col("is_live")
    return rows.with_columns(
        score=pl.when(is_set).then(pl.col("override")).otherwise("computed_score"),
        contribution__override=pl.when(is_set).then(
            pl.col("override") - pl.when(told).then(total).otherwise(0.0)
        ),
        **parts,
    )


def _with_measures(rows: pl.DataFrame, card: Scorecard) -> pl.DataFrame:
    """The four parts of H01 as columns of their own, where the card has them."""
    names = {
        component.source.key: component.name
        for component in card.components
        if isinstance(component.source, Measure)
    }
    null = pl.lit(None, pl.Float64)
    return rows.with_columns(
        (pl.col(f"value__{names[key]}") if key in names else null).alias(key)
        for key in health.COMPONENTS
    )


def _parts(rows: pl.DataFrame, card: Scorecard) -> list[str]:
    """The parts of every row as JSON, in the order of the card."""
    columns: list[Sequence[str]] = []
    found: list[list[Any]] = []
    for name in card.names:
        is_measured = raw_column(name) in rows.columns
        columns.append([name, "measured"] if is_measured else [name])
        keys = ["value", "weight", "contribution"]
        found += [rows[f"{key}__{name}"].to_list() for key in keys]
        if is_measured:
            found.append(rows[raw_column(name)].to_list())
    overrides = zip(
        rows["override"].to_list(),
        rows["contribution__override"].to_list(),
        strict=True,
    )
    return [
        json.dumps(_row_parts(columns, row, override))
        for row, override in zip(
            zip(*found, strict=True) if found else (), overrides, strict=True
        )
    ]


def _row_parts(
    columns: Sequence[Sequence[str]],
    row: Sequence[Any],
    override: tuple[float | None, float | None],
) -> list[dict[str, Any]]:
    parts, at = [], 0
    for name, *extra in columns:
        value, weight, contribution = row[at : at + 3]
        part = {
            "name": name,
            "value": value,
            "weight": weight,
            "contribution": contribution,
        }
        at += 3
        if extra:
            part["measured"] = row[at]
            at += 1
        parts.append(part)
    if override[1] is not None:
        set_to = {"name": OVERRIDE, "value": override[0], "weight": 0.0}
        parts.append({**set_to, "contribution": override[1]})
    return parts
