"""The global bar: chips with their choices, each a link."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import parse_qsl

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from perennial.apps.customers.segment_queries import segments as saved_segments
from perennial.apps.reports import asked as asking
from perennial.apps.reports import filtering, values
from perennial.apps.reports.asked import COMPARISONS, GRAINS, PERIODS, Asked
from perennial.apps.reports.boards import ALL
from perennial.apps.reports.models import Board
from perennial.apps.team.access import TeamRequest
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.apps.team.roles import Role
from perennial.core.windows import DAY, Period
from perennial.metrics.registry import Metric
from perennial.ui.formats import Regional

Text = str | Promise


@dataclass(frozen=True)
class Choice:
    label: Text
    url: str
    on: bool
    note: str = ""


@dataclass(frozen=True)
class Menu:
    """A chip: what it is called, what is chosen, what else there is."""

    name: str
    value: Text
    choices: list[Choice]
    note: str = ""
    icon_name: str = ""
    is_set: bool = False
    days: Days | None = None
    filter: Filter | None = None
    removal: str = ""


@dataclass(frozen=True)
class Days:
    """A form for days of one's own; `kept` is the rest of the address."""

    first: date
    last: date
    kept: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Filter:
    """A form for one more condition; `kept` is the rest of the address."""

    names: Mapping[str, str]
    operators: Mapping[str, str]
    suggestions: Sequence[str]
    kept: Sequence[tuple[str, str]]


def board(
    asked: Asked,
    period: Period,
    segments: list[str],
    boards: Iterable[Board],
    request: TeamRequest,
) -> list[Menu]:
    chips = [
        _period(asked, period, request),
        _compare(asked, period, request),
        *_segment(asked, segments, request),
        *_filters(asked, request),
    ]
    return [_board(asked, boards, request), *chips]


def _board(asked: Asked, boards: Iterable[Board], request: TeamRequest) -> Menu:
    every = Choice(_("Key metrics"), asked.url(board=""), not asked.board)
    known = [
        Choice(_("All metrics"), asked.url(board=ALL), asked.board == ALL),
    ]
    known += [
        Choice(b.name, asked.url(board=str(b.pk)), asked.board == str(b.pk))
        for b in boards
    ]
    chosen = next((c.label for c in known if c.on), every.label)
    if request.membership.covers(Role.MEMBER):
        known.append(Choice(_("New board …"), reverse("reports:board_new"), on=False))
    return Menu(_("Board"), chosen, [every, *known], is_set=bool(asked.board))


def metric(
    metric: Metric,
    asked: Asked,
    period: Period,
    segments: list[str],
    request: TeamRequest,
) -> list[Menu]:
    menus = [_period(asked, period, request), _compare(asked, period, request)]
    menus += _segment(asked, segments, request)
    if metric.is_of_accounts:
        menus += _filters(asked, request)
    return [*menus, *_variant(metric, asked)]


def _compare(asked: Asked, period: Period, request: TeamRequest) -> Menu:
    earlier = asking.before(asked.period, period, asked.compare)
    choices = [
        Choice(label, asked.url(compare=name), name == asked.compare)
        for name, label in COMPARISONS.items()
    ]
    said = asking.dates(earlier, request.regional)
    return Menu(_("vs"), COMPARISONS[asked.compare], choices, said)


def explorer(
    asked: Asked, period: Period, segments: list[str], request: TeamRequest, kept: str
) -> list[Menu]:
    """Period and customers; `kept` is the rest of the address, which stays."""
    chips = [_period(asked, period, request)]
    chips += _segment(asked, segments, request)
    chips += _filters(asked, request)
    return [_keeping(chip, kept) for chip in chips] if kept else chips


def _keeping(menu: Menu, kept: str) -> Menu:
    choices = [replace(c, url=f"{c.url}&{kept}") for c in menu.choices]
    days, condition, more = menu.days, menu.filter, parse_qsl(kept)
    return replace(
        menu,
        choices=choices,
        days=days and replace(days, kept=[*days.kept, *more]),
        filter=condition and replace(condition, kept=[*condition.kept, *more]),
        removal=f"{menu.removal}&{kept}" if menu.removal else "",
    )


def grains(metric: Metric, asked: Asked) -> list[Choice]:
    chosen = asking.grain_of(asked, metric)
    return [
        Choice(GRAINS[grain], asked.url(grain=grain), grain == chosen)
        for grain in asking.grains_of(metric)
    ]


def _period(asked: Asked, period: Period, request: TeamRequest) -> Menu:
    regional, lake = request.regional, lake_of(request.workspace)
    usual = asking.usual(lake.today, lake.settings.calendar)
    known = [(name, label) for name, (label, _months) in PERIODS.items()]
    known += [(asking.written(days), label) for label, days in usual]
    choices = [
        Choice(label, asked.url(period=name, grain=""), name == asked.period)
        for name, label in known
    ]
    said = asking.dates(period, regional)
    chosen = next((choice.label for choice in choices if choice.on), said)
    kept = parse_qsl(asked.url(period=asking.DEFAULT, grain="")[1:])
    days = Days(period.start, period.end - DAY, kept)
    note = "" if chosen == said else said
    return Menu("", chosen, choices, note, icon_name="calendar", days=days)


def _segment(asked: Asked, segments: list[str], request: TeamRequest) -> list[Menu]:
    """Segments accounts are given, then those people saved as a condition."""
    some = [
        Choice(name, asked.url(segment=name, member_of=""), name == asked.segment)
        for name in segments
    ]
    some += [
        Choice(s.name, asked.url(segment="", member_of=s.key), s.key == asked.member_of)
        for s in saved_segments(request.workspace)
    ]
    if not some:
        return []
    none = asked.url(segment="", member_of="")
    chosen = next((choice for choice in some if choice.on), None)
    every = Choice(_("All customers"), none, chosen is None)
    shown = (chosen or every).label
    return [Menu(_("Segment"), shown, [every, *some], is_set=chosen is not None)]


def _filters(asked: Asked, request: TeamRequest) -> list[Menu]:
    """A chip for each condition that is set, to be taken off, and one for more."""
    found = [
        Menu(
            "",
            filtering.said(part, request.regional),
            [],
            is_set=True,
            removal=asked.url(filter=filtering.without(asked, n)),
        )
        for n, part in enumerate(filtering.parts(asked))
    ]
    form = Filter(
        filtering.names(lake_of(request.workspace)),
        filtering.operators(),
        filtering.suggestions(),
        parse_qsl(asked.url()[1:]),
    )
    return [*found, Menu("", _("Filter"), [], icon_name="plus", filter=form)]


def of_whom(asked: Asked, workspace: Workspace, regional: Regional) -> str:
    """Who is asked for: a segment, and conditions; empty: all customers."""
    name = segment_name(asked, workspace)
    told = [filtering.said(part, regional) for part in filtering.parts(asked)]
    return ", ".join([name, *told] if name else told)


def segment_name(asked: Asked, workspace: Workspace) -> str:
    """The name of the segment that is asked for; empty: all customers, or a saved
    segment that is gone."""
    if not asked.member_of:
        return asked.segment
    saved = saved_segments(workspace)
    return next((s.name for s in saved if s.key == asked.member_of), "")


def _variant(metric: Metric, asked: Asked) -> list[Menu]:
    if len(metric.variants) < 2:
        return []
    default = next(iter(metric.variants))
    chosen = asked.variant or default
    choices = [
        Choice(
            values.variant_name(name),
            asked.url(variant="" if name == default else name),
            name == chosen,
            _(about),
        )
        for name, about in metric.variants.items()
    ]
    return [Menu(_("Counting"), values.variant_name(chosen), choices)]
