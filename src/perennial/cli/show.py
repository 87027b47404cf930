"""How commands print rows and show progress."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

Row = Mapping[str, Any]

format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="How rows are printed.",
)


def rows(found: Sequence[Row], format_: str) -> None:
    """Print rows on standard output."""
    if format_ == "json":
        click.echo(json.dumps(list(found), default=plain, ensure_ascii=False, indent=2))
    elif format_ == "csv":
        _csv(found)
    else:
        _table(found)


def plain(value: object) -> object:
    """A value as JSON knows it: numbers stay numbers, instants ISO 8601."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return str(value)


def _csv(found: Sequence[Row]) -> None:
    if found:
        writer = csv.DictWriter(sys.stdout, fieldnames=list(found[0]))
        writer.writeheader()
        writer.writerows({k: _cell(v) for k, v in row.items()} for row in found)


def _cell(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _table(found: Sequence[Row]) -> None:
    if not found:
        click.echo("Nothing found.")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in found[0]:
        number = any(isinstance(row[name], (int, float)) for row in found)
        table.add_column(name, justify="right" if number else "left")
    for row in found:
        table.add_row(*(_text(value) for value in row.values()))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _text(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return str(value)


@contextmanager
def progress(title: str) -> Iterator[Callable[[float, str], None]]:
    """A progress bar on standard error, on a terminal only."""
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=console,
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    with bar:
        task = bar.add_task(title, total=1.0)

        def report(share: float, what: str = "") -> None:
            bar.update(task, completed=share, description=what or title)

        yield report
