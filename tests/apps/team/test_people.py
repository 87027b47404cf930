from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from perennial.apps.team import actions
from perennial.apps.team.actions import NotAllowed
from perennial.apps.team.models import AuditEntry, Membership, User
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue
from tests.apps.team.cast import PASSWORD, Cast

ClientOf = Callable[[User], Client]


def test_the_page_lists_people_and_roles(cast: Cast, client_of: ClientOf) -> None:
    page = client_of(cast.owner).get("/settings/people/").content.decode()
    for user in (cast.owner, cast.admin, cast.teammate, cast.viewer):
        assert user.email in page


def test_someone_is_added_and_gets_a_link_that_works(
    cast: Cast, client_of: ClientOf
) -> None:
    data = {"email": "New@default.example", "name": "Nils", "role": "member"}
    page = client_of(cast.admin).post("/settings/people/", data).content.decode()
    link = re.search(r'value="http://testserver(/sign-in/invitation/[^"]+)"', page)
    assert link is not None
    client = Client()
    assert client.post(link[1]).status_code == 302
    assert client.get("/profile/").status_code == 200
    entry = AuditEntry.objects.get(verb="member.added")
    assert (entry.target, entry.details) == ("new@default.example", {"role": "member"})


def test_a_link_is_never_written_down(cast: Cast) -> None:
    _, path = actions.add_member(
        cast.workspace, "n@x.example", Role.VIEWER, by=cast.membership(cast.owner)
    )
    token = path.split("/")[-2]
    for entry in AuditEntry.objects.all():
        assert token not in f"{entry.target}{entry.details}"


def test_nobody_is_added_twice(cast: Cast, client_of: ClientOf) -> None:
    data = {"email": cast.teammate.email, "role": "viewer"}
    response = client_of(cast.admin).post("/settings/people/", data)
    assert response.status_code == 422
    assert "already here" in response.content.decode()


def test_admins_cannot_make_or_touch_owners(cast: Cast) -> None:
    by = cast.membership(cast.admin)
    owner, teammate = cast.membership(cast.owner), cast.membership(cast.teammate)
    with pytest.raises(NotAllowed):
        actions.change_role(teammate, Role.OWNER, by=by)
    with pytest.raises(NotAllowed):
        actions.change_role(owner, Role.VIEWER, by=by)
    with pytest.raises(NotAllowed):
        actions.remove_member(owner, by=by)
    with pytest.raises(NotAllowed):
        actions.invite(owner, by=by)
    with pytest.raises(NotAllowed):
        actions.add_member(cast.workspace, "o@x.example", Role.OWNER, by=by)


def test_members_change_nobody(cast: Cast) -> None:
    by = cast.membership(cast.teammate)
    with pytest.raises(NotAllowed):
        actions.change_role(cast.membership(cast.viewer), Role.MEMBER, by=by)


def test_the_last_owner_stays(cast: Cast) -> None:
    by = cast.membership(cast.owner)
    with pytest.raises(BadValue):
        actions.change_role(by, Role.ADMIN, by=by)
    with pytest.raises(BadValue):
        actions.remove_member(by, by=by)
    other = cast.membership(cast.admin)
    actions.change_role(other, Role.OWNER, by=by)
    actions.change_role(by, Role.ADMIN, by=by)
    assert cast.membership(cast.owner).role == Role.ADMIN


def test_a_link_never_opens_another_workspace(cast: Cast) -> None:
    """An admin here must not sign in as someone who also works elsewhere."""
    Membership.objects.create(
        user=cast.teammate, workspace=cast.elsewhere, role=Role.OWNER
    )
    here = Membership.objects.get(user=cast.teammate, workspace=cast.workspace)
    with pytest.raises(NotAllowed):
        actions.invite(here, by=cast.membership(cast.owner))


def test_adding_someone_known_elsewhere_gives_no_way_into_their_account(
    cast: Cast,
) -> None:
    owner = cast.membership(cast.owner)
    membership, path = actions.add_member(
        cast.workspace, cast.stranger.email, Role.VIEWER, by=owner
    )
    assert (membership.user, path) == (cast.stranger, "")


def test_a_changed_role_is_written_down(cast: Cast, client_of: ClientOf) -> None:
    member = cast.membership(cast.teammate)
    client = client_of(cast.owner)
    client.post(f"/settings/people/{member.pk}/role/", {"role": "admin"})
    entry = AuditEntry.objects.get(verb="member.role_changed")
    assert entry.details == {"before": "member", "after": "admin"}
    assert entry.actor == cast.owner


def test_a_removed_member_is_out_at_once(cast: Cast, client_of: ClientOf) -> None:
    theirs = client_of(cast.teammate)
    assert theirs.get("/palette/").status_code == 200
    member = cast.membership(cast.teammate)
    client_of(cast.admin).post(f"/settings/people/{member.pk}/remove/")
    assert theirs.get("/palette/").status_code == 404


def test_the_audit_log_shows_what_happened(cast: Cast, client_of: ClientOf) -> None:
    actions.record(cast.workspace, cast.owner, "member.added", "x@y.example")
    actions.record(cast.elsewhere, cast.stranger, "secret.verb", "elsewhere")
    page = client_of(cast.admin).get("/settings/audit/").content.decode()
    assert "member.added" in page
    assert "secret.verb" not in page


# --- the profile -------------------------------------------------------------


def test_the_profile_is_saved_and_the_language_follows(
    cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.viewer)
    data = {"name": "Vera V.", "language": "de", "timezone": "Europe/Stockholm"}
    response = client.post("/profile/", data)
    assert response.status_code == 302
    cast.viewer.refresh_from_db()
    assert (cast.viewer.name, cast.viewer.timezone) == ("Vera V.", "Europe/Stockholm")
    assert not cast.viewer.has_shortcuts
    page = client.get("/profile/").content.decode()
    assert '<html lang="de"' in page
    assert 'data-shortcuts="off"' in page


def test_the_password_is_changed_by_those_who_know_it(
    cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.viewer)
    new = "a much better phrase"
    data = {"new_password1": new, "new_password2": new}
    wrong = client.post("/profile/password/", {**data, "old_password": "wrong"})
    assert wrong.status_code == 422
    right = client.post("/profile/password/", {**data, "old_password": PASSWORD})
    assert right.status_code == 302
    assert client.get("/profile/").status_code == 200
    cast.viewer.refresh_from_db()
    assert cast.viewer.check_password(new)


def test_who_came_by_link_chooses_a_password(cast: Cast, client_of: ClientOf) -> None:
    cast.viewer.set_unusable_password()
    cast.viewer.save()
    client = client_of(cast.viewer)
    assert "Choose a password" in client.get("/profile/").content.decode()
    new = "a much better phrase"
    client.post("/profile/password/", {"new_password1": new, "new_password2": new})
    cast.viewer.refresh_from_db()
    assert cast.viewer.check_password(new)


def test_weak_passwords_are_refused(cast: Cast, client_of: ClientOf) -> None:
    cast.viewer.set_unusable_password()
    cast.viewer.save()
    for weak in ("short", "password1234", "vera@default.example"):
        data = {"new_password1": weak, "new_password2": weak}
        response = client_of(cast.viewer).post("/profile/password/", data)
        assert response.status_code == 422, weak


# --- what the database holds on to -------------------------------------------


def test_one_address_is_one_person(cast: Cast) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email=cast.owner.email)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="Upper@Case.example")


def test_roles_are_a_closed_set(cast: Cast) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(
            user=cast.nobody, workspace=cast.workspace, role="emperor"
        )


def test_roles_cover_what_stands_below() -> None:
    order = [Role.VIEWER, Role.MEMBER, Role.ADMIN, Role.OWNER]
    for i, role in enumerate(order):
        assert [role.covers(other) for other in order] == [i >= j for j in range(4)]
