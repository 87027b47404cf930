"""Health of all customers in words, rows and a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from perennial.apps.customers.account import shown
from perennial.apps.customers.chips import Chip, Choice
from perennial.apps.customers.queries import Book
from perennial.apps.customers.reasons import Sentence
from perennial.apps.customers.timeline import move_text
from perennial.apps.health.queries import BACK, RISKY, STATES, Day, Mover
from perennial.core.settings import COMPOSITE, Settings
from perennial.core.windows import DAY
from perennial.scoring.scorecard import Scorecard
from perennial.ui import charts, formats
from perennial.ui.charts import Chart
from perennial.ui.formats import Regional
from perennial.ui.templatetags.ui import state_word

ACCOUNTS, MRR = "accounts", "mrr"


@dataclass(frozen=True)
class Asked:
    """What a page of health is asked for, as its address has it."""

    by: str = ACCOUNTS
    segment: str = ""

    def url(self, **changes: str) -> str:
        asked = {**vars(self), **changes}
        plain = vars(Asked())
        return "?" + urlencode({k: v for k, v in asked.items() if v != plain[k]})


@dataclass(frozen=True)
class Line:
    """A row of the table: one state today, and 28 days before."""

    state: str
    accounts: int
    share: float | None
    change: int | None
    mrr: Any
    good: str


@dataclass(frozen=True)
class MoverRow:
    """A mover in words."""

    mover: Mover
    was: str
    cause: str


def asked(query: Mapping[str, str], book: Book) -> Asked:
    by, segment = query.get("by", ""), query.get("segment", "")
    return Asked(
        MRR if by == MRR else ACCOUNTS, segment if segment in book.segments else ""
    )


def segment_chip(asked: Asked, segments: list[str]) -> Chip | None:
    if not segments:
        return None
    every = Choice(_("All customers"), asked.url(segment=""), not asked.segment)
    some = [Choice(s, asked.url(segment=s), s == asked.segment) for s in segments]
    chosen = asked.segment or every.label
    return Chip(_("Segment"), chosen, bool(asked.segment), [every, *some])


def headline(now: Day, before: Day | None, regional: Regional) -> Sentence:
    """ "72 of 412 accounts are red or orange, 9 more than 28 days ago.\""""
    risky, every = now.of(*RISKY), now.all
    numbers = {
        "n": formats.number(risky.accounts, regional),
        "all": formats.number(every.accounts, regional),
    }
    lead = ngettext(
        "%(n)s of %(all)s account is red or orange",
        "%(n)s of %(all)s accounts are red or orange",
        every.accounts,
    )
    lead %= numbers
    if before is not None:
        lead += _since(risky.accounts - before.of(*RISKY).accounts, regional)
    share = risky.mrr_e4 / every.mrr_e4 if every.mrr_e4 else None
    rest = _("They pay %(money)s a month, %(share)s of MRR.") % {
        "money": formats.money(risky.mrr, regional),
        "share": formats.percent(share, regional),
    }
    return Sentence(f"{lead}.", rest if risky.accounts else "")


def _since(more: int, regional: Regional) -> str:
    n = {"n": formats.number(abs(more), regional)}
    if more > 0:
        return _(", %(n)s more than 28 days ago") % n
    if more < 0:
        return _(", %(n)s fewer than 28 days ago") % n
    return _(", as many as 28 days ago")


def lines(now: Day, before: Day | None) -> list[Line]:
    """One row a state, worst last; the sum stands below."""
    every = now.all
    return [
        Line(
            state,
            now.of(state).accounts,
            now.of(state).accounts / every.accounts if every.accounts else None,
            _change(now, before, state),
            now.of(state).mrr,
            {"green": "up", "red": "down", "orange": "down"}.get(state, ""),
        )
        for state in STATES
    ]


def total(now: Day, before: Day | None) -> Line:
    return Line(
        "", now.all.accounts, 1.0, _change(now, before, *STATES), now.all.mrr, ""
    )


def _change(now: Day, before: Day | None, *states: str) -> int | None:
    if before is None:
        return None
    return now.of(*states).accounts - before.of(*states).accounts


def chart(days: Mapping[date, Day], by: str, regional: Regional) -> Chart | None:
    """Shares over the weeks; None where there is only one."""
    if len(days) < 2:
        return None
    rows = [
        (
            day,
            {
                state: float(group.mrr) if by == MRR else float(group.accounts)
                for state, group in found.groups.items()
            },
        )
        for day, found in days.items()
    ]
    words = {state: state_word(state) for state in STATES}
    return charts.stacked_health_chart(rows, regional, words=words, period=_("Week"))


def before(days: Mapping[date, Day], as_of: date) -> Day | None:
    return days.get(as_of - DAY * BACK)


def mover_rows(movers: tuple[Mover, ...], regional: Regional) -> list[MoverRow]:
    return [
        MoverRow(
            mover,
            formats.number(shown(mover.score_before, mover.account.cuts), regional)
            if mover.score_before is not None
            else "",
            _cause(mover, regional),
        )
        for mover in movers
    ]


def _cause(mover: Mover, regional: Regional) -> str:
    if mover.version_changed:
        return _("Other rules")
    return move_text(mover.moved, regional)


def cuts(settings: Settings, card: Scorecard) -> Sequence[float]:
    """Where orange, yellow and green begin, of what health goes by."""
    if settings.health_mode == COMPOSITE:
        return card.rules[-1].cuts
    return [round(100 * edge, 9) for edge in settings.chances]


def goes_by(mode: str) -> str:
    """What colors are by; empty for the scorecard."""
    return {
        "band": _("Colors go by the use of the power feature."),
        "calibrated": _("Colors go by the chance of renewal."),
    }.get(mode, "")


def without_text(reasons: Mapping[str, int], regional: Regional) -> str:
    """ "Without a score: 19 in onboarding, 6 not measured enough."; empty: none."""
    told = []
    if waiting := reasons.get("onboarding", 0):
        n = {"n": formats.number(waiting, regional)}
        told.append(_("%(n)s in onboarding") % n)
    if short := sum(n for status, n in reasons.items() if status != "onboarding"):
        n = {"n": formats.number(short, regional)}
        told.append(_("%(n)s not measured enough") % n)
    return _("Without a score: %(list)s.") % {"list": ", ".join(told)} if told else ""
