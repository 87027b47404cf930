"""Tasks, alerts, playbooks and segments for programs."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from perennial.apps.team import tokens
from perennial.apps.team.models import ApiToken, Workspace
from perennial.apps.work.alerts import actions as alerts
from perennial.apps.work.models import Task
from perennial.apps.work.plans import actions as plans
from perennial.apps.work.playbooks import actions as playbooks
from perennial.apps.work.playbooks import library
from perennial.core.windows import DAY
from tests.apps.customers.company import AS_OF, KESTREL
from tests.apps.team.cast import Cast
from tests.apps.work.conftest import Clock


def client(
    workspace: Workspace, cast: Cast, scope: ApiToken.Scope = ApiToken.Scope.WRITE
) -> Client:
    _token, text = tokens.create(workspace, "script", by=cast.teammate, scope=scope)
    return Client(headers={"authorization": f"Bearer {text}"})


def post(browser: Client, given: dict[str, Any], **headers: str) -> Any:
    return browser.post(
        "/api/v1/tasks", given, content_type="application/json", headers=headers
    )


TASK = {"title": "Call", "account_id": KESTREL, "priority": "high",
        "owner": "bob@default.example", "due_on": "2026-06-05"}  # fmt: skip


def test_a_task_is_made_once_by_its_key(workspace: Workspace, cast: Cast) -> None:
    browser = client(workspace, cast)
    first = post(browser, TASK, **{"idempotency-key": "a"})
    again = post(browser, TASK, **{"idempotency-key": "a"})
    assert first.status_code == 200
    assert first.json() == again.json()
    assert Task.objects.count() == 1
    other = post(browser, {**TASK, "title": "x"}, **{"idempotency-key": "a"})
    assert other.status_code == 400
    assert "another request" in other.json()["detail"]
    post(browser, TASK)
    assert Task.objects.count() == 2
    made = first.json()
    assert (made["owner"], made["priority"]) == ("bob@default.example", "high")
    done = browser.patch(
        f"/api/v1/tasks/{made['id']}",
        {"state": "done"},
        content_type="application/json",
    )
    assert done.json()["state"] == "done"
    found = browser.get("/api/v1/tasks", {"state": "done"}).json()["items"]
    assert [task["id"] for task in found] == [made["id"]]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"account_id": "nobody"}, 400),
        ({"owner": "x@elsewhere.example"}, 400),
        ({"priority": "now"}, 400),
        ({"title": ""}, 422),
        ({"due_on": "soon"}, 422),
    ],
)
def test_bad_ones_are_refused(
    changes: dict[str, str], status: int, workspace: Workspace, cast: Cast
) -> None:
    assert post(client(workspace, cast), {**TASK, **changes}).status_code == status
    assert not Task.objects.exists()


def test_reading_writes_nothing(workspace: Workspace, cast: Cast) -> None:
    reader = client(workspace, cast, ApiToken.Scope.READ)
    assert post(reader, TASK).status_code == 403
    assert post(Client(), TASK).status_code == 401
    assert reader.get("/api/v1/tasks").status_code == 200


def test_whoever_left_writes_no_more(workspace: Workspace, cast: Cast) -> None:
    browser = client(workspace, cast)
    cast.membership(cast.teammate).delete()
    assert post(browser, {"title": "x"}).status_code == 403


def test_alerts_and_playbooks(workspace: Workspace, cast: Cast) -> None:
    alerts.evaluate(workspace)
    playbooks.add(cast.membership(cast.admin), library.document("renewal"))
    browser = client(workspace, cast, ApiToken.Scope.READ)
    found = browser.get("/api/v1/alerts", {"account_id": KESTREL}).json()["items"]
    rules = {alert["rule"]: alert["facts"] for alert in found}
    assert rules["renewal_at_risk"]["to_renewal"] == 41
    [book] = browser.get("/api/v1/playbooks").json()["items"]
    assert (book["name"], book["state"]) == ("Renewal ahead", "draft")
    page = browser.get("/api/v1/alerts", {"limit": 2}).json()
    rest = browser.get("/api/v1/alerts", {"cursor": page["next_cursor"]}).json()
    assert len(page["items"]) + len(rest["items"]) == workspace.alerts.count()


def test_another_workspace_sees_nothing(workspace: Workspace, cast: Cast) -> None:
    mine = post(client(workspace, cast), TASK).json()
    _token, text = tokens.create(
        cast.elsewhere, "other", by=cast.stranger, scope=ApiToken.Scope.WRITE
    )
    other = Client(headers={"authorization": f"Bearer {text}"})
    assert other.get("/api/v1/tasks").json()["items"] == []
    moved = other.patch(
        f"/api/v1/tasks/{mine['id']}",
        {"state": "done"},
        content_type="application/json",
    )
    assert moved.status_code == 404


def test_plans_with_their_goals(
    workspace: Workspace, cast: Cast, moving: Clock
) -> None:
    by = cast.membership(cast.teammate)
    plan = plans.add_plan(by, KESTREL, title="Grow", template="onboarding")
    goal = plans.add_goal(plan, by, title="Hours", baseline=0, target=10, due_on=AS_OF + DAY * 9, metric="")  # fmt: skip
    browser = client(workspace, cast)
    [found] = browser.get("/api/v1/plans", {"account_id": KESTREL}).json()["items"]
    assert (found["title"], len(found["milestones"])) == ("Grow", 4)
    assert found["goals"][0]["value"] is None
    path, kind = f"/api/v1/goals/{goal.pk}", {"content_type": "application/json"}
    said = browser.patch(path, {"value": 10}, **kind).json()
    assert (said["value"], said["state"]) == (10.0, "reached")
    reader = client(workspace, cast, ApiToken.Scope.READ)
    assert reader.patch(path, {"value": 1}, **kind).status_code == 403
    _token, text = tokens.create(cast.elsewhere, "o", by=cast.stranger, scope=ApiToken.Scope.WRITE)  # fmt: skip
    other = Client(headers={"authorization": f"Bearer {text}"})
    assert other.patch(path, {"value": 1}, **kind).status_code == 404
