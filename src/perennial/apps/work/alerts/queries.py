"""Alerts as the screen asks for them: whose, in which state, by account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise

from perennial.apps.customers import queries as customers
from perennial.apps.customers import wording
from perennial.apps.customers.account import Account
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.work.alerts import words
from perennial.apps.work.alerts.rules import RULES, Rule
from perennial.apps.work.models import Alert, Priority
from perennial.ui.formats import Regional

#: Facts of an alert that name people, or that somebody wrote.
WRITTEN = ("champion", "goal")
#: Alerts read for one page.
MOST = 300
_SHOWN: Mapping[str, Q] = {
    "open": Q(state=Alert.State.OPEN),
    "seen": Q(state=Alert.State.ACKNOWLEDGED),
    "snoozed": Q(state=Alert.State.SNOOZED),
    "closed": Q(state=Alert.State.CLOSED),
}


@dataclass(frozen=True)
class Asked:
    who: str = "mine"
    show: str = "open"
    rule: str = ""
    all: str = ""

    def url(self, **changes: str) -> str:
        changed = replace(self, **changes)
        pairs = vars(changed).items()
        return f"?{urlencode([(n, v) for n, v in pairs if v != getattr(Asked(), n)])}"


def parse(query: QueryDict, default: str) -> Asked:
    who, show, rule = (query.get(n, "") for n in ("who", "show", "rule"))
    return Asked(
        who=who if who in {"mine", "team"} else default,
        show=show if show in _SHOWN else "open",
        rule=rule if any(r.key == rule for r in RULES) else "",
        all="1" if query.get("all") else "",
    )


@dataclass(frozen=True)
class Line:
    """One alert in words."""

    alert: Alert
    title: str
    sentence: str
    priority: str | Promise


@dataclass(frozen=True)
class Group:
    """The alerts of one account, the most urgent first."""

    account_id: str
    account: Account | None
    lines: list[Line]


def asked_for(workspace: Workspace, email: str, asked: Asked) -> QuerySet[Alert]:
    found = workspace.alerts.filter(_SHOWN[asked.show])
    if asked.who == "mine":
        found = found.filter(Q(owner_email=email.lower()) | Q(account_id=""))
    if asked.rule:
        found = found.filter(rule=asked.rule)
    if asked.show == "open" and not asked.all:
        found = found.filter(is_quiet=False)
    return found


def quiet(workspace: Workspace, email: str, asked: Asked) -> int:
    """Open alerts beyond the budget, that a page leaves out until asked."""
    every = asked_for(workspace, email, replace(asked, all="1"))
    return every.filter(is_quiet=True).count() if asked.show == "open" else 0


def groups(
    by: Membership, found: QuerySet[Alert], regional: Regional, today: date
) -> list[Group]:
    """By account: the one with the most urgent alert first, then the largest."""
    alerts = _as_read(by, found.order_by("priority", "-opened_at", "pk")[:MOST])
    ids = tuple(sorted({a.account_id for a in alerts if a.account_id}))
    known = customers.some(by.workspace, ids)
    lines: dict[str, list[Line]] = {}
    for alert in alerts:
        lines.setdefault(alert.account_id, []).append(line(alert, regional, today))
    made = [Group(i, known.get(i), some) for i, some in lines.items()]
    return sorted(made, key=_urgency)


def _urgency(group: Group) -> tuple[int, Decimal, str]:
    mrr = group.account.mrr if group.account else Decimal(0)
    return (min(x.alert.priority for x in group.lines), -mrr, group.account_id)


def _as_read(by: Membership, found: Iterable[Alert]) -> list[Alert]:
    """Alerts as a member may read them: not to be saved."""
    alerts = list(found)
    if not wording.reads_all(by):
        told = [(a.account_id, of) for a in alerts for of in (vars(a), a.facts)]
        wording.hide_in(by.workspace, told, "note", *WRITTEN)
    return alerts


def line(alert: Alert, regional: Regional, today: date) -> Line:
    said = words.sentence(alert.rule, alert.facts, regional, today)
    label = Priority(alert.priority).label
    return Line(alert, words.title(alert.rule), said, label)


def of_account(
    by: Membership, account_id: str, regional: Regional, today: date
) -> Sequence[Line]:
    """What is not closed, of one account."""
    found = by.workspace.alerts.filter(account_id=account_id).exclude(
        state=Alert.State.CLOSED
    )
    alerts = _as_read(by, found.order_by("priority", "pk"))
    return [line(alert, regional, today) for alert in alerts]


@dataclass(frozen=True)
class RuleLine:
    """A rule, how it is set, and what people made of its alerts."""

    rule: Rule
    is_on: bool
    threshold: float | None
    open: int
    judged: int
    useful: int


def rules(
    workspace: Workspace, settings: Mapping[str, tuple[bool, float | None]]
) -> list[RuleLine]:
    counted = {
        row["rule"]: row
        for row in workspace.alerts.values("rule").annotate(
            open=Count("pk", filter=~Q(state=Alert.State.CLOSED)),
            judged=Count("pk", filter=Q(is_useful__isnull=False)),
            useful=Count("pk", filter=Q(is_useful=True)),
        )
    }
    made = []
    for rule in RULES:
        is_on, threshold = settings.get(rule.key, (rule.is_on, None))
        row = counted.get(rule.key, {"open": 0, "judged": 0, "useful": 0})
        made.append(
            RuleLine(
                rule,
                is_on,
                rule.threshold if threshold is None else threshold,
                row["open"],
                row["judged"],
                row["useful"],
            )
        )
    return made
