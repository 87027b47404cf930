"""Ready-made playbooks: a draft to begin with, for each situation of a team."""

from __future__ import annotations

from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


def _is(field: str, *values: str) -> dict[str, Any]:
    return {"field": field, "op": "is", "value": list(values)}


def _row(field: str, op: str, value: float) -> dict[str, Any]:
    return {"field": field, "op": op, "value": value}


_CUSTOMER = _is("state", "paying")
_RISKY = _is("health_color", "red", "orange")
_GREEN = {"condition": _is("health_color", "green"), "after_days": 60}


def _all(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"all": [_CUSTOMER, *rows]}


def _task(title: Text, days: int, **more: Any) -> dict[str, Any]:
    return {"do": "task", "title": title, "due_days": days, **more}


READY: Final[dict[str, dict[str, Any]]] = {
    "usage_dip": {
        "name": _("Usage dip before renewal"),
        "situation": "risk",
        "description": _("Usage falls, and the renewal is near enough to matter."),
        "when": {
            "trigger": "matches",
            "condition": _all(
                _RISKY,
                _row("active_users_change", "fell_by", 0.2),
                _row("renewal", "within", 120),
            ),
        },
        "limits": {
            "after_days": 2,
            "again_after_days": 60,
            "owner_week": 5,
            "hold_out": 10,
        },
        "steps": [
            _task(
                _("Call the main contact"),
                2,
                priority="high",
                notes=_("Find out what changed: who stopped, and why."),
            ),
            {"do": "wait", "days": 7},
            {
                "do": "branch",
                "if": _row("active_users_change", "fell_by", 0.1),
                "then": [
                    _task(_("Book a review with whoever decides"), 5),
                    _task(_("Tell the head of customer success"), 1, who="manager"),
                ],
            },
        ],
        "ends": _GREEN,
    },
    "health_shift": {
        "name": _("Health turned red"),
        "situation": "risk",
        "description": _("Every account that turns red is looked at by a person."),
        "when": {"trigger": "enters", "condition": _all(_is("health_color", "red"))},
        "limits": {"after_days": 2, "again_after_days": 30},
        "steps": [
            _task(
                _("Look at why the health is red, and say what you will do"),
                1,
                priority="high",
                checklist=[
                    _("Read the breakdown of the score"),
                    _("Read the last tickets"),
                    _("Write a note"),
                ],
            ),
            {"do": "wait", "days": 14},
            _task(_("Has it helped? Decide what comes next"), 2),
        ],
        "ends": _GREEN,
    },
    "low_adoption": {
        "name": _("Low adoption"),
        "situation": "adoption",
        "description": _("Seats are paid for and hardly used."),
        "when": {
            "trigger": "matches",
            "condition": _all(
                _row("license_use", "less_than", 0.4),
                _row("seats", "at_least", 5),
                {"field": "customer_since", "op": "not_within", "value": 60},
            ),
        },
        "limits": {
            "after_days": 7,
            "again_after_days": 90,
            "owner_week": 5,
            "hold_out": 10,
        },
        "steps": [
            {
                "do": "email",
                "to": "contact",
                "subject": _("Getting more out of your seats"),
                "text": _(
                    "Hello,\n\n{users} of your {seats} seats are in use. Would a short "
                    "training for the others help? I have time this week."
                ),
            },
            {"do": "wait", "days": 10, "until": _row("license_use", "at_least", 0.5)},
            {
                "do": "branch",
                "if": _row("license_use", "less_than", 0.5),
                "then": [_task(_("Offer a training to the team"), 3)],
            },
        ],
        "ends": {"condition": _row("license_use", "at_least", 0.6), "after_days": 60},
    },
    "expansion": {
        "name": _("Ready to expand"),
        "situation": "expansion",
        "description": _("Nearly all seats are used, and the account is well."),
        "when": {
            "trigger": "matches",
            "condition": _all(
                _row("license_use", "at_least", 0.9),
                _row("seats", "at_least", 4),
                _is("health_color", "green", "yellow"),
            ),
        },
        "limits": {"after_days": 7, "again_after_days": 120, "owner_week": 5},
        "steps": [
            _task(
                _("Talk about more seats"),
                5,
                notes=_("{users} people use {seats} seats."),
            )
        ],
        "ends": {"after_days": 30},
    },
    "renewal": {
        "name": _("Renewal ahead"),
        "situation": "renewal",
        "description": _("From 90 days before the renewal on, step by step."),
        "when": {"trigger": "enters", "condition": _all(_row("renewal", "within", 90))},
        "limits": {"again_after_days": 200},
        "steps": [
            _task(
                _("Check what was promised and what came of it"),
                7,
                checklist=[
                    _("Goals and outcomes"),
                    _("Usage and seats"),
                    _("Open tickets"),
                    _("Who decides now"),
                ],
            ),
            {"do": "wait", "days": 30},
            {
                "do": "branch",
                "if": _RISKY,
                "then": [
                    _task(
                        _("Agree on a rescue plan with the head"), 3, priority="urgent"
                    )
                ],
                "else": [_task(_("Send the renewal offer"), 7)],
            },
            {"do": "wait", "days": 30},
            _task(_("Get the signature"), 7, priority="high"),
        ],
        "ends": {
            "condition": {"not": _row("renewal", "within", 100)},
            "after_days": 100,
        },
    },
    "onboarding": {
        "name": _("Onboarding help"),
        "situation": "onboarding",
        "description": _("A new customer whose people hardly come."),
        "when": {
            "trigger": "matches",
            "condition": _all(
                {"field": "customer_since", "op": "within", "value": 45},
                _row("active_users", "at_most", 1),
            ),
        },
        "limits": {"after_days": 7, "most": 1},
        "steps": [
            _task(_("Ask what is in the way of the start"), 2, priority="high"),
            {"do": "wait", "days": 7, "until": _row("active_users", "at_least", 3)},
            {
                "do": "branch",
                "if": _row("active_users", "less_than", 3),
                "then": [_task(_("Set up the product together"), 3)],
            },
        ],
        "ends": {"condition": _row("active_users", "at_least", 5), "after_days": 45},
    },
    "reengagement": {
        "name": _("Nobody comes any more"),
        "situation": "reengagement",
        "description": _("Nobody has logged in for two weeks."),
        "when": {
            "trigger": "matches",
            "condition": _all({"field": "last_seen", "op": "not_within", "value": 14}),
        },
        "limits": {"again_after_days": 45, "owner_week": 5, "hold_out": 10},
        "steps": [
            {
                "do": "email",
                "to": "contact",
                "subject": _("We miss you at {account}"),
                "text": _(
                    "Hello,\n\nnobody of your team has been in lately. Is something "
                    "in the way that we can help with?"
                ),
            },
            {
                "do": "wait",
                "days": 5,
                "until": {"field": "last_seen", "op": "within", "value": 3},
            },
            {
                "do": "branch",
                "if": {"field": "last_seen", "op": "not_within", "value": 7},
                "then": [_task(_("Call: nobody comes any more"), 1, priority="high")],
            },
        ],
        "ends": {
            "condition": {"field": "last_seen", "op": "within", "value": 2},
            "after_days": 30,
        },
    },
    "education": {
        "name": _("Education: what the power users do"),
        "situation": "education",
        "description": _("Three mails over three weeks for accounts that use little."),
        "when": {
            "trigger": "enters",
            "condition": _all(
                _is("health_color", "yellow"), _row("license_use", "at_least", 0.3)
            ),
        },
        "limits": {"after_days": 3, "again_after_days": 180, "hold_out": 20},
        "steps": [
            {
                "do": "email",
                "to": "contact",
                "subject": _("A first thing to try"),
                "text": _("Hello,\n\nhere is what teams like yours begin with."),
            },
            {"do": "wait", "days": 7},
            {
                "do": "email",
                "to": "contact",
                "subject": _("A second thing to try"),
                "text": _("Hello,\n\nthis saves most teams an hour a week."),
            },
            {"do": "wait", "days": 7},
            {
                "do": "email",
                "to": "contact",
                "subject": _("How is it going?"),
                "text": _(
                    "Hello,\n\ndid it help? Ten minutes of your time would help us."
                ),
            },
        ],
        "ends": _GREEN,
    },
}


def document(key: str) -> dict[str, Any]:
    """A ready-made playbook in the language of who asks."""
    return {name: _told(value) for name, value in READY[key].items()}


def _told(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _told(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_told(each) for each in value]
    return str(value) if isinstance(value, Promise) else value
