"""Editing accounts: one and many, typed, undone, released, by rule; and by whom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from perennial.apps.customers import attributes, edit_actions, queries, stage_rules
from perennial.apps.customers.models import Decision, Edit
from perennial.apps.team.actions import NotAllowed
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import AuditEntry, Membership, User
from perennial.core.errors import BadValue
from perennial.lake import decided
from tests.apps.customers.company import FRESH, GREEN, KESTREL, SILENT
from tests.apps.team.cast import Cast
from tests.builders import write

ClientOf = Callable[[User], Client]
BOB, ALICE = "bob@default.example", "alice@default.example"


@pytest.fixture
def data(own: Path) -> Path:
    return own


@pytest.fixture
def bob(data: Path, cast: Cast) -> Membership:
    return cast.membership(cast.teammate)


def owner(cast: Cast, account_id: str = KESTREL) -> str | None:
    return queries.get_account_or_404(cast.workspace, account_id).owner_email


def test_an_edit_holds_and_is_undone(bob: Membership, cast: Cast) -> None:
    lake = lake_of(cast.workspace)
    edit = edit_actions.edit_accounts(bob, "owner_email", {KESTREL: BOB, FRESH: BOB})
    assert owner(cast) == owner(cast, FRESH) == BOB
    write(lake.lake, "accounts", [{"account_id": KESTREL, "owner_email": "x@y"}])
    assert owner(cast) == BOB
    again = edit_actions.edit_accounts(bob, "owner_email", {KESTREL: ALICE})
    assert edit_actions.undo(again, bob) == 1
    assert owner(cast) == BOB  # back to what was decided before, not to the import
    live = Decision.objects.filter(account_id=KESTREL, ended_at=None)
    assert [d.value for d in live] == [BOB]
    assert edit_actions.undo(edit, bob) == 1  # Kestrel's was decided again since
    assert owner(cast, FRESH) is None
    verbs = AuditEntry.objects.filter(verb__startswith="account.").values_list(
        "verb", flat=True
    )
    assert sorted(verbs).count("account.edit_undone") == 2


def test_a_released_attribute_follows_the_sources(bob: Membership, cast: Cast) -> None:
    edit_actions.edit_accounts(bob, "owner_email", {KESTREL: BOB})
    edit_actions.release(bob, KESTREL, "owner_email")
    assert owner(cast) == ALICE
    assert not Decision.objects.filter(ended_at=None).exists()


def test_viewers_edit_nothing(data: Path, cast: Cast) -> None:
    vera, bob = cast.membership(cast.viewer), cast.membership(cast.teammate)
    edit = edit_actions.edit_accounts(bob, "name", {KESTREL: "K"})
    for refused in (
        lambda: edit_actions.edit_accounts(vera, "name", {KESTREL: "X"}),
        lambda: edit_actions.undo(edit, vera),
        lambda: edit_actions.release(vera, KESTREL, "name"),
        lambda: edit_actions.set_stages(bob, ["A"]),
        lambda: edit_actions.define_attribute(
            bob, key="a", title="A", kind="text", choices=()
        ),
    ):
        with pytest.raises(NotAllowed):
            refused()


# --- types -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("text", ["  hi "], "hi"),
        ("text", [" "], None),
        ("number", ["1 200,5"], 1200.5),
        ("number", ["12"], 12),
        ("date", ["2026-02-28"], "2026-02-28"),
        ("flag", ["yes"], True),
        ("flag", ["no"], False),
        ("choice", ["A"], "A"),
        ("tags", ["b, a,b"], ["a", "b"]),
        ("tags", [""], None),
    ],
)
def test_values_are_read_by_their_type(kind: str, given: list[str], value: Any) -> None:
    of = attributes.Definition("k", "K", kind, (("A", "A"),))
    assert attributes.read(of, given) == value


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("number", "many"),
        ("number", "inf"),
        ("date", "2026-02-30"),
        ("choice", "B"),
        ("person", "a@b.example"),
        ("tags", 'a"b'),
        ("text", "x" * 501),
    ],
)
def test_what_is_of_another_type_is_refused(kind: str, given: str) -> None:
    of = attributes.Definition("k", "K", kind, (("A", "A"),))
    with pytest.raises(BadValue):
        attributes.read(of, [given])


def test_an_attribute_of_ones_own_is_defined_and_edited(
    bob: Membership, cast: Cast, client_of: ClientOf
) -> None:
    admin = client_of(cast.admin)
    told = {"title": "Support tier", "kind": "choice", "choices": "Gold, Silver"}
    admin.post("/settings/fields/define/", told)
    of = attributes.definition(cast.workspace, "support_tier")
    assert of.choices == (("Gold", "Gold"), ("Silver", "Silver"))
    client = client_of(cast.teammate)
    path = f"/accounts/{GREEN}/edit/"
    client.post(path, {"name": "support_tier", "value": "Gold"})
    lake = lake_of(cast.workspace)
    assert decided.values_of(lake.lake, GREEN, ["support_tier"]) == {
        "support_tier": "Gold"
    }
    assert "Gold" in client.get(f"/accounts/{GREEN}/").content.decode()
    client.post(path, {"name": "support_tier", "value": "Bronze"})
    assert decided.values_of(lake.lake, GREEN, ["support_tier"]) == {
        "support_tier": "Gold"
    }
    for taken in ("owner_email", "tags", "account_id"):
        with pytest.raises(BadValue, match="taken"):
            edit_actions.define_attribute(
                cast.membership(cast.admin),
                key=taken,
                title="X",
                kind="text",
                choices=(),
            )


# --- many at once ------------------------------------------------------------


def test_chosen_accounts_get_tags_and_keep_their_own(
    bob: Membership, cast: Cast, client_of: ClientOf
) -> None:
    edit_actions.edit_accounts(bob, "tags", {GREEN: ["vip"]})
    client = client_of(cast.teammate)
    form = {"do": "tag_add", "account": [GREEN, SILENT, "other", "nobody"]}
    asked = client.post("/accounts/-/bulk/", form).content.decode()
    assert "Edit 2 accounts" in asked
    response = client.post("/accounts/-/bulk/", {**form, "value": "pilot, beta"})
    assert response.status_code == 302
    lake = lake_of(cast.workspace).lake
    assert decided.values_of(lake, GREEN, ["tags"])["tags"] == ["beta", "pilot", "vip"]
    assert decided.values_of(lake, SILENT, ["tags"])["tags"] == ["beta", "pilot"]
    gone = {"do": "tag_remove", "account": [GREEN], "value": "vip"}
    client.post("/accounts/-/bulk/", gone)
    assert decided.values_of(lake, GREEN, ["tags"])["tags"] == ["beta", "pilot"]


def test_all_that_the_filter_matches_are_meant(
    data: Path, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    form = {"do": "owner_email", "all": "1", "query": "?health=red&health=orange"}
    client.post("/accounts/-/bulk/", {**form, "value": BOB})
    edit = Edit.objects.get()
    assert {d.account_id for d in edit.decisions.all()} == {KESTREL, SILENT}
    page = client.get(f"/accounts/-/edits/{edit.pk}/").content.decode()
    assert "2 accounts were changed" in page
    client.post(f"/accounts/-/edits/{edit.pk}/undo/")
    assert owner(cast) == ALICE


def test_archived_accounts_leave_the_list_and_come_back(
    data: Path, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    client.post("/accounts/-/bulk/", {"do": "archived", "account": [GREEN]})
    assert "Greenfield" not in client.get("/accounts/").content.decode()
    archived = client.get("/accounts/?state=archived").content.decode()
    assert "Greenfield" in archived
    details = client.get(f"/accounts/{GREEN}/details/").content.decode()
    assert "Take it back" in details
    client.post(f"/accounts/{GREEN}/edit/", {"name": "archived", "do": "release"})
    assert "Greenfield" in client.get("/accounts/").content.decode()


def test_nothing_chosen_changes_nothing(
    data: Path, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    for form in (
        {"do": "owner_email"},
        {"do": "shoe_size", "account": [GREEN], "value": "4"},
    ):
        assert client.post("/accounts/-/bulk/", form).status_code == 302
    assert not Edit.objects.exists()


# --- pages -------------------------------------------------------------------


def test_details_say_who_decided_and_what_the_sources_say(
    bob: Membership, cast: Cast, client_of: ClientOf
) -> None:
    edit_actions.edit_accounts(bob, "owner_email", {GREEN: BOB})
    page = client_of(cast.teammate).get(f"/accounts/{GREEN}/details/").content.decode()
    assert "Decided by Bob" in page
    overview = client_of(cast.viewer).get(f"/accounts/{GREEN}/").content.decode()
    assert overview.count('<span class="caption">since <time') == 1
    assert "The sources say: Alice." in page
    assert "What it was before" in page
    viewer = client_of(cast.viewer).get(f"/accounts/{GREEN}/details/").content.decode()
    assert "Decided by" not in viewer
    assert "Follow the sources" not in viewer
    stranger = client_of(cast.stranger)
    assert stranger.get(f"/accounts/{GREEN}/details/").status_code == 404
    assert (
        stranger.post(f"/accounts/{GREEN}/edit/", {"name": "name"}).status_code == 404
    )
    edit = Edit.objects.get()
    assert stranger.get(f"/accounts/-/edits/{edit.pk}/").status_code == 404


def test_the_list_offers_editing_to_members_alone(
    data: Path, cast: Cast, client_of: ClientOf
) -> None:
    assert (
        'name="account"' in client_of(cast.teammate).get("/accounts/").content.decode()
    )
    assert (
        'name="account"'
        not in client_of(cast.viewer).get("/accounts/").content.decode()
    )


# --- stages ------------------------------------------------------------------


def test_stages_follow_their_rules_unless_people_decided(
    data: Path, cast: Cast, client_of: ClientOf
) -> None:
    admin = client_of(cast.admin)
    admin.post("/settings/stages/", {"names": "At risk\nValue\n\nAt risk"})
    stages = {s.name: s for s in cast.workspace.stages.all()}
    assert list(stages) == ["At risk", "Value"]
    row = {"row": "0", "field.0": "health_color", "was.0": "health_color", "op.0": "is"}
    path = f"/settings/stages/{stages['At risk'].pk}/"
    saved = admin.post(path, {**row, "value.0": ["red", "orange"], "do": "save"})
    assert saved.status_code == 302
    edit_actions.edit_accounts(
        cast.membership(cast.teammate), "lifecycle_stage", {SILENT: "Value"}
    )
    assert stage_rules.follow(cast.workspace) == 1
    assert stage_rules.follow(cast.workspace) == 0
    stage = {
        key: queries.get_account_or_404(cast.workspace, key).lifecycle_stage
        for key in (KESTREL, SILENT, GREEN)
    }
    assert stage == {KESTREL: "At risk", SILENT: "Value", GREEN: "Value"}
    by_rule = Edit.objects.get(author="")
    assert [d.account_id for d in by_rule.decisions.all()] == [KESTREL]
    page = admin.get("/settings/fields/").content.decode()
    assert "Health is Red or Orange" in page
    bad = admin.post(path, {**row, "value.0": "", "do": "save"})
    assert bad.status_code == 422
