"""Verbs that bring data in and out: import, tables, export."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from perennial.apps.intake.files import ImportOptions, ImportReport, import_file
from perennial.cli import show
from perennial.cli.main import Place
from perennial.core.errors import BadValue
from perennial.lake import exporting
from perennial.lake.opening import open_workspace
from perennial.lake.tables import FACTS


@click.command("import")
@click.argument("table")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--map", "maps", multiple=True, metavar="COLUMN=SOURCE")
@click.option("--constant", "constants", multiple=True, metavar="COLUMN=VALUE")
@click.option("--where", help="Rows to take, over source columns: \"units = 'users'\".")
@click.option("--timezone", help="IANA zone of times without one.")
@click.option("--delimiter", help="Column delimiter of a CSV file.")
@click.option("--encoding", help="Encoding of a text file.")
@click.option(
    "--date-format", help="iso, dmy, mdy, s, ms, us, ns or a strptime pattern."
)
@click.option("--decimal", help="Decimal sign: . or ,")
@click.option("--dry-run", is_flag=True, help="Check and show, load nothing.")
@show.format_option
@click.pass_obj
def import_(
    place: Place,
    /,
    table: str,
    files: Sequence[Path],
    maps: Sequence[str],
    constants: Sequence[str],
    timezone: str | None,
    format_: str,
    **reading: str | bool | None,
) -> None:
    """Load CSV, JSON or Parquet FILES into a fact TABLE ("auto": recognized).

    Importing a file again changes nothing. Rows that cannot be taken are counted
    by reason and kept in the table `rejects`; the good rows are loaded.
    """
    place.data.mkdir(parents=True, exist_ok=True)
    workspace = open_workspace(place.data, place.workspace, new=True)
    options = ImportOptions(
        mapping=_pairs("--map", maps),
        constants=_pairs("--constant", constants),
        timezone=timezone or workspace.settings.timezone,
        **reading,  # type: ignore[arg-type]
    )
    reports: list[ImportReport] = []
    try:
        for path in files:
            with show.progress(path.name) as report:
                reports.append(
                    import_file(
                        workspace.lake,
                        table,
                        path,
                        options,
                        progress=lambda s: report(s, ""),
                    )
                )
    finally:  # What is loaded is told, also where a later file cannot be.
        if reports:
            _print(reports, format_)


def _pairs(option: str, texts: Sequence[str]) -> dict[str, str]:
    pairs = dict(text.partition("=")[::2] for text in texts)
    for text in texts:
        if "=" not in text:
            raise click.UsageError(f"{option} wants COLUMN=VALUE, not {text!r}")
    return pairs


def _print(reports: Sequence[ImportReport], format_: str) -> None:
    counts = ("rows", "loaded", "unchanged", "rejected")
    found = [
        {
            "file": r.file,
            "table": r.table,
            **{name: getattr(r, name) for name in counts},
        }
        for r in reports
    ]
    if format_ == "json":
        for row, report in zip(found, reports, strict=True):
            row["reasons"] = dict(report.reasons)
            row["mapping"] = dict(report.mapping)
    show.rows(found, format_)
    for report in reports:
        for sentence in report.sentences:
            click.echo(f"  {sentence}", err=True)
        if report.dry_run and format_ == "table":
            show.rows(report.sample, format_)
    if any(report.rejected and not report.dry_run for report in reports):
        click.echo("  Every row of these: perennial export rejects", err=True)


@click.command()
@click.argument("table")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["jsonl", "csv", "parquet"]),
    default="csv",
    show_default=True,
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="Default: standard output."
)
@click.pass_obj
def export(place: Place, table: str, format_: str, output: Path | None) -> None:
    """Write a TABLE of the lake as CSV, JSON lines or Parquet."""
    workspace = open_workspace(place.data, place.workspace)
    if output is None and format_ == "parquet" and sys.stdout.isatty():
        raise BadValue("Parquet is not for a terminal: give --output")
    exporting.export(workspace.lake, table, format_, output)


@click.command()
@show.format_option
@click.pass_obj
def tables(place: Place, format_: str) -> None:
    """List the fact tables, and how many rows each holds."""
    workspace = open_workspace(place.data, place.workspace)
    show.rows(
        [
            {"table": t.name, "rows": workspace.lake.count(t.name), "about": t.about}
            for t in FACTS.values()
        ],
        format_,
    )


COMMANDS = {command.name: command for command in (import_, export, tables)}
