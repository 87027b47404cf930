"""Settings of a workspace that change numbers, with their defaults.

Source: section 17 of the metric reference. Values are stored, dated and audited
in the lake's `settings` table; this module knows what there is and what fits.
"""

from __future__ import annotations

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


def _setting(default: Any, about: str) -> Any:
    return field(default=default, metadata={"about": about})


@dataclass(frozen=True)
class Settings:
    """How this workspace counts. Immutable; `with_values` makes a changed copy."""

    timezone: str = _setting("UTC", "IANA zone that days and months belong to")
    currency: str = _setting("USD", "ISO 4217 code that money is added up in")
    week_start: int = _setting(1, "weekday a week begins on, 1 is Monday")
    fiscal_year_start: int = _setting(1, "month a fiscal year begins with")
    business_days: tuple[str, ...] = _setting(
        ("1", "2", "3", "4", "5"), "weekdays worked, 1 is Monday"
    )
    business_hours: str = _setting("09:00-17:00", "local hours worked on those days")
    holidays: tuple[str, ...] = _setting((), "dates nobody works on")
    internal_domains: tuple[str, ...] = _setting(
        (), "e-mail domains of one's own people, who are in no number"
    )
    session_timeout_s: int = _setting(1800, "a longer gap begins a new session")
    session_max_h: int = _setting(24, "a session is cut at this length")
    late_days: int = _setting(35, "later events are stored and not counted")
    provisional_hours: int = _setting(72, "how long a day can still change")
    freq_daily: int = _setting(16, "active days in 28 of a daily user")
    freq_frequent: int = _setting(4, "active days in 28 of a frequent user")
    freq_min_days: int = _setting(14, "fewer days are not classified")
    wau_days: int = _setting(7, "window of weekly active users")
    mau_days: int = _setting(30, "window of monthly active users")
    adoption_habit_days: int = _setting(2, "days of use that make a habit")
    unused_feature_days: int = _setting(90, "after which a feature may be unused")
    norm_share: float = _setting(0.5, "share of light users from which that is normal")
    outlier_share: float = _setting(0.2, "share of light users up to which few are")
    mad_z: float = _setting(3.5, "robust z-score beyond which a value is an outlier")
    light_floor: float = _setting(0.25, "share of the target below which use is light")
    dip_threshold: float = _setting(-0.2, "a fall that is a dip")
    dip_min_accounts: int = _setting(20, "accounts a month of tenure needs")
    onboarding_days: int = _setting(30, "length of an onboarding without an end")
    onboarding_stall_days: int = _setting(7, "without a step: stalled")
    dunning_days: int = _setting(30, "a failed payment is a customer so long")
    pause_churn_days: int = _setting(90, "a longer pause is churn")
    churn_recognition: str = _setting(
        "service_end",
        "when a cancellation counts: service_end, cancel_effective or cancel_requested",
    )
    month_close_days: int = _setting(
        3, "days after its end that a month's MRR is closed; -1: never"
    )
    customers_known_from: str = _setting(
        "",
        "first day of complete records: those who had left before are not in them; "
        "empty: all are",
    )
    renewal_grace_days: int = _setting(30, "a successor within them is a renewal")
    health_mode: str = _setting(
        COMPOSITE,
        "what colors customers: composite (the scorecard), band (use of the power "
        "feature) or calibrated (the chance of renewal)",
    )
    pf_window_days: int = _setting(
        90, "days of use before a decision that are looked at"
    )
    pf_gap_days: int = _setting(30, "days before a decision that are not")
    pf_min_class: int = _setting(20, "stayers, and leavers, an analysis needs")
    pf_min_auc: float = _setting(0.6, "AUC from which a feature separates")
    pf_min_adoption: float = _setting(0.3, "share of stayers that has to use a feature")
    pf_fdr: float = _setting(0.05, "q-value below which a difference counts")
    band_alpha: float = _setting(10, "decisions a band is drawn to the mean by")
    band_min_n: int = _setting(30, "decisions a band needs")
    band_min_class: int = _setting(5, "stayers, and leavers, a band needs")
    band_cuts: tuple[str, ...] = _setting(
        ("0.55", "0.65", "0.75"), "chances a band is orange, yellow, green from"
    )
    ece_max: float = _setting(0.05, "calibration error a model may have")
    psi_watch: float = _setting(0.1, "shift of a distribution to be watched")
    psi_shift: float = _setting(0.25, "shift of a distribution that is one")
    clv_churn_months: int = _setting(6, "months the churn of a lifetime is taken from")
    clv_cap_months: int = _setting(60, "no lifetime is longer than this")
    clv_horizon_months: int = _setting(36, "how far a lifetime value looks ahead")
    clv_discount_month: float = _setting(0.008, "discount of money a month away")
    nps_window_days: int = _setting(90, "days an NPS looks back")
    ces_positive_from: int = _setting(5, "score of 7 from which effort was low")
    fcr_window_days: int = _setting(7, "a repeat within them breaks first contact")
    email_unanswered_hours: int = _setting(72, "after which an e-mail is unanswered")
    conversion_base_event: str = _setting("", "event of those who may convert")
    conversion_goal_event: str = _setting("", "event that is the conversion")
    conversion_days: int = _setting(30, "time to convert")
    trial_days: int = _setting(30, "time a trial has to pay")
    freemium_days: int = _setting(90, "time a free account has to pay")
    funnel_days: int = _setting(30, "time from the first step to the last")
    funnel_steps: tuple[str, ...] = _setting((), "events of the main funnel, in order")
    lead_stages: tuple[str, ...] = _setting(
        ("lead", "mql", "sql", "opportunity", "won"), "stages of a lead, in order"
    )
    lead_lost_stages: tuple[str, ...] = _setting(
        ("lost",), "stages a lead ends in without being won"
    )
    value_event: str = _setting("", "event that shows the first value")
    apdex_t_ms: int = _setting(500, "a request this fast satisfies")
    partial_outage_weight: float = _setting(0.3, "downtime of a partial outage")
    maintenance_notice_hours: int = _setting(
        48, "notice that makes maintenance planned"
    )
    ignored_endpoints: tuple[str, ...] = _setting(
        ("/health", "/healthz", "/livez", "/metrics", "/ping", "/readyz"),
        "endpoints only machines ask, whose requests are in no number",
    )
    experience_window_days: int = _setting(90, "days an experience is judged by")
    experience_onboarding_days: int = _setting(14, "onboarding done in time")
    experience_response_ms: int = _setting(2000, "95 of 100 requests are this fast")
    experience_fcr: float = _setting(0.6, "first contact resolution that is enough")
    experience_topics: tuple[str, ...] = _setting(
        ("confusing", "overload"), "topics of comments that tell of a bad experience"
    )
    experience_topic_share: float = _setting(0.2, "share of comments on them: too many")
    experience_pass: float = _setting(0.75, "share of criteria an experience meets")
    experience_criteria: int = _setting(2, "criteria an experience is judged by")
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
        if self.month_close_days < -1:
            raise BadValue("month_close_days is a number of days, or -1 for never")
        _ = self.known_from  # raises where it is no date

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
            changes[name] = _parsed(name, value, getattr(self, name))
        return replace(self, **changes)  # type: ignore[arg-type]


def _parsed(name: str, value: JSON, current: object) -> object:
    if isinstance(current, HealthTargets):
        return _health(value)
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
