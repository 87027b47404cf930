"""A vendor whose customers decide every year: those who use reports stay.

120 accounts, decisions from May 2025 to April 2026. Use is given by week; of stayers
20 reports a month, of leavers 4, but of one in six it is the other way round; everybody
writes 40 comments. Leavers cancel a subscription in the product, and all log in, which
says nothing.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from tests.builders import Case

ACCOUNTS = 120
LAST = date(2026, 4, 30)
NOW = "2026-06-01T06:00"
FIRST = date(2024, 4, 1)


def fates(seed: int = 3) -> list[tuple[str, date, bool, float]]:
    """Account, the day its first year ended, whether it stayed, reports a month."""
    random = np.random.default_rng(seed)
    found = []
    for n in range(ACCOUNTS):
        stays = n % 3 != 0
        is_typical = random.random() > 1 / 6
        middle = 20 if stays is is_typical else 4
        level = middle * float(np.exp(0.5 * random.normal()))
        end = LAST - timedelta(days=int(3 * (ACCOUNTS - n)))
        found.append((f"a{n:03d}", end, stays, level))
    return found


def build(path: Path, *, now: str = NOW) -> Case:
    # So few decisions cannot show how well a model is calibrated.
    case = Case(path, now=now, currency="EUR", ece_max=0.3)
    known = fates()
    case.facts(
        "accounts",
        *(
            {"account_id": a, "segment": "Large" if n % 2 else "Small", "plan": "pro"}
            for n, (a, *_) in enumerate(known)
        ),
    )
    case.facts("features", {"feature_id": "reports", "name": "Reports", "is_key": True})
    case.facts(
        "event_definitions",
        {"name": "Logged In", "kind": "login"},
        {"name": "Invoice Viewed", "kind": "billing"},
    )
    case.facts("seat_contracts", *({"account_id": a, "seats": 5} for a, *_ in known))
    case.facts("contracts", *(row for fate in known for row in _contracts(*fate[:3])))
    case.facts("subscription_items", *(_item(*fate[:3]) for fate in known))
    case.facts("usage", *(row for fate in known for row in _usage(*fate)))
    case.roll_up()
    return case


def year_before(day: date) -> date:
    return day.replace(year=day.year - 1)


def _contracts(account: str, end: date, stays: bool) -> list[dict[str, Any]]:
    first = {
        "account_id": account,
        "term_start": year_before(end),
        "term_end": end,
        "acv": Decimal(1200),
        "outcome": "renewed" if stays else "cancelled",
    }
    after = {**first, "term_start": end, "term_end": end.replace(year=end.year + 1)}
    return [first, {**after, "outcome": "pending"}] if stays else [first]


def _item(account: str, end: date, stays: bool) -> dict[str, Any]:
    return {
        "subscription_id": account,
        "account_id": account,
        "item_id": "",
        "mrr": Decimal(100),
        "valid_from": year_before(end).isoformat(),
        "valid_to": None if stays else end.isoformat(),
    }


def _usage(account: str, end: date, stays: bool, level: float) -> list[dict[str, Any]]:
    """Weekly use, on one day a week by one user, until the account leaves."""
    random = np.random.default_rng(int(account[1:]))
    until = date(2026, 5, 31) if stays else end
    rows = []
    day = max(year_before(end), FIRST)
    while day < until:
        for feature, monthly in (("reports", level), ("comments", 40.0)):
            uses = int(random.poisson(monthly * 7 / 30.4))
            rows.append(_used(account, day, feature, uses))
        if not stays and (end - day).days < 45:
            rows.append(_used(account, day, "Subscription Canceled", 3))
        day += timedelta(days=7)
    return [row for row in rows if row["uses"]]


def _used(account: str, day: date, feature: str, uses: int) -> dict[str, Any]:
    return {
        "account_id": account,
        "user_id": f"{account}-u",
        "feature_id": feature,
        "date": day,
        "uses": uses,
        "seconds": 600,
    }
