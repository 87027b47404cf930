"""Import, refresh and metric queries, beside plain DuckDB SQL, ClickHouse and pandas.

Everything is timed in one run on one machine; read the ratios, not the seconds.
`python -m benchmarks 1 5 20` takes sizes in millions of events (default 1 and 5).
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from benchmarks import data, peers, sample, year
from perennial.apps.intake.files import ImportOptions, import_file
from perennial.lake.workspace import Workspace, open_workspace

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
        own = median(ask)
        duck = median(lambda sql=questions[name].duckdb: peers.ask_duckdb(sql))
        house = median(lambda sql=questions[name].clickhouse: peers.ask_clickhouse(sql))
        times = " | ".join(f"{seconds * 1000:.0f}" for seconds in (own, duck, house))
        print(f"| {name} | {times} | {own / min(duck, house):.2f} |")


def measure_year(workspace: Workspace, events: Path, subscriptions: Path) -> None:
    span = {"start": date(2025, 1, 6), "end": DAY}
    steps = {"steps": ",".join(year.STEPS), "within_days": "30"}
    month = {"start": DAY - timedelta(days=30), "end": DAY}
    asked: dict[str, list[Callable[[], object]]] = {
        "dau, wau, mau of every day": [
            lambda key=key: workspace.metric(key, grain="day", **span)
            for key in ("dau", "wau", "mau")
        ],
        "weekly retention": [
            lambda: workspace.metric("user_retention", grain="week", **span)
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
    print("\n| 2025, milliseconds | Perennial | raw Parquet, DuckDB | raw Parquet, ClickHouse | a tenth, pandas | ratio to the better engine |")  # fmt: skip
    print("| --- | --- | --- | --- | --- | --- |")
    for name, asks in asked.items():
        over = month if name == "adoption by account" else span
        question = year.questions(events, subscriptions, over["start"], over["end"])[
            name
        ]
        tenth = sample.questions(part, subscriptions, over["start"], over["end"])[name]
        own = sum(median(ask) for ask in asks)
        duck = median(lambda sql=question.duckdb: peers.ask_duckdb(sql))
        house = median(lambda sql=question.clickhouse: peers.ask_clickhouse(sql))
        pandas = median(tenth)
        times = " | ".join(f"{s * 1000:.0f}" for s in (own, duck, house, pandas))
        print(f"| {name} | {times} | {own / min(duck, house):.2f} |")


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def median(work: Callable[[], object]) -> float:
    work()
    return statistics.median(timed(work) for _ in range(REPEATS))


if __name__ == "__main__":
    main()
