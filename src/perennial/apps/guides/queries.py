"""What the screens of guides read."""

from __future__ import annotations

from django.db.models import QuerySet

from perennial.apps.guides.models import Guide
from perennial.apps.team.models import Workspace
from perennial.core import guides as documents


def guides(workspace: Workspace) -> QuerySet[Guide]:
    live = workspace.guides.exclude(state=Guide.State.ARCHIVED)
    return live.select_related("workspace")


def shown_document(guide: Guide, number: int | None = None) -> documents.Guide:
    """A version as it is shown, the newest by default; the draft of a guide that was
    never published."""
    version = guide.versions.filter(number=number or guide.number).first()
    return documents.read(version.document if version else guide.document)
