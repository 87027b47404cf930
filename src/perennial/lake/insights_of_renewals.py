"""Insights that begin with decisions: P02 to P04 of the reference, as rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from perennial.core.errors import BadValue
from perennial.core.numbers import whole
from perennial.lake import forecasts, models, observations
from perennial.lake.asked import Asked, Rows
from perennial.scoring import power_features
from perennial.scoring.trials import Comparison, ways

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

# Power features (P02)


#: Columns the contract names, in its order.
_FIRST = (
    *("feature", "rank", "auc", "q", "significant", "is_power_feature"),
    *("excluded_reason", "n_retained", "n_churned"),
)


def power_features_rows(workspace: Workspace, asked: Asked) -> Rows:
    seen = observations.of_decisions(workspace, as_of=asked.as_of, where=asked.where)
    if not asked.by:
        return [*_found(workspace, seen, "")]
    names = seen.cases["segment"]
    return [
        {"segment": segment, **row}
        for segment in sorted(s for s in names.unique() if s)
        for row in _found(workspace, seen.where(names == segment), segment)
    ]


def _found(
    workspace: Workspace, seen: observations.Observed, segment: str
) -> Iterator[dict[str, Any]]:
    found = power_features.discover(
        seen.cases,
        seen.uses,
        rules=observations.rules_of(workspace.settings),
        excluded=seen.excluded,
        per_user=seen.per_user,
        history_days=seen.history_days,
        segment=segment,
    )
    later = found.holdout.auc if found.holdout else None
    none = power_features.Finding(
        "", n_retained=found.n_retained, n_churned=found.n_churned
    )
    for finding in found.findings or (none,):
        row = {**asdict(finding), "feature": finding.feature or None}
        yield {
            **{name: row.pop(name) for name in _FIRST},
            "status": found.status,
            **row,
            "holdout_auc": later if finding.is_power_feature else None,
            "missing": ", ".join(found.missing) or None,
        }


# Renewal model (P03)

_UNTOLD = dict.fromkeys(
    (
        *("base_rate", "skill", "log_loss", "auc_low", "auc_high", "failed"),
        *("auc_silent_days", "auc_usage_counts"),
    )
)


def renewal_model(workspace: Workspace, asked: Asked) -> Rows:
    compared = models.learn(workspace, as_of=asked.as_of).comparison
    first = {"fold": "holdout"}
    if compared.status != "ok":
        none = dict.fromkeys(("brier", "brier_base", "auc", "ece"))
        told = {"model": compared.adopted, "adopted": True, "n": compared.n}
        return [{**first, **none, **told, "status": compared.status, **_UNTOLD}]
    trials = sorted(compared.trials, key=lambda t: not t.adopted)
    return [
        {
            **first,
            "brier": t.quality.brier,
            "brier_base": t.quality.brier_base,
            "auc": t.quality.auc,
            "ece": t.quality.ece,
            "model": t.model,
            "adopted": t.adopted,
            "n": t.quality.n,
            "status": compared.status,
            "base_rate": t.quality.base_rate,
            "skill": t.quality.skill,
            "log_loss": t.quality.log_loss,
            "auc_low": t.quality.auc_low,
            "auc_high": t.quality.auc_high,
            "failed": ", ".join(t.failed) or None,
            "auc_silent_days": _auc(compared, "silent_days"),
            "auc_usage_counts": _auc(compared, "usage_counts"),
        }
        for t in trials
    ]


def _auc(compared: Comparison, way: str) -> float | None:
    verdict = compared.beside.get(way)
    return verdict.auc if verdict else None


# Back-test of every way to tell health (H01 to H03, P03)


def backtest(workspace: Workspace, asked: Asked) -> Rows:
    """How well each told leavers from stayers, on the same later decisions."""
    compared = models.learn(workspace, as_of=asked.as_of).comparison
    return [
        {
            "mode": way.name,
            "auc": way.verdict.auc,
            "lift": way.verdict.lift,
            "precision_red": way.verdict.precision,
            "ece": way.ece,
            "n": way.verdict.n,
            "left": way.verdict.left,
            "status": compared.status,
            "warning_days": way.verdict.warning_days,
            "warned": way.verdict.warned,
            "auc_low": way.verdict.auc_low,
            "auc_high": way.verdict.auc_high,
            "adopted": way.adopted,
            **{f"auc_{e.days}_days": e.auc for e in way.early},
        }
        for way in ways(compared)
    ]


# Forecast (P04)

_MOST_MONTHS = 36


def forecast(workspace: Workspace, asked: Asked) -> Rows:
    horizon = asked.params.get("horizon")
    months = [_months(horizon)] if horizon else list(forecasts.HORIZONS)
    learned = models.learn(workspace, as_of=asked.as_of)
    rows = forecasts.accounts(workspace, learned, asked.as_of)
    return [
        {
            **group,
            "horizon": month,
            "expected_mrr": e.mrr_net,
            "lower": e.lower,
            "upper": e.upper,
            "status": "ok" if e.accounts else "no_data",
            "mrr": e.today,
            "accounts": e.accounts,
            "expected_accounts": e.logos,
            "expected_mrr_without_growth": e.mrr,
            "sd": e.sd,
            "grr": e.grr,
            "nrr": e.nrr,
        }
        for group, month, e in forecasts.by_group(rows, asked.as_of, months, asked.by)
    ]


def _months(text: str) -> int:
    months = whole(text)
    if months is None or not 1 <= months <= _MOST_MONTHS:
        raise BadValue(f"horizon is a number of months, 1 to {_MOST_MONTHS}")
    return months
