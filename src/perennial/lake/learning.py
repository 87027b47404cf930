"""What models are learned from and told about, put together from the lake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from perennial.lake import observations, snapshots
from perennial.lake.observations import Observed
from perennial.scoring import renewal, trials
from perennial.scoring.bands import BandRules
from perennial.scoring.decisions import of_usual_terms
from perennial.scoring.scorecard import standard
from perennial.scoring.statistics import Floats

if TYPE_CHECKING:
    from perennial.core.settings import Settings
    from perennial.lake.workspace import Workspace

#: Parts of health that models see.
_PARTS = ("frequency", "breadth", "depth", "growth")
#: Days before a decision at which every way to tell is asked once more, to see how
#: early it would have warned.
EARLY = (60, 90, 120, 150, 180)
#: Days since the last log-in of who never logged in.
_SILENT_EVER = 120
#: Health is computed as of so many days exactly.
_FEW_DAYS = 3


def band_rules(settings: Settings) -> BandRules:
    low, middle, high = settings.chances
    return BandRules(
        alpha=settings.band_alpha,
        min_n=settings.band_min_n,
        min_class=settings.band_min_class,
        cuts=(low, middle, high),
    )


@dataclass(frozen=True)
class Learned:
    """Cases with all measures: in rows as `frame`, as a model takes them as the first
    of `looks`; the others are those that are judged as they stood longer before."""

    frame: pl.DataFrame
    looks: tuple[trials.Look, ...]

    @property
    def cases(self) -> renewal.Cases:
        return self.looks[0].cases


class Decisions:
    """Observed decisions as cases to learn from, by whatever feature was chosen."""

    def __init__(self, workspace: Workspace, seen: Observed) -> None:
        first = trials.judged_from(len(seen.cases))
        later = seen.cases.select(pl.int_range(pl.len()) >= first).to_series()
        gap = workspace.settings.pf_gap_days
        self._days = [n for n in EARLY if n > gap]
        before = observations.earlier(workspace, seen.where(later), self._days)
        frames = _with_health(workspace, [seen.cases, before.cases])
        counted = sorted(seen.uses)
        self._parts = [
            (some, frame, _counts(some, counted))
            for some, frame in zip((seen, before), frames, strict=True)
        ]
        self._first, self._gap = first, gap
        self._told: dict[tuple[tuple[str, str], ...], Learned] = {}

    def told_by(self, features: Mapping[str, str]) -> Learned:
        """With the power feature of each segment, that of all under ""."""
        key = tuple(sorted(features.items()))
        if key not in self._told:
            self._told[key] = self._with(features)
        return self._told[key]

    def _with(self, features: Mapping[str, str]) -> Learned:
        (frame, cases), (early, told) = (
            self._cases(*part, features) for part in self._parts
        )
        looks = [trials.Look(self._gap, np.arange(len(cases)), cases)]
        at, ahead = early["row"].to_numpy() + self._first, early["ahead"].to_numpy()
        for days in self._days:
            rows = np.flatnonzero(ahead == days)
            looks.append(trials.Look(days, at[rows], told.take(rows)))
        return Learned(frame, tuple(looks))

    def _cases(
        self,
        seen: Observed,
        frame: pl.DataFrame,
        counts: Floats,
        features: Mapping[str, str],
    ) -> tuple[pl.DataFrame, renewal.Cases]:
        segments = sorted(s for s in self._parts[0][1]["segment"].unique() if s)
        told = _with_power(replace(seen, cases=frame), features)
        return told, _cases(told, segments, counts)


def _cases(
    frame: pl.DataFrame, segments: Sequence[str], counts: Floats
) -> renewal.Cases:
    x, names = renewal.measures(frame, segments)
    return renewal.Cases(
        x=x,
        names=tuple(names),
        uses=_floats(frame["power_uses"]),
        segments=frame["segment"].to_list(),
        renewed=frame["renewed"].to_numpy().astype(bool),
        known_on=frame["until"].to_list(),
        decided_on=frame["decided_on"].to_list(),
        counted=(frame["counts"] & of_usual_terms(frame)).to_numpy().astype(bool),
        counts=counts,
        silent=_floats(frame["silent_days"].fill_null(_SILENT_EVER)),
        health=_floats(frame["health_score"]),
        colors=frame["health_color"].to_list(),
    )


def _counts(seen: Observed, features: Sequence[str]) -> Floats:
    """Uses a month of features by case, a column each."""
    nothing = np.zeros(len(seen.cases))
    columns = [np.nan_to_num(seen.uses.get(name, nothing)) for name in features]
    return np.column_stack(columns or [nothing])


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
    told = _with_power(replace(seen, cases=joined), features)
    [frame] = _with_health(workspace, [told])
    segments = [n.partition("=")[2] for n in names if n.startswith("segment=")]
    x, found = renewal.measures(frame, segments)
    return frame, x[:, [found.index(name) for name in names]]


def _with_power(seen: Observed, features: Mapping[str, str]) -> pl.DataFrame:
    """Cases with the use of the power feature of their segment: `power_uses` a month, `power_lately` in the
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
    return seen.cases.with_columns(
        pl.Series(n, v, nan_to_null=True) for n, v in zip(names, told, strict=True)
    )


def _with_health(
    workspace: Workspace, frames: Sequence[pl.DataFrame]
) -> list[pl.DataFrame]:
    """With the parts of health as `until` begins; of many days, as of the first of the
    month each lies in: nothing later is known, and 24 days do for two years.

    By the standard scorecard, whatever the workspace goes by: a model must not change
    with it.
    """
    days = pl.concat([frame["until"] for frame in frames]).unique()
    health_on = pl.col("until")
    if len(days) > _FEW_DAYS:
        health_on = pl.col("until").dt.truncate("1mo")
    dated = [frame.with_columns(health_on=health_on) for frame in frames]
    wanted = pl.concat([frame["health_on"] for frame in dated]).unique().to_list()
    card = standard(workspace.settings.health)
    found = snapshots.compute(workspace, wanted or [workspace.today], card=card)
    health = found.select(
        "account_id",
        *_PARTS,
        health_on="date",
        health_score="score",
        health_color="color",
    )
    on = ["account_id", "health_on"]
    return [f.join(health, on=on, how="left", maintain_order="left") for f in dated]


def _floats(column: pl.Series) -> Floats:
    return np.asarray(column.cast(pl.Float64).fill_null(float("nan")).to_numpy())
