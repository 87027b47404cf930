"""What models are learned from and told about, put together from the lake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from perennial.core.windows import DAY
from perennial.lake import observations, snapshots
from perennial.lake.observations import Observed
from perennial.scoring import renewal
from perennial.scoring.bands import BandRules
from perennial.scoring.statistics import Floats

if TYPE_CHECKING:
    from perennial.core.settings import Settings
    from perennial.lake.workspace import Workspace

#: Parts of health that models see.
_PARTS = ("frequency", "breadth", "depth", "growth", "score")


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
    workspace: Workspace, features: Mapping[str, str], *, as_of: date | None = None
) -> Learned:
    """Every decision before `as_of`, each month of monthly terms included.

    `features` names the power feature by segment, that of all under "".
    """
    seen = observations.of_decisions(workspace, as_of=as_of, every_month=True)
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
    frame = _measured(workspace, Observed(**{**vars(seen), "cases": joined}), features)
    segments = [n.partition("=")[2] for n in names if n.startswith("segment=")]
    x, found = renewal.measures(frame, segments)
    return frame, x[:, [found.index(name) for name in names]]


def _measured(
    workspace: Workspace, seen: Observed, features: Mapping[str, str]
) -> pl.DataFrame:
    """Cases with the use of the power feature of their segment, and with health."""
    uses, lost = _power(seen, features)
    frame = seen.cases.with_columns(
        power_uses=pl.Series(uses, nan_to_null=True),
        power_trend=pl.Series(lost, nan_to_null=True),
    )
    return _with_health(workspace, frame)


def _power(seen: Observed, features: Mapping[str, str]) -> tuple[Floats, Floats]:
    """Uses a month, and their logarithm in the first month less that in the last."""
    segments = seen.cases["segment"].fill_null("").to_list()
    uses, lost = np.full(len(segments), np.nan), np.full(len(segments), np.nan)
    window = [n for n, month in enumerate(seen.months) if -4 <= month <= -2]
    for segment in set(segments):
        feature = features.get(segment) or features.get("")
        if feature is None or feature not in seen.uses:
            continue
        rows = np.array([s == segment for s in segments])
        uses[rows] = seen.uses[feature][rows]
        by_month = np.log1p(seen.by_month[feature][rows])
        lost[rows] = by_month[:, window[0]] - by_month[:, window[-1]]
    return uses, lost


def _with_health(workspace: Workspace, frame: pl.DataFrame) -> pl.DataFrame:
    """With the parts of health as of the first day of the month `until` lies in: no
    day after `until` is known, and 24 days do for two years."""
    days = frame["until"].dt.truncate("1mo").unique().to_list()
    early = [day for day in days if day <= workspace.today]
    found = snapshots.compute(workspace, early or [workspace.today - DAY])
    health = found.select("account_id", *_PARTS, month="date")
    return frame.with_columns(month=pl.col("until").dt.truncate("1mo")).join(
        health, on=["account_id", "month"], how="left", maintain_order="left"
    )


def _floats(column: pl.Series) -> Floats:
    return np.asarray(column.cast(pl.Float64).fill_null(float("nan")).to_numpy())
