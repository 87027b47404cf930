"""Are planted truths found again? The example company, from many seeds.

    python -m benchmarks.truths            20 companies, about a minute each
    python -m benchmarks.truths 5          fewer
    python -m benchmarks.truths 20 nothing companies in which nothing is planted

Of each: the feature that was found, the popular one that drives nothing, where bands
are green against what was planted, the month of the dip, and how chances were told.
Where nothing is planted: what is called significant all the same, of all and by
segment; in more than one of twenty of these it must not be.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from perennial.demo import truths
from perennial.demo.generate import generate
from perennial.lake import models, observations
from perennial.lake.store import Lake
from perennial.lake.workspace import Workspace
from perennial.scoring.review import Review

END = date(2026, 11, 1)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    if sys.argv[2:] == ["nothing"]:
        nothing(count)
        return
    found = [told(seed) for seed in range(1, count + 1)]
    enough = [row for row in found if row["feature"] != "insufficient"]
    right = sum(row["feature"] == truths.POWER_FEATURE for row in enough)
    decoy = sum(bool(row["popular"]) for row in enough)
    dips = sum(row["dip"] == [6] for row in found)
    print(
        f"\nPower feature found in {right} of {len(enough)} companies with enough "
        f"decisions; the popular one called significant in {decoy}; the dip in month 6, "
        f"and in no other, in {dips} of {len(found)}."
    )
    every: list[Edge] = []
    for segment in truths.SEGMENTS:
        edges = [row["green"][segment] for row in enough]
        every += edges
        print(f"{segment}: {_told(edges)}")
    print(f"All: {_told(every)}")
    if not (right >= 0.95 * len(enough) and not decoy and _is_close(every)):
        sys.exit("What was planted is not found as well as it is said to be.")


def _off(edges: Sequence[Edge]) -> list[float]:
    return sorted(abs((e.found or 0) - e.planted) / e.planted for e in edges)


def _within(edges: Sequence[Edge]) -> int:
    return sum(e.low <= e.planted <= e.high for e in edges)


def _told(edges: Sequence[Edge]) -> str:
    off = _off(edges)
    return (
        f"green begins {median(off):.0%} off in the middle, at most "
        f"{off[int(0.9 * len(off))]:.0%} in nine of ten; within its 95 % interval in "
        f"{_within(edges)} of {len(edges)}."
    )


def _is_close(edges: Sequence[Edge]) -> bool:
    """What docs/explanation/renewals.md says of thresholds."""
    off = _off(edges)
    is_near = median(off) <= 0.3 and off[int(0.9 * len(off))] <= 0.65
    return is_near and _within(edges) >= 0.9 * len(edges)


def nothing(count: int) -> None:
    """Of how many companies in which nothing goes with leaving something is found."""
    tried = found = 0
    for seed in range(1, count + 1):
        with TemporaryDirectory(prefix="perennial-truths-") as folder:
            workspace = company(Path(folder), seed, planted=False)
            seen = observations.of_decisions(workspace, as_of=END)
            told = models.discoveries(workspace, seen)
        by_chance = {
            segment or "all": [f.feature for f in d.findings if f.significant]
            for segment, d in told.items()
            if d.status == "ok"
        }
        tried += len(by_chance)
        found += sum(bool(features) for features in by_chance.values())
        print({"seed": seed, **by_chance}, flush=True)
    print(f"\nSomething was called significant in {found} of {tried} analyses.")
    if found > 0.05 * tried:
        sys.exit("More is called significant than the stated rate.")


def told(seed: int) -> dict[str, Any]:
    with TemporaryDirectory(prefix="perennial-truths-") as folder:
        workspace = company(Path(folder), seed)
        row = judged(seed, workspace, models.learn(workspace, as_of=END))
    print(row, flush=True)
    return row


@dataclass(frozen=True)
class Edge:
    """Uses a month from which on a segment is green: as found, with its interval, and
    as planted."""

    found: float | None
    low: float
    high: float
    planted: float


def edge(learned: Review, segment: str) -> Edge:
    bands = learned.bands_of(segment)
    high = float("inf") if bands.green_high is None else bands.green_high
    return Edge(bands.green_from, bands.green_low or 0, high, planted_green(segment))


def company(folder: Path, seed: int, *, planted: bool = True) -> Workspace:
    workspace = Workspace(Lake(folder / "lake" / "default"))
    for name, table in generate(end=END, seed=seed, planted=planted).items():
        workspace.lake.write(name, table)
    workspace.roll_up()
    return workspace


def judged(seed: int, workspace: Workspace, learned: Review) -> dict[str, Any]:
    everyone = learned.discoveries[""]
    best = everyone.power_feature
    popular = next(f for f in everyone.findings if f.feature == truths.POPULAR_FEATURE)
    start = END.replace(year=END.year - 2)
    curve = workspace.metric("usage_dip", start=start, end=END).to_dicts()
    adopted = next((t for t in learned.comparison.trials if t.adopted), None)
    return {
        "seed": seed,
        "feature": best.feature if best else everyone.status,
        "popular": popular.significant,
        "green": {segment: edge(learned, segment) for segment in truths.SEGMENTS},
        "dip": [r["k"] for r in curve if r["value"] is not None and r["value"] <= -0.2],
        "model": adopted and adopted.model,
        "auc": adopted and round(adopted.quality.auc or 0, 3),
        "ece": adopted and round(adopted.quality.ece, 3),
    }


def planted_green(segment: str) -> float:
    """Uses a month from which on the planted chance is green."""
    for truth in truths.find("renewal_by_use", segment=segment):
        if truth.effect >= 0.75:
            return float(truth.low or 0)
    raise LookupError(segment)


if __name__ == "__main__":
    main()
