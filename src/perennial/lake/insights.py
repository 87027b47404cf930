"""What can be learned from the past, by name: rows for people and programs.

Each insight is computed anew from what was known before a day, whatever versions
people approved; rows are plain values, columns as the contract names them first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import ibis
import msgspec
import polars as pl
import pyarrow as pa

from perennial.core.errors import BadValue, UnknownName
from perennial.core.windows import DAY, Period
from perennial.lake import decisions, forecasts, models, observations
from perennial.lake.tables import TABLES
from perennial.scoring import lifetime, patterns, power_features
from perennial.scoring.backtest import Verdict

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Asked:
    """What is asked of an insight: local day `as_of`, groups, condition, parameters."""

    as_of: date
    by: tuple[str, ...] = ()
    where: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)


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


# Power features (P02)


#: Columns the contract names, in its order.
_FIRST = (
    *("feature", "rank", "auc", "q", "significant", "is_power_feature"),
    *("excluded_reason", "n_retained", "n_churned"),
)


def _power_features(workspace: Workspace, asked: Asked) -> Rows:
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


def _renewal_model(workspace: Workspace, asked: Asked) -> Rows:
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
            "auc_silent_days": compared.beside.get("silent_days"),
            "auc_usage_counts": compared.beside.get("usage_counts"),
        }
        for t in trials
    ]


# Back-test of every way to tell health (H01 to H03, P03)


def _backtest(workspace: Workspace, asked: Asked) -> Rows:
    """How well each told leavers from stayers, on the same later decisions."""
    compared = models.learn(workspace, as_of=asked.as_of).comparison
    ways: list[tuple[str, Verdict | None, float | None]] = [
        ("composite", compared.health, None)
    ]
    for trial in compared.trials:
        name = "band" if trial.model == "bands" else f"calibrated:{trial.model}"
        ways.append((name, trial.verdict, trial.quality.ece))
    rows = [
        {
            "mode": mode,
            "auc": verdict.auc,
            "lift": verdict.lift,
            "precision_red": verdict.precision,
            "ece": ece,
            "n": verdict.n,
            "left": verdict.left,
            "status": compared.status,
        }
        for mode, verdict, ece in ways
        if verdict is not None
    ]
    for name, area in compared.beside.items():
        none = dict.fromkeys(("lift", "precision_red", "ece", "n", "left"))
        rows.append({"mode": name, "auc": area, **none, "status": compared.status})
    return rows


# Forecast (P04)

_MOST_MONTHS = 36


def _forecast(workspace: Workspace, asked: Asked) -> Rows:
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
    if not text.isdigit() or not 1 <= int(text) <= _MOST_MONTHS:
        raise BadValue(f"horizon is a number of months, 1 to {_MOST_MONTHS}")
    return int(text)


# Usage patterns (U13 to U15)


def _usage_patterns(workspace: Workspace, asked: Asked) -> Rows:
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


def _product_health(workspace: Workspace, asked: Asked) -> Rows:
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

_FORMS = ("clv_survival", "clv", "clv_simple")


def _lifetime_value(workspace: Workspace, asked: Asked) -> Rows:
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
    rows = rows.filter(free & (rows.kind.fill_null("") != "refund") & (rows.amount > 0))
    found = rows.select("account_id", "date", amount=rows.amount.cast("float64"))
    return workspace.engine.run(found).sort("account_id", "date")


# Feedback (F04)


def _feedback(workspace: Workspace, asked: Asked) -> Rows:
    return workspace.metric(
        "feedback_topics", as_of=asked.as_of, by=asked.by, where=asked.where
    ).to_dicts()


_ATTRIBUTES = ("segment", "owner_email")

#: Every insight by its name.
INSIGHTS: Mapping[str, Insight] = {
    insight.name: insight
    for insight in (
        Insight(
            "power-features",
            "Power features",
            "Which use of the product separates those who stayed from those who left.",
            _power_features,
            dimensions=("segment",),
        ),
        Insight(
            "renewal-model",
            "Renewal model",
            "How well chances of renewal were told, on decisions the model had not seen.",
            _renewal_model,
        ),
        Insight(
            "backtest",
            "Back-test",
            "How well each way to tell health told leavers from stayers, on decisions "
            "none had seen.",
            _backtest,
        ),
        Insight(
            "forecast",
            "Forecast",
            "What today's customers will pay in the months ahead, with an 80 % range.",
            _forecast,
            dimensions=_ATTRIBUTES,
            params={"horizon": "months ahead; without it 1 to 12"},
        ),
        Insight(
            "usage-patterns",
            "Usage patterns",
            "Whether light use is a few people's or everybody's, when use falls, what "
            "nobody uses.",
            _usage_patterns,
        ),
        Insight(
            "product-health",
            "Product health",
            "Whether features keep the users who try them.",
            _product_health,
        ),
        Insight(
            "lifetime-value",
            "Lifetime value",
            "What a customer is worth, in its forms; or of those who buy freely.",
            _lifetime_value,
            dimensions=_ATTRIBUTES,
            params={"model": "survival (default), or bgnbd for purchases without one"},
        ),
        Insight(
            "feedback",
            "Feedback",
            "What comments are about, and how the scores of those who say it differ.",
            _feedback,
            dimensions=_ATTRIBUTES,
        ),
    )
}
