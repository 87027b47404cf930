"""The nightly health of many accounts, from roll-ups: score, transitions, lists; and
what is learned of their decisions.

`python -m benchmarks.health 20 5000` takes millions of events and accounts. Wall
clock and processor seconds are printed side by side: read the latter on a busy
machine.
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from benchmarks import data
from perennial.apps.intake.files import ImportOptions, import_file
from perennial.lake import (
    chances,
    insights,
    measures,
    models,
    scorecards,
    snapshots,
)
from perennial.lake.customers import customers as paying_on
from perennial.lake.opening import open_workspace
from perennial.lake.tables import FACTS
from perennial.lake.workspace import Workspace
from perennial.scoring.review import Review
from perennial.scoring.scorecard_reading import read
from perennial.scoring.scorecard_text import to_document

DAY = date(2025, 11, 25)
#: A scorecard with two metrics beside the usual parts.
METRICS = [
    {"name": "seats", "metric": "license_utilization", "direction": "up",
     "scale": {"target": 0.8}, "weight": 20},
    {"name": "stickiness", "metric": "stickiness", "weight": 20,
     "scale": {"percentile": {"within": "segment"}}},
]  # fmt: skip


def main() -> None:
    millions, accounts = (float(sys.argv[1]), int(sys.argv[2])) if sys.argv[2:] else (
        20.0, 5000,
    )  # fmt: skip
    folder = Path(tempfile.mkdtemp(prefix="perennial-bench-"))
    try:
        measure(folder, int(millions * 1_000_000), accounts)
    finally:
        shutil.rmtree(folder)


def measure(folder: Path, events: int, accounts: int) -> None:
    (folder / "lake" / "default").mkdir(parents=True)
    workspace = open_workspace(folder)
    parquet, _csv = data.write(folder / "source", events, accounts)
    import_file(workspace.lake, "events", parquet, ImportOptions())
    customers(workspace, accounts)
    print(f"\n## {events:,} events, {accounts:,} accounts\n")
    print("| step | seconds | processor seconds |\n| --- | --- | --- |")
    _line("roll-ups, all of them", workspace.roll_up)
    _line("first health, 27 days", lambda: snapshots.take(workspace, DAY))
    later = DAY + timedelta(days=7)
    _line("nightly health, 2 days", lambda: snapshots.take(workspace, later))
    _line("account measures", lambda: measures.build(workspace, later, progress={}))
    document = to_document(scorecards.active(workspace).card)
    document["components"] += METRICS
    document["normalize_weights"] = True
    scorecards.publish(workspace, read(document), by="bench", note="With metrics")
    _line("the same with two metrics more", lambda: snapshots.take(workspace, later))
    _contracts(workspace, accounts)
    _line(
        "power features",
        lambda: insights.answer(workspace, "power-features", as_of=DAY),
    )
    learned: list[Review] = []
    _line(
        "everything learned", lambda: learned.append(models.learn(workspace, as_of=DAY))
    )
    paying = paying_on(workspace, DAY)
    _line(
        "chances of all customers",
        lambda: chances.compute(workspace, learned[0], DAY, paying),
    )


def _line(name: str, work: Callable[[], object]) -> None:
    began, used = time.perf_counter(), _processor()
    work()
    wall, cpu = time.perf_counter() - began, _processor() - used
    print(f"| {name} | {wall:.1f} | {cpu:.1f} |", flush=True)


def _processor() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def customers(workspace: Workspace, accounts: int) -> None:
    """Every account pays and has seats; ten features are key."""
    ids = [f"account-{n}" for n in range(accounts)]
    since = datetime(2024, 6, 1, tzinfo=UTC)
    segments = ("Small business", "Mid-market", "Enterprise")
    _write(workspace, "accounts", [
        {"account_id": i, "name": i, "segment": segments[n % 3], "created_at": since}
        for n, i in enumerate(ids)
    ])  # fmt: skip
    _write(workspace, "subscription_items", [
        {"subscription_id": i, "account_id": i, "item_id": "", "mrr": Decimal(100 + n),
         "valid_from": since}
        for n, i in enumerate(ids)
    ])  # fmt: skip
    _write(workspace, "seat_contracts", [{"account_id": i, "seats": 40} for i in ids])
    _write(workspace, "features", [
        {"feature_id": f"feature {n}", "is_key": n < 10} for n in range(30)
    ])  # fmt: skip


def _contracts(workspace: Workspace, accounts: int) -> None:
    """Every account decided in the second half of the year, one in five to leave."""
    start = date(2024, 6, 1)
    _write(workspace, "contracts", [
        {"account_id": f"account-{n}", "term_start": start + timedelta(days=n % 170),
         "term_end": start + timedelta(days=365 + n % 170),
         "outcome": "cancelled" if n % 5 == 0 else "renewed"}
        for n in range(accounts)
    ])  # fmt: skip


def _write(workspace: Workspace, name: str, rows: list[dict[str, object]]) -> None:
    schema = FACTS[name].schema()
    columns = {
        field.name: pa.array([row.get(field.name) for row in rows], field.type)
        for field in schema
    }
    workspace.lake.write(name, pa.table(columns, schema=schema))


if __name__ == "__main__":
    main()
