"""What the screens of guides read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from perennial.apps.guides.models import Guide, Told
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core import guides as documents
from perennial.core.errors import BadValue
from perennial.core.windows import DAY
from perennial.lake.workspace import Workspace as Lake

#: Days that the list speaks of.
USUAL_DAYS: Final = 90
#: A step that is not found this often of all times is worth a warning.
_LOST_SHARE, _LOST_TIMES = 0.1, 3


@dataclass(frozen=True)
class Lost:
    """A step whose element was not found: how often, of how many times it was due."""

    step: str
    place: int
    missed: int
    due: int


@dataclass(frozen=True)
class Listed:
    guide: Guide
    where: Sequence[str]
    seen: int
    finished: int
    lost: list[Lost]

    @property
    def share(self) -> float | None:
        return self.finished / self.seen if self.seen else None


def guides(workspace: Workspace) -> QuerySet[Guide]:
    live = workspace.guides.exclude(state=Guide.State.ARCHIVED)
    return live.select_related("workspace")


def shown_document(guide: Guide, number: int | None = None) -> documents.Guide:
    """A version as it is shown, the newest by default; the draft of a guide that was
    never published."""
    version = guide.versions.filter(number=number or guide.number).first()
    return documents.read(version.document if version else guide.document)


def get_for_chosen(workspace: Workspace, name: str) -> Guide:
    """A live guide that is shown in chosen accounts, by its name; raises `BadValue`."""
    found = guides(workspace).filter(name=name, state=Guide.State.ON).first()
    if found is None or not shown_document(found).who.invited:
        raise BadValue(
            _("No guide “%(name)s” is live that is shown in chosen accounts alone.")
            % {"name": name}
        )
    return found


def is_changed(guide: Guide) -> bool:
    """Does the draft say something else than what is shown?"""
    version = guide.versions.filter(number=guide.number).first()
    return version is not None and version.document != guide.document


def name_of_step(guide: Guide, variant: str, step: str, language: str) -> str:
    """The title of a step of the draft, for people."""
    content = guide.document.get("other") if variant == "b" else guide.document
    for each in (content or {}).get("steps", []):
        if each.get("id") == step:
            title = each.get("title") or {}
            return str(title.get(language) or next(iter(title.values()), ""))
    return ""


def listed(workspace: Workspace) -> list[Listed]:
    """Every guide, live ones first, with what came of it lately."""
    lake = lake_of(workspace)
    lately = Q(showings__seen_at__gte=lake.now - DAY * USUAL_DAYS)
    found = guides(workspace).annotate(
        seen=Count("showings", filter=lately),
        finished=Count(
            "showings", filter=lately & Q(showings__finished_at__isnull=False)
        ),
    )
    order = {Guide.State.ON: 0, Guide.State.DRAFT: 1, Guide.State.PAUSED: 2}
    every = [
        Listed(each, _where(each), each.seen, each.finished, lost(each, lake))
        for each in found.order_by("name")
    ]
    return sorted(every, key=lambda each: order[Guide.State(each.guide.state)])


def _where(guide: Guide) -> Sequence[str]:
    try:
        return documents.read(guide.document).pages
    except BadValue:
        return ()


def lost(guide: Guide, lake: Lake) -> list[Lost]:
    """Steps that often point at nothing, of the version that is shown, in the last two
    weeks."""
    version = guide.versions.filter(number=guide.number).first()
    if version is None or guide.state != Guide.State.ON:
        return []
    since = max(version.at, lake.now - DAY * 14)
    told = Told.objects.filter(showing__guide=guide, at__gte=since)
    counted = {
        (did, step): n
        for did, step, n in told.filter(did__in=(Told.Did.STEP, Told.Did.LOST))
        .values_list("did", "step")
        .annotate(n=Count("pk"))
    }
    steps = [each.id for each in documents.read(version.document).first.steps]
    found = [
        Lost(
            step,
            place,
            counted.get((Told.Did.LOST, step), 0),
            sum(counted.get((did, step), 0) for did in (Told.Did.STEP, Told.Did.LOST)),
        )
        for place, step in enumerate(steps, 1)
    ]
    return [
        each
        for each in found
        if each.missed >= _LOST_TIMES and each.missed >= each.due * _LOST_SHARE
    ]
