"""Settings of a workspace that change numbers, with their defaults.

Source: section 17 of the metric reference. Values are stored, dated and audited
in the lake's `settings` table; this module knows what there is and what fits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from perennial.core import money, windows
from perennial.core.errors import BadValue, UnknownName

#: When a cancellation ends recurring revenue (R01).
CHURN_RECOGNITION = ("service_end", "cancel_effective", "cancel_requested")

#: What health may go by (H02).
COMPOSITE = "composite"
HEALTH_MODES = (COMPOSITE, "band", "calibrated")

JSON: TypeAlias = "str | int | float | bool | list[JSON] | dict[str, JSON] | None"


@dataclass(frozen=True)
class HealthTargets:
    """What is healthy enough for 100 points, and the weights (H01)."""

    active_days: float = 12
    minutes: float = 120
    breadth: float = 0.80
    coverage: float = 0.70
    events_per_session: float = 5
    growth: float = 0.20
    weights: tuple[float, float, float, float] = (0.30, 0.25, 0.30, 0.15)
    cuts: tuple[float, float, float] = (40, 60, 80)
    min_coverage: float = 0.50


def _setting(default: Any, about: str, *, least: float = 0, begins: str = "") -> Any:
    """`least`: the smallest number that makes sense; `begins`: a group of settings,
    which those that follow belong to."""
    said = {"about": about, "least": least, "begins": begins}
    return field(default=default, metadata=said)


@dataclass(frozen=True)
class Settings:
    """How this workspace counts. Immutable; `with_values` makes a changed copy."""

    timezone: str = _setting(
        "UTC", "Time zone that days and months belong to", begins="Calendar and money"
    )
    currency: str = _setting("USD", "Currency that money is added up in")
    week_start: int = _setting(1, "First day of the week", least=1)
    fiscal_year_start: int = _setting(1, "First month of the fiscal year", least=1)
    business_days: tuple[str, ...] = _setting(
        ("1", "2", "3", "4", "5"), "Working days, 1 is Monday"
    )
    business_hours: str = _setting("09:00-17:00", "Working hours, local time")
    holidays: tuple[str, ...] = _setting((), "Days nobody works, as dates")
    internal_domains: tuple[str, ...] = _setting(
        (),
        "Your own e-mail domains; their people are in no number",
        begins="Who and what counts",
    )
    customers_known_from: str = _setting(
        "", "First day of complete records of customers; empty: all are"
    )
    late_days: int = _setting(35, "Days an event may be late and still count")
    provisional_hours: int = _setting(72, "Hours a day can change after its end")
    owner_accounts: int = _setting(0, "Accounts one owner can look after; 0: no limit")
    session_timeout_s: int = _setting(
        1800, "Seconds without activity that end a session", least=1, begins="Use"
    )
    session_max_h: int = _setting(24, "Hours after which a session is cut", least=1)
    freq_daily: int = _setting(16, "Active days of 28 that make a daily user", least=1)
    freq_frequent: int = _setting(
        4, "Active days of 28 that make a frequent user", least=1
    )
    freq_min_days: int = _setting(14, "Days somebody must be known to be classified")
    wau_days: int = _setting(7, "Days of weekly active users", least=1)
    mau_days: int = _setting(30, "Days of monthly active users", least=1)
    adoption_habit_days: int = _setting(2, "Days of use that make a habit", least=1)
    unused_feature_days: int = _setting(
        90, "Days without use that make a feature unused", least=1
    )
    norm_share: float = _setting(
        0.5, "Share of light users from which light use is normal"
    )
    outlier_share: float = _setting(
        0.2, "Share of light users up to which they are outliers"
    )
    mad_z: float = _setting(3.5, "Robust z-score beyond which a value is an outlier")
    light_floor: float = _setting(0.25, "Share of the target below which use is light")
    dip_threshold: float = _setting(-0.2, "Change of use that is a dip", least=-1)
    dip_min_accounts: int = _setting(20, "Accounts a month of tenure needs", least=1)
    onboarding_days: int = _setting(
        30,
        "Days of an onboarding that has no end",
        least=1,
        begins="Onboarding and trials",
    )
    onboarding_stall_days: int = _setting(
        7, "Days without a step after which onboarding stands still", least=1
    )
    value_event: str = _setting("", "Event that shows the first value")
    trial_days: int = _setting(30, "Days a trial has to pay", least=1)
    freemium_days: int = _setting(90, "Days a free account has to pay", least=1)
    conversion_base_event: str = _setting(
        "", "Event of those who may convert", begins="Sales"
    )
    conversion_goal_event: str = _setting("", "Event that is the conversion")
    conversion_days: int = _setting(30, "Days there are to convert", least=1)
    funnel_steps: tuple[str, ...] = _setting((), "Events of the main funnel, in order")
    funnel_days: int = _setting(
        30, "Days from the first step of the funnel to the last", least=1
    )
    lead_stages: tuple[str, ...] = _setting(
        ("lead", "mql", "sql", "opportunity", "won"), "Stages of a lead, in order"
    )
    lead_lost_stages: tuple[str, ...] = _setting(
        ("lost",), "Stages in which a lead ends without being won"
    )
    dunning_days: int = _setting(
        30, "Days a customer stays one after a failed payment", begins="Revenue"
    )
    pause_churn_days: int = _setting(90, "Days of a pause after which it is churn")
    churn_recognition: str = _setting(
        "service_end",
        "When a cancellation counts: service_end, cancel_effective or cancel_requested",
    )
    month_close_days: int = _setting(
        3, "Days after its end that the MRR of a month is closed; -1: never", least=-1
    )
    renewal_grace_days: int = _setting(
        30, "Days within which a new contract is a renewal"
    )
    clv_churn_months: int = _setting(
        6, "Months the churn of a lifetime is taken from", least=1
    )
    clv_cap_months: int = _setting(60, "Months a lifetime has at most", least=1)
    clv_horizon_months: int = _setting(
        36, "Months a lifetime value looks ahead", least=1
    )
    clv_discount_month: float = _setting(
        0.008, "Discount of money for each month it is away"
    )
    health_mode: str = _setting(
        COMPOSITE,
        "What health goes by: composite (the scorecard), band (use of the power "
        "feature) or calibrated (the chance of renewal)",
        begins="Power feature and renewals",
    )
    pf_window_days: int = _setting(
        90, "Days of use before a decision that are looked at", least=1
    )
    pf_gap_days: int = _setting(30, "Last days before a decision that are not")
    pf_min_class: int = _setting(20, "Stayers, and leavers, an analysis needs", least=1)
    pf_min_auc: float = _setting(0.6, "AUC from which a feature separates")
    pf_min_adoption: float = _setting(0.3, "Share of stayers who have to use a feature")
    pf_fdr: float = _setting(0.05, "q-value below which a difference counts")
    band_alpha: float = _setting(10, "Decisions a band is drawn to the mean by")
    band_min_n: int = _setting(30, "Decisions a band needs", least=1)
    band_min_class: int = _setting(5, "Stayers, and leavers, a band needs", least=1)
    band_cuts: tuple[str, ...] = _setting(
        ("0.55", "0.65", "0.75"),
        "Chances from which a band is orange, yellow and green",
    )
    ece_max: float = _setting(0.05, "Calibration error a model may have")
    psi_watch: float = _setting(
        0.1, "Population stability index from which use is watched"
    )
    psi_shift: float = _setting(
        0.25, "Population stability index from which use has shifted"
    )
    nps_window_days: int = _setting(
        90, "Days an NPS looks back", least=1, begins="Surveys and support"
    )
    ces_positive_from: int = _setting(
        5, "Score of 7 from which effort was low", least=1
    )
    fcr_window_days: int = _setting(
        7, "Days within which a repeat breaks first contact resolution"
    )
    email_unanswered_hours: int = _setting(
        72, "Hours after which an e-mail is unanswered", least=1
    )
    apdex_t_ms: int = _setting(
        500, "Milliseconds in which a request satisfies", least=1, begins="Service"
    )
    partial_outage_weight: float = _setting(
        0.3, "Weight of the downtime of a partial outage"
    )
    maintenance_notice_hours: int = _setting(
        48, "Hours of notice that make maintenance planned"
    )
    ignored_endpoints: tuple[str, ...] = _setting(
        ("/health", "/healthz", "/livez", "/metrics", "/ping", "/readyz"),
        "Endpoints only machines ask, whose requests are in no number",
    )
    experience_window_days: int = _setting(
        90, "Days an experience is judged by", least=1, begins="Appropriate experience"
    )
    experience_onboarding_days: int = _setting(
        14, "Days in which onboarding is done in time", least=1
    )
    experience_response_ms: int = _setting(
        2000, "Milliseconds in which 95 of 100 requests are answered", least=1
    )
    experience_fcr: float = _setting(0.6, "First contact resolution that is enough")
    experience_topics: tuple[str, ...] = _setting(
        ("confusing", "overload"), "Topics of comments that tell of a bad experience"
    )
    experience_topic_share: float = _setting(
        0.2, "Share of comments on them that is too much"
    )
    experience_pass: float = _setting(0.75, "Share of criteria an experience meets")
    experience_criteria: int = _setting(
        2, "Criteria an experience is judged by at least", least=1
    )
    health: HealthTargets = field(default_factory=HealthTargets)

    def __post_init__(self) -> None:
        windows.zone(self.timezone)
        object.__setattr__(self, "currency", money.currency(self.currency))
        if self.week_start not in range(1, 8):
            raise BadValue("week_start is an ISO weekday, 1 (Monday) to 7")
        if self.fiscal_year_start not in range(1, 13):
            raise BadValue("fiscal_year_start is a month, 1 to 12")
        windows.Schedule.of(self.business_days, self.business_hours, self.holidays)
        if self.churn_recognition not in CHURN_RECOGNITION:
            raise BadValue(f"churn_recognition is {' or '.join(CHURN_RECOGNITION)}")
        if self.health_mode not in HEALTH_MODES:
            raise BadValue(f"health_mode is {' or '.join(HEALTH_MODES)}")
        if self.freq_frequent > self.freq_daily:
            raise BadValue("freq_frequent is not more than freq_daily")
        _ = self.known_from, self.chances  # raise where they are not what they say

    @property
    def tz(self) -> ZoneInfo:
        return windows.zone(self.timezone)

    @property
    def session_gap(self) -> timedelta:
        return timedelta(seconds=self.session_timeout_s)

    @property
    def session_longest(self) -> timedelta:
        return timedelta(hours=self.session_max_h)

    @property
    def known_from(self) -> date:
        """`customers_known_from` as a date, the first there is without one."""
        try:
            return date.fromisoformat(self.customers_known_from or "0001-01-01")
        except ValueError:
            raise BadValue(
                f"customers_known_from is a date, not {self.customers_known_from!r}"
            ) from None

    @property
    def chances(self) -> tuple[float, ...]:
        """`band_cuts` as numbers."""
        try:
            found = tuple(float(cut) for cut in self.band_cuts)
        except ValueError:
            found = ()
        if len(found) != 3 or not 0 < found[0] < found[1] < found[2] < 1:
            raise BadValue("band_cuts are three rising chances between 0 and 1")
        return found

    @property
    def calendar(self) -> windows.Calendar:
        return windows.Calendar(self.week_start, self.fiscal_year_start)

    @property
    def schedule(self) -> windows.Schedule:
        return windows.Schedule.of(
            self.business_days, self.business_hours, self.holidays
        )

    def with_values(self, values: Mapping[str, JSON]) -> Settings:
        """A copy with these settings; raises on unknown names and bad values."""
        known = {f.name: f for f in fields(self)}
        changes: dict[str, object] = {}
        for name, value in values.items():
            if name not in known:
                raise UnknownName("setting", name, sorted(known))
            made = changes[name] = _parsed(name, value, getattr(self, name))
            least = known[name].metadata.get("least", 0)
            if isinstance(made, (int, float)) and not least <= made < math.inf:
                raise BadValue(f"{name} must be a number from {least} on")
        return replace(self, **changes)  # type: ignore[arg-type]


def groups() -> dict[str, list[str]]:
    """Names of settings by what they are about, in order; `health`, which is a
    scorecard's, is in none."""
    found: dict[str, list[str]] = {}
    for each in fields(Settings):
        if begins := each.metadata.get("begins"):
            found[begins] = []
        if each.name != "health":
            found[next(reversed(found))].append(each.name)
    return found


def written(value: object) -> str:
    """A setting as people write it; `with_values` reads it."""
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def about(name: str) -> str:
    """What a setting is, in words."""
    return str(Settings.__dataclass_fields__[name].metadata["about"])


def _parsed(name: str, value: JSON, current: object) -> object:
    if isinstance(current, HealthTargets):
        return _health(value)
    if isinstance(current, tuple) and isinstance(value, str):
        value = [item.strip() for item in re.split(r"[,\n]", value) if item.strip()]
    if isinstance(current, tuple) and isinstance(value, list):
        return tuple(str(item) for item in value)
    if isinstance(current, float) and isinstance(value, (int, float, str)):
        try:
            return float(value)
        except ValueError:
            raise BadValue(f"{name} must be a number, not {value!r}") from None
    if isinstance(current, int) and isinstance(value, (int, str)):
        try:
            return int(value)
        except ValueError:
            raise BadValue(f"{name} must be a whole number, not {value!r}") from None
    if isinstance(current, str) and isinstance(value, str):
        return value
    raise BadValue(f"{name} cannot be {value!r}")


def _health(value: JSON) -> HealthTargets:
    if not isinstance(value, dict):
        raise BadValue("health must be an object of targets")
    known = {f.name for f in fields(HealthTargets)}
    if unknown := set(value) - known:
        raise UnknownName("health target", min(unknown), sorted(known))
    return HealthTargets(
        **{k: tuple(v) if isinstance(v, list) else v for k, v in value.items()}  # type: ignore[arg-type]
    )
