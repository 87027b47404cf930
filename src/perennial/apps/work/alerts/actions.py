"""Verbs of alerts: open and close them as the rules say, and what people do to one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.team.roles import Role
from perennial.apps.work.alerts import watch
from perennial.apps.work.alerts.rules import BY_KEY, INCIDENT
from perennial.apps.work.alerts.watch import Found
from perennial.apps.work.models import Alert, Priority, RuleSetting
from perennial.core.errors import BadValue
from perennial.lake import incidents
from perennial.lake.workspace import Workspace as Lake

#: A rule that held again so soon after its alert was closed opens no new one (H04).
REST_DAYS = 14
#: New alerts a person is told of a day; the others are opened quietly.
BUDGET = 10
#: No alert sleeps longer.
MOST_DAYS = 90

Key = tuple[str, str]


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation changed."""

    opened: int = 0
    closed: int = 0
    woken: int = 0


def settings_of(workspace: Workspace) -> Mapping[str, tuple[bool, float | None]]:
    every = workspace.alert_rules.values_list("rule", "is_on", "threshold")
    return {rule: (is_on, threshold) for rule, is_on, threshold in every}


def evaluate(workspace: Workspace) -> Evaluated:
    """Alerts as the newest measures say; run again it changes nothing.

    Where events of the whole workspace are missing nothing is opened or closed but
    one alert that says so: tracking broke, not the customers.
    """
    lake = lake_of(workspace)
    broken = incidents.of_yesterday(lake)
    if broken is not None:
        return _open_incident(workspace, lake, broken)
    found = watch.find(workspace, watch.chosen(settings_of(workspace)))
    return _bring_up_to_date(workspace, lake, found)


@transaction.atomic
def _bring_up_to_date(
    workspace: Workspace, lake: Lake, found: Sequence[Found]
) -> Evaluated:
    now, today = lake.now, lake.today
    holding = {(f.account_id, f.rule): f for f in found}
    known = {
        (alert.account_id, alert.rule): alert
        for alert in workspace.alerts.exclude(state=Alert.State.CLOSED)
    }
    over = [alert for key, alert in known.items() if key not in holding]
    _close(over, now)
    kept = [(known[key], f) for key, f in holding.items() if key in known]
    woken = _renew(kept, today)
    resting = _closed_lately(workspace, now)
    new = [f for key, f in holding.items() if key not in known and key not in resting]
    _open(workspace, new, now, today)
    return Evaluated(opened=len(new), closed=len(over), woken=woken)


def _closed_lately(workspace: Workspace, now: datetime) -> set[Key]:
    since = now - timedelta(days=REST_DAYS)
    closed = workspace.alerts.filter(state=Alert.State.CLOSED, closed_at__gt=since)
    return set(closed.values_list("account_id", "rule"))


def _close(alerts: Iterable[Alert], now: datetime) -> None:
    ids = [alert.pk for alert in alerts]
    for start in range(0, len(ids), 500):
        chunk = Alert.objects.filter(pk__in=ids[start : start + 500])
        chunk.update(state=Alert.State.CLOSED, closed_at=now)


def _renew(kept: Sequence[tuple[Alert, Found]], today: date) -> int:
    """New numbers for alerts that still hold; those that slept enough wake up.

    Only what the rules say is written: what a person does meanwhile stays.
    """
    changed = []
    for alert, found in kept:
        told = (alert.facts, alert.priority, alert.owner_email)
        now = (dict(found.facts), found.priority, found.owner_email)
        if told != now:
            alert.facts, alert.priority, alert.owner_email = now
            changed.append(alert)
    names = ["facts", "priority", "owner_email"]
    Alert.objects.bulk_update(changed, names, batch_size=200)
    ids = [alert.pk for alert, _found in kept]
    asleep = Alert.objects.filter(state=Alert.State.SNOOZED, snoozed_until__lte=today)
    slept = set(asleep.values_list("pk", flat=True)) & set(ids)
    return Alert.objects.filter(pk__in=slept).update(
        state=Alert.State.OPEN, snoozed_until=None
    )


def _open(
    workspace: Workspace, new: Sequence[Found], now: datetime, today: date
) -> None:
    """The most urgent first: whoever is beyond a person's budget comes quietly."""
    told: Counter[str] = Counter(
        workspace.alerts.filter(opened_on=today, is_quiet=False).values_list(
            "owner_email", flat=True
        )
    )
    rows = []
    for found in new:
        is_quiet = told[found.owner_email] >= BUDGET
        told[found.owner_email] += not is_quiet
        rows.append(
            Alert(
                workspace=workspace,
                account_id=found.account_id,
                rule=found.rule,
                priority=found.priority,
                facts=dict(found.facts),
                owner_email=found.owner_email,
                is_quiet=is_quiet,
                opened_on=today,
                opened_at=now,
            )
        )
    # Someone else may evaluate at the same moment: the first one wins.
    Alert.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


@transaction.atomic
def _open_incident(
    workspace: Workspace, lake: Lake, found: Mapping[str, Any]
) -> Evaluated:
    facts = {"events": found["events"], "expected": found["expected"]}
    _alert, is_new = Alert.objects.exclude(state=Alert.State.CLOSED).get_or_create(
        workspace=workspace,
        account_id="",
        rule=INCIDENT,
        defaults={
            "priority": Priority.URGENT,
            "facts": facts,
            "opened_on": lake.today,
            "opened_at": lake.now,
            "state": Alert.State.OPEN,
        },
    )
    return Evaluated(opened=int(is_new))


# --- what people do ----------------------------------------------------------


@transaction.atomic
def acknowledge(alert: Alert, by: Membership) -> None:
    """Somebody knows, and does something about it."""
    must_cover(by, Role.MEMBER)
    _set(alert, by, Alert.State.ACKNOWLEDGED)
    record(
        by.workspace, by.user, "alert.acknowledged", alert.account_id, rule=alert.rule
    )


@transaction.atomic
def snooze(alert: Alert, by: Membership, *, until: date, reason: str) -> None:
    """Not before a day, because of a reason; it wakes up if it still holds then."""
    must_cover(by, Role.MEMBER)
    today = lake_of(by.workspace).today
    if not reason.strip():
        raise BadValue(_("Say why: others will wonder."))
    if not today < until <= today + timedelta(days=MOST_DAYS):
        raise BadValue(_("An alert sleeps for at most 90 days."))
    note = reason.strip()
    _set(alert, by, Alert.State.SNOOZED, snoozed_until=until, note=note)
    said = {"rule": alert.rule, "until": until.isoformat(), "reason": alert.note}
    record(by.workspace, by.user, "alert.snoozed", alert.account_id, **said)


@transaction.atomic
def close(alert: Alert, by: Membership) -> None:
    """Over, in the eyes of a person; the same rule stays silent for two weeks."""
    must_cover(by, Role.MEMBER)
    _set(alert, by, Alert.State.CLOSED, closed_at=lake_of(by.workspace).now)
    record(by.workspace, by.user, "alert.closed", alert.account_id, rule=alert.rule)


def _set(
    alert: Alert, by: Membership, state: Alert.State, **more: date | datetime | str
) -> None:
    """Raises `BadValue` where it closed meanwhile."""
    active = Alert.objects.filter(pk=alert.pk).exclude(state=Alert.State.CLOSED)
    if not active.update(state=state, by=by.user, **more):
        raise BadValue(_("It is closed already."))
    alert.refresh_from_db()


@transaction.atomic
def judge(alert: Alert, by: Membership, *, is_useful: bool) -> None:
    """Was it good to be told? Rules are judged by it."""
    must_cover(by, Role.MEMBER)
    alert.is_useful = is_useful
    alert.save(update_fields=["is_useful"])


@transaction.atomic
def set_rule(
    by: Membership, rule: str, *, is_on: bool, threshold: float | None
) -> RuleSetting:
    """Turn a rule on or off, or give it another threshold; admins do that."""
    must_cover(by, Role.ADMIN)
    known = BY_KEY[rule]
    if threshold is not None and not _fits(known.kind, threshold):
        raise BadValue(_("This threshold is out of range."))
    setting, _new = RuleSetting.objects.update_or_create(
        workspace=by.workspace,
        rule=rule,
        defaults={
            "is_on": is_on,
            "threshold": threshold if known.threshold is not None else None,
        },
    )
    number = str(setting.threshold)
    record(
        by.workspace, by.user, "alert.rule_changed", rule, on=is_on, threshold=number
    )
    return setting


_RANGES = {"days": (0, 365), "share": (0, 1), "points": (0, 10), "count": (1, 100)}


def _fits(kind: str, threshold: float) -> bool:
    least, most = _RANGES[kind]
    return least <= threshold <= most
