"""How long customers stay, by group: curves, what they say, how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from perennial.apps.customers.reasons import Sentence
from perennial.ui import charts, formats
from perennial.ui.charts import Chart, Line
from perennial.ui.formats import Regional

Rows = Sequence[Mapping[str, Any]]

#: Months of tenure that the table shows.
MONTHS = (0, 3, 6, 12, 18, 24, 36)
#: Beyond the month in which so few are still watched a curve is not drawn.
_LEAST_WATCHED = 5
#: A difference of groups less likely by chance than this is one.
_BY_CHANCE = 0.05


@dataclass(frozen=True)
class Group:
    """One group with its curve: `months` are the rows of the answer, by month."""

    name: str
    n: int
    ended: int
    median: float | None
    low: float | None
    high: float | None
    is_enough: bool
    months: Mapping[int, Mapping[str, Any]]

    @property
    def cells(self) -> list[Mapping[str, Any] | None]:
        return [self.months.get(month) for month in MONTHS]


def groups(found: Rows, by: str) -> list[Group]:
    """Groups, the most customers first."""
    told: dict[str, list[Mapping[str, Any]]] = {}
    for row in found:
        name = (row[by] or formats.EMPTY) if by else _("All together")
        told.setdefault(name, []).append(row)
    every = [_group(name, rows) for name, rows in told.items()]
    return sorted(every, key=lambda g: (-g.n, g.name))


def _group(name: str, rows: Rows) -> Group:
    first = rows[0]
    return Group(
        name,
        first["n"],
        first["ended"],
        first["median"],
        first["median_lower"],
        first["median_upper"],
        first["status"] == "ok",
        {row["month"]: row for row in rows},
    )


def headline(
    found: Sequence[Group], alike: float | None, regional: Regional
) -> Sentence:
    enough = [g for g in found if g.is_enough]
    n = sum(g.n for g in found)
    left = sum(g.ended for g in found)
    counts = _("%(n)s customers were watched, %(left)s of them left.") % {
        "n": formats.number(n, regional),
        "left": formats.number(left, regional),
    }
    if not enough:
        return Sentence(
            _("Too few customers have left to say how long they stay."), counts
        )
    if len(found) > 1:
        return Sentence(_difference(alike, regional), counts)
    return Sentence(_half(enough[0], regional), counts)


def _half(group: Group, regional: Regional) -> str:
    if group.median is None:
        last = max(group.months)
        told = ngettext(
            "After %(months)s month %(share)s of customers are still there.",
            "After %(months)s months %(share)s of customers are still there.",
            last,
        )
        share = formats.percent(group.months[last]["survival"], regional, 0)
        return told % {"months": formats.number(last, regional), "share": share}
    told = _(
        "Half of the customers stay longer than %(months)s months (likely %(range)s)."
    )
    return told % {
        "months": formats.number(group.median, regional, 0),
        "range": median_range(group, regional),
    }


def median_range(group: Group, regional: Regional) -> str:
    """ "12–19", or "12 and more" where the curve goes no further."""
    if group.low is None:
        return formats.EMPTY
    low = formats.number(group.low, regional, 0)
    if group.high is None:
        return _("%(uses)s and more") % {"uses": low}
    return f"{low}–{formats.number(group.high, regional, 0)}"


def _difference(alike: float | None, regional: Regional) -> str:
    if alike is None or alike >= _BY_CHANCE:
        return _("The groups stay alike, as far as can be told.")
    if alike < 0.001:
        return _("The groups do not stay alike, and that is no chance.")
    told = _(
        "The groups do not stay alike: chance would do that %(share)s of the time."
    )
    return told % {"share": formats.percent(alike, regional, 1)}


def chart(found: Sequence[Group], regional: Regional) -> Chart | None:
    """Curves with their doubt, as far as enough are watched; of several groups the
    largest."""
    lines = [_line(g) for g in found if g.is_enough][: charts.MOST_LINES]
    if not lines or max(len(line.values) for line in lines) < 2:
        return None
    return charts.lines_chart(
        lines,
        regional,
        axis=_("months since they became customers"),
        unit="percent",
        stepped=True,
        from_zero=True,
    )


def _line(group: Group) -> Line:
    drawn = {k: m for k, m in group.months.items() if m["at_risk"] >= _LEAST_WATCHED}
    return Line(
        group.name,
        {k: m["survival"] for k, m in drawn.items()},
        {k: (m["lower"], m["upper"]) for k, m in drawn.items()},
    )
