"""Verbs that answer: metrics, metric, health."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click

from perennial.cli import show
from perennial.cli.main import Place
from perennial.core.errors import BadValue
from perennial.lake import healthbook
from perennial.lake.insights import INSIGHTS, Insight
from perennial.lake.opening import open_workspace
from perennial.lake.result import Result
from perennial.metrics.registry import all_metrics

#: Rows behind a number that a terminal shows.
_BEHIND = 20
#: Columns of an insight that a terminal shows; the first are what it is about.
_COLUMNS = 12


@click.command()
@show.format_option
@click.pass_obj
def metrics(place: Place, /, format_: str) -> None:
    """List the catalog: every metric with unit, grains and dimensions."""
    known = all_metrics()
    if place.data.is_dir():  # with the metrics of one's own
        known = open_workspace(place.data, place.workspace).catalog
    show.rows(
        [
            {
                "key": m.key,
                "title": m.title,
                "unit": m.unit,
                "grains": list(m.grains),
                "dimensions": list(m.dimensions),
                "variants": list(m.variants),
            }
            for m in known.values()
        ],
        format_,
    )


@click.command()
@click.argument("key")
@click.option("--start", metavar="DATE", help="First local day.")
@click.option("--end", metavar="DATE", help="First local day after it.")
@click.option("--as-of", metavar="DATE", help="Everything before this local day.")
@click.option("--grain", default="total", show_default=True, metavar="GRAIN")
@click.option("--by", multiple=True, metavar="DIMENSION", help="May be repeated.")
@click.option("--where", metavar="EXPRESSION", help="\"segment = 'Enterprise'\"")
@click.option("--variant", metavar="NAME")
@click.option("--set", "sets", multiple=True, metavar="PARAM=VALUE")
@click.option("--explain", is_flag=True, help="Formula, inputs and the rows behind.")
@show.format_option
@click.pass_obj
def metric(
    place: Place,
    /,
    key: str,
    sets: Sequence[str],
    explain: bool,
    format_: str,
    **asked: Any,
) -> None:
    """Values of the metric KEY: one row per period and group."""
    workspace = open_workspace(place.data, place.workspace)
    result = workspace.metric(key, params=params(sets), **asked)
    if explain:
        _explain(result, format_)
    else:
        show.rows(result.to_dicts(), format_)


def params(sets: Sequence[str]) -> dict[str, str]:
    """`--set` options as a mapping."""
    for text in sets:
        if "=" not in text:
            raise click.UsageError(f"--set wants PARAM=VALUE, not {text!r}")
    return dict(text.partition("=")[::2] for text in sets)


def _explain(result: Result, format_: str) -> None:
    facts = result.explain()
    if format_ == "json":
        click.echo(json.dumps(facts, default=show.plain, ensure_ascii=False, indent=2))
        return
    click.echo(f"{facts['title']}: {facts['description']}")
    click.echo(f"  formula   {facts['formula']}")
    click.echo(f"  inputs    {', '.join(facts['inputs'])}  ({facts['source']})")
    if facts["caveats"]:
        click.echo(f"  know      {facts['caveats']}")
    show.rows(facts["rows"], format_)
    behind = facts["behind"]
    click.echo(f"\nThe rows behind, by {facts['entity']} ({len(behind)}):")
    show.rows(behind[:_BEHIND] if format_ == "table" else behind, format_)
    if format_ == "table" and len(behind) > _BEHIND:
        click.echo(f"… and {len(behind) - _BEHIND} more (--format csv shows all)")


@click.command()
@click.option("--account", metavar="ID", help="One account only.")
@click.option("--as-of", metavar="DATE", help="Everything before this local day.")
@click.option(
    "--users",
    is_flag=True,
    help="Scores of users; bands and chances are of accounts only.",
)
@click.option("--where", metavar="EXPRESSION", help="\"segment = 'Enterprise'\"")
@click.option(
    "--set",
    "sets",
    multiple=True,
    metavar="PARAM=VALUE",
    help="cuts=40,60,80 or version=3",
)
@click.option("--explain", is_flag=True, help="With the change of every component.")
@click.option("--history", is_flag=True, help="One row per date.")
@show.format_option
@click.pass_obj
def health(
    place: Place, /, sets: Sequence[str], users: bool, format_: str, **asked: Any
) -> None:
    """Health scores, with the components they are made of."""
    workspace = open_workspace(place.data, place.workspace)
    card = healthbook.tried(workspace, params(sets))
    found = healthbook.scores(workspace, card=card, users=users, **asked)
    if asked["account"] and not found:
        raise BadValue(f"no account {asked['account']!r} with health on that day")
    show.rows(found if format_ == "json" else _flat(found), format_)


def _flat(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with a column a part and a mode; not every account has every part."""
    for row in found:
        for mode in ("composite", "band", "calibrated"):
            row[mode] = (row.get(mode) or {}).get("color")
    parts = [{p["name"]: p["value"] for p in row.pop("components")} for row in found]
    names = dict.fromkeys(name for of_row in parts for name in of_row)
    return [
        {**row, **{name: of_row.get(name) for name in names}}
        for row, of_row in zip(found, parts, strict=True)
    ]


@click.command()
@click.argument("name", type=click.Choice(list(INSIGHTS)))
@click.option("--as-of", metavar="DATE", help="Everything before this local day.")
@click.option("--by", multiple=True, metavar="DIMENSION", help="May be repeated.")
@click.option("--where", metavar="EXPRESSION", help="\"segment = 'Enterprise'\"")
@click.option("--set", "sets", multiple=True, metavar="PARAM=VALUE")
@click.option("--explain", is_flag=True, help="What it answers, and its parameters.")
@show.format_option
@click.pass_obj
def insights(
    place: Place,
    /,
    name: str,
    sets: Sequence[str],
    explain: bool,
    format_: str,
    **asked: Any,
) -> None:
    """What the past tells: power features, renewal model, forecast and others."""
    workspace = open_workspace(place.data, place.workspace)
    found = workspace.insight(name, params=params(sets), **asked).to_dicts()
    if explain and format_ == "json":
        about = {"insight": name, **_about(INSIGHTS[name]), "rows": found}
        click.echo(json.dumps(about, default=show.plain, ensure_ascii=False, indent=2))
        return
    if explain:
        for key, text in _about(INSIGHTS[name]).items():
            click.echo(f"  {key:<9} {text}")
    if format_ == "table":
        found = [dict(list(row.items())[:_COLUMNS]) for row in found]
    show.rows(found, format_)


def _about(insight: Insight) -> dict[str, Any]:
    return {
        "title": insight.title,
        "answers": insight.about,
        "by": ", ".join(insight.dimensions) or None,
        "set": "; ".join(f"{k}: {v}" for k, v in insight.params.items()) or None,
    }


COMMANDS = {command.name: command for command in (metrics, metric, health, insights)}
