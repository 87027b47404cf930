"""Guides of the example company: live, and seen by its people in the last weeks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from django.db import transaction

from perennial.apps.guides import actions
from perennial.apps.guides.models import Guide, Showing, Told
from perennial.apps.guides.queries import shown_document
from perennial.apps.surveys import inviting
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.team.roles import Role
from perennial.core import guiding
from perennial.core.asking import PARTS, drawn
from perennial.core.guides import Guide as Document
from perennial.core.guiding import Reader
from perennial.core.windows import DAY, local_date
from perennial.lake import deeds
from perennial.lake.respondents import Person

_DAYS: Final = 60
_TARGET_DAYS: Final = 14
#: Moments at which somebody may have come to the tour.
_EVERY_HOURS: Final = 7
#: Of ten people, how many saw each guide.
_SEEN_BY: Final = 3
_AT_ONCE: Final = 500
Came: TypeAlias = tuple[Person, datetime]
_REPORTS: Final = {"selectors": ["#schedule-report", "main button"], "text": "Schedule"}


@transaction.atomic
def set_up(workspace: Workspace, target: str, without: float, shown: float) -> None:
    """Guides and what came of them; again, it changes nothing.

    Of people held out from the tour the share `without` does the event `target` in the
    days after it, of the others the share `shown`.
    """
    owner = workspace.memberships.filter(role=Role.OWNER).order_by("pk").first()
    if owner is None or workspace.guides.exists():
        return
    tour = _live(
        owner,
        "Scheduled reports, step by step",
        "tour",
        who={"pages": ["/reports*"]},
        when={"often": "until_finished", "most": 3, "hold_out": 20, "other": 50},
        target={"event": target, "days": _TARGET_DAYS},
    )
    checklist = _live(
        owner, "Getting started", "checklist", target={"metric": "active_days"}
    )
    _fill(tour, _chosen(tour, target, without, shown))
    _fill(checklist, _drawn(checklist))
    actions.add(owner, "What is new", "announcement")


def _live(by: Membership, name: str, template: str, **parts: Any) -> Guide:
    guide = actions.add(by, name, template)
    # Chance is drawn from it: the same company for everybody.
    guide.key = f"example {template}"
    guide.save(update_fields=["key"])
    document = {**guide.document, **parts}
    for step in document.get("steps", []):
        if step["place"] == "anchor":
            step |= {"anchor": _REPORTS, "page": "/reports*", "advance": "click"}
    if template == "tour":
        # The second variant comes to the point at once.
        document["other"] = {"steps": document["steps"][1:]}
    actions.save(guide, by, name, document)
    actions.publish(guide, by)
    return guide


def _people(guide: Guide) -> Iterator[Person]:
    lake = lake_of(guide.workspace)
    return (p for p in inviting.everybody(lake, lake.today) if not p.is_own)


def _drawn(guide: Guide) -> Iterator[Came]:
    """Some people, at any time of the last weeks."""
    now = lake_of(guide.workspace).now
    for person in _people(guide):
        if drawn(guide.key, "in", person.user_id) % 10 < _SEEN_BY:
            minutes = drawn(guide.key, "when", person.user_id) * _DAYS * 1440 // PARTS
            yield person, now - timedelta(minutes=minutes)


def _chosen(guide: Guide, event: str, without: float, shown: float) -> Iterator[Came]:
    """People at a moment that the event follows, or does not, by chance alone.

    Nothing is added to what they did: the moment is chosen by it. So only people come
    of whom there are moments of both kinds.
    """
    lake, document = lake_of(guide.workspace), shown_document(guide)
    did = deeds.instants(lake, event, lake.now - DAY * _DAYS)
    every = [
        lake.now - timedelta(hours=hours)
        for hours in range(_TARGET_DAYS * 24, _DAYS * 24, _EVERY_HOURS)
    ]
    for person in _people(guide):
        found = did.get(person.user_id, ())
        moments: tuple[list[datetime], list[datetime]] = ([], [])
        for at in every:
            follows = any(at < each <= at + DAY * _TARGET_DAYS for each in found)
            moments[follows].append(at)
        if all(moments):
            variant = _variant(guide, document, person)
            share = without if variant == guiding.HELD_OUT else shown
            follows = drawn(guide.key, "does", person.user_id) < share * PARTS
            some = moments[follows]
            yield person, some[drawn(guide.key, "at", person.user_id) % len(some)]


def _variant(guide: Guide, document: Document, person: Person) -> str:
    reader = Reader(person.user_id, person.account_id)
    return guiding.variant(document, guide.key, reader)


def _fill(guide: Guide, came: Iterable[Came]) -> None:
    document = shown_document(guide)
    Showing.objects.bulk_create(
        (_showing(guide, document, person, at) for person, at in came),
        batch_size=_AT_ONCE,
    )
    Told.objects.bulk_create(
        (
            told
            for showing in guide.showings.exclude(variant=guiding.HELD_OUT)
            for told in _told(showing, document.content(showing.variant).parts)
        ),
        batch_size=_AT_ONCE,
    )


def _showing(guide: Guide, document: Document, person: Person, at: datetime) -> Showing:
    lake, variant = lake_of(guide.workspace), _variant(guide, document, person)
    is_held_out = variant == guiding.HELD_OUT
    end = drawn(guide.key, "end", person.user_id) % 10
    later = min(at + timedelta(minutes=3), lake.now)
    return Showing(
        guide=guide,
        number=1,
        person=person.user_id,
        account_id=person.account_id,
        variant=variant,
        times=0 if is_held_out else 1,
        began_on=local_date(at, lake.settings.tz),
        claimed_at=at,
        seen_at=None if is_held_out else at,
        finished_at=later if end < 5 + (variant == "b") and not is_held_out else None,
        dismissed_at=later if end > 7 and not is_held_out else None,
    )


def _told(showing: Showing, parts: tuple[str, ...]) -> Iterator[Told]:
    """Everybody who finished came to all of it, the others to a part."""
    came = len(parts)
    if showing.finished_at is None:
        came = 1 + drawn("came", showing.person) % came
    for step in parts[:came]:
        yield Told(
            showing=showing,
            times=1,
            did=Told.Did.STEP,
            step=step,
            at=showing.claimed_at,
        )
