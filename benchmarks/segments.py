"""Segments and edits with 50,000 accounts: `python -m benchmarks.segments [ACCOUNTS]`.

Seconds of processor time (all threads) and of the clock, the best of three; the first
call of each builds and compiles, as every call does.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from perennial.lake import decided, matching, measures, segments
from perennial.lake.decided import Decision
from perennial.lake.segmentbook import Segment
from perennial.lake.store import Lake
from perennial.lake.tables import TABLES
from perennial.lake.workspace import Workspace
from perennial.metrics import conditions

AS_OF = date(2026, 6, 1)
CONDITIONS: dict[str, Any] = {
    "two measures": {
        "all": [
            {"field": "health_color", "op": "is", "value": ["red", "orange"]},
            {"field": "renewal", "op": "within", "value": 120},
        ]
    },
    "six kinds of rows": {
        "all": [
            {"field": "mrr", "op": "at_least", "value": 100},
            {"field": "active_users_change", "op": "fell_by", "value": 0.1},
            {"field": "last_touch", "op": "not_within", "value": 30},
            {"field": "attribute:size", "op": "at_least", "value": 50},
            {"field": "feature:f1", "op": "less_than", "value": 3, "days": 30},
            {"not": {"any": [{"field": "tags", "op": "is", "value": ["t1"]}]}},
        ]
    },
}


def _write(lake: Lake, name: str, frame: pl.DataFrame) -> None:
    schema = TABLES[name].schema()
    missing = [pl.lit(None).alias(n) for n in schema.names if n not in frame.columns]
    rows = frame.with_columns(missing).select(schema.names).to_arrow().cast(schema)
    lake.write(name, rows)


def build(lake: Lake, count: int) -> None:
    """Accounts with measures, attributes, and 30 days of feature uses."""
    rng = np.random.default_rng(7)
    ids = [f"a{n:06}" for n in range(count)]
    now = datetime(2026, 6, 1, tzinfo=UTC)
    touch = [now - timedelta(days=int(d)) for d in rng.integers(1, 90, count)]
    stages = rng.choice(["Value", "Renewal"], count)
    properties = [
        json.dumps({"size": int(s), "tags": [f"t{s % 5}"]})
        for s in rng.integers(1, 100, count)
    ]
    accounts = pl.DataFrame(
        {
            "account_id": ids,
            "name": [f"Account {i}" for i in ids],
            "segment": rng.choice(["Small", "Large"], count),
            "lifecycle_stage": stages,
            "owner_email": [f"csm{n}@x" for n in rng.integers(0, 40, count)],
            "created_at": [now - timedelta(days=900)] * count,
            "properties": properties,
        }
    )
    _write(lake, "accounts", accounts)
    _write(
        lake,
        "account_measures",
        accounts.drop("properties").with_columns(
            as_of=pl.lit(AS_OF),
            state=pl.lit("paying"),
            mrr_e4=pl.Series(rng.integers(10, 5_000, count) * 10_000),
            renewal_on=pl.Series(
                [AS_OF + timedelta(days=int(d)) for d in rng.integers(1, 365, count)]
            ),
            seats=pl.Series(rng.integers(1, 200, count)),
            active_users=pl.Series(rng.integers(0, 200, count)),
            active_users_before=pl.Series(rng.integers(1, 200, count)),
            last_touch_at=pl.Series(touch),
            health_color=pl.Series(
                rng.choice(["red", "orange", "yellow", "green"], count)
            ),
            health_score=pl.Series(rng.uniform(0, 100, count)),
        ),
    )
    days = [AS_OF - timedelta(days=n) for n in range(1, 31)]
    for feature in ("f1", "f2"):
        frame = pl.DataFrame({"account_id": ids}).join(
            pl.DataFrame({"date": days}), how="cross"
        )
        frame = frame.sample(fraction=0.3, seed=3).with_columns(
            feature_id=pl.lit(feature), user_id=pl.lit("u"), uses=pl.lit(1, pl.Int64)
        )
        _write(lake, "feature_days", frame)


def timed(name: str, work: Callable[[], object], times: int = 3) -> None:
    best = (float("inf"), float("inf"))
    for _ in range(times):
        clock, processor = time.perf_counter(), time.process_time()
        work()
        best = min(best, (time.process_time() - processor, time.perf_counter() - clock))
    print(f"{name:44} {best[0]:7.3f} s processor {best[1]:7.3f} s clock", flush=True)


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Lake(Path(folder)))
        build(workspace.lake, count)
        print(f"{count:,} accounts")
        read = {name: conditions.read(doc) for name, doc in CONDITIONS.items()}
        for name, condition in read.items():
            timed(
                f"matching, {name}", lambda c=condition: matching.matching(workspace, c)
            )
        six = read["six kinds of rows"]
        timed("counts after each of six rows", lambda: matching.counts(workspace, six))
        day = AS_OF - timedelta(days=30)
        timed(
            "matching, an earlier day", lambda: matching.matching(workspace, six, day)
        )
        for n in range(20):
            segment = Segment(f"s{n}", f"S{n}", six if n % 2 else read["two measures"])
            if n < 19:
                segments.keep(workspace, segment, by="x")
        clock = time.perf_counter(), time.process_time()
        segments.keep(workspace, segment, by="x")
        print(
            f"{'20 segments taken anew':44} {time.process_time() - clock[1]:7.3f} s "
            f"processor {time.perf_counter() - clock[0]:7.3f} s clock"
        )
        edits = [[Decision("a000001", "owner_email", f"n{n}@x")] for n in range(3)]
        timed(
            "one account gets an owner",
            lambda: decided.decide(workspace, edits.pop(), by="x"),
        )
        timed(
            "1,000 accounts get an owner",
            lambda: decided.decide(
                workspace,
                [Decision(f"a{n:06}", "owner_email", "z@x") for n in range(1_000)],
                by="x",
            ),
            times=1,
        )
        assert measures.newest(workspace) == AS_OF


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
