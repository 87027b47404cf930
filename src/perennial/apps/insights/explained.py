"""What the cards of Insights show, explained to who is no statistician."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perennial.lake.models import Version
from perennial.ui import formats
from perennial.ui.explained import Text, Topic
from perennial.ui.formats import Regional

_NO_CAUSE = gettext_lazy(
    "It is a correlation. That those who stay use something more does not say that "
    "using it makes anybody stay."
)
_UNSEEN = gettext_lazy(
    "Everything is judged by decisions that came after those it was learned from. The "
    "future may still differ from the past."
)
_CHANCE = gettext_lazy(
    "A chance is right or wrong for many customers together, never for one: of ten "
    "with 80%, two leave."
)
_ALONE = gettext_lazy(
    "Customers are taken to decide independently, and new customers are not in it. A "
    "shock that hits all at once is not either."
)

#: Topics by the page they are of.
PAGES: Mapping[str, Mapping[str, Topic]] = {
    "power": {
        "separates": Topic(
            gettext_lazy("Which behavior separates?"),
            gettext_lazy(
                "For every feature: how often customers who stayed used it, and how "
                "often those who left. It separates if the difference is too large to "
                "be chance and is still there between customers of the same size, age "
                "and plan. The power feature is, of those that separate, the one that "
                "stayers use most."
            ),
            gettext_lazy(
                "separates: AUC of 0.60 or more, q below 0.05, odds ratio above 1"
            ),
            _NO_CAUSE,
            ("auc", "interval", "q", "odds"),
            "perennial insights power-features",
        ),
        "trust": Topic(
            gettext_lazy("Can you trust it?"),
            gettext_lazy(
                "Were there enough decisions of both kinds? Does the choice, made "
                "without the latest quarter, hold on the decisions of that quarter? Is "
                "more than size behind it? Do customers use the feature today as those "
                "did whose decisions were learned from?"
            ),
            gettext_lazy(
                "population stability index = Σ (share now − share then) × "
                "ln(share now / share then) over the bands"
            ),
            _NO_CAUSE,
            ("auc", "interval", "odds"),
            "perennial insights power-features",
        ),
        "bands": Topic(
            gettext_lazy("What level of use goes with which chance of renewal?"),
            gettext_lazy(
                "Past decisions, sorted by how often the power feature was used in a "
                "month. Of the customers in a band so many renewed. The color says "
                "where customers who use it that much are today."
            ),
            gettext_lazy(
                "chance = (renewed + 10 × share of the segment) / (decisions + 10), "
                "never falling from band to band; 30 decisions a band, five of either "
                "kind"
            ),
            _NO_CAUSE,
            ("interval",),
            "perennial insights power-features --by segment",
        ),
        "gap": Topic(
            gettext_lazy("How early does it show?"),
            gettext_lazy(
                "Mean uses of the power feature in each of the six months before the "
                "decision, of stayers and of leavers. Where the bands no longer "
                "overlap, the gap is no chance: from then on you can act."
            ),
            gettext_lazy("mean uses a month; band: mean ± 1.96 standard errors"),
            gettext_lazy(
                "The last month is shown and not judged by: who has decided to leave "
                "stops using everything."
            ),
            ("interval",),
        ),
    },
    "renewal": {
        "model": Topic(
            gettext_lazy("Which model, and why"),
            gettext_lazy(
                "Each model told the chance of decisions it had not seen. The simplest "
                "one is used until another is better on those: a lower Brier score, "
                "also lower than telling everybody the same, and chances that mean "
                "what they say."
            ),
            gettext_lazy(
                "Brier score = mean of (chance − outcome)²; used: lower than the "
                "simpler one and the base, ECE of 0.05 or less"
            ),
            _UNSEEN,
            ("auc", "brier", "ece", "lift", "interval"),
            "perennial insights renewal-model",
        ),
        "calibration": Topic(
            gettext_lazy("Does 70% mean 70%?"),
            gettext_lazy(
                "Decisions in ten equal groups by the chance that was told. Of those "
                "told about 70%, about 70 in 100 should have renewed: then the points "
                "lie on the dashed line. Whiskers that cross it are no proof of error."
            ),
            gettext_lazy("ECE = mean of |told − happened| over the ten groups"),
            _CHANCE,
            ("ece", "interval"),
            "perennial insights renewal-model",
        ),
        "weights": Topic(
            gettext_lazy("What moves the chances"),
            gettext_lazy(
                "How many points each reason moves the chance of today's customers, up "
                "or down, on average. The reasons of one customer stand on its page."
            ),
            gettext_lazy("mean of |move of the chance| over today's customers"),
            _NO_CAUSE,
        ),
        "lowest": Topic(
            gettext_lazy("Least likely to renew"),
            gettext_lazy(
                "The chance that the next decision of a customer is a renewal; of who "
                "pays by the month, that it is there in a month. It begins at the "
                "chance of a usual customer, and each reason moves it on: together "
                "they are the chance, without a rest."
            ),
            gettext_lazy("chance = chance of a usual customer + moves of the reasons"),
            _CHANCE,
            ("interval",),
            "perennial health",
        ),
    },
    "backtest": {
        "ways": Topic(
            gettext_lazy("Every way to tell, on the same decisions"),
            gettext_lazy(
                "What each way said 30 days before a decision, against what happened. "
                "Beside the modes of health stands what anybody could look at: days "
                "since the last log-in, all usage counts, and nothing at all."
            ),
            gettext_lazy(
                "red that left = leavers among red / red; warned = losses that were "
                "red or orange whenever asked until the end / losses"
            ),
            _UNSEEN,
            ("auc", "interval", "lift", "ece"),
            "perennial insights backtest",
        ),
        "early": Topic(
            gettext_lazy("How early can it be told?"),
            gettext_lazy(
                "The same, asked 60 to 180 days before the decision, by models that "
                "know only what had been decided by then. A line that stays high to "
                "the left gives you time."
            ),
            gettext_lazy("AUC of each way, by days before the decision"),
            _UNSEEN,
            ("auc",),
            "perennial insights backtest",
        ),
        "alarms": Topic(
            gettext_lazy("Caught, and false alarms"),
            gettext_lazy(
                "Of those who left, the share that was red or orange so long before; "
                "and of those who stayed, the share that was, too. A way that warns of "
                "everybody catches all and helps nobody."
            ),
            gettext_lazy(
                "red or orange leavers / leavers; red or orange stayers / stayers"
            ),
            _UNSEEN,
        ),
    },
    "forecast": {
        "fan": Topic(
            gettext_lazy("MRR of today's customers"),
            gettext_lazy(
                "What today's customers are likely to pay in the months ahead. Each "
                "stays with its chance at every decision until then, and grows as its "
                "segment and color did in the last twelve months."
            ),
            gettext_lazy(
                "expected = Σ chance to be there × MRR × growth; range: 10,000 "
                "simulated futures"
            ),
            _ALONE,
            ("range",),
            "perennial insights forecast",
        ),
        "due": Topic(
            gettext_lazy("Renewals by month"),
            gettext_lazy(
                "Customers whose term ends within 90 days, or has ended undecided: "
                "what they pay, and what of it should be renewed."
            ),
            gettext_lazy("expected = Σ chance of renewal × MRR"),
            _ALONE,
            ("range",),
            "perennial insights forecast --set horizon=3",
        ),
        "hindsight": Topic(
            gettext_lazy("Was it right before?"),
            gettext_lazy(
                "Forecasts of three months that were kept, beside what the same "
                "customers then paid. Those marked as told afterwards were made from "
                "what was known on that day."
            ),
            gettext_lazy(
                "mean error = Σ |expected − happened| / Σ happened; inside: forecasts "
                "whose range held what happened"
            ),
            gettext_lazy(
                "Of few forecasts the share inside says little: 6 of 8 and 8 of 8 are "
                "both what a range of 80 in 100 gives."
            ),
            ("wape", "range"),
            "perennial export forecasts",
        ),
    },
    "patterns": {
        "light": Topic(
            gettext_lazy("Is light use a few people's or everybody's?"),
            gettext_lazy(
                "Who uses little, and is that an exception or how everybody does it? "
                "A few who use little need a talk; where most do, the product or the "
                "onboarding has to change."
            ),
            gettext_lazy(
                "light = below a quarter of the target; norm from half of the people, "
                "exception up to a fifth, at least five people"
            ),
            gettext_lazy("People with a seat who never came count as no use."),
            (),
            "perennial insights usage-patterns",
        ),
        "dips": Topic(
            gettext_lazy("When use falls"),
            gettext_lazy(
                "Accounts by months since onboarding: in which month fewer of their "
                "seats are used than in the three before it."
            ),
            gettext_lazy(
                "active users / seats in the month, against the mean of the three "
                "before; a dip from −20%, of 20 accounts or more"
            ),
            gettext_lazy(
                "Accounts that left earlier are not in later months, which look "
                "better for it."
            ),
            (),
            "perennial insights usage-patterns",
        ),
        "unused": Topic(
            gettext_lazy("Features nobody uses"),
            gettext_lazy(
                "Features that have been there for long, and that hardly anybody uses "
                "of those to whom they are open."
            ),
            gettext_lazy("adoption = users of the feature / users who could use it"),
            gettext_lazy(
                "What is needed once a year looks unused. Features whose day of "
                "release is not known count as old."
            ),
            (),
            "perennial insights usage-patterns",
        ),
    },
    "product": {
        "keeps": Topic(
            gettext_lazy("Which features keep their users?"),
            gettext_lazy(
                "Of the people who tried a feature, how many came back to it on a "
                "later day. It asks whether the feature is worth coming back to, not "
                "whether customers renew."
            ),
            gettext_lazy("came back within 30 days / tried at least 30 days ago"),
            gettext_lazy("What is needed once a quarter looks left and is not."),
            (),
            "perennial insights product-health",
        ),
    },
    "survival": {
        "curve": Topic(
            gettext_lazy("How many are still there?"),
            gettext_lazy(
                "Of 100 customers, so many are still there after each month. Who is "
                "still a customer counts as far as it was watched. Half are gone at "
                "the median."
            ),
            gettext_lazy(
                "Kaplan-Meier: product over the months of 1 − left / still watched"
            ),
            gettext_lazy("Far to the right few are still watched: see the small n."),
            ("interval",),
            "perennial insights survival",
        ),
    },
    "value": {
        "forms": Topic(
            gettext_lazy("Lifetime value"),
            gettext_lazy(
                "What a customer brings until it leaves, told in three ways. The one "
                "by survival is for decisions; the others are what books and boards "
                "often ask for."
            ),
            gettext_lazy(
                "by survival: Σ over 36 months of margin × share still there / 1.008ᵏ; "
                "margin over churn: margin / monthly churn; simple: revenue × "
                "lifetime of those who left"
            ),
            gettext_lazy(
                "Margin needs costs of category cogs: without them there is none, "
                "rather than one of 100%."
            ),
            (),
            "perennial insights lifetime-value",
        ),
        "buyers": Topic(
            gettext_lazy("Who buys freely"),
            gettext_lazy(
                "Customers who buy without a subscription never cancel: they just "
                "stop. From how often and how lately they bought follows how likely "
                "they still buy, what they will buy, and for how much."
            ),
            gettext_lazy(
                "expected purchases (BG/NBD) × expected value of one (Gamma-Gamma)"
            ),
            gettext_lazy(
                "Only where how often and how much hardly go together (correlation "
                "below 0.3). Never of subscriptions."
            ),
            (),
            "perennial insights lifetime-value --set model=bgnbd",
        ),
    },
}


def find(name: str) -> tuple[str, Topic] | None:
    """The page a topic is of, and the topic."""
    found = ((page, of[name]) for page, of in PAGES.items() if name in of)
    return next(found, None)


def facts(version: Version, segment: str, regional: Regional) -> list[tuple[Text, str]]:
    """What a version was learned from."""
    review = version.review
    found = review.discoveries.get(segment) or review.discoveries[""]
    judged = review.comparison.n
    told: list[tuple[Text, str]] = [
        (_("Customers who stayed"), formats.number(found.n_retained, regional)),
        (_("Customers who left"), formats.number(found.n_churned, regional)),
        (_("Decisions before"), formats.day(version.as_of, regional, version.as_of)),
        (_("Version"), formats.number(version.number, regional)),
    ]
    if judged:
        number = formats.number(judged, regional)
        told.insert(2, (_("Later decisions to judge by"), number))
    return told
