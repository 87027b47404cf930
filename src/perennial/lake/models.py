"""Versions of what was learned: made from the lake, kept in it, approved by people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from perennial.core.errors import BadValue, UnknownName
from perennial.lake import learning, observations
from perennial.lake.observations import Observed
from perennial.lake.tables import TABLES
from perennial.scoring import bands, gaps, power_features, renewal, review, trials
from perennial.scoring.decisions import of_usual_terms
from perennial.scoring.power_features import Discovery
from perennial.scoring.review import Review
from perennial.scoring.statistics import Floats

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

NAME = "models"
#: Draws of the decisions that tell how sure it is where green begins.
_DRAWS = 200


@dataclass(frozen=True)
class Version:
    """A version and where it stands: `proposed`, `approved` or `rejected`."""

    number: int
    status: str
    proposed_at: datetime
    proposed_by: str
    as_of: date
    reviewed_at: datetime | None
    reviewed_by: str
    note: str
    document: str

    @property
    def review(self) -> Review:
        return _parsed(self.document)


@lru_cache(maxsize=8)
def _parsed(document: str) -> Review:
    return Review.from_json(document)


def versions(workspace: Workspace) -> list[Version]:
    """Every version, oldest first."""
    found: dict[int, dict[str, Any]] = {}
    rows = workspace.lake.read(NAME).to_pylist()
    for row in sorted(rows, key=lambda r: (r["at"], r["status"] != "proposed")):
        if row["status"] == "proposed":
            found[row["version"]] = {
                "number": row["version"],
                "status": "proposed",
                "proposed_at": row["at"],
                "proposed_by": row["by"] or "",
                "as_of": row["as_of"],
                "reviewed_at": None,
                "reviewed_by": "",
                "note": "",
                "document": row["document"],
            }
        else:
            found[row["version"]] |= {
                "status": row["status"],
                "reviewed_at": row["at"],
                "reviewed_by": row["by"],
                "note": row["note"] or "",
            }
    return [Version(**values) for _, values in sorted(found.items())]


def active(workspace: Workspace, *, at: datetime | None = None) -> Version | None:
    """The version in force: of those approved (by an instant), the one last approved."""
    approved = [
        v
        for v in versions(workspace)
        if v.status == "approved"
        and v.reviewed_at is not None
        and (at is None or v.reviewed_at <= at)
    ]
    return max(approved, key=lambda v: (v.reviewed_at, v.number), default=None)


def propose(workspace: Workspace, learned: Review, *, by: str = "") -> Version | None:
    """Keep a review as a new version to be approved; None where it says what the
    version in force says, or one that waits already (P05)."""
    known = versions(workspace)
    waiting = [v for v in known[-1:] if v.status == "proposed"]
    for told in (active(workspace), *waiting):
        if told is not None and not review.differences(
            told.review, learned, psi_watch=workspace.settings.psi_watch
        ):
            return None
    number = max((v.number for v in known), default=0) + 1
    _write(
        workspace,
        {
            "version": number,
            "status": "proposed",
            "at": workspace.now,
            "by": by,
            "as_of": learned.as_of,
            "document": learned.to_json(),
        },
    )
    return versions(workspace)[-1]


def decide(
    workspace: Workspace, number: int, *, approve: bool, by: str, note: str = ""
) -> Version:
    """Approve a version, or reject it; a version in force stays so until another is
    approved. Raises for one that is not there or was rejected."""
    known = {v.number: v for v in versions(workspace)}
    if number not in known:
        raise UnknownName("version", str(number), [str(n) for n in known])
    if known[number].status == "rejected":
        raise BadValue(f"version {number} was rejected; propose it again")
    _write(
        workspace,
        {
            "version": number,
            "status": "approved" if approve else "rejected",
            "at": workspace.now,
            "by": by,
            "note": note,
        },
    )
    return next(v for v in versions(workspace) if v.number == number)


def _write(workspace: Workspace, row: dict[str, Any]) -> None:
    schema = TABLES[NAME].schema()
    workspace.lake.write(NAME, pa.Table.from_pylist([row], schema=schema))


def learn(workspace: Workspace, *, as_of: date | None = None) -> Review:
    """Everything anew from what was decided before `as_of`. Takes seconds: P02, H03
    and P03 of the reference, for every segment."""
    every = observations.of_decisions(workspace, as_of=as_of, every_month=True)
    seen = every.where(every.cases["counts"])
    found = discoveries(workspace, seen)
    features = {
        segment: d.power_feature.feature
        for segment, d in found.items()
        if d.power_feature
    }
    decisions = learning.Decisions(workspace, every)
    everything = decisions.told_by(features)
    rules = learning.band_rules(workspace.settings)
    uses = power_uses(seen, features)
    usual = of_usual_terms(seen.cases)
    learned = _bands(
        uses[usual.to_numpy()], seen.cases.filter(usual), rules, repeats=_DRAWS
    )
    used = _uses_of(learned, uses, seen.cases)
    cases = everything.cases
    compared = _compared(workspace, every, decisions, everything)
    model = None
    if compared.adopted != "bands":
        model = renewal.fit(compared.adopted, cases.x, cases.renewed, cases.names)
    return Review(
        as_of=as_of or workspace.today,
        discoveries=found,
        trends=_trends(seen, found),
        features=features,
        bands=dict(learned),
        chances=dict(_bands(cases.uses, everything.frame, rules)),
        shares={s: review.shares(learned[s], some) for s, some in used.items()},
        percentiles={s: review.percentiles(some) for s, some in used.items()},
        comparison=compared,
        model=model,
        base=_base(everything.frame),
    )


def _compared(
    workspace: Workspace,
    every: Observed,
    decisions: learning.Decisions,
    everything: learning.Learned,
) -> trials.Comparison:
    """Every way tried; the power feature is the one that could be chosen by then."""
    settings = workspace.settings
    counts = every.cases["counts"].to_numpy().astype(bool)

    def choose(before: np.ndarray) -> tuple[trials.Look, ...]:
        some = np.isin(np.arange(len(counts)), before) & counts
        features = _chosen(workspace, every.where(pl.Series(some)))
        return decisions.told_by(features).looks

    return trials.compare(
        everything.looks,
        choose=choose,
        min_class=settings.pf_min_class,
        ece_max=settings.ece_max,
        rules=learning.band_rules(settings),
    )


def discoveries(workspace: Workspace, seen: Observed) -> dict[str, Discovery]:
    """What separates those who stayed from those who left: of all, and by segment."""
    rules = observations.rules_of(workspace.settings)
    return {
        segment: power_features.discover(
            some.cases,
            some.uses,
            rules=rules,
            excluded=some.excluded,
            per_user=some.per_user,
            history_days=some.history_days,
            segment=segment,
        )
        for segment, some in _groups(seen)
    }


def _groups(seen: Observed) -> Iterator[tuple[str, Observed]]:
    """All decisions under "", and those of each segment where there are several."""
    yield "", seen
    segments = sorted(s for s in seen.cases["segment"].unique() if s)
    for segment in segments if len(segments) > 1 else ():
        yield segment, seen.where(seen.cases["segment"] == segment)


def _chosen(workspace: Workspace, seen: Observed) -> dict[str, str]:
    """The power feature of each segment that has one, from these decisions alone."""
    rules = observations.rules_of(workspace.settings)
    found = {
        segment: power_features.chosen(
            some.cases, some.uses, rules=rules, excluded=some.excluded
        )
        for segment, some in _groups(seen)
    }
    return {segment: feature for segment, feature in found.items() if feature}


def power_uses(seen: Observed, features: dict[str, str]) -> Floats:
    """Uses a month of the power feature of each case's segment; NaN without one."""
    uses = np.full(len(seen.cases), np.nan)
    segments = seen.cases["segment"].fill_null("").to_numpy()
    for segment in set(segments):
        feature = features.get(segment) or features.get("")
        if feature is not None and feature in seen.uses:
            uses = np.where(segments == segment, seen.uses[feature], uses)
    return uses


def _bands(
    uses: Floats, cases: pl.DataFrame, rules: bands.BandRules, *, repeats: int = 0
) -> dict[str, bands.Bands]:
    known = ~np.isnan(uses)
    some = cases.filter(pl.Series(known, dtype=pl.Boolean))
    return dict(
        bands.by_segment(
            uses[known],
            some["renewed"].to_list(),
            some["segment"].to_list(),
            rules,
            repeats=repeats,
        )
    )


def _uses_of(
    segments: Iterable[str], uses: Floats, cases: pl.DataFrame
) -> dict[str, Floats]:
    of = cases["segment"].fill_null("").to_numpy()
    return {segment: uses[of == segment] if segment else uses for segment in segments}


def _trends(seen: Observed, found: dict[str, Discovery]) -> dict[str, gaps.Trend]:
    trends = {}
    for segment, discovery in found.items():
        best = discovery.power_feature
        some = seen.where(seen.cases["segment"] == segment) if segment else seen
        if best is None:
            continue
        stayed = some.cases["renewed"].to_numpy().astype(bool)
        told = gaps.trend(
            best.feature, stayed, some.by_month[best.feature], some.months
        )
        if told is not None:
            trends[segment] = told
    return trends


def _base(frame: pl.DataFrame) -> dict[str, tuple[float, int]]:
    found = {}
    for name, rows in (
        ("monthly", frame.filter("is_monthly")),
        ("longer", frame.filter(~pl.col("is_monthly"))),
    ):
        if len(rows):
            found[name] = (float(rows["renewed"].sum()) / len(rows), len(rows))
    return found
