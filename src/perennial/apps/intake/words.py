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
from perennial.apps.intake.stream.steps import Drop

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
    "survey_invites": gettext_lazy("Survey invitations"),
    "feedback_annotations": gettext_lazy("Topics of comments"),
    "tickets": gettext_lazy("Tickets"),
    "emails": gettext_lazy("Emails"),
    "touchpoints": gettext_lazy("Touchpoints"),
    "notes": gettext_lazy("Notes"),
    "leads": gettext_lazy("Leads"),
    "lead_stages": gettext_lazy("Stages of leads"),
    "onboarding_steps": gettext_lazy("Onboarding steps"),
    "requests": gettext_lazy("Requests"),
    "incidents": gettext_lazy("Incidents"),
    "goals": gettext_lazy("Goals"),
    "goal_values": gettext_lazy("Progress of goals"),
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
    noop("Invitations to surveys, answered or not."),
    noop("What comments speak of, found by analysis or by a person."),
    noop("Support tickets."),
    noop("E-mails with customers (no bodies)."),
    noop("Calls, meetings and other contacts."),
    noop("What your people wrote down about customers."),
    noop("People and companies who may buy."),
    noop("When a lead reached which stage."),
    noop("Onboarding steps completed."),
    noop("Requests your product answered."),
    noop("Outages and maintenance."),
    noop("What customers want to reach with your product, and by when."),
    noop("How far goals are: measured values."),
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

#: What to do about a reason to reject a call: by its code.
CURES: Final[dict[str, str | Promise]] = {
    Drop.UNREADABLE: gettext_lazy(
        "The request was cut off, or is not JSON. Look at how it is made; it cannot be "
        "sent again from here."
    ),
    Drop.FAILED: gettext_lazy(
        "Nothing on your side. Please report it with the example; after an update, "
        "send it again."
    ),
    Drop.UNKNOWN_TYPE: gettext_lazy(
        "Send one of the six types, or post to the address of the call."
    ),
    Drop.BAD_ID: gettext_lazy(
        "Send user, account and anonymous ids as text or numbers, not as objects or "
        "lists."
    ),
    Drop.BAD_MESSAGE_ID: gettext_lazy(
        "Let the library make the message id, or leave it out."
    ),
    Drop.NO_NAME: gettext_lazy("Give every track call an event name."),
    Drop.LONG_NAME: gettext_lazy(
        "Use a short name for what happened, and put the rest into properties."
    ),
    Drop.NO_USER: gettext_lazy(
        "Send a user id, or an anonymous id until somebody signs in."
    ),
    Drop.NO_GROUP: gettext_lazy("Send the account’s id as group id."),
    Drop.NO_PREVIOUS_ID: gettext_lazy(
        "Send the former id as previous id, and the new one as user id."
    ),
    Drop.BAD_PROPERTIES: gettext_lazy(
        "Send properties as an object of names and values."
    ),
    Drop.BAD_TIME: gettext_lazy(
        "Send times as ISO 8601, or leave them out: then they are when they came."
    ),
    Drop.TOO_MANY_NAMES: gettext_lazy(
        "Ids or texts are written into event names: move them into properties."
    ),
}

#: What kind of thing an event is.
KINDS: Final[dict[str, str | Promise]] = {
    "feature": gettext_lazy("Feature use"),
    "login": gettext_lazy("Log-in"),
    "page": gettext_lazy("Page view"),
    "system": gettext_lazy("System"),
    "billing": gettext_lazy("Billing"),
    "support": gettext_lazy("Support"),
}

#: Types of properties.
TYPES: Final[dict[str, str | Promise]] = {
    "text": gettext_lazy("text"),
    "number": gettext_lazy("number"),
    "boolean": gettext_lazy("yes or no"),
    "list": gettext_lazy("list"),
    "object": gettext_lazy("object"),
}


def about_text(text: str) -> str:
    return gettext(text)


def reason_text(reason: Reason) -> str:
    """ "A value is not a number"."""
    said = gettext(reason.about)
    return said[:1].upper() + said[1:]
