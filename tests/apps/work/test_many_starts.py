"""A playbook started for very many accounts: by a worker, once each, seen on its page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from perennial.apps.jobs.models import JobRun
from perennial.apps.team.actions import NotAllowed
from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.work import jobs
from perennial.apps.work.models import Run, Task
from perennial.apps.work.playbooks import actions, engine, many
from perennial.core.errors import BadValue
from tests.apps.customers.company import FRESH, GREEN, KESTREL, SILENT
from tests.apps.team.cast import Cast
from tests.apps.work.conftest import Clock
from tests.apps.work.test_engine import on

ClientOf = Callable[[User], Client]
ALL = [KESTREL, GREEN, SILENT, FRESH]


def quiet(_share: float, _message: str) -> None:
    pass


def test_a_worker_that_dies_starts_nobody_twice(
    workspace: Workspace,
    member: Membership,
    admin: Membership,
    moving: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    playbook = on(admin, trigger="manual")
    monkeypatch.setattr(many, "AT_ONCE", 1)
    made = many.start(playbook, member, [*ALL, KESTREL])
    assert made.accounts == ALL
    with pytest.raises(BadValue, match="already"):
        many.start(playbook, member, ALL)
    real, asked = engine.start_for, []

    def dies(book: object, ids: list[str], by: object) -> object:
        real(playbook, ids, member.user)
        asked.append(ids)
        if len(asked) == 2:
            raise KeyboardInterrupt  # after the runs, before it is noted
        return None

    monkeypatch.setattr(engine, "start_for", dies)
    with pytest.raises(KeyboardInterrupt):
        jobs.start_playbook(workspace.key, quiet, many=made.pk)
    made.refresh_from_db()
    assert (made.done, made.started, made.finished_at) == (1, 1, None)
    told: list[float] = []
    jobs.start_playbook(
        workspace.key, lambda share, _said: told.append(share), many=made.pk
    )
    made.refresh_from_db()
    assert told == [0.5, 0.75, 1.0]
    assert (made.done, made.started) == (4, 4)
    assert made.finished_at
    assert Run.objects.count() == Task.objects.count() == 4
    assert asked == [[KESTREL], [GREEN], [GREEN], [SILENT], [FRESH]]
    jobs.start_playbook(workspace.key, quiet, many=made.pk + 1)  # gone: nothing


def test_turned_off_it_stops(
    workspace: Workspace, member: Membership, admin: Membership, moving: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    playbook = on(admin, trigger="manual")
    made = many.start(playbook, member, ALL)
    actions.turn_off(playbook, admin)
    many.go_on(made, quiet)
    assert made.finished_at
    assert not Run.objects.exists()
    with pytest.raises(BadValue, match="not on"):
        many.start(playbook, member, ALL)


def test_on_screen_many_go_to_the_background(
    workspace: Workspace, admin: Membership, moving: Clock, cast: Cast,
    client_of: ClientOf, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    playbook = on(admin, trigger="manual")
    monkeypatch.setattr(many, "AT_ONCE", 3)
    bob, state = (
        client_of(cast.teammate),
        reverse("work:many_state", args=[playbook.pk]),
    )
    url = reverse("work:start_many")
    bob.post(url, {"account": ALL[:3], "playbook": playbook.pk})
    assert Run.objects.count() == 3
    assert not playbook.many_starts.exists()
    with pytest.raises(NotAllowed):
        many.start(playbook, cast.membership(cast.viewer), ALL)
    bob.post(url, {"all": "1", "query": "?state=all", "playbook": playbook.pk})
    made = playbook.many_starts.get()
    assert len(made.accounts) > 3
    run = JobRun.objects.get(name="start_playbook")
    assert run.arguments == {"many": made.pk}
    page = bob.get(reverse("work:runs", args=[playbook.pk])).content.decode()
    assert f'hx-get="{state}"' in page
    many.go_on(made, quiet)
    over = client_of(cast.viewer).get(state).content.decode()
    assert "Started for" in over
    assert "hx-get" not in over
    assert client_of(cast.stranger).get(state).status_code == 404
