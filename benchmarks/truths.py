"""Are planted truths found again? The example company, from many seeds.

    python -m benchmarks.truths            20 companies, about a minute each
    python -m benchmarks.truths 5          fewer

Of each: the feature that was found, the popular one that drives nothing, where bands
are green against what was planted, the month of the dip, and how chances were told.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import date
from pathlib import Path

from perennial.demo import truths
from perennial.demo.generate import generate
from perennial.lake import models
from perennial.lake.store import Lake
from perennial.lake.workspace import Workspace
from perennial.scoring.review import Review

END = date(2026, 11, 1)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
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


def told(seed: int) -> dict[str, object]:
    folder = Path(tempfile.mkdtemp(prefix="perennial-truths-"))
    try:
        workspace = company(folder, seed)
        row = judged(seed, workspace, models.learn(workspace, as_of=END))
    finally:
        shutil.rmtree(folder)
    print(row, flush=True)
    return row


def company(folder: Path, seed: int) -> Workspace:
    workspace = Workspace(Lake(folder / "lake" / "default"))
    for name, table in generate(end=END, seed=seed).items():
        workspace.lake.write(name, table)
    workspace.roll_up()
    return workspace


def judged(seed: int, workspace: Workspace, learned: Review) -> dict[str, object]:
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
        "green": {
            segment: (learned.bands_of(segment).green_from, planted_green(segment))
            for segment in truths.SEGMENTS
        },
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
