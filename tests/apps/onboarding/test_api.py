"""Onboarding flows for programs: with the rights of whoever made the token."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from perennial.apps.onboarding.models import Flow
from perennial.apps.team.models import AuditEntry
from perennial.lake.onboarding import catch_up
from perennial.lake.workspace import Workspace as Lake
from tests.apps.customers.company import FRESH, GREEN
from tests.apps.guides.test_api import client, send
from tests.apps.onboarding.test_pages import DOCUMENT, ClientOf
from tests.apps.team.cast import Cast

PATH = "onboarding-flows"


def progress(browser: Client, pk: int, **asked: str) -> Any:
    return browser.get(f"/api/v1/{PATH}/{pk}/progress", asked).json()


def test_a_flow_is_made_published_ticked_and_read(
    cast: Cast, lake: Lake, client_of: ClientOf
) -> None:
    ada, bob = (client(cast.workspace, u) for u in (cast.admin, cast.teammate))
    made = send(bob, "post", PATH, name="Launch", document={**DOCUMENT, "per": "x"})
    found = made.json()
    assert (found["state"], found["version"]) == ("draft", 0)
    assert "per" in found["problem"]
    one = f"{PATH}/{found['id']}"
    assert send(ada, "post", f"{one}/publish").status_code == 400
    for bad in ({"steps": "x"}, {"steps": ["x"]}, {**DOCUMENT, "who": 1}):
        assert send(bob, "put", one, document=bad).status_code == 400
    assert send(bob, "put", one, document=DOCUMENT).json()["problem"] == ""
    assert send(bob, "post", f"{one}/publish").status_code == 403
    assert send(ada, "post", f"{one}/publish").json()["state"] == "on"
    refused = send(ada, "put", one, document=DOCUMENT, name="Other")
    assert "keeps its name" in refused.json()["detail"]
    catch_up(lake)
    [place] = progress(bob, found["id"], account_id=FRESH)
    assert (place["account_id"], place["user_id"], place["version"]) == (FRESH, None, 1)
    assert [s["name"] for s in place["steps"]] == ["Board", "Call", "Seats", "Tour"]
    assert place["steps"][1]["completed_at"] is None
    assert progress(bob, found["id"], account_id=GREEN) == []
    assert progress(bob, found["id"])["detail"] == "name an account_id or a user_id"
    day = "2026-05-30T09:00:00"
    tick = {"step": "Call", "account_id": FRESH}
    [place] = send(bob, "post", f"{one}/ticks", **tick, completed_at=day).json()
    # Without an offset it is the workspace's own time.
    assert place["steps"][1]["completed_at"] == "2026-05-30T07:00:00Z"
    [place] = send(bob, "post", f"{one}/ticks", **tick, completed_at=None).json()
    assert place["steps"][1]["completed_at"] is None
    [place] = send(bob, "post", f"{one}/ticks", **tick).json()
    assert place["steps"][1]["completed_at"] is not None
    for wrong in ({"step": "Board"}, {"account_id": GREEN}, {"account_id": ""}):
        assert send(bob, "post", f"{one}/ticks", **{**tick, **wrong}).status_code == 400
    assert send(ada, "post", f"{one}/stop").json()["state"] == "off"
    _others_may_not(cast, found["id"])
    done = AuditEntry.objects.filter(verb__startswith="onboarding.")
    assert sorted(done.values_list("verb", flat=True)) == sorted([
        *("onboarding.added", "onboarding.changed", "onboarding.published"),
        *("onboarding.ticked", "onboarding.unticked", "onboarding.ticked"),
        "onboarding.stopped",
    ])  # fmt: skip
    page = client_of(cast.viewer).get(reverse("onboarding:flow", args=[found["id"]]))
    assert page.status_code == 200


def _others_may_not(cast: Cast, pk: int) -> None:
    vera = client(cast.workspace, cast.viewer)
    reader = client(cast.workspace, cast.admin, "read")
    stranger = client(cast.elsewhere, cast.stranger)
    assert [flow["id"] for flow in vera.get(f"/api/v1/{PATH}").json()["items"]] == [pk]
    assert stranger.get(f"/api/v1/{PATH}").json()["items"] == []
    writes = [
        ("post", PATH, {"name": "x", "document": DOCUMENT}),
        ("put", f"{PATH}/{pk}", {"document": DOCUMENT}),
        ("post", f"{PATH}/{pk}/publish", {}),
        ("post", f"{PATH}/{pk}/stop", {}),
        ("post", f"{PATH}/{pk}/ticks", {"step": "Call", "account_id": FRESH}),
    ]
    for verb, path, given in writes:
        assert send(vera, verb, path, **given).status_code == 403, path
        assert send(reader, verb, path, **given).status_code == 403, path
        if path != PATH:
            assert send(stranger, verb, path, **given).status_code == 404, path
    for path in (f"{PATH}/{pk}", f"{PATH}/{pk}/progress?account_id={FRESH}"):
        assert stranger.get(f"/api/v1/{path}").status_code == 404
        assert vera.get(f"/api/v1/{path}").status_code == 200
    assert Flow.objects.count() == 1
