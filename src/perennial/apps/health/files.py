"""Lists of health as files that spreadsheets open."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.http import HttpResponse

from perennial.apps.health.outreach import Row
from perennial.apps.health.queries import Mover
from perennial.ui.files import download


def movers(rows: Iterable[Mover], as_of: date) -> HttpResponse:
    """Customers whose color changed in 28 days."""
    head = ("account_id", "name", "color_before", "score_before", "color", "score",
            "part", "points", "scorecard_changed", "mrr")  # fmt: skip
    lines = (
        [
            row.account.account_id,
            row.account.name,
            row.before,
            row.score_before,
            row.account.color,
            row.account.score,
            *(row.moved or ("", None)),
            row.version_changed,
            row.account.mrr,
        ]
        for row in rows
    )
    return download({}, f"health-movers-{as_of}", head, lines)


def outreach(rows: Iterable[Row], as_of: date) -> HttpResponse:
    """Customers in the order to call them."""
    head = ("account_id", "name", "color", "score", "mrr", "renewal_on", "p_renew",
            "value_at_risk", "points_to_green")  # fmt: skip
    lines = (
        [
            row.account.account_id,
            row.account.name,
            row.account.color,
            row.account.score,
            row.account.mrr,
            row.account.renewal_on,
            row.p_renew,
            row.at_risk,
            row.missing,
        ]
        for row in rows
    )
    return download({}, f"whom-to-call-{as_of}", head, lines)
