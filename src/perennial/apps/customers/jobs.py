"""Background work on customers."""

from __future__ import annotations

from perennial.apps.customers import home, queries, stage_rules, today
from perennial.apps.jobs.registry import Report
from perennial.apps.team.models import Workspace


def follow_rules(workspace: str, report: Report) -> None:
    """Accounts get the stages whose rules they meet; done twice, it changes nothing."""
    stage_rules.follow(Workspace.objects.get(key=workspace))


def warm_home(workspace: str, report: Report) -> None:
    """Home of every member, computed before anybody comes: theirs, or the team's."""
    where = Workspace.objects.get(key=workspace)
    book = queries.book(where)
    if book is None or not book.customers:
        return
    members = list(
        where.memberships.filter(user__is_active=True).select_related("user")
    )
    for done, member in enumerate(members, start=1):
        email = member.user.email
        owner, reader = email if book.owns(email) else "", book.reader(email)
        today.needed(where, reader, owner, today.SHOWN)
        today.changes(where, reader, owner)
        home.summary(where, book.as_of, owner)
        report(done / len(members), email)
