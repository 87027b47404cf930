"""Surveys of the example company: running, with a year of answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

import polars as pl
from django.db import transaction

from perennial.apps.surveys import actions
from perennial.apps.surveys.models import (
    Answer,
    Invite,
    Respondent,
    Survey,
    SurveySettings,
)
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, Workspace
from perennial.apps.team.roles import Role
from perennial.core.ids import digest
from perennial.core.windows import DAY, local_date
from perennial.lake.workspace import Workspace as Lake

#: Template by the name its answers carry, and what it asks about.
_SURVEYS: Final = {
    "Relationship NPS": ("nps", "relationship"),
    "Satisfaction with support": ("csat", "support"),
    "Effort of setting up": ("ces", "setup"),
}
_DAYS: Final = 366
_AT_ONCE: Final = 500
_MOST_A_DAY: Final = 25


@transaction.atomic
def set_up(workspace: Workspace) -> None:
    """Surveys and what was answered; again, it changes nothing."""
    owner = workspace.memberships.filter(role=Role.OWNER).order_by("pk").first()
    if owner is None or workspace.surveys.exists():
        return
    lake = lake_of(workspace)
    # A visitor may leave it running: it writes to few people a day.
    SurveySettings.objects.get_or_create(
        workspace=workspace, defaults={"most_a_day": _MOST_A_DAY}
    )
    team = list(workspace.memberships.filter(role=Role.MEMBER).order_by("pk"))
    for name, (template, touchpoint) in _SURVEYS.items():
        survey = actions.add(owner, name, template)
        survey.document["when"]["touchpoint"] = touchpoint
        survey.started_on = _first_day(lake)
        survey.save()
        actions.start(survey, owner)
        _fill(survey, lake, team)
    _rests(workspace)


def _first_day(lake: Lake) -> date:
    """The first day of the company's records, from which waves are counted."""
    first = lake.first_day(["account_days"])
    return first or lake.today


def _fill(survey: Survey, lake: Lake, team: list[Membership]) -> None:
    since = lake.now - DAY * _DAYS
    invites = _rows(lake, "survey_invites", survey.name, "invited_at", since)
    made = Invite.objects.bulk_create(
        (_invite(survey, lake, row) for row in invites),
        batch_size=_AT_ONCE,
        ignore_conflicts=True,
    )
    assert made is not None
    known = dict(survey.invites.values_list("lake_id", "pk"))
    answers = _rows(lake, "survey_responses", survey.name, "answered_at", since)
    Answer.objects.bulk_create(
        (
            _answer(survey, row, known[row["invite_id"]], team, lake.now)
            for row in answers
            if row["invite_id"] in known
        ),
        batch_size=_AT_ONCE,
    )


def _rows(
    lake: Lake, table: str, survey: str, at: str, since: object
) -> list[dict[str, Any]]:
    found = lake.table(table)
    mine = found.filter((found.survey == survey) & (found[at] >= since))
    return lake.engine.run(mine).sort(pl.col(at)).to_dicts()


def _invite(survey: Survey, lake: Lake, row: Mapping[str, Any]) -> Invite:
    return Invite(
        survey=survey,
        number=1,
        person=row["user_id"],
        account_id=row["account_id"] or "",
        language="en",
        channel=row["channel"],
        wave=int(row["wave"]),
        # What each of them was about is not known any more.
        occasion=row["invite_id"],
        invited_at=row["invited_at"],
        asked_on=local_date(row["invited_at"], lake.settings.tz),
        bounced_at=row["bounced_at"],
        lake_id=row["invite_id"],
        loaded=1,
    )


def _answer(
    survey: Survey,
    row: Mapping[str, Any],
    invite: int,
    team: list[Membership],
    now: datetime,
) -> Answer:
    at = row["answered_at"]
    closed = _seen_to(row["response_id"], row["score"]) if team else None
    if closed and at + closed > now:
        closed = None
    who = team[int(digest(row["response_id"])[:6], 16) % len(team)] if team else None
    return Answer(
        survey=survey,
        invite_id=invite,
        number=1,
        person=row["user_id"] or "",
        account_id=row["account_id"] or "",
        score=int(row["score"]),
        comment=row["comment"] or "",
        language=row["language"] or "en",
        channel=row["channel"],
        wave=int(row["wave"]),
        is_complete=True,
        answered_at=at,
        changed_at=at,
        closed_at=at + closed if closed else None,
        closed_by=who.user if who and closed else None,
        lake_id=row["response_id"],
        loaded=1,
    )


def _seen_to(response_id: str, score: float) -> timedelta | None:
    """After how long somebody saw to it: most of the unhappy ones, none of others."""
    drawn = int(digest("seen", response_id)[:4], 16)
    if score > 6 or drawn % 8 == 0:
        return None
    return timedelta(hours=2 + drawn % 70)


def _rests(workspace: Workspace) -> None:
    """The rests people are in after what they were asked and answered."""
    held: dict[str, Respondent] = {}
    for person, day in _last(workspace, Invite, "asked_on"):
        held[person] = Respondent(workspace=workspace, person=person, asked_on=day)
    for person, at in _last(workspace, Answer, "answered_at"):
        if person in held:
            held[person].answered_on = at.date()
    Respondent.objects.bulk_create(
        held.values(), batch_size=_AT_ONCE, ignore_conflicts=True
    )


def _last(
    workspace: Workspace, model: type[Invite] | type[Answer], at: str
) -> list[tuple[str, Any]]:
    """Each person's last one, oldest first so that the last one stays."""
    found = model._default_manager.filter(survey__workspace=workspace)
    return list(found.exclude(person="").order_by(at).values_list("person", at))
