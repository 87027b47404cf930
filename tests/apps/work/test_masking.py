"""Personal data in tasks and alerts: who reads it where, and where nobody does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from perennial.apps.customers import queries
from perennial.apps.team import tokens
from perennial.apps.team.models import ApiToken, Membership, User, Workspace
from perennial.apps.work.documents.review import Review, compose
from perennial.apps.work.models import Alert, Plan, Preference, RunEntry, Task
from perennial.apps.work.playbooks import actions as playbooks
from perennial.apps.work.telling import channels, digest, kinds, notices
from perennial.ui.formats import Regional
from tests.apps.customers.company import AS_OF, GREEN
from tests.apps.pages import whole
from tests.apps.team.cast import Cast
from tests.apps.team.test_access import FOR_MEMBERS, Role
from tests.apps.work.conftest import Clock
from tests.apps.work.test_documents import texts
from tests.apps.work.test_engine import on

REGIONAL = Regional("en", "EUR", "Europe/Berlin")
ClientOf = Callable[[User], Client]
SECRETS = ("070-123 45 67", "anna@example.com")
#: Where a word of each can be read, whoever reads it.
SAID = "Ask why"
SECRET = f"{SAID} of {' or '.join(SECRETS)}."
#: Pages that show tasks and alerts, with how often: else a walk had nothing to find.
SHOWING = {
    "/": 2,
    "/tasks/?who=team": 5,
    "/tasks/board/?who=team": 3,
    "/tasks/calendar/?who=team&month=2026-06": 2,
    "/tasks/1/": 6,
    "/tasks/alerts/?who=team": 4,
    "/notifications/": 3,
    f"/accounts/{GREEN}/": 6,
    f"/accounts/{GREEN}/timeline/": 4,
    "/playbooks/runs/{run}/": 1,
    "/tasks/plans/": 1,
    "/tasks/plans/1/": 4,
}


@pytest.fixture
def written(
    workspace: Workspace, cast: Cast, admin: Membership, moving: Clock
) -> Workspace:
    """The same words in tasks, alerts, and what a playbook did."""
    today = moving.at = datetime.now(UTC)
    of = {"workspace": workspace, "account_id": GREEN}
    words = {"title": SECRET, "reason": SECRET, "description": SECRET}
    for pk, owner in enumerate((cast.teammate, cast.viewer, cast.teammate), start=1):
        Task.objects.create(
            pk=pk, **of, **words, owner=owner, due_on=AS_OF,
            checklist=[{"text": SECRET, "done": False}],
            state="done" if pk == 3 else "open",
            done_at=today if pk == 3 else None,
        )  # fmt: skip
    Task.objects.filter(pk=1).update(waits_for=2)
    for rule, facts in (
        ("champion_gone", {"champion": SECRET}),
        ("goal_overdue", {"goal": SECRET, "goal_days": 2}),
    ):
        Alert.objects.create(
            **of, rule=rule, facts=facts, priority=1, note=SECRET,
            owner_email=cast.viewer.email, opened_on=today.date(), opened_at=today,
        )  # fmt: skip
    plan = Plan.objects.create(
        pk=1, **of, title=SECRET, summary=SECRET, customer_owner=SECRET, token="x"
    )
    plan.milestones.create(title=SECRET)
    playbook = on(admin, {"do": "task", "title": "Ask"}, trigger="manual")
    playbooks.start_for(playbook, admin, [GREEN])
    Task.objects.exclude(run=None).delete()
    RunEntry.objects.filter(what="task").update(details={"title": SECRET})
    return workspace


def sees(text: str) -> list[bool]:
    return [secret in text for secret in SECRETS]


def test_every_page_hides_it_from_who_only_looks(
    written: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    notices.tell(written)
    every = [
        route.path
        for route in FOR_MEMBERS
        if route.gate == Role.VIEWER
        and route.view.__module__.startswith("perennial.apps.work.")
    ]
    assert len(every) > 20
    run = RunEntry.objects.filter(what="task").values_list("run", flat=True).get()
    for reader, is_shown in ((cast.teammate, True), (cast.viewer, False)):
        written.notices.update(user=reader)
        client = client_of(reader)
        for form, least in SHOWING.items():
            path = form.format(run=run)
            text = whole(client, path)
            assert text.count(SAID) >= least, path
            assert sees(text) == [is_shown, is_shown], path
        found = client.get("/tasks/", {"who": "team", "q": SECRETS[1]})
        assert bool(found.context["groups"]) == is_shown
        found = client.get("/tasks/", {"who": "team", "q": SAID})
        assert found.context["groups"]
    for path in every:
        answer = client.get(path)
        if not answer.streaming:
            assert sees(answer.content.decode(errors="replace")) == [False] * 2, path
    for scope, is_shown in ((ApiToken.Scope.READ, False), (ApiToken.Scope.WRITE, True)):
        _, token = tokens.create(written, scope, by=None, scope=scope)
        for name in ("tasks", "alerts", "plans"):
            asked = f"/api/v1/{name}"
            answer = Client().get(asked, HTTP_AUTHORIZATION=f"Bearer {token}")
            text = answer.content.decode()
            assert SAID in text
            assert sees(text) == [is_shown] * 2, name
    account = queries.get_account_or_404(written, GREEN)
    for mask in (False, True):
        told = compose(Review(written, account, REGIONAL, mask=mask))
        assert sees(" ".join(texts(told))) == [not mask] * 2
    assert {SECRET} == set(Task.objects.values_list("title", flat=True))


def test_what_leaves_hides_it_from_channels_and_from_readers_who_only_look(
    written: Workspace, cast: Cast, moving: Clock
) -> None:
    """Everybody is mailed all at once, and has every address that there is."""
    # Digests come on working days.
    moving.at += timedelta(days=-moving.at.weekday() % 7)
    moving.at = moving.at.replace(hour=12)
    Alert.objects.update(opened_at=moving.at)
    every = [kind.key for kind in kinds.KINDS if kind.in_app] + ["digest:daily"]
    owner = cast.membership(cast.owner)
    for of in (*map(cast.membership, (cast.teammate, cast.viewer)), None):
        for kind in channels.KINDS:
            url = f"https://{kind}.example/{of.pk if of else 0}"
            channels.keep(of or owner, of, kind, url, every)
        for what in ("alert", "task") if of else ():
            Preference.objects.create(membership=of, what=what, email="now")
    notices.tell(written)
    notices.tell_team(written)
    digest.send_due(written)
    told = [(m, f"{m.subject} {m.text} {m.html}") for m in written.messages.all()]
    mails = [(m.to, text) for m, text in told if m.channel == "email"]
    posts = [text for m, text in told if m.channel != "email"]
    for reader, is_shown in ((cast.teammate, True), (cast.viewer, False)):
        mine = [text for to, text in mails if to == reader.email and SAID in text]
        # A task, a digest; alerts are the viewer's.
        assert len(mine) == (2 if is_shown else 4)
        assert [sees(text) for text in mine] == [[is_shown] * 2] * len(mine)
    assert sum(SAID in text for text in posts) == 2 * (1 + 1 + 3 + 1 + 2)
    assert [sees(text) for text in posts] == [[False] * 2] * len(posts)
    # What is kept stays as it was written.
    assert SECRET in {n.facts.get("title") for n in written.notices.all()}
