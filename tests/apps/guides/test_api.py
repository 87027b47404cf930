"""Guides for programs, playbooks, the palette and the page of an account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from perennial.apps.guides import actions
from perennial.apps.guides.models import Guide, Invited, Told
from perennial.apps.team import tokens
from perennial.apps.team.models import (
    ApiToken,
    AuditEntry,
    Membership,
    User,
    Workspace,
)
from perennial.apps.work.models import RunEntry
from perennial.apps.work.playbooks import actions as playbooks
from perennial.apps.work.playbooks import engine, words
from perennial.core.errors import BadValue
from perennial.lake.workspace import Workspace as Lake
from tests.apps.customers.company import GREEN, KESTREL
from tests.apps.guides.conftest import Cast, Live
from tests.apps.guides.test_pages import show


def client(workspace: Workspace, by: User | None, scope: str = "write") -> Client:
    _token, text = tokens.create(workspace, "x", by=by, scope=ApiToken.Scope(scope))
    return Client(headers={"authorization": f"Bearer {text}"})


def send(browser: Client, verb: str, path: str, **given: Any) -> Any:
    call = getattr(browser, verb)
    return call(f"/api/v1/{path}", given, content_type="application/json")


def test_a_program_writes_with_the_rights_of_its_maker(
    cast: Cast, lake: Lake, member: Membership
) -> None:
    actions.add(member, "Tour", "tour")
    admin, bob = (client(cast.workspace, u) for u in (cast.admin, cast.teammate))
    [found] = bob.get("/api/v1/guides").json()["items"]
    assert (found["form"], found["state"]) == ("walkthrough", "draft")
    assert "point at an element" in found["problem"]
    path = f"guides/{found['id']}"
    assert send(admin, "post", f"{path}/publish").status_code == 400
    document = found["document"]
    document["steps"] = document["steps"][::2]
    document["form"] = "modal"
    written = send(bob, "put", path, document=document, name="Short tour").json()
    assert (written["name"], written["form"], written["problem"]) == (
        "Short tour",
        "walkthrough",
        "",
    )
    assert send(bob, "post", f"{path}/publish").status_code == 403
    assert send(admin, "post", f"{path}/publish").json()["state"] == "on"
    assert send(admin, "post", f"{path}/pause").json()["state"] == "paused"
    assert send(bob, "post", f"{path}/accounts", account_ids=[GREEN]).json() == {
        "chosen": 1
    }
    for other in (
        client(cast.elsewhere, cast.stranger),
        client(cast.workspace, cast.admin, "read"),
        client(cast.workspace, cast.viewer),
    ):
        for verb in ("publish", "pause"):
            assert send(other, "post", f"{path}/{verb}").status_code in {403, 404}
        assert send(other, "put", path, document={}).status_code in {403, 404}
        assert send(
            other, "post", f"{path}/accounts", account_ids=["x"]
        ).status_code in {
            403,
            404,
        }
    assert (
        client(cast.elsewhere, cast.stranger).get(f"/api/v1/{path}").status_code == 404
    )
    assert Invited.objects.count() == 1


def test_a_program_makes_a_draft_as_the_builder_would(
    cast: Cast, lake: Lake, client_of: Callable[[User], Client]
) -> None:
    bob = client(cast.workspace, cast.teammate)
    tip = {"form": "tooltip", "languages": ["en"], "steps": [{"id": "a", "title": {}}]}
    key = {"idempotency-key": "once"}
    given = {"name": "A tip", "document": tip}
    made, again = (
        bob.post("/api/v1/guides", given, "application/json", headers=key).json()
        for _ in range(2)
    )
    assert made == again
    assert (made["form"], made["state"], made["version"]) == ("tooltip", "draft", 0)
    assert made["problem"] == "step 1: point at an element of the page"
    assert AuditEntry.objects.filter(verb="guide.added").count() == 1
    taken = send(bob, "post", "guides", name="A tip", document=tip)
    assert "of this name already" in taken.json()["detail"]
    # What the builder could not show is refused, whoever sends it.
    for bad in (
        {},
        {**tip, "form": "balloon"},
        {**tip, "languages": "en"},
        {**tip, "steps": "a"},
        {**tip, "steps": ["a"]},
        {**tip, "steps": [{"title": {}}]},
        {**tip, "steps": [{"id": "a", "title": "A"}]},
        {**tip, "steps": [{"id": "a", "anchor": {"selectors": "#a"}}]},
        {**tip, "steps": [{"id": "a", "buttons": ["Next"]}]},
        {**tip, "who": {"pages": 5}},
        {**tip, "other": "b"},
    ):
        found = send(bob, "post", "guides", name="Bad", document=bad)
        assert found.status_code == 400, bad
    page = client_of(cast.teammate).get(reverse("guides:edit", args=[made["id"]]))
    assert page.status_code == 200
    for other in (
        client(cast.workspace, cast.viewer),
        client(cast.workspace, cast.teammate, "read"),
    ):
        assert send(other, "post", "guides", **given).status_code == 403
    assert Guide.objects.count() == 1


def test_results_for_programs_and_for_the_account(
    cast: Cast, lake: Lake, live: Live, client_of: Callable[[User], Client]
) -> None:
    guide = live("announcement", target={"event": "Report Viewed", "days": 10},
                 when={"hold_out": 50})  # fmt: skip
    seen = show(guide, lake, "g1", "a", finished_at=lake.now)
    show(guide, lake, "k1", "held_out")
    Told.objects.create(showing=seen, times=1, did="step", step="news", at=lake.now)
    browser = client(cast.workspace, cast.viewer, "read")
    told = browser.get(f"/api/v1/guides/{guide.pk}/results?days=30").json()
    assert told["variants"] == [
        {"variant": "a", "came": 1, "seen": 1, "finished": 1, "dismissed": 0},
        {"variant": "held_out", "came": 1, "seen": 0, "finished": 0, "dismissed": 0},
    ]
    assert told["steps"][0]["people"] == 1
    assert (told["change"]["value"], told["change"]["held_out"]) == (1.0, 0.0)
    assert not told["change"]["enough"]
    vera = client_of(cast.viewer)
    page = vera.get(reverse("customers:account", args=[KESTREL])).content.decode()
    assert "People who saw them, and who finished" in page
    assert "ncement" in vera.get("/palette/?q=annou").content.decode()


def test_a_playbook_chooses_accounts_for_a_guide(
    workspace: Workspace, lake: Lake, live: Live, admin: Membership
) -> None:
    playbook = playbooks.add(
        admin,
        {
            "name": "Show them",
            "when": {"trigger": "manual"},
            "steps": [{"do": "guide", "guide": "Tour"}],
        },
    )
    guide = live("tour", "Tour")
    with pytest.raises(BadValue, match="chosen accounts alone"):
        playbooks.turn_on(playbook, admin)
    guide.document["who"] = {"invited": True}
    actions.save(guide, admin, "Tour", guide.document)
    actions.publish(guide, admin)
    playbooks.turn_on(playbook, admin)
    playbooks.start_for(playbook, admin, [KESTREL])
    for _ in range(2):
        engine.evaluate(workspace)
    assert list(guide.invited.values_list("account_id", flat=True)) == [KESTREL]
    [line] = RunEntry.objects.filter(what="edit")
    assert words.entry(line) == "Chosen for the guide “Tour”"
    Guide.objects.update(state=Guide.State.PAUSED)
    assert actions.invite_accounts(workspace, "Tour", [GREEN]) == 0
