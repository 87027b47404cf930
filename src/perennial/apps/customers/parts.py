"""Parts of a health score in words: names, what they count, what was measured."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from perennial.apps.customers.chance import REASONS
from perennial.apps.customers.words import Text, figure
from perennial.lake.modes import USUAL
from perennial.metrics.registry import Unit, all_metrics
from perennial.scoring.scorecard import (
    OVERRIDE,
    Bands,
    CatalogMetric,
    Component,
    Linear,
    Measure,
    Percentile,
    Pulse,
    Scale,
    Target,
)
from perennial.ui import formats
from perennial.ui.formats import Regional

#: Names of the parts of H01, and of those people tell.
PARTS: Mapping[str, Text] = {
    "frequency": pgettext_lazy("part of the health score", "Frequency"),
    "breadth": pgettext_lazy("part of the health score", "Breadth"),
    "depth": pgettext_lazy("part of the health score", "Depth"),
    "growth": pgettext_lazy("part of the health score", "Growth"),
    "relationship": pgettext_lazy("part of the health score", "Relationship"),
    OVERRIDE: pgettext_lazy("part of the health score", "Override"),
    USUAL: gettext_lazy("A usual customer"),
}
_UNITS: Mapping[str, Text] = {
    "seconds": gettext_lazy("%(n)s s"),
    "minutes": gettext_lazy("%(n)s min"),
    "hours": gettext_lazy("%(n)s h"),
    "days": gettext_lazy("%(n)s d"),
    "milliseconds": gettext_lazy("%(n)s ms"),
}


def part_name(name: str) -> str:
    """The name of a part: of H01, of the metric it is called after, or its own."""
    if name in PARTS:
        return str(PARTS[name])
    metrics = all_metrics()
    if name in metrics:
        return _(metrics[name].title)
    return str(REASONS.get(name) or name.replace("_", " ").capitalize())


def value_text(value: float | None, unit: Unit, regional: Regional) -> str:
    """What a metric measured, with its unit: "42", "38.4%", "4.2 h"."""
    if value is None:
        return formats.EMPTY
    if unit == "ratio":
        return formats.percent(value, regional)
    if unit == "money":
        return formats.money(value, regional)
    number = figure(value, regional)
    return str(_UNITS[unit]) % {"n": number} if unit in _UNITS else number


def metric_text(
    source: CatalogMetric, measured: float | None, regional: Regional
) -> SafeString:
    """ "Net Promoter Score <b>42</b>"."""
    title = _(source.title)
    if measured is None:
        said = _("Not measured: there are no data for {metric}")
        return format_html(said, metric=title)
    value = value_text(measured, source.unit, regional)
    return format_html("{} <b>{}</b>", title, value)


def counts_text(component: Component, regional: Regional) -> SafeString:
    """What a part counts, with its name: "<b>Breadth:</b> active users by seats"."""
    said = counted(component, regional)
    return format_html("<b>{}:</b> {}.", part_name(component.name), said)


def counted(component: Component, regional: Regional) -> str:
    """What a part counts, by its targets and its scale, as the rest of a sentence."""
    source = component.source
    if isinstance(source, Measure):
        return _measure(source, regional)
    if isinstance(source, Pulse):
        said = ngettext(
            "what people say, 0 to 100, for %(days)s day",
            "what people say, 0 to 100, for %(days)s days",
            source.expires_days,
        )
        return said % {"days": source.expires_days}
    assert component.scale is not None
    scale = scale_text(component.scale, source, regional)
    return f"{_(source.title)}; {scale}"


def _measure(source: Measure, regional: Regional) -> str:
    said = {
        "frequency": _(
            "half median active days of %(active_days)s, half minutes of %(minutes)s, "
            "per active user"
        ),
        "breadth": _("active users by seats bought, of %(breadth)s"),
        "depth": _(
            "three quarters key features used, of %(coverage)s; one quarter key events "
            "per session, of %(events_per_session)s"
        ),
        "growth": _(
            "mean of users against 28 days before and MRR against 90 days before; 50 "
            "for no change, 0 and 100 for %(growth)s down and up"
        ),
    }[source.key]
    shares = {"breadth", "coverage", "growth"}
    return said % {
        name: formats.percent(value, regional, 0)
        if name in shares
        else figure(value, regional)
        for name, value in source.targets.items()
    }


def scale_text(scale: Scale, source: CatalogMetric, regional: Regional) -> str:
    """How a value becomes points, in words."""

    def value(number: float) -> str:
        return value_text(number, source.unit, regional)

    if isinstance(scale, Target):
        if source.direction == "up":
            return _("100 points from %(target)s on") % {"target": value(scale.value)}
        return _("100 points up to %(target)s") % {"target": value(scale.value)}
    if isinstance(scale, Linear):
        ends = {"low": value(scale.start), "high": value(scale.end)}
        return _("0 points at %(low)s, 100 at %(high)s, a line between") % ends
    if isinstance(scale, Percentile):
        if not scale.within:
            return _("rank among all accounts")
        return _("rank among accounts with the same %(name)s") % {"name": scale.within}
    return _bands(scale, value, regional)


def _bands(scale: Bands, value: object, regional: Regional) -> str:
    """ "0 below 50%, 50 from 50%, 100 from 80%"; where the edge belongs is said."""
    assert callable(value)
    points = [formats.number(each, regional) for each in scale.points]
    edges = [value(edge) for edge in scale.edges]
    is_lower = scale.includes == "lower"
    first = _("%(points)s below %(edge)s") if is_lower else _("%(points)s to %(edge)s")
    other = (
        _("%(points)s from %(edge)s") if is_lower else _("%(points)s above %(edge)s")
    )
    told = [first % {"points": points[0], "edge": edges[0]}]
    told += [
        other % {"points": given, "edge": edge}
        for given, edge in zip(points[1:], edges, strict=True)
    ]
    return ", ".join(told)
