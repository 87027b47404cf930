"""Verbs of health: drafts and published scorecards, overrides, pulses.

Each leaves an audit entry. What people decide stands in the application database
and flows into the lake in the same step; scores follow with the next refresh, which
is asked for at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from perennial.apps.health.models import Draft, Override, Pulse
from perennial.apps.jobs import actions as jobs
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership, User, Workspace
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue
from perennial.lake import scorecards, told
from perennial.lake.scorecards import Version
from perennial.scoring.scorecard import Scorecard
from perennial.scoring.scorecard_text import to_document

#: No override holds longer.
MOST_DAYS = 90


# --- scorecards --------------------------------------------------------------


@transaction.atomic
def start_draft(by: Membership, card: Scorecard, *, based_on: int) -> Draft:
    """A draft that begins as this card."""
    must_cover(by, Role.MEMBER)
    draft = Draft.objects.create(
        workspace=by.workspace,
        document=to_document(card),
        based_on=based_on,
        by=by.user,
    )
    record(by.workspace, by.user, "scorecard.drafted", str(draft), draft=draft.pk)
    return draft


@transaction.atomic
def save_draft(draft: Draft, document: object, by: Membership) -> Scorecard:
    """Keep a document as the draft; raises `BadValue` and keeps nothing then."""
    must_cover(by, Role.MEMBER)
    lake = lake_of(draft.workspace)
    card = scorecards.written(lake, document)
    scorecards.try_out(lake, card)
    draft.document = to_document(card)
    draft.by = by.user
    draft.changed_at = lake.now
    draft.save(update_fields=["document", "by", "changed_at"])
    record(draft.workspace, by.user, "scorecard.changed", str(draft), draft=draft.pk)
    return card


@transaction.atomic
def discard_draft(draft: Draft, by: Membership) -> None:
    must_cover(by, Role.MEMBER)
    record(draft.workspace, by.user, "scorecard.discarded", str(draft), draft=draft.pk)
    draft.delete()


@transaction.atomic
def publish_draft(draft: Draft, by: Membership, note: str) -> Version:
    """The draft becomes the version in force; admins do that, and say why."""
    must_cover(by, Role.ADMIN)
    if not note.strip():
        raise BadValue(_("Say what changed, and why: others will ask."))
    card = scorecards.stored(lake_of(draft.workspace), draft.document)
    version = publish(draft.workspace, card, by=by.user, note=note)
    draft.delete()
    return version


@transaction.atomic
def publish(
    workspace: Workspace, card: Scorecard, *, by: User | None, note: str
) -> Version:
    """Publish a card; scores follow with the refresh that is asked for here."""
    author = by.email if by else _("command line")
    version = scorecards.publish(lake_of(workspace), card, by=author, note=note)
    record(
        workspace,
        by,
        "scorecard.published",
        card.name,
        version=version.number,
        note=note.strip(),
    )
    jobs.run_now("refresh", workspace, by=by)
    return version


# --- what people say of an account -------------------------------------------


@transaction.atomic
def set_override(
    by: Membership, account_id: str, *, score: int, reason: str, ends_on: date
) -> Override:
    """A score in place of the computed one until a day; ends what was set before."""
    must_cover(by, Role.MEMBER)
    lake = lake_of(by.workspace)
    if not 0 <= score <= 100:
        raise BadValue(_("A score is a whole number from 0 to 100."))
    if not reason.strip():
        raise BadValue(_("An override needs a reason."))
    if not lake.today < ends_on <= lake.today + timedelta(days=MOST_DAYS):
        raise BadValue(_("An override ends within 90 days."))
    for former in in_force(by.workspace, account_id):
        _end(former)
    override = Override.objects.create(
        workspace=by.workspace,
        account_id=account_id,
        score=score,
        reason=reason.strip(),
        by=by.user,
        author=by.user.email,
        starts_on=lake.today,
        ends_on=ends_on,
        set_at=lake.now,
    )
    keep(override)
    said: Mapping[str, Any] = {"score": score, "until": ends_on.isoformat()}
    record(by.workspace, by.user, "health.overridden", account_id, **said)
    jobs.run_now("refresh", by.workspace, by=by.user)
    return override


@transaction.atomic
def withdraw_override(override: Override, by: Membership) -> None:
    """The computed score counts again from today on."""
    must_cover(by, Role.MEMBER)
    _end(override)
    account = override.account_id
    record(by.workspace, by.user, "health.override_withdrawn", account)
    jobs.run_now("refresh", by.workspace, by=by.user)


def in_force(workspace: Workspace, account_id: str) -> list[Override]:
    """Overrides of an account that hold today; there is at most one."""
    today = lake_of(workspace).today
    found = workspace.health_overrides.filter(account_id=account_id)
    return list(found.filter(starts_on__lte=today, ends_on__gt=today))


def _end(override: Override) -> None:
    override.ends_on = lake_of(override.workspace).today
    override.save(update_fields=["ends_on"])
    keep(override)


def keep(override: Override) -> None:
    """Put an override into the lake, or what became of it."""
    told.write_override(
        lake_of(override.workspace),
        {
            "override_id": str(override.pk),
            "account_id": override.account_id,
            "score": override.score,
            "reason": override.reason,
            "author": override.author,
            "starts_on": override.starts_on,
            "ends_on": override.ends_on,
            "set_at": override.set_at,
        },
    )


@transaction.atomic
def say_pulse(by: Membership, account_id: str, *, value: int, note: str = "") -> Pulse:
    """How the relationship with an account is, in the eyes of a person."""
    must_cover(by, Role.MEMBER)
    lake = lake_of(by.workspace)
    if not 0 <= value <= 100:
        raise BadValue(_("A pulse is a whole number from 0 to 100."))
    pulse = Pulse.objects.create(
        workspace=by.workspace,
        account_id=account_id,
        value=value,
        note=note.strip(),
        by=by.user,
        author=by.user.email,
        date=lake.today,
        said_at=lake.now,
    )
    told.write_pulse(
        lake,
        {
            "pulse_id": str(pulse.pk),
            "account_id": account_id,
            "value": value,
            "note": pulse.note,
            "author": pulse.author,
            "date": pulse.date,
            "said_at": pulse.said_at,
        },
    )
    record(by.workspace, by.user, "health.pulse", account_id, value=value)
    jobs.run_now("refresh", by.workspace, by=by.user)
    return pulse
