"""Merging accounts: what moves, what is chosen, who may, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from perennial.apps.customers import attributes, merging, note_actions, queries
from perennial.apps.customers.models import Contact, Merge, Note
from perennial.apps.customers.note_actions import Said
from perennial.apps.jobs.models import JobRun
from perennial.apps.team.actions import NotAllowed
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import AuditEntry, User
from perennial.apps.work.models import Task
from perennial.core.errors import BadValue
from tests.apps.customers.company import FRESH, GREEN, KESTREL
from tests.apps.team.cast import Cast
from tests.builders import write

ClientOf = Callable[[User], Client]


@pytest.fixture
def data(own: Path) -> Path:
    return own


def noted(cast: Cast, account_id: str) -> Note:
    lake = lake_of(cast.workspace)
    said = Said("call", "They asked twice.", lake.now)
    by = cast.membership(cast.owner)
    return note_actions.write_note(by, account_id, said, key=uuid4())


def people(cast: Cast) -> None:
    """Both know u1; only the one that goes knows Ida."""
    now = lake_of(cast.workspace).now
    for account, user, name in (
        (KESTREL, "u1", ""),
        (FRESH, "u1", ""),
        (FRESH, "", "Ida"),
    ):
        Contact.objects.create(
            workspace=cast.workspace, account_id=account, user_id=user, name=name, since=now
        )  # fmt: skip


def held(cast: Cast, account_id: str) -> dict[str, int]:
    return {
        str(each.word): each.rows.filter(account_id=account_id).count()
        for each in merging.hooks.belongings(cast.workspace)
    }


def test_what_people_made_moves_and_comes_back(data: Path, cast: Cast) -> None:
    by, lake = cast.membership(cast.owner), lake_of(cast.workspace)
    decide = merging.edit_actions.edit_accounts
    decide(by, "tags", {KESTREL: ["vip"], FRESH: ["beta"]})
    decide(by, "owner_email", {KESTREL: "a@x", FRESH: "b@x"})
    decide(by, "lifecycle_stage", {KESTREL: "Adopting", FRESH: "Trial"})
    write(lake.lake, "accounts", [{"account_id": FRESH, "name": "Kestrel Ltd"}])
    note = noted(cast, FRESH)
    Task.objects.create(workspace=cast.workspace, account_id=FRESH, title="Call")
    people(cast)
    before = held(cast, FRESH), held(cast, KESTREL)
    seen = {each.of.key for each in merging.conflicts(cast.workspace, FRESH, KESTREL)}
    assert {"owner_email", "lifecycle_stage", "name"} <= seen
    made = merging.merge(by, FRESH, KESTREL, taken=["owner_email"])
    stays = queries.get_account_or_404(cast.workspace, KESTREL)
    assert (stays.owner_email, stays.name) == ("b@x", "Kestrel & Sons")
    values = merging._Values(cast.workspace, KESTREL)
    tags = attributes.definition(cast.workspace, "tags")
    assert values[tags] == ["beta", "vip"]
    assert {word: n for word, n in held(cast, FRESH).items() if n} == {
        "People you named": 1  # the one that both know
    }
    assert FRESH not in queries.some(cast.workspace, (FRESH, KESTREL))
    assert JobRun.objects.filter(name="refresh").count() == 1
    note.refresh_from_db()
    note_actions.change_note(note, by, Said("call", "Thrice.", note.at))
    merging.undo(made, by)
    merging.undo(made, by)  # again changes nothing
    assert (held(cast, FRESH), held(cast, KESTREL)) == before
    assert queries.get_account_or_404(cast.workspace, KESTREL).owner_email == "a@x"
    assert queries.get_account_or_404(cast.workspace, FRESH).owner_email == "b@x"
    [touch] = [r for r in lake.lake.read("touchpoints").to_pylist() if r["touchpoint_id"] == f"note:{note.key.hex}"]  # fmt: skip
    assert (touch["account_id"], touch["summary"]) == (FRESH, "Thrice.")
    verbs = AuditEntry.objects.values_list("verb", flat=True)
    assert {"account.merged", "account.merge_undone"} <= set(verbs)


def test_only_admins_merge_accounts_that_are_there(data: Path, cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        merging.merge(cast.membership(cast.teammate), FRESH, KESTREL)
    by = cast.membership(cast.admin)
    for gone, stays in ((FRESH, FRESH), (FRESH, "nobody"), ("nobody", FRESH)):
        with pytest.raises(BadValue):
            merging.merge(by, gone, stays)
    assert not Merge.objects.exists()
    merging.merge(by, FRESH, KESTREL)
    with pytest.raises(BadValue):  # it is no account of its own any more
        merging.merge(by, GREEN, FRESH)


def test_the_page_shows_what_moves_and_the_old_address_leads_on(
    data: Path, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.admin)
    page = client.get(reverse("customers:merge", args=[FRESH]), {"into": KESTREL})
    assert page.context["into"].account_id == KESTREL
    assert {each.word for each in page.context["going"]} == {
        "Users",
        "Events",
        "Subscriptions",
    }
    asked = reverse("customers:merge", args=[FRESH])
    assert client_of(cast.teammate).get(asked).status_code == 403
    assert client_of(cast.stranger).get(asked).status_code == 404
    done = client.post(asked, {"into": KESTREL})
    assert done["Location"] == reverse("customers:account", args=[KESTREL])
    old = client.get(reverse("customers:account", args=[FRESH]))
    assert old["Location"] == reverse("customers:account", args=[KESTREL])
    made = Merge.objects.get()
    shown = client_of(cast.viewer).get(reverse("customers:merged", args=[made.pk]))
    assert b"What moved" in shown.content
    taken_back = reverse("customers:merge_undo", args=[made.pk])
    assert client_of(cast.viewer).post(taken_back).status_code == 403
    assert client.post(taken_back).status_code == 302
    assert client.get(reverse("customers:account", args=[FRESH])).status_code == 200
