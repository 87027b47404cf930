"""Signed words that guides give away (`surveys.tokens`): each for one purpose."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from perennial.apps.guides.models import Guide, Showing
from perennial.apps.surveys import tokens
from perennial.apps.surveys.tokens import Purpose
from perennial.apps.team.models import Membership

#: What a browser tells of a showing with.
SHOW: Final = Purpose("guides.show", timedelta(days=7))
#: What the picker points with, for one step and one member of the team.
PICK: Final = Purpose("guides.pick", timedelta(hours=1))


def of_showing(showing: Showing) -> str:
    return tokens.make(SHOW, showing.pk, showing.times)


def showing_of(token: str) -> tuple[Showing, int] | None:
    """The showing a browser speaks of, and which time; None: forged, or too late."""
    said = tokens.read(SHOW, token)
    if said is None:
        return None
    pk, times = said
    every = Showing.objects.select_related("guide__workspace")
    found = every.exclude(guide__state=Guide.State.ARCHIVED).filter(pk=pk).first()
    return (found, int(times)) if found else None


def to_pick(guide: Guide, by: Membership, variant: str, step: str) -> str:
    return tokens.make(PICK, guide.pk, by.pk, variant, step)


def picked_of(token: str) -> tuple[Guide, Membership, str, str] | None:
    """What a picker points for, as long as both guide and member are there."""
    said = tokens.read(PICK, token)
    if said is None:
        return None
    guide_pk, member_pk, variant, step = said
    by = Membership.objects.select_related("workspace", "user").filter(pk=member_pk)
    member = by.first()
    if member is None or not member.user.is_active:
        return None
    live = member.workspace.guides.exclude(state=Guide.State.ARCHIVED)
    guide = live.filter(pk=guide_pk).first()
    return (guide, member, str(variant), str(step)) if guide else None
