"""Background work of health."""

from __future__ import annotations

from django.utils.translation import gettext as _

from perennial.apps.health import backtest
from perennial.apps.health.models import Draft
from perennial.apps.jobs.registry import Report
from perennial.apps.team.lake import lake_of
from perennial.lake import scorecards


def backtest_scorecard(workspace: str, report: Report, *, draft: int) -> None:
    """Judge a draft beside the version in force, and keep the verdict with it."""
    found = Draft.objects.filter(pk=draft, workspace__key=workspace).first()
    if found is None:  # it was discarded or published meanwhile
        return
    lake = lake_of(found.workspace)
    card, current = scorecards.stored(lake, found.document), scorecards.active(lake)
    cards = {"draft": card, "published": current.card}
    verdict = backtest.compare(lake, cards, report, _("Scoring the past"))
    Draft.objects.filter(pk=draft).update(
        verdict={**verdict, "version": current.number}, judged=backtest.digest_of(card)
    )
