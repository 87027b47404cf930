"""Verbs of notes. The lake has them at once, calls, meetings and e-mails among them as
touchpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pyarrow as pa
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _

from perennial.apps.customers import markdown
from perennial.apps.customers.models import Attachment, Mention, Note
from perennial.apps.team.actions import NotAllowed, must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue
from perennial.lake import measures
from perennial.lake.tables import TABLES
from perennial.lake.workspace import Workspace as Lake

TOUCHPOINTS, NOTES = "touchpoints", "notes"
LONGEST, MOST_FILES, MOST_BYTES = 20_000, 5, 20 * 2**20


@dataclass(frozen=True)
class Said:
    """What a form says of a note."""

    kind: str
    body: str
    at: datetime
    minutes: int | None = None
    is_pinned: bool = False


@transaction.atomic
def write_note(
    by: Membership,
    account_id: str,
    said: Said,
    *,
    key: UUID,
    files: Sequence[UploadedFile[Any]] = (),
) -> Note:
    """Write down a note or a contact; the same key again gives the same note."""
    must_cover(by, Role.MEMBER)
    known = Note.objects.filter(workspace=by.workspace, key=key).first()
    if known is not None:
        return known
    _check(said, files)
    note = Note.objects.create(
        workspace=by.workspace,
        key=key,
        account_id=account_id,
        kind=said.kind,
        body=said.body.strip(),
        at=said.at,
        minutes=said.minutes,
        by=by.user,
        author=by.user.email,
        is_pinned=said.is_pinned,
        written_at=lake_of(by.workspace).now,
    )
    for file in files:
        _attach(note, file)
    _mention(note)
    record(by.workspace, by.user, "note.written", account_id, kind=note.kind)
    touch(note)
    return note


@transaction.atomic
def change_note(note: Note, by: Membership, said: Said) -> None:
    """Change what a note says; what it said before is kept."""
    _must_own(note, by)
    _check(said, ())
    now = lake_of(by.workspace).now
    if said.body.strip() != note.body:
        note.versions.create(body=note.body, author=note.author, until=now)
    was_contact = note.is_contact
    note.kind, note.body, note.at = said.kind, said.body.strip(), said.at
    note.minutes, note.is_pinned, note.changed_at = said.minutes, said.is_pinned, now
    note.save()
    note.mentions.all().delete()
    _mention(note)
    record(by.workspace, by.user, "note.changed", note.account_id, kind=note.kind)
    touch(note, was_contact=was_contact)


@transaction.atomic
def pin_note(note: Note, by: Membership, *, is_pinned: bool) -> None:
    """A pinned note stands above the timeline. Any member may pin."""
    must_cover(by, Role.MEMBER)
    note.is_pinned = is_pinned
    note.save(update_fields=["is_pinned"])
    verb = "note.pinned" if is_pinned else "note.unpinned"
    record(by.workspace, by.user, verb, note.account_id)


@transaction.atomic
def delete_note(note: Note, by: Membership) -> None:
    """Take a note and its files away; that there was one stays on record."""
    _must_own(note, by)
    was_contact = note.is_contact
    note.deleted_at = lake_of(by.workspace).now
    note.save(update_fields=["deleted_at"])
    files = list(note.attachments.all())
    note.attachments.all().delete()
    note.mentions.all().delete()
    record(by.workspace, by.user, "note.deleted", note.account_id, kind=note.kind)
    touch(note, was_contact=was_contact)
    for file in files:
        path_of(by.workspace, file.key).unlink(missing_ok=True)


def path_of(workspace: Workspace, key: UUID) -> Path:
    """Where a file of a note lies; its own name is no part of it."""
    return Path(settings.DATA.media) / "notes" / workspace.key / key.hex


def _must_own(note: Note, by: Membership) -> None:
    """Authors change their own notes, admins those of all."""
    must_cover(by, Role.MEMBER)
    if note.by_id != by.user.pk and not by.covers(Role.ADMIN):
        raise NotAllowed(_("Only its author or an admin changes a note."))


def _check(said: Said, files: Sequence[UploadedFile[Any]]) -> None:
    if said.kind not in Note.Kind.values:
        raise BadValue(_("This is not a kind of notes."))
    if not said.body.strip():
        raise BadValue(_("Write down what was said."))
    if len(said.body) > LONGEST:
        raise BadValue(_("A note has at most 20,000 characters."))
    if said.minutes is not None and not 0 <= said.minutes <= 1440:
        raise BadValue(_("A contact takes at most a day."))
    if len(files) > MOST_FILES:
        raise BadValue(_("A note has at most 5 files."))
    if any((file.size or 0) > MOST_BYTES for file in files):
        raise BadValue(_("A file has at most 20 MB."))


def _attach(note: Note, file: UploadedFile[Any]) -> None:
    kept = Attachment.objects.create(
        note=note,
        key=uuid4(),
        name=get_valid_filename(file.name or "file")[-200:],
        size=file.size or 0,
    )
    place = path_of(note.workspace, kept.key)
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as target:
        for chunk in file.chunks():
            target.write(chunk)


def _mention(note: Note) -> None:
    people = User.objects.filter(memberships__workspace=note.workspace)
    found = markdown.mentioned(note.body, people)
    Mention.objects.bulk_create(Mention(note=note, user=user) for user in found)


def touch(note: Note, *, was_contact: bool = False) -> None:
    """The note in the lake, a contact as a touchpoint, under a key of its own: written
    twice it is one."""
    lake, is_there = lake_of(note.workspace), note.deleted_at is None
    if note.is_contact and is_there:
        _write(lake, TOUCHPOINTS, [_contact_row(note)])
    elif was_contact:
        lake.lake.delete_keys(TOUCHPOINTS, [(_touchpoint(note),)])
    if not note.is_contact and is_there:
        _write(lake, NOTES, [_note_row(note)])
    elif lake.lake.snapshot(NOTES).version >= 0:
        lake.lake.delete_keys(NOTES, [(note.key.hex,)])
    if note.is_contact or was_contact:
        measures.build_some(lake, [note.account_id])


def tell_notes(workspace: Workspace) -> None:
    """Notes that were written before the lake took any."""
    lake = lake_of(workspace)
    if lake.lake.snapshot(NOTES).version < 0:
        found = workspace.notes.filter(kind=Note.Kind.NOTE, deleted_at=None)
        _write(lake, NOTES, [_note_row(note) for note in found.iterator()])


def _write(lake: Lake, table: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        made = pa.Table.from_pylist(rows, schema=TABLES[table].schema())
        lake.lake.write(table, made)


def _touchpoint(note: Note) -> str:
    return f"note:{note.key.hex}"


def _contact_row(note: Note) -> dict[str, Any]:
    return {
        "touchpoint_id": _touchpoint(note),
        "account_id": note.account_id,
        "at": note.at,
        "kind": note.kind,
        "minutes": note.minutes,
        "staff_email": note.author,
        "summary": markdown.plain(note.body, LONGEST),
    }


def _note_row(note: Note) -> dict[str, Any]:
    return {
        "note_id": note.key.hex,
        "account_id": note.account_id,
        "at": note.at,
        "text": markdown.plain(note.body, LONGEST),
        "staff_email": note.author,
    }
