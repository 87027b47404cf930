"""One customer account as screens see it: a row of `account_measures`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from perennial.core.money import SCALE

Cuts = tuple[float, float, float]

COLORS = ("red", "orange", "yellow", "green")
#: Worst first; accounts without a score come last.
RANK = {color: n for n, color in enumerate(COLORS)}
#: From this share of the seats on an account is ready to expand (U11).
FULL = 0.90
#: Answers up to this one are detractors (F01).
DETRACTOR = 6


@dataclass(frozen=True, slots=True)
class Account:
    account_id: str
    as_of: date
    name: str
    segment: str | None
    plan: str | None
    country: str | None
    industry: str | None
    owner_email: str | None
    lifecycle_stage: str | None
    state: str
    created_at: datetime | None
    customer_since: date | None
    mrr: Decimal
    mrr_90d: Decimal
    renewal_on: date | None
    seats: int | None
    assigned_users: int | None
    active_users: int | None
    active_users_before: int | None
    logins_14d: int | None
    logins_14d_before: int | None
    last_seen_at: datetime | None
    last_touch_at: datetime | None
    nps_score: float | None
    nps_at: datetime | None
    open_tickets: int
    urgent_tickets: int
    score: float | None
    color: str
    status: str
    score_28d: float | None
    color_1d: str
    weeks: tuple[float | None, ...]
    cuts: Cuts

    @property
    def shown_score(self) -> int | None:
        return None if self.score is None else int(shown(self.score, self.cuts))

    @property
    def change_28d(self) -> int | None:
        """The difference of the scores as they are shown."""
        if self.score is None or self.score_28d is None:
            return None
        return int(shown(self.score, self.cuts) - shown(self.score_28d, self.cuts))

    @property
    def days_to_renewal(self) -> int | None:
        return None if self.renewal_on is None else (self.renewal_on - self.as_of).days

    @property
    def license_use(self) -> float | None:
        """Active users of 28 days by seats bought; over 1 where more are active."""
        if not self.seats or self.active_users is None:
            return None
        return self.active_users / self.seats

    @property
    def mrr_change(self) -> float | None:
        """Growth of MRR in 90 days, as a share of what it was."""
        return float((self.mrr - self.mrr_90d) / self.mrr_90d) if self.mrr_90d else None

    @property
    def is_risky(self) -> bool:
        return self.color in {"red", "orange"}

    @property
    def is_customer(self) -> bool:
        return self.state == "paying"


def color_of(score: float, cuts: Cuts) -> str:
    """The color of a score; the lower bound of each color belongs to it."""
    return COLORS[sum(score >= cut for cut in cuts)]


def shown(score: float, cuts: Cuts, places: int = 0) -> Decimal:
    """A score as it is shown: rounded half up, but never into the next color.

    79.96 is yellow and reads 79, because "80 Yellow" would contradict the cuts.
    """
    step = Decimal(1).scaleb(-places)
    exact = Decimal(str(score))
    rounded = (exact / step + Decimal("0.5")).to_integral_value("ROUND_FLOOR") * step
    if color_of(float(rounded), cuts) == color_of(score, cuts):
        return rounded
    return math.floor(exact / step) * step


def from_row(row: Mapping[str, Any], cuts: Cuts) -> Account:
    """An account from a row of `account_measures`; `cuts` are those without a score."""
    if row["health_cuts"]:
        orange, yellow, green = json.loads(row["health_cuts"])
        cuts = (orange, yellow, green)
    return Account(
        **{name: row[name] for name in _SAME},
        mrr=_money(row["mrr_e4"]),
        mrr_90d=_money(row["mrr_90d_e4"]),
        open_tickets=row["open_tickets"] or 0,
        urgent_tickets=row["urgent_tickets"] or 0,
        score=row["health_score"],
        color=row["health_color"] or "",
        status=row["health_status"] or "",
        score_28d=row["health_score_28d"],
        color_1d=row["health_color_1d"] or "",
        weeks=_weeks(row["health_weeks"]),
        cuts=cuts,
    )


def _money(units: int | None) -> Decimal:
    return Decimal(units or 0) / SCALE


def _weeks(text: str | None) -> tuple[float | None, ...]:
    return tuple(float(part) if part else None for part in (text or "").split(","))


_SAME = (
    "account_id",
    "as_of",
    "name",
    "segment",
    "plan",
    "country",
    "industry",
    "owner_email",
    "lifecycle_stage",
    "state",
    "created_at",
    "customer_since",
    "renewal_on",
    "seats",
    "assigned_users",
    "active_users",
    "active_users_before",
    "logins_14d",
    "logins_14d_before",
    "last_seen_at",
    "last_touch_at",
    "nps_score",
    "nps_at",
)
