"""What a condition on accounts may speak of: each field with its words, once.

Screens, documents and predicates read it here. Names with a colon are families:
`attribute:industry`, `feature:reports`, `event:Invoice Failed`, `guide:finished/12`,
`metric:active_days`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "number", "change", "past", "ahead", "choice", "text", "attribute", "count",
    "tags", "member",
]  # fmt: skip
Unit = Literal["", "points", "money", "share", "days"]
Group = Literal["health", "money", "usage", "contact", "account"]

_NUMBERS = ("at_least", "at_most", "more_than", "less_than", "known", "unknown")
_DATES = ("within", "not_within", "before", "from", "known", "unknown")

#: What can be said of a field, by its kind; the first one is offered first.
OPERATORS: Mapping[Kind, tuple[str, ...]] = {
    "number": _NUMBERS,
    "change": ("fell_by", "rose_by"),
    "past": _DATES,
    "ahead": _DATES,
    "choice": ("is", "is_not", "known", "unknown"),
    "text": ("contains", "is", "is_not"),
    "attribute": (
        "is", "is_not", "contains", "at_least", "at_most", "before", "from",
        "known", "unknown",
    ),
    "count": ("at_least", "less_than"),
    "tags": ("is", "is_not"),
    "member": ("is", "is_not"),
}  # fmt: skip

#: Operators in words, as they stand between a field and a value.
OPERATOR_WORDS: Mapping[str, str] = {
    "is": "is",
    "is_not": "is not",
    "contains": "contains",
    "at_least": "is at least",
    "at_most": "is at most",
    "more_than": "is more than",
    "less_than": "is less than",
    "fell_by": "fell by at least",
    "rose_by": "rose by at least",
    "within": "is within",
    "not_within": "is not within",
    "before": "is before",
    "from": "is on or after",
    "known": "is known",
    "unknown": "is not known",
}
#: Operators that need no value.
BARE = frozenset({"known", "unknown"})


@dataclass(frozen=True)
class Field:
    """One thing that is known of every account.

    - `column`: where `account_measures` has it; `before`: what a change is measured
      from, as a share of it where the unit is one.
    - `unit`: shares are 0 to 1, money is in the workspace's currency.
    - `choices`: the closed set of values, where there is one.
    """

    key: str
    title: str
    group: Group
    kind: Kind
    column: str
    unit: Unit = ""
    before: str = ""
    choices: tuple[str, ...] = ()


COLORS = ("red", "orange", "yellow", "green", "none")
STATES = ("paying", "trial", "free", "lead", "paused", "churned", "archived")

_FIELDS = (
    Field("health_color", "Health", "health", "choice", "health_color", choices=COLORS),
    Field("health_score", "Health score", "health", "number", "health_score", "points"),
    Field("health_change", "Health score, 28 days", "health", "change",
          "health_score", "points", before="health_score_28d"),
    Field("renewal_chance", "Chance of renewal", "health", "number",
          "renewal_chance", "share"),
    Field("state", "Status", "money", "choice", "state", choices=STATES),
    Field("mrr", "MRR", "money", "number", "mrr_e4", "money"),
    Field("mrr_change", "MRR, 90 days", "money", "change", "mrr_e4", "share",
          before="mrr_90d_e4"),
    Field("renewal", "Renewal", "money", "ahead", "renewal_on", "days"),
    Field("customer_since", "Customer since", "money", "past", "customer_since", "days"),
    Field("seats", "Seats", "usage", "number", "seats"),
    Field("assigned_users", "Assigned users", "usage", "number", "assigned_users"),
    Field("license_use", "License use", "usage", "number", "license_use", "share"),
    Field("active_users", "Active users", "usage", "number", "active_users"),
    Field("active_users_change", "Active users, 28 days", "usage", "change",
          "active_users", "share", before="active_users_before"),
    Field("sessions_14d", "Sessions, 14 days", "usage", "number", "logins_14d"),
    Field("sessions_change", "Change of sessions, 14 days", "usage", "change",
          "logins_14d", "share", before="logins_14d_before"),
    Field("active_days", "Days with activity", "usage", "count", "active_days"),
    Field("last_seen", "Last seen", "usage", "past", "last_seen_at", "days"),
    Field("last_touch", "Last touch", "contact", "past", "last_touch_at", "days"),
    Field("nps", "Last NPS answer", "contact", "number", "nps_score"),
    Field("open_tickets", "Open tickets", "contact", "number", "open_tickets"),
    Field("urgent_tickets", "Urgent tickets", "contact", "number", "urgent_tickets"),
    Field("name", "Name", "account", "text", "name"),
    Field("owner", "Account owner", "account", "choice", "owner_email"),
    Field("lifecycle_stage", "Stage", "account", "choice", "lifecycle_stage"),
    Field("segment", "Segment (attribute)", "account", "choice", "segment"),
    Field("plan", "Plan", "account", "choice", "plan"),
    Field("country", "Country", "account", "choice", "country"),
    Field("industry", "Industry", "account", "choice", "industry"),
    Field("created", "Created", "account", "past", "created_at", "days"),
    Field("tags", "Tag", "account", "tags", "attribute:tags"),
    Field("member_of", "Member of segment", "account", "member", "member_of"),
)  # fmt: skip

FIELDS: Mapping[str, Field] = {field.key: field for field in _FIELDS}

#: Families: what a name with a colon is, by its first part.
FAMILIES: Mapping[str, tuple[Kind, Group]] = {
    "attribute": ("attribute", "account"),
    "feature": ("count", "usage"),
    "event": ("count", "usage"),
    "guide": ("count", "usage"),
    "metric": ("number", "usage"),
}


def field(key: str) -> Field | None:
    """The field called so; None where there is none."""
    if key in FIELDS:
        return FIELDS[key]
    family, _, name = key.partition(":")
    if family not in FAMILIES or not name.strip():
        return None
    kind, group = FAMILIES[family]
    return Field(key, name, group, kind, key)


def words() -> set[str]:
    """Everything said here to people."""
    return {*(each.title for each in _FIELDS), *OPERATOR_WORDS.values()}
