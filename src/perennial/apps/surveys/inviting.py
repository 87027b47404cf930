"""Asking people: by the rules, and nobody twice.

Whoever asks claims the person first. In one transaction the rules are looked at, the
invitation is written and the person's rest begins; a second process, a second try or
a second channel finds the invitation that is there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Protocol

from django.db import transaction

from perennial.apps.customers.kept import kept
from perennial.apps.customers.models import Segment
from perennial.apps.surveys.document import Document, read
from perennial.apps.surveys.models import (
    Channel,
    Invite,
    Respondent,
    Survey,
    SurveySettings,
)
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core import asking
from perennial.core.asking import Asked, Known, Plan, Quiet, Reason
from perennial.lake import matching, respondents
from perennial.lake.respondents import Person
from perennial.lake.workspace import Workspace as Lake
from perennial.metrics import conditions

#: What happened longer ago than this is not asked about any more.
FRESH: Final[Mapping[str, timedelta]] = {
    "ticket_solved": timedelta(days=3),
    "onboarding_done": timedelta(days=7),
    "event": timedelta(days=2),
}


@dataclass(frozen=True)
class Candidate:
    person: Person
    occasion: str = ""


@dataclass(frozen=True)
class Look:
    """Whom a survey could ask today, and why the others are not asked."""

    ready: list[Candidate]
    reasons: Mapping[Reason, int]

    @property
    def matched(self) -> int:
        return len(self.ready) + sum(self.reasons.values())


def settings_of(workspace: Workspace) -> SurveySettings:
    """The settings of a workspace; those of a new one where nobody set any."""
    found = SurveySettings.objects.filter(workspace=workspace).first()
    return found or SurveySettings(workspace=workspace)


def quiet_of(workspace: Workspace) -> Quiet:
    said = settings_of(workspace)
    return Quiet(
        said.first_days,
        said.answer_days,
        said.refusal_days,
        said.asked_days,
        said.most_a_day,
    )


def asked_document(survey: Survey) -> Document:
    """The version that is asked, or the draft of a survey that never ran."""
    version = survey.versions.filter(number=survey.number).first()
    return read(version.document if version else survey.document)


def plan_of(survey: Survey, document: Document, today: date) -> Plan:
    return document.plan(survey.key, survey.started_on or today)


# --- whom --------------------------------------------------------------------


class Aim(Protocol):
    """Whom something is meant for: of a segment, in some roles; empty: everybody."""

    @property
    def segment(self) -> str: ...

    @property
    def roles(self) -> Sequence[str]: ...


def fits(workspace: Workspace, who: Aim, person: Person) -> bool:
    """Is it somebody who is meant?"""
    if who.roles and person.role not in who.roles:
        return False
    return not who.segment or person.account_id in members(workspace, who.segment)


def members(workspace: Workspace, key: str) -> frozenset[str]:
    """Accounts of a segment now; of one that is gone, none."""
    segment = workspace.segments.filter(key=key, archived_at=None).first()
    if segment is None:
        return frozenset()
    return _members(lake_of(workspace), _condition(segment))


def _condition(segment: Segment) -> conditions.Condition:
    return conditions.read(segment.document)


@kept(*matching.READS)
def _members(lake: Lake, condition: conditions.Condition) -> frozenset[str]:
    return frozenset(matching.matching(lake, condition))


def candidates(survey: Survey, document: Document) -> list[Candidate]:
    """Everybody a survey is meant for now, each with what it is about."""
    workspace = survey.workspace
    lake = lake_of(workspace)
    found = _occasions(lake, document)
    if found is None:
        every = [Candidate(person) for person in everybody(lake, lake.today)]
    else:
        people = respondents.people(lake, [user for user, _, _ in found])
        every = [
            Candidate(_at(people[user], account), occasion)
            for user, account, occasion in found
            if user in people
        ]
    return [each for each in every if fits(workspace, document.who, each.person)]


@kept("users", "assignments", "accounts", "user_days", size=2)
def everybody(lake: Lake, _today: date) -> tuple[Person, ...]:
    """All people of today; the form of a survey asks for them with every change."""
    return tuple(respondents.people(lake).values())


def _occasions(lake: Lake, document: Document) -> list[tuple[str, str, str]] | None:
    trigger = document.when.trigger
    if trigger == "schedule":
        return None
    happened = respondents.happened(
        lake, trigger, lake.now - FRESH[trigger], event=document.who.event
    )
    return [(each.user_id, each.account_id, each.occasion) for each in happened]


def _at(person: Person, account_id: str) -> Person:
    return replace(person, account_id=account_id or person.account_id)


def look(survey: Survey, document: Document) -> Look:
    """Whom it would ask today; the limits of a day are left for the asking."""
    today = lake_of(survey.workspace).today
    plan, quiet = plan_of(survey, document, today), quiet_of(survey.workspace)
    every = candidates(survey, document)
    known = _known(survey, [each.person for each in every])
    ready, reasons = [], Counter[Reason]()
    for each in every:
        why = asking.refusal(
            plan, quiet, known[each.person.user_id], Asked(), today, each.occasion
        )
        if why is None:
            ready.append(each)
        else:
            reasons[why] += 1
    return Look(ready, reasons)


def _known(survey: Survey, people: Iterable[Person]) -> dict[str, Known]:
    """What is known of many people, read at once."""
    held = {r.person: r for r in Respondent.objects.filter(workspace=survey.workspace)}
    waves: dict[str, set[tuple[int, str]]] = {}
    asked = survey.invites.values_list("person", "wave", "occasion")
    for person, wave, occasion in asked.iterator():
        waves.setdefault(person, set()).add((wave, occasion))
    return {
        person.user_id: known(
            person, held.get(person.user_id), waves.get(person.user_id, set())
        )
        for person in people
    }


def known(
    person: Person, held: Respondent | None, waves: Iterable[tuple[int, str]]
) -> Known:
    held = held or Respondent()
    return Known(
        person.user_id,
        person.first_seen_on,
        held.asked_on,
        held.answered_on,
        held.refused_on,
        held.unsubscribed_at is not None,
        person.is_own,
        frozenset(waves),
    )


# --- asking ------------------------------------------------------------------


@transaction.atomic
def ask(
    survey: Survey,
    document: Document,
    candidate: Candidate,
    channel: Channel,
    languages: Iterable[str] = (),
) -> Invite | Reason:
    """The invitation of a person, written now; or the reason not to ask."""
    lake, person = lake_of(survey.workspace), candidate.person
    today = lake.today
    # Locked in the same order everywhere: the workspace's limit, then the person.
    Workspace.objects.select_for_update().get(pk=survey.workspace_id)
    held = _respondent(survey.workspace, person.user_id)
    plan, quiet = plan_of(survey, document, today), quiet_of(survey.workspace)
    waves = survey.invites.filter(person=person.user_id).values_list("wave", "occasion")
    why = asking.refusal(
        plan,
        quiet,
        known(person, held, waves),
        _asked(survey, today),
        today,
        candidate.occasion,
    )
    return why or _write(survey, document, candidate, channel, languages, held, plan)


def _respondent(workspace: Workspace, person: str) -> Respondent:
    found, _new = Respondent.objects.select_for_update().get_or_create(
        workspace=workspace, person=person
    )
    return found


def _asked(survey: Survey, today: date) -> Asked:
    every = Invite.objects.filter(survey__workspace=survey.workspace, asked_on=today)
    every = every.exclude(channel=Channel.LINK)
    return Asked(every.filter(survey=survey).count(), every.count())


def _write(
    survey: Survey,
    document: Document,
    candidate: Candidate,
    channel: Channel,
    languages: Iterable[str],
    held: Respondent,
    plan: Plan,
) -> Invite:
    lake, person = lake_of(survey.workspace), candidate.person
    held.asked_on = lake.today
    held.save(update_fields=["asked_on"])
    return Invite.objects.create(
        survey=survey,
        number=survey.number,
        person=person.user_id,
        account_id=person.account_id,
        email=person.email,
        language=document.asks.language([*languages, person.language]),
        channel=channel,
        wave=plan.wave(lake.today),
        occasion=candidate.occasion,
        invited_at=lake.now,
        asked_on=lake.today,
    )


@transaction.atomic
def came_by_themselves(
    survey: Survey, document: Document, person: Person, languages: Iterable[str]
) -> Invite:
    """The invitation of somebody who opened the public link signed for them: they
    asked, so the rests do not hold; it is one a wave all the same."""
    today = lake_of(survey.workspace).today
    plan = plan_of(survey, document, today)
    found = survey.invites.filter(
        wave=plan.wave(today), occasion="", person=person.user_id
    ).first()
    held = _respondent(survey.workspace, person.user_id)
    return found or _write(
        survey, document, Candidate(person), Channel.LINK, languages, held, plan
    )
