"""What a page of metrics is asked for, as its address has it.

A period is one of `PERIODS`, or days of its own: "2026-08-01..2026-09-01", half-open.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import parse_qsl, urlencode

from babel.dates import format_date
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from perennial.core.windows import (
    DAY,
    Calendar,
    Grain,
    Period,
    add_months,
    floor,
    following,
    months_between,
)
from perennial.metrics import filters
from perennial.metrics.dimensions import IN_SEGMENT
from perennial.metrics.registry import Metric
from perennial.ui.formats import Regional

Text = str | Promise

#: Months of a period; None: the last 28 days.
PERIODS: dict[str, tuple[Text, int | None]] = {
    "28d": (_("Last 28 days"), None),
    "month": (_("Last month"), 1),
    "3m": (_("Last 3 months"), 3),
    "12m": (_("Last 12 months"), 12),
}
COMPARISONS: dict[str, Text] = {
    "previous": _("Previous period"),
    "year": _("Previous year"),
}
GRAINS: dict[str, Text] = {
    "day": _("Day"),
    "week": _("Week"),
    "month": _("Month"),
    "quarter": _("Quarter"),
}
DEFAULT = "28d"
#: The same weekdays a year ago.
YEAR = DAY * 364
#: Days of one's own are no more than so many, and not before this one.
_LONGEST, _FIRST = DAY * 3660, date(1990, 1, 1)


@dataclass(frozen=True)
class Asked:
    """The address of a page; what is not in it has the default."""

    period: str = DEFAULT
    compare: str = "previous"
    segment: str = ""
    member_of: str = ""
    filter: str = ""
    grain: str = ""
    variant: str = ""
    by: str = ""
    rows: str = ""
    board: str = ""
    params: str = ""

    @property
    def given(self) -> list[tuple[str, str]]:
        """The metric's parameters that are set, with their values."""
        return parse_qsl(self.params)

    def url(self, **changes: str) -> str:
        """The query of this page with something else asked for; "?" for nothing."""
        asked, plain = vars(replace(self, **changes)), vars(Asked())
        return "?" + urlencode({k: v for k, v in asked.items() if v != plain[k]})

    @property
    def board_url(self) -> str:
        return replace(self.of_whom, board=self.board).url()

    @property
    def of_whom(self) -> Asked:
        """The same period, comparison and customers, and nothing else."""
        kept = ("period", "compare", "segment", "member_of", "filter")
        return Asked(**{name: getattr(self, name) for name in kept})

    @property
    def tile_url(self) -> str:
        return replace(self.of_whom, variant=self.variant, board=self.board).url()

    @property
    def where(self) -> str | None:
        """Customers of a segment they are given, or that is saved as a condition, who
        meet the filter."""
        asked = (("segment", self.segment), (IN_SEGMENT, self.member_of))
        parts = [f"{name} = {filters.text(value)}" for name, value in asked if value]
        if self.filter:
            parts.append(filters.joined(filters.parts(self.filter)))
        return " and ".join(parts) or None


def parse(query: QueryDict) -> Asked:
    """What is not known is left out: the page says what it shows.

    `from` and `to`, as a form sends them, are both inside the period; parameters of
    the metric come as `params`, or from a form each as `p.` and its name.
    """
    compare = query.get("compare", "")
    period = query.get("period", "")
    if own := _between(query.get("from", ""), query.get("to", "")):
        period = written(own)
    typed = {name[2:]: v for name, v in query.items() if name.startswith("p.") and v}
    return Asked(
        params=urlencode(typed) if typed else query.get("params", ""),
        period=period if period in PERIODS or days_of(period) else DEFAULT,
        compare=compare if compare in COMPARISONS else "previous",
        segment=query.get("segment", ""),
        member_of=query.get("member_of", ""),
        filter=query.get("filter", ""),
        grain=grain if (grain := query.get("grain", "")) in GRAINS else "",
        variant=query.get("variant", ""),
        by=query.get("by", ""),
        rows=query.get("rows", ""),
        board=query.get("board", ""),
    )


def written(period: Period) -> str:
    """Days of one's own as they stand in an address."""
    return f"{period.start}..{period.end}"


def days_of(name: str) -> Period | None:
    """The days of one's own that an address names; None where it names none."""
    first, dots, after = name.partition("..")
    try:
        start, end = date.fromisoformat(first), date.fromisoformat(after)
    except ValueError:
        return None
    is_known = dots and _FIRST <= start < end <= start + _LONGEST
    return Period(start, end) if is_known else None


def _between(first: str, last: str) -> Period | None:
    try:
        after = date.fromisoformat(last) + DAY
    except (ValueError, OverflowError):
        return None
    return days_of(f"{first}..{after}")


def period_of(name: str, today: date) -> Period:
    """The days a period speaks of; those that have a name are complete."""
    if own := days_of(name):
        return own
    months = PERIODS[name][1]
    if months is None:
        return Period(today - DAY * 28, today)
    end = floor(today, Grain.MONTH)
    return Period(add_months(end, -months), end)


def before(name: str, period: Period, compare: str) -> Period:
    """The period to compare with: the one before, or a year ago."""
    months = 0 if name == DEFAULT else _whole_months(period)
    if not months:
        shift = YEAR if compare == "year" else DAY * period.days
        return Period(period.start - shift, period.end - shift)
    back = 12 if compare == "year" else months
    return Period(add_months(period.start, -back), add_months(period.end, -back))


def _whole_months(period: Period) -> int:
    """How many calendar months a period is; 0 where it is not made of such."""
    if period.start.day != 1 or period.end.day != 1:
        return 0
    return months_between(period.start, period.end)


def _is_long(name: str) -> bool:
    """Is it seen by the month rather than by the day?"""
    own = days_of(name)
    return own.days > 200 if own else name == "12m"


def _is_quarter(name: str) -> bool:
    own = days_of(name)
    return own.days > 45 if own else name == "3m"


def grains_of(metric: Metric) -> list[str]:
    """Those of the metric; a share of a period's users says nothing of a day."""
    known = [grain for grain in GRAINS if grain in metric.grains]
    is_of_period = metric.unit in {"ratio", "days"} and not metric.stock
    return [g for g in known if g != "day"] if is_of_period else known


def grain_of(asked: Asked, metric: Metric) -> str:
    """The grain asked for, or the one that suits metric and period."""
    known = grains_of(metric)
    if asked.grain in known:
        return asked.grain
    if metric.stock or _is_long(asked.period):
        wanted = "month"
    else:
        wanted = "week" if _is_quarter(asked.period) else "day"
    return wanted if wanted in known else "month"


#: How far a chart looks back, by grain and by the months of the period.
_BARS = {"week": (26, 52), "month": (13, 13), "quarter": (8, 8)}


def chart_span(asked: Asked, metric: Metric, period: Period, grain: str) -> Period:
    """What the chart shows: it ends with the period, and is never a single point."""
    if grain == "day":
        return Period(min(period.start, period.end - DAY * 7), period.end)
    cut = Grain(grain)
    last = floor(period.end, cut)
    bars = _BARS[grain][_is_long(asked.period)]
    if metric.stock and last < period.end:
        last = following(last, cut)
    start = _back(last, cut, bars)
    return Period(start, min(last, period.end))


def _back(day: date, grain: Grain, steps: int) -> date:
    if grain is Grain.WEEK:
        return day - DAY * 7 * steps
    return add_months(day, -steps * (3 if grain is Grain.QUARTER else 1))


def chart_before(asked: Asked, span: Period, grain: str) -> Period:
    """The comparison line: as long as the chart, and so many steps earlier."""
    cut = Grain(grain)
    if asked.compare == "year":
        if grain in {"day", "week"}:
            return Period(span.start - YEAR, span.end - YEAR)
        return Period(add_months(span.start, -12), add_months(span.end, -12))
    if grain == "day":
        return before(asked.period, span, "previous")
    steps = 0
    at = span.start
    while at < span.end:
        at, steps = following(at, cut), steps + 1
    start = _back(span.start, cut, steps)
    return Period(start, span.start)


def usual(today: date, calendar: Calendar) -> list[tuple[Text, Period]]:
    """Periods people report by, beside those that move with the day."""
    quarter, year = (floor(today, g, calendar) for g in (Grain.QUARTER, Grain.YEAR))
    month = floor(today, Grain.MONTH)
    found: list[tuple[Text, Period]] = [
        (_("Last quarter"), Period(add_months(quarter, -3), quarter)),
        (_("Last fiscal year"), Period(add_months(year, -12), year)),
    ]
    if year < month:
        found.insert(1, (_("Fiscal year so far"), Period(year, month)))
    return found


def history(today: date) -> Period:
    """The 13 complete months of a sparkline."""
    end = floor(today, Grain.MONTH)
    return Period(add_months(end, -13), end)


def dates(period: Period, regional: Regional) -> str:
    """ "26 Oct – 22 Nov 2026", "Oct 2026", "Aug – Oct 2026"."""
    last = period.end - DAY
    if period.start.day == 1 and period.end.day == 1:
        return _spanned(period.start, last, "MMM", regional)
    pattern = "d. MMM" if regional.locale == "de" else "d MMM"
    return _spanned(period.start, last, pattern, regional)


def _spanned(first: date, last: date, pattern: str, regional: Regional) -> str:
    whole = f"{pattern} y"
    end = format_date(last, whole, regional.locale)
    same_year = first.year == last.year
    start = format_date(first, pattern if same_year else whole, regional.locale)
    if (same_year and start == format_date(last, pattern, regional.locale)) or (
        start == end
    ):
        return str(end)
    return f"{start} – {end}"


def fitting(asked: Asked, metric: Metric) -> Asked:
    """Without what this metric does not have."""
    variant = asked.variant if asked.variant in metric.variants else ""
    if variant == next(iter(metric.variants), ""):
        variant = ""
    grain = asked.grain if asked.grain in metric.grains else ""
    return Asked(**{**vars(asked), "variant": variant, "grain": grain})
