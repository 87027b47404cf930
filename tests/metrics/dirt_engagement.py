"""What goes wrong in events, features, leads, onboarding, trials and health.

Former ids and devices, robots, late and excluded events, users of two accounts and
of none, test accounts and users, features nobody told of, released or granted
late, sessions over midnight and around clock changes, stages before their lead,
steps out of order, trials that overlap with paying, refunds in part.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.metrics.world import Tables, append

#: Midnight in Berlin, and around the hours that were lost and came twice.
MIDNIGHT = datetime(2026, 2, 28, 23, tzinfo=UTC)
SPRING = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
AUTUMN = datetime(2025, 10, 25, 23, 30, tzinfo=UTC)
START = datetime(2026, 1, 10, 9, tzinfo=UTC)
TICK = timedelta(microseconds=1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ACCOUNTS = ("e_big", "e_small", "e_none", "e_test")

Row = dict[str, Any]


def add(tables: Tables) -> None:
    """Add the rows that break naive code."""
    append(tables, "accounts", list(_accounts()))
    append(tables, "users", list(_users()))
    append(tables, "memberships", list(_memberships()))
    append(tables, "identities", list(_identities()))
    append(tables, "features", list(_features()))
    append(tables, "entitlements", list(_entitlements()))
    append(tables, "event_definitions", list(_definitions()))
    append(tables, "events", list(_events()))
    append(tables, "seat_contracts", list(_seats()))
    append(tables, "leads", list(_leads()))
    append(tables, "lead_stages", list(_stages()))
    append(tables, "onboarding_steps", list(_steps()))
    append(tables, "subscription_items", list(_items()))
    append(tables, "payments", list(_payments()))
    append(tables, "health_snapshots", list(_snapshots()))


def _accounts() -> Iterator[Row]:
    for n, account in enumerate(ACCOUNTS):
        yield {
            "account_id": account,
            "segment": ("Enterprise", "Small business", None, "Enterprise")[n],
            "is_test": account == "e_test",
            "created_at": START - DAY * 200,
            "onboarding_completed_at": datetime(2025, 8, 31, 22, tzinfo=UTC) + DAY * n,
        }
    for n in range(12):
        yield {
            "account_id": f"e_trial{n}",
            "segment": "Small business" if n % 2 else None,
            "created_at": START if n != 7 else None,
            "lifecycle_stage": {8: "Trial", 9: "free", 10: "lead"}.get(n),
            "is_test": n == 11,
        }


def _users() -> Iterator[Row]:
    yield {"user_id": "e_tester", "is_test": True}
    yield {"user_id": "e_own", "is_internal": True}
    yield {"user_id": "e_both", "created_at": START - DAY * 30}
    yield {"user_id": "e_gone", "created_at": START, "deactivated_at": START + DAY * 9}
    yield {"user_id": "e_idle", "created_at": START}
    yield {"user_id": "e_alone", "created_at": START + DAY * 3}


def _memberships() -> Iterator[Row]:
    yield {"user_id": "e_both", "account_id": "e_big", "starts_at": START - DAY * 30}
    yield {"user_id": "e_both", "account_id": "e_small", "starts_at": None}
    yield {"user_id": "e_gone", "account_id": "e_big", "starts_at": START}
    yield {"user_id": "e_idle", "account_id": "e_small", "starts_at": START}
    # The same account twice at once, and again later; an end before its start.
    span = {"user_id": "e_moved", "account_id": "e_big"}
    yield {**span, "starts_at": START, "ends_at": START + DAY * 20}
    yield {**span, "starts_at": START + DAY, "ends_at": START + DAY * 2}
    yield {**span, "starts_at": START + DAY * 60, "ends_at": START + DAY * 50}
    small = {"user_id": "e_former", "account_id": "e_small"}
    yield {**small, "starts_at": START + DAY * 20}
    yield {"user_id": "e_tester", "account_id": "e_big", "starts_at": None}


def _identities() -> Iterator[Row]:
    """e_former is e_moved; a phone that changes hands; a device named by alias."""
    alias = {"previous_id": "e_former", "user_id": "e_moved", "kind": "alias"}
    yield {**alias, "at": START + DAY * 40}
    device = {"previous_id": "e_phone", "kind": "anonymous"}
    yield {**device, "user_id": "e_moved", "at": START + DAY * 30}
    yield {**device, "user_id": "e_both", "at": START + DAY * 100}
    yield {"previous_id": "e_tv", "user_id": "e_idle", "kind": "alias", "at": START}


def _features() -> Iterator[Row]:
    yield {"feature_id": "e_bare"}
    yield {
        "feature_id": "e_new",
        "area": "Plan",
        "is_key": True,
        "is_core": True,
        "released_at": MIDNIGHT,
    }
    yield {"feature_id": "e_granted", "area": "e_area", "is_key": True}


def _entitlements() -> Iterator[Row]:
    grant = {"feature_id": "e_granted"}
    yield {**grant, "account_id": "e_big", "ends_at": MIDNIGHT}
    yield {**grant, "account_id": "e_small", "starts_at": MIDNIGHT}
    yield {**grant, "account_id": "e_small", "starts_at": MIDNIGHT + DAY * 30}
    yield {**grant, "account_id": "e_none", "starts_at": None}
    yield {"feature_id": "e_unheard", "account_id": "e_big"}


def _definitions() -> Iterator[Row]:
    click = {"name": "e click", "kind": "feature"}
    yield {**click, "feature_id": "e_bare"}
    yield {**click, "feature_id": "e_new", "valid_from": MIDNIGHT}
    yield {"name": "e beat", "kind": "system"}
    yield {
        "name": "e batch",
        "kind": "feature",
        "feature_id": "e_granted",
        "counts_as_activity": False,
    }
    yield {"name": "e open", "kind": "feature", "feature_id": "e_granted"}


def _events() -> Iterator[Row]:
    number = 0

    def event(at: datetime, user: str | None, name: str, **more: Any) -> Row:
        nonlocal number
        number += 1
        row = {"event_id": f"e_{number}", "event": name, "timestamp": at}
        return {**row, "received_at": at, "user_id": user, **more}

    people = ("e_both", "e_gone", "e_moved", "e_former", "e_tester", "e_own", "e_new")
    names = ("e click", "e open", "e beat", "e batch", "Log In", "user signed out")
    step = 0
    for day in range(0, 150, 4):
        for who in people:
            step += 1
            at = START + DAY * day + MINUTE * (step % 50)
            account = (*ACCOUNTS, None, "e_unknown")[step % 6]
            yield event(at, who, names[step % 6], account_id=account)
            later = at + timedelta(seconds=(5, 10, 1800, 1801, 0)[step % 5])
            yield event(later, who, names[step % 4], account_id=account)
    for at in (MIDNIGHT, SPRING, AUTUMN):
        for n, offset in enumerate((-MINUTE * 20, -TICK, TICK * 0, MINUTE * 15)):
            name = ("e click", "e open", "Log In", "e_own_name")[n]
            yield event(at + offset, "e_both", name, account_id="e_big")
    # A night and a day without a break, and what robots and others do.
    for n in range(60):
        yield event(START + MINUTE * 29 * n, "e_long", "e open", account_id="e_none")
    for n, reason in enumerate(("bot", "impersonated")):
        more = {"account_id": "e_big", "excluded_as": reason}
        yield event(START + HOUR * n, f"e_{reason}", "e open", **more)
    for days in (35, 36):
        late = {"source_id": "web", "received_at": START + DAY * days}
        yield {**event(START, f"e_late{days}", "e open", account_id="e_big"), **late}
    for day in (0, 20, 31, 90, 101):
        at = START + DAY * day + HOUR
        yield event(at, None, "e open", anonymous_id="e_phone")
        yield event(at, None, "e open", anonymous_id="e_nobody", account_id="e_small")
        yield event(at, None, "e click", anonymous_id="e_tv", account_id=None)
    # Three steps at one instant, in one order and in the other.
    for who in ("e_first", "e_second"):
        for n in (1, 2, 3) if who == "e_first" else (3, 2, 1):
            at = START if who == "e_first" else START + HOUR * (3 - n)
            yield event(at, who, f"e step {n}", account_id="e_small")
    for n, days in ((1, 0), (2, 30), (3, 31), (1, 40), (2, 41)):
        yield event(START + DAY * days, "e_slow", f"e step {n}", account_id="e_none")
    for n, days in ((1, 2), (2, 3)):
        at = START + DAY * days
        yield event(at, None, f"e step {n}", anonymous_id="e_visitor")


def _seats() -> Iterator[Row]:
    for account, seats in (("e_big", 3), ("e_small", 2), ("e_none", None)):
        yield {"account_id": account, "seats": seats, "starts_at": START - DAY * 160}
    yield {"account_id": "e_small", "seats": 0, "starts_at": MIDNIGHT + DAY * 30}


def _leads() -> Iterator[Row]:
    yield {"lead_id": "e1", "created_at": MIDNIGHT, "source": "Fair"}
    yield {"lead_id": "e2", "created_at": MIDNIGHT - TICK, "source": None}
    yield {"lead_id": "e3", "created_at": None, "account_id": "e_big"}
    yield {"lead_id": "e4", "created_at": START, "account_id": "e_test"}
    yield {"lead_id": "e5", "created_at": None}
    yield {"lead_id": "e6", "created_at": START, "account_id": "e_unknown"}


def _stages() -> Iterator[Row]:
    for lead, stage, at in (
        ("e1", "MQL", MIDNIGHT + DAY * 30),
        ("e1", "sql", MIDNIGHT + DAY * 31 + HOUR * 23),
        ("e2", "Won", MIDNIGHT - TICK),
        ("e2", "lost", MIDNIGHT + DAY),
        ("e3", "opportunity", START),
        ("e3", "mql", START + DAY * 3),
        ("e4", "won", START),
        ("e6", "lost", START + DAY),
        ("e6", "mql", START - DAY * 5),
        ("e6", "on hold", START + DAY * 2),
        ("e_unknown", "won", START),
    ):
        yield {"lead_id": lead, "stage": stage, "entered_at": at}


def _steps() -> Iterator[Row]:
    for who, account, steps in (
        ("e_both", "e_big", "1234"),
        ("e_both", "e_small", "1"),
        ("e_moved", "e_big", "1324"),
        ("e_gone", "e_big", "234"),
        ("e_tester", "e_big", "12"),
        (None, "e_none", "12"),
        ("e_idle", None, "1"),
        ("e_new", "e_test", "1234"),
    ):
        for n, step in enumerate(steps):
            yield {
                "flow": "e_flow",
                "step": f"e step {step}",
                "position": int(step) if step != "4" else None,
                "user_id": who,
                "account_id": account,
                "completed_at": START + DAY * n * 2,
            }
    for n, step in enumerate("ba"):
        row = {"flow": "e_plain", "step": step, "user_id": "e_both", "position": None}
        yield {**row, "account_id": "e_big", "completed_at": MIDNIGHT + HOUR * n}


def _items() -> Iterator[Row]:
    """Trials of every kind; the price is a hundred a month."""

    def item(n: int, name: str, since: int, until: int | None, **more: Any) -> Row:
        return {
            "subscription_id": f"e_sub{n}",
            "account_id": f"e_trial{n}",
            "item_id": name,
            "unit_amount": Decimal(100),
            "currency": "EUR",
            "valid_from": START + DAY * since,
            "valid_to": START + DAY * until if until is not None else None,
            **more,
        }

    trial = {"is_trial": True}
    yield item(0, "a", 0, 30, **trial)
    yield item(0, "b", 30, 40)
    yield item(1, "a", 0, 20, **trial)
    yield item(1, "a2", 20, 45, **trial)  # an extension keeps the first start
    yield item(1, "b", 45, 50)
    yield item(2, "a", 0, None, unit_amount=Decimal(0))  # a free plan
    yield item(2, "b", 80, 90)
    yield item(3, "a", 0, 10, **trial)  # paid before
    yield item(3, "b", -20, -10)
    yield item(4, "a", 0, 10, **trial)  # bought at once
    yield item(4, "b", 0, 20)
    yield item(5, "a", 0, 5, status="trialing", is_trial=None)
    yield item(5, "b", 5, 60)
    yield item(6, "a", 0, 5, **trial)
    yield item(6, "b", 5, 60)
    yield item(11, "a", 0, 5, **trial)


def _payments() -> Iterator[Row]:
    """Account 5 got everything back in time, 6 only a part, 0 too late."""
    for n, day, amount, kind, currency in (
        (0, 30, 100, "recurring", "EUR"),
        (0, 61, 100, "refund", "EUR"),
        (5, 5, 100, "recurring", "EUR"),
        (5, 6, 20, None, "USD"),
        (5, 35, 100, "refund", "EUR"),
        (5, 7, 20, "refund", "USD"),
        (6, 5, 100, "recurring", "EUR"),
        (6, 6, 100, "refund", "USD"),
        (6, 6, 50, "refund", "EUR"),
    ):
        yield {
            "payment_id": f"e_pay{n}-{day}-{kind}-{currency}",
            "account_id": f"e_trial{n}",
            "paid_at": START + DAY * day,
            "amount": Decimal(amount),
            "kind": kind,
            "currency": currency,
        }


def _snapshots() -> Iterator[Row]:
    """Every week, sometimes computed twice; one account loses its score."""
    for week in range(20):
        day = date(2026, 1, 4) + DAY * 7 * week
        for n, account in enumerate(ACCOUNTS):
            for again in range(2 if week % 3 == 0 else 1):
                score = float((week * 7 + n * 31 + again * 13) % 101)
                known = not (account == "e_small" and week % 5 == 4)
                color = ("red", "orange", "yellow", "green")[
                    (score >= 40) + (score >= 60) + (score >= 80)
                ]
                yield {
                    "account_id": account,
                    "date": day,
                    "score": score / 3 if known else None,
                    "color": color if known else None,
                    "status": "ok" if known else "insufficient",
                    "mrr_e4": (1_000_000, 333_333, None, 5_000_000)[n],
                    "computed_at": START + DAY * week * 7 + HOUR * again,
                }
