"""Onboarding on screen: who may do what, what a form keeps, what a tick leads to."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow.compute as pc
import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from perennial.apps.onboarding import actions, example, forms, progress, queries
from perennial.apps.onboarding.jobs import derive_onboarding
from perennial.apps.onboarding.models import Flow
from perennial.apps.team.models import AuditEntry, Membership, User, Workspace
from perennial.apps.work.alerts import rules, watch
from perennial.core import onboarding
from perennial.core.errors import BadValue
from perennial.core.windows import DAY
from perennial.lake.onboarding import catch_up
from perennial.lake.workspace import Workspace as Lake
from tests.apps.customers.company import FRESH, GREEN
from tests.apps.team.cast import Cast
from tests.builders import instant, write

ClientOf = Callable[[User], Client]
SEATS = {"all": [{"field": "assigned_users", "op": "at_least", "value": 1}]}
DOCUMENT: dict[str, Any] = {
    "per": "account",
    "since": "2026-01-01",
    "steps": [
        {"name": "Board", "event": "Board Viewed", "times": 2},
        {"name": "Call", "by": "hand"},
        {"name": "Seats", "condition": SEATS},
        {"name": "Tour", "by": "checklist", "optional": True},
    ],
}


def url(name: str, *args: object) -> str:
    return reverse(f"onboarding:{name}", args=args)


@pytest.fixture
def flow(admin: Membership, lake: Lake) -> Flow:
    """Per account, in force; FRESH is the one that began since."""
    found = actions.add(admin, "Launch", "account")
    assert actions.save(found, admin, "Launch", DOCUMENT) == ""
    actions.publish(found, admin)
    catch_up(lake)
    return found


def test_members_write_admins_publish_viewers_read(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    bob, vera, ada = (client_of(u) for u in (cast.teammate, cast.viewer, cast.admin))
    assert vera.post(url("new"), {"template": "account"}).status_code == 403
    assert bob.post(url("new"), {"template": "nonsense"}).status_code == 302
    made = bob.post(url("new"), {"template": "account"})
    flow = Flow.objects.get()
    assert made["Location"] == url("edit", flow.pk)
    # The template lacks the name of an event.
    assert ada.post(url("turn", flow.pk), {"do": "publish"}).status_code == 302
    flow.refresh_from_db()
    assert flow.number == 0
    assert vera.get(url("edit", flow.pk)).status_code == 200
    assert vera.post(url("edit", flow.pk), {"name": "x"}).status_code == 403
    assert bob.post(url("turn", flow.pk), {"do": "publish"}).status_code == 403
    assert vera.post(url("discard", flow.pk)).status_code == 403
    assert ada.post(url("turn", flow.pk), {"do": "nonsense"}).status_code == 404
    assert vera.post(url("tick"), {}).status_code == 403
    stranger = client_of(cast.stranger)
    for name in ("flow", "edit"):
        assert stranger.get(url(name, flow.pk)).status_code == 404
    assert bob.post(url("discard", flow.pk)).status_code == 302
    assert not Flow.objects.exists()
    assert b"Launch of a new customer" in bob.get(url("flows")).content


def test_a_flow_of_another_workspace_is_not_there(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    other = Workspace.objects.get(key="elsewhere")
    theirs = Flow.objects.create(workspace=other, name="Theirs", document=DOCUMENT)
    ada = client_of(cast.admin)
    assert ada.get(url("edit", theirs.pk)).status_code == 404
    assert ada.post(url("turn", theirs.pk), {"do": "publish"}).status_code == 404
    assert b"Theirs" not in ada.get(url("flows")).content


def sent(document: dict[str, Any], do: str = "") -> QueryDict:
    """What a browser sends of the form."""
    found = QueryDict(mutable=True)
    plain = {
        "per": document["per"],
        "since": document["since"],
        "do": do,
        "join": "all",
    }
    found.update(plain | {"value": document.get("value", "")})
    for n, step in enumerate(forms.shown(document)):
        for name in ("name", "by", "event", "where", "times", "segment"):
            found[f"{name}-{n}"] = str(step[name])
        if step["optional"]:
            found[f"optional-{n}"] = "on"
    return found


def test_a_form_sent_back_as_it_was_changes_nothing() -> None:
    document = {**copy.deepcopy(DOCUMENT), "value": "Call"}
    document["steps"][0]["where"] = "size > 2"
    made = forms.document_of(sent(document), document)
    assert onboarding.read(made) == onboarding.read(document)
    # A segment stands for its condition, any other is kept.
    chosen = sent(document)
    chosen["segment-2"] = "big"
    member = forms.document_of(chosen, document)
    rows = member["steps"][2]["condition"]["all"]
    assert rows == [{"field": "member_of", "op": "is", "value": ["big"]}]
    assert forms.shown(member)[2]["segment"] == "big"
    names = [
        [step["name"] for step in forms.document_of(sent(document, do), document)["steps"]]
        for do in ("down:0", "up:1", "remove:3", "add:", "up:0", "remove:9")
    ]  # fmt: skip
    assert names == [
        ["Call", "Board", "Seats", "Tour"],
        ["Call", "Board", "Seats", "Tour"],
        ["Board", "Call", "Seats"],
        ["Board", "Call", "Seats", "Tour", ""],
        ["Board", "Call", "Seats", "Tour"],
        ["Board", "Call", "Seats", "Tour"],
    ]


def test_what_is_written_as_yaml_is_read_or_refused(
    flow: Flow, admin: Membership, client_of: ClientOf, cast: Cast
) -> None:
    ada = client_of(cast.admin)
    text = ada.get(url("edit", flow.pk) + "?format=yaml").content.decode()
    assert actions.save_text(flow, admin, text) == ""
    assert onboarding.read(flow.document) == onboarding.read(DOCUMENT)
    changed = text.replace("times: 2", "times: many")
    assert "times is a whole number" in actions.save_text(flow, admin, changed)
    with pytest.raises(BadValue, match="line 2"):
        actions.save_text(flow, admin, "per: account\n  since: [")
    with pytest.raises(BadValue, match="keeps its name"):
        actions.save_text(flow, admin, text.replace("Launch", "Landing"))
    page = ada.post(url("edit", flow.pk), {"do": "yaml", "yaml": "per: ["})
    assert b"per: [" in page.content


def test_steps_are_derived_ticked_and_taken_back(
    flow: Flow, lake: Lake, workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    """Two views of a board, 3 days ago; one person; a call on 20 May."""
    [place] = queries.standing(lake, "Launch")
    assert (place.account_id, place.progress.next_step) == (FRESH, "Call")
    bob = client_of(cast.teammate)
    account = reverse("customers:account", args=[FRESH])
    assert "2 of 3 steps" in bob.get(account).content.decode()
    given = {"flow": "Launch", "step": "Call", "account": FRESH, "user": ""}
    bob.post(url("tick"), given | {"day": "2026-05-20", "next": account})
    page = bob.get(account).content.decode()
    assert "3 of 3 steps" in page
    assert cast.teammate.email in page
    done = progress.progress_of(workspace, "Launch", "f1", FRESH)
    assert done["Call"] == instant("2026-05-20T00:00+02:00")
    assert list(done) == ["Board", "Call", "Seats", "Tour"]
    assert done["Tour"] is None
    entry = AuditEntry.objects.filter(verb="onboarding.ticked").get()
    assert entry.target == "Launch: Call"
    found = client_of(cast.viewer).get(url("flow", flow.pk) + "?days=365")
    summary = found.context["summary"]
    assert (summary.started, summary.finished, summary.stalled) == (1, 1, 0)
    assert summary.in_order == 0  # the call came before the board
    table = client_of(cast.viewer).get(url("flow", flow.pk) + "?format=csv")
    assert b"2026-05-19T22:00:00+00:00" in table.content
    bob.post(url("tick"), given | {"do": "undo"})
    assert progress.progress_of(workspace, "Launch", "f1", FRESH)["Call"] is None
    for wrong in ({"step": "Board"}, {"account": GREEN}, {"day": "2026-06-09"},
                  {"day": "soon"}):  # fmt: skip
        bob.post(url("tick"), given | wrong)
    assert len(queries.standing(lake, "Launch")[0].progress.done) == 2


def test_guides_ask_how_far_somebody_is_and_tick(
    flow: Flow, workspace: Workspace, lake: Lake, admin: Membership
) -> None:
    assert [f.name for f in progress.flows(workspace)] == ["Launch"]
    assert progress.steps_of(workspace, "Launch") == ["Board", "Call", "Seats", "Tour"]
    assert progress.steps_of(workspace, "None") == []
    assert progress.progress_of(workspace, "Launch", "g1", GREEN) == {}
    assert progress.progress_of(workspace, "None", "f1", FRESH) == {}
    at = lake.now - timedelta(hours=1)

    def tick(step: str, account: str, when: datetime) -> bool:
        known = progress.complete(workspace, "Launch", step, "f1", account, when)
        derive_onboarding(workspace.key, lambda *_: None)
        return known

    assert tick("Tour", FRESH, at)
    assert tick("Tour", FRESH, lake.now)
    assert progress.progress_of(workspace, "Launch", "f1", FRESH)["Tour"] == at
    assert not tick("Call", FRESH, at)
    assert not tick("Tour", GREEN, at)
    actions.stop(flow, admin)
    assert progress.flows(workspace) == []
    assert progress.progress_of(workspace, "Launch", "f1", FRESH)["Tour"] == at


def test_the_alert_of_onboarding_that_stands_still_knows_the_steps(
    flow: Flow, workspace: Workspace, lake: Lake, admin: Membership
) -> None:
    at = lake.now - timedelta(days=10)
    document = {**DOCUMENT, "steps": DOCUMENT["steps"][1:2]}
    document["steps"] = [*document["steps"], {"name": "Handover", "by": "hand"}]
    actions.save(flow, admin, "Launch", document)
    actions.publish(flow, admin)
    actions.tick(admin, "Launch", "Call", FRESH, "", at=at)
    [fresh] = [p for p in queries.standing(lake, "Launch") if p.account_id == FRESH]
    assert fresh.is_stalled(lake.today, 7, lake.settings.tz)
    frame = watch.accounts(workspace)
    assert frame is not None
    [row] = (
        frame.filter(account_id=FRESH)
        .select("step_done", "step_of", "step_days")
        .rows()
    )
    assert row == (1, 2, 10)
    rule = rules.BY_KEY["onboarding_stalled"]
    day = rules.Day(lake.today, lake.settings.timezone)
    assert FRESH in frame.filter(rule.holds(day, 7.0))["account_id"].to_list()


def test_who_becomes_paying_is_told_by_the_steps_of_this_flow(
    flow: Flow, lake: Lake
) -> None:
    born = {"in": "2026-04-01T09:00", "idle": "2026-04-01T09:00", "out": "2025-06-01"}
    write(lake.lake, "accounts",
          [{"account_id": a, "created_at": at} for a, at in born.items()])  # fmt: skip
    trial = {"valid_from": "2026-04-01T09:00", "is_trial": True, "item_id": "trial"}
    paid = {"valid_from": "2026-04-10T09:00", "item_id": "paid", "mrr": 50}
    write(lake.lake, "subscription_items",
          [{**item, "subscription_id": a, "account_id": a, "currency": "EUR"}
           for a in born for item in ((trial, paid) if a == "in" else (trial,))])  # fmt: skip
    done = [("in", "Launch", "Board", 1), ("in", "Launch", "Tour", None),
            ("in", "Other", "Far", 5), ("out", "Launch", "Call", 2)]  # fmt: skip
    write(lake.lake, "onboarding_steps",
          [{"account_id": a, "flow": f, "step": s, "position": n,
            "completed_at": "2026-04-03T09:00"} for a, f, s, n in done])  # fmt: skip
    lake.refresh()
    chain = ("Board", "Call", "Seats")
    found = queries.conversions(lake, "Launch", chain, date(2026, 3, 1), lake.today)
    counted = [(each.step, each.n, each.paid) for each in found]
    assert counted == [("", 1, 0), ("Board", 1, 1), ("Call", 0, 0), ("Seats", 0, 0)]


def people(admin: Membership) -> Flow:
    """A draft per person, of whoever began since May."""
    flow = actions.add(admin, "People", "user")
    document = {"per": "user", "since": "2026-05-01", "steps": DOCUMENT["steps"][:2]}
    assert actions.save(flow, admin, "People", document) == ""
    return flow


def test_a_draft_shows_who_would_be_where(
    lake: Lake, admin: Membership, cast: Cast, client_of: ClientOf
) -> None:
    flow = people(admin)
    document = flow.document
    client = client_of(cast.teammate)
    page = client.get(url("edit", flow.pk))
    assert "look" not in page.context  # it comes after the page, by itself
    look = client.get(url("edit", flow.pk), HTTP_HX_REQUEST="true").content.decode()
    some = queries.tried(lake, "People", json.dumps(document))
    assert look.count("need-name") == len(some) > 0
    assert look.index("Board") < look.index("Call")
    assert date(2026, 5, 1) <= min(place.progress.started for place in some)
    changed = sent(document).dict() | {"name": "Persons"}
    live = client.post(url("edit", flow.pk), changed, HTTP_HX_REQUEST="true")
    assert live.status_code == 200
    assert b"<html" not in live.content
    flow.refresh_from_db()
    assert flow.name == "Persons"


def test_who_is_gone_stands_still_nowhere(
    workspace: Workspace, lake: Lake, admin: Membership, cast: Cast, client_of: ClientOf
) -> None:
    """Not on the page of the account, in the list, its counts, files, alerts, answers."""
    known = {"user_id": "f1", "created_at": "2026-05-15T08:00"}
    write(lake.lake, "users", [known])
    flow = people(admin)
    listed = [{"name": name, "by": "hand"} for name in ("Call", "Handover")]
    actions.save(flow, admin, "People", {**flow.document, "steps": listed})
    actions.publish(flow, admin)
    catch_up(lake)
    actions.tick(admin, "People", "Call", FRESH, "f1", at=lake.now - DAY * 9)

    def standing() -> list[object]:
        client, of = client_of(cast.viewer), url("flow", flow.pk)
        page = client.get(of).context
        frame = watch.accounts(workspace)
        assert frame is not None
        return [
            [row.place.user_id for row in page["stalled"]],
            page["summary"].stalled,
            sum(line.stopped for line in page["lines"]),
            client.get(of, {"format": "csv"}).content.decode().count("yes"),
            frame.filter(account_id=FRESH)["step_done"].to_list(),
        ]

    assert standing() == [["f1"], 1, 1, 1, [1]]
    table = lake.lake.read("account_measures")
    [measured] = table.filter(pc.field("account_id") == FRESH).to_pylist()
    for state in ("archived", "churned"):
        write(lake.lake, "account_measures", [{**measured, "state": state}])
        assert standing() == [[], 0, 0, 0, []]
    write(lake.lake, "account_measures", [measured])
    page = reverse("customers:account", args=[FRESH])
    assert "People: f1" in client_of(cast.viewer).get(page).content.decode()
    gone = (lake.now - DAY).isoformat()
    write(lake.lake, "users", [{**known, "deactivated_at": gone}])
    # What the account did by itself, in another flow, counts.
    assert standing() == [[], 0, 0, 0, [2]]
    assert "People: f1" not in client_of(cast.viewer).get(page).content.decode()
    some = queries.tried(lake, "People", json.dumps(flow.document))
    assert [place.is_off for place in some if place.user_id == "f1"] == [True]


def test_the_example_follows_what_another_tool_told(
    workspace: Workspace, lake: Lake, cast: Cast
) -> None:
    before = lake.engine.run(lake.table("onboarding_steps"))
    for _again in range(2):
        example.set_up(workspace, "start", ("a", "b", "e"))
    catch_up(lake)
    assert lake.engine.run(lake.table("onboarding_steps")).equals(before)
    flow = Flow.objects.get()
    assert (flow.state, flow.number, flow.document["value"]) == ("on", 1, "e")
    assert queries.standing(lake, "start")
