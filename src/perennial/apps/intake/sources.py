"""Sources and their write keys: made, renamed, revoked."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from perennial.apps.intake.models import Source, WriteKey
from perennial.apps.team.actions import record
from perennial.apps.team.models import User, Workspace
from perennial.core.errors import BadValue


@transaction.atomic
def create_key(workspace: Workspace, name: str, *, by: User | None) -> WriteKey:
    """A write key for the source of this name, which is made where it is missing."""
    source, is_new = Source.objects.get_or_create(
        workspace=workspace, name=_checked(name)
    )
    if source.archived_at:
        Source.objects.filter(pk=source.pk).update(archived_at=None)
    if is_new:
        record(workspace, by, "source.created", source.name)
    key = WriteKey.objects.create(source=source)
    record(workspace, by, "key.created", source.name, key=shown(key.key))
    return key


def rename(source: Source, name: str, *, by: User) -> None:
    """Another name; its events keep their source."""
    before = source.name
    source.name = _checked(name)
    try:
        with transaction.atomic():
            source.save(update_fields=["name"])
    except IntegrityError:
        raise BadValue(_("There is a source of that name.")) from None
    record(source.workspace, by, "source.renamed", source.name, before=before)


@transaction.atomic
def revoke(key: WriteKey, *, by: User | None) -> None:
    """The key stops working within seconds; what it sent stays."""
    if key.revoked_at is None:
        key.revoked_at = timezone.now()
        key.save(update_fields=["revoked_at"])
        record(
            key.source.workspace,
            by,
            "key.revoked",
            key.source.name,
            key=shown(key.key),
        )


@transaction.atomic
def archive(source: Source, *, by: User) -> None:
    """Revokes its keys and takes it off the lists; its events stay."""
    for key in source.keys.filter(revoked_at=None):
        revoke(key, by=by)
    source.archived_at = timezone.now()
    source.save(update_fields=["archived_at"])
    record(source.workspace, by, "source.archived", source.name)


def workspace_of_key(key: str) -> Workspace | None:
    """Whose write key it is; None for one that is unknown or revoked."""
    found = WriteKey.objects.select_related("source__workspace").filter(
        key=key, revoked_at=None
    )
    known = found.first()
    return known.source.workspace if known else None


def shown(key: str) -> str:
    """A key as lists and the audit name it: its first characters."""
    return f"{key[:6]}…"


def _checked(name: str) -> str:
    name = name.strip()
    if not name or len(name) > 120:
        raise BadValue(_("A source has a name of at most 120 characters."))
    return name
