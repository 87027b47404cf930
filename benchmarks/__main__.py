"""Import, refresh and metric queries, beside plain DuckDB SQL, ClickHouse and pandas.

Everything is timed in one run on one machine; read the ratios, not the seconds. Of a
question the best of its repeats counts: milliseconds, and in brackets those of the
processor, which other work on the machine hardly moves. `python -m benchmarks 1 5 20` takes sizes in millions of events (default 1 and 5).
"""

from __future__ import annotations

import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from benchmarks import data, peers, sample, year
from perennial.apps.intake.files import ImportOptions, import_file
from perennial.lake.opening import open_workspace
from perennial.lake.workspace import Workspace

REPEATS = 5
DAY = date(2025, 12, 1)


def main() -> None:
    sizes = [float(text) for text in sys.argv[1:]] or [1.0, 5.0]
    for millions in sizes:
        folder = Path(tempfile.mkdtemp(prefix="perennial-bench-"))
        try:
            measure(folder, int(millions * 1_000_000))
        finally:
            shutil.rmtree(folder)


def measure(folder: Path, events: int) -> None:
    print(f"\n## {events:,} events\n")
    parquet, csv = data.write(folder / "source", events)
    (folder / "lake" / "default").mkdir(parents=True)
    workspace = open_workspace(folder)
    subscriptions = data.write_subscriptions(folder / "source")
    measure_import(workspace, folder, parquet, csv, events)
    load(workspace, subscriptions, "subscription_items")
    measure_refresh(workspace, events)
    measure_metrics(workspace, parquet)
    measure_year(workspace, parquet, subscriptions)


def measure_import(
    workspace: Workspace, folder: Path, parquet: Path, csv: Path, events: int
) -> None:
    other = folder / "other"
    (other / "lake" / "default").mkdir(parents=True)
    beside = open_workspace(other)
    rows = min(events, data.CSV_ROWS)
    copying = timed(lambda: copy(parquet, folder / "copy.parquet"))
    loading = timed(lambda: load(workspace, parquet))
    loading_csv = timed(lambda: load(beside, csv))
    again = timed(lambda: load(workspace, parquet))
    print("| import | seconds | rows/s | to a plain copy by DuckDB |")
    print("| --- | --- | --- | --- |")
    for name, seconds, count in (
        ("Parquet", loading, events),
        ("CSV", loading_csv, rows),
        ("Parquet, again", again, events),
    ):
        ratio = seconds / count / (copying / events)
        print(f"| {name} | {seconds:.1f} | {count / seconds:,.0f} | {ratio:.1f} |")


def copy(source: Path, target: Path) -> None:
    with duckdb.connect() as duck:
        duck.execute(f"COPY (FROM '{source}') TO '{target}' (COMPRESSION zstd)")


def load(workspace: Workspace, path: Path, table: str = "events") -> None:
    import_file(workspace.lake, table, path, ImportOptions())


def measure_refresh(workspace: Workspace, events: int) -> None:
    full = timed(lambda: workspace.refresh(as_of=DAY))
    nothing = timed(lambda: workspace.refresh(as_of=DAY))
    workspace.lake.write("events", one_more_day(workspace))
    more = timed(lambda: workspace.refresh(as_of=DAY))
    print("\n| refresh | seconds | to a full one |")
    print("| --- | --- | --- |")
    print(f"| full ({events / full:,.0f} events/s) | {full:.2f} | 1 |")
    print(f"| nothing new | {nothing:.2f} | {nothing / full:.3f} |")
    print(f"| one more day of events | {more:.2f} | {more / full:.3f} |")


def one_more_day(workspace: Workspace) -> pa.Table:
    """The events of the last day again, a day later."""
    with duckdb.connect() as duck:
        source = workspace.lake.source("events")
        return (
            duck.sql(
                f"""
            SELECT * REPLACE (event_id || '+' AS event_id,
                              timestamp + INTERVAL 1 DAY AS timestamp)
            FROM {source}
            WHERE timestamp >= (SELECT max(timestamp)::DATE FROM {source})
            """
            )
            .to_arrow_table()
            .cast(data.SCHEMA)
        )


def measure_metrics(workspace: Workspace, parquet: Path) -> None:
    span = {"start": DAY - timedelta(days=90), "end": DAY}
    asked: dict[str, Callable[[], object]] = {
        "dau, 90 days": lambda: workspace.metric("dau", grain="day", **span),
        "mau, 90 days": lambda: workspace.metric("mau", grain="day", **span),
        "stickiness by month": lambda: workspace.metric(
            "stickiness", grain="month", **span
        ),
        "sessions by day": lambda: workspace.metric("sessions", grain="day", **span),
        "feature uses by account": lambda: workspace.metric(
            "feature_uses", by=["account", "feature"], **span
        ),
    }
    peers_named = "raw Parquet, DuckDB | raw Parquet, ClickHouse | ratio to the better"
    print(f"\n| metric, milliseconds | Perennial | {peers_named} |")
    print("| --- | --- | --- | --- | --- |")
    questions = peers.questions(parquet, span["start"], span["end"])
    for name, ask in asked.items():
        own = best(ask)
        duck = best(lambda sql=questions[name].duckdb: peers.ask_duckdb(sql))
        house = best(lambda sql=questions[name].clickhouse: peers.ask_clickhouse(sql))
        times = " | ".join(map(str, (own, duck, house)))
        print(f"| {name} | {times} | {own.wall / min(duck, house).wall:.2f} |")


def measure_year(workspace: Workspace, events: Path, subscriptions: Path) -> None:
    span = {"start": date(2025, 1, 6), "end": DAY}
    steps = {"steps": ",".join(year.STEPS), "within_days": "30"}
    month = {"start": DAY - timedelta(days=30), "end": DAY}
    quarter = {"start": DAY - timedelta(days=90), "end": DAY}
    asked: dict[str, list[Callable[[], object]]] = {
        "dau of every day": [lambda: workspace.metric("dau", grain="day", **span)],
        "dau, wau, mau of every day": [
            lambda key=key: workspace.metric(key, grain="day", **span)
            for key in ("dau", "wau", "mau")
        ],
        "weekly retention": [
            lambda: workspace.metric("user_retention", grain="week", **span)
        ],
        "funnel of four steps, 90 days": [
            lambda: workspace.metric("funnel", by=["step"], params=steps, **quarter)
        ],
        "funnel of four steps": [
            lambda: workspace.metric("funnel", by=["step"], params=steps, **span)
        ],
        "adoption by account": [
            lambda: workspace.metric(
                "feature_adoption", by=["account", "feature"], **month
            )
        ],
        "MRR movements, 24 months": [
            lambda: workspace.metric(
                "mrr_movements", start="2023-12-01", end=DAY, grain="month"
            )
        ],
    }
    part = sample.write(events, events.parent)
    tree = peers.MergeTree(events, subscriptions)
    print("\n| 2025, milliseconds | Perennial | raw Parquet, DuckDB | raw Parquet, ClickHouse | MergeTree, ClickHouse | a tenth, pandas | ratio to the best engine |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, asks in asked.items():
        over = {"adoption by account": month, "funnel of four steps, 90 days": quarter}
        over = over.get(name, span)
        question = year.questions(events, subscriptions, over["start"], over["end"])[
            name
        ]
        tenth = sample.questions(part, subscriptions, over["start"], over["end"])[name]
        own = best(lambda asks=asks: [ask() for ask in asks])
        duck = best(lambda sql=question.duckdb: peers.ask_duckdb(sql))
        house = best(lambda sql=question.clickhouse: peers.ask_clickhouse(sql))
        merged = best(lambda sql=question.clickhouse: tree.ask(sql))
        pandas = best(tenth)
        times = " | ".join(map(str, (own, duck, house, merged, pandas)))
        print(f"| {name} | {times} | {own.wall / min(duck, house, merged).wall:.2f} |")


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Cost(NamedTuple):
    """Seconds on the clock, and of the processor."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall * 1000:.0f} ({self.cpu * 1000:.0f})"


def best(work: Callable[[], object]) -> Cost:
    """The least of each, after a first time that is not counted."""
    work()
    costs = []
    for _ in range(REPEATS):
        began, used = time.perf_counter(), _processor()
        work()
        costs.append(Cost(time.perf_counter() - began, _processor() - used))
    return Cost(min(c.wall for c in costs), min(c.cpu for c in costs))


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
