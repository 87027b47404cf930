"""Verbs of playbooks: write, turn on and off, start and stop. All are audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from perennial.apps.guides import queries as guides
from perennial.apps.jobs import actions as jobs
from perennial.apps.surveys import mailing
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership
from perennial.apps.team.roles import Role
from perennial.apps.team.versions import in_force
from perennial.apps.work.models import (
    Match,
    Playbook,
    PlaybookVersion,
    Run,
    RunEntry,
)
from perennial.apps.work.playbooks import doing, engine
from perennial.apps.work.playbooks.document import (
    AssignStep,
    Book,
    GuideStep,
    SetStep,
    SurveyStep,
)
from perennial.apps.work.playbooks.reading import read
from perennial.core.errors import BadValue
from perennial.lake import matching

State = Playbook.State


@transaction.atomic
def add(by: Membership, document: Mapping[str, Any]) -> Playbook:
    """A draft; raises `BadValue` where the document is none, or the name is taken."""
    must_cover(by, Role.MEMBER)
    book = read(document)
    _must_be_free(by, book.name)
    playbook = Playbook.objects.create(
        workspace=by.workspace, name=book.name, document=dict(document), by=by.user
    )
    record(by.workspace, by.user, "playbook.added", book.name, playbook=playbook.pk)
    return playbook


@transaction.atomic
def save(playbook: Playbook, by: Membership, document: Mapping[str, Any]) -> Book:
    """Keep a document; runs that are on their way follow the version they have."""
    must_cover(by, Role.MEMBER)
    book = read(document)
    if book.name != playbook.name:
        _must_be_free(by, book.name)
    playbook.name, playbook.document, playbook.by = book.name, dict(document), by.user
    playbook.changed_at = lake_of(by.workspace).now
    playbook.save(update_fields=["name", "document", "by", "changed_at"])
    record(by.workspace, by.user, "playbook.changed", book.name, playbook=playbook.pk)
    return book


def _must_be_free(by: Membership, name: str) -> None:
    if by.workspace.playbooks.filter(name=name).exists():
        raise BadValue(_("There is a playbook of this name already."))


@transaction.atomic
def turn_on(playbook: Playbook, by: Membership) -> PlaybookVersion:
    """What the document says now is in force; it starts with the next evaluation.

    Raises `BadValue` where it has no steps, or a condition cannot be asked here.
    """
    must_cover(by, Role.ADMIN)
    book, lake = read(playbook.document), lake_of(by.workspace)
    if not book.steps:
        raise BadValue(_("A playbook without steps does nothing."))
    for step in book.every_step():
        if isinstance(step, SetStep):
            doing.value_of(by.workspace, step)
        if isinstance(step, AssignStep):
            doing.refuse_strangers(by.workspace, step)
        if isinstance(step, SurveyStep):
            mailing.get_running(by.workspace, step.survey)
        if isinstance(step, GuideStep):
            guides.get_for_chosen(by.workspace, step.guide)
    matched = matching.matching(lake, book.start.condition)
    version = in_force(playbook.versions, playbook.document, by=by.user, at=lake.now)
    if playbook.state != State.ON:
        playbook.turned_on_on = lake.today
        playbook.matches.all().delete()
        # Those that match already did not enter just now.
        Match.objects.bulk_create(
            [Match(playbook=playbook, account_id=i, since=lake.today) for i in matched],
            batch_size=500,
        )
    playbook.number, playbook.state, playbook.problem = version.number, State.ON, ""
    playbook.save(update_fields=["number", "state", "problem", "turned_on_on"])
    record(
        by.workspace,
        by.user,
        "playbook.turned_on",
        playbook.name,
        playbook=playbook.pk,
        version=version.number,
    )
    jobs.run_now("follow_up", by.workspace, by=by.user)
    return version


@transaction.atomic
def turn_off(playbook: Playbook, by: Membership) -> None:
    """It starts no more; what is on its way goes on to its end."""
    must_cover(by, Role.ADMIN)
    playbook.state = State.OFF
    playbook.save(update_fields=["state"])
    record(by.workspace, by.user, "playbook.turned_off", playbook.name, id=playbook.pk)


def start_for(playbook: Playbook, by: Membership, account_ids: Sequence[str]) -> int:
    """Start it for accounts because a person says so; how many started.

    Conditions are not asked, limits are; nobody is held out of what a person chose.
    """
    must_cover(by, Role.MEMBER)
    if playbook.state != State.ON:
        raise BadValue(_("The playbook is not on."))
    done = engine.start_for(playbook, list(account_ids), by.user)
    said = ", ".join(account_ids[:3])
    record(
        by.workspace,
        by.user,
        "playbook.started",
        playbook.name,
        accounts=len(account_ids),
        first=said,
    )
    return done.started


@transaction.atomic
def stop(run: Run, by: Membership) -> None:
    """No further steps; what it did stays."""
    must_cover(by, Role.MEMBER)
    run = Run.objects.select_for_update(of=("self",)).get(pk=run.pk)
    if run.state != Run.State.RUNNING:
        raise BadValue(_("It is not running."))
    now = lake_of(by.workspace).now
    run.state, run.ending, run.ended_at = Run.State.ENDED, "person", now
    run.save(update_fields=["state", "ending", "ended_at"])
    RunEntry.objects.create(
        run=run, at=now, what="person", details={"who": by.user.display_name}
    )
    record(by.workspace, by.user, "playbook.stopped", str(run.playbook), run=run.pk)
