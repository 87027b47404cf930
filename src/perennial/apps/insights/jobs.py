"""Background work of insights."""

from __future__ import annotations

from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from perennial.apps.customers.queries import book
from perennial.apps.insights.queries import NIGHTLY
from perennial.apps.jobs.registry import Report
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.lake import forecasts, insights, models


def review_models(workspace: str, report: Report) -> None:
    """Learn from all decisions so far, and propose what is new for approval (P05)."""
    lake = lake_of(Workspace.objects.get(key=workspace))
    report(0.1, _("Learning from past decisions"))
    models.propose(lake, models.learn(lake))


def answer_insights(workspace: str, report: Report) -> None:
    """The insights that take seconds, computed before anybody asks."""
    of = Workspace.objects.get(key=workspace)
    lake, accounts = lake_of(of), book(of)
    if accounts is None:
        return
    for nth, (name, asked) in enumerate(NIGHTLY.values()):
        report(nth / len(NIGHTLY), name)
        insights.keep(lake, name, accounts.as_of, **asked)


def tell_past_forecasts(workspace: str, report: Report) -> None:
    """What would have been said at the start of past quarters, to be held against what
    happened."""
    lake = lake_of(Workspace.objects.get(key=workspace))

    def told(share: float, day: date) -> None:
        report(share, date_format(day, "DATE_FORMAT"))

    forecasts.take_past(lake, until=lake.today, report=told)
