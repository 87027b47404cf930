"""What it costs to ask: every metric once, and once more.

`python -m benchmarks.catalog [FOLDER]` asks each metric by month for half a year, of
the workspace in a data folder or of an example company made for it. CPU
milliseconds, so that other work on the machine hardly counts; "SQL" is the part of
the second time that putting the question into SQL takes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import NamedTuple, TypeVar

from perennial.core.windows import Grain, add_months, floor
from perennial.demo.load import load
from perennial.lake.opening import open_workspace
from perennial.lake.workspace import Workspace
from perennial.metrics.registry import all_metrics

SHOWN = 10
Made = TypeVar("Made")


class Cost(NamedTuple):
    """CPU milliseconds of a metric."""

    key: str
    cold: float
    warm: float
    sql: float


def main() -> None:
    if len(sys.argv) > 1:
        report(open_workspace(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory(prefix="perennial-bench-") as folder:
        (Path(folder) / "lake" / "default").mkdir(parents=True)
        workspace = open_workspace(folder)
        load(workspace, end=workspace.today, seed=7, progress=lambda *_: None)
        report(open_workspace(folder))


def report(workspace: Workspace) -> None:
    end = floor(workspace.today, Grain.MONTH)
    costs = [ask(workspace, key, add_months(end, -6), end) for key in all_metrics()]
    print("| metric, CPU ms | first | again | of which SQL |")
    print("| --- | --- | --- | --- |")
    every = Cost(f"all {len(costs)}", *map(sum, list(zip(*costs, strict=True))[1:]))
    costliest = sorted(costs, key=lambda cost: -cost.warm)[:SHOWN]
    for cost in (every, *costliest):
        print(f"| {cost.key} | {cost.cold:.0f} | {cost.warm:.0f} | {cost.sql:.0f} |")


def ask(workspace: Workspace, key: str, start: date, end: date) -> Cost:
    grain = "month" if "month" in all_metrics()[key].grains else "total"
    times = []
    for _ in range(2):
        spent, result = timed(
            lambda: workspace.metric(key, start=start, end=end, grain=grain)
        )
        times.append(spent)
    spent, _sql = timed(result.sql)
    return Cost(key, *times, spent)


def timed(work: Callable[[], Made]) -> tuple[float, Made]:
    """CPU milliseconds of something, and what it gave."""
    began = time.process_time()
    made = work()
    return (time.process_time() - began) * 1000, made


if __name__ == "__main__":
    main()
