"""The strategy: what the company wants, followed by its own metrics."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.work.models import Objective
from perennial.apps.work.strategy import actions
from perennial.core.errors import BadValue, UnknownName
from perennial.lake.workspace import Workspace as Lake
from tests.apps.customers.company import AS_OF
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]
DUE = AS_OF + timedelta(days=200)


def test_it_begins_where_the_metric_stands(
    workspace: Workspace, lake: Lake, admin: Membership
) -> None:
    """MRR is 750 today: 100, 200, 400 and 50."""
    made = actions.add_objective(
        admin, title="Grow", metric="mrr", target=1000, due_on=DUE
    )
    assert (made.baseline, made.value) == (750, 750)
    Objective.objects.update(value=800)
    assert actions.measure(workspace) == 1
    assert actions.measure(workspace) == 0
    made.refresh_from_db()
    assert made.value == 750
    churn = lake.metric("customer_churn_rate", start="2026-05-01", end="2026-06-01")
    assert actions.value_of(lake, "customer_churn_rate") == churn.rows["value"][0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"target": 750}, "already"),
        ({"due_on": AS_OF}, "in the future"),
        ({"title": " "}, "needs a title"),
        ({"metric": "mrr_movements"}, "not one number"),
        ({"metric": "nothing"}, "nothing"),
    ],
)
def test_what_is_no_objective(
    changes: dict[str, object], reason: str, admin: Membership, workspace: Workspace
) -> None:
    given = {"title": "Grow", "metric": "mrr", "target": 1000, "due_on": DUE}
    with pytest.raises((BadValue, UnknownName), match=reason):
        actions.add_objective(admin, **{**given, **changes})  # type: ignore[arg-type]


def test_the_page(workspace: Workspace, cast: Cast, client_of: ClientOf) -> None:
    admin, viewer = client_of(cast.admin), client_of(cast.viewer)
    page, change = reverse("work:strategy"), reverse("work:change_strategy")
    admin.post(change, {"do": "vision", "text": "Customers come back every year."})
    given = {"do": "objective", "title": "Use of seats", "metric": "license_utilization",
             "target": "80", "due_on": DUE.isoformat()}  # fmt: skip
    admin.post(change, given)
    admin.post(change, {**given, "target": "x"})
    made = Objective.objects.get()
    assert made.target == 0.8
    text = " ".join(strip_tags(viewer.get(page).content.decode()).split())
    assert "Nothing is open." not in text  # that is said of tasks
    assert "Customers come back every year." in text
    assert "→ 80.0%" in text
    assert viewer.post(change, given).status_code == 403
    assert client_of(cast.teammate).post(change, given).status_code == 403
    stranger = client_of(cast.stranger)
    assert "come back" not in stranger.get(page).content.decode()
    stranger.post(change, {"do": "archive", "objective": made.pk})
    made.refresh_from_db()
    assert made.archived_at is None
    admin.post(change, {"do": "archive", "objective": made.pk})
    assert "Use of seats" not in viewer.get(page).content.decode()
