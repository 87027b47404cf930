"""Facts about who pays what, as short as tests want to say them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

#: MRR and the days it holds, `[from, to)`; an empty end is open.
Level = tuple[float | int, str, str]


def items(account: str, *levels: Level, **more: Any) -> list[dict[str, Any]]:
    """Subscription items of an account, one a level."""
    return [
        {
            "subscription_id": f"s-{account}",
            "account_id": account,
            "item_id": str(nth),
            "mrr": Decimal(str(mrr)),
            "valid_from": f"{since}T00:00",
            "valid_to": f"{until}T00:00" if until else None,
            **more,
        }
        for nth, (mrr, since, until) in enumerate(levels)
    ]


def moved(
    account: str, before: float, after: float, on: str, *, since: str = "2025-06-01"
) -> list[dict[str, Any]]:
    """Items of an account whose MRR changes once; 0 stands for none."""
    levels = [(before, since, on), (after, on, "")]
    return items(account, *(level for level in levels if level[0]))


def segment(name: str, accounts: Iterable[str]) -> list[dict[str, Any]]:
    return [{"account_id": account, "segment": name} for account in accounts]
