"""Taking the next steps of runs.

Runs go on in batches, each one transaction: positions move together with the tasks
and messages that were made. A process that dies in between leaves a batch where it
was, and the next evaluation goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from perennial.apps.team.models import Workspace
from perennial.apps.work.models import (
    Message,
    Playbook,
    PlaybookVersion,
    Run,
    RunEntry,
    Task,
)
from perennial.apps.work.playbooks import doing
from perennial.apps.work.playbooks.asking import Asked, Evaluated
from perennial.apps.work.playbooks.document import (
    AssignStep,
    Book,
    GuideStep,
    SetStep,
    SurveyStep,
    TagStep,
    WaitStep,
)
from perennial.apps.work.playbooks.owners import Nobody
from perennial.apps.work.playbooks.reading import read
from perennial.apps.work.playbooks.runs import Advance, Place, advance
from perennial.core.errors import PerennialError

#: Runs in one transaction.
BATCH = 200
_ACTIVE = (Run.State.RUNNING, Run.State.HELD_OUT)


def advance_due(runs: QuerySet[Run], asked: Asked, done: Evaluated) -> None:
    """Those of the runs that can go further now: their time has come, or a condition
    holds."""
    active = runs.filter(state__in=_ACTIVE)
    versions = PlaybookVersion.objects.filter(pk__in=active.values("version"))
    for version in versions.select_related("playbook__workspace"):
        book = read(version.document)
        try:
            ready = _ready(active.filter(version=version), book, asked)
            around = doing.Around(version.playbook, asked.lake, sorted(ready.values()))
            keys = sorted(ready)
            for n in range(0, len(keys), BATCH):
                _advance(keys[n : n + BATCH], book, around, asked, done)
        except PerennialError as error:
            note_problem(version.playbook, str(error))


def note_problem(playbook: Playbook, said: str) -> None:
    playbook.problem = said[:500]
    playbook.save(update_fields=["problem"])


def _ready(runs: QuerySet[Run], book: Book, asked: Asked) -> Mapping[int, str]:
    """Runs of one version that go on, with their accounts: most only wait."""
    now = asked.lake.now
    too_long = now - timedelta(days=book.end.after_days - 1)
    until = {
        step.id: asked.accounts(step.until)
        for step in book.every_step()
        if isinstance(step, WaitStep) and step.until is not None
    }
    over = asked.accounts(book.end.condition) if book.end.condition else frozenset()
    rows = runs.values_list(
        "pk", "account_id", "state", "position", "due_at", "started_at"
    )
    return {
        pk: account_id
        for pk, account_id, state, position, due_at, started_at in rows
        if started_at <= too_long
        or account_id in over
        or (
            state == Run.State.RUNNING
            and (
                due_at is None or due_at <= now or account_id in until.get(position, ())
            )
        )
    }


@dataclass
class _Made:
    """What a batch made; written when all of it is known."""

    runs: list[Run] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    entries: list[RunEntry] = field(default_factory=list)
    edits: dict[doing.Editing, list[str]] = field(default_factory=dict)

    def write(self, workspace: Workspace) -> None:
        for step, ids in self.edits.items():
            doing.edit(workspace, step, ids)
        Task.objects.bulk_create(self.tasks)
        Message.objects.bulk_create(self.messages)
        RunEntry.objects.bulk_create(self.entries)
        names = ["position", "due_at", "state", "ending", "ended_at"]
        Run.objects.bulk_update(self.runs, names)


@transaction.atomic
def _advance(
    keys: Sequence[int],
    book: Book,
    around: doing.Around,
    asked: Asked,
    done: Evaluated,
) -> None:
    runs = Run.objects.select_for_update(of=("self",)).filter(
        pk__in=keys, state__in=_ACTIVE
    )
    made, counted = _Made(), Evaluated()
    for run in runs.select_related("started_by").order_by("pk"):
        _go(run, book, around, asked, made, counted)
    made.write(around.playbook.workspace)
    done.steps += counted.steps
    done.ended += counted.ended


def _go(
    run: Run,
    book: Book,
    around: doing.Around,
    asked: Asked,
    made: _Made,
    counted: Evaluated,
) -> None:
    """One run as far as it can go. Held out, it takes no steps: it is watched until
    its end, by a condition or by time."""
    lake, is_held = asked.lake, run.is_held_out
    found = advance(
        book,
        Place("" if is_held else run.position, run.due_at),
        now=lake.now,
        started_at=run.started_at,
        tz=lake.settings.tz,
        holds=lambda condition: run.account_id in asked.accounts(condition),
    )
    if is_held and found.ending == "finished":
        return
    for step in found.todo:
        if isinstance(step, AssignStep):
            given = doing.assigned(run, step, around)
            if isinstance(given, Nobody):
                why = {"why": given.value}
                made.entries.append(_entry(run, step.id, "nobody", why, lake.now))
                continue
            step = given
        if isinstance(step, SetStep | TagStep | SurveyStep | GuideStep):
            made.edits.setdefault(step, []).append(run.account_id)
            made.entries.append(_entry(run, step.id, "edit", _said(step), lake.now))
            continue
        work = doing.make(run, step, around)
        if isinstance(work, Task):
            made.tasks.append(work)
        else:
            made.messages.append(work)
        made.entries.append(_entry(run, step.id, *doing.told(work), lake.now))
    for note in found.notes:
        made.entries.append(
            _entry(run, note.step, note.what, dict(note.details), lake.now)
        )
    _place(run, found, lake.now, made)
    counted.steps += len(found.todo)
    counted.ended += bool(found.ending)


def _place(run: Run, found: Advance, now: datetime, made: _Made) -> None:
    run.position, run.due_at = found.place.position, found.place.due_at
    if found.ending:
        is_done = found.ending == "finished"
        run.state = Run.State.DONE if is_done else Run.State.ENDED
        run.ending, run.ended_at, run.due_at = found.ending, now, None
        made.entries.append(_entry(run, "", found.ending, {}, now))
    made.runs.append(run)


def _said(step: doing.Editing) -> dict[str, str]:
    if isinstance(step, SurveyStep):
        return {"survey": step.survey}
    if isinstance(step, GuideStep):
        return {"guide": step.guide}
    if isinstance(step, SetStep):
        return {"field": step.field, "value": step.value}
    return {"add": ", ".join(step.add), "remove": ", ".join(step.remove)}


def _entry(
    run: Run, step: str, what: str, details: Mapping[str, str], now: datetime
) -> RunEntry:
    return RunEntry(run=run, at=now, step=step, what=what, details=dict(details))
