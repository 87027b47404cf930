"""Answers and invitations into the lake: each under its own key, its last word.

What changed since it was loaded is written again. A load that dies half-way is done
again, with the same rows under the same keys; a change that comes meanwhile leaves
its revision ahead of what is noted as loaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import pyarrow as pa
from django.db.models import F

from perennial.apps.jobs.models import JobRun, State
from perennial.apps.surveys.document import Document, read
from perennial.apps.surveys.models import (
    Answer,
    Channel,
    Invite,
    Loadable,
    SurveyVersion,
)
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.questionnaire import SCALES
from perennial.lake.tables import TABLES

_AT_ONCE: Final = 2_000
T = TypeVar("T", bound=Loadable)
Row = dict[str, Any]


def load(workspace: Workspace) -> int:
    """Bring what is behind into the lake; how many rows."""
    lake = lake_of(workspace).lake
    documents = _Documents()
    with lake.lock("survey_answers"):
        return _load(
            workspace, Invite, "survey_invites", lambda i: _invite(i, documents)
        ) + _load(
            workspace, Answer, "survey_responses", lambda a: _answer(a, documents)
        )


def load_waiting() -> None:
    """Answers whose job still waits for the worker: their numbers need not. The job
    finds nothing left to load, and does what follows."""
    waiting = JobRun.objects.filter(name="take_answers", state=State.WAITING)
    for run in waiting.select_related("workspace"):
        load(run.workspace)


def _load(
    workspace: Workspace, model: type[T], table: str, row: Callable[[Any], Row]
) -> int:
    lake, loaded = lake_of(workspace).lake, 0
    while found := _behind(workspace, model):
        rows = [row(each) for each in found]
        schema = TABLES[table].schema()
        lake.write(table, pa.Table.from_pylist(rows, schema=schema))
        for each in found:
            each.loaded = each.revision
        model._default_manager.bulk_update(found, ["loaded"], batch_size=200)
        loaded += len(found)
    return loaded


def _behind(workspace: Workspace, model: type[T]) -> Sequence[T]:
    every = model._default_manager.filter(
        survey__workspace=workspace, loaded__lt=F("revision")
    )
    if model is Invite:
        # Who came by the public link was not invited, and counts in no rate.
        every = every.exclude(channel=Channel.LINK)
    related = ("survey", "invite") if model is Answer else ("survey",)
    return list(every.select_related(*related).order_by("pk")[:_AT_ONCE])


class _Documents:
    """Versions of documents, each read once a load."""

    def __init__(self) -> None:
        self._read: dict[tuple[int, int], Document] = {}

    def of(self, made: Invite | Answer) -> Document:
        key = (made.survey_id, made.number)
        if key not in self._read:
            version = SurveyVersion.objects.filter(
                survey_id=made.survey_id, number=made.number
            ).first()
            self._read[key] = read(
                version.document if version else made.survey.document
            )
        return self._read[key]


def _shared(made: Invite | Answer, document: Document) -> Row:
    return {
        "kind": made.survey.kind,
        "account_id": made.account_id or None,
        "touchpoint": document.when.touchpoint or None,
        "language": made.language,
        "survey": made.survey.name,
        "wave": str(made.wave),
        "channel": made.channel,
    }


def _invite(invite: Invite, documents: _Documents) -> Row:
    return {
        **_shared(invite, documents.of(invite)),
        "invite_id": invite.id_in_lake,
        "user_id": invite.person,
        "invited_at": invite.invited_at,
        "bounced_at": invite.bounced_at,
    }


def _answer(answer: Answer, documents: _Documents) -> Row:
    document, invite = documents.of(answer), answer.invite
    low, high = SCALES[answer.survey.kind]  # type: ignore[index]
    more = document.asks.chosen(answer.answers)
    if invite is not None and invite.occasion:
        more["occasion"] = invite.occasion
    return {
        **_shared(answer, document),
        "response_id": answer.id_in_lake,
        "scale_min": low,
        "scale_max": high,
        "score": float(answer.score),
        "comment": answer.comment or None,
        "user_id": answer.person or None,
        "invite_id": invite.id_in_lake if invite else None,
        "invited_at": invite.invited_at if invite else None,
        "answered_at": answer.answered_at,
        "properties": json.dumps(more) if more else None,
    }
