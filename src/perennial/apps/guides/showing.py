"""Guides that a page of the customer's product may show to the person before it
(`surveys.hooks.Shows`).

The browser decides the moment and claims the guide; what the rules say counts only
then. Who is held out claims as everybody does, is written down, and sees nothing: so
both halves are counted from the same moment on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.db import transaction

from perennial.apps.guides import drawing, progress
from perennial.apps.guides.models import Guide, Showing
from perennial.apps.guides.queries import shown_document
from perennial.apps.guides.tokens import of_showing
from perennial.apps.surveys import inviting, tokens
from perennial.apps.surveys.hooks import Visitor
from perennial.apps.surveys.showing import person_of
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core import guides as documents
from perennial.core import guiding, reading
from perennial.core.guiding import Reader
from perennial.lake.respondents import Person

#: Stands in a ticket that a person opens by themselves, from a list: then the rules of
#: how often do not hold.
_ASKED: Final = "asked"
HELD_OUT: Final = "held_out"


def things(workspace: Workspace, visitor: Visitor) -> list[dict[str, Any]]:
    """Everything that could be shown to a person on some page now."""
    running = [*_running(workspace)]
    if not running:
        return []
    person = person_of(workspace, visitor)
    known, today = progress.Known(workspace, person), lake_of(workspace).today
    return [
        _thing(guide, document, person)
        for guide, document in running
        if inviting.fits(workspace, document.who, person)
        and progress.is_in_flows(workspace, document, person)
        and guiding.refusal(document, known.reader(guide), known.shown(guide), today)
        is None
    ]


def _running(workspace: Workspace) -> Iterator[tuple[Guide, documents.Guide]]:
    found = workspace.guides.filter(state=Guide.State.ON).order_by("pk")
    for guide in found.select_related("workspace"):
        yield guide, shown_document(guide)


def _thing(guide: Guide, document: documents.Guide, person: Person) -> dict[str, Any]:
    return {
        "id": f"guide-{guide.pk}",
        "pages": list(document.pages),
        "event": document.who.event,
        "delay_s": document.when.delay_s,
        "stays": document.stays,
        "ticket": (guide.pk, person.user_id, person.account_id, ""),
    }


def claim(
    workspace: Workspace, words: Sequence[str], languages: Sequence[str]
) -> dict[str, Any] | None:
    """The guide of a ticket, where the rules still let it be shown; None: nothing."""
    guide_pk, user_id, account_id, how = words
    guide = workspace.guides.filter(pk=guide_pk, state=Guide.State.ON).first()
    if guide is None:
        return None
    person = person_of(workspace, Visitor(user_id, account_id, languages))
    showing = _begin(guide, person, is_asked=how == _ASKED)
    if showing is None:
        return None
    document = shown_document(guide, showing.number)
    return drawing.drawn(
        guide,
        document,
        showing.variant,
        reading.spoken([*languages, person.language], document.languages),
        token=of_showing(showing),
        at=showing.step,
        done=progress.ticked(showing, document, person),
        tickets=_tickets(workspace, document, showing.variant, person),
    )


@transaction.atomic
def _begin(guide: Guide, person: Person, *, is_asked: bool) -> Showing | None:
    """The showing, begun anew or gone on with; None: the rules forbid it."""
    workspace = guide.workspace
    # One at a time: two windows of one person begin one guide, not two.
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    document, known = shown_document(guide), progress.Known(workspace, person)
    reader, shown = known.reader(guide), known.shown(guide)
    today = lake_of(workspace).today
    if not is_asked and guiding.refusal(document, reader, shown, today) is not None:
        return None
    held = known.showing(guide) or _first(guide, document, reader)
    if held.variant == HELD_OUT:
        return None
    if not guiding.goes_on(document, shown, today):
        held.times, held.began_on = held.times + 1, today
        held.number, held.step = guide.number, ""
        held.save(update_fields=["times", "began_on", "number", "step"])
    return held


def _first(guide: Guide, document: documents.Guide, reader: Reader) -> Showing:
    """Written down as it begins; those held out, too."""
    lake = lake_of(guide.workspace)
    return Showing.objects.create(
        guide=guide,
        number=guide.number,
        person=reader.person,
        account_id=reader.account,
        variant=guiding.variant(document, guide.key, reader),
        began_on=lake.today,
        claimed_at=lake.now,
    )


def _tickets(
    workspace: Workspace, document: documents.Guide, variant: str, person: Person
) -> dict[int, str]:
    """Tickets for the guides a list begins, of those that are there for this person."""
    wanted = {item.guide for item in document.content(variant).items if item.guide}
    known = progress.Known(workspace, person)
    found = {}
    for guide in workspace.guides.filter(pk__in=wanted, state=Guide.State.ON):
        reader = known.reader(guide)
        drawn = guiding.variant(shown_document(guide), guide.key, reader)
        if HELD_OUT not in {drawn, known.variant(guide)}:
            words = (guide.pk, person.user_id, person.account_id, _ASKED)
            found[guide.pk] = tokens.make(tokens.TICKET, "guide", *words)
    return found
