"""The load of each person: accounts, money, health, overdue work, touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from perennial.apps.customers import home, queries
from perennial.apps.customers.home import STATES, Summary
from perennial.apps.customers.kept import kept
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.work.models import Absence, Alert
from perennial.apps.work.tasks import queries as tasks
from perennial.core.windows import day_start
from perennial.lake.workspace import Workspace as Lake

#: Days that touches are counted over.
DAYS = 28
#: Without a limit, so many times the mean of the team is too much for one.
MUCH = 1.5


@dataclass(frozen=True)
class Touches:
    count: int = 0
    minutes: float = 0.0


@dataclass(frozen=True)
class Line:
    """A person who owns accounts or work; `is_much`: more accounts than
    the setting `owner_accounts` allows, or far more than the others."""

    email: str
    name: str
    membership: Membership | None
    summary: Summary
    colors: Sequence[tuple[str, int]]
    open: int
    late: int
    alerts: int
    touches: Touches
    away: Absence | None
    is_much: bool


def lines(workspace: Workspace) -> list[Line]:
    """The people by MRR; owners without a membership too."""
    book = queries.book(workspace)
    if book is None:
        return []
    lake, today = lake_of(workspace), lake_of(workspace).today
    members = {m.user.email: m for m in tasks.workers(workspace)}
    emails = sorted({*members, *(owner.lower() for owner in book.owners)})
    work, alerts = _work(workspace, today), _alerts(workspace)
    touches, away = _touches(lake, book.as_of), absent(workspace, today)
    owned = {e: home.summary(workspace, book.as_of, e) for e in emails}
    holders = [s.total.accounts for s in owned.values() if s.total.accounts]
    mean = sum(holders) / len(holders) if holders else 0
    most = lake.settings.owner_accounts or mean * MUCH
    found = [
        Line(
            email,
            name_of(email, members),
            members.get(email),
            owned[email],
            [(c, owned[email].colors[c].accounts) for c in STATES],
            *work.get(email, (0, 0)),
            alerts.get(email, 0),
            touches.get(email, Touches()),
            away.get(email),
            is_much=owned[email].total.accounts > most,
        )
        for email in emails
    ]
    return sorted(found, key=lambda x: (-x.summary.total.mrr_e4, x.name))


def headline(lines: Sequence[Line]) -> tuple[str, str]:
    """How accounts are spread over people, and who has far more than the others."""
    owners = [line for line in lines if line.summary.total.accounts]
    accounts = sum(line.summary.total.accounts for line in owners)
    lead = ngettext(
        "%(n)s person looks after %(of)s accounts.",
        "%(n)s people look after %(of)s accounts.",
        len(owners),
    ) % {"n": len(owners), "of": accounts}
    much = ", ".join(line.name for line in owners if line.is_much)
    if much:
        return lead, _("More than is good: %(who)s.") % {"who": much}
    return lead, _("Nobody has far more than the others.") if len(owners) > 1 else ""


def owned(workspace: Workspace, email: str) -> list[str]:
    """Ids of the accounts of an owner, in whatever state."""
    table = lake_of(workspace).table("account_measures")
    mine = table.filter(table.owner_email.lower() == email.lower())
    rows = lake_of(workspace).engine.run(mine.select("account_id"))
    return sorted(rows["account_id"].to_list())


@kept("touchpoints", "mrr_ledger", "health_snapshots", size=16)
def attention(lake: Lake) -> Mapping[str, float]:
    """The attention index by color (V03): where there is one."""
    rows = lake.metric("attention_index").rows
    told = rows.filter(rows["value"].is_not_null()).select("color", "value")
    return dict(told.iter_rows())


def name_of(email: str, members: Mapping[str, Membership]) -> str:
    member = members.get(email)
    return member.user.display_name if member else email


def _work(workspace: Workspace, today: date) -> dict[str, tuple[int, int]]:
    """Open tasks, and those of them that are overdue."""
    found = workspace.tasks.filter(state__in=tasks.ACTIVE, owner__isnull=False)
    rows = found.values_list("owner__email").annotate(
        n=Count("pk"), late=Count("pk", filter=Q(due_on__lt=today))
    )
    return {email: (n, late) for email, n, late in rows}


def _alerts(workspace: Workspace) -> dict[str, int]:
    found = workspace.alerts.filter(state=Alert.State.OPEN)
    return dict(found.values_list("owner_email").annotate(n=Count("pk")))


@kept("touchpoints", size=16)
def _touches(lake: Lake, as_of: date) -> Mapping[str, Touches]:
    """Contacts of 28 days by whoever had them, and their minutes."""
    tz = lake.settings.tz
    table = lake.table("touchpoints")
    since, until = (
        ibis.literal(day_start(day, tz)) for day in (as_of - timedelta(DAYS), as_of)
    )
    recent = table.filter((table["at"] >= since) & (table["at"] < until))
    found = recent.group_by(email=recent.staff_email.lower()).agg(
        count=recent.count(), minutes=recent.minutes.sum().fill_null(0)
    )
    return {
        email: Touches(count, float(minutes))
        for email, count, minutes in lake.engine.run(found).iter_rows()
        if email
    }


def absent(workspace: Workspace, day: date) -> dict[str, Absence]:
    """Who is away on a day, by address."""
    found = Absence.objects.filter(
        membership__workspace=workspace, starts_on__lte=day, ends_on__gt=day
    ).select_related("membership__user", "stand_in__user")
    return {absence.membership.user.email: absence for absence in found}
