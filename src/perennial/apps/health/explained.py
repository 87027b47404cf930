"""What the cards of Health show, explained to who is no statistician."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from perennial.ui.explained import Topic

_KEPT = _(
    "Scores are kept as they were on their day: neither late data nor another "
    "scorecard changes the past. Who has no score is grey, and never red."
)

#: Topics by name.
TOPICS: Mapping[str, Topic] = {
    "distribution": Topic(
        _("Customers by health"),
        _(
            "How many paying customers are in each color, and what they pay, today and "
            "at the end of each of the last 26 weeks. The change compares with the "
            "snapshot of 28 days ago."
        ),
        _("share = customers of a color / all paying customers"),
        _KEPT,
        command="perennial metric health_distribution",
    ),
    "movers": Topic(
        _("Who moved"),
        _(
            "Customers whose color today is not the one of 28 days ago, the largest "
            "first. The cause is the part of the score that gave most more, or most "
            "less, than then."
        ),
        _(
            "change of a part = points it gives now − points it gave then; together "
            "they are the change of the score"
        ),
        _(
            "“Other rules” says nothing of the customer: another scorecard, model or "
            "mode scores it now."
        ),
        command="perennial health --explain",
    ),
    "outreach": Topic(
        _("Whom to call first"),
        _(
            "Red before orange; within a color, who may cost most first. A renewal "
            "within 90 days counts up to double, one that is overdue twice."
        ),
        _(
            "at risk = (1 − chance of renewal) × MRR × (1 + (90 − days to renewal) / "
            "90), the last from 1 to 2"
        ),
        _(
            "Points to green say what the score lacks and where there are some to "
            "get. They do not say that the customer then renews."
        ),
        command="perennial health",
    ),
    "turns": Topic(
        _("Changes of color"),
        _(
            "A score at an edge goes back and forth. So a change counts at once only "
            "if the score is 5 points beyond the edge, or else when it was on the same "
            "other side twice in a row."
        ),
        _("cause = parts by weight × change, those that go the way of the score first"),
        _("Days with missing events change nothing: scores are carried over."),
        command="perennial health --history",
    ),
    "preview": Topic(
        _("Who would change color"),
        _(
            "Every paying customer by the draft, from what is known today, beside the "
            "color by the scorecard in force. A row of the table is a color now, a "
            "column one under the draft; off the diagonal are those who would change."
        ),
        _("score = sum of weight × value of each part / weights of parts with a value"),
        _(
            "Edges hold here at once: that a change has to be 5 points or twice in a "
            "row is counted only when scores are kept."
        ),
    ),
    "backtest": Topic(
        _("Back-test"),
        _(
            "Scores of the last two years, computed under the draft and under the "
            "version in force as they stood before each renewal or loss, and held "
            "against what happened. Changes within the noise have no color."
        ),
        _(
            "caught = leavers red or orange 90 days before / leavers; false alarms = "
            "the same of those who stayed"
        ),
        _(
            "Data that came late is in scores of the past; what people said and "
            "overrides count only from their day on."
        ),
        ("auc", "interval", "lift"),
    ),
}

#: The page that each is of.
PAGES: Mapping[str, str] = {
    "distribution": "health",
    "movers": "movers",
    "outreach": "outreach",
    "turns": "health",
    "preview": "scorecards",
    "backtest": "scorecards",
}
