"""Notes and contacts: written once, safe, changed with history, served to members."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from perennial.apps.customers import markdown, note_actions, queries
from perennial.apps.customers.models import Attachment, Note
from perennial.apps.customers.note_actions import Said
from perennial.apps.team.actions import NotAllowed
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import AuditEntry, Membership, User
from perennial.core.errors import BadValue
from tests.apps.customers.company import GREEN, SILENT
from tests.apps.team.cast import Cast

ClientOf = Callable[[User], Client]
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def data(own: Path) -> Path:
    return own


@pytest.fixture
def bob(data: Path, cast: Cast) -> Membership:
    return cast.membership(cast.teammate)


def said(body: str = "They want a **plan**.", kind: str = "call") -> Said:
    return Said(kind, body, NOW - timedelta(hours=1), minutes=25)


def touches(cast: Cast) -> list[dict[str, object]]:
    rows = lake_of(cast.workspace).lake.read("touchpoints").to_pylist()
    return [row for row in rows if row["touchpoint_id"].startswith("note:")]


def last_touch(cast: Cast) -> datetime | None:
    return queries.get_account_or_404(cast.workspace, SILENT).last_touch_at


def test_a_call_is_a_touchpoint_at_once_and_once(bob: Membership, cast: Cast) -> None:
    assert last_touch(cast) is None
    key = uuid4()
    note = note_actions.write_note(bob, SILENT, said(), key=key)
    assert note_actions.write_note(bob, SILENT, said("again"), key=key) == note
    [touch] = touches(cast)
    assert touch["summary"] == "They want a plan."
    assert (touch["kind"], touch["minutes"]) == ("call", 25)
    assert last_touch(cast) == note.at
    note_actions.change_note(note, bob, said("Never *mind*.", kind="meeting"))
    [touch] = touches(cast)
    assert (touch["kind"], touch["summary"]) == ("meeting", "Never mind.")
    note_actions.change_note(note, bob, said("Only a note.", kind="note"))
    assert touches(cast) == []
    assert last_touch(cast) is None
    note_actions.change_note(note, bob, said())
    note_actions.delete_note(note, bob)
    assert touches(cast) == []
    assert last_touch(cast) is None


def test_what_it_said_before_is_kept(bob: Membership) -> None:
    note = note_actions.write_note(bob, SILENT, said("First."), key=uuid4())
    note_actions.change_note(note, bob, said("Second."))
    note_actions.change_note(note, bob, said("Second."))
    assert [v.body for v in note.versions.all()] == ["First."]
    verbs = AuditEntry.objects.filter(verb__startswith="note.")
    assert [e.verb for e in verbs.order_by("pk")] == [
        *("note.written", "note.changed", "note.changed"),
    ]


def test_others_notes_are_left_alone(bob: Membership, cast: Cast) -> None:
    note = note_actions.write_note(bob, SILENT, said(), key=uuid4())
    owner, vera = cast.membership(cast.owner), cast.membership(cast.viewer)
    mine = note_actions.write_note(owner, SILENT, said(), key=uuid4())
    with pytest.raises(NotAllowed):
        note_actions.change_note(mine, bob, said("x"))
    with pytest.raises(NotAllowed):
        note_actions.delete_note(mine, bob)
    note_actions.pin_note(mine, bob, is_pinned=True)
    with pytest.raises(NotAllowed):
        note_actions.pin_note(note, vera, is_pinned=True)
    with pytest.raises(NotAllowed):
        note_actions.write_note(vera, SILENT, said(), key=uuid4())
    note_actions.change_note(note, owner, said("An admin may."))


@pytest.mark.parametrize(
    "wrong",
    [
        Said("call", " ", NOW),
        Said("visit", "x", NOW),
        Said("call", "x" * 20_001, NOW),
        Said("call", "x", NOW, minutes=1441),
    ],
)
def test_what_does_not_fit_is_refused(bob: Membership, wrong: Said) -> None:
    with pytest.raises(BadValue):
        note_actions.write_note(bob, SILENT, wrong, key=uuid4())
    assert not Note.objects.exists()


def test_teammates_are_spoken_to(bob: Membership, cast: Cast) -> None:
    text = "@alice and @vera@default.example, not x@ada.example nor @charlie."
    note = note_actions.write_note(bob, SILENT, said(text), key=uuid4())
    assert {m.user for m in note.mentions.all()} == {cast.owner, cast.viewer}


# --- Markdown ----------------------------------------------------------------


def test_markdown_becomes_html_and_nothing_else() -> None:
    html = markdown.render(
        "# Plan\n\n**Yes** [link](https://a.example) <script>x()</script>\n"
        "[bad](javascript:x) ![img](https://a.example/p.png)\n\n- one\n- two"
    )
    assert "<p><strong>Plan</strong></p>" in html
    assert "<strong>Yes</strong>" in html
    assert 'rel="noopener noreferrer nofollow"' in html
    for never in ("<script", "javascript:", "<img", "onerror="):
        assert never not in html.replace("[bad](javascript:x)", "")


@given(st.text(alphabet="<>&\"'`*_[]()!#-\n abcjsrip:/=", max_size=80))
def test_no_text_gets_out_of_its_place(text: str) -> None:
    html = markdown.render(text)
    for tag in html.split("<")[1:]:
        name = tag.lstrip("/").split(">")[0].split(" ")[0]
        assert name in markdown._TAGS, html


# --- pages -------------------------------------------------------------------


def form(**more: object) -> dict[str, object]:
    told = {
        "kind": "call",
        "at": "2026-06-01T09:30",
        "minutes": "10",
        "body": "Hi @alice",
    }
    return {**told, "key": str(uuid4()), **more}


def test_a_contact_is_logged_on_screen_in_local_time(
    data: Path, cast: Cast, client_of: ClientOf
) -> None:
    client = client_of(cast.teammate)
    assert "Log a contact" in client.get(f"/accounts/{SILENT}/log/").content.decode()
    told = form(files=SimpleUploadedFile("../plan <1>.txt", b"the plan"))
    response = client.post(f"/accounts/{SILENT}/log/", told)
    assert response["Location"] == f"/accounts/{SILENT}/#timeline"
    note = Note.objects.get()
    assert note.at == datetime(2026, 6, 1, 7, 30, tzinfo=UTC)  # Berlin
    client.post(f"/accounts/{SILENT}/log/", {**told, "files": []})
    assert Note.objects.count() == 1
    file = Attachment.objects.get()
    assert file.name == "plan_1.txt"
    page = client.get(f"/accounts/{SILENT}/notes/{note.pk}/").content.decode()
    assert "plan_1.txt" in page
    empty = client.post(f"/accounts/{SILENT}/log/", form(body=""))
    assert empty.status_code == 422


def test_files_are_served_to_the_workspace_alone(
    bob: Membership, cast: Cast, client_of: ClientOf
) -> None:
    html = SimpleUploadedFile("x.html", b"<script>1</script>")
    note = note_actions.write_note(bob, SILENT, said(), key=uuid4(), files=[html])
    file = note.attachments.get()
    path = f"/accounts/{SILENT}/files/{file.key}/"
    response = client_of(cast.viewer).get(path)
    assert b"".join(response) == b"<script>1</script>"
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert client_of(cast.stranger).get(path).status_code == 404
    wrong = path.replace(SILENT, GREEN)
    assert client_of(cast.viewer).get(wrong).status_code == 404
    place = note_actions.path_of(cast.workspace, UUID(str(file.key)))
    assert place.is_file()
    note_actions.delete_note(note, bob)
    assert not place.exists()
    assert client_of(cast.viewer).get(path).status_code == 404


def test_notes_are_changed_pinned_and_deleted_on_screen(
    bob: Membership, cast: Cast, client_of: ClientOf
) -> None:
    note = note_actions.write_note(bob, SILENT, said("A *pinned* word."), key=uuid4())
    path = f"/accounts/{SILENT}/notes/{note.pk}/"
    client = client_of(cast.teammate)
    client.post(f"{path}keep/", {"do": "pin"})
    assert "<em>pinned</em>" in client.get(f"/accounts/{SILENT}/").content.decode()
    assert "A *pinned* word." in client.get(f"{path}change/").content.decode()
    client.post(f"{path}change/", form(body="Other."))
    page = client.get(path).content.decode()
    assert "What it said until" in page
    viewer = client_of(cast.viewer)
    assert "Delete this note" not in viewer.get(path).content.decode()
    assert viewer.post(f"{path}keep/", {"do": "delete"}).status_code == 403
    assert client_of(cast.stranger).get(path).status_code == 404
    assert client.get(path.replace(SILENT, GREEN)).status_code == 404
    client.post(f"{path}keep/", {"do": "delete"})
    assert client.get(path).status_code == 404
