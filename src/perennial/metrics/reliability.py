"""How the product itself runs: T01 to T04 of the reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise

import ibis
import ibis.expr.types as ir
import polars as pl

from perennial.core.settings import Settings
from perennial.core.windows import day_start
from perennial.metrics.durations import seconds_between, summary
from perennial.metrics.inputs import Inputs
from perennial.metrics.query import Query
from perennial.metrics.registry import ACCOUNT_DIMENSIONS, metric

_REQUESTS = ("request_days",)
_DIMENSIONS = (*ACCOUNT_DIMENSIONS, "endpoint")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# Requests


def requests(t: Inputs) -> ir.Table:
    """Requests of customers by day, account, endpoint, outcome and duration.

    Without those that machines ask to see whether the product is alive.
    """
    rows = t.request_days
    ignored = [endpoint.lower() for endpoint in t.query.settings.ignored_endpoints]
    if not ignored:
        return rows
    return rows.filter(~rows.endpoint.lower().isin(ignored).fill_null(False))


def answered(rows: ir.Table) -> ir.Table:
    """Requests that did not fail and whose duration is known."""
    return rows.filter((rows.outcome != "failed") & rows.duration_ms.notnull())


@metric(
    title="Error rate",
    theme="product",
    unit="ratio",
    formula="requests with status 5xx or without an answer / requests",
    example="37 of 10000 requests failed: 37 / 10000 = 0.0037",
    source="T01",
    reads=_REQUESTS,
    dimensions=_DIMENSIONS,
    good="down",
    caveats=(
        "A request without an answer has status 0. Health checks are left out by their "
        "endpoint, see the setting ignored_endpoints."
    ),
)
def error_rate(t: Inputs, q: Query) -> ir.Table:
    """Share of requests the product failed to answer; requests it refused (4xx) are
    no errors."""
    rows = t.in_periods(requests(t))
    failed = ibis.cases((rows.outcome == "failed", rows.requests), else_=0)
    return rows.group_by(q.keys).agg(
        numerator=failed.sum(), denominator=rows.requests.sum(), n=rows.requests.sum()
    )


@metric(
    title="Response time",
    theme="product",
    unit="milliseconds",
    formula="what half of the requests stay below, by nearest rank",
    example="of 5 requests the third fastest took 105 milliseconds: median(98, 101, 105, 140, 3000) = 105",
    source="T03",
    reads=_REQUESTS,
    dimensions=_DIMENSIONS,
    good="down",
    variants={
        "p50": "what half of the requests stay below",
        "p75": "what 75 of 100 requests stay below",
        "p90": "what 90 of 100 requests stay below",
        "p95": "what 95 of 100 requests stay below",
        "p99": "what 99 of 100 requests stay below",
    },
    caveats=(
        "Failed requests are left out. Durations over ten seconds are kept to four "
        "digits. Percentiles of parts cannot be averaged: ask for the whole."
    ),
)
def response_time(t: Inputs, q: Query) -> ir.Table:
    """How long the product takes to answer, as a percentile of its requests."""
    rows = t.in_periods(answered(requests(t)))
    return summary(rows, q.keys, "duration_ms", q.variant, weight="requests")


@metric(
    title="Apdex",
    theme="product",
    unit="score",
    formula="(requests up to T + half of those up to 4 · T) / requests",
    example="of 10 requests 3 satisfy and 5 are tolerated: (3 + 5 / 2) / 10 = 0.55",
    source="T04",
    reads=_REQUESTS,
    dimensions=_DIMENSIONS,
    variants={
        "with_errors": "failed requests frustrate, however fast",
        "without_errors": "failed requests count by their duration",
    },
    small=100,
    params={"T": "milliseconds that satisfy, instead of the setting apdex_t_ms"},
    caveats="Fewer than 100 requests are a small sample.",
)
def apdex(t: Inputs, q: Query) -> ir.Table:
    """How satisfied users are with the speed, 0 to 1: answers within T satisfy, within
    four times T they are tolerated, the rest frustrates."""
    limit = q.number("T", q.settings.apdex_t_ms)
    rows = t.in_periods(requests(t))
    failed = rows.outcome == "failed"
    if q.variant == "without_errors":
        failed = ibis.literal(value=False)
    rows = rows.filter(rows.duration_ms.notnull() | failed)
    halves = ibis.cases(
        (failed, 0),
        (rows.duration_ms <= limit, 2),
        (rows.duration_ms <= 4 * limit, 1),
        else_=0,
    )
    rows = rows.mutate(halves=halves.cast("int64") * rows.requests)
    sums = rows.group_by(q.keys).agg(halves=rows.halves.sum(), n=rows.requests.sum())
    return sums.select(
        *q.keys,
        numerator=sums.halves.cast("float64") / 2,
        denominator=sums.n,
        n=sums.n,
    )


# Uptime


@dataclass(frozen=True)
class Outage:
    """Something that was down over the seconds `[starts, ends)`.

    `weight` is how much of it was down, 0 to 1; None is planned maintenance.
    """

    starts: int
    ends: int
    weight: float | None


@dataclass(frozen=True)
class Downtime:
    """What outages cost of a span, in seconds.

    `down` is the weighted time outside of maintenance, `planned` the maintenance.
    """

    down: float
    planned: int


def downtime(outages: Iterable[Outage], low: int, high: int) -> Downtime:
    """Downtime over `[low, high)`: of outages at once the heaviest counts.

    What is down during planned maintenance is maintenance. Source: T02.
    """
    known = [o for o in outages if o.starts < high and o.ends > low]
    edges = {max(o.starts, low) for o in known} | {min(o.ends, high) for o in known}
    cuts = sorted(edges)
    planned = 0
    at_weight: Counter[float] = Counter()
    for since, until in pairwise(cuts):
        weights = [o.weight for o in known if o.starts < until and o.ends > since]
        if None in weights:
            planned += until - since
        elif weights:
            at_weight[max(w for w in weights if w is not None)] += until - since
    down = sum(weight * at_weight[weight] for weight in sorted(at_weight))
    return Downtime(down, planned)


def weight_of(severity: str | None, settings: Settings) -> float:
    """How much of the product an incident of a severity takes away, 0 to 1.

    An incident nobody rated counts whole.
    """
    word = (severity or "").strip().lower()
    if word.startswith(("partial", "minor")):
        return settings.partial_outage_weight
    if word.startswith(("degraded", "operational", "none")):
        return 0.0
    return 1.0


def _up(q: Query, rows: pl.DataFrame) -> pl.DataFrame:
    """From one row an incident to uptime by period and service."""
    groups = rows.select(q.by).unique().rows(named=True) if q.by else [{}]
    told = []
    for group in groups:
        own = rows.filter(*(pl.col(name) == value for name, value in group.items()))
        outages = [
            Outage(
                row["starts"],
                row["ends"],
                None if row["is_planned"] else weight_of(row["severity"], q.settings),
            )
            for row in own.iter_rows(named=True)
        ]
        told += [{**group, **answer} for answer in _by_period(q, outages)]
    schema = {
        **dict.fromkeys(q.by, pl.String),
        "period_start": pl.Date,
        "numerator": pl.Float64,
        "denominator": pl.Float64,
        "n": pl.Int64,
    }
    return pl.DataFrame(told, schema=schema)


def _by_period(q: Query, outages: Sequence[Outage]) -> Iterable[dict[str, object]]:
    for period in q.periods:
        done = q.complete(period)
        if done is None:
            continue
        low, high = (_second(q, day) for day in (done.start, done.end))
        lost = downtime(outages, low, high)
        length, down = high - low - lost.planned, lost.down
        if q.variant == "incl_planned":
            length, down = high - low, lost.down + lost.planned
        yield {
            "period_start": period.start,
            "numerator": length - down,
            "denominator": length,
            "n": sum(o.starts < high and o.ends > low for o in outages),
        }


def _second(q: Query, day: date) -> int:
    """The first second of a local day, since 1970."""
    return round((day_start(day, q.settings.tz) - _EPOCH).total_seconds())


@metric(
    title="Uptime",
    theme="product",
    unit="ratio",
    formula="1 − weighted downtime / (period − planned maintenance)",
    example="of 43200 minutes 60 were planned; 80 down whole and 100 in part: 1 - (80 + 0.3 * 100) / (43200 - 60) = 0.99745",
    source="T02",
    reads=("incidents",),
    dimensions=("service",),
    conclude=_up,
    entity="service",
    small=0,  # `n` are incidents
    variants={
        "unplanned": "planned maintenance is no part of the period",
        "incl_planned": "planned maintenance is downtime",
    },
    caveats=(
        "A major outage, or one without a severity, counts whole, a partial one by the "
        "setting partial_outage_weight, degraded service not at all; of several at once "
        "the heaviest counts. Maintenance is planned if it was announced 48 hours "
        "ahead. An incident without an end goes on."
    ),
)
def uptime(t: Inputs, q: Query) -> ir.Table:
    """Share of the time the product was up."""
    rows = t.facts("incidents", "starts_at")
    rows = rows.mutate(ended=rows.ends_at.fill_null(ibis.literal(q.now)))
    low = day_start(min(period.start for period in q.periods), q.settings.tz)
    high = day_start(max(period.end for period in q.periods), q.settings.tz)
    rows = rows.filter(
        (rows.starts_at < high) & (rows.ended > low) & (rows.ended > rows.starts_at)
    )
    notice = ibis.interval(hours=q.settings.maintenance_notice_hours)
    in_time = rows.announced_at <= rows.starts_at - notice
    return rows.select(
        *q.by,
        "severity",
        starts=seconds_between(ibis.literal(_EPOCH), rows.starts_at),
        ends=seconds_between(ibis.literal(_EPOCH), rows.ended),
        is_planned=(rows.planned & in_time).fill_null(False),
    )
