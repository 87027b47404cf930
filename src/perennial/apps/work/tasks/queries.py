"""Tasks as the screens ask for them: whose, which, in which order and groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from django.db.models import Count, F, Q, QuerySet
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from perennial.apps.customers import queries as customers
from perennial.apps.customers import wording
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.team.roles import Role
from perennial.apps.work.models import Priority, Task, TaskState
from perennial.core.windows import add_months

#: Texts of a task, and of its checklist, that may quote a customer.
WRITTEN = ("title", "reason", "description", "text")
ACTIVE = (TaskState.OPEN, TaskState.STARTED)
MINE, TEAM, NOBODY = "mine", "team", "nobody"
#: Done tasks that the board still shows.
DONE_DAYS = 14
Text = str | Promise


@dataclass(frozen=True)
class Asked:
    """What the address asks for."""

    who: str = MINE
    show: str = "open"
    priority: str = ""
    q: str = ""
    account: str = ""

    def url(self, **changes: str) -> str:
        changed = replace(self, **changes)
        pairs = [(n, str(getattr(changed, n))) for n in _NAMES]
        plain = Asked()
        told = [(n, value) for n, value in pairs if value != getattr(plain, n)]
        return f"?{urlencode(told)}"


_NAMES = ("who", "show", "priority", "q", "account")


def parse(query: QueryDict) -> Asked:
    """The question of a query string; what it does not know is left out."""
    known = [str(p.value) for p in Priority]
    return Asked(
        who=_one_of(query.get("who", ""), (MINE, TEAM, NOBODY)),
        show=_one_of(query.get("show", ""), ("open", "done")),
        priority=_one_of(query.get("priority", ""), ("", *known)),
        q=query.get("q", "").strip()[:100],
        account=query.get("account", "")[:254],
    )


def _one_of(value: str, known: tuple[str, ...]) -> str:
    return value if value in known else known[0]


def of_workspace(workspace: Workspace) -> QuerySet[Task]:
    return workspace.tasks.select_related("owner", "waits_for")


def asked_for(workspace: Workspace, by: Membership, asked: Asked) -> QuerySet[Task]:
    """Open tasks: those due first, then the more urgent; done ones: newest first.

    A search looks at what its reader may read.
    """
    found = of_workspace(workspace)
    if asked.who == MINE:
        found = found.filter(owner=by.user)
    elif asked.who == NOBODY:
        found = found.filter(owner=None)
    if asked.priority:
        found = found.filter(priority=int(asked.priority))
    if asked.q:
        found = _saying(found, by, asked.q)
    if asked.account:
        found = found.filter(account_id=asked.account)
    if asked.show == "done":
        return found.exclude(state__in=ACTIVE).order_by("-done_at", "-pk")
    return found.filter(state__in=ACTIVE).order_by(*DUE_FIRST)


def _saying(found: QuerySet[Task], by: Membership, text: str) -> QuerySet[Task]:
    if wording.reads_all(by):
        return found.filter(Q(title__icontains=text) | Q(reason__icontains=text))
    titled = list(found.filter(title__icontains=text))
    wording.hide(by.workspace, titled, "title")
    named = text.casefold()
    return found.filter(pk__in=[t.pk for t in titled if named in t.title.casefold()])


DUE_FIRST = (F("due_on").asc(nulls_last=True), "priority", "pk")


@dataclass(frozen=True)
class Group:
    """Tasks under one heading; `is_late` ones are shown as such."""

    label: Text
    tasks: list[Task]
    is_late: bool = False


def by_due_day(tasks: Iterable[Task], today: date) -> list[Group]:
    """Overdue, today, this week, later, no date; groups without tasks left out."""
    week_end = today + timedelta(days=7 - today.weekday())
    found: dict[str, list[Task]] = {key: [] for key in _HEADS}
    for task in tasks:
        found[_bucket(task.due_on, today, week_end)].append(task)
    return [
        Group(_HEADS[key], some, is_late=key == "late")
        for key, some in found.items()
        if some
    ]


def _bucket(due: date | None, today: date, week_end: date) -> str:
    if due is None:
        return "none"
    if due < today:
        return "late"
    if due == today:
        return "today"
    return "week" if due < week_end else "later"


_HEADS: Mapping[str, Text] = {
    "late": pgettext_lazy("tasks", "Overdue"),
    "today": pgettext_lazy("tasks", "Today"),
    "week": pgettext_lazy("tasks", "This week"),
    "later": pgettext_lazy("tasks", "Later"),
    "none": pgettext_lazy("tasks", "No date"),
}


@dataclass(frozen=True)
class Counts:
    """How much there is to do: what headings and the navigation say."""

    open: int
    late: int
    today: int


def counts(tasks: QuerySet[Task], today: date) -> Counts:
    found = tasks.filter(state__in=ACTIVE).aggregate(
        open=Count("pk"),
        late=Count("pk", filter=Q(due_on__lt=today)),
        today=Count("pk", filter=Q(due_on=today)),
    )
    return Counts(**found)


def as_read(by: Membership, tasks: Iterable[Task]) -> list[Task]:
    """The tasks as a member may read them, each with its account as the lake has it:
    not to be saved."""
    found = list(tasks)
    ids = sorted({task.account_id for task in found if task.account_id})
    known = customers.some(by.workspace, tuple(ids))
    for task in found:
        task.account = known.get(task.account_id)
    if not wording.reads_all(by):
        hide(by.workspace, found)
    return found


def hide(workspace: Workspace, tasks: Iterable[Task]) -> None:
    """Hide personal data in what is written of tasks, and of what they wait for."""
    every = [each for task in tasks for each in (task, task.waits_for) if each]
    told = [(t.account_id, of) for t in every for of in (vars(t), *t.checklist)]
    wording.hide_in(workspace, told, *WRITTEN)


def workers(workspace: Workspace) -> list[Membership]:
    """People who may own work: everybody but viewers, by name."""
    every = workspace.memberships.exclude(role=Role.VIEWER).select_related("user")
    return sorted(every, key=lambda m: m.user.display_name.casefold())


# --- the board and the calendar ----------------------------------------------


@dataclass(frozen=True)
class Column:
    state: TaskState
    label: Text
    tasks: list[Task]


def columns(
    workspace: Workspace, by: Membership, asked: Asked, since: date
) -> list[Column]:
    """Open, in progress, and what was done since a day."""
    active = list(asked_for(workspace, by, replace(asked, show="open")))
    done = asked_for(workspace, by, replace(asked, show="done")).filter(
        state=TaskState.DONE, done_at__date__gte=since
    )
    return [
        Column(state, state.label, [t for t in (*active, *done) if t.state == state])
        for state in (TaskState.OPEN, TaskState.STARTED, TaskState.DONE)
    ]


@dataclass(frozen=True)
class Day:
    date: date
    tasks: list[Task]
    is_in_month: bool
    is_today: bool


def month_of(text: str, today: date) -> date:
    """The first day of the month an address names, "2026-11"; else this one."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)


def calendar(tasks: QuerySet[Task], month: date, today: date) -> list[list[Day]]:
    """The weeks of a month with the tasks due on each day."""
    first = month - timedelta(days=month.weekday())
    end = add_months(month, 1)
    end += timedelta(days=-end.weekday() % 7)
    due = list(tasks.filter(due_on__gte=first, due_on__lt=end))
    days = [first + timedelta(days=n) for n in range((end - first).days)]
    made = [
        Day(
            day,
            [task for task in due if task.due_on == day],
            is_in_month=day.month == month.month,
            is_today=day == today,
        )
        for day in days
    ]
    return [made[n : n + 7] for n in range(0, len(made), 7)]
