"""Whom a guide is for: the people of today, and why not the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from perennial.apps.guides.models import Guide, Showing
from perennial.apps.guides.words import REASONS
from perennial.apps.surveys import inviting
from perennial.apps.team.lake import lake_of
from perennial.core.guides import Guide as Document
from perennial.core.guiding import Reader, Reason, Shown, refusal
from perennial.lake.respondents import Person
from perennial.metrics import registry

#: Metrics a guide may be held against: how much one person did. None is a rate.
_METRICS = ("active_days", "sessions", "time_in_app", "feature_uses")


@dataclass(frozen=True)
class Look:
    """People it is meant for, and their accounts; reasons of those in the segment and
    the roles who are not."""

    people: int
    accounts: int
    reasons: Mapping[Reason, int]

    @property
    def said(self) -> list[tuple[int, Promise]]:
        """The reasons in words, the most frequent first."""
        found = sorted(self.reasons.items(), key=lambda pair: -pair[1])
        return [(n, REASONS[reason]) for reason, n in found]


def metrics() -> dict[str, str]:
    """Titles of metrics by key."""
    return {key: _(registry.get(key).title) for key in _METRICS}


def look(guide: Guide, document: Document) -> Look:
    """Whom the draft is for today, whatever they saw before."""
    lake, progress = lake_of(guide.workspace), _progress(document)
    chosen = set(guide.invited.values_list("account_id", flat=True))
    found, reasons = list[Person](), Counter[Reason]()
    for person in inviting.everybody(lake, lake.today):
        if not inviting.fits(guide.workspace, document.who, person):
            continue
        reader = _reader(person, document, chosen, progress)
        why = refusal(document, reader, Shown(), lake.today)
        if why is None:
            found.append(person)
        else:
            reasons[why] += 1
    accounts = {person.account_id for person in found if person.account_id}
    return Look(len(found), len(accounts), reasons)


def _progress(document: Document) -> dict[str, bool]:
    """Who saw the other guide, and whether they finished it."""
    if document.who.guide is None:
        return {}
    found = Showing.objects.filter(guide_id=document.who.guide, seen_at__isnull=False)
    return {
        person: at is not None
        for person, at in found.values_list("person", "finished_at")
    }


def _reader(
    person: Person, document: Document, chosen: set[str], progress: Mapping[str, bool]
) -> Reader:
    guide = document.who.guide or 0
    seen = person.user_id in progress
    return Reader(
        person=person.user_id,
        account=person.account_id,
        first_seen_on=person.first_seen_on,
        is_own=person.is_own,
        is_invited=person.account_id in chosen,
        seen=frozenset({guide} if seen else ()),
        finished=frozenset({guide} if progress.get(person.user_id) else ()),
    )
