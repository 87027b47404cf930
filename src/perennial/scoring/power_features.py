"""Which use of the product goes with staying: P02 of the reference.

Decisions of the past, and what each account used in a window that ended well before
its decision, are compared feature by feature. What is found is a correlation: that
those who stay use a feature does not say that using it makes anybody stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import exp, sqrt

import numpy as np
import polars as pl
import scipy

from perennial.scoring.additive import weights
from perennial.scoring.statistics import (
    Z95,
    Floats,
    auc,
    auc_interval,
    differs,
    one_thread,
    q_values,
)

#: Events with such names end a relationship, prepare its end or complain: they follow
#: from the decision rather than lead to it.
_LEAKING = re.compile(
    r"\b(cancel|cancell?ed|downgrade|end|close|delete|terminate)s?\W+(the |my |your )?"
    r"(account|subscription|plan|contract|membership|workspace|billing)\b"
    r"|\b(account|subscription|plan|contract)\W+"
    r"(cancel|cancell?ed|cancell?ation|downgraded?|closed?|deleted?|deletion|ended)\b"
    r"|\b(full|complete|account|whole|entire|bulk|data)\W+(data\W+)?exports?\b"
    r"|\bexport\W+(all|everything)\b"
    r"|\bdeprovision\w*|\b(deactivate|remove|delete)\W+(all )?users?\b|\boffboard\w*"
)
_SUPPORT = re.compile(
    r"\b(contact|open|create|submit|raise|new)\w*\W+(support|ticket)s?\b"
    r"|\bsupport\W+(ticket|request|case|chat|contact\w*|page)s?\b"
    r"|\b(feedback|survey|nps|csat|complaint)s?\b"
)
_BILLING = re.compile(r"\b(billing|checkout|credit card|payment method)s?\b")
_LOGIN = re.compile(
    r"\b(log ?in|log ?on|sign ?in|log ?out|sign ?out|logged (in|out)|signed (in|out)"
    r"|auth|authenticat\w*|sso)\b"
)

#: Decisions the validation leaves aside: the latest quarter of them.
_LATEST = 0.25
#: Penalty on odds ratios: groups that never overlap would have none.
_RIDGE = 0.01


@dataclass(frozen=True)
class Rules:
    """What counts as enough, and as a difference (section 17 of the reference)."""

    window_days: int = 90
    gap_days: int = 30
    min_class: int = 20
    min_auc: float = 0.60
    min_adoption: float = 0.30
    fdr: float = 0.05
    min_entitled: float = 0.80
    history: float = 1.25


@dataclass(frozen=True)
class Finding:
    """One feature: use a month and account of those who stayed and who left.

    - `adoption_*`: share that used it at all; `renewal_*`: share that renewed of
      those who used it, and of the others.
    - `auc` with its 95 % interval; `q`: p-value corrected for the number of features.
    - `odds_ratio`: how the odds to stay rise with one standard deviation of use, all
      else equal (seats, tenure, plan); with its 95 % interval.
    - `excluded_reason`: why it has no rank and no q; AUC and odds are told of those
      that too few use, and None of the others.
    - `per_user_*`: the same use by active user of the account.
    """

    feature: str
    rank: int | None = None
    n_retained: int = 0
    n_churned: int = 0
    mean_retained: float | None = None
    mean_churned: float | None = None
    median_retained: float | None = None
    median_churned: float | None = None
    adoption_retained: float | None = None
    adoption_churned: float | None = None
    renewal_users: float | None = None
    renewal_others: float | None = None
    per_user_retained: float | None = None
    per_user_churned: float | None = None
    auc: float | None = None
    auc_low: float | None = None
    auc_high: float | None = None
    p: float | None = None
    q: float | None = None
    odds_ratio: float | None = None
    odds_low: float | None = None
    odds_high: float | None = None
    significant: bool = False
    is_power_feature: bool = False
    excluded_reason: str | None = None


@dataclass(frozen=True)
class Holdout:
    """The choice repeated on the decisions before `since`, judged by those after.

    `feature`: what would have been chosen, None where nothing; `auc` is of it, on
    `n_retained` and `n_churned` later decisions.
    """

    since: str
    feature: str | None
    auc: float | None
    auc_low: float | None
    auc_high: float | None
    n_retained: int
    n_churned: int


@dataclass(frozen=True)
class Discovery:
    """What was found among the decisions of a segment (empty: all).

    `status` is `ok` or `insufficient`; then `missing` says what there is too little
    of, and nothing is ranked. `findings`: the power feature first, then by use among
    those who stayed; features left out last.
    """

    segment: str
    status: str
    missing: tuple[str, ...]
    n_retained: int
    n_churned: int
    findings: tuple[Finding, ...]
    holdout: Holdout | None = None

    @property
    def power_feature(self) -> Finding | None:
        found = [f for f in self.findings if f.is_power_feature]
        return found[0] if found else None


def leaks(feature: str, name: str | None = None) -> str | None:
    """Why a feature's use says nothing of what comes; None if it may be compared."""
    for text in (feature, name or ""):
        words = re.sub(
            r"[\W_]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
        ).lower()
        for reason, pattern in (
            ("cancellation", _LEAKING),
            ("login", _LOGIN),
            ("billing", _BILLING),
            ("support", _SUPPORT),
        ):
            if pattern.search(words):
                return reason
    return None


@one_thread
def discover(
    cases: pl.DataFrame,
    uses: Mapping[str, Floats],
    *,
    rules: Rules,
    excluded: Mapping[str, str] | None = None,
    per_user: Mapping[str, Floats] | None = None,
    history_days: int | None = None,
    segment: str = "",
) -> Discovery:
    """The features that separate those who stayed from those who left.

    `cases` has a row a decision, oldest first: renewed, decided_on, term_days, and
    what odds are adjusted for: seats, tenure_months (both may be null), plan. `uses`
    has for each feature its use a month by case, NaN where the account might not use
    it; `excluded` reasons not to compare a feature. `history_days` is how long use
    has been recorded; None: long enough.
    """
    stayed = cases["renewed"].to_numpy().astype(bool)
    counts = int(stayed.sum()), int((~stayed).sum())
    missing = _missing(cases, counts, rules, history_days)
    if missing:
        rows = [_counted(f, stayed, uses[f]) for f in sorted(uses)]
        return Discovery(segment, "insufficient", missing, *counts, tuple(rows))
    found = _findings(cases, uses, per_user or {}, rules, excluded or {})
    holdout = _validated(cases, uses, rules, excluded or {})
    return Discovery(segment, "ok", (), *counts, found, holdout)


@one_thread
def chosen(
    cases: pl.DataFrame,
    uses: Mapping[str, Floats],
    *,
    rules: Rules,
    excluded: Mapping[str, str] | None = None,
) -> str | None:
    """The power feature alone, as `discover` finds it; None without, or of too few."""
    stayed = cases["renewed"].to_numpy().astype(bool)
    if min(stayed.sum(), (~stayed).sum()) < rules.min_class:
        return None
    return _chosen(cases, uses, rules, excluded or {})


def _missing(
    cases: pl.DataFrame,
    counts: tuple[int, int],
    rules: Rules,
    history_days: int | None,
) -> tuple[str, ...]:
    """What there is too little of: `retained`, `churned`, `history`."""
    lacks = [
        name
        for name, n in zip(("retained", "churned"), counts, strict=True)
        if n < rules.min_class
    ]
    if history_days is not None and not cases.is_empty():
        dominant = cases["term_days"].mode().sort()[-1]
        if history_days < rules.history * dominant:
            lacks.append("history")
    return tuple(lacks)


def _findings(
    cases: pl.DataFrame,
    uses: Mapping[str, Floats],
    per_user: Mapping[str, Floats],
    rules: Rules,
    excluded: Mapping[str, str],
) -> tuple[Finding, ...]:
    stayed = cases["renewed"].to_numpy().astype(bool)
    around = _adjusted_for(cases)
    compared, left_out = [], []
    for feature, x in uses.items():
        found = _described(feature, stayed, x, per_user.get(feature))
        reason = excluded.get(feature) or _too_few(found, len(cases), rules)
        if reason == "low_adoption":
            # Too few to choose it, but what is known of it is told.
            found = _compared(found, stayed, x, around)
        if reason:
            left_out.append(replace(found, excluded_reason=reason))
        else:
            compared.append(_compared(found, stayed, x, around))
    named = {f.feature for f in left_out}
    left_out += [
        Finding(feature, excluded_reason=reason)
        for feature, reason in excluded.items()
        if feature not in uses and feature not in named
    ]
    judged = _judged(compared, rules)
    return (*judged, *sorted(left_out, key=lambda f: f.feature))


def _too_few(found: Finding, cases: int, rules: Rules) -> str | None:
    entitled = (found.n_retained, found.n_churned)
    if min(entitled) < rules.min_class or sum(entitled) < rules.min_entitled * cases:
        return "not_entitled"
    if (found.adoption_retained or 0.0) < rules.min_adoption:
        return "low_adoption"
    return None


def _judged(compared: list[Finding], rules: Rules) -> list[Finding]:
    """With q-values, verdicts and ranks: the power feature is, of those that
    separate, the one most used by those who stayed."""
    tested = [f.p for f in compared if f.p is not None]
    corrected = [
        replace(f, q=q) for f, q in zip(compared, q_values(tested), strict=True)
    ]
    marked = [replace(f, significant=_separates(f, rules)) for f in corrected]
    marked.sort(key=lambda f: (not f.significant, -(f.mean_retained or 0), f.feature))
    return [
        replace(f, rank=n, is_power_feature=n == 1 and f.significant)
        for n, f in enumerate(marked, 1)
    ]


def _separates(found: Finding, rules: Rules) -> bool:
    assert found.auc is not None
    assert found.q is not None
    is_sure = found.q < rules.fdr
    return is_sure and found.auc >= rules.min_auc and (found.odds_ratio or 0) > 1


def _counted(feature: str, stayed: np.ndarray, x: Floats) -> Finding:
    known = ~np.isnan(x)
    return Finding(
        feature,
        n_retained=int((known & stayed).sum()),
        n_churned=int((known & ~stayed).sum()),
    )


def _described(
    feature: str, stayed: np.ndarray, x: Floats, per_user: Floats | None
) -> Finding:
    found = _counted(feature, stayed, x)
    known = ~np.isnan(x)
    kept, lost = x[known & stayed], x[known & ~stayed]
    users, others = known & (x > 0), known & (x == 0)
    by_user: tuple[float | None, float | None] = (None, None)
    if per_user is not None:
        both = known & ~np.isnan(per_user)
        by_user = _mean(per_user[both & stayed]), _mean(per_user[both & ~stayed])
    return replace(
        found,
        mean_retained=_mean(kept),
        mean_churned=_mean(lost),
        median_retained=float(np.median(kept)) if len(kept) else None,
        median_churned=float(np.median(lost)) if len(lost) else None,
        adoption_retained=_mean(kept > 0),
        adoption_churned=_mean(lost > 0),
        renewal_users=_mean(stayed[users]),
        renewal_others=_mean(stayed[others]),
        per_user_retained=by_user[0],
        per_user_churned=by_user[1],
    )


def _compared(found: Finding, stayed: np.ndarray, x: Floats, around: Floats) -> Finding:
    known = ~np.isnan(x)
    kept, lost = x[known & stayed], x[known & ~stayed]
    area = auc(kept, lost)
    assert area is not None
    low, high = auc_interval(area, len(kept), len(lost))
    odds, odds_low, odds_high = adjusted_odds(x[known], stayed[known], around[known])
    return replace(
        found,
        auc=area,
        auc_low=low,
        auc_high=high,
        p=differs(kept, lost),
        odds_ratio=odds,
        odds_low=odds_low,
        odds_high=odds_high,
    )


def adjusted_odds(
    x: Floats, stayed: np.ndarray, around: Floats
) -> tuple[float | None, float | None, float | None]:
    """Odds ratio of one standard deviation of log(1 + use), and its 95 % interval.

    From a logistic regression on use and the columns `around`. None where use, or the
    outcome, is the same for all.
    """
    use = np.log1p(x)
    if np.ptp(use) == 0 or stayed.all() or not stayed.any():
        return None, None, None
    columns = np.column_stack([use, around])
    columns = columns[:, np.ptp(columns, axis=0) > 0]
    scaled = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    found = weights(scaled, stayed, ridge=_RIDGE)
    slope = found[1]
    full = np.column_stack([np.ones(len(scaled)), scaled])
    chance = scipy.special.expit(full @ found)
    weight = (chance * (1 - chance))[:, None]
    penalty = np.diag([1e-9, *[_RIDGE] * scaled.shape[1]])
    spread = sqrt(float(np.linalg.inv(full.T @ (weight * full) + penalty)[1, 1]))
    return exp(slope), exp(slope - Z95 * spread), exp(slope + Z95 * spread)


def _adjusted_for(cases: pl.DataFrame) -> Floats:
    """Size, age and plan as numbers: seats, tenure, a column per plan but the first."""
    columns = [
        np.log1p(_filled(cases["seats"])),
        _filled(cases["tenure_months"]),
    ]
    plans = cases["plan"].fill_null("")
    columns += [
        (plans == plan).to_numpy().astype(float) for plan in sorted(plans.unique())[1:]
    ]
    return np.column_stack(columns)


def _filled(column: pl.Series) -> Floats:
    median = column.median()
    filled = column.cast(pl.Float64).fill_null(0.0 if median is None else median)
    return np.asarray(filled.to_numpy(), float)


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def _validated(
    cases: pl.DataFrame,
    uses: Mapping[str, Floats],
    rules: Rules,
    excluded: Mapping[str, str],
) -> Holdout | None:
    """The choice, made without the latest quarter of decisions and judged by it."""
    split = len(cases) - round(len(cases) * _LATEST)
    if split in (0, len(cases)):
        return None
    stayed = cases["renewed"].to_numpy().astype(bool)
    early = {feature: x[:split] for feature, x in uses.items()}
    chosen = _chosen(cases[:split], early, rules, excluded)
    since = str(cases["decided_on"][split])
    later = stayed[split:]
    none = Holdout(
        since, chosen, None, None, None, int(later.sum()), int((~later).sum())
    )
    if chosen is None:
        return none
    x = uses[chosen][split:]
    known = ~np.isnan(x)
    kept, lost = x[known & later], x[known & ~later]
    area = auc(kept, lost)
    if area is None:
        return none
    low, high = auc_interval(area, len(kept), len(lost))
    return replace(none, auc=area, auc_low=low, auc_high=high)


def _chosen(
    cases: pl.DataFrame,
    uses: Mapping[str, Floats],
    rules: Rules,
    excluded: Mapping[str, str],
) -> str | None:
    for found in _findings(cases, uses, {}, rules, excluded):
        if found.is_power_feature:
            return found.feature
    return None
