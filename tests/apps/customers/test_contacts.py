"""Roles of contacts, coverage, champions who left; accounts above accounts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from perennial.apps.customers import (
    contact_actions,
    contacts,
    edit_actions,
    family,
    people,
    queries,
)
from perennial.apps.customers.contacts import Known
from perennial.apps.customers.models import Contact
from perennial.apps.team.actions import NotAllowed
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import AuditEntry, Membership, User
from perennial.core.errors import BadValue
from tests.apps.customers.company import GREEN, KESTREL, SILENT, ago
from tests.apps.team.cast import Cast
from tests.builders import write

ClientOf = Callable[[User], Client]


@pytest.fixture
def data(own: Path) -> Path:
    return own


@pytest.fixture
def bob(data: Path, cast: Cast) -> Membership:
    return cast.membership(cast.teammate)


def known(cast: Cast, account_id: str) -> list[Known]:
    account = queries.get_account_or_404(cast.workspace, account_id)
    staff = people.people(cast.workspace, account)
    return contacts.contacts_of(cast.workspace, account, staff)


def test_roles_cover_what_an_account_should_have(bob: Membership, cast: Cast) -> None:
    write(lake_of(cast.workspace).lake, "emails", [
        {"message_id": "m", "sent_at": ago(4), "from_address": "cfo@green.example",
         "to_addresses": "x@y, G1@greenfield.example", "account_id": GREEN},
    ])  # fmt: skip
    contact_actions.set_role(bob, GREEN, "g1", "champion")
    contact_actions.set_role(bob, GREEN, "g2", "influencer")
    contact_actions.add_contact(
        bob, GREEN, name="Ann CFO", email="CFO@green.example", role="economic_buyer"
    )
    found = {k.name: k for k in known(cast, GREEN)}
    assert set(found) == {"g1@greenfield.example", "g2", "Ann CFO"}
    for name in ("Ann CFO", "g1@greenfield.example"):
        touch = found[name].last_touch_at
        assert touch is not None
        assert touch.isoformat() == f"{ago(4)}+00:00"
    assert found["g2"].last_touch_at is None
    covered = {
        c.role.value: len(c.people) for c in contacts.coverage([*found.values()])
    }
    assert covered == {"champion": 1, "decision_maker": 0, "economic_buyer": 1}
    contact_actions.set_role(bob, GREEN, "g2", "")
    assert "g2" not in {k.name for k in known(cast, GREEN)}
    verbs = AuditEntry.objects.filter(verb__startswith="contact.")
    assert verbs.count() == 4


def test_champions_leave_by_silence_or_deactivation(
    bob: Membership, cast: Cast
) -> None:
    """k1 came on three days only and k4 two days ago; g1 to g4 came regularly."""
    lake = lake_of(cast.workspace)
    for user in ("k1", "k4"):
        contact_actions.set_role(bob, KESTREL, user, "champion")
    contact_actions.set_role(bob, GREEN, "g1", "champion")
    assert contacts.gone(cast.workspace) == []
    write(lake.lake, "users", [
        {"user_id": "g1", "name": "Gunn", "deactivated_at": ago(1)},
    ])  # fmt: skip
    [left] = contacts.gone(cast.workspace)
    assert (left.user_id, left.why, left.since) == (
        "g1",
        "deactivated",
        date(2026, 5, 31),
    )
    # Regular long ago, and nothing since: five days of a week, 40 days back.
    events = [
        {"event_id": f"old{n}", "event": "Board Viewed", "user_id": "s1",
         "account_id": SILENT, "timestamp": ago(40 + n), "received_at": ago(40 + n)}
        for n in range(4)
    ]  # fmt: skip
    write(lake.lake, "events", events)
    lake.roll_up()
    contact_actions.set_role(bob, SILENT, "s1", "champion")
    write(lake.lake, "users", [{"user_id": "s1", "name": "Sven"}])
    silent = next(g for g in contacts.gone(cast.workspace) if g.user_id == "s1")
    assert (silent.why, silent.since, silent.name) == (
        "silent",
        date(2026, 4, 22),
        "Sven",
    )
    covered = contacts.coverage(known(cast, SILENT))
    assert not covered[0].people  # who left covers nothing


def test_contacts_are_edited_on_screen_by_members(
    data: Path, cast: Cast, client_of: ClientOf
) -> None:
    client, path = client_of(cast.teammate), f"/accounts/{GREEN}/contacts/"
    client.post(path, {"user": "g1", "role": "champion"})
    client.post(path, {"user": "k1", "role": "champion"})  # of another account
    client.post(path, {"user": "g2", "role": "king"})
    client.post(path, {"name": "Ann", "email": "no address", "role": ""})
    client.post(path, {"name": "Ann", "email": "", "role": "decision_maker"})
    assert sorted(Contact.objects.values_list("user_id", "name", "role")) == [
        ("", "Ann", "decision_maker"),
        ("g1", "", "champion"),
    ]
    page = client.get(f"/accounts/{GREEN}/people/").content.decode()
    assert "Who matters" in page
    assert "Decision maker" in page
    rows = client.get(
        f"/accounts/{GREEN}/people/?health", headers={"HX-Request": "true"}
    ).content.decode()
    assert '<option value="champion" selected>' in rows
    viewer = client_of(cast.viewer).get(f"/accounts/{GREEN}/people/").content.decode()
    assert 'name="role"' not in viewer
    ann = Contact.objects.get(name="Ann")
    elsewhere = f"/accounts/{SILENT}/contacts/"
    assert client.post(elsewhere, {"do": "remove", "pk": ann.pk}).status_code == 404
    assert client_of(cast.stranger).post(path, {"name": "x"}).status_code == 404
    client.post(path, {"do": "remove", "pk": ann.pk})
    assert not Contact.objects.filter(name="Ann").exists()


def test_viewers_change_no_contact(data: Path, cast: Cast) -> None:
    vera = cast.membership(cast.viewer)
    with pytest.raises(NotAllowed):
        contact_actions.set_role(vera, GREEN, "g1", "champion")
    with pytest.raises(NotAllowed):
        contact_actions.add_contact(vera, GREEN, name="x", email="", role="")


# --- accounts above accounts -------------------------------------------------


def test_a_parent_adds_up_what_is_below_it(
    bob: Membership, cast: Cast, client_of: ClientOf
) -> None:
    """Greenfield (400, 88.0) above Silent (200, 3.75) above Kestrel (100, 42.8)."""
    edit_actions.edit_accounts(bob, "parent_account_id", {SILENT: GREEN})
    edit_actions.edit_accounts(bob, "parent_account_id", {KESTREL: SILENT})
    head = queries.get_account_or_404(cast.workspace, GREEN)
    found = family.family(cast.workspace, head)
    assert found is not None
    assert [a.account_id for a in found.below] == [SILENT, KESTREL]
    assert (found.mrr, found.seats) == (Decimal(700), 19)
    scores = {a.account_id: a.score or 0.0 for a in [head, *found.below]}
    weighted = (
        400 * scores[GREEN] + 200 * scores[SILENT] + 100 * scores[KESTREL]
    ) / 700
    assert found.score == pytest.approx(weighted)
    assert found.worst is not None
    assert found.worst.account_id == SILENT
    page = client_of(cast.viewer).get(f"/accounts/{GREEN}/").content.decode()
    assert "With 2 accounts below" in page
    assert "€700" in page
    child = client_of(cast.viewer).get(f"/accounts/{SILENT}/").content.decode()
    assert "Part of" in child
    for parent in (KESTREL, GREEN, "nobody"):
        with pytest.raises(BadValue):
            edit_actions.edit_accounts(bob, "parent_account_id", {GREEN: parent})
    alone = queries.get_account_or_404(cast.workspace, "fresh")
    assert family.family(cast.workspace, alone) is None


@given(st.dictionaries(st.sampled_from("abcdef"), st.sampled_from("abcdef")))
def test_circles_of_the_sources_end(above: dict[str, str]) -> None:
    found = family.below(above, "a")
    assert len(found) == len(set(found))
    assert "a" not in found
    for child in found:
        chain, at = set[str](), child
        while at != "a" and at not in chain:
            chain.add(at)
            at = above[at]
        assert at == "a"
