"""What the experience of a customer is judged by (O02): criterion by criterion, as of
today, as the customer success rate counts it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from perennial.apps.customers.kept import kept
from perennial.core.settings import Settings
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics.outcomes import CRITERIA, criteria
from perennial.metrics.query import ask
from perennial.ui import formats
from perennial.ui.formats import Regional

_METRIC = "customer_success_rate"


@dataclass(frozen=True)
class Criterion:
    """`is_met` is None where it cannot be judged."""

    said: str
    is_met: bool | None


@dataclass(frozen=True)
class Experience:
    """`is_good` is None while too few criteria can be judged."""

    criteria: Sequence[Criterion]
    is_good: bool | None

    @property
    def met(self) -> int:
        return sum(bool(each.is_met) for each in self.criteria)

    @property
    def judged(self) -> int:
        return sum(each.is_met is not None for each in self.criteria)


def experience(lake: Lake, account_id: str, regional: Regional) -> Experience:
    found, settings = _judged(lake, account_id), lake.settings
    said = _words(settings, regional)
    rows = [Criterion(said[name], found.get(name)) for name in CRITERIA]
    is_good = None
    if len(found) >= settings.experience_criteria:
        is_good = sum(found.values()) / len(found) >= settings.experience_pass
    return Experience(rows, is_good)


@kept(
    *("survey_responses", "feedback_annotations", "accounts", "mrr_ledger"),
    *("request_days", "tickets", "settings"),
    size=32,
)
def _judged(lake: Lake, account_id: str) -> Mapping[str, bool]:
    asking = ask(
        lake.entry(_METRIC), now=lake.now, settings=lake.settings, as_of=lake.today
    )
    every = criteria(lake.inputs(asking), asking)
    mine = every.filter(every.account_id == account_id, every.is_met.notnull())
    return dict(lake.engine.run(mine.select("criterion", "is_met")).iter_rows())


def _words(settings: Settings, regional: Regional) -> Mapping[str, str]:
    days = settings.experience_onboarding_days
    onboarded = ngettext(
        "Onboarding took at most %(n)s day", "Onboarding took at most %(n)s days", days
    )
    seconds = settings.experience_response_ms / 1000
    settled = formats.percent(settings.experience_fcr, regional, 0)
    confused = formats.percent(settings.experience_topic_share, regional, 0)
    return {
        "effort": _("The last answer on effort says it was easy"),
        "onboarding": onboarded % {"n": formats.number(days, regional)},
        "speed": _("95 of 100 requests take at most %(n)s seconds")
        % {"n": formats.number(seconds, regional, 0 if seconds % 1 == 0 else 1)},
        "support": _("The first answer settles at least %(n)s of the tickets")
        % {"n": settled},
        "clarity": _("Less than %(n)s of the comments say that it confuses")
        % {"n": confused},
    }
