"""What a step does for a run: tasks and messages, in the run's own transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import polars as pl

from perennial.apps.customers import queries as customers
from perennial.apps.customers.account import Account
from perennial.apps.customers.scope import rows_of
from perennial.apps.team.models import User
from perennial.apps.team.roles import Role
from perennial.apps.work import outbox
from perennial.apps.work.models import Message, Priority, Run, RunEntry, Task
from perennial.apps.work.playbooks.document import (
    EmailStep,
    PostStep,
    TaskStep,
    Who,
)
from perennial.apps.work.playbooks.runs import Doing
from perennial.core.windows import DAY
from perennial.lake.workspace import Workspace as Lake

_PRIORITIES: Final = {
    "urgent": Priority.URGENT,
    "high": Priority.HIGH,
    "normal": Priority.NORMAL,
    "low": Priority.LOW,
}
#: Days of use that tell who of an account is the one to write to.
_LATELY: Final = 28


def do(run: Run, step: Doing, lake: Lake) -> None:
    """Do the step and write it down. A step that was done already is not done twice:
    tasks and messages are unique by run and step."""
    account = customers.some(run.playbook.workspace, (run.account_id,)).get(
        run.account_id
    )
    if isinstance(step, TaskStep):
        details = _task(run, step, account, lake)
    elif isinstance(step, EmailStep):
        details = _email(run, step, account, lake)
    else:
        details = _post(run, step, account)
    what = "task" if isinstance(step, TaskStep) else "message"
    RunEntry.objects.create(
        run=run, at=lake.now, step=step.id, what=what, details=details
    )


def _task(
    run: Run, step: TaskStep, account: Account | None, lake: Lake
) -> dict[str, str]:
    owner = person(run, step.who, account)
    days = step.due_days
    task, _new = Task.objects.get_or_create(
        run=run,
        step=step.id,
        defaults={
            "workspace": run.playbook.workspace,
            "title": filled(step.title, account)[:200],
            "description": filled(step.notes, account),
            "account_id": run.account_id,
            "owner": owner,
            "due_on": None if days is None else lake.today + timedelta(days=days),
            "priority": _PRIORITIES[step.priority],
            "reason": run.playbook.name,
            "checklist": [{"text": item, "done": False} for item in step.checklist],
        },
    )
    return {"task": str(task.pk), "title": task.title, "owner": str(owner or "")}


def person(run: Run, who: Who, account: Account | None) -> User | None:
    """Who does it: the account's owner, whoever started the run, or an admin."""
    members = run.playbook.workspace.memberships.select_related("user")
    if who == "starter" and run.started_by is not None:
        return run.started_by
    if who == "manager":
        leads = members.filter(role__in=[Role.ADMIN, Role.OWNER]).order_by("pk")
        first = leads.first()
        return first.user if first else None
    email = (account.owner_email or "") if account else run.owner_email
    owner = members.filter(user__email=email.lower()).first() if email else None
    return owner.user if owner else None


def _email(
    run: Run, step: EmailStep, account: Account | None, lake: Lake
) -> dict[str, str]:
    to = {
        "owner": lambda: (account.owner_email or "") if account else "",
        "contact": lambda: contact(lake, run.account_id),
    }.get(step.to, lambda: step.to)()
    message = outbox.write(
        run.playbook.workspace,
        key=f"run:{run.pk}:{step.id}",
        channel=Message.Channel.EMAIL,
        to=to,
        subject=filled(step.subject, account),
        text=filled(step.text, account),
        # Without an address somebody has to fill it in.
        is_draft=step.is_draft or not to,
        run=run,
    )
    return {"message": str(message.pk), "title": message.subject, "to": to}


def _post(run: Run, step: PostStep, account: Account | None) -> dict[str, str]:
    message = outbox.write(
        run.playbook.workspace,
        key=f"run:{run.pk}:{step.id}",
        channel=Message.Channel(step.channel),
        to=step.url,
        subject=run.playbook.name,
        text=filled(step.text, account),
        run=run,
    )
    return {"message": str(message.pk), "title": message.subject}


def filled(text: str, account: Account | None) -> str:
    """A text with the account's facts in place of {account}, {health}, {renewal}."""
    if account is None:
        return text
    facts = {
        "account": account.name or account.account_id,
        "health": "" if account.shown_score is None else str(account.shown_score),
        "renewal": account.renewal_on.isoformat() if account.renewal_on else "",
        "users": str(account.active_users or 0),
        "seats": str(account.seats or 0),
    }
    for name, value in facts.items():
        text = text.replace(f"{{{name}}}", value)
    return text


PLACEHOLDERS: Final = ("account", "health", "renewal", "users", "seats")


def contact(lake: Lake, account_id: str) -> str:
    """The address of the account's user with most active days lately; "": none."""
    seats = lake.engine.run(rows_of(lake, "assignments", account_id))
    ids = seats["user_id"].unique().to_list()
    users = lake.table("users")
    known = lake.engine.run(
        users.filter(users.user_id.isin(ids) & users.email.notnull()).select(
            "user_id", "email"
        )
    )
    days = rows_of(lake, "user_days", account_id)
    recent = days.filter((days.date >= lake.today - DAY * _LATELY) & (days.events > 0))
    active = lake.engine.run(recent.group_by("user_id").agg(days=recent.date.nunique()))
    ranked = known.join(active, "user_id", how="left").sort(
        pl.col("days").fill_null(0), pl.col("email"), descending=[True, False]
    )
    return str(ranked["email"][0]) if len(ranked) else ""
