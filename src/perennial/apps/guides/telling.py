"""What browsers tell of guides: each thing counts once, in whatever order it comes."""

from __future__ import annotations

from typing import Final

from django.db import transaction

from perennial.apps.guides.models import Guide, Showing, Told
from perennial.apps.guides.queries import shown_document
from perennial.apps.onboarding import progress as onboarding
from perennial.apps.team.lake import lake_of
from perennial.core import guides as documents
from perennial.core.errors import BadValue
from perennial.core.windows import DAY

Did = Told.Did
#: What is told of a part of the guide, not of the whole.
_OF_A_PART: Final = {Did.STEP, Did.LOST, Did.CLICKED}


def tell(showing: Showing, times: int, did: str, step: str) -> bool:
    """Write it down; False where it was told before. Raises `BadValue` for what no
    browser of ours says."""
    if did not in Did.values:
        raise BadValue(f"did: one of {', '.join(Did.values)}")
    step = step if did in _OF_A_PART else ""
    document = shown_document(showing.guide, showing.number)
    if did in _OF_A_PART and step not in document.content(showing.variant).parts:
        raise BadValue("there is no such step")
    what = {"showing": showing, "times": times, "did": did, "step": step}
    if Told.objects.filter(**what).exists():
        return False
    # Before the transaction, which would keep others waiting for the lake; told
    # again, should this be the last thing the process does.
    if did in {Did.STEP, Did.CLICKED}:
        _tick(showing, document, step)
    now = lake_of(showing.guide.workspace).now
    with transaction.atomic():
        _told, is_new = Told.objects.get_or_create(**what, defaults={"at": now})
        # What comes late, of a showing that began anew since, changes nothing more.
        if is_new and times == showing.times:
            _take(showing, document, did, step)
    return is_new


def _tick(showing: Showing, document: documents.Guide, step: str) -> None:
    """Into the onboarding flow whose step an item of the list is; steps that are not
    ticked by lists stay as they are."""
    workspace = showing.guide.workspace
    for item in document.content(showing.variant).items:
        if item.id == step and item.step:
            flow, _slash, name = item.step.partition("/")
            who, account = showing.person, showing.account_id or None
            now = lake_of(workspace).now
            onboarding.complete(workspace, flow, name, who, account, now)


def _take(showing: Showing, document: documents.Guide, did: str, step: str) -> None:
    lake, form = lake_of(showing.guide.workspace), showing.guide.form
    changed: dict[str, object] = {}
    if did == Did.SEEN and showing.seen_at is None:
        changed["seen_at"] = lake.now
    elif did == Did.STEP:
        changed["step"] = step
    elif did == Did.SNOOZED:
        changed["snoozed_until"] = lake.today + DAY
    elif did == Did.LOST and document.ends_without(showing.variant, step):
        changed["lost_at"] = lake.now
    # The way to help is never done with.
    elif form != Guide.Form.RESOURCES and did == Did.DONE:
        changed["finished_at"] = lake.now
    elif form != Guide.Form.RESOURCES and did == Did.DISMISSED:
        changed["dismissed_at"] = lake.now
    if changed:
        Showing.objects.filter(pk=showing.pk).update(**changed)
