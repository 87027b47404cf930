"""Our own pages: who may do what, what the form keeps, what results say."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from perennial.apps.guides import (
    actions,
    audience,
    example,
    forms,
    library,
    queries,
    results,
)
from perennial.apps.guides.models import Guide, GuideVersion, Showing, Told
from perennial.apps.team.models import Membership, User, Workspace
from perennial.core.errors import BadValue
from perennial.core.guides import read
from perennial.demo import truths
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring.differences import of_shares
from tests.apps.customers.company import GREEN, KESTREL
from tests.apps.guides.conftest import Cast, Live
from tests.builders import write

ClientOf = Callable[[User], Client]


def url(name: str, *args: object) -> str:
    return reverse(f"guides:{name}", args=args)


def test_members_write_admins_publish_viewers_read(
    workspace: Workspace, lake: Lake, cast: Cast, client_of: ClientOf
) -> None:
    bob, vera, ada = (client_of(u) for u in (cast.teammate, cast.viewer, cast.admin))
    assert vera.get(url("guides")).status_code == 200
    assert vera.post(url("new"), {"template": "tour"}).status_code == 403
    made = bob.post(url("new"), {"template": "announcement"})
    guide = Guide.objects.get()
    assert made["Location"] == url("edit", guide.pk)
    assert bob.post(url("new"), {"template": "popup"}).status_code == 302
    assert Guide.objects.count() == 1
    edit, turn, back = (url(n, guide.pk) for n in ("edit", "turn", "bring_back"))
    pick = url("pick", guide.pk)
    assert vera.get(edit).status_code == 200
    for denied in (edit, turn, back):
        assert vera.post(denied, {"name": "x", "do": "publish"}).status_code == 403
    assert vera.get(pick).status_code == 403
    assert bob.post(turn, {"do": "publish"}).status_code == 403
    assert ada.post(turn, {"do": "publish"}).status_code == 302
    assert ada.post(turn, {"do": "nonsense"}).status_code == 404
    guide.refresh_from_db()
    assert (guide.state, guide.number) == ("on", 1)
    stranger = client_of(cast.stranger)
    for name in ("guide", "edit", "preview", "pick"):
        assert stranger.get(url(name, guide.pk)).status_code == 404
    assert stranger.get(url("anchor", guide.pk, "news")).status_code == 404
    assert stranger.post(turn, {"do": "pause"}).status_code == 404
    assert stranger.post(back, {"number": "1"}).status_code == 404
    verbs = list(workspace.audit.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["guide.added", "guide.published"]


def sent_of(document: dict[str, Any], language: str, variant: str = "a") -> QueryDict:
    """What a browser sends of the form."""
    form, sent = forms.shown(document, language, variant), QueryDict(mutable=True)
    sent["lang"], sent["variant"] = language, variant
    sent.setlist("languages", document["languages"])
    for n, each in enumerate(form["parts"]):
        sent[f"title-{n}"], sent[f"body-{n}"] = each["said"], each["text"]
        for name in (
            "place",
            "page",
            "advance",
            "event",
            "does",
            "url",
            "selectors",
            "step",
        ):
            sent[f"{name}-{n}"] = str(each.get(name) or "")
        sent[f"guide-{n}"] = str(each.get("guide") or "")
        for m, button in enumerate(each["buttons"]):
            sent[f"label-{n}-{m}"], sent[f"does-{n}-{m}"] = (
                button["said"],
                button["does"],
            )
            sent[f"url-{n}-{m}"] = button["url"]
    if form["invited"]:
        sent["invited"] = "on"
    plain = {k: v for k, v in form.items() if k not in {"parts", "invited"}}
    for name, value in plain.items():
        sent[name] = "" if value is None else str(value)
    return sent


@pytest.mark.parametrize("template", list(library.TITLES))
@pytest.mark.parametrize("language", ["en", "sv"])
def test_a_form_sent_back_as_it_was_changes_nothing(
    template: str, language: str
) -> None:
    document = library.document(template)
    for step in document.get("steps", []):
        step["anchor"] = {"selectors": ["#a", "main > b"], "text": "A"}
    document["who"] = {"segment": "s", "roles": ["a b"], "pages": ["/x/*"], "event": "E",
                       "guide": 3, "progress": "seen", "invited": True}  # fmt: skip
    document["look"] = {"accent": "#112233", "radius": 0, "mode": "dark"}
    document["target"] = {"event": "E", "days": 3}
    name = forms.list_of(document)
    document["other"] = {name: copy.deepcopy(document[name])}
    document["when"] = {**document.get("when", {}), "other": 30, "by": "account"}
    for variant in ("a", "b"):
        made = forms.document_of(sent_of(document, language, variant), document)
        assert read(made) == read(document)
        assert (
            made["steps" if name == "steps" else "items"][0]["title"]
            == document[name][0]["title"]
        )


def test_parts_come_move_and_go(admin: Membership) -> None:
    document = library.document("tour")

    def done(do: str, stored: dict[str, Any] = document) -> dict[str, Any]:
        sent = sent_of(copy.deepcopy(stored), "en")
        sent["do"] = do
        return forms.document_of(sent, stored)

    def ids(made: dict[str, Any]) -> list[str]:
        return [each["id"] for each in made["steps"]]

    assert ids(done("add")) == ["welcome", "here", "end", "s1"]
    assert ids(done("remove-0")) == ["here", "end"]
    assert ids(done("up-2")) == ["welcome", "end", "here"]
    assert ids(done("down-0")) == ["here", "welcome", "end"]
    assert ids(done("up-0")) == ids(done("down-9")) == ids(document)
    assert len(done("button-1")["steps"][1]["buttons"]) == 2
    assert done("unbutton-1-0")["steps"][1]["buttons"] == []
    both = done("variant")
    assert both["when"]["other"] == 50
    assert ids(both["other"]) == ids(document)
    assert "other" not in done("one", both)
    guide = actions.add(admin, "Tour", "tour")
    assert "step 2: point at an element" in actions.save(guide, admin, "Tour", document)
    with pytest.raises(BadValue):
        actions.publish(guide, admin)


def test_the_builder_keeps_publishes_and_brings_back(
    lake: Lake, live: Live, cast: Cast, client_of: ClientOf
) -> None:
    guide, ada = live("announcement"), client_of(cast.admin)
    edit = url("edit", guide.pk)
    sent = sent_of(guide.document, "en")
    sent["name"], sent["title-0"] = "<script>alert(1)</script>", "</script><b>Hi"
    sent["site"] = "https://app.example/x#frag"
    page = ada.post(edit, sent).content.decode()
    assert "<script>alert(1)" not in page
    preview = ada.get(url("preview", guide.pk))
    assert "</script><b>" not in preview.content.decode()
    assert preview["X-Frame-Options"] == "SAMEORIGIN"
    guide.refresh_from_db()
    assert queries.is_changed(guide)
    picking = ada.get(url("pick", guide.pk) + "?step=news")["Location"]
    assert picking.startswith("https://app.example/x#perennial-pick=")
    sent["do"] = "publish"
    assert ada.post(edit, sent)["Location"] == url("guide", guide.pk)
    guide.refresh_from_db()
    assert guide.number == 2
    ada.post(url("bring_back", guide.pk), {"number": "1"})
    guide.refresh_from_db()
    assert guide.document["steps"][0]["title"]["en"] == "Something new"
    for site in ("javascript:alert(1)", "", "ftp://x"):
        sent["site"], sent["do"] = site, ""
        ada.post(edit, sent)
        assert ada.get(url("pick", guide.pk) + "?step=news")["Location"] == edit
    sent["lang"], sent["accent"] = "en", "red"
    assert "accent" in ada.post(edit, sent).content.decode()
    assert "accent" in ada.get(url("preview", guide.pk)).content.decode()


def test_whom_it_is_for(lake: Lake, live: Live, workspace: Workspace) -> None:
    guide = live("tour", who={"invited": True})
    none = audience.look(guide, read(guide.document))
    assert none.people == 0
    assert none.reasons
    actions.invite(workspace, guide, [GREEN], None)
    chosen = audience.look(guide, read(guide.document))
    assert (chosen.people, chosen.accounts) == (1, 1)
    after = read({**guide.document, "who": {"guide": guide.pk, "progress": "not_seen"}})
    everybody = audience.look(guide, after).people
    Showing.objects.create(
        guide=guide, number=1, person="g1", account_id=GREEN, variant="a",
        began_on=lake.today, claimed_at=lake.now, seen_at=lake.now,
    )  # fmt: skip
    assert audience.look(guide, after).people == everybody - 1


# --- results -----------------------------------------------------------------


def show(guide: Guide, lake: Lake, person: str, variant: str, **more: Any) -> Showing:
    at = lake.now - timedelta(days=20)
    seen = None if variant == "held_out" else at
    return Showing.objects.create(
        guide=guide, number=1, person=person, account_id=KESTREL, variant=variant,
        times=1, began_on=at.date(), claimed_at=at, seen_at=seen, **more,
    )  # fmt: skip


def test_how_far_they_came_and_which_variant_is_better(
    lake: Lake, live: Live, cast: Cast, client_of: ClientOf
) -> None:
    document = library.document("tour")
    guide = live("tour", other={"steps": document["steps"][::2]}, when={"other": 50})
    for n in range(80):
        variant = "ab"[n % 2]
        is_done = n % 8 == 0 or (variant == "b" and n % 4 == 1)
        showing = show(guide, lake, f"p{n}", variant,
                       finished_at=lake.now if is_done else None)  # fmt: skip
        for step in ("welcome", "here")[: 1 + (variant == "a" and n % 4 == 0)]:
            Told.objects.create(
                showing=showing, times=1, did="step", step=step, at=lake.now
            )
    for n in range(4):
        Told.objects.create(
            showing=Showing.objects.get(person=f"p{n * 4 + 2}"),
            times=1, did="lost", step="here", at=lake.now,
        )  # fmt: skip
    found = results.showings(guide, 90)
    sides = results.sides(found)
    assert (sides["a"].seen, sides["a"].finished) == (40, 10)
    assert (sides["b"].seen, sides["b"].finished) == (40, 20)
    assert results.whole(sides).share == 30 / 80
    assert results.between(sides) == of_shares(20, 40, 10, 40)
    assert results.is_enough(sides)
    steps = results.reached(guide, found, "a", "de")
    assert [(s.title, s.n, s.lost) for s in steps] == [
        ("Willkommen!", 40, 0),
        ("Hier fängt es an", 20, 4),
        ("Das war es", 0, 0),
    ]
    [lost] = queries.lost(guide, lake)
    assert (lost.place, lost.missed, lost.due) == (2, 4, 24)
    vera = client_of(cast.viewer)
    page = vera.get(url("guide", guide.pk) + "?variant=b").content.decode()
    assert "Step 2 was not found 4 of 24 times" in page
    assert "Not found" in vera.get(url("guides")).content.decode()
    lines = (
        vera.get(url("guide", guide.pk) + "?format=csv").content.decode().splitlines()
    )
    assert lines[0].startswith("user_id,account_id,variant")
    assert len(lines) == 81


@pytest.mark.parametrize(
    ("target", "with_it", "without"),
    [
        ({"event": "Report Viewed", "days": 10}, 1.0, 0.0),
        ({"metric": "active_days", "days": 10}, 5.0, 1.0),
        ({"metric": "sessions", "days": 10}, 5.0, 1.0),
    ],
)
def test_what_it_changed_against_those_held_out(
    lake: Lake,
    live: Live,
    target: dict[str, Any],
    with_it: float,
    without: float,
    monkeypatch: pytest.MonkeyPatch,
    cast: Cast,
    client_of: ClientOf,
) -> None:
    guide = live("announcement", target=target, when={"hold_out": 50})
    # Greenfield's people are in every other day and look at reports, Kestrel's are not:
    # k1 to k3 came on the 15th, 17th and 20th day before today.
    for user in ("g1", "g2", "g3", "g4"):
        show(guide, lake, user, "a")
    for user in ("k1", "k5"):
        show(guide, lake, user, "held_out")
    late = show(guide, lake, "k2", "held_out")
    Showing.objects.filter(pk=late.pk).update(claimed_at=lake.now - timedelta(days=9))
    found = results.change(guide, results.showings(guide, 90))
    assert found is not None
    assert (found.n, found.n_without, found.waiting) == (4, 2, 1)
    assert (found.value, found.without) == (with_it, pytest.approx(without, abs=0.51))
    assert not found.is_enough
    assert not found.is_shown
    page, part = url("guide", guide.pk), url("guide", guide.pk) + "?part=change"
    with monkeypatch.context() as patch:  # what people did is not read for the page
        patch.setattr(results, "change", None)
        assert "part=change" in client_of(cast.viewer).get(page).content.decode()
    assert "It is too early" in client_of(cast.viewer).get(part).content.decode()
    monkeypatch.setattr(results, "FEWEST", 2)
    assert found.is_shown == (found.effect is not None and found.effect.is_shown)
    # Of whole accounts: Greenfield's four people together.
    GuideVersion.objects.update(
        document={**guide.document, "when": {"by": "account", "hold_out": 50}}
    )
    Showing.objects.filter(variant="a").update(account_id=GREEN)
    whole = results.change(guide, results.showings(guide, 90))
    assert whole is not None
    assert (whole.n, whole.n_without) == (1, 1)
    assert whole.value == (1.0 if "event" in target else 20.0)
    Showing.objects.filter(variant="held_out").delete()
    assert results.change(guide, results.showings(guide, 90)) is None


def test_the_example_company_has_a_guide_with_an_effect_that_is_found(
    workspace: Workspace, lake: Lake, client_of: Callable[[User], Client], cast: Cast
) -> None:
    """The planted one, with its interval, beside those held out; made once."""
    people = [f"p{n}" for n in range(700)]
    born = "2025-01-01T09:00"
    write(lake.lake, "users", [{"user_id": p, "created_at": born} for p in people])
    chance = Random(4)
    write(
        lake.lake,
        "events",
        [
            {
                "event": truths.GUIDE_TARGET,
                "event_id": f"{person} {n}",
                "user_id": person,
                "account_id": GREEN,
                "timestamp": lake.now - timedelta(hours=chance.randrange(24, 60 * 24)),
            }
            for person in people
            for n in range(chance.randint(1, 3))
        ],
    )
    for _ in range(2):
        example.set_up(workspace, truths.GUIDE_TARGET, *truths.guided())
    tour = workspace.guides.get(form="walkthrough")
    found = results.change(tour, results.showings(tour, 90))
    assert found is not None
    assert found.effect is not None
    assert found.is_shown
    [planted] = (t.effect for t in truths.TRUTHS if t.name == "guide_effect")
    assert found.effect.low < planted < found.effect.high
    assert (found.waiting, found.n_without > 80) == (0, True)
    page = client_of(cast.viewer).get(
        reverse("guides:guide", args=[tour.pk]) + "?part=change"
    )
    assert "Held out" in page.content.decode()
    assert "more than chance gives" in page.content.decode()
    states = dict(workspace.guides.values_list("name", "state"))
    assert sorted(states.values()) == ["draft", "on", "on"]
    for guide in workspace.guides.filter(state="on"):
        sides = results.sides(results.showings(guide, 90))
        assert results.whole(sides).finished <= results.whole(sides).seen
