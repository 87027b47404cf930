"""One metric's page: the number, its course, its parts, the rows behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from django.utils.translation import gettext as _

from perennial.apps.reports import asked as asking
from perennial.apps.reports import behind, board, breakdown, menus, values
from perennial.apps.reports.asked import COMPARISONS, Asked
from perennial.apps.reports.board import Headline, Numbers, ask
from perennial.apps.reports.boards import is_a_number
from perennial.apps.reports.elsewhere import elsewhere
from perennial.apps.reports.results import Answers, Missing, Row
from perennial.apps.team.access import TeamRequest
from perennial.core.windows import Period
from perennial.metrics.registry import Metric
from perennial.ui import formats
from perennial.ui.charts import Chart, Point, line_chart
from perennial.ui.formats import Regional

#: Parts that load by themselves where they are not computed yet.
PARTS = ("breakdown", "rows")
#: Other metrics beside it.
RELATED = 4


@dataclass(frozen=True)
class Stop:
    """A point of the chart as a line; `url` is the page of its days."""

    dates: str
    url: str
    value: str
    numerator: str
    denominator: str
    n: int | None
    status: str


@dataclass(frozen=True)
class Drawn:
    """The chart with what its title says, and its points, newest first."""

    chart: Chart
    title: str
    sub: str
    stops: Sequence[Stop]

    @property
    def has_parts(self) -> bool:
        """Are the points quotients?"""
        return any(stop.denominator != formats.EMPTY for stop in self.stops)


@dataclass(frozen=True)
class Parameter:
    name: str
    about: str
    value: str


@dataclass(frozen=True)
class Formula:
    """A formula in words and with numbers; `numbers` is empty for a median.

    `way` says how it is read where it is not counted the usual way.
    """

    words: Sequence[str]
    way: str
    numbers: Sequence[str]
    value: str


def page(
    request: TeamRequest,
    metric: Metric,
    asked: Asked,
    *,
    parts: Sequence[str],
    wait: bool,
) -> dict[str, Any]:
    """What the templates of the page read; a part is None while it is missing."""
    answers = Answers(request.workspace)
    regional = request.regional
    period = asking.period_of(asked.period, answers.today)
    # A metric that is a table of its own has no number to lead with.
    found, of_whom = (
        Numbers(None, None, None, []),
        menus.of_whom(asked, request.workspace, regional),
    )
    if is_a_number(metric):
        found = board.numbers(answers, metric, asked)
    context: dict[str, Any] = {
        "metric": metric,
        "title": _(metric.title),
        "about": values.prose(_(metric.description)),
        "focus": values.focus_name(metric),
        "family": board.THEMES.get(metric.theme, metric.theme),
        "asked": asked,
        "period": period,
        "dates": asking.dates(period, regional),
        "numbers": found,
        "value": values.text(values.of(found.now), metric.unit, regional),
        "status": status(answers, metric, found.now),
        "missed": board.missed(answers, metric, asked, values.of(found.now), regional),
        "target": target_text(answers, metric, asked, regional),
        "before": earlier(found, metric, asked, period, regional),
        "headline": headline(found, metric, asked, of_whom, regional),
        "of_whom": of_whom,
        "formula": formula(found.now, metric, asked.variant, regional),
        "caveats": values.prose(_(metric.caveats)) if metric.caveats else "",
        "parameters": parameters(metric, asked),
        "kept": parse_qsl(asked.url(params="")[1:]),
        "grains": menus.grains(metric, asked),
        "here": asked.url(),
        "elsewhere": elsewhere(
            ask(metric, asked, period),
            request.workspace.key,
            request.build_absolute_uri("/").rstrip("/"),
        ),
    }
    lazy = answers if wait else Answers(request.workspace, wait=False)
    for name in parts:
        context[name] = _part(name, lazy, metric, asked, found, request)
    return context


def related(request: TeamRequest, metric: Metric, asked: Asked) -> list[board.Tile]:
    """Its neighbors of the same theme, as far as their numbers are kept."""
    answers = Answers(request.workspace, wait=False)
    same = [m for m in answers.catalog.values() if m.theme == metric.theme]
    keys = [m.key for m in same]
    at = keys.index(metric.key)
    near = sorted(same, key=lambda m: abs(keys.index(m.key) - at))[1 : RELATED + 1]
    of_whom = asked.of_whom
    tiles = [board.tile(answers, m, of_whom, request.regional) for m in near]
    return [tile for tile in tiles if tile.numbers]


def _part(
    name: str,
    answers: Answers,
    metric: Metric,
    asked: Asked,
    found: Numbers,
    request: TeamRequest,
) -> object | None:
    try:
        if name == "breakdown":
            return breakdown.table(answers, metric, asked, found, request)
        return behind.shown(answers, metric, asked, found, request.regional)
    except Missing:
        return None


def target_text(
    answers: Answers, metric: Metric, asked: Asked, regional: Regional
) -> str:
    """The target of the number; empty without one."""
    found = board.target_of(answers, metric, asked)
    if found is None or found.target is None:
        return ""
    return values.text(found.target, metric.unit, regional)


def status(answers: Answers, metric: Metric, row: Row | None) -> str:
    said = values.status_text(row, board.first_day(answers, metric), metric)
    return said[:1].upper() + said[1:]


def earlier(
    found: Numbers, metric: Metric, asked: Asked, period: Period, regional: Regional
) -> str:
    """ "28 Sep – 25 Oct 2026: €279,120"."""
    span = asking.before(asked.period, period, asked.compare)
    value = values.of(found.before)
    if value is None:
        return _("no data for %(dates)s") % {"dates": asking.dates(span, regional)}
    facts = {
        "dates": asking.dates(span, regional),
        "value": values.text(value, metric.unit, regional),
    }
    return _("vs %(dates)s (%(value)s)") % facts


def headline(
    found: Numbers, metric: Metric, asked: Asked, of_whom: str, regional: Regional
) -> Headline:
    """The number in words; the fact is set in bold."""
    lead = board.sentence(_(metric.title), found, metric, regional)
    rest = []
    if metric.focus:
        said = {"group": values.focus_name(metric)}
        rest.append(_("Shown: %(group)s.") % said)
    if found.before is not None and found.before.value is not None:
        value = values.text(found.before.value, metric.unit, regional)
        said = {
            "previous": _("It was %(value)s in the period before."),
            "year": _("It was %(value)s a year earlier."),
        }
        rest.append(said[asked.compare] % {"value": value})
    if of_whom:
        rest.append(_("Only %(segment)s is counted.") % {"segment": of_whom})
    return Headline(lead, " ".join(rest))


def drawn(answers: Answers, regional: Regional, metric: Metric, asked: Asked) -> Drawn:
    """The course of the number, with the comparison as a dashed line."""
    grain, span, rows, before = series(answers, metric, asked)
    points = [
        Point(
            row.start,
            values.chart_value(row.value, metric.unit),
            values.chart_value(before[i].value, metric.unit)
            if i < len(before)
            else None,
        )
        for i, row in enumerate(rows)
    ]
    has_before = any(point.before is not None for point in points)
    target = board.target_of(answers, metric, asked)
    goal = target.target if target else None
    chart = line_chart(
        points,
        regional,
        name=str(values.focus_name(metric) or _(metric.title)),
        unit=values.chart_unit(metric.unit),
        grain=grain,  # type: ignore[arg-type]
        before=str(COMPARISONS[asked.compare]) if has_before else "",
        target=values.chart_value(goal, metric.unit),
        target_name=_("Target"),
        period=_("Period"),
        height=240,
    )
    by = {
        "day": _("By day, %(dates)s"),
        "week": _("By week, %(dates)s"),
        "month": _("By month, %(dates)s"),
        "quarter": _("By quarter, %(dates)s"),
    }[grain]
    title = by % {"dates": asking.dates(span, regional)}
    stops = [_stop(answers, row, metric, asked, grain, regional) for row in rows[::-1]]
    return Drawn(chart, title, _chart_sub(metric, asked, has_before=has_before), stops)


def _stop(
    answers: Answers,
    row: Row,
    metric: Metric,
    asked: Asked,
    grain: str,
    regional: Regional,
) -> Stop:
    days = Period(row.start, row.end)
    return Stop(
        asking.dates(days, regional),
        asked.url(period=asking.written(days), grain=grain) + "#rows",
        values.text(row.value, metric.unit, regional),
        values.part_text(row.numerator, metric.unit, regional),
        values.divisor(row.denominator, regional),
        row.n,
        status(answers, metric, row),
    )


def _chart_sub(metric: Metric, asked: Asked, *, has_before: bool) -> str:
    units = {
        "seconds": _("minutes"),
        "milliseconds": _("milliseconds"),
        "minutes": _("minutes"),
        "hours": _("hours"),
        "days": _("days"),
        "months": _("months"),
    }
    said = [units[metric.unit]] if metric.unit in units else []
    if has_before:
        dashed = {
            "previous": _("dashed: the time before"),
            "year": _("dashed: a year earlier"),
        }
        said.append(dashed[asked.compare])
    return "; ".join(said)


def series(
    answers: Answers, metric: Metric, asked: Asked
) -> tuple[str, Period, list[Row], list[Row]]:
    """The grain, the span, its rows and those to compare them with."""
    period = asking.period_of(asked.period, answers.today)
    grain = asking.grain_of(asked, metric)
    span = asking.chart_span(asked, metric, period, grain)
    earlier = asking.chart_before(asked, span, grain)
    now = answers.rows(ask(metric, asked, span, grain=grain))
    before = answers.rows(ask(metric, asked, earlier, grain=grain))
    return grain, span, values.focus(metric, now), values.focus(metric, before)


def parameters(metric: Metric, asked: Asked) -> list[Parameter]:
    """What can be set for the metric, and what is."""
    given = dict(asked.given)
    return [
        Parameter(name, values.prose(_(about)), given.get(name, ""))
        for name, about in metric.takes.items()
    ]


def formula(
    row: Row | None, metric: Metric, variant: str, regional: Regional
) -> Formula:
    words = _(metric.formula).split(" / ")
    value = values.text(values.of(row), metric.unit, regional)
    way = metric.variants.get(variant, "")
    return Formula(
        words if len(words) == 2 else [_(metric.formula)],
        _(way) if way and way != metric.formula else "",
        _parts(row, metric, regional),
        value,
    )


def _parts(row: Row | None, metric: Metric, regional: Regional) -> list[str]:
    """Numerator and denominator; nothing where their quotient is not the value."""
    if row is None or row.value is None or row.numerator is None:
        return []
    top = values.part_text(row.numerator, metric.unit, regional)
    if row.denominator is None:
        return [top]
    if not row.denominator or not values.is_quotient(row):
        return []
    return [top, values.divisor(row.denominator, regional)]
