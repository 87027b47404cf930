"""Tokens of programs: made and revoked by admins, shown once."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.test import Client

from perennial.apps.team.models import ApiToken, User
from perennial.config.api import api
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]


def test_a_token_is_shown_once_works_and_is_revoked(
    cast: Cast, client_of: ClientOf
) -> None:
    admin = client_of(cast.admin)
    made = admin.post("/settings/tokens/", {"name": "Sheet", "scope": "read"})
    found = re.search(r'value="(prn_[\w-]+)"', made.content.decode())
    assert found
    text = found[1]
    assert text not in admin.get("/settings/tokens/").content.decode()
    program = Client(headers={"authorization": f"Bearer {text}"})
    assert program.get("/api/v1/metrics").status_code == 200
    token = ApiToken.objects.get()
    admin.post(f"/settings/tokens/{token.pk}/revoke/")
    assert program.get("/api/v1/metrics").status_code == 401
    assert "revoked" in admin.get("/settings/tokens/").content.decode()


def test_a_token_needs_a_name(cast: Cast, client_of: ClientOf) -> None:
    answer = client_of(cast.admin).post("/settings/tokens/", {"scope": "read"})
    assert answer.status_code == 422
    assert not ApiToken.objects.exists()


def test_a_stranger_revokes_nothing_here(cast: Cast, client_of: ClientOf) -> None:
    client_of(cast.admin).post("/settings/tokens/", {"name": "S", "scope": "read"})
    token = ApiToken.objects.get()
    answer = client_of(cast.stranger).post(f"/settings/tokens/{token.pk}/revoke/")
    assert answer.status_code == 404


def test_no_door_of_the_api_is_open(cast: Cast) -> None:
    """Deny by default: every path and verb wants a token."""
    for path, verbs in api.get_openapi_schema()["paths"].items():
        for verb in verbs:
            answer = getattr(Client(), verb)(path.replace("{key}", "mrr"))
            assert answer.status_code == 401, (verb, path)
