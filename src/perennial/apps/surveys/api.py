"""Surveys over HTTP: who is due, invite, answer, results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any

from django.http import Http404
from django.urls import reverse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from perennial.api import paging
from perennial.api.problems import ERRORS
from perennial.apps.customers import wording
from perennial.apps.surveys import (
    answering,
    feedback,
    inviting,
    queries,
    results,
    tokens,
)
from perennial.apps.surveys.inviting import Candidate
from perennial.apps.surveys.models import Answer, Channel, Invite, Survey
from perennial.apps.team import tokens as api_tokens
from perennial.apps.team.access import TokenRequest
from perennial.apps.team.addresses import absolute
from perennial.apps.team.lake import lake_of
from perennial.core.errors import BadValue
from perennial.lake import respondents
from perennial.lake.quotes import NoComment, Quote

router = Router(auth=api_tokens.READ, tags=["surveys"])


class SurveyOut(Schema):
    """A survey; `document` is what is asked, of whom and when."""

    id: int
    name: str
    kind: str
    state: str
    version: int
    document: dict[str, Any]


class DueOut(Schema):
    """Somebody the rules let this survey ask today."""

    user_id: str
    account_id: str | None
    occasion: str


class InvitationIn(Schema):
    user_id: str = Field(max_length=254)
    occasion: str = Field("", max_length=254)
    language: str = Field("", max_length=10)


class InvitationOut(Schema):
    """`asked` is false where a rule forbids it: `reason` says which."""

    asked: bool
    reason: str | None = None
    id: int | None = None
    link: str | None = Field(None, description="The person's own page.")


class ResponseIn(Schema):
    """An answer to an invitation; sent again it is changed: the last one counts."""

    invitation_id: int
    score: int
    answers: dict[str, str] = Field({}, description="By the id of the question.")
    complete: bool = True


class ResponseOut(Schema):
    id: int
    survey_id: int
    invitation_id: int | None
    user_id: str | None
    account_id: str | None
    score: int
    comment: str
    answers: dict[str, str]
    language: str
    channel: str
    wave: int
    complete: bool
    answered_at: datetime
    changed_at: datetime
    closed_at: datetime | None = Field(description="When somebody saw to it.")


class SpokenOut(Schema):
    topic: str
    sentiment: float | None = Field(description="From -1 to 1; null: nobody told.")


class CommentOut(Schema):
    """A comment, wherever it was made, and what it speaks of."""

    id: str
    source: str = Field(description="survey, ticket, contact, note, cancellation")
    account_id: str | None
    at: datetime
    language: str | None
    text: str
    topics: list[SpokenOut]
    corrected: bool = Field(description="A person said what it speaks of.")


class TopicsIn(Schema):
    topics: list[str] = Field(max_length=50, description="None: it speaks of no topic.")


class CorrectionOut(Schema):
    """What a person said that a comment speaks of."""

    id: str
    topics: list[str]


class ResultOut(Schema):
    """The score of the last days with today: NPS, or the share of good answers."""

    days: int
    value: float | None
    margin: float | None = Field(description="Half of the 95 % interval.")
    n: int
    answered: int
    delivered: int


@router.get("/surveys", response={200: paging.Page[SurveyOut], **ERRORS})
def list_surveys(
    request: TokenRequest, limit: paging.Limit = paging.USUAL, cursor: str | None = None
) -> paging.Page[SurveyOut]:
    """Surveys by id."""
    found = queries.surveys(request.auth.workspace)
    return paging.by_id(found, _survey, limit, cursor)


@router.get("/surveys/{pk}/due", response={200: list[DueOut], **ERRORS})
def list_due(request: TokenRequest, pk: int, limit: paging.Limit = 100) -> list[DueOut]:
    """Whom the survey may ask today. Ask for an invitation before you ask them: it is
    what keeps others from asking, too."""
    survey = _found(request, pk)
    if survey.state != Survey.State.ON:
        return []
    look = inviting.look(survey, inviting.asked_document(survey))
    return [
        DueOut(
            user_id=each.person.user_id,
            account_id=each.person.account_id or None,
            occasion=each.occasion,
        )
        for each in look.ready[:limit]
    ]


@router.post(
    "/surveys/{pk}/invitations",
    auth=api_tokens.WRITE,
    response={200: InvitationOut, **ERRORS},
)
def add_invitation(
    request: TokenRequest, pk: int, given: InvitationIn
) -> InvitationOut:
    """Claim a person: from now on they were asked, whatever you do with the link."""
    survey = _found(request, pk)
    if survey.state != Survey.State.ON:
        raise BadValue("this survey is not running")
    lake = lake_of(request.auth.workspace)
    person = respondents.people(lake, [given.user_id]).get(given.user_id)
    if person is None:
        raise BadValue(f"there is no user {given.user_id}")
    document = inviting.asked_document(survey)
    candidate = Candidate(person, given.occasion)
    asked = inviting.ask(survey, document, candidate, Channel.API, [given.language])
    if not isinstance(asked, Invite):
        return InvitationOut(asked=False, reason=asked.value, link=None)
    page = reverse("surveys:asked", args=[tokens.make(tokens.ANSWER, asked.pk)])
    return InvitationOut(asked=True, id=asked.pk, link=absolute(page))


@router.get("/surveys/{pk}/results", response={200: ResultOut, **ERRORS})
def read_results(
    request: TokenRequest, pk: int, days: Annotated[int, Query(ge=1, le=730)] = 90
) -> ResultOut:
    """Score, margin, answers and response rate."""
    survey = _found(request, pk)
    lake = lake_of(request.auth.workspace)
    span = results.span_of(days, lake.today)
    score = results.score(lake, survey.kind, survey.name, span.start, span.end)
    rate = results.rate(lake, survey.name, span.start, span.end)
    return ResultOut(
        days=days,
        value=score.value,
        margin=score.margin,
        n=score.n,
        answered=rate.answered,
        delivered=rate.delivered,
    )


@router.get("/responses", response={200: paging.Page[ResponseOut], **ERRORS})
def list_responses(
    request: TokenRequest,
    survey_id: int | None = None,
    account_id: str = "",
    limit: paging.Limit = paging.USUAL,
    cursor: str | None = None,
) -> paging.Page[ResponseOut]:
    """Answers by id, of one survey or of all."""
    found = Answer.objects.filter(survey__workspace=request.auth.workspace)
    if survey_id is not None:
        found = found.filter(survey_id=survey_id if paging.fits(survey_id) else 0)
    if account_id:
        found = found.filter(account_id=account_id)
    page = paging.by_id(found, _response, limit, cursor)
    _as_read(request, page.items)
    return page


@router.post("/responses", auth=api_tokens.WRITE, response={200: ResponseOut, **ERRORS})
def add_response(request: TokenRequest, given: ResponseIn) -> ResponseOut:
    """Answer for a person who was invited; the last answer to an invitation counts."""
    every = Invite.objects.filter(survey__workspace=request.auth.workspace)
    every = every.select_related("survey__workspace")
    invite = paging.get_or_404(every, given.invitation_id)
    return _response(
        answering.answer(invite, given.score, given.answers, is_complete=given.complete)
    )


@router.get("/comments", response={200: paging.Page[CommentOut], **ERRORS})
def list_comments(
    request: TokenRequest,
    days: Annotated[int, Query(ge=1, le=730)] = 90,
    topic: str = "",
    source: str = "",
    corrected: bool = False,
    limit: paging.Limit = paging.USUAL,
    cursor: str | None = None,
) -> paging.Page[CommentOut]:
    """Comments of the last days with today by id, of each source the newest 2,000; with
    `corrected` those that a person had a word on."""
    workspace = request.auth.workspace
    lake = lake_of(workspace)
    span, show = results.span_of(days, lake.today), "corrected" if corrected else ""
    found = feedback.found(lake, span.start, span.end, "", topic, show, source)
    by_id = sorted(found, key=lambda quote: quote.response_id)
    page = paging.page([(q.response_id, q) for q in by_id], limit, cursor)
    told = [(quote.account_id, quote.comment) for quote in page.items]
    texts = wording.shown(workspace, told, mask=not wording.reads_all(request.auth))
    items = [_comment(*each) for each in zip(page.items, texts, strict=True)]
    return paging.Page(items=items, next_cursor=page.next_cursor)


@router.put(
    "/comments/{path:comment_id}/topics",
    auth=api_tokens.WRITE,
    response={200: CorrectionOut, **ERRORS},
)
def correct_comment(
    request: TokenRequest, comment_id: str, given: TopicsIn
) -> CorrectionOut:
    """Say what a comment speaks of: it holds whatever is read later, and teaches how
    others are read."""
    with _known_comment():
        feedback.correct(api_tokens.acting(request.auth), comment_id, given.topics)
    return CorrectionOut(id=comment_id, topics=list(dict.fromkeys(given.topics)))


@router.delete(
    "/comments/{path:comment_id}/topics",
    auth=api_tokens.WRITE,
    response={204: None, **ERRORS},
)
def take_back_correction(request: TokenRequest, comment_id: str) -> Status[None]:
    """Take back what was said of a comment: it speaks of what was read in it."""
    with _known_comment():
        feedback.take_back(api_tokens.acting(request.auth), comment_id)
    return Status(204, None)


@contextmanager
def _known_comment() -> Iterator[None]:
    try:
        yield
    except NoComment as error:
        raise Http404(str(error)) from error


def _comment(quote: Quote, text: str) -> CommentOut:
    spoken = quote.topics.items()
    return CommentOut(
        id=quote.response_id,
        source=quote.source,
        account_id=quote.account_id,
        at=quote.at,
        language=quote.language,
        text=text,
        topics=[SpokenOut(topic=topic, sentiment=felt) for topic, felt in spoken],
        corrected=quote.is_corrected,
    )


def _found(request: TokenRequest, pk: int) -> Survey:
    return paging.get_or_404(queries.surveys(request.auth.workspace), pk)


def _survey(survey: Survey) -> SurveyOut:
    return SurveyOut(
        id=survey.pk,
        name=survey.name,
        kind=survey.kind,
        state=survey.state,
        version=survey.number,
        document=survey.document,
    )


def _as_read(request: TokenRequest, some: Sequence[ResponseOut]) -> None:
    """Texts as the token may read them: one that only reads sees no personal data."""
    mask = not wording.reads_all(request.auth)
    told = [(a.account_id, t) for a in some for t in (a.comment, *a.answers.values())]
    texts = iter(wording.shown(request.auth.workspace, told, mask=mask))
    for answer in some:
        answer.comment = next(texts)
        answer.answers = {name: next(texts) for name in answer.answers}


def _response(answer: Answer) -> ResponseOut:
    return ResponseOut(
        id=answer.pk,
        survey_id=answer.survey_id,
        invitation_id=answer.invite_id,
        user_id=answer.person or None,
        account_id=answer.account_id or None,
        score=answer.score,
        comment=answer.comment,
        answers=answer.answers,
        language=answer.language,
        channel=answer.channel,
        wave=answer.wave,
        complete=answer.is_complete,
        answered_at=answer.answered_at,
        changed_at=answer.changed_at,
        closed_at=answer.closed_at,
    )
