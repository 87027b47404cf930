"""A company small enough to check by hand, as of 1 June 2026.

Kestrel, orange, 42.8: ten seats, four people active on three days each, half an
hour each, five people before. One of two key features, two key events a session.
    frequency  50·(3/12 + 30/120)                  = 25.0   × .30 =  7.5
    breadth    100·(4/10)/.8                       = 50.0   × .25 = 12.5
    depth      75·(1/2)/.7 + 25·2/5                = 63.571 × .30 = 19.071
    growth     mean of users −20 % (0), MRR ±0 (50) = 25.0   × .15 =  3.75
Greenfield, green, 88.0: four seats, all active on twelve days; depth 85.
Silent, red, 3.75: five seats, nobody in for 40 days.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from tests.builders import Case

AS_OF = date(2026, 6, 1)
NOW = "2026-06-01T06:00"
#: An id with everything an address could stumble over.
KESTREL = "kes/50% ü"
SILENT, GREEN, FRESH = "silent", "green", "fresh"
GONE, TRIAL, OTHER = "gone", "trial", "other"

Row = tuple[str, str, str, str]


def ago(days: int, hour: int = 10, minute: int = 0) -> str:
    day = AS_OF - timedelta(days=days)
    return f"{day}T{hour:02}:{minute:02}:00"


def visit(user: str, account: str, days: int, *events: str) -> list[Row]:
    """A session of ten minutes: its events at its beginning and its end."""
    first, last = events or ("Board Viewed", "Board Viewed")
    return [
        (user, account, ago(days, 10), first),
        (user, account, ago(days, 10, 10), last),
    ]


def events() -> list[Row]:
    found: list[Row] = []
    for user in ("k1", "k2", "k3"):
        for days in (15, 17, 20):
            found += visit(user, KESTREL, days)
    for days in (2, 4, 18):
        found += visit("k4", KESTREL, days)
    for user in ("k1", "k2", "k3", "k4", "k5"):
        found += visit(user, KESTREL, 40)
    for user in ("g1", "g2", "g3", "g4"):
        for days in range(1, 25, 2):
            found += visit(user, GREEN, days, "Board Viewed", "Report Viewed")
        found += visit(user, GREEN, 35)
    found += visit("s1", SILENT, 40)
    found += visit("f1", FRESH, 3)
    found += visit("staff", KESTREL, 3)
    return found


def accounts(case: Case) -> None:
    case.facts(
        "accounts",
        _account(KESTREL, "Kestrel & Sons", "Mid-market", "alice@default.example"),
        _account(SILENT, "Silent Mills", "Small", "bob@default.example"),
        _account(GREEN, "Greenfield", "Small", "alice@default.example"),
        _account(FRESH, "Freshwater", "Small", None, created_at="2026-05-15T08:00"),
        _account(GONE, "Gone Fishing", "Mid-market", "bob@default.example"),
        _account(TRIAL, "Trial Run", "Small", None, lifecycle_stage="Trial"),
        _account("test", "=Test Account", "Small", None, is_test=True),
    )
    case.facts(
        "users",
        *(
            {"user_id": f"k{n}", "name": f"Kim {n}", "role": "planner"}
            for n in range(1, 6)
        ),
        {"user_id": "g1", "email": "g1@greenfield.example"},
        {"user_id": "staff", "name": "Our Own", "is_internal": True},
    )


def _account(
    account_id: str, name: str, segment: str, owner: str | None, **more: object
) -> dict[str, object]:
    plain = {"created_at": "2024-01-15T08:00", "lifecycle_stage": "Value"}
    named = {"account_id": account_id, "name": name, "segment": segment}
    return {**plain, **named, "owner_email": owner, **more}


def money(case: Case) -> None:
    def item(
        account_id: str, mrr: int, since: str, **more: object
    ) -> dict[str, object]:
        ids = {"subscription_id": f"s-{account_id}", "account_id": account_id}
        return {**ids, "item_id": "seats", "product": "Seats", "mrr": mrr,
                "currency": "EUR", "valid_from": since, **more}  # fmt: skip

    case.facts(
        "subscription_items",
        item(KESTREL, 80, "2024-02-01T00:00", valid_to="2025-06-01T00:00"),
        item(KESTREL, 100, "2025-06-01T00:00"),
        item(SILENT, 200, "2024-02-01T00:00"),
        item(GREEN, 400, "2024-02-01T00:00"),
        item(FRESH, 50, "2026-05-15T00:00"),
        item(GONE, 70, "2024-02-01T00:00", valid_to="2026-03-01T00:00"),
    )
    case.facts(
        "seat_contracts",
        {"account_id": KESTREL, "seats": 8, "starts_at": "2024-02-01T00:00"},
        {"account_id": KESTREL, "seats": 10, "starts_at": "2026-05-04T00:00"},
        {"account_id": SILENT, "seats": 5, "starts_at": "2024-02-01T00:00"},
        {"account_id": GREEN, "seats": 4, "starts_at": "2024-02-01T00:00"},
        {"account_id": FRESH, "seats": 3, "starts_at": "2026-05-15T00:00"},
    )
    case.facts(
        "contracts",
        {"account_id": KESTREL, "term_start": "2025-07-12", "term_end": "2026-07-12", "acv": 1200},
        {"account_id": SILENT, "term_start": "2025-12-01", "term_end": "2026-12-01"},
        {"account_id": GREEN, "term_start": "2025-08-01", "term_end": "2026-08-01"},
        {"account_id": KESTREL, "term_start": "2024-07-12", "term_end": "2025-07-12", "outcome": "renewed"},
    )  # fmt: skip


def contacts(case: Case) -> None:
    def ticket(
        number: int, account_id: str, days: int, **more: object
    ) -> dict[str, object]:
        return {"ticket_id": f"t{number}", "account_id": account_id,
                "opened_at": ago(days), "topic": "API limits", **more}  # fmt: skip

    case.facts(
        "tickets",
        ticket(1, KESTREL, 5, priority="urgent"),
        ticket(2, KESTREL, 6, priority="high"),
        ticket(3, KESTREL, 9, priority="low", solved_at=ago(7)),
        ticket(4, KESTREL, 4, is_spam=True),
    )
    case.facts(
        "survey_responses",
        {"response_id": "r1", "kind": "nps", "score": 5, "account_id": KESTREL,
         "user_id": "k1", "comment": "Lately slow.", "answered_at": ago(22)},
    )  # fmt: skip
    case.facts(
        "touchpoints",
        {"touchpoint_id": "p1", "account_id": KESTREL, "at": ago(90), "kind": "call",
         "minutes": 25, "staff_email": "alice@default.example", "summary": "Roll-out."},
        {"touchpoint_id": "p2", "account_id": GREEN, "at": ago(3), "kind": "meeting"},
    )  # fmt: skip
    case.facts(
        "onboarding_steps",
        {"flow": "start", "step": "a", "position": 1, "account_id": FRESH, "completed_at": ago(15)},
        {"flow": "start", "step": "b", "position": 2, "account_id": FRESH, "completed_at": ago(12)},
        {"flow": "start", "step": "e", "position": 5, "account_id": GREEN, "completed_at": ago(300)},
    )  # fmt: skip


def product(case: Case) -> None:
    case.facts(
        "features",
        {"feature_id": "board", "name": "Board", "is_key": True},
        {"feature_id": "reports", "name": "Reports", "is_key": True},
    )
    case.facts(
        "event_definitions",
        {"name": "Board Viewed", "kind": "feature", "feature_id": "board"},
        {"name": "Report Viewed", "kind": "feature", "feature_id": "reports"},
    )


def build(lake: Path) -> None:
    """Two workspaces: `default` with the company, `elsewhere` with one account."""
    ours = Case(lake / "default", now=NOW, timezone="Europe/Berlin", currency="EUR")
    for part in (accounts, money, contacts, product):
        part(ours)
    ours.events(*events())
    ours.refresh(as_of=AS_OF)
    theirs = Case(lake / "elsewhere", now=NOW)
    theirs.facts("accounts", _account(OTHER, "Kestrel Elsewhere", "Small", None))
    theirs.facts(
        "subscription_items",
        {"subscription_id": "s", "account_id": OTHER, "mrr": 9, "valid_from": "2024-02-01T00:00"},
    )  # fmt: skip
    theirs.refresh(as_of=AS_OF)
