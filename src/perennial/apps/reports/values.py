"""Values of metrics as text, and what changed between two of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from math import inf

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from perennial.apps.reports.results import Row
from perennial.apps.reports.ways import WAYS
from perennial.metrics.registry import Metric, Unit
from perennial.ui import charts, formats
from perennial.ui.formats import Regional

Text = str | Promise

#: A relative change smaller than this is noise and has no color.
NOISE = 0.01
#: Of scores up to such a size, changes smaller than this.
_SCALES = ((1, 0.01), (10, 0.05), (inf, 0.5))
#: What is for people who ask by name: `names` of columns and settings.
_ASIDE = re.compile(r"\s*\([^()]*`[^()]*\)")

CLASSES: dict[str, Text] = {
    "daily": gettext_lazy("Daily users"),
    "frequent": gettext_lazy("Frequent users"),
    "occasional": gettext_lazy("Occasional users"),
    "inactive": gettext_lazy("Inactive users"),
    "red": pgettext_lazy("health", "Red"),
    "orange": pgettext_lazy("health", "Orange"),
    "yellow": pgettext_lazy("health", "Yellow"),
    "green": pgettext_lazy("health", "Green"),
    "none": pgettext_lazy("health", "No score"),
}

_CHART_UNITS: dict[Unit, charts.Unit] = {
    "count": "number",
    "ratio": "percent",
    "money": "money",
}
#: How a figure of a unit is written; ratios, money and counts have ways of their own.
_WORDS: dict[Unit, Text] = {
    "days": gettext_lazy("%(n)s days"),
    "hours": gettext_lazy("%(n)s h"),
    "minutes": gettext_lazy("%(n)s min"),
    "milliseconds": gettext_lazy("%(n)s ms"),
    "months": gettext_lazy("%(n)s months"),
}


@dataclass(frozen=True)
class Change:
    """A difference as the tag `delta` shows it."""

    value: float
    kind: str
    noise: float
    good: str
    places: int | None = None

    @property
    def is_clear(self) -> bool:
        return abs(self.value) >= self.noise and self.value != 0

    @property
    def is_good(self) -> bool | None:
        """None where it means nothing, or is too small to."""
        if self.good not in {"up", "down"} or not self.is_clear:
            return None
        return (self.value > 0) == (self.good == "up")


def of(row: Row | None) -> float | None:
    return row.value if row is not None else None


def change(now: float | None, before: float | None, metric: Metric) -> Change | None:
    """Points for shares and scores, otherwise a share of the old value."""
    if now is None or before is None:
        return None
    good = metric.good if metric.good != "none" else ""
    if metric.unit == "ratio":
        return Change(now - before, "pp", max(NOISE * abs(before), 0.0005), good)
    if metric.unit == "score":
        largest = max(abs(now), abs(before))
        noise = next(least for top, least in _SCALES if largest <= top)
        return Change(now - before, "number", noise, good, places(largest))
    if before == 0:
        return None
    return Change((now - before) / abs(before), "percent", NOISE, good)


def focus(metric: Metric, rows: list[Row]) -> list[Row]:
    """The rows of the number itself, where a metric answers with several."""
    if not metric.focus:
        return rows
    name = metric.makes[0]
    return [row for row in rows if row.groups.get(name) == metric.focus]


def focus_name(metric: Metric) -> Text:
    """Which of several numbers is shown; empty where there is one."""
    return CLASSES.get(metric.focus, metric.focus)


def group_name(name: str) -> str:
    """A value a metric makes itself, as people read it."""
    known = {
        "new": _("New"),
        "expansion": _("Expansion"),
        "contraction": _("Contraction"),
        "churn": _("Churn"),
        "reactivation": _("Reactivation"),
        "pause": pgettext("movement", "Pause"),
        "resume": _("Resumed"),
        "late_adjustment": _("Late adjustment"),
        "fx": _("Exchange rates"),
        "opening": _("Opening"),
        "closing": _("Closing"),
        "net_new": _("Net new"),
        "topic": _("Topic"),
        "k": _("Month of tenure"),
    }
    return known.get(name, name)


def way(variant: str) -> str:
    """How a tile counts, where that is not the usual way."""
    return variant_name(variant) if variant else ""


def text(value: float | None, unit: Unit, regional: Regional) -> str:
    """A value in its unit, as a sentence or a table has it."""
    if value is None:
        return formats.EMPTY
    match unit:
        case "ratio":
            return formats.percent(value, regional)
        case "money":
            return formats.money(value, regional)
        case "seconds":
            return _duration(value)
        case "score":
            return formats.number(value, regional, places(value))
        case "index":
            return formats.number(value, regional, 2)
        case "days" | "hours" | "minutes" | "milliseconds" | "months":
            return str(_WORDS[unit]) % {"n": figure(value, regional)}
        case _:
            return figure(value, regional)


def places(score: float) -> int:
    """Decimals of a score: an Apdex of 0.94 is no 0.9."""
    return 2 if 0 < abs(score) <= 1 else 1


def figure(value: float | None, regional: Regional) -> str:
    """A count; small means keep a decimal."""
    is_whole = value is None or value == int(value) or abs(value) >= 100
    return formats.number(value, regional, 0 if is_whole else 1)


def divisor(value: float | None, regional: Regional) -> str:
    """A denominator, as exact as the quotient needs it."""
    if value is not None and 0 < abs(value) < 1:
        return formats.number(value, regional, 4)
    return figure(value, regional)


def prose(text: str) -> str:
    """What an entry says, without what is meant for those who ask in code."""
    return _ASIDE.sub("", text).replace("`", "")


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return _("%(s)s s") % {"s": whole}
    if whole < 3600:
        return _("%(m)s min %(s)s s") % {"m": whole // 60, "s": whole % 60}
    return _("%(h)s h %(m)s min") % {"h": whole // 3600, "m": whole % 3600 // 60}


def part_text(value: float | None, unit: Unit, regional: Regional) -> str:
    """A numerator in the unit it adds up in."""
    if unit == "money":
        return formats.money(value, regional)
    if unit == "seconds" and value is not None:
        return _("%(n)s h") % {"n": figure(value / 3600, regional)}
    return figure(value, regional)


def chart_unit(unit: Unit) -> charts.Unit:
    return _CHART_UNITS.get(unit, "decimal")


def chart_value(value: float | None, unit: Unit) -> float | None:
    """Durations are drawn in minutes."""
    return value / 60 if value is not None and unit == "seconds" else value


def status_text(row: Row | None, first_day: date | None, metric: Metric) -> str:
    """Why a number is missing, not settled or of little weight; empty when all is
    well."""
    if row is None or row.status == "no_data":
        if row is None or (first_day is not None and row.end > first_day):
            return _("Nothing to count")
        return _("No data yet")
    if row.status == "insufficient":
        is_priced = "mrr_ledger" in metric.reads and "costs" not in metric.reads
        return _("An exchange rate is missing") if is_priced else _("Not enough data")
    if row.status == "provisional":
        return _("provisional")
    return _("small sample") if is_small(row, metric) else ""


def is_small(row: Row, metric: Metric) -> bool:
    """Is a quotient made of so few that one more would change it much (G1)?"""
    if row.value is None or row.n is None or row.denominator is None:
        return False
    return metric.unit != "count" and row.n < metric.small


def is_quotient(row: Row) -> bool:
    """Is the value its numerator by its denominator? A median is not."""
    if row.value is None or row.numerator is None or not row.denominator:
        return False
    quotient = row.numerator / row.denominator
    return abs(quotient - row.value) <= 1e-9 * max(abs(quotient), 1)


def variant_name(name: str) -> str:
    """ "dau_mau" reads "dau mau" where there is no better word."""
    return str(WAYS.get(name, name.replace("_", " ").capitalize()))
