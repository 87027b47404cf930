"""The board: every metric of the registry as a tile, by theme."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from perennial.apps.reports import asked as asking
from perennial.apps.reports import values
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.boards import Choice
from perennial.apps.reports.results import Answers, Missing, Question, Row
from perennial.apps.reports.values import Change
from perennial.core.windows import Grain, Period, periods
from perennial.lake.tables import DATED
from perennial.metrics import targets
from perennial.metrics.registry import Metric
from perennial.metrics.targets import Target
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
    "custom": gettext_lazy("Your own"),
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
    missed: str = ""


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
        where=asked.where if metric.is_of_accounts else None,
        variant=asked.variant or None,
        params=tuple(pair for pair in asked.given if pair[0] in metric.takes),
    )


def asked_spans(asked: Asked, today: date) -> list[Period]:
    """What a tile shows: the period, the one before it, and the last 13 months."""
    period = asking.period_of(asked.period, today)
    earlier = asking.before(asked.period, period, asked.compare)
    history = asking.history(today)
    return [period, earlier, *periods(history.start, history.end, Grain.MONTH)]


def numbers(answers: Answers, metric: Metric, asked: Asked) -> Numbers:
    spans = asked_spans(asked, answers.today)
    found = answers.spans(ask(metric, asked, spans[0]), spans)
    now, before, *course = (first(metric, rows) for rows in found)
    return Numbers(
        now,
        before,
        values.change(values.of(now), values.of(before), metric),
        [values.of(row) for row in course],
    )


def tile(answers: Answers, metric: Metric, asked: Asked, regional: Regional) -> Tile:
    """A metric's tile; without numbers where they are missing."""
    plain = Tile(
        metric,
        _(metric.title),
        reverse("reports:metric", args=[metric.key]) + asked.tile_url,
        reverse("reports:tile", args=[metric.key]) + asked.tile_url,
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
        values.status_text(now, first_day(answers, metric), metric),
        bool(now and now.status == "provisional"),
        _aside(metric, asked),
        missed(answers, metric, asked, values.of(now), regional),
    )


def missed(
    answers: Answers,
    metric: Metric,
    asked: Asked,
    value: float | None,
    regional: Regional,
) -> str:
    """ "below target 91%"; empty where there is no target, or it is met."""
    found = target_of(answers, metric, asked)
    if found is None or not found.is_missed(value, metric):
        return ""
    said = {"target": values.text(found.target, metric.unit, regional)}
    if targets.direction(metric, found.group) == "down":
        return _("above target %(target)s") % said
    return _("below target %(target)s") % said


def target_of(answers: Answers, metric: Metric, asked: Asked) -> Target | None:
    """The target of the number that is shown, for its segment or for all.

    Another way of counting is another number: it has none, nor has a saved segment, nor
    what a filter leaves.
    """
    if asked.variant or asked.member_of or asked.filter or asked.given:
        return None
    return targets.find(answers.targets, metric, asked.segment, metric.focus)


def _aside(metric: Metric, asked: Asked) -> str | Promise:
    """What the number is of, where that is not plain."""
    if asked.of_whom.where and not metric.is_of_accounts:
        return _("all customers")
    return values.focus_name(metric) or values.way(asked.variant)


def first_day(answers: Answers, metric: Metric) -> date | None:
    """The first day the metric's sources speak of."""
    return answers.lake.first_day([name for name in metric.reads if name in DATED])


def chosen(
    answers: Answers, choices: list[Choice], asked: Asked, regional: Regional
) -> list[Theme]:
    """The tiles of a board of somebody's own, in its order, without a heading."""
    tiles = [
        tile(answers, c.counted, replace(asked, variant=c.variant), regional)
        for c in choices
    ]
    return [Theme("", tiles)] if tiles else []


def themes(
    answers: Answers, choices: list[Choice], asked: Asked, regional: Regional
) -> list[Theme]:
    """Tiles in the order of the themes, within them as given; the lead first."""
    found: dict[str, list[Tile]] = {name: [] for name in THEMES}
    for c in choices:
        tiles = found[c.metric.theme]
        made = tile(answers, c.counted, replace(asked, variant=c.variant), regional)
        tiles.insert(0 if c.metric.key == LEAD else len(tiles), made)
    return [Theme(THEMES[name], tiles) for name, tiles in found.items() if tiles]


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
    if change.kind == "number":
        return formats.number(size, regional, change.places or 1)
    return formats.percent(size, regional)
