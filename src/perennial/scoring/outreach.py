"""Whom to call first, and what is missing to green: H05 of the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from perennial.scoring.explanation import Part
from perennial.scoring.scorecard import OVERRIDE

_ORDER = {"red": 0, "orange": 1, "yellow": 2, "green": 3}
#: Renewals nearer than this weigh more, overdue ones twice.
_NEAR_DAYS = 90


@dataclass(frozen=True)
class Case:
    """One account as outreach sees it. Money in the workspace's currency a month.

    `p_renew` is the chance that it renews, None while no model tells it.
    """

    account_id: str
    color: str
    mrr: float
    p_renew: float | None = None
    renewal_on: date | None = None


def urgency(days_to_renewal: int | None) -> float:
    """1 for a renewal far away or without a date, up to 2 when it is due."""
    if days_to_renewal is None:
        return 1.0
    return min(1 + max(0, _NEAR_DAYS - days_to_renewal) / _NEAR_DAYS, 2.0)


def value_at_risk(case: Case, as_of: date) -> float | None:
    """What may be lost a month, more of it the nearer the renewal; None: not told."""
    if case.p_renew is None:
        return None
    days = (case.renewal_on - as_of).days if case.renewal_on else None
    return (1 - case.p_renew) * case.mrr * urgency(days)


def ordered(cases: Sequence[Case], as_of: date) -> list[Case]:
    """By color, the worst first; then by what is at risk, or else by MRR; then by
    renewal. Accounts without a color come last."""

    def key(case: Case) -> tuple[int, float, float, date, str]:
        at_risk = value_at_risk(case, as_of)
        return (
            _ORDER.get(case.color, len(_ORDER)),
            -(case.mrr if at_risk is None else at_risk),
            -case.mrr,
            case.renewal_on or date.max,
            case.account_id,
        )

    return sorted(cases, key=key)


def gap_to_green(
    parts: Sequence[Part], shares: Mapping[str, float], score: float, green: float
) -> dict[str, float]:
    """Points missing to green, and of them what each part could still give at most.

    In points of the score, the largest first; a part alone closes the gap where it
    has as much to give. Empty where there is no gap.
    """
    if score >= green:
        return {}
    known = [p for p in parts if p.value is not None and p.name != OVERRIDE]
    whole = sum(shares.get(p.name, 0.0) for p in known)
    left = {
        p.name: shares.get(p.name, 0.0) / whole * (100 - (p.value or 0.0))
        for p in known
        if whole
    }
    return dict(sorted(left.items(), key=lambda item: -item[1]))
