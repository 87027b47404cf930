"""What the pages of Insights read: versions, and the chances of the last refresh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from perennial.apps.customers.kept import kept
from perennial.core.money import SCALE
from perennial.core.windows import add_months
from perennial.lake import chances, forecasts, insights, models
from perennial.lake.models import Version
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics import filters
from perennial.scoring.forecast import Hindsight


@kept(models.NAME)
def versions(lake: Lake) -> tuple[Version, ...]:
    """Every version, oldest first."""
    return tuple(models.versions(lake))


@kept(models.NAME)
def active(lake: Lake) -> Version | None:
    return models.active(lake)


def version(lake: Lake, number: str) -> Version | None:
    """The version asked for in an address, or else the one in force."""
    wanted = [v for v in versions(lake) if str(v.number) == number]
    return wanted[0] if wanted else active(lake)


@kept("features", shared=True)
def feature_names(lake: Lake) -> Mapping[str, str]:
    """Names of features by id; those without one go by their id."""
    rows = lake.engine.run(lake.table("features").select("feature_id", "name"))
    return {feature: name for feature, name in rows.iter_rows() if name}


#: Questions that take seconds: computed at night.
NIGHTLY: Mapping[str, tuple[str, dict[str, Any]]] = {
    "patterns": ("usage-patterns", {}),
    "product": ("product-health", {}),
    "value": ("lifetime-value", {}),
    "value_by_segment": ("lifetime-value", {"by": ["segment"]}),
    "buyers": ("lifetime-value", {"params": {"model": "bgnbd"}}),
}


@kept(insights.KEPT, "account_measures", size=16)
def answers(lake: Lake, as_of: date, question: str) -> Sequence[Mapping[str, Any]]:
    """The rows of a nightly question."""
    name, asked = NIGHTLY[question]
    return insights.kept(lake, name, as_of, **asked)


@kept("mrr_ledger", "contracts", "account_attributes", "former_attributes", size=8)
def survival(
    lake: Lake, as_of: date, by: str, terms: str
) -> Sequence[Mapping[str, Any]]:
    """How long customers stay, by a group ("" for none)."""
    groups, params = [by] if by else [], {"terms": terms}
    found = insights.answer(lake, "survival", as_of=as_of, by=groups, params=params)
    return found.to_dicts()


@kept("account_measures", size=2, shared=True)
def account_names(lake: Lake) -> Mapping[str, str]:
    rows = lake.engine.run(lake.table("account_measures").select("account_id", "name"))
    return dict(rows.iter_rows())


@kept("mrr_ledger", "fx_rates", size=16, shared=True)
def mrr_before(lake: Lake, since: date, segment: str) -> Sequence[tuple[date, float]]:
    """MRR at the end of each of the twelve months before a day: first day after it."""
    where = f"segment = {filters.text(segment)}" if segment else None
    start = add_months(since, -12)
    rows = lake.metric("mrr", start=start, end=since, grain="month", where=where).rows
    return list(rows.select("period_end", "value").iter_rows())


@dataclass(frozen=True)
class Chance:
    """A customer's chance of renewal on the day of the last refresh, and why.

    `reasons` move it from `base` by so much each, the greatest first; MRR in major
    units of the workspace currency.
    """

    account_id: str
    name: str
    segment: str
    owner: str
    color: str | None
    uses: float | None
    band: str | None
    gap: int | None
    p: float | None
    low: float | None
    high: float | None
    base: float | None
    reasons: tuple[tuple[str, float], ...]
    mrr: float
    renewal_on: date | None


@kept(chances.NAME, "account_measures", size=8, shared=True)
def told(lake: Lake) -> tuple[Chance, ...]:
    """The chance of every customer that has one, the least likely to renew first; of
    those equally likely, who pays most."""
    known = lake.table("account_measures")
    days = lake.engine.run(known.agg(day=known.as_of.max()))["day"]
    if days[0] is None:
        return ()
    names = lake.engine.run(
        known.select(
            "account_id", "name", "segment", "owner_email", state="health_color"
        )
    )
    rows = chances.of_day(lake, days[0]).join(names, on="account_id")
    found = [_chance(row) for row in rows.iter_rows(named=True)]
    return tuple(sorted(found, key=_least_likely))


def _least_likely(c: Chance) -> tuple[bool, float, float, str]:
    return c.p is None, c.p or 0.0, -c.mrr, c.account_id


def _chance(row: Mapping[str, Any]) -> Chance:
    why = msgspec.json.decode(row["reasons"])
    return Chance(
        account_id=row["account_id"],
        name=row["name"],
        segment=row["segment"] or "",
        owner=row["owner_email"] or "",
        color=row["state"],
        uses=row["uses"],
        band=row["band_color"],
        gap=row["gap_to_green"],
        p=row["p"],
        low=row["p_low"],
        high=row["p_high"],
        base=why["base"],
        reasons=tuple((name, move) for name, move in why["parts"]),
        mrr=(row["mrr_e4"] or 0) / SCALE,
        renewal_on=row["renewal_on"],
    )


@dataclass(frozen=True)
class Ahead:
    """What was expected of customers so many months ahead; money in major units."""

    as_of: date
    horizon: int
    mrr: float
    expected: float
    lower: float
    upper: float
    grr: float | None
    nrr: float | None


@kept(forecasts.NAME, size=8)
def ahead(lake: Lake, segment: str) -> tuple[Ahead, ...]:
    """The newest forecast kept of a segment ("" for all), nearest month first."""
    rows = [r for r in _kept(lake) if r["segment"] == (segment or None)]
    newest = max((r["as_of"] for r in rows if not r["recomputed"]), default=None)
    return tuple(_ahead(r) for r in rows if r["as_of"] == newest)


@kept(forecasts.NAME, size=2)
def _kept(lake: Lake) -> Sequence[Mapping[str, Any]]:
    return forecasts.kept(lake).to_dicts()


def _ahead(row: Mapping[str, Any]) -> Ahead:
    return Ahead(
        as_of=row["as_of"],
        horizon=row["horizon"],
        mrr=float(row["mrr"]),
        expected=float(row["expected_mrr"]),
        lower=float(row["lower"]),
        upper=float(row["upper"]),
        grr=row["grr"],
        nrr=row["nrr"],
    )


@kept(forecasts.NAME, "mrr_ledger", size=2, shared=True)
def hindsight(lake: Lake, until: date) -> tuple[Hindsight, ...]:
    """Forecasts three months ahead beside what happened, oldest first."""
    return tuple(forecasts.hindsight(lake, months=3, until=until))
