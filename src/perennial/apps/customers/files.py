"""The list as a CSV file, a line at a time."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal

from perennial.apps.customers.account import Account

#: What spreadsheets take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

COLUMNS = (
    "account_id",
    "name",
    "state",
    "health_score",
    "health_color",
    "health_status",
    "health_score_28d",
    "mrr",
    "renewal_on",
    "days_to_renewal",
    "owner_email",
    "lifecycle_stage",
    "segment",
    "plan",
    "country",
    "industry",
    "last_touch_at",
    "last_seen_at",
    "active_users",
    "seats",
    "license_use",
    "nps_score",
    "open_tickets",
    "urgent_tickets",
    "as_of",
)


class _Line:
    """A file that keeps nothing: `csv` writes into it, and gets the line back."""

    def write(self, value: str) -> str:
        return value


def lines(accounts: Iterable[Account]) -> Iterator[str]:
    writer = csv.writer(_Line())
    yield writer.writerow(COLUMNS)
    for account in accounts:
        yield writer.writerow([_text(_value(account, name)) for name in COLUMNS])


def _value(account: Account, name: str) -> object:
    renamed = {
        "health_score": account.score,
        "health_color": account.color,
        "health_status": account.status,
        "health_score_28d": account.score_28d,
    }
    return renamed[name] if name in renamed else getattr(account, name)


def _text(value: object) -> str:
    """Plain numbers and ISO dates; texts cannot become formulas."""
    if value is None:
        return ""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.4f}".rstrip("0").rstrip(".")
    if isinstance(value, Decimal):
        return f"{value:.4f}"
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text
