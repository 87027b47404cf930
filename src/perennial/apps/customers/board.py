"""The rows of Home in words: the headline, each reason, one step to take."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from perennial.apps.customers.account import Account
from perennial.apps.customers.home import Summary
from perennial.apps.customers.reasons import Facts, Reason, Sentence, reasons, sentence
from perennial.apps.customers.timeline import move_text
from perennial.apps.customers.today import Change, Changes, Needed
from perennial.apps.customers.words import Text, capitalized, spelled
from perennial.ui import charts, formats
from perennial.ui.charts import Chart
from perennial.ui.formats import Regional
from perennial.ui.templatetags.ui import STATES, state_word


@dataclass(frozen=True)
class Step:
    """The one step a row offers: a page of the account that helps to decide."""

    label: Text
    icon: str
    tab: str = "account"
    anchor: str = ""

    def url(self, account: Account) -> str:
        place = reverse(f"customers:{self.tab}", args=[account.account_id])
        return f"{place}{self.anchor}"


_OPEN = Step(gettext_lazy("Open account"), icon="building")
_PEOPLE = Step(gettext_lazy("See people"), icon="users", tab="people")
_USAGE = Step(gettext_lazy("See usage"), icon="chart-line", tab="usage")
_MONEY = Step(gettext_lazy("See contract"), icon="coins", tab="money")
_STEPS = {
    "quiet": _PEOPLE,
    "users": _PEOPLE,
    "seats": _PEOPLE,
    "onboarding": _PEOPLE,
    "logins": _USAGE,
    "features": _USAGE,
    "expand": _MONEY,
    "renewal": _MONEY,
    "mrr": _MONEY,
    "tickets": Step(gettext_lazy("See tickets"), icon="ticket", anchor="#timeline"),
    "nps": Step(gettext_lazy("Read the answer"), icon="message", anchor="#timeline"),
    "health": Step(gettext_lazy("See why"), icon="math-function", anchor="#why"),
}


@dataclass(frozen=True)
class Row:
    """A row of the ranked list."""

    account: Account
    sentence: Sentence
    step: Step
    url: str


def rows(needed: Needed, regional: Regional) -> list[Row]:
    """The accounts in their order; one without a reason is left out."""
    found = []
    for account in (*needed.accounts, *needed.growing):
        facts = needed.facts.get(account.account_id, Facts())
        why = reasons(account, facts, regional)
        said = sentence(why)
        if said is not None:
            step = step_for(why)
            found.append(Row(account, said, step, step.url(account)))
    return found


def step_for(why: list[Reason]) -> Step:
    return _STEPS.get(why[0].kind, _OPEN)


def headline(
    needed: Needed, summary: Summary, regional: Regional, *, mine: bool
) -> Sentence:
    """The answer of the page in a sentence; the first part is set in bold."""
    if not needed.count:
        return _nothing(summary, regional, mine=mine)
    n = capitalized(spelled(needed.count, regional))
    if mine:
        lead = ngettext(
            "One account needs you today.",
            "%(n)s accounts need you today.",
            needed.count,
        )
    else:
        lead = ngettext(
            "One account needs a human today.",
            "%(n)s accounts need a human today.",
            needed.count,
        )
    return Sentence(lead % {"n": n}, " ".join(_more(needed, regional)))


def _nothing(summary: Summary, regional: Regional, *, mine: bool) -> Sentence:
    scored = sum(s.accounts for c, s in summary.colors.items() if c != "none")
    lead = _("Nothing needs you today.") if mine else _("Nothing needs a human today.")
    if not scored:
        said = _("No account has a health score yet, so this cannot be ranked.")
        return Sentence(lead, said)
    said = ngettext(
        "No signal is on for the one account with a score.",
        "No signal is on for any of the %(n)s accounts with a score.",
        scored,
    )
    return Sentence(lead, said % {"n": formats.number(scored, regional)})


def _more(needed: Needed, regional: Regional) -> list[str]:
    """How many are red, what renews with them, and who may grow."""
    red = ngettext("One is red", "%(n)s are red", needed.red) % {
        "n": capitalized(spelled(needed.red, regional))
    }
    if not needed.red:
        red = _("None is red")
    said = []
    if needed.renewing:
        money = formats.money(needed.renewing, regional)
        pattern = _(
            "%(red)s, and %(money)s of monthly revenue renews with them within 90 days."
        )
        said.append(pattern % {"red": red, "money": money})
    else:
        said.append(f"{red}.")
    if needed.growing_count:
        more = ngettext(
            "One more is ready to expand.",
            "%(n)s more are ready to expand.",
            needed.growing_count,
        )
        count = capitalized(spelled(needed.growing_count, regional))
        said.append(more % {"n": count})
    return said


@dataclass(frozen=True)
class Tiles:
    """Changes shown in the strip; None where there is nothing to compare with."""

    split: list[tuple[str, int]]
    mrr_change: float | None
    risk_change: Decimal | None
    use_change: float | None


def tiles(summary: Summary) -> Tiles:
    before, week = summary.before, summary.at_risk_before
    now_use = summary.total.license_use
    old_use = before.license_use if before else None
    return Tiles(
        split=[(c, s.accounts) for c, s in summary.colors.items() if s.accounts],
        mrr_change=(
            round((summary.total.mrr_e4 - before.mrr_e4) / before.mrr_e4, 3)
            if before and before.mrr_e4
            else None
        ),
        risk_change=summary.at_risk.mrr - week.mrr if week else None,
        use_change=(
            now_use - old_use if now_use is not None and old_use is not None else None
        ),
    )


@dataclass(frozen=True)
class ChangeRow:
    account: Account
    before: str
    cause: str


@dataclass(frozen=True)
class ChangeList:
    days: int
    count: int
    rows: list[ChangeRow]


def changed(changes: Changes, regional: Regional) -> ChangeList:
    """Changes of color, each with its cause: "Breadth −4.0"."""
    rows = [
        ChangeRow(c.account, c.before, change_text(c, regional)) for c in changes.rows
    ]
    return ChangeList(changes.days, changes.count, rows)


def change_text(change: Change, regional: Regional) -> str:
    """What changed a color: another scorecard, or the part that moved most."""
    if change.is_model_change:
        return _("Other rules")
    return move_text(change.moved, regional)


def renewals(summary: Summary, regional: Regional) -> Chart | None:
    """MRR that renews by month and color; None where nothing does."""
    if not any(counts for _month, counts in summary.months):
        return None
    return charts.health_bar_chart(
        summary.months,
        regional,
        words={state: state_word(state) for state in STATES},
        period=_("Month"),
    )
