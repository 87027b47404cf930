"""The forecast: what is up for renewal, what to expect, and whether it was right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from perennial.apps.customers.reasons import Sentence
from perennial.apps.insights import queries
from perennial.apps.insights.queries import Ahead, Chance
from perennial.core.windows import DAY, add_months
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring.forecast import Hindsight, expected, wape
from perennial.ui import charts, formats
from perennial.ui.charts import Chart, Point
from perennial.ui.formats import Regional

#: Renewals the page begins with.
SOON_DAYS = 90


@dataclass(frozen=True)
class Due:
    """Customers whose term ends in a span, and what they are likely to go on paying."""

    label: date | str
    accounts: int
    mrr: float
    expected: float
    lower: float
    upper: float
    by_color: list[tuple[str, float]] = field(default_factory=list)

    @property
    def share(self) -> float | None:
        return self.expected / self.mrr if self.mrr else None


def due(label: date | str, customers: Sequence[Chance]) -> Due:
    known = [c for c in customers if c.p is not None]
    told = expected([c.p or 0.0 for c in known], [c.mrr for c in known], futures=2_000)
    colors = ("green", "yellow", "orange", "red", "none")
    amounts = dict.fromkeys(colors, 0.0)
    for c in customers:
        amounts[c.color or "none"] += c.mrr
    return Due(
        label=label,
        accounts=len(customers),
        mrr=sum(c.mrr for c in customers),
        expected=told.mrr,
        lower=told.lower,
        upper=told.upper,
        by_color=[(color, amounts[color]) for color in colors if amounts[color]],
    )


def soon(customers: Sequence[Chance], today: date) -> list[Chance]:
    """Customers whose term ends within 90 days, or has ended undecided."""
    last = today + DAY * SOON_DAYS
    return [c for c in customers if c.renewal_on and c.renewal_on < last]


def by_month(customers: Sequence[Chance], today: date) -> list[Due]:
    months: dict[date, list[Chance]] = {}
    for customer in soon(customers, today):
        assert customer.renewal_on is not None
        month = max(customer.renewal_on, today).replace(day=1)
        months.setdefault(month, []).append(customer)
    return [due(month, found) for month, found in sorted(months.items())]


def by_group(customers: Sequence[Chance], today: date, name: str) -> list[Due]:
    """Renewals of 90 days by segment or owner, the most money first."""
    groups: dict[str, list[Chance]] = {}
    for customer in soon(customers, today):
        groups.setdefault(getattr(customer, name), []).append(customer)
    found = [due(label, some) for label, some in groups.items()]
    return sorted(found, key=lambda d: -d.mrr)


def headline(total: Due, regional: Regional) -> Sentence:
    if not total.accounts:
        return Sentence(_("No renewal is due in the next 90 days."), "")
    lead = _("%(expected)s of the %(due)s that is up in the next 90 days should renew.")
    rest = ngettext(
        "Of %(n)s customer; four times in five it lands between %(low)s and %(high)s.",
        "Of %(n)s customers; four times in five it lands between %(low)s and %(high)s.",
        total.accounts,
    )
    money = {
        "expected": formats.money(total.expected, regional),
        "due": formats.money(total.mrr, regional),
    }
    bounds = {
        "n": formats.number(total.accounts, regional),
        "low": formats.money(total.lower, regional),
        "high": formats.money(total.upper, regional),
    }
    return Sentence(lead % money, rest % bounds)


def fan(
    lake: Lake, ahead: Sequence[Ahead], segment: str, regional: Regional
) -> Chart | None:
    """MRR of the past year and of the year ahead."""
    if not ahead:
        return None
    since = ahead[0].as_of
    past = [Point(end, mrr) for end, mrr in queries.mrr_before(lake, since, segment)]
    if past:
        now = ahead[0].mrr
        past[-1] = Point(since, now, low=now, high=now)
    coming = [
        Point(add_months(since, a.horizon), a.expected, low=a.lower, high=a.upper)
        for a in ahead
    ]
    return charts.fan_chart(
        past,
        coming,
        regional,
        name="MRR",
        range_name=_("Range, 80%"),
        period=_("Month"),
    )


def hindsight_chart(found: Sequence[Hindsight], regional: Regional) -> Chart | None:
    if not found:
        return None
    rows = [
        (
            date.fromisoformat(h.as_of),
            Point(date.fromisoformat(h.as_of), h.expected, low=h.lower, high=h.upper),
            h.actual,
        )
        for h in found
    ]
    return charts.hindsight_chart(
        rows,
        regional,
        expected=_("Expected"),
        actual=_("Happened"),
        range_name=_("Range, 80%"),
        period=_("Told on"),
        outside=_("outside"),
    )


def hindsight_text(found: Sequence[Hindsight], regional: Regional) -> str:
    if not found:
        return ""
    text = _("Mean error %(error)s. %(inside)s of %(all)s were inside the 80%% range.")
    return text % {
        "error": formats.percent(wape(found), regional),
        "inside": formats.number(sum(h.is_inside for h in found), regional),
        "all": formats.number(len(found), regional),
    }
