"""What models are learned from and told about, put together from the lake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from perennial.lake import observations, snapshots
from perennial.lake.observations import Observed
from perennial.scoring import renewal
from perennial.scoring.bands import BandRules
from perennial.scoring.scorecard import standard
from perennial.scoring.statistics import Floats

if TYPE_CHECKING:
    from perennial.core.settings import Settings
    from perennial.lake.workspace import Workspace

#: Parts of health that models see.
_PARTS = ("frequency", "breadth", "depth", "growth")
#: Health is computed as of so many days exactly.
_FEW_DAYS = 3


def band_rules(settings: Settings) -> BandRules:
    low, middle, high = (float(cut) for cut in settings.band_cuts)
    return BandRules(
        alpha=settings.band_alpha,
        min_n=settings.band_min_n,
        min_class=settings.band_min_class,
        cuts=(low, middle, high),
    )


@dataclass(frozen=True)
class Learned:
    """Cases with all measures: in rows as `frame`, as a model takes them as `cases`."""

    observed: Observed
    frame: pl.DataFrame
    cases: renewal.Cases


def of_decisions(
    workspace: Workspace, seen: Observed, features: Mapping[str, str]
) -> Learned:
    """Observed decisions as cases to learn from.

    `features` names the power feature by segment, that of all under "".
    """
    frame = _measured(workspace, seen, features)
    segments = sorted(s for s in frame["segment"].unique() if s)
    x, names = renewal.measures(frame, segments)
    cases = renewal.Cases(
        x=x,
        names=tuple(names),
        uses=_floats(frame["power_uses"]),
        segments=frame["segment"].to_list(),
        renewed=frame["renewed"].to_numpy().astype(bool),
        known_on=frame["until"].to_list(),
        decided_on=frame["decided_on"].to_list(),
    )
    return Learned(seen, frame, cases)


def of_accounts(
    workspace: Workspace,
    accounts: pl.DataFrame,
    features: Mapping[str, str],
    names: tuple[str, ...],
    *,
    as_of: date | None = None,
) -> tuple[pl.DataFrame, Floats]:
    """Accounts (account_id, segment, term_days, mrr_e4) as of a day: with all
    measures, and as the columns `names` of a model. Accounts with less than 30 days
    of history are left out."""
    ids = accounts["account_id"].to_list()
    seen = observations.of_accounts(workspace, ids, as_of=as_of)
    own = ["account_id", *(c for c in accounts.columns if c not in seen.cases.columns)]
    joined = seen.cases.join(
        accounts.select(own), on="account_id", maintain_order="left"
    )
    frame = _measured(workspace, replace(seen, cases=joined), features)
    segments = [n.partition("=")[2] for n in names if n.startswith("segment=")]
    x, found = renewal.measures(frame, segments)
    return frame, x[:, [found.index(name) for name in names]]


def _measured(
    workspace: Workspace, seen: Observed, features: Mapping[str, str]
) -> pl.DataFrame:
    """Cases with the use of the power feature of their segment, and with health."""
    frame = pl.concat([seen.cases, _power(seen, features)], how="horizontal")
    return _with_health(workspace, frame)


def _power(seen: Observed, features: Mapping[str, str]) -> pl.DataFrame:
    """Use of the power feature by case: `power_uses` a month, `power_lately` in the
    last month of the window, and `power_trend`, how far its logarithm fell in it."""
    segments = seen.cases["segment"].fill_null("").to_list()
    told = np.full((3, len(segments)), np.nan)
    last = list(seen.months).index(seen.last_month)
    for segment in set(segments):
        feature = features.get(segment) or features.get("")
        if feature is None or feature not in seen.uses:
            continue
        rows = np.array([s == segment for s in segments])
        by_month = seen.by_month[feature][rows]
        fallen = np.log1p(by_month[:, last - 2]) - np.log1p(by_month[:, last])
        told[:, rows] = seen.uses[feature][rows], by_month[:, last], fallen
    names = ("power_uses", "power_lately", "power_trend")
    return pl.DataFrame(
        {n: pl.Series(v, nan_to_null=True) for n, v in zip(names, told, strict=True)}
    )


def _with_health(workspace: Workspace, frame: pl.DataFrame) -> pl.DataFrame:
    """With the parts of health as `until` begins; of many days, as of the first of the
    month each lies in: nothing later is known, and 24 days do for two years.

    By the standard scorecard, whatever the workspace goes by: a model must not change
    with it.
    """
    days = frame["until"].unique()
    health_on = pl.col("until")
    if len(days) > _FEW_DAYS:
        health_on = pl.col("until").dt.truncate("1mo")
    frame = frame.with_columns(health_on=health_on)
    wanted = frame["health_on"].unique().to_list() or [workspace.today]
    card = standard(workspace.settings.health)
    found = snapshots.compute(workspace, wanted, card=card)
    health = found.select(
        "account_id",
        *_PARTS,
        health_on="date",
        health_score="score",
        health_color="color",
    )
    return frame.join(
        health, on=["account_id", "health_on"], how="left", maintain_order="left"
    )


def _floats(column: pl.Series) -> Floats:
    return np.asarray(column.cast(pl.Float64).fill_null(float("nan")).to_numpy())
