"""The pages of playbooks: what each role sees and may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from perennial.apps.team.models import AuditEntry, Membership, User, Workspace
from perennial.apps.work import jobs
from perennial.apps.work.models import Playbook, Run, Task
from perennial.apps.work.playbooks import actions, library, results, trying
from perennial.apps.work.playbooks.reading import read
from perennial.core.windows import DAY
from perennial.lake.workspace import Workspace as Lake
from tests.apps.customers.company import AS_OF, KESTREL, SILENT
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]
RISKY = {
    "join": "all",
    "row": ["0"],
    "field.0": "health_color",
    "was.0": "health_color",
    "op.0": "is",
    "value.0": ["red", "orange"],
}


def said(page: bytes) -> str:
    return " ".join(strip_tags(page.decode()).split())


@pytest.fixture
def playbook(workspace: Workspace, admin: Membership) -> Playbook:
    return actions.add(admin, library.document("health_shift"))


def form(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Risk",
        "situation": "risk",
        "trigger": "matches",
        "again_after_days": "30",
        "ends_days": "60",
        "do": "save",
        **RISKY,
        **changes,
    }


def test_begun_from_a_ready_made_one_a_file_or_nothing(
    workspace: Workspace, cast: Cast, client_of: ClientOf
) -> None:
    client, url = client_of(cast.teammate), reverse("work:new_playbook")
    assert "ready-made" in said(client.get(reverse("work:playbooks")).content)
    for given in ({"ready": "renewal"}, {"ready": "renewal"}, {}):
        assert client.post(url, given).status_code == 302
    text = yaml.safe_dump({**library.document("expansion"), "name": "From a file"})
    client.post(url, {"file": SimpleUploadedFile("p.yaml", text.encode())})
    client.post(url, {"file": SimpleUploadedFile("p.yaml", b"name: [")})
    assert set(Playbook.objects.values_list("name", flat=True)) == {
        "Renewal ahead",
        "Renewal ahead 2",
        "New playbook",
        "From a file",
    }
    assert client_of(cast.viewer).post(url, {}).status_code == 403


def test_edited_on_screen(playbook: Playbook, cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.teammate)
    url = reverse("work:playbook", args=[playbook.pk])
    page = client.get(url).content
    assert "Health turned red" in said(page)
    assert "Wait 14 days" in said(page)
    assert client.post(url, form(hold_out="10")).status_code == 302
    task = {"do": "add_step", "kind": "task", "step_title": "Ring", "step_days": "3"}
    client.post(url, form(**task))
    asked = client.post(url, form(do="add_step", kind="branch"))
    assert asked["Location"] == reverse("work:playbook_condition", args=[playbook.pk, "5"])  # fmt: skip
    mail = {"do": "add_step", "kind": "email", "place": "5.then", "step_to": "contact",
            "step_title": "Hello", "step_text": "…", "step_draft": "on"}  # fmt: skip
    client.post(url, form(**mail))
    client.post(url, form(do="up:4"))
    client.post(url, form(do="remove:1"))
    playbook.refresh_from_db()
    book = read(playbook.document)
    kinds = [(s.id, type(s).__name__) for s in book.every_step()]
    assert kinds == [
        ("1", "WaitStep"),
        ("2", "TaskStep"),
        ("3", "TaskStep"),
        ("4", "BranchStep"),
        ("4.then.1", "TaskStep"),
        ("4.then.2", "EmailStep"),
    ]
    assert getattr(book.step("2"), "title", "") == "Ring"


#: Red, or few seats used and nobody there: what the form sends of the tree.
TREE = {
    "join": "any",
    "row": ["0", "1", "1-0", "1-1"],
    **{f"{k}.0": v for k, v in (("field", "health_color"), ("was", "health_color"), ("op", "is"), ("value", "red"))},
    "join.1": "all",
    **{f"{k}.1-0": v for k, v in (("field", "license_use"), ("was", "license_use"), ("op", "less_than"), ("value", "45"))},
    **{f"{k}.1-1": v for k, v in (("field", "last_seen"), ("was", "last_seen"), ("op", "not_within"), ("value", "30"))},
}  # fmt: skip
SAID = {
    "any": [
        {"field": "health_color", "op": "is", "value": ["red"]},
        {"all": [
            {"field": "license_use", "op": "less_than", "value": 0.45},
            {"field": "last_seen", "op": "not_within", "value": 30},
        ]},
    ]
}  # fmt: skip


def test_steps_and_the_end_ask_whatever_a_segment_can(
    workspace: Workspace, admin: Membership, cast: Cast, client_of: ClientOf
) -> None:
    """A tree said on screen is the YAML, runs, and stands in the log. Silent is red,
    and nobody was there; Kestrel is orange."""
    inner = {"do": "branch", "if": {"field": "health_color", "op": "is", "value": ["red"]},
             "then": [{"do": "task", "title": "Call"}]}  # fmt: skip
    everybody = {"field": "health_color", "op": "is", "value": ["red", "orange"]}
    steps = [{"do": "wait", "days": 3}, {**inner, "then": [inner]}]
    book = {"name": "Tree", "when": {"condition": everybody}, "steps": steps}
    playbook = actions.add(admin, book)
    bob = client_of(cast.teammate)

    def at(place: str) -> str:
        return reverse("work:playbook_condition", args=[playbook.pk, place])

    page = bob.get(at("2.then.1"))
    assert page.context["editor"].total == 1  # Silent
    for place in ("2", "2.then.1", "1"):
        done = bob.post(at(place), {**TREE, "do": "save"})
        assert done["Location"] == reverse("work:playbook", args=[playbook.pk]) + "#then"  # fmt: skip
    ends = {**TREE, "value.0": "green", "do": "save"}
    assert bob.post(at("ends"), ends)["Location"].endswith("#ends")
    playbook.refresh_from_db()
    document = playbook.document
    assert document["steps"][0]["until"] == document["steps"][1]["if"] == SAID
    assert document["steps"][1]["then"][0]["if"] == SAID
    assert document["ends"]["condition"]["any"][0]["value"] == ["green"]
    text = bob.get(reverse("work:playbook", args=[playbook.pk]) + "?format=yaml")
    assert yaml.safe_load(text.content) == document
    # The form around them keeps what it does not show; the end can do without.
    sent = form(name="Tree", ends_days="30")
    bob.post(reverse("work:playbook", args=[playbook.pk]), sent)
    bob.post(at("ends"), {"do": "clear"})
    playbook.refresh_from_db()
    assert playbook.document["steps"] == document["steps"]
    assert playbook.document["ends"] == {"after_days": 30}
    assert bob.post(at("2"), {"do": "clear"}).status_code == 422
    for wrong in ({}, {**TREE, "value.1-0": ""}):
        assert bob.post(at("2"), {**wrong, "do": "save"}).status_code == 422
    actions.turn_on(playbook, admin)
    jobs.follow_up(workspace.key, lambda _share, _what: None)
    assert list(Task.objects.values_list("account_id", flat=True)) == [SILENT]
    run = Run.objects.get(account_id=SILENT)
    log = said(bob.get(reverse("work:run", args=[run.pk])).content)
    assert "The condition held" in log
    assert "License use" in log
    assert Run.objects.get(account_id=KESTREL).state == "running"  # it waits


def test_who_says_conditions(
    playbook: Playbook, cast: Cast, client_of: ClientOf
) -> None:
    page = reverse("work:playbook_condition", args=[playbook.pk, "ends"])
    assert client_of(cast.teammate).get(page).status_code == 200
    assert client_of(cast.viewer).get(page).status_code == 403
    assert client_of(cast.stranger).get(page).status_code == 404
    for place in ("9", "x", "2.then.9"):
        missing = reverse("work:playbook_condition", args=[playbook.pk, place])
        assert client_of(cast.teammate).get(missing).status_code == 404


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": ""}, "name: is missing"),
        ({"hold_out": "95"}, "limits.hold_out: must be from 0 to 90"),
        ({"again_after_days": "x"}, "must be a whole number"),
        ({"do": "add_step", "kind": "task"}, "title: is missing"),
        (
            {"do": "add_step", "kind": "branch", "place": "1.x"},
            "There is no such place.",
        ),
        ({"do": "remove:9"}, "There is no such step."),
        ({"do": "yaml", "yaml": "name: ["}, "this is not YAML"),
        ({"value.0": []}, "when.condition"),
    ],
)
def test_refused_with_the_reason(
    changes: dict[str, Any],
    reason: str,
    playbook: Playbook,
    cast: Cast,
    client_of: ClientOf,
) -> None:
    before = playbook.document
    url = reverse("work:playbook", args=[playbook.pk])
    response = client_of(cast.teammate).post(url, form(**changes))
    assert response.status_code == 422
    assert reason in said(response.content)
    playbook.refresh_from_db()
    assert playbook.document == before


def test_who_may_what(playbook: Playbook, cast: Cast, client_of: ClientOf) -> None:
    url, turn = (
        reverse(f"work:{name}", args=[playbook.pk]) for name in ("playbook", "turn")
    )
    viewer, stranger = client_of(cast.viewer), client_of(cast.stranger)
    assert viewer.get(url).status_code == 200
    assert viewer.post(url, form()).status_code == 403
    assert client_of(cast.teammate).post(turn).status_code == 403
    for name in ("playbook", "runs", "results", "why", "dry_run_state"):
        page = reverse(f"work:{name}", args=[playbook.pk])
        assert stranger.get(page).status_code == 404
        assert viewer.get(page).status_code == 200
    for name in ("turn", "start", "dry_run"):
        post = reverse(f"work:{name}", args=[playbook.pk])
        assert stranger.post(post).status_code == 404
    assert client_of(cast.admin).post(turn).status_code == 302
    playbook.refresh_from_db()
    assert playbook.state == "on"
    assert AuditEntry.objects.filter(verb="playbook.turned_on").exists()
    client_of(cast.admin).post(turn, {"to": "off"})
    playbook.refresh_from_db()
    assert playbook.state == "off"


def test_nothing_to_do_is_not_turned_on(
    workspace: Workspace, admin: Membership, cast: Cast, client_of: ClientOf
) -> None:
    empty = actions.add(admin, {"name": "Empty"})
    url = reverse("work:turn", args=[empty.pk])
    page = client_of(cast.admin).post(url, follow=True).content
    assert "without steps does nothing" in said(page)


def test_runs_are_told_step_by_step(
    workspace: Workspace, admin: Membership, cast: Cast, client_of: ClientOf
) -> None:
    document = library.document("usage_dip")
    document["when"]["condition"] = {
        "field": "health_color", "op": "is", "value": ["red", "orange"],
    }  # fmt: skip
    document["limits"] = {"again_after_days": 10}
    playbook = actions.add(admin, document)
    actions.turn_on(playbook, admin)
    jobs.follow_up(workspace.key, lambda _share, _what: None)
    client = client_of(cast.teammate)
    page = said(client.get(reverse("work:runs", args=[playbook.pk])).content)
    assert "Kestrel & Sons" in page.replace("&amp;", "&")
    run = Run.objects.get(account_id=KESTREL)
    page = said(client.get(reverse("work:run", args=[run.pk])).content)
    assert "Task “Call the main contact” for Alice" in page
    assert "Waits 7 days" in page
    stop = reverse("work:stop", args=[run.pk])
    assert client_of(cast.viewer).post(stop).status_code == 403
    assert client_of(cast.stranger).post(stop).status_code == 404
    client.post(stop)
    run.refresh_from_db()
    assert (run.state, run.ending) == ("ended", "person")
    assert "Stopped by Bob" in said(
        client.get(reverse("work:run", args=[run.pk])).content
    )
    start = reverse("work:start", args=[playbook.pk])
    page = said(client.post(start, {"account": KESTREL}, follow=True).content)
    assert "It did not start: see why." in page
    assert client.post(start, {"account": "nobody"}).status_code == 404
    why = reverse("work:why", args=[playbook.pk])
    page = said(client.get(why, {"account": "Kestrel"}).content)
    assert "the account rests" in page
    assert Task.objects.count() == 2


def test_what_is_over_as_it_starts_says_so(
    workspace: Workspace, admin: Membership, cast: Cast, client_of: ClientOf
) -> None:
    holds = {"field": "mrr", "op": "at_least", "value": 0}
    document = library.document("health_shift") | {"ends": {"condition": holds}}
    playbook = actions.add(admin, document)
    actions.turn_on(playbook, admin)
    start = reverse("work:start", args=[playbook.pk])
    sent = client_of(cast.teammate).post(start, {"account": KESTREL}, follow=True)
    assert "the ending condition holds already" in said(sent.content)
    assert not Task.objects.exists()


def test_the_dry_run_starts_nothing(
    workspace: Workspace,
    lake: Lake,
    playbook: Playbook,
    cast: Cast,
    client_of: ClientOf,
) -> None:
    client = client_of(cast.teammate)
    client.post(reverse("work:dry_run", args=[playbook.pk]))
    assert workspace.job_runs.filter(name="try_playbook").count() == 1
    state = reverse("work:dry_run_state", args=[playbook.pk])
    assert "hx-trigger" in client.get(state).content.decode()
    jobs.try_playbook(workspace.key, lambda _share, _what: None, playbook=playbook.pk)
    workspace.job_runs.update(state="done")
    playbook.refresh_from_db()
    assert trying.is_of(playbook)
    page = said(client.get(reverse("work:playbook", args=[playbook.pk])).content)
    assert "Starts a week, had it been on" in page
    assert not Run.objects.exists()


def test_starts_as_the_engine_would_make_them() -> None:
    """Three days in a row, then a rest of five; A gone on the third day."""
    book = read({"name": "x", "limits": {"after_days": 2, "again_after_days": 5}})
    a, b = frozenset("a"), frozenset("ab")
    days = [b, b, frozenset("b"), a, b, b, b, b, b, b]
    matches = {AS_OF + DAY * n: found for n, found in enumerate(days)}
    tried = trying.simulate(book, matches)
    found = {(day - AS_OF).days: "".join(ids) for day, ids in tried.starts.items()}
    assert found == {1: "ab", 6: "ab"}
    enters = read({"name": "x", "when": {"trigger": "enters"}})
    tried = trying.simulate(enters, matches)
    found = {(day - AS_OF).days: "".join(ids) for day, ids in tried.starts.items()}
    assert found == {3: "a", 4: "b"}
    often = read({"name": "x", "when": {"trigger": "enters"},
                  "limits": {"again_after_days": 1}})  # fmt: skip
    tried = trying.simulate(often, matches)
    assert sum(tried.total.values()) == 2  # it began to match once each


def test_results_hold_runs_against_those_left_alone() -> None:
    """40 of 50 stayed with the playbook, 20 of 50 without; Newcombe's interval."""
    run = results.Side(50, 40, [5.0, 7.0, 9.0])
    held = results.Side(50, 20, [0.0, 1.0, 2.0])
    found = results.compared(run, held)
    assert found.is_enough
    assert found.stayed is not None
    assert found.stayed.value == pytest.approx(0.4)
    assert found.stayed.low == pytest.approx(0.2100, abs=1e-3)
    assert found.stayed.high == pytest.approx(0.5517, abs=1e-3)
    assert found.health is not None
    assert found.health.value == pytest.approx(6)
    none = results.compared(run, results.Side(0, 0, []))
    assert (none.stayed, none.health, none.is_enough) == (None, None, False)


def test_the_list_says_which_help(
    workspace: Workspace,
    playbook: Playbook,
    cast: Cast,
    client_of: ClientOf,
    lake: Lake,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = said(client_of(cast.viewer).get(reverse("work:playbooks")).content)
    assert "0 of 1 playbooks are on. 0 runs are on their way. None has been" in page
    assert "nobody held out" in page
    found = results.compared(results.Side(50, 40, []), results.Side(50, 20, []))
    monkeypatch.setattr(results, "results", lambda _playbook, _lake: found)
    version = playbook.versions.create(number=1, document=playbook.document)
    Run.objects.create(
        playbook=playbook, version=version, account_id=SILENT, is_held_out=True,
        started_at=lake.now, state=Run.State.HELD_OUT,
    )  # fmt: skip
    page = said(client_of(cast.viewer).get(reverse("work:playbooks")).content)
    assert "1 has been shown to help." in page
    assert "40.0 pp" in page


def test_the_page_of_results(
    workspace: Workspace, playbook: Playbook, cast: Cast, client_of: ClientOf
) -> None:
    url = reverse("work:results", args=[playbook.pk])
    page = said(client_of(cast.viewer).get(url).content)
    assert "Too early to say" in page
    assert "Nobody is held out" in page
    assert SILENT not in page
