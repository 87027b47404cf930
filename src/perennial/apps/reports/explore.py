"""Explorers: the bridge of revenue, features by group, what people do after log-in.

Each is a page of a chart and a table whose whole state is in its address; the table
is what is downloaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perennial.apps.reports import asked as asking
from perennial.apps.reports import values
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.board import ask as question_of
from perennial.apps.reports.dimensions import feature_names
from perennial.apps.reports.results import Answers, Row
from perennial.apps.reports.tables import Cell, Grid, Line, url_of
from perennial.core.windows import Period
from perennial.metrics import registry
from perennial.metrics.movements import MOVEMENTS
from perennial.metrics.query import ask
from perennial.scoring import patterns
from perennial.scoring.patterns import Path
from perennial.ui import formats
from perennial.ui.charts import Chart, bridge_chart
from perennial.ui.formats import Regional

#: What a feature is measured by: a metric of the catalog.
MEASURES: Mapping[str, tuple[str | Promise, str]] = {
    "reach": (gettext_lazy("Reach"), "feature_adoption"),
    "intensity": (gettext_lazy("Intensity"), "feature_uses"),
    "keep": (gettext_lazy("Keep using"), "feature_repeat_rate"),
}
#: Attributes features are split by.
SPLITS = ("segment", "plan")
_PATHS = ("events", "sessions", "features", "event_definitions", "identities", "users")


@dataclass(frozen=True)
class Explored:
    """A page: its sentence, chart and table; `raw` are the table's rows for a file."""

    lead: str
    rest: str
    grid: Grid | None
    raw: Sequence[Sequence[Any]] = ()
    chart: Chart | None = None
    chart_title: str = ""
    links: list[tuple[str, str, bool]] = field(default_factory=list)


# The bridge


def bridge(answers: Answers, asked: Asked, regional: Regional) -> Explored:
    """From the MRR a period began with to the one it ended with."""
    period = asking.period_of(asked.period, answers.today)
    plain = replace(asked, variant="bridge")
    rows = answers.rows(question_of(registry.get("mrr_movements"), plain, period))
    amounts = {row.group or "": row.value or 0.0 for row in rows}
    if not any(amounts.values()):
        return Explored(_("No recurring revenue in this period."), "", None)
    steps = [
        (values.group_name(name), amounts.get(name, 0.0))
        for name in MOVEMENTS
        if amounts.get(name)
    ]
    first, last = amounts.get("opening", 0.0), amounts.get("closing", 0.0)
    chart = bridge_chart(
        (values.group_name("opening"), first),
        steps,
        (values.group_name("closing"), last),
        regional,
        name=_("Monthly recurring revenue"),
        part=_("Movement"),
        unit="money",
    )
    said = {
        "first": formats.money(first, regional),
        "last": formats.money(last, regional),
    }
    return Explored(
        _("Monthly recurring revenue went from %(first)s to %(last)s.") % said,
        _("Opening, movements and exchange rates add up to the closing."),
        _bridge_grid(rows, plain, regional),
        [(row.group, row.value, row.n) for row in rows],
        chart,
        _("What moved it, %(dates)s") % {"dates": asking.dates(period, regional)},
    )


def _bridge_grid(rows: Sequence[Row], asked: Asked, regional: Regional) -> Grid:
    """Each amount leads to the accounts it is made of."""
    page = reverse("reports:metric", args=["mrr_movements"])
    lines = [
        Line(
            values.group_name(row.group or ""),
            [
                Cell(
                    formats.money(row.value, regional),
                    is_faint=not row.value,
                    url=page + url_of(row, row.group or "", asked) if row.n else "",
                ),
                Cell(formats.number(row.n, regional, 0)),
            ],
            is_total=row.group in ("opening", "closing"),
        )
        for row in rows
    ]
    heads = [_("Movement"), _("Amount"), _("Accounts")]
    return Grid(heads, lines, _("The bridge in numbers"), "")


# Features by group


def features(answers: Answers, asked: Asked, regional: Regional) -> Explored:
    """A line a feature, a column a group; what is asked for is the measure."""
    measure = asked.rows if asked.rows in MEASURES else "reach"
    by = asked.by if asked.by in SPLITS else SPLITS[0]
    title, key = MEASURES[measure]
    period = asking.period_of(asked.period, answers.today)
    metric = registry.get(key)
    rows = answers.rows(question_of(metric, asked, period, by=("feature", by)))
    links = [
        (str(name), asked.url(rows="" if each == "reach" else each), each == measure)
        for each, (name, _key) in MEASURES.items()
    ]
    links += [
        (_("by %(what)s") % {"what": split}, asked.url(by=split), split == by)
        for split in SPLITS
    ]
    if not rows:
        return Explored(_("No feature was used in this period."), "", None, links=links)
    return Explored(
        _most_even(rows, by, answers, regional, measure),
        values.prose(_(metric.description)),
        _feature_grid(rows, by, str(title), metric.unit, answers, regional),
        [(r.groups["feature"], r.groups[by], r.value, r.n) for r in rows],
        links=links,
    )


def _most_even(
    rows: Sequence[Row], by: str, answers: Answers, regional: Regional, measure: str
) -> str:
    """Where groups differ most: the sentence of the page."""
    known: dict[str, list[float]] = {}
    for row in rows:
        if row.value is not None and (row.n or 0) >= 5:
            known.setdefault(row.groups["feature"] or "", []).append(row.value)
    spread = {name: max(v) - min(v) for name, v in known.items() if len(v) > 1}
    if not spread or measure == "intensity":
        return _("How each feature is used, by group.")
    name = max(spread, key=lambda each: (spread[each], each))
    said = {
        "feature": feature_names(answers).get(name, name),
        "high": formats.percent(max(known[name]), regional, 0),
        "low": formats.percent(min(known[name]), regional, 0),
    }
    return _("Groups differ most in %(feature)s: from %(low)s to %(high)s.") % said


def _feature_grid(
    rows: Sequence[Row],
    by: str,
    title: str,
    unit: registry.Unit,
    answers: Answers,
    regional: Regional,
) -> Grid:
    names = feature_names(answers)
    groups = sorted({row.groups[by] or "" for row in rows})
    cells = {(row.groups["feature"], row.groups[by] or ""): row for row in rows}
    most = max((row.value or 0 for row in rows), default=0) or 1
    lines = [
        Line(
            names.get(feature) or feature,
            [_cell(cells.get((feature, g)), unit, most, regional) for g in groups],
        )
        for feature in sorted({row.groups["feature"] or "" for row in rows})
    ]
    head = [_("Feature"), *(group or _("not set") for group in groups)]
    return Grid(head, lines, title, _("A darker cell is a higher number."))


def _cell(
    row: Row | None, unit: registry.Unit, most: float, regional: Regional
) -> Cell:
    if row is None or row.value is None:
        return Cell(formats.EMPTY, is_faint=True)
    return Cell(
        values.text(row.value, unit, regional), min(10, round(10 * row.value / most))
    )


# After log-in


def paths(answers: Answers, asked: Asked, regional: Regional) -> Explored:
    """The ways sessions begin, the most frequent first."""
    period = asking.period_of(asked.period, answers.today)
    found: list[Path] = answers.keep(
        f"paths {period} {asked.where}",
        (*_PATHS, "segment_members", "account_measures"),
        lambda: _ways(answers, asked, period),
    )
    if not found:
        return Explored(_("No session used a feature in this period."), "", None)
    names, total = feature_names(answers), sum(path.sessions for path in found)
    lines = [
        Line(
            " → ".join(names.get(f) or f for f in path.features),
            [
                Cell(formats.number(path.sessions, regional, 0)),
                Cell(formats.percent(path.sessions / total, regional)),
                Cell(formats.number(path.users, regional, 0)),
                Cell(formats.percent(path.quick_share, regional)),
            ],
        )
        for path in found
    ]
    said = {
        "way": lines[0].name,
        "share": formats.percent(found[0].sessions / total, regional, 0),
    }
    head = [_("Features in order"), _("Sessions"), _("Share"), _("Users")]
    return Explored(
        _("Most sessions begin with %(way)s: %(share)s of those shown.") % said,
        _("The first five features of a session; the same one in a row counts once."),
        Grid([*head, _("Over within a minute")], lines, _("How sessions begin"), ""),
        [(" > ".join(p.features), p.sessions, p.users, p.quick_share) for p in found],
    )


def _ways(answers: Answers, asked: Asked, period: Period) -> list[Path]:
    lake = answers.lake
    query = ask(
        registry.get("sessions"),
        now=lake.now,
        settings=lake.settings,
        start=period.start,
        end=period.end,
        where=asked.where,
    )
    rows = lake.engine.run(patterns.paths(lake.inputs(query), query))
    return patterns.top_paths(rows)


Page = Callable[[Answers, Asked, Regional], Explored]
#: Explorers by the name in their address.
PAGES: Mapping[str, tuple[str | Promise, Page, Sequence[str]]] = {
    "bridge": (
        gettext_lazy("Revenue bridge"),
        bridge,
        ("movement", "amount", "accounts"),
    ),
    "features": (
        gettext_lazy("Features"),
        features,
        ("feature", "group", "value", "n"),
    ),
    "paths": (
        gettext_lazy("After log-in"),
        paths,
        ("features", "sessions", "users", "quick_share"),
    ),
}
