"""What a mailing says: the numbers of its page, each with its chart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.http import QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from perennial.apps.customers.queries import book
from perennial.apps.reports import asked as asking
from perennial.apps.reports import board as tiles
from perennial.apps.reports import boards, detail, menus
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.board import Headline, Tile
from perennial.apps.reports.boards import Choice
from perennial.apps.reports.results import Answers
from perennial.apps.team.addresses import absolute
from perennial.apps.team.models import Membership
from perennial.apps.work import outbox
from perennial.apps.work.models import Mailing
from perennial.core.errors import BadValue, PerennialError
from perennial.ui import charts
from perennial.ui.formats import Regional

_WIDTH, _HEIGHT = 520, 160
#: Bytes of all pictures of a mail: mail servers refuse what is too large.
_MOST: Final = 4_000_000
#: Of a change for the better, and for the worse.
_INKS = {True: "#0D7549", False: "#A5132C"}


@dataclass(frozen=True)
class Composed:
    """One mail; `leave` in its texts stands for the address that ends it."""

    subject: str
    context: dict[str, Any]
    pictures: Sequence[bytes]

    def rendered(self, ending: str, leave: str) -> str:
        context = {**self.context, "leave": leave}
        return render_to_string(f"work/mail/mailing.{ending}", context)


def compose(mailing: Mailing, by: Membership, regional: Regional) -> Composed:
    """In the language that is active. Raises `BadValue` where what it shows is gone,
    or hidden from the one who set it up."""
    answers = Answers(mailing.workspace)
    asked, choices = _asked(mailing, answers), _choices(mailing, by, answers)
    shown = [tiles.tile(answers, c.metric, _of(asked, c), regional) for c in choices]
    if not shown:
        raise BadValue(_("There is nothing on it any more."))
    first = choices[0]
    of_whom = menus.of_whom(asked, mailing.workspace, regional)
    headline = _headline(shown, first, asked, of_whom, regional)
    rows = [_row(tile, regional) for tile in shown]
    pictures = _pictures(answers, asked, choices, rows, regional)
    context = {
        "workspace": mailing.workspace,
        "mailing": mailing,
        "headline": headline,
        "dates": asking.dates(asking.period_of(asked.period, answers.today), regional),
        "segment": of_whom,
        "rows": rows,
        "page": absolute(page_of(mailing)),
        "colors": charts.COLORS["light"],
    }
    subject = f"{mailing.workspace.name}: {headline.lead}"
    return Composed(subject, context, pictures)


def page_of(mailing: Mailing) -> str:
    """The address of the page a mailing shows."""
    if mailing.metric:
        path = reverse("reports:metric", args=[mailing.metric])
    else:
        path = reverse("reports:metrics")
    return f"{path}{mailing.query}"


def _asked(mailing: Mailing, answers: Answers) -> Asked:
    asked = asking.parse(QueryDict(mailing.query.removeprefix("?")))
    known = book(answers.workspace)
    if asked.segment and (known is None or asked.segment not in known.segments):
        raise BadValue(_("The segment “%(name)s” is gone.") % {"name": asked.segment})
    if asked.member_of and not menus.segment_name(asked, answers.workspace):
        name = {"name": asked.member_of}
        raise BadValue(_("The segment “%(name)s” is gone.") % name)
    return asked


def _of(asked: Asked, choice: Choice) -> Asked:
    return asking.fitting(
        replace(asked, variant=choice.variant or asked.variant), choice.metric
    )


def _choices(mailing: Mailing, by: Membership, answers: Answers) -> Sequence[Choice]:
    if mailing.metric:
        metric = answers.catalog.get(mailing.metric)
        if metric is None or not boards.is_a_number(metric):
            raise BadValue(_("The metric is gone."))
        return [Choice(metric)]
    if mailing.board is None:
        return boards.built_in("", answers.catalog) or []
    if not boards.visible(by).filter(pk=mailing.board.pk).exists():
        raise BadValue(_("The board is no longer shared."))
    return boards.choices(mailing.board)


def _headline(
    shown: Sequence[Tile],
    first: Choice,
    asked: Asked,
    of_whom: str,
    regional: Regional,
) -> Headline:
    """Of a single metric as its page says it, of a board as the board does."""
    if len(shown) == 1 and shown[0].numbers:
        mine = _of(asked, first)
        numbers, metric = shown[0].numbers, first.metric
        return detail.headline(numbers, metric, mine, of_whom, regional)
    lead = next((t for t in shown if t.metric.key == tiles.LEAD), shown[0])
    if lead.numbers is None:
        return Headline(lead.title)
    said = tiles.sentence(lead.title, lead.numbers, lead.metric, regional)
    return Headline(said, tiles.headline([tiles.Theme("", list(shown))], regional).rest)


def _row(tile: Tile, regional: Regional) -> dict[str, Any]:
    change = tile.numbers.change if tile.numbers else None
    is_clear = change is not None and change.is_clear
    arrow = ("▲" if change.value > 0 else "▼") if change and is_clear else ""
    mood = change.is_good if change else None
    return {
        "title": tile.title,
        "focus": tile.focus,
        "value": tile.value,
        "note": tile.note or tile.missed,
        "url": absolute(tile.url),
        "change": f"{arrow} {tiles.change_text(change, regional)}" if arrow else "",
        "color": "#55555E" if mood is None else _INKS[mood],
    }


def _pictures(
    answers: Answers,
    asked: Asked,
    choices: Sequence[Choice],
    rows: Sequence[dict[str, Any]],
    regional: Regional,
) -> list[bytes]:
    """The chart of every row, as long as the mail stays small enough to be taken; the
    rows learn which is theirs, and what it shows."""
    found: list[bytes] = []
    for choice, row in zip(choices, rows, strict=True):
        drawn = _drawn(answers, regional, choice, _of(asked, choice))
        picture = _png(drawn, regional) if drawn else b""
        if drawn and sum(map(len, found)) + len(picture) <= _MOST:
            found.append(picture)
            row["cid"] = outbox.digest(picture)
            row["alt"] = f"{row['title']}, {row['value']}. {drawn.title}"
            row["chart"] = drawn.title
    return found


def _drawn(
    answers: Answers, regional: Regional, choice: Choice, asked: Asked
) -> detail.Drawn | None:
    try:
        drawn = detail.drawn(answers, regional, choice.metric, asked)
    except PerennialError:  # a chart that fails takes only itself down
        return None
    has_value = any(value is not None for _at, value, *_more in drawn.chart.rows)
    return drawn if has_value else None


def _png(drawn: detail.Drawn, regional: Regional) -> bytes:
    spec = {**drawn.chart.spec, "height": _HEIGHT, "background": "$surface"}
    return charts.png(spec, regional, width=_WIDTH)
