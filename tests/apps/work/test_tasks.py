"""Tasks: who may, what follows, and what the screens say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags
from hypothesis import given
from hypothesis import strategies as st

from perennial.apps.team import actions as team
from perennial.apps.team.actions import NotAllowed
from perennial.apps.team.models import AuditEntry, Membership, User, Workspace
from perennial.apps.work.models import Priority, Repeat, Task, TaskState
from perennial.apps.work.tasks import actions, queries
from perennial.core.errors import BadValue
from perennial.core.windows import add_months
from tests.apps.customers.company import AS_OF, KESTREL, OTHER, SILENT
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]


def said(page: bytes) -> str:
    return " ".join(strip_tags(page.decode()).split())


def task(by: Membership, title: str = "Call", **values: object) -> Task:
    return actions.add_task(by, {"title": title, **values})


def test_a_task_is_written_by_the_form_and_audited(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    given_ = {
        "title": "Call the champion",
        "account": "Kestrel & Sons",
        "owner": str(cast.teammate.pk),
        "due_on": "2026-06-03",
        "priority": "1",
        "reason": "Log-ins fell",
        "items": "Read\n\nCall",
    }
    assert client.post(reverse("work:new_task"), given_).status_code == 302
    [made] = Task.objects.all()
    assert (made.account_id, made.due_on) == (KESTREL, date(2026, 6, 3))
    assert [item["text"] for item in made.checklist] == ["Read", "Call"]
    assert AuditEntry.objects.filter(verb="task.added").count() == 1
    page = said(client.get(reverse("work:tasks")).content)
    assert "Call the champion" in page
    assert "Kestrel &amp; Sons" in page or "Kestrel & Sons" in page
    assert "This week" in page


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"title": ""}, "This field is required."),
        ({"account": "Nobody Ltd"}, "There is no account of this name."),
        ({"due_on": "soon"}, "valid date"),
        ({"owner": "9999"}, "Select a valid choice"),
    ],
)
def test_what_cannot_be_is_refused(
    changes: dict[str, str],
    reason: str,
    workspace: Workspace,
    cast: Cast,
    client_of: ClientOf,
) -> None:
    given_ = {"title": "Call", "priority": "2", **changes}
    response = client_of(cast.teammate).post(reverse("work:new_task"), given_)
    assert response.status_code == 422
    assert reason in said(response.content)
    assert not Task.objects.exists()


def test_tasks_belong_to_their_workspace(
    member: Membership, cast: Cast, client_of: ClientOf
) -> None:
    with pytest.raises(BadValue, match="no such account"):
        task(member, account_id=OTHER)
    with pytest.raises(BadValue, match="Only people of this workspace"):
        task(member, owner=cast.stranger)
    mine = task(member)
    for name, args in (("task", [mine.pk]), ("move", [mine.pk])):
        url = reverse(f"work:{name}", args=args)
        response = client_of(cast.stranger).post(url, {"state": "done"})
        assert response.status_code == 404
    mine.refresh_from_db()
    assert mine.state == TaskState.OPEN


def test_viewers_read_and_do_not_write(
    member: Membership, cast: Cast, client_of: ClientOf
) -> None:
    mine = task(member)
    viewer = client_of(cast.viewer)
    assert viewer.get(reverse("work:task", args=[mine.pk])).status_code == 200
    for name in ("task", "move"):
        url = reverse(f"work:{name}", args=[mine.pk])
        assert viewer.post(url, {"state": "done", "title": "x"}).status_code == 403
    assert "Call" in said(viewer.get(reverse("work:tasks")).content)
    with pytest.raises(NotAllowed):
        task(cast.membership(cast.viewer))


def test_done_twice_is_done_once_and_the_next_one_comes_once(
    member: Membership,
) -> None:
    mine = task(
        member,
        repeats=Repeat.MONTHLY,
        due_on=date(2026, 5, 31),
        checklist=[{"text": "Ask", "done": True}],
    )
    following = actions.move_task(mine, member, TaskState.DONE)
    assert following is not None
    assert following.due_on == date(2026, 6, 30)
    assert following.checklist == [{"text": "Ask", "done": False}]
    assert actions.move_task(mine, member, TaskState.DONE) is None
    actions.move_task(mine, member, TaskState.OPEN)
    assert actions.move_task(mine, member, TaskState.DONE) is None
    assert Task.objects.count() == 2


@given(
    due=st.dates(date(2020, 1, 1), date(2026, 12, 31)),
    today=st.dates(date(2020, 1, 1), date(2027, 12, 31)),
    repeats=st.sampled_from([r for r in Repeat if r]),
)
def test_the_next_day_is_the_first_of_its_rhythm_after_today(
    due: date, today: date, repeats: Repeat
) -> None:
    found = actions.next_due(due, repeats, today)
    assert found > max(due, today) or found > today
    if repeats == Repeat.WEEKLY:
        assert (found - due).days % 7 == 0
        assert (found - today).days <= 7 or found == due + timedelta(days=7)
    else:
        months = {"month": 1, "quarter": 3, "year": 12}[repeats]
        steps = [add_months(due, months * n) for n in range(1, 120)]
        assert found == next(day for day in steps if day > today)


def test_tasks_do_not_wait_for_each_other(member: Membership) -> None:
    first = task(member, "First")
    second = task(member, "Second", waits_for=first)
    assert second.is_blocked
    with pytest.raises(BadValue, match="wait for each other"):
        actions.change_task(first, member, {"waits_for": second})
    actions.move_task(first, member, TaskState.DONE)
    second = Task.objects.select_related("waits_for").get(pk=second.pk)
    assert not second.is_blocked


def test_ticks_stay_when_the_list_is_edited(
    member: Membership, cast: Cast, client_of: ClientOf
) -> None:
    mine = task(member, checklist=[{"text": "A", "done": False}])
    client = client_of(cast.teammate)
    client.post(reverse("work:tick", args=[mine.pk, 0]))
    client.post(
        reverse("work:task", args=[mine.pk]),
        {"title": "Call", "priority": "2", "items": "A\nB"},
    )
    mine.refresh_from_db()
    assert mine.checklist == [
        {"text": "A", "done": True},
        {"text": "B", "done": False},
    ]
    assert client.post(reverse("work:tick", args=[mine.pk, 9])).status_code == 404


def test_groups_follow_the_day(member: Membership) -> None:
    days = {"late": -1, "today": 0, "week": 5, "later": 20}
    for name, n in days.items():
        task(member, name, due_on=AS_OF + timedelta(days=n))
    task(member, "none")
    every = list(Task.objects.all())
    groups = queries.by_due_day(every, AS_OF)
    assert [[t.title for t in g.tasks] for g in groups] == [
        [x] for x in (*days, "none")
    ]
    assert groups[0].is_late


def test_whoever_leaves_hands_over(
    member: Membership, cast: Cast, workspace: Workspace
) -> None:
    """Kestrel is Alice's, Silent is Bob's own: nobody takes that one."""
    for account in (KESTREL, SILENT, ""):
        task(member, f"About {account}", account_id=account, owner=cast.teammate)
    done = task(member, "Done", owner=cast.teammate)
    actions.move_task(done, member, TaskState.DONE)
    team.remove_member(member, by=cast.membership(cast.owner))
    owners = dict(Task.objects.values_list("title", "owner__email"))
    assert owners == {
        f"About {KESTREL}": cast.owner.email,
        f"About {SILENT}": None,
        "About ": None,
        "Done": cast.teammate.email,
    }


def test_many_at_once(member: Membership, cast: Cast, client_of: ClientOf) -> None:
    made = [task(member, str(n), owner=cast.teammate) for n in range(3)]
    client, url = client_of(cast.teammate), reverse("work:bulk")
    ids = [str(t.pk) for t in made[:2]]
    client.post(url, {"task": ids, "do": "give", "owner": str(cast.admin.pk)})
    assert Task.objects.filter(owner=cast.admin).count() == 2
    client.post(url, {"task": ids, "do": "done", "next": "//evil.example/"})
    assert Task.objects.filter(state=TaskState.DONE).count() == 2
    response = client.post(url, {"task": ids, "do": "done", "next": "//evil.example/"})
    assert response["Location"] == reverse("work:tasks")


def test_board_and_calendar(
    member: Membership, cast: Cast, client_of: ClientOf
) -> None:
    task(member, "Soon", due_on=AS_OF + timedelta(days=3), owner=cast.teammate,
         priority=Priority.URGENT, account_id=KESTREL)  # fmt: skip
    client = client_of(cast.teammate)
    board = said(client.get(reverse("work:board")).content)
    assert "Soon" in board and "In progress" in board  # noqa: PT018
    assert "Soon" in said(client.get(reverse("work:calendar")).content)
    far = client.get(reverse("work:calendar"), {"month": "2030-02"}).content
    assert "Soon" not in said(far)
    assert client.get(reverse("work:calendar"), {"month": "x"}).status_code == 200


def test_the_palette_knows_the_pages_of_tasks_health_and_insights(
    cast: Cast, client_of: ClientOf
) -> None:
    def found(user: User, query: str) -> str:
        return client_of(user).get("/palette/", {"q": query}).content.decode()

    assert reverse("work:outbox") in found(cast.teammate, "outbox")
    assert reverse("work:outbox") not in found(cast.viewer, "outbox")
    assert reverse("work:plans") in found(cast.viewer, "success pl")
    assert reverse("health:movers") in found(cast.viewer, "who moved")
    assert reverse("insights:forecast") in found(cast.viewer, ">forec")
    assert reverse("insights:forecast") not in found(cast.viewer, "@forec")
