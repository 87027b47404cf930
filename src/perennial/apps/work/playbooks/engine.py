"""Playbooks at work: start what is to start, then take every step that is due."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import User, Workspace
from perennial.apps.work.models import Playbook, Run
from perennial.apps.work.playbooks import advancing, starting
from perennial.apps.work.playbooks.asking import Asked, Evaluated
from perennial.apps.work.playbooks.reading import read
from perennial.core.errors import PerennialError
from perennial.lake import incidents

#: Runs whose first steps a person waits for; those of more accounts follow.
_MOST_AT_ONCE = 500


@contextmanager
def working(workspace: Workspace) -> Iterator[Asked]:
    """One evaluation of a workspace at a time."""
    lake = lake_of(workspace)
    with lake.lake.lock("work"):
        yield Asked(lake)


def evaluate(workspace: Workspace) -> Evaluated:
    """Everything that is due. Run again at once it changes nothing.

    A playbook whose condition can no longer be asked is left alone; the others go
    on. Where tracking broke nothing moves: what seems to hold of customers does not.
    """
    done = Evaluated()
    if incidents.of_yesterday(lake_of(workspace)) is not None:
        return done
    with working(workspace) as asked:
        for playbook in workspace.playbooks.filter(state=Playbook.State.ON):
            try:
                _start(playbook, asked, done)
            except PerennialError as error:
                advancing.note_problem(playbook, str(error))
        runs = Run.objects.filter(playbook__workspace=workspace)
        advancing.advance_due(runs, asked, done)
    return done


def _start(playbook: Playbook, asked: Asked, done: Evaluated) -> None:
    book = read(playbook.version_in_force.document)
    if book.start.trigger == "manual":
        return
    asked.accounts(book.start.condition)  # before others have to wait for the rows
    # Who no longer matches is forgotten with the start it causes, or not at all.
    with transaction.atomic():
        ready = starting.follow_matches(playbook, book, asked, asked.lake.today)
        starting.start(playbook, book, ready, asked.lake, done)
    if playbook.problem:
        advancing.note_problem(playbook, "")


def start_for(playbook: Playbook, account_ids: list[str], by: User) -> Evaluated:
    """Start it for accounts because a person says so, and take the first steps."""
    done = Evaluated()
    book = read(playbook.version_in_force.document)
    with working(playbook.workspace) as asked:
        starting.start(playbook, book, account_ids, asked.lake, done, by=by)
        runs = playbook.runs.filter(account_id__in=account_ids[:_MOST_AT_ONCE])
        advancing.advance_due(runs, asked, done)
    return done
