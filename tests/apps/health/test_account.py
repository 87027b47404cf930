"""What people say of an account: overrides with author, reason and end; pulses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from perennial.apps.health import actions
from perennial.apps.health.models import Override, Pulse
from perennial.apps.team.models import AuditEntry, User, Workspace
from perennial.core.errors import BadValue
from perennial.lake import healthbook, scorecards
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring.scorecard import with_tried
from tests.apps.customers.company import AS_OF, KESTREL, OTHER
from tests.apps.team.cast import Cast
from tests.builders import write

ClientOf = Callable[[User], Client]
GIVEN = {"score": "20", "reason": "The champion left", "days": "30"}


def url(name: str, *more: object) -> str:
    return reverse(f"health:{name}", args=[KESTREL, *more])


def said(page: bytes) -> str:
    return " ".join(strip_tags(page.decode()).split())


def test_an_override_is_dated_audited_and_counts(
    workspace: Workspace, lake: Lake, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    assert client.post(url("override"), GIVEN).status_code == 302
    override = Override.objects.get()
    assert (override.starts_on, override.ends_on) == (AS_OF, AS_OF + timedelta(days=30))
    entry = AuditEntry.objects.get(verb="health.overridden")
    assert (entry.actor, entry.target, entry.details["score"]) == (
        cast.teammate,
        KESTREL,
        20,
    )
    lake.refresh()
    (row,) = healthbook.scores(lake, account=KESTREL, as_of=AS_OF)
    assert (row["score"], row["color"]) == (20, "red")
    page = said(client.get(reverse("customers:account", args=[KESTREL])).content)
    assert "Set by a person; computed were 42.8" in page
    assert "A person set this score; usage does not move it." in page
    history = said(client.get(url("account")).content)
    assert "The champion left" in history
    assert "A person set or withdrew a score" in history
    client.post(url("withdraw", override.pk))
    lake.refresh()
    (again,) = healthbook.scores(lake, account=KESTREL, as_of=AS_OF)
    assert again["score"] == pytest.approx(42.82, abs=0.01)
    causes = [t["cause"] for t in lake.lake.read("health_transitions").to_pylist()
              if t["date"] == AS_OF and t["account_id"] == KESTREL]  # fmt: skip
    assert causes == ["override", "override"]


def test_a_second_override_ends_the_first(workspace: Workspace, cast: Cast) -> None:
    member = cast.membership(cast.teammate)
    for score in (20, 60):
        actions.set_override(
            member, KESTREL, score=score, reason="x", ends_on=AS_OF + timedelta(days=7)
        )
    (now,) = actions.in_force(workspace, KESTREL)
    assert now.score == 60
    assert Override.objects.get(score=20).ends_on == AS_OF


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"reason": ""}, "This field is required."),
        ({"score": "101"}, "less than or equal to 100"),
        ({"score": "x"}, "whole number"),
        ({"days": "365"}, "not one of the available choices"),
    ],
)
def test_bad_overrides_are_refused(
    changes: dict[str, str],
    reason: str,
    workspace: Workspace,
    cast: Cast,
    client_of: ClientOf,
) -> None:
    response = client_of(cast.teammate).post(url("override"), {**GIVEN, **changes})
    assert response.status_code == 422
    assert reason in said(response.content)
    assert not Override.objects.exists()


def test_no_override_is_for_ever(workspace: Workspace, cast: Cast) -> None:
    member = cast.membership(cast.owner)
    for days in (0, 91):
        with pytest.raises(BadValue, match="within 90 days"):
            actions.set_override(
                member,
                KESTREL,
                score=1,
                reason="x",
                ends_on=AS_OF + timedelta(days=days),
            )
    with pytest.raises(BadValue, match="reason"):
        actions.set_override(
            member, KESTREL, score=1, reason=" ", ends_on=AS_OF + timedelta(days=1)
        )


def test_a_pulse_is_noted(
    workspace: Workspace, lake: Lake, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    given = {"value": "70", "note": "Warm since the visit"}
    assert client.post(url("pulse"), given).status_code == 302
    assert client.post(url("pulse"), {"value": "700"}).status_code == 422
    (row,) = lake.lake.read("health_pulses").to_pylist()
    assert (row["account_id"], row["value"], row["date"]) == (KESTREL, 70, AS_OF)
    page = said(client.get(url("account")).content)
    assert "Warm since the visit" in page
    assert "does not count it" in page
    assert AuditEntry.objects.filter(verb="health.pulse", target=KESTREL).exists()


def test_only_members_say_something(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    member = cast.membership(cast.teammate)
    until = AS_OF + timedelta(days=7)
    set_ = actions.set_override(member, KESTREL, score=20, reason="x", ends_on=until)
    for user, code in ((cast.viewer, 403), (cast.stranger, 404), (cast.nobody, 404)):
        client = client_of(user)
        assert client.post(url("override"), GIVEN).status_code == code
        assert client.post(url("pulse"), {"value": "1"}).status_code == code
        assert client.post(url("withdraw", set_.pk)).status_code == code
    mine = client_of(cast.teammate)
    other = reverse("health:override", args=[OTHER])
    assert mine.post(other, GIVEN).status_code == 404
    assert Override.objects.count() == 1
    assert not Pulse.objects.exists()


def test_another_scorecard_is_the_cause_and_says_so(
    workspace: Workspace, lake: Lake, cast: Cast, client_of: ClientOf
) -> None:
    """Red begins at 43 now: Kestrel (42.8) is red, and nothing happened to it."""
    card = with_tried(scorecards.active(lake).card, cuts=(43, 60, 80))
    actions.publish(workspace, card, by=cast.owner, note="Red earlier")
    lake.refresh()
    client = client_of(cast.viewer)
    page = said(client.get("/?who=team").content)
    assert "Other rules" in page
    assert "Other rules" in said(client.get(url("account")).content)
    assert "edges" not in page
    account = said(client.get(reverse("customers:health", args=[KESTREL])).content)
    assert "Below 43 is red" in account
    assert "scorecard version 1" in account
    assert "0.2 points to orange" in said(
        client.get(reverse("customers:account", args=[KESTREL])).content
    )


def test_a_carried_score_says_since_when(
    workspace: Workspace, lake: Lake, cast: Cast, client_of: ClientOf
) -> None:
    rows = [r for r in lake.lake.read("health_snapshots").to_pylist()
            if r["account_id"] == KESTREL and r["date"] == AS_OF]  # fmt: skip
    later = rows[-1]["computed_at"] + timedelta(minutes=1)
    carried = {
        **rows[-1],
        "computed_at": later,
        "frozen_since": AS_OF - timedelta(days=2),
    }
    write(lake.lake, "health_snapshots", [carried])
    client = client_of(cast.viewer)
    for page in (url("account"), reverse("customers:account", args=[KESTREL])):
        assert "Carried over from 30 May: events were missing." in said(
            client.get(page).content
        )
