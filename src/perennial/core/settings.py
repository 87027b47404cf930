"""Settings of a workspace that change numbers, with their defaults.

Source: section 17 of the metric reference. Values are stored, dated and audited
in the lake's `settings` table; this module knows what there is and what fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TypeAlias
from zoneinfo import ZoneInfo

from perennial.core import money, windows
from perennial.core.errors import BadValue, UnknownName

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


@dataclass(frozen=True)
class Settings:
    """How this workspace counts. Immutable; `with_values` makes a changed copy."""

    timezone: str = "UTC"
    currency: str = "USD"
    week_start: int = 1
    session_timeout_s: int = 1800
    session_max_h: int = 24
    late_days: int = 35
    freq_daily: int = 16
    freq_frequent: int = 4
    freq_min_days: int = 14
    adoption_habit_days: int = 2
    onboarding_days: int = 30
    dunning_days: int = 30
    provisional_hours: int = 72
    internal_domains: tuple[str, ...] = ()
    health: HealthTargets = field(default_factory=HealthTargets)

    def __post_init__(self) -> None:
        windows.zone(self.timezone)
        object.__setattr__(self, "currency", money.currency(self.currency))
        if self.week_start not in range(1, 8):
            raise BadValue("week_start is an ISO weekday, 1 (Monday) to 7")

    @property
    def tz(self) -> ZoneInfo:
        return windows.zone(self.timezone)

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
