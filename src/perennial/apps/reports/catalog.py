"""What the registry of metrics says, once more, so that it is translated.

The registry speaks English and knows no Django. A test holds this list and the
registry together; after a change, take over what the test prints.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop as _

TEXTS: Final = (
    _("Daily active users"),
    _(
        "Users active on a local day. A period longer than a day has the mean "
        "of its days; a user in two accounts counts once, and once in each of "
        "them."
    ),
    _(
        "distinct users with an activity event on a day; over more days, the "
        "mean of the days"
    ),
    _("Weekly active users"),
    _("Users active in the trailing 7 local days; a period has its last day's value."),
    _(
        "distinct users with an activity event in the 7 days up to the "
        "period's last day"
    ),
    _("Monthly active users"),
    _("Users active in the trailing 30 local days; a period has its last day's value."),
    _(
        "distinct users with an activity event in the 30 days up to the "
        "period's last day"
    ),
    _("the 30 days up to the period's last day"),
    _("the period itself"),
    _("Active accounts"),
    _("Accounts in which anybody was active during the period."),
    _("distinct accounts with activity in the period"),
    _("Stickiness"),
    _("How much of a period's users come on an average day, 0 to 1 (DAU/MAU)."),
    _("mean daily active users of the period / distinct active users of the period"),
    _("mean of all days over the users of the period"),
    _("mean of Monday to Friday over the users of the period"),
    _("Active days"),
    _("Distinct local days with activity, for an average active user."),
    _("active days of all users in the period / active users"),
    _("mean over active users"),
    _("median over active users"),
    _("Usage frequency"),
    _(
        "Share of daily, frequent, occasional and inactive users (column "
        "`class`). Classes are cut at 16, 4 and 1 active days in 28, scaled to "
        "the days each user had: from creation and the account's onboarding to "
        "the end of the membership."
    ),
    _("users of a class / users with a seat for at least 14 days of the period"),
    _("share of users"),
    _("share of customers' accounts"),
    _("Weeks are not classified: fewer than 14 days say nothing."),
    _("Feature uses"),
    _("Uses of features in the period; log-ins, page views and billing are none."),
    _("events whose definition maps to a feature"),
    _("Feature adoption"),
    _("Share of the active users entitled to a feature who use it, 0 to 1."),
    _("eligible active users who used the feature / eligible active users"),
    _("users with at least one use"),
    _("users with uses on two days or more"),
    _("accounts with at least one such user"),
    _("accounts with a user on two days or more"),
    _(
        "Without a feature named, features are pooled: every eligible pair of "
        "user and feature counts."
    ),
    _("Customers"),
    _("Accounts that pay: trials, free plans and full discounts are no customers."),
    _("accounts with MRR above zero at the period's last instant"),
    _("Monthly recurring revenue"),
    _(
        "Recurring revenue a month, in the workspace currency; no trials, "
        "taxes, one-time or usage amounts."
    ),
    _(
        "what all active subscriptions pay, normalized to a month, at the "
        "period's last instant"
    ),
    _("Annual recurring revenue"),
    _("Twelve times MRR at the period's last instant."),
    _("12 · MRR"),
    _("Average revenue per account"),
    _("MRR of an average customer; null without customers."),
    _("MRR / customers, both at the period's last instant"),
    _("License utilization"),
    _(
        "Share of the seats that are used, at the period's last day. Above 1 "
        "where more people use the product than were paid for."
    ),
    _("assigned users active in the last 30 days / seats bought"),
    _("Accounts without seats, or with unlimited ones, count on neither side."),
    _("Sessions"),
    _(
        "Stretches of activity of a user in an account without a gap over 30 "
        "minutes; each belongs to the local day it began on."
    ),
    _("sessions that began in the period and are over"),
    _("Average session duration"),
    _("How long a session lasts, first to last event, in seconds."),
    _("seconds of all sessions / sessions"),
    _("sessions of a single event, which last 0 seconds, included"),
    _("mean of the sessions that last longer than 0 seconds"),
    _("median of all sessions"),
    _("90th percentile of all sessions"),
    _("Time in the application"),
    _("Time an active user spent in the application during the period, in seconds."),
    _("seconds in sessions, split at midnight / active users"),
)
