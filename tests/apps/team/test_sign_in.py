from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from perennial.apps.team import actions, brake, links
from perennial.apps.team.models import AuditEntry, SignInFailure, User
from tests.apps.team.cast import PASSWORD, Cast

ClientOf = Callable[[User], Client]


def sign_in(client: Client, email: str, password: str, **more: str) -> int:
    data = {"email": email, "password": password, **more}
    return client.post("/sign-in/", data).status_code


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def test_by_password(cast: Cast) -> None:
    client = Client()
    response = client.post(
        "/sign-in/", {"email": " Alice@default.example ", "password": PASSWORD}
    )
    assert response.status_code == 302
    assert response["Location"] == "/"
    assert is_in(client)
    entry = AuditEntry.objects.get(verb="person.signed_in")
    assert (entry.actor, entry.details) == (cast.owner, {"how": "password"})


@pytest.mark.parametrize("email", ["alice@default.example", "unknown@default.example"])
def test_a_refusal_does_not_say_which_part_was_wrong(cast: Cast, email: str) -> None:
    client = Client()
    response = client.post("/sign-in/", {"email": email, "password": "wrong"})
    assert response.status_code == 422
    assert "do not match" in response.content.decode()
    assert not is_in(client)


def test_guessing_is_braked_for_the_account_at_the_address(cast: Cast) -> None:
    client = Client()
    for _ in range(brake.MOST_PER_ACCOUNT):
        sign_in(client, cast.owner.email, "wrong")
    response = client.post(
        "/sign-in/", {"email": cast.owner.email, "password": PASSWORD}
    )
    assert "Too many tries" in response.content.decode()
    assert sign_in(client, cast.admin.email, PASSWORD) == 302


def test_the_brake_lets_go_after_a_while(cast: Cast) -> None:
    for _ in range(brake.MOST_PER_ACCOUNT):
        sign_in(Client(), cast.owner.email, "wrong")
    SignInFailure.objects.update(
        at=timezone.now() - brake.WINDOW - timedelta(seconds=1)
    )
    assert sign_in(Client(), cast.owner.email, PASSWORD) == 302


def test_guessing_many_accounts_from_one_address_is_braked(cast: Cast) -> None:
    for n in range(brake.MOST_PER_ADDRESS):
        brake.count_failure(f"{n}@default.example", "127.0.0.1")
    assert sign_in(Client(), cast.owner.email, PASSWORD) == 422
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert sign_in(elsewhere, cast.owner.email, PASSWORD) == 302


def test_failures_do_not_keep_addresses_of_people(cast: Cast) -> None:
    sign_in(Client(), cast.owner.email, "wrong")
    assert cast.owner.email not in SignInFailure.objects.get().who


def test_a_forwarded_address_counts_only_behind_a_proxy(
    cast: Cast, settings: Settings
) -> None:
    client = Client(headers={"X-Forwarded-For": "198.51.100.9, 203.0.113.5"})
    sign_in(client, cast.owner.email, "wrong")
    settings.TRUST_FORWARDED_FOR = True
    sign_in(client, cast.owner.email, "wrong")
    seen = list(SignInFailure.objects.order_by("pk").values_list("address", flat=True))
    assert seen == ["127.0.0.1", "203.0.113.5"]


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/settings/people/", "/settings/people/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
    ],
)
def test_it_goes_on_to_pages_of_ours_only(
    cast: Cast, target: str, location: str
) -> None:
    data = {"email": cast.owner.email, "password": PASSWORD, "next": target}
    assert Client().post("/sign-in/", data)["Location"] == location


def test_sign_out_needs_a_post(cast: Cast, client_of: ClientOf) -> None:
    client = client_of(cast.owner)
    assert client.get("/sign-out/").status_code == 405
    assert is_in(client)
    client.post("/sign-out/")
    assert not is_in(client)


# --- one-time links ----------------------------------------------------------


def test_a_link_works_once_and_only_when_pressed(cast: Cast) -> None:
    path = actions.make_login_link(cast.owner.email)
    client = Client()
    assert client.get(path).status_code == 200
    assert not is_in(client), "a mail scanner that opens the link burns nothing"
    assert client.post(path).status_code == 302
    assert is_in(client)
    again = Client()
    assert again.post(path).status_code == 410
    assert not is_in(again)


def test_a_newer_sign_in_kills_older_links(cast: Cast) -> None:
    path = actions.make_login_link(cast.owner.email)
    assert sign_in(Client(), cast.owner.email, PASSWORD) == 302
    assert Client().get(path).status_code == 410


def test_links_grow_old(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    path = actions.make_login_link(cast.owner.email)
    import sesame.tokens_v2 as tokens

    real = tokens.time.time
    late = links.SIGN_IN.lives.total_seconds() + 5
    monkeypatch.setattr(tokens.time, "time", lambda: real() + late)
    assert Client().get(path).status_code == 410


def test_an_invitation_is_no_sign_in_link(cast: Cast) -> None:
    path = links.make_path(cast.owner, links.INVITATION)
    forged = path.replace("/invitation/", "/sign-in/", 1)
    assert forged != path
    assert Client().get(forged).status_code == 410
    assert Client().get(path).status_code == 200


def test_an_unknown_kind_of_link_is_not_here(cast: Cast) -> None:
    assert Client().get("/sign-in/gift/abc/").status_code == 404


def test_people_who_were_switched_off_cannot_come_in(cast: Cast) -> None:
    path = actions.make_login_link(cast.owner.email)
    cast.owner.is_active = False
    cast.owner.save()
    assert Client().get(path).status_code == 410
    assert sign_in(Client(), cast.owner.email, PASSWORD) == 422


# --- the beginning, the demonstration ----------------------------------------


@pytest.mark.django_db
def test_initialize_makes_a_workspace_and_its_owner_once() -> None:
    path = actions.initialize(
        "Maja@Example.com", currency="EUR", timezone="Europe/Oslo"
    )
    actions.initialize("maja@example.com")
    user = User.objects.get()
    membership = user.memberships.get()
    assert (user.email, membership.role) == ("maja@example.com", "owner")
    assert (membership.workspace.currency, membership.workspace.timezone) == (
        "EUR",
        "Europe/Oslo",
    )
    client = Client()
    client.post(path)
    assert is_in(client)


def test_the_demonstration_opens_only_where_it_is_one(
    cast: Cast, settings: Settings
) -> None:
    settings.DEMO_EMAIL = cast.owner.email
    assert Client().get("/demo/sign-in").status_code == 404
    settings.DEMO = True
    client = Client()
    assert client.get("/demo/sign-in")["Location"] == "/"
    assert is_in(client)


def test_who_is_in_no_workspace_is_told(cast: Cast) -> None:
    data = {"email": cast.nobody.email, "password": PASSWORD}
    assert Client().post("/sign-in/", data)["Location"] == "/no-workspace/"
