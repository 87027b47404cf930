"""Surveys that a page of the customer's product may show to the person before it
(`hooks.Shows`).

The browser decides the moment and claims the survey; what the rules of asking say
counts only then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from perennial.apps.surveys import inviting, mailing, phrases, tokens
from perennial.apps.surveys.document import Document
from perennial.apps.surveys.hooks import Visitor
from perennial.apps.surveys.inviting import Candidate
from perennial.apps.surveys.models import Channel, Invite, Respondent, Survey
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core import asking
from perennial.core.asking import Asked
from perennial.core.questionnaire import Questionnaire
from perennial.core.reading import direction
from perennial.lake import respondents
from perennial.lake.respondents import Person


def things(workspace: Workspace, visitor: Visitor) -> list[dict[str, Any]]:
    """Everything that could be shown to a person on some page now."""
    running = [*mailing.running(workspace, Channel.PRODUCT)]
    if not running:
        return []
    person = person_of(workspace, visitor)
    found = []
    for survey, document in running:
        candidate = _candidate(survey, document, person)
        if candidate is not None and _is_free(survey, document, candidate):
            found.append(_thing(survey, document, candidate))
    return found


def person_of(workspace: Workspace, visitor: Visitor) -> Person:
    """Who is before the page; somebody nobody heard of is in the account it names."""
    known = respondents.people(lake_of(workspace), [visitor.user_id])
    found = known.get(visitor.user_id) or Person(visitor.user_id)
    return found if found.account_id else replace(found, account_id=visitor.account_id)


def _candidate(survey: Survey, document: Document, person: Person) -> Candidate | None:
    """The person, with what the survey is about; None where it is not for them."""
    if not inviting.fits(survey.workspace, document.who, person):
        return None
    trigger = document.when.trigger
    if trigger in {"schedule", "event"}:  # an event is watched for by the page itself
        return Candidate(person)
    lake = lake_of(survey.workspace)
    since = lake.now - inviting.FRESH[trigger]
    happened = respondents.happened(lake, trigger, since, user_id=person.user_id)
    return Candidate(person, happened[-1].occasion) if happened else None


def _is_free(survey: Survey, document: Document, candidate: Candidate) -> bool:
    """Would the rules let the person be asked, but for the limits of the day?"""
    workspace, person = survey.workspace, candidate.person
    today = lake_of(workspace).today
    held = Respondent.objects.filter(workspace=workspace, person=person.user_id).first()
    waves = survey.invites.filter(person=person.user_id).values_list("wave", "occasion")
    why = asking.refusal(
        inviting.plan_of(survey, document, today),
        inviting.quiet_of(workspace),
        inviting.known(person, held, waves),
        Asked(),
        today,
        candidate.occasion,
    )
    return why is None


def _thing(survey: Survey, document: Document, candidate: Candidate) -> dict[str, Any]:
    who, when = document.who, document.when
    person = candidate.person
    return {
        "id": f"survey-{survey.pk}",
        "pages": list(who.pages),
        "event": who.event,
        "delay_s": when.delay_s,
        "ticket": (
            survey.pk,
            person.user_id,
            person.account_id,
            candidate.occasion,
        ),
    }


def claim(
    workspace: Workspace, words: Sequence[str], languages: Sequence[str]
) -> dict[str, Any] | None:
    """The survey of a ticket, where the rules still let it ask; None: nothing."""
    survey_pk, user_id, account_id, occasion = words
    survey = workspace.surveys.filter(pk=survey_pk, state=Survey.State.ON).first()
    if survey is None:
        return None
    document = inviting.asked_document(survey)
    visitor = Visitor(user_id, account_id, languages)
    candidate = Candidate(person_of(workspace, visitor), occasion)
    asked = inviting.ask(survey, document, candidate, Channel.PRODUCT, languages)
    if not isinstance(asked, Invite):
        return None
    token = tokens.make(tokens.ANSWER, asked.pk)
    return widget(survey, document.asks, asked.language, token=token)


def widget(
    survey: Survey, asks: Questionnaire, language: str, *, token: str
) -> dict[str, Any]:
    """A survey as the snippet draws it, in one language. Without a token it is a
    preview: nothing is sent."""
    return {
        "token": token,
        "language": language,
        "direction": direction(language),
        "name": survey.name,
        "question": asks.said(asks.ask, language),
        "low": asks.said(asks.low, language),
        "high": asks.said(asks.high, language),
        "scores": list(asks.scores),
        "follow_ups": [
            {
                "id": each.id,
                "kind": each.kind,
                "from": each.low,
                "to": each.high,
                "ask": asks.said(each.ask, language),
                "options": [asks.said(words, language) for words in each.options],
            }
            for each in asks.follow_ups
        ],
        "thanks": [
            {"from": t.low, "to": t.high, "text": asks.said(t.text, language)}
            for t in asks.thanks
        ],
        "words": phrases.of_widget(language),
    }
