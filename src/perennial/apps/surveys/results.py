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
#: Months of the trend.
_MONTHS: Final = 12
#: Days that pages speak of as they open, and each point of the trend.
USUAL_DAYS: Final = 90


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


Span = tuple[date, date]


def score(lake: Lake, kind: str, survey: str, start: date, end: date) -> Score:
    """The score of a survey over the days `[start, end)`."""
    return scores(lake, kind, survey, ((start, end),))[0]


@kept(*TABLES, size=512, shared=True)
def scores(
    lake: Lake, kind: str, survey: str, spans: tuple[Span, ...]
) -> tuple[Score, ...]:
    """The scores of several spans of days, that may overlap, asked at once."""
    evening = through_today(lake)
    found: dict[Span, Score] = {}
    for batch in _batches(spans):
        main = _over(evening, kind, survey, batch)
        more = _over(
            evening, kind, survey, batch, "promoters" if kind == "nps" else "mean"
        )
        for span in batch:
            found[span] = _score(kind, main.get(span[0], {}), more.get(span[0], {}))
    return tuple(found[span] for span in spans)


def _batches(spans: Sequence[Span]) -> list[list[Span]]:
    """Each span once, in groups in which no two begin on the same day."""
    batches: list[dict[date, Span]] = []
    for span in dict.fromkeys(spans):
        fits = (b for b in batches if span[0] not in b)
        batch = next(fits, None)
        if batch is None:
            batches.append(batch := {})
        batch[span[0]] = span
    return [list(batch.values()) for batch in batches]


def _over(
    evening: Lake, kind: str, survey: str, spans: Sequence[Span], variant: str = ""
) -> dict[date, dict[str, Any]]:
    """Rows of a metric by the first day of their span."""
    periods = [Period(*span) for span in spans]
    rows = evening.metric_over(
        kind, periods, where=where(survey), variant=variant or None
    ).rows
    return {row["period_start"]: row for row in rows.iter_rows(named=True)}


def _score(kind: str, main: dict[str, Any], more: dict[str, Any]) -> Score:
    """From the rows of a span: the value, and promoters or the mean beside it."""
    n = int(main.get("n") or 0)
    if kind != "nps":
        value = main.get("value")
        return Score(value, _margin(value, n), n, more.get("value"))
    good = int(more.get("numerator") or 0)
    bad = good - int(main.get("numerator") or 0)
    groups = (good, n - good - bad, bad)
    return Score(main.get("value"), nps_margin(good, bad, n), n, groups=groups)


def nps_margin(promoters: int, detractors: int, n: int) -> float | None:
    """Half of the 95 % interval of a Net Promoter Score, in points (F01)."""
    if not n:
        return None
    net = (promoters - detractors) / n
    spread = (promoters + detractors) / n - net * net
    return float(100 * 1.96 * max(spread, 0) ** 0.5 / n**0.5)


def _margin(share: float | None, n: int | None) -> float | None:
    """Half of the 95 % interval of a share."""
    if share is None or not n:
        return None
    return float(1.96 * (share * (1 - share) / n) ** 0.5)


@kept(*TABLES, size=512, shared=True)
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
    score: Score


@dataclass(frozen=True)
class Overview:
    """The score of the last days, of as many before, and its way through a year."""

    now: Score
    before: Score
    trend: list[Point]


def overview(lake: Lake, kind: str, survey: str, days: int) -> Overview:
    """What the head of the page says, in as few questions as can be."""
    span = span_of(days, lake.today)
    past, ends = before(span), _month_ends(lake.today + DAY)
    rolling = [(end - DAY * USUAL_DAYS, end) for end in ends]
    spans = ((span.start, span.end), (past.start, past.end), *rolling)
    now, then, *rest = scores(lake, kind, survey, spans)
    points = [Point(end, found) for end, found in zip(ends, rest, strict=True)]
    return Overview(now, then, points)


def _month_ends(end: date) -> list[date]:
    """The first days after each month of the last year, and after today."""
    month = floor(end, Grain.MONTH)
    ends = [add_months(month, -back) for back in range(_MONTHS - 1, -1, -1)]
    return [*ends, end] if end > month else ends


@dataclass(frozen=True)
class Part:
    """A group of people and what they say."""

    name: str | None
    score: Score


@kept(*TABLES, size=512, shared=True)
def parts(
    lake: Lake, kind: str, survey: str, by: str, start: date, end: date
) -> list[Part]:
    """The score by a dimension, those with most answers first."""
    asked: dict[str, Any] = {
        "start": start,
        "end": end,
        "where": where(survey),
        "by": [by],
    }
    evening = through_today(lake)
    rows = evening.metric(kind, **asked).rows
    more: dict[str | None, dict[str, Any]] = {}
    if kind == "nps":
        promoters = evening.metric("nps", variant="promoters", **asked).rows
        more = {row[by]: row for row in promoters.iter_rows(named=True)}
    rows = rows.filter(pl.col("n") > 0).sort("n", by, descending=[True, False])
    return [
        Part(row[by], _score(kind, row, more.get(row[by], {})))
        for row in rows.iter_rows(named=True)
    ]


def warm(lake: Lake, surveys: Sequence[tuple[str, str]]) -> None:
    """Have the pages of surveys, given by kind and name, ready before they are asked
    for: the usual 90 days."""
    span = span_of(USUAL_DAYS, lake.today)
    for kind, name in surveys:
        overview(lake, kind, name, USUAL_DAYS)
        rate(lake, name, span.start, span.end)
        parts(lake, kind, name, DIMENSIONS[0], span.start, span.end)
    kinds = tuple(sorted({kind for kind, _name in surveys}))
    lines(lake, kinds, span.start, span.end)


@dataclass(frozen=True)
class Line:
    """A survey in the list."""

    value: float | None
    n: int
    rate: float | None


@kept(*TABLES, size=64, shared=True)
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
