"""Notes as pages show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django.utils.safestring import SafeString

from perennial.apps.customers import markdown, wording
from perennial.apps.customers.models import Attachment, Note
from perennial.apps.customers.words import name_of
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.team.roles import Role


@dataclass(frozen=True)
class Shown:
    """A note with what is made of it."""

    note: Note
    html: SafeString
    author: str
    files: Sequence[Attachment]
    may_change: bool


def notes_of(workspace: Workspace, account_id: str) -> QuerySet[Note]:
    """The notes of an account, the newest first."""
    live = workspace.notes.filter(account_id=account_id, deleted_at=None)
    files = Prefetch("attachments", Attachment.objects.order_by("pk"))
    return live.prefetch_related(files).order_by("-at", "-pk")


def get_note_or_404(workspace: Workspace, account_id: str, pk: int) -> Note:
    found = notes_of(workspace, account_id).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def shown(note: Note, names: Mapping[str, str], by: Membership) -> Shown:
    if not wording.reads_all(by):
        wording.hide(note.workspace, [note], "body")
    is_own = note.by_id == by.user.pk and by.covers(Role.MEMBER)
    return Shown(
        note,
        markdown.render(note.body),
        name_of(note.author, names),
        list(note.attachments.all()),
        is_own or by.covers(Role.ADMIN),
    )


def versions(note: Note, by: Membership) -> list[tuple[datetime, str]]:
    """What a note said before, the last first, with the instant until which it did."""
    rows = note.versions.order_by("-until").values_list("until", "body")
    told = [(note.account_id, body) for _, body in rows]
    texts = wording.shown(note.workspace, told, mask=not wording.reads_all(by))
    return [(until, text) for (until, _), text in zip(rows, texts, strict=True)]


def pinned(
    workspace: Workspace, account_id: str, names: Mapping[str, str], by: Membership
) -> list[Shown]:
    found = notes_of(workspace, account_id).filter(is_pinned=True)
    return [shown(note, names, by) for note in found]
