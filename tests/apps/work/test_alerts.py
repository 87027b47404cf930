"""Alerts open where a rule holds, once, and close when it no longer does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.work.alerts import actions, watch, words
from perennial.apps.work.alerts.rules import RULES
from perennial.apps.work.models import Alert, Priority
from perennial.core.errors import BadValue
from perennial.core.windows import DAY
from perennial.lake.workspace import Workspace as Lake
from perennial.ui.formats import Regional
from tests.apps.customers.company import AS_OF, FRESH, GREEN, KESTREL, SILENT
from tests.apps.team.cast import Cast
from tests.apps.work.conftest import Clock
from tests.builders import write

ClientOf = Callable[[User], Client]


def open_rules(workspace: Workspace, account: str) -> set[str]:
    found = workspace.alerts.filter(account_id=account).exclude(state="closed")
    return set(found.values_list("rule", flat=True))


def test_the_small_company(workspace: Workspace) -> None:
    """Kestrel is orange with a renewal in 41 days, a detractor 22 days ago, two urgent
    tickets, and 2 sessions after 10. Silent: nobody for 40 days; renewal in 183. Greenfield: four of four seats,
    renewal in 61 days. Freshwater: no step for 12 days."""
    done = actions.evaluate(workspace)
    assert open_rules(workspace, KESTREL) == {
        "renewal_at_risk",
        "detractor",
        "urgent_tickets",
        "usage_fell",
    }
    assert open_rules(workspace, SILENT) == {"no_usage"}
    assert open_rules(workspace, GREEN) == {"seats_full"}
    assert open_rules(workspace, FRESH) == {"onboarding_stalled"}
    assert done.opened == workspace.alerts.count() == 7


def test_the_use_of_seats_is_followed(workspace: Workspace) -> None:
    frame = watch.accounts(workspace)
    assert frame is not None
    told = dict(frame.select("account_id", "seat_signal").iter_rows())
    assert told == {
        KESTREL: "rightsize",
        SILENT: "rightsize",
        GREEN: "expansion",
        FRESH: None,
    }


def test_again_changes_nothing(workspace: Workspace) -> None:
    actions.evaluate(workspace)
    assert actions.evaluate(workspace) == actions.Evaluated()


def test_every_rule_says_something(
    workspace: Workspace, lake: Lake, regional: Regional
) -> None:
    actions.evaluate(workspace)
    for alert in workspace.alerts.all():
        text = words.sentence(alert.rule, alert.facts, regional, AS_OF)
        assert text != words.title(alert.rule)
    said = {
        a.rule: words.sentence(a.rule, a.facts, regional, AS_OF)
        for a in workspace.alerts.filter(account_id=KESTREL)
    }
    assert said["renewal_at_risk"] == "Orange, and renewal in 41 days"
    assert said["urgent_tickets"] == "2 urgent tickets are open"
    assert set(words._SENTENCES) == {*(r.key for r in RULES), "incident"}


def test_the_largest_customers_weigh_more(workspace: Workspace) -> None:
    """MRR 400, 200, 100, 50: Greenfield alone is in the top quarter."""
    actions.evaluate(workspace)
    found = {
        a.account_id: a.priority for a in workspace.alerts.filter(rule="seats_full")
    }
    assert found == {GREEN: Priority.NORMAL}
    assert workspace.alerts.get(rule="no_usage").priority == Priority.HIGH


def test_over_closes_and_rests_for_two_weeks(
    workspace: Workspace, lake: Lake, moving: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions.evaluate(workspace)
    whole = watch.find

    def without(where: Workspace, chosen: object) -> list[watch.Found]:
        return [f for f in whole(where, chosen) if f.rule != "no_usage"]  # type: ignore[arg-type]

    monkeypatch.setattr(watch, "find", without)
    assert actions.evaluate(workspace).closed == 1
    monkeypatch.setattr(watch, "find", whole)
    assert actions.evaluate(workspace).opened == 0  # it rests
    workspace.alerts.filter(rule="no_usage").update(
        closed_at=lake.now - timedelta(days=15)
    )
    assert actions.evaluate(workspace).opened == 1
    assert workspace.alerts.filter(rule="no_usage").count() == 2


def test_a_budget_of_new_alerts_a_person_and_day(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "BUDGET", 2)
    actions.evaluate(workspace)
    mine = workspace.alerts.filter(owner_email="alice@default.example")
    told = mine.filter(is_quiet=False)
    assert (mine.count(), told.count()) == (5, 2)
    loud = max(told.values_list("priority", flat=True))
    assert loud <= min(mine.filter(is_quiet=True).values_list("priority", flat=True))


def test_nothing_moves_when_tracking_broke(workspace: Workspace, lake: Lake) -> None:
    row = {
        "date": AS_OF - DAY,
        "events": 3,
        "expected": 90.0,
        "detected_at": lake.now,
    }
    write(lake.lake, "data_incidents", [row])
    assert actions.evaluate(workspace).opened == 1
    assert actions.evaluate(workspace).opened == 0
    [alert] = workspace.alerts.all()
    assert (alert.account_id, alert.rule) == ("", "incident")


def test_snoozed_sleeps_until_its_day(
    workspace: Workspace, lake: Lake, member: Membership, moving: Clock
) -> None:
    actions.evaluate(workspace)
    alert = workspace.alerts.get(rule="no_usage")
    for until, reason in ((AS_OF, "x"), (AS_OF + 91 * DAY, "x"), (AS_OF + DAY, " ")):
        with pytest.raises(BadValue):
            actions.snooze(alert, member, until=until, reason=reason)
    actions.snooze(alert, member, until=AS_OF + 3 * DAY, reason="On holiday")
    assert actions.evaluate(workspace).woken == 0
    moving.forward(days=3)
    assert actions.evaluate(workspace).woken == 1
    alert.refresh_from_db()
    assert alert.state == Alert.State.OPEN


def test_the_page_and_its_buttons(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    actions.evaluate(workspace)
    client, url = client_of(cast.teammate), reverse("work:alerts")
    page = " ".join(strip_tags(client.get(url).content.decode()).split())
    assert "Silent Mills" in page
    assert "Nobody has logged in for 40 days" in page
    assert "Kestrel" not in page  # Alice's
    assert "Kestrel" in client.get(url, {"who": "team"}).content.decode()
    alert = workspace.alerts.get(rule="no_usage")
    act = reverse("work:alert", args=[alert.pk])
    for do in ("acknowledge", "useful", "close"):
        assert client.post(act, {"do": do}).status_code == 302
    alert.refresh_from_db()
    assert (alert.state, alert.is_useful) == (Alert.State.CLOSED, True)
    assert client.post(act, {"do": "other"}).status_code == 404
    assert client_of(cast.viewer).post(act, {"do": "close"}).status_code == 403
    assert client_of(cast.stranger).post(act, {"do": "close"}).status_code == 404


def test_admins_set_rules(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    url = reverse("work:rule", args=["no_usage"])
    client = client_of(cast.admin)
    client.post(url, {"is_on": "on", "threshold": "60"})
    page = " ".join(
        strip_tags(client.get(reverse("work:alerts")).content.decode()).split()
    )
    assert "Set: 60 days" in page
    assert "Set: 1 day " in page
    assert "Set: 40%" in page
    actions.evaluate(workspace)
    assert "no_usage" not in open_rules(workspace, SILENT)
    share = reverse("work:rule", args=["usage_fell"])
    client.post(share, {"is_on": "on", "threshold": "25"})
    assert workspace.alert_rules.get(rule="usage_fell").threshold == 0.25
    client.post(share, {"is_on": "on", "threshold": "900"})
    client.post(share, {"is_on": "on", "threshold": "x"})
    assert workspace.alert_rules.get(rule="usage_fell").threshold == 0.25
    client.post(url, {"threshold": "14"})
    assert not workspace.alert_rules.get(rule="no_usage").is_on
    assert client_of(cast.teammate).post(url, {}).status_code == 403
    assert client.post(reverse("work:rule", args=["nothing"]), {}).status_code == 404
