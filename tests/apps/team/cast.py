"""The cast of people, for the tests of every application.

A `conftest.py` takes it over with
`from tests.apps.team.cast import cast, client_of  # noqa: F401`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.team.roles import Role

PASSWORD = "correct horse battery"


@cache
def hashed() -> str:
    """Hashing is slow on purpose: once is enough for all of the cast."""
    return make_password(PASSWORD)


@dataclass(frozen=True)
class Cast:
    """Alice owns Aldermoor, Ada runs it, Bob works there, Vera reads; Charlie is
    the owner of another workspace and a stranger here."""

    workspace: Workspace
    elsewhere: Workspace
    owner: User
    admin: User
    teammate: User
    viewer: User
    stranger: User
    nobody: User

    def membership(self, user: User) -> Membership:
        return user.memberships.get()


def people() -> Cast:
    """All of them, in the database at hand."""
    workspace = Workspace.objects.create(
        key="default", name="Aldermoor", currency="EUR", timezone="Europe/Berlin"
    )
    elsewhere = Workspace.objects.create(key="elsewhere", name="Elsewhere")

    def person(name: str, where: Workspace | None, role: Role = Role.OWNER) -> User:
        email = f"{name.lower()}@{where.key if where else 'nowhere'}.example"
        user = User.objects.create(email=email, name=name, password=hashed())
        if where:
            Membership.objects.create(user=user, workspace=where, role=role)
        return user

    return Cast(
        workspace=workspace,
        elsewhere=elsewhere,
        owner=person("Alice", workspace),
        admin=person("Ada", workspace, Role.ADMIN),
        teammate=person("Bob", workspace, Role.MEMBER),
        viewer=person("Vera", workspace, Role.VIEWER),
        stranger=person("Charlie", elsewhere),
        nobody=person("Nemo", None),
    )


@pytest.fixture
def cast(db: None) -> Cast:
    return people()


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """A signed-in browser."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in
