"""What work adds to the pages of customers (`customers.hooks`): the tasks and alerts
of an account, its playbooks in the timeline, my tasks on Home, a column, a verb."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Count, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from perennial.apps.customers import wording
from perennial.apps.customers.account import Account
from perennial.apps.customers.hooks import Belonging, BulkAction, Column
from perennial.apps.customers.timeline import Entry
from perennial.apps.team.access import TeamRequest
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.apps.team.roles import Role
from perennial.apps.work.alerts import queries as alerts
from perennial.apps.work.alerts import words
from perennial.apps.work.models import (
    Alert,
    Playbook,
    Run,
    RunEntry,
    Skip,
    Task,
    TaskState,
)
from perennial.apps.work.plans import actions as plan_actions
from perennial.apps.work.plans import queries as plan_queries
from perennial.apps.work.playbooks import words as playbook_words
from perennial.apps.work.tasks import queries as tasks
from perennial.ui.formats import Regional

#: Rows of a card.
_FEW = 6
#: Why a run ended that could not go on beside the other account's.
MERGED = "merged"


def panel(request: TeamRequest, account: Account) -> SafeString:
    """What is open for an account: alerts, tasks, running playbooks, success plans."""
    workspace = request.workspace
    today = lake_of(workspace).today
    open_ = tasks.of_workspace(workspace).filter(
        account_id=account.account_id, state__in=tasks.ACTIVE
    )
    plans = list(
        plan_queries.plans(workspace).filter(account_id=account.account_id)[:_FEW]
    )
    mask = not wording.reads_all(request.membership)
    context = {
        "account": account,
        "plans": plan_queries.lines(workspace, plans, mask=mask) if plans else (),
        "alerts": alerts.of_account(
            request.membership, account.account_id, request.regional, today
        ),
        "tasks": tasks.as_read(
            request.membership, open_.order_by(*tasks.DUE_FIRST)[:_FEW]
        ),
        "runs": Run.objects.filter(
            playbook__workspace=workspace,
            account_id=account.account_id,
            state=Run.State.RUNNING,
        ).select_related("playbook"),
        "playbooks": workspace.playbooks.filter(state=Playbook.State.ON),
        "today": today,
        "now": today,
        "may_edit": request.membership.covers(Role.MEMBER),
        "here": request.get_full_path(),
    }
    return render_to_string("work/account_panel.html", context, request)


def home_panel(request: TeamRequest, owner: str) -> SafeString:
    """My tasks that are due, or the team's."""
    today = lake_of(request.workspace).today
    found = tasks.of_workspace(request.workspace).filter(state__in=tasks.ACTIVE)
    if owner:
        found = found.filter(owner__email=owner)
    rows = tasks.as_read(request.membership, found.order_by(*tasks.DUE_FIRST)[:_FEW])
    context = {
        "tasks": rows,
        "counts": tasks.counts(found, today),
        "today": today,
        "who": tasks.MINE if owner else tasks.TEAM,
        "may_edit": request.membership.covers(Role.MEMBER),
    }
    return render_to_string("work/home_panel.html", context, request)


def column() -> Column:
    return Column("open_tasks", pgettext_lazy("narrow column", "Tasks"), _open_tasks)


def _open_tasks(workspace: Workspace, ids: Sequence[str]) -> Mapping[str, int]:
    found = workspace.tasks.filter(account_id__in=ids, state__in=tasks.ACTIVE)
    return dict(found.values_list("account_id").annotate(n=Count("pk")))


def start_playbook() -> BulkAction:
    label = gettext_lazy("Start a playbook")
    return BulkAction(label, icon="route", url=reverse("work:start_many"))


def belongings(workspace: Workspace) -> list[Belonging]:
    """What of work goes along where accounts are merged. Of two alerts of a rule, and
    of two runs of a playbook, the one of the account that stays goes on."""
    now = lake_of(workspace).now
    mine = {"playbook__workspace": workspace}
    return [
        Belonging(gettext_lazy("Tasks"), workspace.tasks.all()),
        Belonging(
            gettext_lazy("Success plans"),
            workspace.plans.all(),
            retell=plan_actions.retell,
        ),
        Belonging(
            gettext_lazy("Alerts"),
            workspace.alerts.all(),
            once=("rule",),
            among=~Q(state=Alert.State.CLOSED),
            ended={"state": Alert.State.CLOSED, "closed_at": now},
        ),
        Belonging(
            gettext_lazy("Runs of playbooks"),
            Run.objects.filter(**mine),
            once=("playbook_id",),
            among=Q(state__in=(Run.State.RUNNING, Run.State.HELD_OUT)),
            ended={
                "state": Run.State.ENDED,
                "ending": MERGED,
                "ended_at": now,
                "due_at": None,
            },
        ),
        Belonging(
            gettext_lazy("Starts that were refused"),
            Skip.objects.filter(**mine),
            once=("playbook_id", "reason"),
        ),
        Belonging(gettext_lazy("Messages"), workspace.messages.all()),
        Belonging(gettext_lazy("Notifications"), workspace.notices.all()),
    ]


# --- the timeline ------------------------------------------------------------


def timeline(
    workspace: Workspace,
    account: Account,
    regional: Regional,
    before: datetime,
    limit: int,
) -> Iterable[Entry]:
    """Tasks done, alerts opened, and what playbooks did, the newest first."""
    found = [
        *_done(workspace, account, before, limit),
        *_opened(workspace, account, regional, before, limit),
        *_ran(workspace, account, before, limit),
    ]
    return sorted(found, key=lambda e: e.at, reverse=True)[:limit]


def _done(
    workspace: Workspace, account: Account, before: datetime, limit: int
) -> Iterable[Entry]:
    over: Iterable[Task] = (
        workspace.tasks.select_related("done_by")
        .filter(account_id=account.account_id, state=TaskState.DONE, done_at__lt=before)
        .order_by("-done_at")[:limit]
    )
    for task in over:
        assert task.done_at is not None
        who = task.done_by.display_name if task.done_by else ""
        yield Entry(
            task.done_at,
            icon="checkbox",
            text=_("Task done:"),
            title=task.title,
            detail=who,
            kind="work",
            url=reverse("work:task", args=[task.pk]),
        )


def _opened(
    workspace: Workspace,
    account: Account,
    regional: Regional,
    before: datetime,
    limit: int,
) -> Iterable[Entry]:
    found: Iterable[Alert] = workspace.alerts.filter(
        account_id=account.account_id, opened_at__lt=before
    ).order_by("-opened_at")[:limit]
    for alert in found:
        said = words.sentence(alert.rule, alert.facts, regional, alert.opened_on)
        yield Entry(
            alert.opened_at,
            icon="bell",
            text=_("Alert:"),
            title=said,
            kind="work",
        )


def _ran(
    workspace: Workspace, account: Account, before: datetime, limit: int
) -> Iterable[Entry]:
    found: Iterable[RunEntry] = (
        RunEntry.objects.select_related("run__playbook")
        .filter(
            run__is_held_out=False,
            run__playbook__workspace=workspace,
            run__account_id=account.account_id,
            at__lt=before,
        )
        .order_by("-at", "-pk")[:limit]
    )
    for line in found:
        yield Entry(
            line.at,
            icon="route",
            text="",
            title=playbook_words.entry(line),
            detail=str(line.run.playbook),
            kind="work",
            url=reverse("work:run", args=[line.run_id]),
        )
