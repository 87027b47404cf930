"""Insights of how the product is used and what customers are worth, as rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ibis
import polars as pl

from perennial.core.errors import UnknownName
from perennial.core.windows import DAY, Period
from perennial.lake import decisions
from perennial.lake.asked import Asked, Rows
from perennial.scoring import lifetime, patterns

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

# Usage patterns (U13 to U15)


def usage_patterns(workspace: Workspace, asked: Asked) -> Rows:
    return [
        *_light_use(workspace, asked),
        *_dips(workspace, asked),
        *_unused(workspace, asked),
    ]


def _row(
    pattern: str, subject: str, verdict: str, value: Any, n: int
) -> dict[str, Any]:
    return {
        "pattern": pattern,
        "subject": subject,
        "verdict": verdict,
        "value": value,
        "n": n,
        "status": "insufficient" if verdict == "insufficient" else "ok",
    }


def _light_use(workspace: Workspace, asked: Asked) -> Iterator[dict[str, Any]]:
    """Is light use a few people's, or everybody's: by segment, then by account."""
    window = Period(asked.as_of - DAY * 28, asked.as_of)
    query = replace(
        decisions.question(workspace, window), by=("segment",), where=asked.where
    )
    inputs = workspace.inputs(query)
    rows = workspace.engine.run(patterns.minutes_of_users(inputs, query))
    settings = workspace.settings
    for name, found in (
        ("light_use_of_segment", patterns.light_segments(rows, settings, by="segment")),
        ("light_use_of_account", patterns.light_accounts(rows, settings)),
    ):
        for use in found:
            yield _row(name, use.group, use.verdict, use.light_share, use.n)


def _dips(workspace: Workspace, asked: Asked) -> Iterator[dict[str, Any]]:
    """Months of tenure in which use falls."""
    start = asked.as_of - DAY * 365 * 2
    curve = workspace.metric(
        "usage_dip", start=start, end=asked.as_of, where=asked.where
    ).to_dicts()
    for row in curve:
        if (
            row["value"] is not None
            and row["value"] <= workspace.settings.dip_threshold
        ):
            yield _row("tenure_dip", str(row["k"]), "dip", row["value"], row["n"])


def _unused(workspace: Workspace, asked: Asked) -> Iterator[dict[str, Any]]:
    """Features that were there long enough and that hardly anybody uses."""
    days = workspace.settings.unused_feature_days
    query = decisions.question(workspace, Period(asked.as_of - DAY * days, asked.as_of))
    rows = workspace.engine.run(patterns.feature_users(workspace.inputs(query), query))
    for found in patterns.unused_features(rows, workspace.settings):
        yield _row(
            "unused_feature", found.feature_id, "unused", found.adoption, found.eligible
        )


# Product health (U08)


def product_health(workspace: Workspace, asked: Asked) -> Rows:
    """Of users who first used a feature in the year before, and at least 30 days ago:
    who came back to it on a later day within 30."""
    rows = workspace.metric(
        "feature_repeat_rate",
        start=asked.as_of - DAY * 365,
        end=asked.as_of,
        by=["feature"],
        where=asked.where,
    ).to_dicts()
    return [
        {
            "feature": row["feature"],
            "repeat_rate": row["value"],
            "try_and_leave": None if row["value"] is None else 1 - row["value"],
            "n": row["n"],
            "status": row["status"],
        }
        for row in rows
    ]


# Lifetime value (E01 to E03)

#: Weeks that free buyers are looked ahead for.
_YEAR_WEEKS = 52
_FORMS = ("clv_survival", "clv", "clv_simple")


def lifetime_value(workspace: Workspace, asked: Asked) -> Rows:
    model = asked.params.get("model", "survival")
    if model == "bgnbd":
        return _free_buyers(workspace, asked)
    if model != "survival":
        raise UnknownName("model", model, ["survival", "bgnbd"])
    return [
        {**{k: row[k] for k in asked.by}, "form": form, "value": row["value"],
         "n": row["n"], "status": row["status"]}
        for form in _FORMS
        for row in workspace.metric(
            form, as_of=asked.as_of, by=asked.by, where=asked.where
        ).to_dicts()
    ]  # fmt: skip


def _free_buyers(workspace: Workspace, asked: Asked) -> Rows:
    """Parameters of BG/NBD and Gamma-Gamma, of purchases without a subscription."""
    bought = _purchases(workspace, asked)
    found = list(lifetime.buyers(bought.iter_rows(), asked.as_of).values())
    often, worth = lifetime.fit_bgnbd(found), lifetime.fit_gamma_gamma(found)
    told: dict[str, float | None] = {}
    if often is not None:
        told |= {"r": often.r, "alpha": often.alpha, "a": often.a, "b": often.b}
    if worth is not None:
        told |= {"p": worth.p, "q": worth.q, "v": worth.v}
    told["value_correlation"] = lifetime.value_correlation(found)
    told["buyers"] = float(len(found))
    if often is not None:
        ahead = lifetime.outlook(found, often, worth, _YEAR_WEEKS)
        told["repeated"] = float(ahead.repeated)
        told["alive"] = ahead.alive
        told["purchases_year"] = ahead.purchases
        told["worth_year"] = ahead.worth
    status = "ok" if often is not None else "insufficient"
    return [{"parameter": k, "value": v, "status": status} for k, v in told.items()]


def _purchases(workspace: Workspace, asked: Asked) -> pl.DataFrame:
    """Account, local day and amount of what was bought freely: usage and single
    purchases, and anything of accounts that never had a subscription."""
    query = replace(
        decisions.question(workspace, Period(asked.as_of - DAY, asked.as_of)),
        where=asked.where,
    )
    inputs = workspace.inputs(query)
    rows = inputs.facts("payments", at="paid_at")
    subscribed = inputs.everything("mrr_ledger").filter(lambda t: t.mrr_e4 > 0)
    known = subscribed.select(
        "account_id", subscribed=ibis.literal(value=True)
    ).distinct()
    rows = rows.left_join(known, "account_id", rname="{name}_k")
    free = rows.kind.isin(["usage", "one_off"]) | rows.subscribed.isnull()
    rows = rows.filter(free & (rows.kind.fill_null("") != "refund"))
    found = rows.select(
        "account_id", "date", amount=rows.amount.fill_null(0).cast("float64")
    )
    return workspace.engine.run(found).sort("account_id", "date")


# Feedback (F04)


def feedback(workspace: Workspace, asked: Asked) -> Rows:
    return workspace.metric(
        "feedback_topics", as_of=asked.as_of, by=asked.by, where=asked.where
    ).to_dicts()
