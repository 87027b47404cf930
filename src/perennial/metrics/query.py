"""What is asked of a metric, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from perennial.core.errors import BadValue, UnknownName
from perennial.core.settings import Settings
from perennial.core.windows import DAY, Grain, Period, periods
from perennial.metrics.registry import Metric

Params = Mapping[str, str]

#: A hundred years of days: no parameter that is a count is larger.
_MOST = 36_525
_FLAGS = {"": False, "0": False, "false": False, "1": True, "true": True}


@dataclass(frozen=True)
class Query:
    """One question: which metric, over which local days, split by what.

    `periods` are the rows asked for, oldest first; `today` is the first local day
    that is not over: it is part of no number but a count of that day alone (G2).
    `where` is a condition on attributes, as text. `as_of` is the first local day the
    answer must know nothing of, where one was given.
    """

    metric: Metric
    periods: tuple[Period, ...]
    grain: Grain
    now: datetime
    today: date
    settings: Settings
    by: tuple[str, ...] = ()
    where: str | None = None
    variant: str = ""
    params: Params = field(default_factory=dict)
    as_of: date | None = None

    @property
    def horizon(self) -> date:
        """The first local day nothing is known of.

        Cohorts are chosen by the periods and followed up to here.
        """
        return min(self.as_of or self.today, self.today)

    @property
    def keys(self) -> list[str]:
        """The columns that identify a row of the answer."""
        return ["period_start", *self.by]

    def number(self, name: str, default: float) -> float:
        """A parameter that is a number; raises `BadValue`."""
        try:
            return float(self.params.get(name, default))
        except ValueError:
            raise BadValue(
                f"{name} must be a number, not {self.params[name]!r}"
            ) from None

    def count(self, name: str, default: int) -> int:
        """A parameter that is a whole number, not below zero; raises `BadValue`."""
        number = self.number(name, default)
        if not 0 <= number <= _MOST or number != int(number):
            raise BadValue(f"{name} must be a whole number, not {self.params[name]!r}")
        return int(number)

    def flag(self, name: str) -> bool:
        """A parameter that is yes or no, no without it; raises `BadValue`."""
        said = self.params.get(name, "").lower()
        if said not in _FLAGS:
            raise BadValue(f"{name} must be 1 or 0, not {self.params[name]!r}")
        return _FLAGS[said]

    def listed(self, name: str) -> list[str]:
        """A parameter that is a list, separated by commas; empty without it."""
        parts = self.params.get(name, "").split(",")
        return [part.strip() for part in parts if part.strip()]

    @property
    def span(self) -> Period | None:
        """From the first to the last day of the periods that is over; None without."""
        done = [d for period in self.periods if (d := self.complete(period))]
        if not done:
            return None
        return Period(min(d.start for d in done), max(d.end for d in done))

    def complete(self, period: Period) -> Period | None:
        """The part of a period whose days are over; None when none is.

        A count of today alone is told as far as it goes: events are seen as they
        come, and its status says that it is provisional.
        """
        today = Period(self.today, self.today + DAY)
        is_count = self.metric.theme == "usage" and self.metric.unit == "count"
        if period == today and is_count and self.variant not in self.metric.ratios:
            return today
        end = min(period.end, self.today)
        return Period(period.start, end) if end > period.start else None


def ask(
    metric: Metric,
    *,
    now: datetime,
    settings: Settings,
    start: date | None = None,
    end: date | None = None,
    as_of: date | None = None,
    grain: str = "total",
    by: tuple[str, ...] = (),
    where: str | None = None,
    variant: str | None = None,
    params: Params | None = None,
) -> Query:
    """A checked `Query`.

    `as_of` D speaks of everything before local day D, over the metric's trailing
    window; `start`/`end` are half-open. With neither, it is today's answer.
    Raises `BadValue` where the parts do not fit together.
    """
    if as_of is not None and (start is not None or end is not None):
        raise BadValue("give either as_of, or start and end")
    today = now.astimezone(settings.tz).date()
    try:
        cut = Grain(grain)
    except ValueError:
        raise BadValue(f"unknown grain {grain!r}; known: {', '.join(Grain)}") from None
    if start is None:
        as_of = end = as_of or end or today
        spans: tuple[Period, ...] = (Period(end - DAY * metric.window(settings), end),)
        cut = Grain.TOTAL
    else:
        end = end or today
        if end <= start:
            raise BadValue(f"end must be after start: {start}..{end}")
        spans = periods(start, end, cut, settings.calendar)
    return Query(
        metric=metric,
        periods=spans,
        grain=cut,
        now=now,
        today=today,
        settings=settings,
        by=by,
        where=where,
        variant=metric.variant(variant),
        params=_known(metric, params or {}),
        as_of=as_of,
    )


def _known(metric: Metric, params: Params) -> Params:
    for name in params:
        if name not in metric.takes:
            raise UnknownName(f"parameter of {metric.key}", name, list(metric.takes))
    return dict(params)
