"""What a step makes: a task or a message. The batch of its run writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any, Final, TypeAlias

import polars as pl
from django.utils.translation import gettext as _

from perennial.apps.customers import attributes, details
from perennial.apps.customers import queries as customers
from perennial.apps.customers.account import Account
from perennial.apps.customers.edit_actions import apply_values
from perennial.apps.guides import actions as guides
from perennial.apps.surveys import mailing as surveys
from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.team.roles import Role
from perennial.apps.work import outbox
from perennial.apps.work.crew.queries import absent
from perennial.apps.work.models import (
    Absence,
    Message,
    Playbook,
    Priority,
    Run,
    Task,
)
from perennial.apps.work.playbooks.document import (
    AssignStep,
    EmailStep,
    GuideStep,
    PostStep,
    SetStep,
    SurveyStep,
    TagStep,
    TaskStep,
    Who,
)
from perennial.apps.work.playbooks.owners import Nobody, Owners
from perennial.core.errors import BadValue
from perennial.core.windows import DAY
from perennial.lake.workspace import Workspace as Lake

_PRIORITIES: Final = {
    "urgent": Priority.URGENT,
    "high": Priority.HIGH,
    "normal": Priority.NORMAL,
    "low": Priority.LOW,
}
#: Where sources say what somebody reads.
_SPOKEN: Final = ("language", "locale")
#: Days of use that tell who of an account is the one to write to.
_LATELY: Final = 28
#: What a text may hold, filled in when the step happens.
PLACEHOLDERS: Final = ("account", "health", "renewal", "users", "seats")


class Around:
    """What steps need to know of the accounts of a batch, each asked once."""

    def __init__(self, playbook: Playbook, lake: Lake, ids: Sequence[str]) -> None:
        self.playbook = playbook
        self.lake = lake
        self.ids = tuple(dict.fromkeys(ids))

    @cached_property
    def accounts(self) -> Mapping[str, Account]:
        return customers.some(self.playbook.workspace, self.ids)

    @cached_property
    def members(self) -> Mapping[str, Membership]:
        every = self.playbook.workspace.memberships.select_related("user")
        return {member.user.email: member for member in every.order_by("pk")}

    @cached_property
    def away(self) -> Mapping[str, Absence]:
        return absent(self.playbook.workspace, self.lake.today)

    @cached_property
    def owners(self) -> Owners:
        return Owners(self.lake, self.members, tuple(self.away))

    @cached_property
    def contacts(self) -> Mapping[str, str]:
        """The address of each account's user with most active days lately."""
        lake, ids = self.lake, list(self.ids)
        seats = lake.table("assignments")
        seats = seats.filter(seats.account_id.isin(ids)).select("account_id", "user_id")
        users = lake.table("users")
        named = users.filter(users.email.notnull()).select("user_id", "email")
        days = lake.table("user_days")
        recent = days.filter(
            (days.date >= lake.today - DAY * _LATELY)
            & (days.events > 0)
            & days.account_id.isin(ids)
        )
        active = recent.group_by("account_id", "user_id").agg(
            days=recent.date.nunique()
        )
        known = lake.engine.run(seats.join(named, "user_id").distinct())
        counted = lake.engine.run(active)
        ranked = known.join(counted, ["account_id", "user_id"], how="left").sort(
            pl.col("days").fill_null(0), "email", descending=[True, False]
        )
        first = ranked.unique("account_id", keep="first", maintain_order=True)
        return dict(first.select("account_id", "email").iter_rows())

    @cached_property
    def languages(self) -> Mapping[str, str]:
        """What sources say that contacts read, by address: trait language or locale."""
        table = self.lake.table("users")
        mine = table.filter(table.email.isin(list(self.contacts.values())))
        rows = self.lake.engine.run(mine.select("email", "properties"))
        found = {email.lower(): _spoken(told) for email, told in rows.iter_rows()}
        return {email: language for email, language in found.items() if language}

    @cached_property
    def languages_of_accounts(self) -> Mapping[str, str]:
        """The attribute language, or locale, of each account that has one."""
        table = self.lake.table("account_attributes")
        mine = table.filter(
            table.account_id.isin(list(self.ids)) & table["name"].isin(list(_SPOKEN))
        )
        rows = self.lake.engine.run(mine.select("account_id", "name", "value"))
        # "language" sorts before "locale", and is put in last: it wins.
        ranked = rows.sort("name", descending=True).iter_rows()
        return {account_id: value for account_id, _name, value in ranked if value}


def _spoken(told: str | None) -> str:
    """The language among the traits of a user, as JSON."""
    try:
        traits = json.loads(told or "{}")
    except ValueError:
        return ""
    said = (traits.get(name) for name in _SPOKEN) if isinstance(traits, dict) else ()
    return next((text for text in said if isinstance(text, str) and text), "")


Making: TypeAlias = TaskStep | EmailStep | PostStep
Editing: TypeAlias = SetStep | TagStep | SurveyStep | GuideStep


def edit(workspace: Workspace, step: Editing, ids: Sequence[str]) -> None:
    """Give accounts what the step says, as people do: with history, to be undone.

    Done again it changes nothing; so it may come before its batch is written. A
    survey asks nobody twice by itself.
    """
    if isinstance(step, SurveyStep):
        surveys.invite_accounts(workspace, step.survey, frozenset(ids))
        return
    if isinstance(step, GuideStep):
        guides.invite_accounts(workspace, step.guide, ids)
        return
    if isinstance(step, SetStep):
        values = dict.fromkeys(ids, value_of(workspace, step))
        apply_values(workspace, None, step.field, values)
        return
    held = details.tags_by_account(workspace, list(ids))
    changed = {
        account: attributes.read_tags(sorted({*tags, *step.add} - {*step.remove}))
        for account, tags in held.items()
    }
    apply_values(workspace, None, attributes.TAGS, changed)


def assigned(run: Run, step: AssignStep, around: Around) -> SetStep | Nobody:
    """The rule's choice for the account of a run, as an edit of its owner; or why there
    is none, and who has the account keeps it."""
    found = around.owners.choose(step, around.accounts.get(run.account_id))
    if isinstance(found, Nobody):
        return found
    return SetStep(step.id, attributes.OWNER, found)


def refuse_strangers(workspace: Workspace, step: AssignStep) -> None:
    """Raise `BadValue` for somebody who cannot own accounts here."""
    every = workspace.memberships.select_related("user")
    able = {m.user.email for m in every if m.covers(Role.MEMBER)}
    for email in step.among:
        if email.lower() not in able:
            said = _("“%(who)s” is nobody who could own accounts here.")
            raise BadValue(said % {"who": email})


def value_of(workspace: Workspace, step: SetStep) -> Any:
    """The value a step sets; raises `BadValue` where the attribute takes no such."""
    of = attributes.definition(workspace, step.field)
    return attributes.read(of, [step.value])


def make(run: Run, step: Making, around: Around) -> Task | Message:
    """The task or message of a step, not yet written."""
    account = around.accounts.get(run.account_id)
    if isinstance(step, TaskStep):
        return _task(run, step, account, around)
    if isinstance(step, EmailStep):
        return _email(run, step, account, around)
    return _post(run, step, account, around)


def told(work: Task | Message) -> tuple[str, dict[str, str]]:
    """What the log of the run says of it."""
    if isinstance(work, Task):
        return "task", {"title": work.title, "owner": str(work.owner or "")}
    return "message", {"title": work.subject, "to": work.to}


def _task(run: Run, step: TaskStep, account: Account | None, around: Around) -> Task:
    days, today = step.due_days, around.lake.today
    return Task(
        run=run,
        step=step.id,
        workspace=around.playbook.workspace,
        title=filled(step.title, account)[:200],
        description=filled(step.notes, account),
        account_id=run.account_id,
        owner=person(run, step.who, around),
        due_on=None if days is None else today + timedelta(days=days),
        priority=_PRIORITIES[step.priority],
        reason=around.playbook.name,
        checklist=[{"text": item, "done": False} for item in step.checklist],
        created_at=around.lake.now,
    )


def person(run: Run, who: Who, around: Around) -> User | None:
    """Who does it: the account's owner, whoever started the run, or an admin."""
    if who == "starter" and run.started_by is not None:
        return run.started_by
    members = around.members
    if who == "manager":
        leads = (m for m in members.values() if m.covers(Role.ADMIN))
        return next((m.user for m in leads), None)
    account = around.accounts.get(run.account_id)
    email = (account.owner_email or "") if account else run.owner_email
    owner = members.get(email.lower())
    away = around.away.get(email.lower())
    return away.stand_in.user if away else owner.user if owner else None


def _email(
    run: Run, step: EmailStep, account: Account | None, around: Around
) -> Message:
    to = step.to
    if to == "owner":
        to = (account.owner_email or "") if account else ""
    elif to == "contact":
        to = around.contacts.get(run.account_id, "")
    letter = step.letter(_language(run, step, to, around) if step.letters else "")
    return outbox.of_run(
        run,
        step.id,
        channel=Message.Channel.EMAIL,
        to=to,
        subject=filled(letter.subject, account),
        text=filled(letter.text, account),
        # Without an address somebody has to fill it in.
        is_draft=step.is_draft or not to,
        workspace=around.playbook.workspace,
    )


def _language(run: Run, step: EmailStep, to: str, around: Around) -> str:
    """What the reader reads: what sources say of the person, else of the account."""
    member = around.members.get(to.lower()) if step.to == "owner" else None
    if member is not None:
        return member.user.language
    own = around.languages.get(to.lower(), "") if step.to == "contact" else ""
    return own or around.languages_of_accounts.get(run.account_id, "")


def _post(run: Run, step: PostStep, account: Account | None, around: Around) -> Message:
    return outbox.of_run(
        run,
        step.id,
        channel=Message.Channel(step.channel),
        to=step.url,
        subject=around.playbook.name,
        text=filled(step.text, account),
        is_draft=False,
        workspace=around.playbook.workspace,
    )


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
    for name in PLACEHOLDERS:
        text = text.replace(f"{{{name}}}", facts[name])
    return text
