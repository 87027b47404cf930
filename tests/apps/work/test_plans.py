"""Success plans: goals that live numbers follow, a link that can be ended."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.work.models import Goal, Milestone, Plan
from perennial.apps.work.plans import actions, queries
from perennial.core.errors import BadValue
from perennial.core.windows import DAY
from perennial.lake.workspace import Workspace as Lake
from tests.apps.customers.company import AS_OF, KESTREL, OTHER, SILENT
from tests.apps.team.cast import Cast
from tests.apps.work.conftest import Clock
from tests.builders import write

ClientOf = Callable[[User], Client]
DUE = AS_OF + DAY * 30


def said(page: bytes) -> str:
    return " ".join(strip_tags(page.decode()).split())


@pytest.fixture
def plan(member: Membership) -> Plan:
    return actions.add_plan(member, KESTREL, title="Grow", template="onboarding")


def test_a_plan_begins_with_its_template(plan: Plan, member: Membership) -> None:
    assert [m.due_on for m in plan.milestones.all()][:1] == [AS_OF]
    assert plan.milestones.count() == 4
    with pytest.raises(BadValue, match="no such account"):
        actions.add_plan(member, OTHER, title="x")
    with pytest.raises(BadValue, match="needs a title"):
        actions.add_plan(member, KESTREL, title=" ")


def test_live_numbers_follow_a_goal_into_the_lake(
    plan: Plan, member: Membership, workspace: Workspace, lake: Lake, moving: Clock
) -> None:
    """Kestrel uses 4 of 10 seats: from 0.2 to 0.8 that is a third of the way. The
    goal is missed when it is due, and the outcome metric says so."""
    goal = actions.add_goal(
        plan, member, title="Use of seats", baseline=0.2, target=0.8,
        due_on=DUE, metric="license_utilization",
    )  # fmt: skip
    assert actions.measure(workspace) == 1
    assert actions.measure(workspace) == 0
    goal.refresh_from_db()
    assert goal.value == pytest.approx(0.4)
    [line] = queries.lines(workspace, list(queries.plans(workspace)))
    assert line.goals[0].share == pytest.approx(1 / 3)
    [row] = lake.lake.read("goals").to_pylist()
    assert (row["goal_id"], row["account_id"]) == (f"plan-{goal.pk}", KESTREL)
    moving.at += timedelta(days=40)
    rate = lake.metric("outcome_rate", start=AS_OF, end=AS_OF + DAY * 39)
    [found] = rate.rows.to_dicts()
    assert (found["numerator"], found["denominator"]) == (0, 1)


def test_people_say_how_far_it_is(
    plan: Plan, member: Membership, lake: Lake, workspace: Workspace
) -> None:
    goal = actions.add_goal(
        plan, member, title="Hours saved", baseline=10, target=2, due_on=DUE
    )
    actions.say_value(goal, member, 1)
    [line] = queries.lines(workspace, list(queries.plans(workspace)))
    assert (line.goals[0].state, line.goals[0].share) == ("reached", 1.0)
    assert lake.lake.read("goal_values").to_pylist()[0]["value"] == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"target": 1.0}, "has to differ"),
        ({"due_on": AS_OF}, "in the future"),
        ({"title": ""}, "needs a title"),
    ],
)
def test_goals_that_are_none(
    changes: dict[str, object], reason: str, plan: Plan, member: Membership
) -> None:
    given = {"title": "x", "baseline": 1.0, "target": 2.0, "due_on": DUE, **changes}
    with pytest.raises(BadValue, match=reason):
        actions.add_goal(plan, member, **given)  # type: ignore[arg-type]
    assert not Goal.objects.exists()


def test_the_customer_sees_it_by_link_until_it_is_ended(
    plan: Plan, member: Membership, client_of: ClientOf
) -> None:
    url = reverse("work:shared_plan", args=[plan.token])
    anybody = Client()
    assert anybody.get(url).status_code == 404
    actions.share(plan, member, is_shared=True)
    page = anybody.get(url)
    assert page.status_code == 200
    assert page["X-Robots-Tag"] == "noindex"
    text = said(page.content)
    assert "Train the team" in text
    for hidden in ("42.8", "Orange", "€", "MRR"):
        assert hidden not in text
    actions.share(plan, member, is_shared=False)
    actions.share(plan, member, is_shared=True)
    assert anybody.get(url).status_code == 404  # the former link stays ended
    plan.refresh_from_db()
    now = reverse("work:shared_plan", args=[plan.token])
    assert anybody.get(now).status_code == 200
    actions.archive(plan, member)
    assert anybody.get(now).status_code == 404


def test_the_experience_is_told_by_criterion(
    plan: Plan, cast: Cast, client_of: ClientOf, lake: Lake
) -> None:
    """Of Kestrel a comment that confuses nobody is known; then an answer on effort."""
    url = reverse("work:plan", args=[plan.pk])
    text = said(client_of(cast.viewer).get(url).content)
    assert "Too little is known to judge it" in text
    assert "Onboarding took at most 14 daysnot known" in text
    easy = {"response_id": "easy", "kind": "ces", "score": 7, "account_id": KESTREL}
    write(
        lake.lake,
        "survey_responses",
        [{**easy, "answered_at": f"{AS_OF - DAY * 2}T10:00"}],
    )
    text = said(client_of(cast.viewer).get(url).content)
    assert "Good: 2 of 2 criteria met" in text
    assert "says it was easymet" in text


def test_mistakes_are_taken_out_and_a_plan_changes_hands(
    plan: Plan, member: Membership, cast: Cast, client_of: ClientOf, lake: Lake
) -> None:
    goal = actions.add_goal(
        plan, member, title="Seats", baseline=0.5, target=0.9, due_on=DUE,
        metric="license_utilization",
    )  # fmt: skip
    actions.say_value(goal, member, 0.7)
    client = client_of(cast.teammate)
    page, change = (
        reverse(f"work:{name}", args=[plan.pk]) for name in ("plan", "change_plan")
    )
    text = said(client.get(page).content)
    assert "from 50.0% to 90.0% by" in text
    assert "now 70.0% · License utilization" in text
    facts = [lake.lake.read(name).to_pylist() for name in ("goals", "goal_values")]
    stone = plan.milestones.earliest("pk")
    client.post(change, {"do": "remove_milestone", "milestone": stone.pk})
    taken = client.post(change, {"do": "remove_goal", "goal": goal.pk}, follow=True)
    assert f'form="put-back" name="what" value="goal-{goal.pk}"' in taken.text
    assert stone not in plan.milestones.all()
    assert not Goal.objects.exists()
    assert (
        lake.lake.read("goals").num_rows == lake.lake.read("goal_values").num_rows == 0
    )
    for what in (f"goal-{goal.pk}", f"milestone-{stone.pk}"):
        back = {"do": "put_back", "what": what}
        assert client_of(cast.viewer).post(change, back).status_code == 403
        assert client.post(change, back).status_code == 302
        assert client.post(change, back).status_code == 404  # it is back
    assert stone in plan.milestones.all()
    assert plan.goals.get().value == 0.7
    assert facts == [
        lake.lake.read(name).to_pylist() for name in ("goals", "goal_values")
    ]
    for owner in (cast.admin.email, cast.viewer.email):
        client.post(change, {"do": "save", "title": "x", "owner": owner})
    plan.refresh_from_db()
    assert plan.owner == cast.admin


def test_the_page_and_its_buttons(plan: Plan, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.teammate)
    new = {"account": "Silent", "title": "Come back"}
    client.post(reverse("work:new_plan"), new)
    client.post(reverse("work:new_plan"), {**new, "account": "Nobody"})
    assert Plan.objects.get(title="Come back").account_id == SILENT
    page, change = (
        reverse(f"work:{name}", args=[plan.pk]) for name in ("plan", "change_plan")
    )
    goal = {"do": "goal", "title": "Sessions", "baseline": "1", "target": "9",
            "due_on": DUE.isoformat()}  # fmt: skip
    client.post(change, goal)
    client.post(change, {**goal, "target": "x"})
    made = Goal.objects.get()
    client.post(change, {"do": "value", "goal": made.pk, "value": "5"})
    stone = plan.milestones.earliest("pk")
    client.post(change, {"do": "tick", "milestone": stone.pk})
    client.post(change, {"do": "milestone", "title": "Go live", "side": "theirs"})
    client.post(change, {"do": "save", "title": "Grow more", "customer_owner": "Kim"})
    text = said(client.get(page).content)
    assert "Grow more" in text
    assert "50%" in text
    assert "1 of 5 milestones done" in text
    assert Milestone.objects.filter(done_on=AS_OF).count() == 1
    text = said(client.get(reverse("work:plans")).content)
    assert "Grow more" in text
    assert "Nothing is open." not in text  # that is said of tasks
    account = reverse("customers:account", args=[KESTREL])
    assert "Grow more0 of 1 goals" in said(client.get(account).content)
    assert client.post(change, {"do": "other"}).status_code == 404
    for user, code in ((cast.viewer, 403), (cast.stranger, 404)):
        assert client_of(user).post(change, goal).status_code == code
    assert client_of(cast.stranger).get(page).status_code == 404
    assert client_of(cast.viewer).get(page).status_code == 200
