"""Every table of the lake, declared once.

Import, validation, storage, Ibis schemas and the generated reference all read
these declarations. To add a fact table, add one to the module of `facts` it fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from perennial.lake.tables import records, rollups
from perennial.lake.tables.declared import MONTH, PROPERTIES, TRAITS_AT, Column, Table
from perennial.lake.tables.facts import growth, money, voice, who

__all__ = [
    "DATED",
    "FACTS",
    "MONTH",
    "PROPERTIES",
    "RECORDS",
    "ROLLUPS",
    "TABLES",
    "TRAITS_AT",
    "Column",
    "Table",
]


def _by_name(*tables: Iterable[Table]) -> Mapping[str, Table]:
    return {table.name: table for some in tables for table in some}


FACTS = _by_name(who.TABLES, money.TABLES, voice.TABLES, growth.TABLES)
ROLLUPS = _by_name(rollups.TABLES)
RECORDS = _by_name(records.TABLES)
TABLES: Mapping[str, Table] = {**FACTS, **ROLLUPS, **RECORDS}

#: The column that says when a row holds from: a table knows nothing before its first.
DATED: Mapping[str, str] = {
    "user_days": "date",
    "presence": "date",
    "feature_days": "date",
    "sessions": "date",
    "account_days": "date",
    "request_days": "date",
    "definition_days": "date",
    "mrr_ledger": "date_from",
    "seat_ledger": "date_from",
    "contracts": "term_start",
    "costs": "month",
    "emails": "sent_at",
    "events": "timestamp",
    "goals": "due_on",
    "health_snapshots": "date",
    "incidents": "starts_at",
    "lead_stages": "entered_at",
    "leads": "created_at",
    "onboarding_steps": "completed_at",
    "payments": "paid_at",
    "requests": "at",
    "subscription_items": "valid_from",
    "survey_invites": "invited_at",
    "survey_responses": "answered_at",
    "tickets": "opened_at",
    "touchpoints": "at",
    "notes": "at",
}
assert set(DATED) <= set(TABLES)
