"""What the demo company sells: plans, features, and the events that tell of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from perennial.demo import truths
from perennial.demo.arrow import records
from perennial.demo.clock import Window


@dataclass(frozen=True)
class Plan:
    """A plan, with its price a seat and month in EUR."""

    name: str
    price: float
    share: tuple[float, float, float]


#: Smallest plan first; `share` by segment, in the order of `truths.SEGMENTS`.
PLANS = (
    Plan("Essential", 39.0, (0.0, 0.08, 0.5)),
    Plan("Professional", 69.0, (0.2, 0.67, 0.45)),
    Plan("Complete", 99.0, (0.8, 0.25, 0.05)),
)


@dataclass(frozen=True)
class Feature:
    """A feature and how much it is used.

    - `plan`: index of the smallest plan that has it.
    - `rate`: uses a month by an account with one active user; `by_users` is the
      exponent of the number of users. The power feature's rate is planted instead.
    - `follows`: exponent by which its use follows the power feature's level.
    - `gated`: only accounts that are engaged enough use it at all.
    - `released`: share of the window that has passed at release; 0 is before it.
    """

    id: str
    name: str
    area: str
    rate: float
    by_users: float = 1.0
    plan: int = 0
    is_key: bool = False
    is_core: bool = False
    follows: float = 0.0
    gated: bool = False
    released: float = 0.0


def _follows(feature: str) -> float:
    return truths.effect("companion_feature", subject=feature)


FEATURES = (
    Feature("work_orders", "Work orders", "Work", 4.5, is_key=True, is_core=True),
    Feature(
        "scheduling_board", "Scheduling board", "Plan", 3.5, is_key=True, is_core=True
    ),
    Feature(
        truths.POWER_FEATURE, "Scheduled reports", "Insight", 1.0, 0.0, is_key=True
    ),
    Feature(
        "mobile_checklists",
        "Mobile checklists",
        "Work",
        2.4,
        0.5,
        is_key=True,
        is_core=True,
        follows=_follows("mobile_checklists"),
        gated=True,
    ),
    Feature(
        "asset_register",
        "Asset register",
        "Assets",
        2.6,
        0.5,
        is_key=True,
        follows=_follows("asset_register"),
        gated=True,
    ),
    Feature(
        "automations",
        "Automations",
        "Plan",
        2.0,
        0.4,
        plan=1,
        is_key=True,
        follows=_follows("automations"),
        gated=True,
    ),
    Feature(
        "budget_planner",
        "Budget planner",
        "Insight",
        1.9,
        0.4,
        plan=1,
        is_key=True,
        gated=True,
    ),
    Feature(
        "supplier_portal",
        "Supplier portal",
        "Assets",
        1.8,
        0.4,
        plan=2,
        is_key=True,
        gated=True,
    ),
    Feature(truths.POPULAR_FEATURE, "Comments", "Work", 6.6, is_core=True),
    Feature("time_tracking", "Time tracking", "Work", 0.5),
    Feature("dashboards", "Dashboards", "Insight", 0.5),
    Feature("exports", "Exports", "Insight", 0.35, plan=0),
    Feature("map_view", "Map view", "Plan", 0.6, released=0.38),
    Feature("route_suggestions", "Route suggestions", "Plan", 0.7, released=0.72),
    Feature(
        truths.UNUSED_FEATURE,
        "Shift templates",
        "Plan",
        truths.effect("unused_feature"),
    ),
)


@dataclass(frozen=True)
class Event:
    """An event name: its feature, its share of that feature's uses, and examples of
    its properties. Without a feature, `share` is uses a month and user."""

    name: str
    feature: str = ""
    share: float = 1.0
    kind: str = "feature"
    properties: tuple[Mapping[str, object], ...] = ()


def _each(key: str, *values: object) -> tuple[Mapping[str, object], ...]:
    return tuple({key: value} for value in values)


LOGIN = Event("Logged In", kind="login", properties=_each("method", "sso", "password"))
HEARTBEAT = Event("Device Synced", kind="system", properties=_each("queue", 0, 1, 4))

#: The name under which assets were registered until the product was changed.
OLD_ASSET_EVENT, NEW_ASSET_EVENT = "Asset Added", "Asset Registered"
#: Share of the window after which the new name is sent.
ASSET_RENAMED = 0.5

_REPORTS = tuple(
    {"format": format_, "frequency": frequency}
    for format_ in ("pdf", "xlsx")
    for frequency in ("daily", "weekly", "monthly")
)

#: Everything a session can hold after its log-in.
EVENTS = (
    Event(
        "Work Order Created", "work_orders", 0.4, properties=_each("priority", 1, 2, 3)
    ),
    Event("Work Order Assigned", "work_orders", 0.35),
    Event(
        "Work Order Completed",
        "work_orders",
        0.25,
        properties=_each("on_time", True, False),
    ),
    Event(
        "Shift Moved", "scheduling_board", 0.6, properties=_each("view", "day", "week")
    ),
    Event("Board Filtered", "scheduling_board", 0.4),
    Event("Report Scheduled", "scheduled_reports", 0.35, properties=_REPORTS),
    Event("Scheduled Report Opened", "scheduled_reports", 0.65, properties=_REPORTS),
    Event(
        "Checklist Completed",
        "mobile_checklists",
        1.0,
        properties=_each("items", 4, 8, 12, 20),
    ),
    Event(
        "Asset Registered",
        "asset_register",
        0.6,
        properties=_each("category", "vehicle", "tool", "pump"),
    ),
    Event("Asset Inspected", "asset_register", 0.4),
    Event("Automation Run Reviewed", "automations", 0.7),
    Event(
        "Automation Created",
        "automations",
        0.3,
        properties=_each("trigger", "status", "date", "form"),
    ),
    Event(
        "Budget Updated",
        "budget_planner",
        1.0,
        properties=_each("amount", 500, 1800, 12000),
    ),
    Event("Supplier Invited", "supplier_portal", 0.3),
    Event("Supplier Quote Compared", "supplier_portal", 0.7),
    Event("Comment Added", "comments", 0.8, properties=_each("length", 20, 60, 180)),
    Event("Mention Sent", "comments", 0.2),
    Event(
        "Time Entry Saved",
        "time_tracking",
        1.0,
        properties=_each("minutes", 15, 30, 60, 240),
    ),
    Event("Dashboard Viewed", "dashboards", 1.0),
    Event("List Exported", "exports", 1.0, properties=_each("format", "csv", "xlsx")),
    Event("Map Opened", "map_view", 1.0),
    Event("Route Suggestion Accepted", "route_suggestions", 1.0),
    Event("Shift Template Applied", "shift_templates", 1.0),
    Event(
        "Page Viewed",
        share=1.1,
        kind="page",
        properties=_each(
            "path", "/board", "/orders", "/reports", "/assets", "/settings"
        ),
    ),
    Event("Help Article Opened", share=0.12, kind="support"),
    Event("Invoice Viewed", share=0.05, kind="billing"),
)

FEATURE_INDEX = {f.id: i for i, f in enumerate(FEATURES)}


def released_day(feature: Feature, window: Window) -> int:
    """First day a feature can be used; before the window for most."""
    return round(feature.released * window.days) if feature.released else -900


def renamed_day(window: Window) -> int:
    """First day on which assets are registered under the new event name."""
    return round(ASSET_RENAMED * window.days)


def properties(event: Event) -> list[str]:
    """Its examples as JSON."""
    return [json.dumps(p, separators=(",", ":")) for p in event.properties]


def features_table(window: Window) -> pa.Table:
    """One row a feature."""
    return records(
        "features",
        [
            {
                "feature_id": f.id,
                "name": f.name,
                "area": f.area,
                "is_key": f.is_key,
                "is_core": f.is_core,
                "released_at": window.at(released_day(f, window)),
            }
            for f in FEATURES
        ],
    )


def definitions_table(window: Window) -> pa.Table:
    """One row an event name and validity; a renamed event has two names."""
    renamed = window.at(renamed_day(window))
    since = window.at(-2000)
    rows = [_definition(event, since) for event in (LOGIN, *EVENTS, HEARTBEAT)]
    for row in rows:
        if row["name"] == NEW_ASSET_EVENT:
            row["valid_from"] = renamed
    old = Event(OLD_ASSET_EVENT, "asset_register")
    return records(
        "event_definitions", [*rows, {**_definition(old, since), "valid_to": renamed}]
    )


def _definition(event: Event, since: object) -> dict[str, object]:
    return {
        "name": event.name,
        "kind": event.kind,
        "feature_id": event.feature or None,
        "counts_as_activity": event.kind != "system",
        "valid_from": since,
    }
