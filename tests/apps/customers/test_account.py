"""What the pages of one account are made of."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.utils.html import strip_tags

from perennial.apps.customers import (
    account_page,
    money,
    overview,
    people,
    queries,
    timeline,
    usage,
)
from perennial.apps.customers.account import Account
from perennial.apps.customers.money import Level
from perennial.apps.team.models import Workspace
from perennial.core.settings import Settings
from perennial.ui.formats import Regional
from tests.apps.customers.company import AS_OF, FRESH, GONE, GREEN, KESTREL, SILENT


@pytest.fixture
def kestrel(workspace: Workspace) -> Account:
    return queries.get_account_or_404(workspace, KESTREL)


def test_the_account(kestrel: Account) -> None:
    assert (kestrel.shown_score, kestrel.color, kestrel.change_28d) == (
        43,
        "orange",
        -9,
    )
    assert (kestrel.mrr, kestrel.days_to_renewal) == (Decimal(100), 41)
    assert kestrel.license_use == pytest.approx(0.4)
    assert len(kestrel.weeks) == 12


def test_why(workspace: Workspace, kestrel: Account, regional: Regional) -> None:
    stored = overview.history(workspace, kestrel)
    rules = overview.rules_of(workspace, overview.on(stored, kestrel.as_of))
    found = overview.why(stored, kestrel, rules, regional)
    assert found is not None
    assert found.title == "Why 43? Four parts add up to the score"
    assert [strip_tags(row.measured) for row in found.rows] == [
        "3 active days and 30 min per active user (targets 12 and 120)",
        "4 of 10 seats active = 40.0% (target 80%)",
        "1 of 2 key features (target 70%), 2 key events per session (target 5)",
        "Active users −20.0% against the 28 days before; MRR unchanged against 90 days ago",
    ]
    assert found.breakdown.change is not None
    assert sum(r.part.change or 0 for r in found.rows) == found.breakdown.change


@pytest.mark.parametrize("account_id", [FRESH, GONE])
def test_no_score_has_no_table(
    workspace: Workspace, regional: Regional, account_id: str
) -> None:
    account = queries.get_account_or_404(workspace, account_id)
    stored = overview.history(workspace, account)
    rules = overview.rules_of(workspace, None)
    assert overview.why(stored, account, rules, regional) is None
    assert account_page.no_score(account, stored, regional)


def test_the_chart_marks_changes_of_color(
    workspace: Workspace, kestrel: Account, regional: Regional
) -> None:
    stored = overview.history(workspace, kestrel)
    chart = overview.chart(stored, kestrel, regional, "Health")
    assert chart is not None
    assert len(chart.rows) == 27
    colors = [note.text for note in overview.flags(stored)]
    assert colors == ["Orange"]


# --- usage -------------------------------------------------------------------


def test_features_by_week(workspace: Workspace, kestrel: Account) -> None:
    found = usage.matrix(workspace, kestrel)
    assert found.weeks[-1] == date(2026, 5, 25)
    assert [(r.name, r.is_key) for r in found.rows] == [
        ("Board", True),
        ("Reports", True),
    ]
    board = found.rows[0]
    # 3 × 3 visits and 3 of k4, two events each; our own people do not count.
    assert (board.lately, board.before) == (24, 10)
    assert board.weeks[-1] == 4
    assert board.change == pytest.approx(1.4)
    assert found.rows[1].change is None


def test_weeks(workspace: Workspace, kestrel: Account) -> None:
    weeks = usage.weekly(workspace, kestrel)
    assert len(weeks) == 26
    assert (weeks[-1].start, weeks[-1].users) == (date(2026, 5, 25), 1)
    # 11 to 17 May: three people on the 12th, 15th and 17th, and k4 on the 14th.
    assert weeks[-3].users == 4


# --- people ------------------------------------------------------------------


def test_people(workspace: Workspace, kestrel: Account) -> None:
    found = people.people(workspace, kestrel)
    assert [p.name for p in found] == ["Kim 4", "Kim 1", "Kim 2", "Kim 3", "Kim 5"]
    assert [(p.active_days, p.active_days_before) for p in found] == [
        (3, 1), (3, 1), (3, 1), (3, 1), (0, 1),
    ]  # fmt: skip
    assert [p.kind for p in found] == ["occasional"] * 4 + ["inactive"]


def test_health_of_people(workspace: Workspace, kestrel: Account) -> None:
    """Frequency 25 and depth 63.57, weighed equally: 44.3."""
    found = people.with_health(workspace, kestrel, people.people(workspace, kestrel))
    assert [p.score and round(p.score, 2) for p in found][:4] == [44.29] * 4
    assert (found[0].color, found[4].score) == ("orange", None)


@pytest.mark.parametrize(
    ("days", "before", "kind"),
    [
        (16, 16, "daily"),
        (15, 10, "frequent"),
        (4, 0, "frequent"),
        (3, 3, "occasional"),
        (0, 3, "inactive"),
        (4, 8, "fading"),
        (0, 4, "fading"),
    ],
)
def test_how_often_somebody_comes(days: int, before: int, kind: str) -> None:
    assert people.kind_of(days, before, Settings()) == kind


# --- money -------------------------------------------------------------------


def test_items(workspace: Workspace, kestrel: Account, regional: Regional) -> None:
    found = money.items(workspace, kestrel)
    assert [(i.product, i.monthly) for i in found] == [("Seats", Decimal(100))]
    assert account_page.items_note(found, kestrel, regional) == ""


_ITEM: dict[str, Any] = {
    "product": "Seats",
    "item_id": "",
    "subscription_id": "s",
    "plan": None,
    "quantity": 10.0,
    "unit_amount": Decimal(120),
    "mrr": None,
    "currency": None,
    "interval": "year",
    "interval_count": 1,
    "usage_type": "licensed",
    "discount": Decimal(60),
    "status": "active",
    "is_trial": None,
    "trial_end": None,
    "paused_from": None,
    "paused_to": None,
}


@pytest.mark.parametrize(
    ("changes", "monthly", "why_not"),
    [
        ({}, Decimal("95.0000"), ""),
        ({"quantity": None}, Decimal("5.0000"), ""),
        ({"mrr": Decimal(7)}, Decimal(7), ""),
        ({"interval": "quarter", "discount": None}, Decimal("400.0000"), ""),
        ({"usage_type": "metered"}, None, "metered"),
        ({"status": "trialing"}, None, "trial"),
        ({"status": "unpaid"}, None, "unpaid"),
        ({"status": "paused"}, None, "paused"),
    ],
)
def test_what_an_item_pays(
    changes: dict[str, Any], monthly: Decimal | None, why_not: str
) -> None:
    from datetime import UTC, datetime

    at = datetime(2026, 6, 1, tzinfo=UTC)
    found = money.item({**_ITEM, **changes}, at, "EUR")
    assert (found.monthly, found.why_not) == (monthly, why_not)


def test_history_is_the_metric(workspace: Workspace, kestrel: Account) -> None:
    from perennial.apps.customers.scope import only
    from perennial.apps.team.lake import lake_of

    months = money.history(workspace, kestrel, money.mrr_levels(workspace, kestrel))
    asked = lake_of(workspace).metric(
        "mrr", start=months[0][0], end=AS_OF, grain="month", where=only(KESTREL)
    )
    assert months == [(r["period_start"], r["value"]) for r in asked.to_dicts()]
    assert {value for _, value in months} == {80.0, 100.0}


def test_terms_and_seats(workspace: Workspace, kestrel: Account) -> None:
    terms = money.terms(workspace, kestrel)
    assert [(t.start, t.outcome) for t in terms] == [
        (date(2025, 7, 12), "pending"),
        (date(2024, 7, 12), "renewed"),
    ]
    assert money.seat_levels(workspace, kestrel) == [
        Level(date(2026, 5, 4), 10, 8),
        Level(date(2024, 2, 1), 8, None),
    ]


# --- timeline ----------------------------------------------------------------


def test_the_timeline(
    workspace: Workspace, kestrel: Account, regional: Regional
) -> None:
    stored = overview.history(workspace, kestrel)
    names, users = {"alice@default.example": "Alice"}, {"k1": "Kim 1"}
    found = timeline.timeline(workspace, kestrel, stored, names, users, regional)
    told = [
        (strip_tags(str(e.text)).strip(), e.detail or e.said or e.quote) for e in found
    ]
    assert told[:6] == [
        ("Ticket: API limits urgent", "Open for 4 days"),
        ("Ticket: API limits high", "Open for 6 days"),
        ("Ticket: API limits", "Solved in 2 days"),
        ("NPS 5, Kim 1", "Lately slow."),
        ("2 seats added: 8 → 10", ""),
        ("Health Red → Orange, 8 to 52", "Breadth +19.5"),
    ]
    assert ("Call, 25 min, Alice", "Roll-out.") in told
    assert ("MRR +€20", "€80 → €100") in told
    assert told[-1] == ("First MRR: €80", "")


def test_levels_are_changes_newest_first() -> None:
    runs = [(date(2026, 1, 1), 5, ""), (date(2026, 2, 1), 3, "")]
    assert money.levels(runs)[0] == Level(date(2026, 2, 1), 3, 5)
    entries = list(timeline.seat_entries(money.levels(runs), Regional()))
    assert [str(e.text) for e in entries] == ["2 seats removed: 5 → 3"]


# --- the sentence ------------------------------------------------------------


def test_the_sentence_of_an_account_without_signals(
    workspace: Workspace, regional: Regional
) -> None:
    green = queries.get_account_or_404(workspace, GREEN)
    found = account_page.said(green, [], regional)
    assert found is not None
    assert found.lead == "No signal is on."
    assert found.rest == " 4 of 4 seats in use; renewal in 61 days."
    gone = queries.get_account_or_404(workspace, GONE)
    assert account_page.said(gone, [], regional) is None


def test_no_score_has_its_reason(workspace: Workspace, regional: Regional) -> None:
    silent = queries.get_account_or_404(workspace, SILENT)
    assert account_page.no_score(silent, [], regional) == ""
    fresh = queries.get_account_or_404(workspace, FRESH)
    stored = overview.history(workspace, fresh)
    assert "onboarding" in account_page.no_score(fresh, stored, regional)
