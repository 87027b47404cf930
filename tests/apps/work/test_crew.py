"""The team's load, and what happens while somebody is away."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from perennial.apps.customers.edit_actions import undo
from perennial.apps.team.actions import NotAllowed
from perennial.apps.team.models import User, Workspace
from perennial.apps.work.crew import actions, queries
from perennial.apps.work.models import Absence, Task
from perennial.apps.work.plans import actions as plans
from perennial.apps.work.playbooks import engine
from perennial.apps.work.tasks import actions as tasks
from perennial.core.errors import BadValue
from perennial.core.windows import DAY
from tests.apps.customers.company import AS_OF, SILENT
from tests.apps.team.cast import Cast
from tests.apps.work.test_engine import on

ClientOf = Callable[[User], Client]


def test_the_load_of_each(workspace: Workspace, cast: Cast) -> None:
    """Alice has Kestrel (100) and Greenfield (400), Bob Silent (200); nobody has
    Freshwater. Greenfield was met three days ago, by nobody who is named."""
    tasks.add_task(
        cast.membership(cast.owner),
        {"title": "x", "owner": cast.teammate, "due_on": AS_OF - DAY},
    )
    found = {line.email: line for line in queries.lines(workspace)}
    alice, bob = found[cast.owner.email], found[cast.teammate.email]
    assert [x.email for x in queries.lines(workspace)][:2] == [alice.email, bob.email]
    assert (alice.summary.total.accounts, alice.summary.total.mrr) == (2, 500)
    assert dict(alice.colors) == {
        "green": 1, "yellow": 0, "orange": 1, "red": 0, "none": 0,
    }  # fmt: skip
    assert (bob.open, bob.late, bob.summary.total.mrr) == (1, 1, 200)
    assert not bob.is_much


def test_away_means_somebody_stands_in(workspace: Workspace, cast: Cast) -> None:
    """Silent is Bob's: while he is away its playbook gives the task to Ada."""
    bob, ada = cast.membership(cast.teammate), cast.membership(cast.admin)
    for days in (2, 20):
        tasks.add_task(
            bob,
            {"title": str(days), "owner": cast.teammate, "due_on": AS_OF + DAY * days},
        )
    actions.go_away(bob, bob, stand_in=ada, ends_on=AS_OF + DAY * 7)
    owners = dict(Task.objects.values_list("title", "owner__email"))
    assert owners == {"2": cast.admin.email, "20": cast.teammate.email}
    on(ada)
    engine.evaluate(workspace)
    assert Task.objects.get(account_id=SILENT).owner == cast.admin
    actions.come_back(bob, Absence.objects.get())
    assert not queries.absent(workspace, AS_OF)


def test_who_may_say_that_somebody_is_away(workspace: Workspace, cast: Cast) -> None:
    bob, ada, alice, vera = (
        cast.membership(user)
        for user in (cast.teammate, cast.admin, cast.owner, cast.viewer)
    )
    until = AS_OF + DAY * 7
    with pytest.raises(NotAllowed):
        actions.go_away(bob, ada, stand_in=bob, ends_on=until)
    with pytest.raises(NotAllowed):
        actions.go_away(vera, vera, stand_in=bob, ends_on=until)
    with pytest.raises(BadValue, match="Somebody else"):
        actions.go_away(bob, bob, stand_in=bob, ends_on=until)
    with pytest.raises(BadValue, match="within a year"):
        actions.go_away(bob, bob, stand_in=ada, ends_on=AS_OF)
    absence = actions.go_away(alice, bob, stand_in=ada, ends_on=until)
    with pytest.raises(NotAllowed):
        actions.come_back(vera, absence)
    actions.go_away(ada, bob, stand_in=alice, ends_on=until)
    assert Absence.objects.get().stand_in == alice


def test_everything_of_a_person_is_handed_over(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    """Alice leaves: Kestrel and Greenfield, her task and her plan go to Bob."""
    alice, bob = cast.membership(cast.owner), cast.membership(cast.teammate)
    tasks.add_task(alice, {"title": "x", "owner": cast.owner})
    plan = plans.add_plan(alice, SILENT, title="Grow")
    client, url = client_of(cast.admin), reverse("work:hand_over")
    given = {"owner": cast.owner.email, "to": bob.pk}
    assert client_of(cast.teammate).post(url, given).status_code == 403
    stranger = cast.membership(cast.stranger)
    assert client.post(url, {**given, "to": stranger.pk}).status_code == 404
    page = client.post(url, given, follow=True).content.decode()
    assert "Bob took over. Accounts: 2, open tasks: 1." in page
    assert queries.owned(workspace, cast.owner.email) == []
    assert len(queries.owned(workspace, cast.teammate.email)) == 4
    assert Task.objects.get().owner == cast.teammate
    plan.refresh_from_db()
    assert plan.owner == cast.teammate
    undo(workspace.account_edits.get(), cast.membership(cast.admin))
    assert len(queries.owned(workspace, cast.owner.email)) == 2
    ada, vera = cast.membership(cast.admin), cast.membership(cast.viewer)
    for owner, to, why in (
        (cast.admin.email, bob, "nothing to hand over"),
        (bob.user.email, bob, "Somebody else"),
        (bob.user.email, vera, "can take over"),
    ):
        with pytest.raises(BadValue, match=why):
            actions.hand_over(ada, owner, to=to)


def test_the_page(workspace: Workspace, cast: Cast, client_of: ClientOf) -> None:
    client, url = client_of(cast.teammate), reverse("work:team")
    bob, ada = cast.membership(cast.teammate), cast.membership(cast.admin)
    given = {"who": bob.pk, "stand_in": ada.pk, "until": (AS_OF + DAY * 3).isoformat()}
    client.post(reverse("work:away"), {**given, "until": ""})
    assert not Absence.objects.exists()
    client.post(reverse("work:away"), given)
    page = " ".join(strip_tags(client.get(url).content.decode()).split())
    assert "away, Ada stands in" in page
    assert "2 people look after 3 accounts. Nobody has far more" in page
    assert "Alice" in page
    assert client_of(cast.viewer).get(url).status_code == 200
    assert "Alice" not in client_of(cast.stranger).get(url).content.decode()
    client.post(reverse("work:back", args=[Absence.objects.get().pk]))
    assert not Absence.objects.exists()
    other = cast.membership(cast.stranger)
    bad = client.post(reverse("work:away"), {**given, "stand_in": other.pk})
    assert bad.status_code == 404
