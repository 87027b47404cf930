"""The board: every metric of the registry as a tile, by theme."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from perennial.apps.reports import asked as asking
from perennial.apps.reports import values
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.results import Answers, Missing, Question, Row
from perennial.apps.reports.values import Change
from perennial.core.windows import Period
from perennial.metrics.registry import Metric, all_metrics
from perennial.ui import formats
from perennial.ui.formats import Regional

THEMES: dict[str, str | Promise] = {
    "revenue": gettext_lazy("Revenue"),
    "retention": gettext_lazy("Retention"),
    "usage": gettext_lazy("Usage"),
    "health": gettext_lazy("Health"),
    "voice": gettext_lazy("Voice of the customer"),
    "support": gettext_lazy("Support"),
    "onboarding": gettext_lazy("Onboarding"),
    "product": gettext_lazy("Product performance"),
}
#: The metric the headline speaks of first.
LEAD = "mrr"


@dataclass(frozen=True)
class Numbers:
    """A metric over a period: now, before, and its last 13 months."""

    now: Row | None
    before: Row | None
    change: Change | None
    months: list[float | None]


@dataclass(frozen=True)
class Tile:
    """`numbers` is None while they are not computed yet."""

    metric: Metric
    title: str
    url: str
    load_url: str
    numbers: Numbers | None = None
    value: str = ""
    note: str = ""
    is_provisional: bool = False
    focus: str | Promise = ""


@dataclass(frozen=True)
class Theme:
    title: str | Promise
    tiles: list[Tile]


@dataclass(frozen=True)
class Headline:
    lead: str
    rest: str = ""


def first(metric: Metric, rows: list[Row]) -> Row | None:
    return next(iter(values.focus(metric, rows)), None)


def ask(
    metric: Metric,
    asked: Asked,
    period: Period,
    *,
    grain: str = "total",
    by: tuple[str, ...] = (),
) -> Question:
    return Question(
        metric.key,
        period.start,
        period.end,
        grain=grain,
        by=by,
        where=asked.where,
        variant=asked.variant or None,
    )


def numbers(answers: Answers, metric: Metric, asked: Asked) -> Numbers:
    period = asking.period_of(asked.period, answers.today)
    earlier = asking.before(asked.period, period, asked.compare)
    now = first(metric, answers.rows(ask(metric, asked, period)))
    before = first(metric, answers.rows(ask(metric, asked, earlier)))
    months = answers.rows(
        ask(metric, asked, asking.history(answers.today), grain="month")
    )
    return Numbers(
        now,
        before,
        values.change(values.of(now), values.of(before), metric),
        [row.value for row in values.focus(metric, months)],
    )


def tile(answers: Answers, metric: Metric, asked: Asked, regional: Regional) -> Tile:
    """A metric's tile; without numbers where they are missing."""
    plain = Tile(
        metric,
        _(metric.title),
        reverse("reports:metric", args=[metric.key]) + asked.board_url,
        reverse("reports:tile", args=[metric.key]) + asked.board_url,
    )
    try:
        found = numbers(answers, metric, asked)
    except Missing:
        return plain
    now = found.now
    return Tile(
        plain.metric,
        plain.title,
        plain.url,
        plain.load_url,
        found,
        values.text(values.of(now), metric.unit, regional),
        values.status_text(now, first_day(answers, metric)),
        bool(now and now.status == "provisional"),
        values.focus_name(metric),
    )


def first_day(answers: Answers, metric: Metric) -> date | None:
    """The first day the metric's sources speak of."""
    known = [answers.lake.first_days.get(name) for name in metric.reads]
    return min((day for day in known if day is not None), default=None)


def themes(answers: Answers, asked: Asked, regional: Regional) -> list[Theme]:
    """All metrics, in the order of the themes and of the registry; the lead first."""
    found: dict[str, list[Tile]] = {name: [] for name in THEMES}
    for metric in all_metrics().values():
        if metric.makes and not metric.focus:
            continue  # a table of its own, not one number
        tiles = found.setdefault(metric.theme, [])
        made = tile(answers, metric, asked, regional)
        tiles.insert(0 if metric.key == LEAD else len(tiles), made)
    return [
        Theme(THEMES.get(name, name.capitalize()), tiles)
        for name, tiles in found.items()
        if tiles
    ]


def headline(board: Iterable[Theme], regional: Regional) -> Headline:
    """The page in a sentence: revenue first, then how many numbers got better."""
    tiles = [tile for theme in board for tile in theme.tiles]
    known = [tile.numbers for tile in tiles if tile.numbers]
    lead = next((t for t in tiles if t.metric.key == LEAD and t.numbers), None)
    if lead is None or lead.numbers is None:
        said = _("The numbers are being computed.")
        return Headline(said, _("Each one appears as soon as it is there."))
    moods = [n.change.is_good for n in known if n.change and n.change.good]
    facts = {"better": moods.count(True), "worse": moods.count(False)}
    if not moods:
        return Headline(sentence(lead.title, lead.numbers, lead.metric, regional))
    count = ngettext(
        "Of the %(n)s number that can get better or worse",
        "Of the %(n)s numbers that can get better or worse",
        len(moods),
    ) % {"n": len(moods)}
    rest = _("%(count)s, %(better)s got better and %(worse)s worse.")
    return Headline(
        sentence(lead.title, lead.numbers, lead.metric, regional),
        rest % {"count": count, **facts},
    )


def sentence(title: str, found: Numbers, metric: Metric, regional: Regional) -> str:
    """ "Monthly recurring revenue rose 1.4% to €282,473."."""
    if found.now is None or found.now.value is None:
        return _("%(title)s: no data for this period yet.") % {"title": title}
    facts = {
        "title": title,
        "value": values.text(found.now.value, metric.unit, regional),
        "change": change_text(found.change, regional),
    }
    if found.change is None:
        return _("%(title)s: %(value)s.") % facts
    if not found.change.is_clear:
        return _("%(title)s hardly moved: %(value)s.") % facts
    if found.change.value > 0:
        return _("%(title)s rose %(change)s to %(value)s.") % facts
    return _("%(title)s fell %(change)s to %(value)s.") % facts


def change_text(change: Change | None, regional: Regional) -> str:
    if change is None:
        return formats.EMPTY
    size = abs(change.value)
    if change.kind == "pp":
        return f"{formats.number(size * 100, regional, 1)} {_('pp')}"
    return formats.percent(size, regional)
