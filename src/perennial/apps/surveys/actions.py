"""Verbs of surveys: write, start, stop. All are audited."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from perennial.apps.jobs import actions as jobs
from perennial.apps.surveys import library
from perennial.apps.surveys.document import read
from perennial.apps.surveys.models import (
    Answer,
    Invite,
    Survey,
    SurveySettings,
    SurveyVersion,
)
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership
from perennial.apps.team.roles import Role
from perennial.apps.team.versions import in_force
from perennial.core.errors import BadValue
from perennial.core.numbers import whole

State = Survey.State
_REST_DAYS = 730


@transaction.atomic
def add(by: Membership, name: str, template: str) -> Survey:
    """A draft that begins as one of the templates; raises `BadValue`."""
    must_cover(by, Role.MEMBER)
    name = _free_name(by, name)
    document = library.document(template)
    survey = Survey.objects.create(
        workspace=by.workspace,
        key=secrets.token_urlsafe(16),
        name=name,
        kind=document["kind"],
        document=document,
        by=by.user,
    )
    record(by.workspace, by.user, "survey.added", name, survey=survey.pk)
    return survey


def _free_name(by: Membership, name: str, survey: Survey | None = None) -> str:
    name = " ".join(name.split())
    if not name or len(name) > 120:
        raise BadValue(_("A survey has a name of at most 120 characters."))
    others = by.workspace.surveys.filter(name=name)
    if survey is not None:
        others = others.exclude(pk=survey.pk)
    if others.exists():
        raise BadValue(_("There is a survey of this name already."))
    return name


@transaction.atomic
def save(survey: Survey, by: Membership, name: str, document: Mapping[str, Any]) -> str:
    """Keep a draft, finished or not; what is wrong with it, or nothing.

    What is asked stays until the survey is started with it. Raises `BadValue` for a
    name that is taken.
    """
    must_cover(by, Role.MEMBER)
    name = _free_name(by, name, survey)
    if name != survey.name:
        # The lake knows answers by the name of their survey.
        for model in (Invite, Answer):
            model._default_manager.filter(survey=survey).update(
                revision=F("revision") + 1
            )
        jobs.soon("take_answers", by.workspace)
    # The kind stays: scores of another scale would not compare.
    survey.document = {**document, "kind": survey.kind}
    survey.name, survey.by = name, by.user
    survey.changed_at = lake_of(by.workspace).now
    survey.save(update_fields=["name", "document", "by", "changed_at"])
    record(by.workspace, by.user, "survey.changed", name, survey=survey.pk)
    return problem(survey)


def problem(survey: Survey) -> str:
    """What is wrong with a draft, in words; nothing: it can be started."""
    try:
        read(survey.document)
    except BadValue as error:
        return str(error)
    return ""


@transaction.atomic
def start(survey: Survey, by: Membership) -> SurveyVersion:
    """Ask, as the document says now: a new version where it says something new."""
    must_cover(by, Role.ADMIN)
    read(survey.document)
    lake = lake_of(by.workspace)
    last = in_force(survey.versions, survey.document, by=by.user, at=lake.now)
    survey.number, survey.state = last.number, State.ON
    survey.started_on = survey.started_on or lake.today
    survey.save(update_fields=["number", "state", "started_on"])
    record(
        by.workspace,
        by.user,
        "survey.started",
        survey.name,
        survey=survey.pk,
        version=last.number,
    )
    jobs.soon("send_surveys", by.workspace)
    return last


@transaction.atomic
def stop(survey: Survey, by: Membership) -> None:
    """Ask nobody any more. Who was asked may still answer."""
    must_cover(by, Role.ADMIN)
    survey.state = State.OFF
    survey.save(update_fields=["state"])
    record(by.workspace, by.user, "survey.stopped", survey.name, survey=survey.pk)


@transaction.atomic
def archive(survey: Survey, by: Membership) -> None:
    """Out of the list, its links dead; its answers stay in the numbers."""
    must_cover(by, Role.ADMIN)
    survey.state, survey.archived_at = State.OFF, lake_of(by.workspace).now
    # The name is free again.
    survey.name = f"{survey.name[:90]} ({survey.pk})"
    survey.save(update_fields=["state", "archived_at", "name"])
    record(by.workspace, by.user, "survey.archived", survey.name, survey=survey.pk)


@transaction.atomic
def new_link(survey: Survey, by: Membership) -> None:
    """Another public link; the one given so far is dead."""
    must_cover(by, Role.ADMIN)
    survey.key = secrets.token_urlsafe(16)
    survey.save(update_fields=["key"])
    record(by.workspace, by.user, "survey.new_link", survey.name, survey=survey.pk)


@transaction.atomic
def set_rests(by: Membership, values: Mapping[str, Any]) -> SurveySettings:
    """How long people are left alone, across all surveys; raises `BadValue`."""
    must_cover(by, Role.ADMIN)
    found, _new = SurveySettings.objects.get_or_create(workspace=by.workspace)
    for name in ("first_days", "answer_days", "refusal_days", "asked_days"):
        setattr(found, name, _days(values.get(name)))
    most = values.get("most_a_day")
    found.most_a_day = _days(most, 1_000_000) or None if most else None
    found.takes_unsigned = bool(values.get("takes_unsigned"))
    found.save()
    record(by.workspace, by.user, "survey.rests_set", "")
    return found


def _days(given: Any, most: int = _REST_DAYS) -> int:
    days = whole(str(given or "0").strip())
    if days is None or days > most:
        raise BadValue(_("Whole numbers, please: 0 to %(most)s.") % {"most": most})
    return days


@transaction.atomic
def close(answer: Answer, by: Membership) -> None:
    """Somebody saw to it."""
    must_cover(by, Role.MEMBER)
    if answer.closed_at is None:
        answer.closed_at, answer.closed_by = lake_of(by.workspace).now, by.user
        answer.save(update_fields=["closed_at", "closed_by"])
        name = answer.survey.name
        record(by.workspace, by.user, "answer.closed", name, answer=answer.pk)


@transaction.atomic
def open_again(answer: Answer, by: Membership) -> None:
    must_cover(by, Role.MEMBER)
    answer.closed_at = answer.closed_by = None
    answer.save(update_fields=["closed_at", "closed_by"])
    name = answer.survey.name
    record(by.workspace, by.user, "answer.opened", name, answer=answer.pk)
