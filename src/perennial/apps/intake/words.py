"""Names of tables and reasons in the reader's language.

The engine speaks English; what it says is listed here once more, so that it is
translated. Tests hold both lists together.
"""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_noop as noop

from perennial.apps.intake.files import Reason

TABLE_NAMES: Final[dict[str, str | Promise]] = {
    "accounts": gettext_lazy("Accounts"),
    "users": gettext_lazy("Users"),
    "memberships": gettext_lazy("Memberships"),
    "events": gettext_lazy("Events"),
    "event_definitions": gettext_lazy("Event definitions"),
    "features": gettext_lazy("Features"),
    "entitlements": gettext_lazy("Entitlements"),
    "usage": gettext_lazy("Usage"),
    "seat_contracts": gettext_lazy("Seats"),
    "subscription_items": gettext_lazy("Subscriptions"),
    "contracts": gettext_lazy("Contracts"),
    "payments": gettext_lazy("Payments"),
    "fx_rates": gettext_lazy("Exchange rates"),
    "costs": gettext_lazy("Costs"),
    "survey_responses": gettext_lazy("Survey answers"),
    "tickets": gettext_lazy("Tickets"),
    "emails": gettext_lazy("Emails"),
    "touchpoints": gettext_lazy("Touchpoints"),
    "leads": gettext_lazy("Leads"),
    "lead_stages": gettext_lazy("Stages of leads"),
    "onboarding_steps": gettext_lazy("Onboarding steps"),
    "requests": gettext_lazy("Requests"),
    "incidents": gettext_lazy("Incidents"),
}

ABOUT: Final = (
    noop("The companies that buy, or may buy."),
    noop("The people who use the product."),
    noop("Which user belongs to which account, and when."),
    noop("What users did, one row an event."),
    noop("What an event name means, and since when."),
    noop("The parts of your product."),
    noop("Which account may use which feature, and when."),
    noop("Usage already added up by day, for those without events."),
    noop("How many seats an account has bought, and when."),
    noop("What an account pays for, one row an item and validity."),
    noop("Contract terms and how they ended."),
    noop("Money received and given back."),
    noop("Exchange rates: 1 base = rate quote."),
    noop("What winning and keeping customers costs."),
    noop("Answers to NPS, CSAT and CES surveys."),
    noop("Support tickets."),
    noop("E-mails with customers (no bodies)."),
    noop("Calls, meetings and other contacts."),
    noop("People and companies who may buy."),
    noop("When a lead reached which stage."),
    noop("Onboarding steps completed."),
    noop("Requests your product answered."),
    noop("Outages and maintenance."),
)

REASONS: Final = (
    noop("the row cannot be cut into fields"),
    noop("a value is not a number"),
    noop("a value is neither true nor false"),
    noop("a value is not a date or time"),
    noop("a value is not one of those allowed"),
    noop("a required value is missing"),
    noop("at least one of several values is required"),
    noop("a time is before 1970 or over ten years ahead"),
    noop("it ends before it starts"),
    noop("it was answered or closed before it was opened"),
    noop("another row of the file has the same key"),
)


def about_text(text: str) -> str:
    return gettext(text)


def reason_text(reason: Reason) -> str:
    """ "A value is not a number"."""
    said = gettext(reason.about)
    return said[:1].upper() + said[1:]
