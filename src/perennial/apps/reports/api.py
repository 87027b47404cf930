"""Metrics over HTTP: the catalog, and values as every other way gives them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from django.http import Http404
from ninja import Query, Router, Schema
from pydantic import Field

from perennial.api import paging
from perennial.api.problems import ERRORS
from perennial.apps.team import tokens
from perennial.apps.team.access import TokenRequest
from perennial.apps.team.lake import lake_of
from perennial.core.errors import BadValue, UnknownName
from perennial.metrics.registry import Metric
from perennial.metrics.targets import Target

router = Router(auth=tokens.READ, tags=["metrics"])


class MetricOut(Schema):
    """An entry of the catalog."""

    key: str
    title: str
    description: str
    theme: str
    unit: str
    formula: str
    source: str
    good: str
    grains: list[str]
    dimensions: list[str]
    rows_have: list[str] = Field(description="Columns that every row has.")
    variants: dict[str, str]
    params: dict[str, str]
    inputs: list[str]
    caveats: str


class Asked(Schema):
    """A question, as on the command line."""

    start: date | None = Field(None, description="First local day.")
    end: date | None = Field(None, description="First local day after it.")
    as_of: date | None = Field(None, description="Everything before this local day.")
    grain: str = Field("total", description="total, day, week, month, quarter, year")
    by: list[str] = Field([], description="Dimensions; may be repeated.")
    where: str | None = Field(None, description="segment = 'Enterprise'")
    variant: str | None = None
    set: list[str] = Field([], description="PARAM=VALUE; may be repeated.")


class TargetOut(Schema):
    """What a number should be; below the floor a customer needs support."""

    segment: str
    group: str
    target: float | None
    floor: float | None
    ceiling: float | None
    changed_at: datetime
    changed_by: str


class ValuesOut(Schema):
    """The answer: `rows` are those of `perennial metric --format json`."""

    metric: str
    title: str
    unit: str
    formula: str
    variant: str | None
    timezone: str
    computed_at: datetime
    targets: list[TargetOut] = Field(description="What it should be, by segment.")
    rows: list[dict[str, Any]]


@router.get("", response={200: paging.Page[MetricOut], **ERRORS})
def list_metrics(
    request: TokenRequest,
    limit: Annotated[int, Query(ge=1, le=paging.MOST)] = paging.USUAL,
    cursor: str | None = None,
) -> paging.Page[MetricOut]:
    """The catalog of metrics, by key."""
    rows = sorted(lake_of(request.auth.workspace).catalog.items())
    return paging.page([(key, _entry(m)) for key, m in rows], limit, cursor)


@router.get("/{key}", response={200: ValuesOut, **ERRORS})
def get_metric(request: TokenRequest, key: str, asked: Query[Asked]) -> ValuesOut:
    """The values of a metric: one row per period and group."""
    lake, params = lake_of(request.auth.workspace), _params(asked.set)
    try:
        lake.entry(key)
    except UnknownName as error:
        raise Http404(str(error)) from None
    result = lake.metric(key, **asked.dict(exclude={"set"}), params=params)
    metric = result.query.metric.counted(result.query.variant)
    return ValuesOut(
        metric=key,
        title=metric.title,
        unit=metric.unit,
        formula=metric.formula,
        variant=result.query.variant or None,
        timezone=result.query.settings.timezone,
        computed_at=result.query.now,
        targets=[TargetOut(**_plain(t)) for t in lake.targets if t.metric == key],
        rows=result.to_dicts(),
    )


def _plain(target: Target) -> dict[str, Any]:
    return {name: value for name, value in vars(target).items() if name != "metric"}


def _params(written: list[str]) -> dict[str, str]:
    for text in written:
        if "=" not in text:
            raise BadValue(f"set wants PARAM=VALUE, not {text!r}")
    return dict(text.partition("=")[::2] for text in written)


def _entry(metric: Metric) -> MetricOut:
    return MetricOut(
        key=metric.key,
        title=metric.title,
        description=metric.description,
        theme=metric.theme,
        unit=metric.unit,
        formula=metric.formula,
        source=metric.source,
        good=metric.good,
        grains=list(metric.grains),
        dimensions=list(metric.dimensions),
        rows_have=list(metric.makes),
        variants=dict(metric.variants),
        params=dict(metric.takes),
        inputs=list(metric.reads),
        caveats=metric.caveats,
    )
