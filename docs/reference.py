"""Writes docs/reference from the code: `make reference`. A test holds them equal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import click

from perennial.cli.main import VERBS, cli
from perennial.core import settings as core
from perennial.core.settings import HealthTargets, Settings
from perennial.lake.insights import INSIGHTS, Insight
from perennial.lake.tables import FACTS, RECORDS, ROLLUPS, Table
from perennial.metrics.registry import Metric, all_metrics

FOLDER = Path(__file__).parent / "reference"
_NOTE = "<!-- Written by `make reference`; do not edit. -->\n"


def metrics() -> str:
    """The catalog, a section a metric."""
    every = "Every number of customers also takes `--set include_test=1`: test accounts, "
    every += "test users and one's own people count too.\n"
    metrics = map(_metric, all_metrics().values())
    return "\n".join([_NOTE, "# Metrics\n", every, *metrics])


def _window(metric: Metric) -> str:
    days = metric.window_days
    if isinstance(days, str):
        return f"as many days as the setting `{days}` says"
    return f"{days} day{'s' * (days != 1)}"


def _metric(metric: Metric) -> str:
    lines = [
        f"## {metric.title} {{ #{metric.key} }}\n",
        f"`{metric.key}` · {metric.unit} · {metric.theme}\n",
        f"{metric.description}\n",
        f"**Formula**: {metric.formula}\n",
        f"**Example**: {metric.example}\n",
        f"- Grains: {', '.join(metric.grains)}",
        f"- Dimensions: {', '.join(metric.dimensions)}",
        *(f"- Every row has a `{name}`" for name in metric.makes),
        f"- Made from: {', '.join(f'`{name}`' for name in (*metric.reads, *metric.also_reads))}",
        f"- Of an observed period without rows: {'null' if metric.empty is None else metric.empty}",
        f"- `--as-of` looks back {_window(metric)}"
        + (" (the value of the last instant)" if metric.stock else ""),
        f"- Rows behind it: by {metric.entity}",
        f"- Definition: {metric.source}",
        *(f"- Variant `{name}`: {text}" for name, text in metric.variants.items()),
        *(f"- `--set {name}=…`: {text}" for name, text in metric.params.items()),
    ]
    if metric.caveats:
        lines.append(f"\n!!! note\n    {metric.caveats}")
    return "\n".join(lines) + "\n"


def insights() -> str:
    """What can be learned from the past, a section an insight."""
    return "\n".join([_NOTE, "# Insights\n", *map(_insight, INSIGHTS.values())])


def _insight(insight: Insight) -> str:
    lines = [
        f"## {insight.title} {{ #{insight.name} }}\n",
        f"`{insight.name}`: {insight.about}\n",
        *(f"- `--by {name}`" for name in insight.dimensions),
        *(f"- `--set {name}=…`: {text}" for name, text in insight.params.items()),
    ]
    return "\n".join(lines) + "\n"


def tables() -> str:
    """Every table of the lake with its columns."""
    parts = [
        _NOTE,
        "# Tables\n",
        "Facts are imported; the others are written by the product. All are open "
        "Delta tables below `lake/` in the data folder.\n",
    ]
    for title, group in (("Facts", FACTS), ("Roll-ups", ROLLUPS), ("Records", RECORDS)):
        parts += [f"## {title}\n", *map(_table, group.values())]
    return "\n".join(parts)


def _table(table: Table) -> str:
    key = ", ".join(f"`{name}`" for name in table.key) or "none: rows are appended"
    lines = [f"### {table.name}\n", f"{table.about}\n", f"Key: {key}.\n"]
    lines += [
        f"A row has {' or '.join(f'`{name}`' for name in group)}.\n"
        for group in table.one_of
    ]
    rows = [
        (
            f"**{c.name}**" if c.required else c.name,
            c.type,
            c.about + (f" One of {', '.join(c.choices)}." if c.choices else ""),
        )
        for c in table
    ]
    return "\n".join([*lines, *_grid(("column", "type", "meaning"), rows)]) + "\n"


def _grid(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    names = list(head)
    lines = [
        "| " + " | ".join(names) + " |",
        "| " + " | ".join("---" for _ in names) + " |",
    ]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows)]


def commands() -> str:
    """The command line: every verb with its help."""
    context = click.Context(cli, info_name="perennial", **cli.context_settings)
    parts = [_NOTE, "# Command line\n", "```text", cli.get_help(context), "```\n"]
    for verb in VERBS:
        command = cli.get_command(context, verb)
        assert command is not None
        parts += [f"## {verb}\n", "```text", *_help(command, context), "```\n"]
    return "\n".join(parts)


def _help(command: click.Command, parent: click.Context) -> Iterator[str]:
    """Help of a command, and of the commands below it."""
    context = click.Context(command, info_name=command.name, parent=parent)
    yield command.get_help(context)
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            yield ""
            yield from _help(inner, context)


def _group(title: str, names: Sequence[str]) -> Iterator[str]:
    rows = [
        (n, core.written(getattr(Settings(), n)) or "none", core.about(n))
        for n in names
    ]
    yield f"\n## {title}\n"
    yield from _grid(("setting", "default", "what it is"), rows)


def settings() -> str:
    """Settings of a workspace and their defaults."""
    health = [
        (f.name, f"`{getattr(HealthTargets(), f.name)}`") for f in fields(HealthTargets)
    ]
    return "\n".join(
        [
            _NOTE,
            "# Settings\n",
            "Changed under Settings, with `perennial settings KEY=VALUE` or in Python; kept "
            "with date and author in the table `settings`. Every metric honors them.\n",
            *(line for group in core.groups().items() for line in _group(*group)),
            "\n## Health\n",
            "Targets that are worth 100 points, weights of frequency, breadth, depth and "
            "growth, and the lower bounds of orange, yellow and green.\n",
            *_grid(("target", "default"), health),
            "",
        ]
    )


#: SQL dialects every metric is compiled for, by Ibis's names, beside the two that run.
DIALECTS = {
    "postgres": "PostgreSQL",
    "bigquery": "BigQuery",
    "snowflake": "Snowflake",
    "databricks": "Databricks",
    "clickhouse": "ClickHouse",
}
_MEDIAN = "'Median' operation is not defined"
_SUBSECOND = "doesn't support subsecond interval"
#: What Ibis cannot say in a dialect, and the words it refuses with.
UNSAID = {
    "bigquery": dict.fromkeys(("funnel", "conversion_rate", "lead_funnel"), _MEDIAN),
    "clickhouse": dict.fromkeys(("funnel", "conversion_rate"), _SUBSECOND),
}


def engines() -> str:
    """Where the metrics run, and where they only compile."""
    count = len(all_metrics())
    rows = [
        (name, f"{count - len(excused)} of {count}", _excuses(excused))
        for dialect, name in DIALECTS.items()
        for excused in [UNSAID.get(dialect, {})]
    ]
    return "\n".join(
        [
            _NOTE,
            "# Engines\n",
            "Tests run every metric and variant on **DuckDB** and on **Spark Connect** "
            "(LakeSail), over the same tables, and the rows are equal to the last bit. "
            "For the others they only write the SQL of each metric's default question, "
            "with Ibis and without a server: nothing is known of what it returns.\n",
            *_grid(("SQL of", "metrics that compile", "those that do not"), rows),
            "",
        ]
    )


def _excuses(excused: Mapping[str, str]) -> str:
    named = [f"`{key}` ({reason})" for key, reason in excused.items()]
    return ", ".join(named) or "–"


PAGES: dict[str, Callable[[], str]] = {
    "metrics.md": metrics,
    "insights.md": insights,
    "tables.md": tables,
    "command-line.md": commands,
    "settings.md": settings,
    "engines.md": engines,
}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, write in PAGES.items():
        (FOLDER / name).write_text(write())


if __name__ == "__main__":
    main()
