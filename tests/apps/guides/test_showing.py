"""Guides before people: offered, claimed, told of, and never against the rules."""

from __future__ import annotations

from typing import Any

import pytest

from perennial.apps.guides import actions, tokens
from perennial.apps.guides.models import Guide, Showing, Told
from perennial.apps.intake import sources
from perennial.apps.onboarding import actions as flows
from perennial.apps.onboarding.progress import progress_of
from perennial.apps.surveys import tokens as signed
from perennial.apps.surveys.tokens import Purpose
from perennial.apps.team.models import Membership, Workspace
from perennial.core.windows import DAY
from perennial.lake.onboarding import catch_up
from perennial.lake.workspace import Workspace as Lake
from tests.apps.customers.company import FRESH, GREEN, KESTREL
from tests.apps.guides.conftest import Cast, Clock, Live, Snippet


def tell(snippet: Snippet, shown: dict[str, Any], did: str, step: str = "") -> int:
    said = {"token": shown["token"], "did": did, "step": step}
    status: int = snippet.post("told", said).status_code
    return status


def claim(snippet: Snippet, user: str = "g1") -> dict[str, Any] | None:
    things = snippet.things(user)
    return snippet.claim(things[0]["ticket"]) if things else None


def begun(snippet: Snippet, user: str = "g1") -> dict[str, Any]:
    shown = claim(snippet, user)
    assert shown is not None
    return shown


def test_a_tour_goes_on_where_it_stopped_and_is_over_when_finished(
    snippet: Snippet, lake: Lake, live: Live, moving: Clock, admin: Membership
) -> None:
    guide = live("tour", who={"pages": ["/reports/*"]})
    [thing] = snippet.things()
    assert thing["pages"] == ["/reports/*"]
    assert (thing["kind"], thing["stays"]) == ("guide", False)
    shown = begun(snippet)
    assert (shown["kind"], shown["form"], shown["at"]) == ("guide", "walkthrough", 0)
    assert shown["steps"][0]["title"] == "Välkommen!"
    assert shown["steps"][1]["anchor"] == {"selectors": ["#export"], "text": "Export"}
    assert shown["words"]["close"] == "Stäng"
    for did, step in (
        ("seen", ""),
        ("step", "welcome"),
        ("step", "here"),
        ("step", "here"),
    ):
        assert tell(snippet, shown, did, step) == 200
    # The team changes it meanwhile: whoever is in the middle goes on with what they saw.
    guide.document["steps"] = guide.document["steps"][1:]
    actions.save(guide, admin, guide.name, guide.document)
    actions.publish(guide, admin)
    again = begun(snippet)
    assert (again["at"], len(again["steps"])) == (1, 3)
    assert tell(snippet, again, "done") == 200
    assert snippet.things() == []
    held = Showing.objects.get()
    assert (held.times, held.number, held.account_id) == (1, 1, GREEN)
    assert None not in {held.seen_at, held.finished_at}
    assert Told.objects.count() == 4
    moving.forward(days=40)
    assert snippet.things() == []
    assert len(begun(snippet, "k1")["steps"]) == 2


def test_without_its_element_a_guide_is_over_where_it_says_so(
    snippet: Snippet, lake: Lake, live: Live, admin: Membership, moving: Clock
) -> None:
    guide = live("tour", when={"often": "until_finished"})
    shown = begun(snippet)
    assert [step["lost"] for step in shown["steps"]] == ["center"] * 3
    tell(snippet, shown, "lost", "here")
    assert begun(snippet)["token"]  # it goes on
    guide.document["steps"][1]["lost"] = "end"
    actions.save(guide, admin, guide.name, guide.document)
    actions.publish(guide, admin)
    moving.forward(days=2)
    shown = begun(snippet)
    tell(snippet, shown, "lost", "here")
    assert snippet.things() == []
    held = Showing.objects.get()
    assert (held.times, held.dismissed_at, held.lost_at) == (2, None, lake.now)
    moving.forward(days=1)
    assert begun(snippet)["at"] == 0


def test_one_a_day_comes_between_and_the_rest_stays_beside(
    snippet: Snippet, lake: Lake, live: Live, moving: Clock
) -> None:
    live("tour", "first")
    live("tour", "second")
    live("banner")
    live("announcement")
    assert len(snippet.things()) == 4
    tour = begun(snippet)
    offered = [t["id"] for t in snippet.things()]
    names = dict(Guide.objects.values_list("pk", "name"))
    assert [names[int(i.partition("-")[2])] for i in offered] == [
        "first",
        "banner",
        "announcement",
    ]
    assert tell(snippet, tour, "snoozed") == 200
    assert len(snippet.things()) == 2
    moving.forward(days=1)
    assert begun(snippet)["name"] == "first"
    tell(snippet, tour, "dismissed")
    assert Showing.objects.get().times == 1
    moving.forward(days=1)
    assert begun(snippet)["name"] == "second"
    moving.forward(days=4)
    assert "first" not in {names[int(t["id"][6:])] for t in snippet.things()}
    moving.forward(days=4)
    assert begun(snippet)["name"] == "first"
    assert Showing.objects.get(guide__name="first").times == 2


def test_who_is_held_out_is_counted_and_sees_nothing(
    snippet: Snippet, lake: Lake, live: Live
) -> None:
    guide = live("announcement", when={"hold_out": 50})
    # Chance is drawn from the key.
    Guide.objects.update(key="always the same")
    variants = set()
    for n in range(1, 6):
        thing = snippet.things(f"k{n}")[0]
        shown = snippet.claim(thing["ticket"])
        held = Showing.objects.get(person=f"k{n}")
        assert (shown is None) == (held.variant == "held_out")
        assert held.claimed_at is not None
        if shown is None:
            assert (snippet.things(f"k{n}"), held.times) == ([], 0)
        variants.add(held.variant)
    assert variants == {"a", "held_out"}
    assert not guide.showings.filter(variant="held_out", seen_at__isnull=False).exists()


def test_a_list_is_ticked_by_events_and_begins_guides(
    snippet: Snippet, lake: Lake, live: Live
) -> None:
    tour, gone = live("tour", who={"invited": True}), live("tour", "gone")
    Guide.objects.filter(pk=gone.pk).update(state=Guide.State.PAUSED)
    title = {"en": "x", "de": "x", "sv": "x"}
    live(
        "checklist",
        items=[
            {"id": "report", "title": title, "event": "Report Viewed"},
            {"id": "never", "title": title, "event": "Never Sent"},
            {"id": "tour", "title": title, "does": "guide", "guide": tour.pk},
            {"id": "gone", "title": title, "does": "guide", "guide": gone.pk},
        ],
    )
    shown = begun(snippet)
    done = {item["id"]: item["done"] for item in shown["items"]}
    assert done == {"report": True, "never": False, "tour": False, "gone": False}
    assert [item["does"] for item in shown["items"]] == [
        "none",
        "none",
        "guide",
        "none",
    ]
    assert tell(snippet, shown, "step", "never") == 200
    assert begun(snippet)["items"][1]["done"]
    # Begun from the list it is shown whatever the rules say, as often as it is asked.
    ticket = shown["items"][2]["guide"]
    for _ in range(2):
        opened = snippet.claim(ticket)
        assert opened is not None
        assert tell(snippet, opened, "done") == 200
    assert Showing.objects.get(guide=tour).times == 2


def test_people_it_is_meant_for(
    snippet: Snippet, lake: Lake, live: Live, admin: Membership, workspace: Workspace
) -> None:
    guide = live("banner", who={"invited": True})
    assert snippet.things() == []
    assert actions.invite(workspace, guide, [KESTREL, GREEN, KESTREL], None) == 2
    assert actions.invite(workspace, guide, [GREEN], None) == 0
    assert len(snippet.things()) == 1
    assert snippet.things("f1") == []
    live("banner", "segment", who={"segment": "no-such"})
    live("banner", "roles", who={"roles": ["planner"]})
    live("banner", "next", who={"guide": guide.pk, "progress": "finished"})
    assert len(snippet.things("k1")) == 2
    assert len(snippet.things("g1")) == 1
    shown = begun(snippet)
    tell(snippet, shown, "done")
    assert [begun(snippet)["name"]] == ["next"]
    assert snippet.things("staff") == []


def test_forged_replayed_and_foreign_tokens(
    snippet: Snippet, lake: Lake, live: Live, cast: Cast, moving: Clock
) -> None:
    guide = live("announcement", when={"often": "every", "every_days": 1})
    shown = begun(snippet)
    for token in ("", "x", shown["token"][:-2], signed.make(signed.ANSWER, 1, 1)):
        assert tell(snippet, {"token": token}, "seen") == 404
    for did, step in (
        ("paid", ""),
        ("step", "nowhere"),
        ("lost", ""),
        ("clicked", "<b>"),
    ):
        assert tell(snippet, shown, did, step) == 400
    assert not Told.objects.exists()
    assert [tell(snippet, shown, "dismissed") for _ in range(3)] == [200] * 3
    assert Told.objects.count() == 1
    moving.forward(days=8)
    later = begun(snippet)
    assert tell(snippet, shown, "done") == 200
    held = Showing.objects.get()
    assert (held.times, held.finished_at) == (2, None)
    assert tell(snippet, later, "done") == 200
    # A ticket opens no guide of another workspace, and none that is paused.
    ticket = signed.make(signed.TICKET, "guide", guide.pk, "k1", KESTREL, "")
    other = sources.create_key(cast.elsewhere, "Product", by=None).key
    assert (
        snippet.post("claim", {"key": other, "ticket": ticket}).json()["show"] is None
    )
    Guide.objects.update(state=Guide.State.PAUSED)
    assert snippet.claim(ticket) is None
    Guide.objects.update(state=Guide.State.ARCHIVED)
    assert tell(snippet, later, "seen") == 404


@pytest.mark.parametrize("body", ["", "[]", "{", '{"token": {}, "selectors": 1}'])
@pytest.mark.parametrize("path", ["told", "picked"])
def test_bodies_that_are_none(snippet: Snippet, path: str, body: str) -> None:
    assert snippet.post(path, body).status_code in {400, 404}
    assert snippet.client.get(f"/snippet/v1/{path}").status_code == 405
    answered = snippet.client.options(f"/snippet/v1/{path}")
    assert answered["Access-Control-Allow-Origin"] == "*"


def test_the_picker_points_for_one_step_and_one_member(
    snippet: Snippet,
    member: Membership,
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    guide = actions.add(member, "Tour", "tour")
    token = tokens.to_pick(guide, member, "a", "here")
    said = {"token": token, "selectors": ["#go", " ", 7, "x" * 501], "page": "/start",
            "text": "Go"}  # fmt: skip
    for wrong in ({"selectors": []}, {"selectors": "#go"}, {"selectors": [{}]}):
        assert snippet.post("picked", said | wrong).status_code == 400
    nowhere = tokens.to_pick(guide, member, "b", "here")
    viewer = tokens.to_pick(guide, cast.membership(cast.viewer), "a", "here")
    stranger = tokens.to_pick(guide, cast.membership(cast.stranger), "a", "here")
    for wrong in (nowhere, viewer, stranger, token[:-1], ""):
        assert snippet.post("picked", said | {"token": wrong}).status_code == 404
    assert snippet.post("picked", said).status_code == 200
    guide.refresh_from_db()
    step = guide.document["steps"][1]
    assert step["anchor"] == {"selectors": ["#go"], "text": "Go"}
    assert (step["page"], step["place"]) == ("/start", "anchor")
    entry = guide.workspace.audit.latest("pk")
    assert (entry.verb, entry.details["step"]) == ("guide.picked", "here")
    actions.archive(guide, cast.membership(cast.admin))
    assert snippet.post("picked", said).status_code == 404
    Guide.objects.update(state=Guide.State.DRAFT)
    assert snippet.post("picked", said).status_code == 200
    monkeypatch.setattr(tokens, "PICK", Purpose(tokens.PICK.salt, DAY * 0))
    assert snippet.post("picked", said).status_code == 404


def test_a_list_of_the_steps_of_a_flow_is_for_those_in_it(
    snippet: Snippet, lake: Lake, live: Live, admin: Membership, workspace: Workspace
) -> None:
    document = {
        "per": "account",
        "since": "2026-01-01",
        "steps": [
            {"name": "Board", "event": "Board Viewed"},
            {"name": "Tour", "by": "checklist"},
        ],
    }
    flow = flows.add(admin, "Launch", "account")
    assert flows.save(flow, admin, "Launch", document) == ""
    flows.publish(flow, admin)
    catch_up(lake)
    title = {"en": "x", "de": "x", "sv": "x"}
    items = [
        {"id": "board", "title": title, "step": "Launch/Board"},
        {"id": "tour", "title": title, "step": "Launch/Tour"},
    ]
    live("checklist", items=items)
    # Greenfield began before the flow was.
    assert snippet.things("g1") == []

    def begun_by_newcomer() -> list[bool]:
        [thing] = snippet.things("f1", groupId=FRESH)
        shown = snippet.claim(thing["ticket"])
        assert shown is not None
        tell(snippet, shown, "clicked", "tour")
        return [item["done"] for item in shown["items"]]

    assert begun_by_newcomer() == [True, False]
    assert begun_by_newcomer() == [True, True]
    catch_up(lake)
    done = progress_of(workspace, "Launch", "f1", FRESH)
    assert done["Tour"] is not None
