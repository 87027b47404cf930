"""Guides over HTTP: make, read, write the draft, publish, pause, results.

A token writes with the rights of the member who made it.
"""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Query, Router, Schema
from pydantic import Field

from perennial.api import paging
from perennial.api.problems import ERRORS
from perennial.apps.guides import actions, queries, results
from perennial.apps.guides.models import Guide
from perennial.apps.team import tokens
from perennial.apps.team.access import TokenRequest
from perennial.apps.team.actions import must_cover
from perennial.apps.team.roles import Role
from perennial.scoring.differences import Effect

router = Router(auth=tokens.READ, tags=["guides"])


class GuideOut(Schema):
    """A guide; `document` is the draft: what is shown, to whom and how often."""

    id: int
    name: str
    form: str
    state: str
    version: int
    document: dict[str, Any]
    problem: str = Field(description="What keeps the draft from being published.")


class GuideIn(Schema):
    """The draft, whole; what is shown stays until it is published."""

    document: dict[str, Any]
    name: str = Field("", max_length=120)


class NewGuideIn(Schema):
    """`document` names its form, which stays."""

    name: str = Field(max_length=120)
    document: dict[str, Any]


class AccountsIn(Schema):
    account_ids: list[str] = Field(max_length=1_000)


class ChosenOut(Schema):
    chosen: int = Field(description="Accounts that were not chosen before.")


class SideOut(Schema):
    """People of a variant (a, b, held_out) who came to the moment of being shown it."""

    variant: str
    came: int
    seen: int
    finished: int
    dismissed: int


class StepOut(Schema):
    id: str
    title: str
    people: int
    lost: int


class EffectOut(Schema):
    """A difference with its 95 % interval."""

    value: float
    low: float
    high: float


class ChangeOut(Schema):
    """The target with the guide and without it; `enough` is false while it is too early
    to say."""

    event: str
    metric: str
    days: int
    n: int
    n_held_out: int
    value: float | None
    held_out: float | None
    effect: EffectOut | None
    enough: bool


class ResultsOut(Schema):
    days: int
    variants: list[SideOut]
    steps: list[StepOut] = Field(description="Of variant A.")
    b_minus_a: EffectOut | None = Field(description="Of those who finish.")
    change: ChangeOut | None


@router.get("/guides", response={200: paging.Page[GuideOut], **ERRORS})
def list_guides(
    request: TokenRequest, limit: paging.Limit = paging.USUAL, cursor: str | None = None
) -> paging.Page[GuideOut]:
    """Guides by id."""
    return paging.by_id(queries.guides(request.auth.workspace), _guide, limit, cursor)


@router.post("/guides", auth=tokens.WRITE, response={200: GuideOut, **ERRORS})
def add_guide(request: TokenRequest, given: NewGuideIn) -> dict[str, Any]:
    """A new draft, finished or not. With an Idempotency-Key it is made once."""
    by = tokens.acting(request.auth)
    return tokens.once(
        request,
        request.auth,
        lambda: _guide(actions.create(by, given.name, given.document)).dict(),
    )


@router.get("/guides/{pk}", response={200: GuideOut, **ERRORS})
def read_guide(request: TokenRequest, pk: int) -> GuideOut:
    """One guide."""
    return _guide(_found(request, pk))


@router.put("/guides/{pk}", auth=tokens.WRITE, response={200: GuideOut, **ERRORS})
def write_guide(request: TokenRequest, pk: int, given: GuideIn) -> GuideOut:
    """Replace the draft; its form stays."""
    guide = _found(request, pk)
    by = tokens.acting(request.auth)
    actions.save(guide, by, given.name or guide.name, given.document)
    return _guide(guide)


@router.post(
    "/guides/{pk}/publish", auth=tokens.WRITE, response={200: GuideOut, **ERRORS}
)
def publish_guide(request: TokenRequest, pk: int) -> GuideOut:
    """Show it, as the draft says now."""
    guide = _found(request, pk)
    actions.publish(guide, tokens.acting(request.auth))
    return _guide(guide)


@router.post(
    "/guides/{pk}/pause", auth=tokens.WRITE, response={200: GuideOut, **ERRORS}
)
def pause_guide(request: TokenRequest, pk: int) -> GuideOut:
    """Show it to nobody any more."""
    guide = _found(request, pk)
    actions.pause(guide, tokens.acting(request.auth))
    return _guide(guide)


@router.post(
    "/guides/{pk}/accounts", auth=tokens.WRITE, response={200: ChosenOut, **ERRORS}
)
def choose_accounts(request: TokenRequest, pk: int, given: AccountsIn) -> ChosenOut:
    """Choose accounts for a guide that is shown in chosen ones alone."""
    guide, by = _found(request, pk), tokens.acting(request.auth)
    must_cover(by, Role.MEMBER)
    ids = given.account_ids
    return ChosenOut(chosen=actions.invite(by.workspace, guide, ids, by.user))


@router.get("/guides/{pk}/results", response={200: ResultsOut, **ERRORS})
def read_guide_results(
    request: TokenRequest, pk: int, days: Annotated[int, Query(ge=1, le=730)] = 90
) -> ResultsOut:
    """Who saw it in the last days, how far they came, and what it changed."""
    guide = _found(request, pk)
    found = results.showings(guide, days)
    sides = results.sides(found)
    steps = results.reached(guide, found, "a", "en") if guide.number else []
    return ResultsOut(
        days=days,
        variants=[SideOut.from_orm(sides[key]) for key in sorted(sides)],
        steps=[
            StepOut(id=each.id, title=each.title, people=each.n, lost=each.lost)
            for each in steps
        ],
        b_minus_a=_effect(results.between(sides)),
        change=_change(results.change(guide, found)) if guide.number else None,
    )


def _change(found: results.Change | None) -> ChangeOut | None:
    if found is None:
        return None
    return ChangeOut(
        event=found.target.event,
        metric=found.target.metric,
        days=found.target.days,
        n=found.n,
        n_held_out=found.n_without,
        value=found.value,
        held_out=found.without,
        effect=_effect(found.effect),
        enough=found.is_enough,
    )


def _effect(found: Effect | None) -> EffectOut | None:
    if found is None:
        return None
    return EffectOut(value=found.value, low=found.low, high=found.high)


def _found(request: TokenRequest, pk: int) -> Guide:
    return paging.get_or_404(queries.guides(request.auth.workspace), pk)


def _guide(guide: Guide) -> GuideOut:
    return GuideOut(
        id=guide.pk,
        name=guide.name,
        form=guide.form,
        state=guide.state,
        version=guide.number,
        document=guide.document,
        problem=actions.problem(guide),
    )
