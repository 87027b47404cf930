"""What a survey found: every number is a metric's, of this survey alone.

Metrics speak of finished days. A survey is watched while answers come in, so it is
asked as if today were over: today's answers are in, and said to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, cast

import polars as pl

from perennial.apps.customers.kept import kept
from perennial.core.windows import DAY, Grain, Period, add_months, day_start, floor
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics import filters

TABLES: Final = (
    *("survey_responses", "survey_invites", "users", "accounts", "assignments"),
    "account_attributes",
)
#: What results are split by: the dimension.
DIMENSIONS: Final = (
    *("segment", "role", "owner_email", "touchpoint", "wave", "channel", "language"),
)
#: Months of the trend, and how far each point looks back.
_MONTHS: Final = 12
_ROLLING_DAYS: Final = 90


class _Evening:
    """The clock when today is over."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self, _zone: object = None) -> datetime:
        return self._at


def through_today(lake: Lake) -> Lake:
    """The workspace as if today were over."""
    at = day_start(lake.today + DAY, lake.settings.tz)
    clock = cast("type[datetime]", _Evening(at))
    return Lake(lake.lake, engine=lake.engine, clock=clock)


@dataclass(frozen=True)
class Score:
    """A score with its doubt; shares are of the answers that count.

    `value` is from −100 to 100 for NPS, else a share; `groups` are promoters, passives
    and detractors (NPS only), as counts.
    """

    value: float | None = None
    margin: float | None = None
    n: int = 0
    mean: float | None = None
    groups: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True)
class Rate:
    """Invitations that were answered, of those that arrived."""

    answered: int = 0
    delivered: int = 0

    @property
    def share(self) -> float | None:
        return self.answered / self.delivered if self.delivered else None


def where(survey: str) -> str:
    return f"survey = {filters.text(survey)}"


@kept(*TABLES, size=512)
def score(lake: Lake, kind: str, survey: str, start: date, end: date) -> Score:
    """The score of a survey over the days `[start, end)`."""
    asked: dict[str, Any] = {"start": start, "end": end, "where": where(survey)}
    evening = through_today(lake)
    if kind != "nps":
        main = evening.metric(kind, **asked).rows.row(0, named=True)
        mean = evening.metric(kind, variant="mean", **asked).rows.row(0, named=True)
        return Score(
            main["value"],
            _margin(main["value"], main["n"]),
            main["n"] or 0,
            mean["value"],
        )
    rows = {
        variant: evening.metric("nps", variant=variant, **asked).rows.row(0, named=True)
        for variant in ("respondent", "margin", "promoters", "detractors")
    }
    n = rows["respondent"]["n"] or 0
    good, bad = (int(rows[v]["numerator"] or 0) for v in ("promoters", "detractors"))
    return Score(
        rows["respondent"]["value"],
        rows["margin"]["value"],
        n,
        groups=(good, n - good - bad, bad),
    )


def _margin(share: float | None, n: int | None) -> float | None:
    """Half of the 95 % interval of a share."""
    if share is None or not n:
        return None
    return float(1.96 * (share * (1 - share) / n) ** 0.5)


@kept(*TABLES, size=512)
def rate(lake: Lake, survey: str, start: date, end: date) -> Rate:
    """The response rate of a survey over the days `[start, end)`."""
    row = through_today(lake).metric(
        "survey_response_rate", start=start, end=end, where=where(survey)
    )
    found = row.rows.row(0, named=True)
    return Rate(int(found["numerator"] or 0), int(found["denominator"] or 0))


@dataclass(frozen=True)
class Point:
    """The score of the 90 days before a day."""

    day: date
    value: float | None
    margin: float | None


@kept(*TABLES, size=256)
def trend(lake: Lake, kind: str, survey: str) -> list[Point]:
    """A point a month of the last year, and one for today."""
    evening = through_today(lake)
    month = floor(evening.today, Grain.MONTH)
    ends = [add_months(month, -back) for back in range(_MONTHS - 1, -1, -1)]
    ends += [evening.today] if evening.today > month else []
    spans = [Period(end - DAY * _ROLLING_DAYS, end) for end in ends]
    main = evening.metric_over(kind, spans, where=where(survey)).rows
    margins: dict[date, float | None] = {}
    if kind == "nps":
        doubt = evening.metric_over(
            kind, spans, where=where(survey), variant="margin"
        ).rows
        margins = dict(doubt.select("period_end", "value").iter_rows())
    return [
        Point(row["period_end"], row["value"], margins.get(row["period_end"]))
        if kind == "nps"
        else Point(row["period_end"], row["value"], _margin(row["value"], row["n"]))
        for row in main.sort("period_end").iter_rows(named=True)
    ]


@dataclass(frozen=True)
class Part:
    """A group of people and what they say."""

    name: str | None
    value: float | None
    margin: float | None
    n: int


@kept(*TABLES, size=512)
def parts(
    lake: Lake, kind: str, survey: str, by: str, start: date, end: date
) -> list[Part]:
    """The score by a dimension, those with most answers first."""
    asked: dict[str, Any] = {"start": start, "end": end, "where": where(survey)}
    evening = through_today(lake)
    rows = evening.metric(kind, by=[by], **asked).rows
    margins: dict[str | None, float | None] = {}
    if kind == "nps":
        doubt = evening.metric("nps", by=[by], variant="margin", **asked).rows
        margins = dict(doubt.select(by, "value").iter_rows())
    rows = rows.filter(pl.col("n") > 0).sort("n", by, descending=[True, False])
    return [
        Part(
            row[by],
            row["value"],
            margins.get(row[by]) if kind == "nps" else _margin(row["value"], row["n"]),
            row["n"],
        )
        for row in rows.iter_rows(named=True)
    ]


@dataclass(frozen=True)
class Line:
    """A survey in the list."""

    value: float | None
    n: int
    rate: float | None


@kept(*TABLES, size=64)
def lines(
    lake: Lake, kinds: tuple[str, ...], start: date, end: date
) -> dict[str, Line]:
    """Score, answers and response rate of every survey, by name."""
    evening = through_today(lake)
    asked: dict[str, Any] = {"start": start, "end": end, "by": ["survey"]}
    rates = evening.metric("survey_response_rate", **asked).rows
    by_rate = dict(rates.select("survey", "value").iter_rows())
    found = {}
    for kind in kinds:
        for row in evening.metric(kind, **asked).rows.iter_rows(named=True):
            if row["n"]:
                name = row["survey"]
                found[f"{kind}:{name}"] = Line(
                    row["value"], row["n"], by_rate.get(name)
                )
    return found


def is_change(now: Score, before: Score) -> bool:
    """Is the difference of two scores more than chance gives?"""
    if now.value is None or before.value is None:
        return False
    doubt = ((now.margin or 0) ** 2 + (before.margin or 0) ** 2) ** 0.5
    return bool(abs(now.value - before.value) > doubt)


def span_of(days: int, today: date) -> Period:
    """The last days with today, and today is not over."""
    return Period(today + DAY - timedelta(days=days), today + DAY)


def before(span: Period) -> Period:
    """The same number of days before."""
    return Period(span.start - (span.end - span.start), span.start)


def median_hours(spent: Sequence[timedelta]) -> float | None:
    """The time in the middle, in hours."""
    if not spent:
        return None
    every = sorted(each.total_seconds() / 3600 for each in spent)
    return every[len(every) // 2]
