"""The same task for many accounts: to their owners, once, and back again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from perennial.apps.team.models import AuditEntry, Membership, User, Workspace
from perennial.apps.work.models import Task, TaskState
from perennial.apps.work.tasks import many
from perennial.core.errors import BadValue, Forbidden
from perennial.lake.workspace import Workspace as Lake
from tests.apps.customers.company import FRESH, GREEN, KESTREL, SILENT
from tests.apps.team.cast import Cast

ALL = [FRESH, GREEN, KESTREL, SILENT]


def test_chosen_accounts_get_a_task_each_and_it_is_taken_back(
    workspace: Workspace, lake: Lake, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    bob, vera, url = (
        client_of(cast.teammate),
        client_of(cast.viewer),
        reverse("work:add_many_tasks"),
    )
    asked = bob.post(url, {"account": ALL}).content.decode()
    assert "For 4 accounts, one each." in asked
    assert not Task.objects.exists()
    given = {"account": [*ALL, GREEN, "nobody"], "title": " Call  them ", "who": "me"}
    bad = bob.post(url, {**given, "due_on": "soon"})
    assert (bad.status_code, Task.objects.count()) == (200, 0)
    there = bob.post(url, {**given, "due_on": "2026-06-09"})["Location"]
    found = Task.objects.all()
    assert sorted(task.account_id for task in found) == sorted(ALL)
    assert {(task.title, str(task.due_on), task.owner) for task in found} == {
        ("Call them", "2026-06-09", cast.teammate)
    }
    page = bob.get(there).content.decode()
    assert "4 tasks were added together." in page
    assert "4 are not begun; undo drops them." in page
    # Whoever began one keeps it; nobody else takes it back.
    found.filter(account_id=GREEN).update(state=TaskState.STARTED)
    undo = f"{there}undo/"
    assert vera.post(undo).status_code == vera.get(there).status_code == 403
    assert vera.post(url, given).status_code == 403
    ada = client_of(cast.admin)
    assert ada.get(there).status_code == client_of(cast.stranger).get(there).status_code
    assert ada.get(there).status_code == 404
    assert ada.post(undo).status_code == 302
    assert found.filter(state=TaskState.OPEN).count() == 3
    for _ in range(2):
        assert bob.post(undo).status_code == 302
    assert sorted(found.values_list("state", flat=True)) == [
        *["dropped"] * 3,
        "started",
    ]
    assert bob.get(reverse("work:many_tasks", args=[10**20])).status_code == 404
    verbs = AuditEntry.objects.filter(verb__startswith="task.").values_list(
        "verb", flat=True
    )
    assert sorted(verbs) == ["task.added_many", "task.dropped_many"]


def test_owners_get_their_own(
    workspace: Workspace, lake: Lake, member: Membership, cast: Cast
) -> None:
    many.add(member, ALL, "Look in", None)
    owners = dict(Task.objects.values_list("account_id", "owner__email"))
    for key, account in many.customers.some(workspace, tuple(ALL)).items():
        team = {m.user.email for m in many.tasks.workers(workspace)}
        known = account.owner_email in team
        assert owners[key] == (account.owner_email if known else member.user.email)
    for title, ids in (("", ALL), ("x" * 201, ALL), ("x", []), ("x", ["nobody"])):
        with pytest.raises(BadValue):
            many.add(member, ids, title, None)
    with pytest.raises(Forbidden):
        many.add(cast.membership(cast.viewer), ALL, "x", None)
