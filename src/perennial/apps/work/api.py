"""Tasks, alerts, playbooks, success plans and segments over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q
from ninja import Router, Schema
from pydantic import Field

from perennial.api import paging
from perennial.api.problems import ERRORS
from perennial.apps.customers import segment_queries, wording
from perennial.apps.team import tokens
from perennial.apps.team.access import TokenRequest
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import User
from perennial.apps.work.alerts import queries as alerts
from perennial.apps.work.models import (
    Alert,
    Goal,
    Plan,
    Playbook,
    Priority,
    Run,
    Task,
    TaskState,
)
from perennial.apps.work.plans import actions as plan_actions
from perennial.apps.work.plans import queries as plans
from perennial.apps.work.tasks import actions
from perennial.core.errors import BadValue
from perennial.lake import matching
from perennial.metrics import conditions

router = Router(auth=tokens.READ, tags=["workspace"])


class TaskOut(Schema):
    """A task; days are local days of the workspace."""

    id: int
    title: str
    account_id: str | None
    owner: str | None = Field(description="Address of whoever does it.")
    due_on: date | None
    priority: str
    state: str
    reason: str
    done_at: datetime | None


class TaskIn(Schema):
    title: str = Field(min_length=1, max_length=200)
    account_id: str = Field("", max_length=254)
    owner: str = Field("", max_length=254)
    due_on: date | None = None
    priority: str = "normal"
    reason: str = Field("", max_length=300)
    description: str = Field("", max_length=10_000)


class StateIn(Schema):
    state: str = Field(description="open, started, done, dropped")


class AlertOut(Schema):
    """An alert, with the numbers it rests on."""

    id: int
    account_id: str | None
    rule: str
    priority: str
    state: str
    owner: str
    facts: dict[str, Any]
    opened_at: datetime


class PlaybookOut(Schema):
    """A playbook; `document` is what its YAML says."""

    id: int
    name: str
    state: str
    version: int
    running: int
    document: dict[str, Any]


class SegmentOut(Schema):
    """A segment and the accounts that are in it now."""

    key: str
    name: str
    document: dict[str, Any]
    accounts: list[str]


class GoalOut(Schema):
    """A goal; `value` is the newest one, null before it was measured."""

    id: int
    title: str
    metric: str | None
    baseline: float
    target: float
    value: float | None
    due_on: date
    state: str = Field(description="reached, missed, open")


class MilestoneOut(Schema):
    title: str
    side: str = Field(description="ours, theirs")
    due_on: date | None
    done_on: date | None


class PlanOut(Schema):
    """A success plan of an account."""

    id: int
    account_id: str
    title: str
    owner: str | None
    customer_owner: str
    goals: list[GoalOut]
    milestones: list[MilestoneOut]


class ValueIn(Schema):
    value: float


@router.get("/tasks", response={200: paging.Page[TaskOut], **ERRORS})
def list_tasks(
    request: TokenRequest,
    state: str = "",
    account_id: str = "",
    limit: paging.Limit = paging.USUAL,
    cursor: str | None = None,
) -> paging.Page[TaskOut]:
    """Tasks by id."""
    found = request.auth.workspace.tasks.select_related("owner")
    if state:
        found = found.filter(state=state)
    if account_id:
        found = found.filter(account_id=account_id)
    page = paging.by_id(found, _task, limit, cursor)
    if not wording.reads_all(request.auth):
        wording.hide(request.auth.workspace, page.items, "title", "reason")
    return page


@router.post("/tasks", auth=tokens.WRITE, response={200: TaskOut, **ERRORS})
def add_task(request: TokenRequest, given: TaskIn) -> dict[str, Any]:
    """A new task. With an Idempotency-Key it is made once."""
    by = tokens.acting(request.auth)
    values = {
        **given.dict(exclude={"owner", "priority"}),
        "owner": _owner(request, given.owner),
        "priority": _priority(given.priority),
    }
    return tokens.once(
        request,
        request.auth,
        lambda: _task(actions.add_task(by, values)).model_dump(mode="json"),
    )


@router.patch("/tasks/{pk}", auth=tokens.WRITE, response={200: TaskOut, **ERRORS})
def move_task(request: TokenRequest, pk: int, given: StateIn) -> TaskOut:
    """Start, finish, drop or reopen a task."""
    task = paging.get_or_404(request.auth.workspace.tasks.all(), pk)
    if given.state not in TaskState.values:
        raise BadValue(f"state must be one of {', '.join(TaskState.values)}")
    actions.move_task(task, tokens.acting(request.auth), TaskState(given.state))
    return _task(Task.objects.select_related("owner").get(pk=pk))


@router.get("/alerts", response={200: paging.Page[AlertOut], **ERRORS})
def list_alerts(
    request: TokenRequest,
    state: str = "open",
    account_id: str = "",
    limit: paging.Limit = paging.USUAL,
    cursor: str | None = None,
) -> paging.Page[AlertOut]:
    """Alerts by id; open ones unless asked otherwise."""
    found = request.auth.workspace.alerts.filter(state=state)
    if account_id:
        found = found.filter(account_id=account_id)
    page = paging.by_id(found, _alert, limit, cursor)
    if not wording.reads_all(request.auth):
        told = [(alert.account_id, alert.facts) for alert in page.items]
        wording.hide_in(request.auth.workspace, told, *alerts.WRITTEN)
    return page


@router.get("/playbooks", response={200: paging.Page[PlaybookOut], **ERRORS})
def list_playbooks(
    request: TokenRequest, limit: paging.Limit = paging.USUAL, cursor: str | None = None
) -> paging.Page[PlaybookOut]:
    """Playbooks by id."""
    running = Count("runs", filter=Q(runs__state=Run.State.RUNNING))
    found = request.auth.workspace.playbooks.annotate(running=running)
    return paging.by_id(found, _playbook, limit, cursor)


@router.get("/segments", response={200: paging.Page[SegmentOut], **ERRORS})
def list_segments(
    request: TokenRequest, limit: paging.Limit = paging.USUAL, cursor: str | None = None
) -> paging.Page[SegmentOut]:
    """Segments by key, with their accounts as of the last refresh."""
    workspace = request.auth.workspace
    lake = lake_of(workspace)
    keys = [(s.key, s) for s in segment_queries.segments(workspace)]
    found = paging.page(sorted(keys, key=lambda row: row[0]), limit, cursor)
    items = [
        SegmentOut(
            key=segment.key,
            name=segment.name,
            document=segment.document,
            accounts=matching.matching(lake, conditions.read(segment.document)),
        )
        for segment in found.items
    ]
    return paging.Page(items=items, next_cursor=found.next_cursor)


@router.get("/plans", response={200: paging.Page[PlanOut], **ERRORS})
def list_plans(
    request: TokenRequest,
    account_id: str = "",
    limit: paging.Limit = paging.USUAL,
    cursor: str | None = None,
) -> paging.Page[PlanOut]:
    """Success plans by id, with their goals and milestones."""
    workspace = request.auth.workspace
    today = lake_of(workspace).today
    found = plans.plans(workspace)
    if account_id:
        found = found.filter(account_id=account_id)
    mask = not wording.reads_all(request.auth)

    def shown(plan: Plan) -> PlanOut:
        if mask:
            plans.hide(workspace, [plan])
        return _plan(plan, today)

    return paging.by_id(found, shown, limit, cursor)


@router.patch("/goals/{pk}", auth=tokens.WRITE, response={200: GoalOut, **ERRORS})
def say_value(request: TokenRequest, pk: int, given: ValueIn) -> GoalOut:
    """How far a goal is that no metric follows."""
    workspace = request.auth.workspace
    live = Goal.objects.filter(plan__workspace=workspace, plan__archived_at=None)
    goal = paging.get_or_404(live, pk)
    plan_actions.say_value(goal, tokens.acting(request.auth), given.value)
    return _goal(goal, lake_of(workspace).today)


def _plan(plan: Plan, today: date) -> PlanOut:
    stones = plan.milestones.all()
    return PlanOut(
        id=plan.pk,
        account_id=plan.account_id,
        title=plan.title,
        owner=plan.owner.email if plan.owner else None,
        customer_owner=plan.customer_owner,
        goals=[_goal(goal, today) for goal in plan.goals.all()],
        milestones=[
            MilestoneOut(title=s.title, side=s.side, due_on=s.due_on, done_on=s.done_on)
            for s in stones
        ],
    )


def _goal(goal: Goal, today: date) -> GoalOut:
    return GoalOut(
        id=goal.pk,
        title=goal.title,
        metric=goal.metric or None,
        baseline=goal.baseline,
        target=goal.target,
        value=goal.value,
        due_on=goal.due_on,
        state=plans.goal_line(goal, today).state,
    )


def _task(task: Task) -> TaskOut:
    return TaskOut(
        id=task.pk,
        title=task.title,
        account_id=task.account_id or None,
        owner=task.owner.email if task.owner else None,
        due_on=task.due_on,
        priority=Priority(task.priority).name.lower(),
        state=task.state,
        reason=task.reason,
        done_at=task.done_at,
    )


def _alert(alert: Alert) -> AlertOut:
    return AlertOut(
        id=alert.pk,
        account_id=alert.account_id or None,
        rule=alert.rule,
        priority=Priority(alert.priority).name.lower(),
        state=alert.state,
        owner=alert.owner_email,
        facts=alert.facts,
        opened_at=alert.opened_at,
    )


def _playbook(found: Playbook) -> PlaybookOut:
    return PlaybookOut(
        id=found.pk,
        name=found.name,
        state=found.state,
        version=found.number,
        running=found.running,  # type: ignore[attr-defined]
        document=found.document,
    )


def _owner(request: TokenRequest, email: str) -> User | None:
    if not email:
        return None
    members = request.auth.workspace.memberships.select_related("user")
    found = members.filter(user__email=email.strip().lower()).first()
    if found is None:
        raise BadValue(f"nobody here has the address {email}")
    return found.user


def _priority(text: str) -> Priority:
    known = {priority.name.lower(): priority for priority in Priority}
    if text not in known:
        raise BadValue(f"priority must be one of {', '.join(known)}, not {text!r}")
    return known[text]
