"""Onboarding flows over HTTP: make, read, write the draft, publish, stop; who is how
far, and steps that are ticked by hand.

A token writes with the rights of the member who made it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from ninja import Router, Schema
from pydantic import Field

from perennial.api import paging
from perennial.api.problems import ERRORS
from perennial.apps.onboarding import actions, queries
from perennial.apps.onboarding.models import Flow
from perennial.apps.team import tokens
from perennial.apps.team.access import TokenRequest
from perennial.apps.team.lake import lake_of
from perennial.core.errors import BadValue
from perennial.lake import places
from perennial.lake.places import Place

router = Router(auth=tokens.READ, tags=["onboarding"])


class FlowOut(Schema):
    """A flow; `document` is the draft: for whom it is, and its steps."""

    id: int
    name: str
    state: str
    version: int
    document: dict[str, Any]
    problem: str = Field(description="What keeps the draft from being published.")


class NewFlowIn(Schema):
    name: str = Field(max_length=80)
    document: dict[str, Any]


class FlowIn(Schema):
    """The draft, whole; what is in force stays until it is published. A published flow
    keeps its name."""

    document: dict[str, Any]
    name: str = Field("", max_length=80)


class StepOut(Schema):
    name: str
    optional: bool
    completed_at: datetime | None = Field(description="Null: not yet.")
    by: str = Field(
        description="What says so: event, condition, hand, checklist or import."
    )


class ProgressOut(Schema):
    """How far an account, or one of its people, is."""

    account_id: str | None
    user_id: str | None
    started_on: date
    version: int
    next_step: str | None
    finished_at: datetime | None
    stalled: bool
    steps: list[StepOut]


class TickIn(Schema):
    """A step that is ticked by hand. `completed_at` is now where it is left out, and
    null where the step was not done, after all."""

    step: str
    account_id: str = ""
    user_id: str = ""
    completed_at: datetime | None = None


@router.get("/onboarding-flows", response={200: paging.Page[FlowOut], **ERRORS})
def list_flows(
    request: TokenRequest, limit: paging.Limit = paging.USUAL, cursor: str | None = None
) -> paging.Page[FlowOut]:
    """Flows by id."""
    return paging.by_id(queries.flows(request.auth.workspace), _flow, limit, cursor)


@router.post("/onboarding-flows", auth=tokens.WRITE, response={200: FlowOut, **ERRORS})
def add_flow(request: TokenRequest, given: NewFlowIn) -> dict[str, Any]:
    """A new draft, finished or not. With an Idempotency-Key it is made once."""
    by = tokens.acting(request.auth)
    return tokens.once(
        request,
        request.auth,
        lambda: _flow(actions.create(by, given.name, given.document)).dict(),
    )


@router.get("/onboarding-flows/{pk}", response={200: FlowOut, **ERRORS})
def read_flow(request: TokenRequest, pk: int) -> FlowOut:
    """One flow."""
    return _flow(_found(request, pk))


@router.put(
    "/onboarding-flows/{pk}", auth=tokens.WRITE, response={200: FlowOut, **ERRORS}
)
def write_flow(request: TokenRequest, pk: int, given: FlowIn) -> FlowOut:
    """Replace the draft."""
    flow = _found(request, pk)
    by = tokens.acting(request.auth)
    actions.save(flow, by, given.name or flow.name, given.document)
    return _flow(flow)


@router.post(
    "/onboarding-flows/{pk}/publish",
    auth=tokens.WRITE,
    response={200: FlowOut, **ERRORS},
)
def publish_flow(request: TokenRequest, pk: int) -> FlowOut:
    """Put the draft in force for whoever begins on its day or later."""
    flow = _found(request, pk)
    actions.publish(flow, tokens.acting(request.auth))
    return _flow(flow)


@router.post(
    "/onboarding-flows/{pk}/stop", auth=tokens.WRITE, response={200: FlowOut, **ERRORS}
)
def stop_flow(request: TokenRequest, pk: int) -> FlowOut:
    """Let nobody enter any more; who is in it goes on."""
    flow = _found(request, pk)
    actions.stop(flow, tokens.acting(request.auth))
    return _flow(flow)


@router.get(
    "/onboarding-flows/{pk}/progress", response={200: list[ProgressOut], **ERRORS}
)
def read_progress(
    request: TokenRequest, pk: int, account_id: str = "", user_id: str = ""
) -> list[ProgressOut]:
    """How far an account is, and its people in a flow for people; or one person.
    Empty for who is not in the flow. Name one of both."""
    flow = _found(request, pk)
    return _progress(request, flow, account_id, user_id)


@router.post(
    "/onboarding-flows/{pk}/ticks",
    auth=tokens.WRITE,
    response={200: list[ProgressOut], **ERRORS},
)
def tick_step(request: TokenRequest, pk: int, given: TickIn) -> list[ProgressOut]:
    """Tick a step that is done by hand, or take the tick back."""
    flow, lake = _found(request, pk), lake_of(request.auth.workspace)
    at = given.completed_at
    if "completed_at" not in given.model_fields_set:
        at = lake.now
    elif at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=lake.settings.tz)
    actions.tick(
        tokens.acting(request.auth),
        flow.name,
        given.step,
        given.account_id,
        given.user_id,
        at=at,
    )
    return _progress(request, flow, given.account_id, given.user_id)


def _progress(
    request: TokenRequest, flow: Flow, account_id: str, user_id: str
) -> list[ProgressOut]:
    if not (account_id or user_id):
        raise BadValue("name an account_id or a user_id")
    lake = lake_of(request.auth.workspace)
    found = places.places(
        lake, flow.name, account=account_id or None, user=user_id or None
    )
    stall = lake.settings.onboarding_stall_days
    return [
        _place(each, each.is_stalled(lake.today, stall, lake.settings.tz))
        for each in found
    ]


def _place(place: Place, is_stalled: bool) -> ProgressOut:
    progress, done = place.progress, place.done
    return ProgressOut(
        account_id=place.account_id,
        user_id=place.user_id,
        started_on=progress.started,
        version=place.version,
        next_step=progress.next_step,
        finished_at=progress.finished_at,
        stalled=is_stalled,
        steps=[
            StepOut(
                name=step.name,
                optional=step.is_optional,
                completed_at=done[step.name].at if step.name in done else None,
                by=done[step.name].by if step.name in done else step.by,
            )
            for step in progress.flow.steps
        ],
    )


def _found(request: TokenRequest, pk: int) -> Flow:
    return paging.get_or_404(queries.flows(request.auth.workspace), pk)


def _flow(flow: Flow) -> FlowOut:
    return FlowOut(
        id=flow.pk,
        name=flow.name,
        state=flow.state,
        version=flow.number,
        document=flow.document,
        problem=actions.problem(flow),
    )
