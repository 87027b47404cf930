"""What the pages of one account show around their tabs, and in them, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from perennial.apps.customers import explain, hooks, queries, today
from perennial.apps.customers import reasons as why_now
from perennial.apps.customers.account import Account
from perennial.apps.customers.breakdown import Snapshot
from perennial.apps.customers.chance import chance_of
from perennial.apps.customers.money import Item, Term
from perennial.apps.customers.overview import History, on
from perennial.apps.customers.reasons import Reason, Sentence
from perennial.apps.customers.usage import Week
from perennial.apps.customers.words import STATES, Text, capitalized, figure, name_of
from perennial.apps.team.access import TeamRequest
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.ui import charts, formats
from perennial.ui.charts import Chart, Point
from perennial.ui.formats import Regional

SOME_PEOPLE = 6


def now(request: TeamRequest, found: Account) -> datetime:
    """The instant a page counts from: midnight of the day the data speak of."""
    return datetime.combine(found.as_of, datetime.min.time(), request.regional.zone)


def shared(
    request: TeamRequest,
    found: Account,
    stored: History,
    names: Mapping[str, str],
    tab: str,
    *,
    people: int | None = None,
) -> dict[str, Any]:
    """Header, sentence, tiles and tabs: the same on every tab."""
    health = on(stored, found.as_of)
    facts = today.facts_of(request.workspace, found, health)
    told = why_now.reasons(found, facts, request.regional)
    lake = lake_of(request.workspace)
    chance = chance_of(lake, found.account_id, found.as_of)
    return {
        "nav": "accounts",
        "now": now(request, found),
        "account": found,
        "may_edit": request.membership.covers(Role.MEMBER),
        "data_to": queries.data_to(request.workspace, found.as_of),
        "state": STATES.get(found.state, found.state),
        "owner": name_of(found.owner_email, names),
        "sentence": said(found, told, request.regional),
        "alarm": found.color if found.is_risky else "",
        "no_score": no_score(found, stored, request.regional),
        "tabs": [*tabs(found, tab, people), *_further(request, found, tab)],
        "tab": tab,
        "documents": hooks.documents(request, found),
        "chance": chance,
        "chance_text": formats.percent(
            chance.p if chance else None, request.regional, 0
        ),
        "users_change": users_change(found),
        "nps_word": nps_word(found),
    }


def tabs(found: Account, on: str, people: int | None) -> list[dict[str, Any]]:
    words = {
        "account": _("Overview"),
        "timeline": _("Timeline"),
        "usage": _("Usage"),
        "money": _("Money"),
        "people": _("People"),
    }
    count = found.assigned_users if people is None else people
    return [
        {
            "label": word,
            "url": reverse(f"customers:{key}", args=[found.account_id]),
            "on": key == on,
            "count": count if key == "people" else None,
        }
        for key, word in words.items()
    ]


def _further(request: TeamRequest, found: Account, on: str) -> list[dict[str, Any]]:
    """Tabs of other applications."""
    return [
        {"label": t.label, "url": t.url, "on": t.key == on, "count": t.count}
        for t in hooks.tabs(request, found)
    ]


def said(found: Account, told: Sequence[Reason], regional: Regional) -> Sentence | None:
    """What is wrong, in a sentence; where nothing is, that, and how it stands."""
    if not found.is_customer:
        return None
    if [r for r in told if r.kind != "renewal"]:
        return why_now.sentence(list(told), most=4)
    parts = []
    if found.color == "yellow" and found.score is not None:
        missing = formats.number(found.cuts[2] - found.score, regional, 1)
        parts.append(_("%(points)s points to green") % {"points": missing})
    if found.license_use is not None:
        numbers = {
            "used": formats.number(found.active_users, regional),
            "of": formats.number(found.seats, regional),
        }
        parts.append(_("%(used)s of %(of)s seats in use") % numbers)
    if found.days_to_renewal is not None:
        days = formats.number(found.days_to_renewal, regional)
        parts.append(_("renewal in %(days)s days") % {"days": days})
    rest = f" {capitalized('; '.join(parts))}." if parts else ""
    return Sentence(_("No signal is on."), rest)


def no_score(found: Account, stored: History, regional: Regional) -> str:
    """Why an account has no score; empty where it has one."""
    if found.score is not None:
        return ""
    health = on(stored, found.as_of)
    coverage = health.coverage if health else 0.0
    return explain.no_score_text(found.status, coverage, regional)


def users_change(found: Account) -> int | None:
    if found.active_users is None or found.active_users_before is None:
        return None
    return found.active_users - found.active_users_before


def nps_word(found: Account) -> Text:
    if found.nps_score is None:
        return ""
    if found.nps_score <= 6:
        return pgettext_lazy("answer to NPS", "detractor")
    if found.nps_score >= 9:
        return pgettext_lazy("answer to NPS", "promoter")
    return pgettext_lazy("answer to NPS", "passive")


# --- usage -------------------------------------------------------------------


def users_chart(weeks: Sequence[Week], regional: Regional) -> Chart:
    return charts.line_chart(
        [Point(week.start, week.users) for week in weeks],
        regional,
        name=_("Active users"),
        grain="week",
        zero=True,
        period=_("Week"),
        height=200,
    )


def sessions_chart(weeks: Sequence[Week], regional: Regional) -> Chart:
    return charts.bar_chart(
        [Point(week.start, week.sessions) for week in weeks],
        regional,
        name=_("Sessions"),
        grain="week",
        period=_("Week"),
        weaker=True,
        height=200,
    )


# --- money -------------------------------------------------------------------

_INTERVALS: Mapping[str, Text] = {
    "day": gettext_lazy("a day"),
    "week": gettext_lazy("a week"),
    "month": gettext_lazy("a month"),
    "quarter": gettext_lazy("a quarter"),
    "half_year": gettext_lazy("half-yearly"),
    "year": gettext_lazy("a year"),
}
_WHY_NOT: Mapping[str, Text] = {
    "metered": gettext_lazy("by use, no MRR"),
    "unpaid": gettext_lazy("unpaid, no MRR"),
    "trial": gettext_lazy("trial, no MRR"),
    "paused": gettext_lazy("paused, no MRR"),
}
_OUTCOMES: Mapping[str, Text] = {
    "renewed": pgettext_lazy("outcome of a contract", "Renewed"),
    "cancelled": pgettext_lazy("outcome of a contract", "Canceled"),
    "pending": pgettext_lazy("outcome of a contract", "Running"),
}


@dataclass(frozen=True)
class ItemRow:
    product: str
    plan: str
    quantity: str
    price: str
    discount: str
    monthly: str
    why_not: Text


def item_row(item: Item, regional: Regional) -> ItemRow:
    price = formats.money(item.unit_amount, regional, item.currency)
    every = _INTERVALS.get(item.interval, item.interval)
    if item.interval_count > 1:
        every = f"{every} × {item.interval_count}"
    return ItemRow(
        item.product,
        item.plan,
        figure(1 if item.quantity is None else item.quantity, regional),
        f"{price} {every}" if item.unit_amount is not None else formats.EMPTY,
        formats.money(item.discount, regional, item.currency),
        formats.money(item.monthly, regional, item.currency),
        _WHY_NOT.get(item.why_not, ""),
    )


def items_note(items: Sequence[Item], found: Account, regional: Regional) -> str:
    """Why the items do not add up to the MRR, where they do not."""
    paid = [item for item in items if item.monthly]
    if any(item.currency != regional.currency for item in paid):
        return _("Foreign currency at the closing rate of the month.")
    total = sum((item.monthly or Decimal(0) for item in paid), Decimal(0))
    if abs(total - found.mrr) >= Decimal("0.01"):
        return _("Overdue items stop counting after the days of grace.")
    return ""


def mrr_chart(
    months: Sequence[tuple[date, float | None]], regional: Regional
) -> Chart | None:
    if len(months) < 2:
        return None
    return charts.line_chart(
        [Point(month, value) for month, value in months],
        regional,
        name="MRR",
        unit="money",
        zero=True,
        period=_("Month"),
        height=200,
    )


@dataclass(frozen=True)
class TermRow:
    start: date
    end: date
    acv: str
    auto_renew: bool | None
    outcome: Text
    reason: str


def term_row(term: Term, reason: str, regional: Regional) -> TermRow:
    return TermRow(
        term.start,
        term.end,
        formats.money(term.acv, regional, term.currency),
        term.auto_renew,
        _OUTCOMES.get(term.outcome, term.outcome),
        reason,
    )


# --- the explanation ---------------------------------------------------------


def inputs(health: Snapshot | None, regional: Regional) -> list[tuple[str, str]]:
    """What went into a score, as name and figure."""
    if health is None:
        return []
    m = health.measured
    numbers: list[tuple[str, Any]] = [
        (_("Median active days of an active user"), figure(m.active_days, regional)),
        (_("Minutes of an active user"), figure(m.minutes, regional)),
        (_("Active users"), formats.number(m.active_users, regional)),
        (_("Seats bought"), formats.number(m.seats, regional)),
        (_("Key features used"), formats.number(m.key_features_used, regional)),
        (_("Key features granted"), formats.number(m.key_features, regional)),
        (_("Key events per session"), figure(m.key_events_per_session, regional, 2)),
        (
            _("Active users, 28 days before"),
            formats.number(m.active_users_before, regional),
        ),
        ("MRR", _amount(m.mrr_e4, regional)),
        (_("MRR, 90 days before"), _amount(m.mrr_90d_e4, regional)),
    ]
    return numbers


def _amount(units: int | None, regional: Regional) -> str:
    return formats.money(None if units is None else Decimal(units) / 10_000, regional)
