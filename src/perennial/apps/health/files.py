"""Lists of health as files that spreadsheets open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from django.http import HttpResponse

from perennial.apps.customers.breakdown import Snapshot
from perennial.apps.health.outreach import Row
from perennial.apps.health.preview import Changed
from perennial.apps.health.queries import STATES, Day, Mover
from perennial.ui.files import Cell, download


def states(days: Mapping[date, Day], as_of: date) -> HttpResponse:
    """Customers in each state, and what they pay, by day."""
    lines: list[list[Cell]] = [
        [day, state, found.of(state).accounts, found.of(state).mrr]
        for day, found in days.items()
        for state in STATES
    ]
    head = ("date", "state", "accounts", "mrr")
    return download({}, f"health-{as_of}", head, lines)


def history(stored: Iterable[tuple[date, Snapshot]]) -> HttpResponse:
    """The stored health of an account: a row for each part of each day."""
    lines: list[list[Cell]] = [
        [day, now.score, now.color, now.status, now.coverage, now.version,
         part.name, part.value, part.weight, part.measured, part.contribution]
        for day, now in stored
        for part in now.parts
    ]  # fmt: skip
    head = ("date", "score", "color", "status", "coverage", "version", "part", "value",
            "weight", "measured", "contribution")  # fmt: skip
    return download({}, "health-history", head, lines)


def changed(rows: Iterable[Changed], as_of: date) -> HttpResponse:
    """Customers whose color a draft would change."""
    head = ("account_id", "name", "color", "score", "color_draft", "score_draft", "mrr")
    lines = (
        [row.account.account_id, row.account.name, row.now, row.account.score,
         row.draft, row.score, row.account.mrr]
        for row in rows
    )  # fmt: skip
    return download({}, f"scorecard-draft-{as_of}", head, lines)


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
