"""Accounts, notes and contacts for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from perennial.apps.customers.models import Contact, Note
from perennial.apps.team import tokens
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import ApiToken, User
from tests.apps.customers.company import FRESH, KESTREL
from tests.apps.team.cast import Cast

WRITE, READ = ApiToken.Scope.WRITE, ApiToken.Scope.READ
SAID = {
    "account_id": KESTREL,
    "kind": "call",
    "body": "They asked @Alice",
    "minutes": 5,
}


@pytest.fixture
def data(own: Path) -> Path:
    return own


def client(cast: Cast, user: User, scope: ApiToken.Scope = WRITE) -> Client:
    space = cast.membership(user).workspace
    _token, text = tokens.create(space, "script", by=user, scope=scope)
    return Client(headers={"authorization": f"Bearer {text}"})


def send(browser: Client, verb: str, path: str, given: Any = None, **more: Any) -> Any:
    do = getattr(browser, verb)
    return do(f"/api/v1/{path}", given, content_type="application/json", **more)


def account(key: str) -> str:
    return f"accounts/{quote(key, safe='')}"


def test_accounts_in_pages_and_their_attributes(data: Path, cast: Cast) -> None:
    bob = client(cast, cast.teammate)
    found, cursor = [], None
    for _ in range(20):
        page = bob.get("/api/v1/accounts", {"limit": 2, "cursor": cursor or ""}).json()
        found += [each["account_id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == sorted(found)
    assert {KESTREL, FRESH} <= set(found)
    shown = bob.get(f"/api/v1/{account(KESTREL)}").json()
    assert (shown["mrr"], shown["health_color"], shown["seats"]) == (
        100.0,
        "orange",
        10,
    )
    changes = {"owner_email": "bob@default.example", "tags": ["vip", "new"]}
    edited = send(bob, "patch", account(KESTREL), {"attributes": changes})
    assert edited.json()["owner"] == "bob@default.example"
    mine = bob.get("/api/v1/accounts", {"owner": "BOB@default.example"}).json()
    assert {each["owner"] for each in mine["items"]} == {"bob@default.example"}
    for bad in ({"nothing": 1}, {"owner_email": "x@nowhere.example"}):
        assert send(bob, "patch", account(KESTREL), {"attributes": bad}).status_code == 400  # fmt: skip
    assert bob.get("/api/v1/accounts/nobody").status_code == 404


def test_a_note_is_written_once_changed_and_taken_away(data: Path, cast: Cast) -> None:
    bob, ada = client(cast, cast.teammate), client(cast, cast.admin)
    first = send(bob, "post", "notes", SAID, headers={"idempotency-key": "n"})
    again = send(bob, "post", "notes", SAID, headers={"idempotency-key": "n"})
    assert first.json() == again.json()
    note = Note.objects.get()
    assert note.mentions.count() == 1
    pk = first.json()["id"]
    touches = lake_of(cast.workspace).lake.read("touchpoints").to_pylist()
    [mine] = [t for t in touches if t["touchpoint_id"] == f"note:{note.key.hex}"]
    assert (mine["kind"], mine["minutes"]) == ("call", 5)
    changed = {"kind": "note", "body": "Nothing", "at": "2026-05-30T10:00:00+02:00"}
    assert send(bob, "put", f"notes/{pk}", changed).json()["at"] == "2026-05-30T08:00:00Z"  # fmt: skip
    assert note.versions.get().body == "They asked @Alice"
    listed = bob.get("/api/v1/notes", {"account_id": KESTREL}).json()["items"]
    assert [each["body"] for each in listed] == ["Nothing"]
    vera = client(cast, cast.viewer)
    assert send(vera, "put", f"notes/{pk}", changed).status_code == 403
    assert send(ada, "delete", f"notes/{pk}").status_code == 204
    assert bob.get("/api/v1/notes").json()["items"] == []
    assert send(bob, "delete", f"notes/{pk}").status_code == 404


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"account_id": "nobody"}, 400),
        ({"kind": "rumor"}, 400),
        ({"body": " "}, 400),
        ({"body": ""}, 422),
        ({"at": "2026-05-30T10:00:00"}, 400),
        ({"minutes": -1}, 400),
    ],
)
def test_bad_notes_are_refused(
    changes: dict[str, Any], status: int, data: Path, cast: Cast
) -> None:
    found = send(client(cast, cast.teammate), "post", "notes", {**SAID, **changes})
    assert found.status_code == status, found.content
    assert not Note.objects.exists()


def test_contacts_and_strangers(data: Path, cast: Cast) -> None:
    bob = client(cast, cast.teammate)
    ida = {"account_id": KESTREL, "name": "Ida", "email": "ida@k.example", "role": "champion"}  # fmt: skip
    made = send(bob, "post", "contacts", ida).json()
    assert (made["user_id"], made["role"]) == (None, "champion")
    assert send(bob, "post", "contacts", {**ida, "role": "king"}).status_code == 400
    note = send(bob, "post", "notes", SAID).json()
    reader, other = client(cast, cast.teammate, READ), client(cast, cast.stranger)
    assert send(reader, "post", "contacts", ida).status_code == 403
    assert reader.get("/api/v1/contacts", {"role": "champion"}).json()["items"] == [made]  # fmt: skip
    for path in ("accounts", "notes", "contacts"):
        theirs = other.get(f"/api/v1/{path}").json()["items"]
        assert KESTREL not in {each["account_id"] for each in theirs}
        assert Client().get(f"/api/v1/{path}").status_code == 401
    assert other.get(f"/api/v1/{account(KESTREL)}").status_code == 404
    assert send(other, "put", f"notes/{note['id']}", {"body": "x"}).status_code == 404
    assert send(other, "delete", f"contacts/{made['id']}").status_code == 404
    assert send(bob, "delete", f"contacts/{made['id']}").status_code == 204
    assert not Contact.objects.exists()


def test_accounts_are_merged_by_admins(data: Path, cast: Cast) -> None:
    bob, ada = client(cast, cast.teammate), client(cast, cast.admin)
    asked = {"account_id": FRESH, "into": KESTREL}
    assert send(bob, "post", "merges", asked).status_code == 403
    made = send(ada, "post", "merges", asked, headers={"idempotency-key": "m"}).json()
    again = send(ada, "post", "merges", asked, headers={"idempotency-key": "m"})
    assert again.json() == made
    assert (made["account_id"], made["into"]) == (FRESH, KESTREL)
    assert ada.get(f"/api/v1/{account(FRESH)}").status_code == 404
    assert send(ada, "post", "merges", asked).status_code == 400
    other = client(cast, cast.stranger)
    assert send(other, "delete", f"merges/{made['id']}").status_code == 404
    assert send(ada, "delete", f"merges/{made['id']}").status_code == 204
    assert ada.get(f"/api/v1/{account(FRESH)}").status_code == 200
    [told] = bob.get("/api/v1/merges").json()["items"]
    assert told["undone_at"]
