"""The pages that people answer on: without signing in, without JavaScript.

Each address is signed for one thing. The score is kept as soon as it is given, the
questions that follow it come on the next page, and the link opens what was answered
again, to be changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from perennial.apps.surveys import answering, inviting, tokens
from perennial.apps.surveys.document import read
from perennial.apps.surveys.models import Answer, Invite, Survey
from perennial.apps.team.access import public
from perennial.apps.team.brake import address_of
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.errors import BadValue, PerennialError
from perennial.core.ids import digest
from perennial.core.numbers import whole
from perennial.core.questionnaire import Questionnaire
from perennial.core.reading import direction
from perennial.lake import respondents

#: Nobody reads a question and answers it faster; programs do.
_FASTEST_S: Final = 2
_SLOWEST_S: Final = 24 * 3600
_PAGE_SALT: Final = "surveys.page"


class Sheet(Protocol):
    """What lies before a person: the questions, and what was said so far."""

    survey: Survey
    asks: Questionnaire
    language: str
    score: int | None
    answers: Mapping[str, str]
    is_complete: bool

    def say(self, score: int, answers: Mapping[str, str], *, is_complete: bool) -> str:
        """Keep it; the address to go on at. Raises `BadValue`."""


@dataclass
class Named:
    """The sheet of somebody who was invited."""

    invite: Invite
    token: str
    language: str
    survey: Survey = field(init=False)
    asks: Questionnaire = field(init=False)
    score: int | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    is_complete: bool = False

    def __post_init__(self) -> None:
        self.survey = self.invite.survey
        self.asks = answering.questions_of(self.invite)
        _remember(self, Answer.objects.filter(invite=self.invite).first())

    def say(self, score: int, answers: Mapping[str, str], *, is_complete: bool) -> str:
        answering.answer(
            self.invite,
            score,
            answers,
            is_complete=is_complete,
            language=self.language,
        )
        page = reverse("surveys:asked", args=[self.token])
        return f"{page}?lang={self.language}"


@dataclass
class Nameless:
    """The sheet of the public link: nobody knows whose it is."""

    survey: Survey
    language: str
    address: str
    pk: int | None = None
    asks: Questionnaire = field(init=False)
    score: int | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    is_complete: bool = False

    def __post_init__(self) -> None:
        self.asks = inviting.asked_document(self.survey).asks
        if self.pk is not None:
            mine = self.survey.answers.filter(pk=self.pk, invite=None)
            _remember(self, mine.first())

    def say(self, score: int, answers: Mapping[str, str], *, is_complete: bool) -> str:
        answer = answering.answer_without_name(
            self.survey,
            score,
            answers,
            language=self.language,
            address=self.address,
            is_complete=is_complete,
            pk=self.pk,
        )
        mine = tokens.make(tokens.ANONYMOUS, self.survey.pk, answer.pk)
        page = reverse("surveys:open", args=[self.survey.key])
        return f"{page}?mine={mine}&lang={self.language}"


@dataclass
class Tried:
    """The sheet of a preview: nothing of it is kept anywhere."""

    survey: Survey
    page: str
    language: str
    asks: Questionnaire = field(init=False)
    score: int | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    is_complete: bool = False

    def __post_init__(self) -> None:
        self.asks = read(self.survey.document).asks

    def say(self, score: int, answers: Mapping[str, str], *, is_complete: bool) -> str:
        self.asks.checked(score, answers)
        done = "&done=1" if is_complete else ""
        return f"{self.page}?said={score}&lang={self.language}{done}"


def _remember(sheet: Named | Nameless, answer: Answer | None) -> None:
    if answer is not None:
        sheet.score, sheet.answers = answer.score, answer.answers
        sheet.is_complete = answer.is_complete


# --- the pages ---------------------------------------------------------------


@never_cache
@public
def asked(request: HttpRequest, token: str) -> HttpResponse:
    """The page of an invitation."""
    invite = tokens.invite_of(token)
    if invite is None:
        return _dead(request)
    sheet = Named(invite, token, _wanted(request) or invite.language)
    return _page(request, sheet, is_known=True)


@never_cache
@public
def open_(request: HttpRequest, key: str) -> HttpResponse:
    """The public link; `user` and `signature` say whose answer it is."""
    survey = _running(key)
    if survey is None:
        return _dead(request)
    user, signature = (request.GET.get(n, "") for n in ("user", "signature"))
    if user:
        return _signed(request, survey, user, signature)
    document = inviting.asked_document(survey)
    language = document.asks.language([_wanted(request), *_accepted(request)])
    said = tokens.read(tokens.ANONYMOUS, request.GET.get("mine", ""))
    mine = said[1] if said and said[0] == survey.pk else None
    address = digest("survey", address_of(request))
    pk = int(mine) if mine is not None else None
    return _page(
        request, Nameless(survey, language, address, pk), is_known=pk is not None
    )


def _running(key: str) -> Survey | None:
    found = Survey.objects.select_related("workspace").filter(
        key=key, state=Survey.State.ON, archived_at=None
    )
    survey = found.first()
    if survey is None or "link" not in inviting.asked_document(survey).when.channels:
        return None
    return survey


def _signed(
    request: HttpRequest, survey: Survey, user: str, signature: str
) -> HttpResponse:
    """To the page of the person's own invitation."""
    person = respondents.people(lake_of(survey.workspace), [user]).get(user)
    if person is None or not tokens.is_signed(survey.workspace, user, signature):
        return _dead(request)
    document = inviting.asked_document(survey)
    invite = inviting.came_by_themselves(survey, document, person, _accepted(request))
    return redirect("surveys:asked", tokens.make(tokens.ANSWER, invite.pk))


@never_cache
@public
def preview(request: HttpRequest, token: str) -> HttpResponse:
    """The page as it will be; an answer goes nowhere."""
    survey = tokens.survey_of_preview(token)
    return _dead(request) if survey is None else try_page(request, survey)


def try_page(request: HttpRequest, survey: Survey) -> HttpResponse:
    """The page of a draft. Raises `BadValue` where the draft is not finished."""
    asks = read(survey.document).asks
    sheet = Tried(survey, request.path, asks.language([_wanted(request)]))
    said = whole(request.GET.get("said", ""))
    if said in asks.scores:
        sheet.score, sheet.is_complete = said, "done" in request.GET
    return _page(request, sheet, is_known=True)


def _page(request: HttpRequest, sheet: Sheet, *, is_known: bool) -> HttpResponse:
    problem = ""
    with override(sheet.language):
        if request.method == "POST":
            try:
                return _take(request, sheet, is_known=is_known)
            except PerennialError as error:
                problem = str(error)
        return _shown(request, sheet, problem)


def _take(request: HttpRequest, sheet: Sheet, *, is_known: bool) -> HttpResponse:
    given = request.POST
    if given.get("website") or not (is_known or _is_unhurried(given.get("page", ""))):
        # A program filled in everything, or was too fast: it may think it worked.
        return _shown(request, sheet, "", stage="thanks")
    score = whole(given["score"]) if given.get("score") else sheet.score
    if score is None:
        raise BadValue(_("Choose a score, please."))
    answers = {
        each.id: given.get(f"answer-{each.id}", "") for each in sheet.asks.follow_ups
    }
    is_last = given.get("do") == "more" or not sheet.asks.following(score)
    kept = answers if given.get("do") == "more" else sheet.answers
    response = redirect(sheet.say(score, kept, is_complete=is_last))
    return _private(response)


def _is_unhurried(page: str) -> bool:
    """Was the page shown to somebody a moment ago, and not in the last one?"""
    signer = signing.TimestampSigner(salt=_PAGE_SALT)
    try:
        signer.unsign(page, max_age=_SLOWEST_S)
    except signing.BadSignature:
        return False
    try:
        signer.unsign(page, max_age=_FASTEST_S)
    except signing.SignatureExpired:
        return True
    return False


def _shown(
    request: HttpRequest, sheet: Sheet, problem: str, stage: str = ""
) -> HttpResponse:
    asks, language = sheet.asks, sheet.language
    chosen = whole(request.GET.get("score", ""))
    picked = chosen if chosen in asks.scores else None
    stage = stage or _stage(sheet, request, is_picked=picked is not None)
    context: dict[str, Any] = {
        "survey": sheet.survey,
        "workspace": sheet.survey.workspace,
        "stage": stage,
        "direction": direction(language),
        "question": asks.said(asks.ask, language),
        "low": asks.said(asks.low, language),
        "high": asks.said(asks.high, language),
        "scores": asks.scores,
        "picked": sheet.score if picked is None else picked,
        "said": sheet.score,
        "follow_ups": _follow_ups(sheet),
        "thanks": asks.closing(sheet.score, language),
        "languages": [code for code in asks.languages if code != language],
        "here": request.path,
        "page": signing.TimestampSigner(salt=_PAGE_SALT).sign("page"),
        "is_preview": isinstance(sheet, Tried),
        "mine": request.GET.get("mine", ""),
        "problem": problem,
    }
    status = 400 if problem else 200
    return _private(render(request, "surveys/hosted.html", context, status=status))


def _stage(sheet: Sheet, request: HttpRequest, *, is_picked: bool) -> str:
    if sheet.score is None or is_picked or "edit" in request.GET:
        return "score"
    has_more = bool(sheet.asks.following(sheet.score))
    return "more" if has_more and not sheet.is_complete else "thanks"


def _follow_ups(sheet: Sheet) -> list[dict[str, Any]]:
    if sheet.score is None:
        return []
    asks, language = sheet.asks, sheet.language
    return [
        {
            "id": each.id,
            "kind": each.kind,
            "ask": asks.said(each.ask, language),
            "options": [
                (str(n), asks.said(words, language))
                for n, words in enumerate(each.options)
            ],
            "value": sheet.answers.get(each.id, ""),
        }
        for each in asks.following(sheet.score)
    ]


def _wanted(request: HttpRequest) -> str:
    return request.GET.get("lang", "")[:2]


def _accepted(request: HttpRequest) -> list[str]:
    header = request.headers.get("Accept-Language", "")
    return [part.partition(";")[0].strip() for part in header.split(",")[:10]]


# --- leaving -----------------------------------------------------------------


@never_cache
@csrf_exempt
@public
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """Ask this person nothing more: one click of a mail program (RFC 8058), or the
    button of the page. Opening the page alone changes nothing."""
    said = tokens.read(tokens.UNSUBSCRIBE, token)
    workspace = Workspace.objects.filter(pk=said[0]).first() if said else None
    if said is None or workspace is None:
        return _dead(request)
    person, stage = str(said[1]), "ask"
    if request.method == "POST":
        is_back = request.POST.get("do") == "back"
        act = answering.subscribe if is_back else answering.unsubscribe
        act(workspace, person)
        stage = "back" if is_back else "gone"
    context = {"workspace": workspace, "stage": stage}
    return _private(render(request, "surveys/leave.html", context))


def _dead(request: HttpRequest) -> HttpResponse:
    """A link that was forged, has expired, or leads to what is over."""
    return _private(render(request, "surveys/dead.html", status=404))


def _private(response: HttpResponse) -> HttpResponse:
    response["X-Robots-Tag"] = "noindex"
    return response
