"""Verbs of segments. Each leaves an audit entry and tells the lake in the same step."""

from __future__ import annotations

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from perennial.apps.customers.models import Segment
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue
from perennial.lake import segments as lake_segments
from perennial.lake.segmentbook import Segment as Told
from perennial.metrics import conditions


@transaction.atomic
def create_segment(
    by: Membership, *, name: str, description: str, document: object
) -> Segment:
    """A segment from a condition; raises `BadValue` for one that cannot be asked."""
    must_cover(by, Role.MEMBER)
    condition = conditions.read(document)
    segment = Segment(
        workspace=by.workspace,
        key=_free_key(by.workspace, name),
        name=_named(name),
        description=description.strip(),
        document=conditions.to_document(condition),
        by=by.user,
        changed_at=lake_of(by.workspace).now,
    )
    segment.save()
    record(by.workspace, by.user, "segment.created", str(segment), key=segment.key)
    _tell(segment, by)
    return segment


@transaction.atomic
def change_segment(
    segment: Segment, by: Membership, *, name: str, description: str, document: object
) -> None:
    """Another name or condition; whoever was in it until now stays on record."""
    must_cover(by, Role.MEMBER)
    condition = conditions.read(document)
    segment.name, segment.description = _named(name), description.strip()
    segment.document = conditions.to_document(condition)
    segment.by, segment.changed_at = by.user, lake_of(by.workspace).now
    segment.save()
    record(by.workspace, by.user, "segment.changed", str(segment), key=segment.key)
    _tell(segment, by)


@transaction.atomic
def archive_segment(segment: Segment, by: Membership) -> None:
    """It has no members any more; refused while another segment speaks of it."""
    must_cover(by, Role.MEMBER)
    used = [
        other.name
        for other in segment.workspace.segments.filter(archived_at=None)
        if segment.key in conditions.segments(conditions.read(other.document))
    ]
    if used:
        raise BadValue(
            _("Other segments speak of this one: %(names)s")
            % {"names": ", ".join(used)}
        )
    segment.archived_at = lake_of(by.workspace).now
    segment.save(update_fields=["archived_at"])
    record(by.workspace, by.user, "segment.archived", str(segment), key=segment.key)
    _tell(segment, by)


@transaction.atomic
def restore_segment(segment: Segment, by: Membership) -> None:
    must_cover(by, Role.MEMBER)
    segment.archived_at = None
    segment.save(update_fields=["archived_at"])
    record(by.workspace, by.user, "segment.restored", str(segment), key=segment.key)
    _tell(segment, by)


def _tell(segment: Segment, by: Membership) -> None:
    told = Told(segment.key, segment.name, conditions.read(segment.document))
    lake_segments.keep(
        lake_of(segment.workspace),
        told,
        by=by.user.email,
        is_archived=segment.archived_at is not None,
    )


def _named(name: str) -> str:
    if not name.strip():
        raise BadValue(_("A segment has a name."))
    return name.strip()[:120]


def _free_key(workspace: Workspace, name: str) -> str:
    """A key from the name that no segment has, or had."""
    start = slugify(name)[:56] or "segment"
    taken = set(workspace.segments.values_list("key", flat=True))
    numbered = (f"{start}-{n}" for n in range(2, len(taken) + 3))
    return next(key for key in (start, *numbered) if key not in taken)
