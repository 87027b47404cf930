"""What screens call the parts of surveys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from perennial.core.asking import Reason

TRIGGERS: Final[Mapping[str, Promise]] = {
    "schedule": pgettext_lazy("when a survey asks", "By the calendar"),
    "ticket_solved": pgettext_lazy("when a survey asks", "After a ticket was solved"),
    "onboarding_done": pgettext_lazy("when a survey asks", "After onboarding"),
    "event": pgettext_lazy("when a survey asks", "After an event"),
}

#: Why people are not asked today.
REASONS: Final[Mapping[Reason, Promise]] = {
    Reason.UNSUBSCRIBED: _("want no surveys"),
    Reason.OWN: _("are your own people or test users"),
    Reason.NOT_OPEN: _("are for another time: the survey is not open"),
    Reason.NEW: _("are new here"),
    Reason.ANSWERED: _("answered a survey lately"),
    Reason.REFUSED: _("closed a survey lately"),
    Reason.ASKED: _("were asked lately"),
    Reason.WAVE: _("were asked in this wave"),
    Reason.HELD_OUT: _("are held out, to compare with"),
    Reason.NOT_DRAWN: _("are not in the sample"),
    Reason.SURVEY_FULL: _("wait: the survey asked enough people today"),
    Reason.DAY_FULL: _("wait: enough people were asked today"),
}
