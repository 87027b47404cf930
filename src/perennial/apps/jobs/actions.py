"""Verbs of background work: ask for a run, run it, retry it, take it back.

Durable queues on the application database, one a lane: django-tasks-db holds who is
next, `JobRun` holds what happened. Asking for a run inside a transaction puts the run
and its queue entry into that same transaction.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from perennial.apps.jobs import registry, schedule
from perennial.apps.jobs.models import JobRun, State
from perennial.apps.jobs.registry import Argument, Report, job
from perennial.apps.team.actions import record
from perennial.apps.team.models import User, Workspace
from perennial.core.errors import PerennialError

logger = logging.getLogger(__name__)

HEARTBEAT: Final = timedelta(seconds=10)
#: A run without a heartbeat for this long has lost its worker.
LOST_AFTER: Final = timedelta(seconds=60)
_FIRST_RETRY: Final = timedelta(seconds=30)
#: A page polls the progress; more often than this nobody sees.
_REPORT_EVERY_S: Final = 0.5


def this_worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


# --- asking ------------------------------------------------------------------


@transaction.atomic
def enqueue(
    name: str,
    workspace: Workspace,
    *,
    by: User | None = None,
    at: datetime | None = None,
    slot: datetime | None = None,
    **arguments: Argument,
) -> JobRun:
    """A run of the job, soon or `at` a time; it survives a restart."""
    return _enqueue(name, workspace, by=by, at=at, slot=slot, arguments=arguments)


def _enqueue(
    name: str,
    workspace: Workspace,
    *,
    by: User | None = None,
    at: datetime | None = None,
    slot: datetime | None = None,
    arguments: Mapping[str, Argument],
) -> JobRun:
    run = JobRun.objects.create(
        workspace=workspace,
        name=job(name).name,
        arguments=dict(arguments),
        by=by,
        slot=slot,
        due_at=at or timezone.now(),
    )
    _queue(run)
    return run


@transaction.atomic
def run_now(
    name: str, workspace: Workspace, *, by: User | None = None, **arguments: Argument
) -> JobRun:
    """As `enqueue`, but a run that already waits or runs is not doubled."""
    active = JobRun.objects.filter(
        workspace=workspace, name=name, state__in=[State.WAITING, State.RUNNING]
    )
    for run in active.select_for_update():
        if run.arguments == arguments and run.due_at <= timezone.now():
            return run
    run = _enqueue(name, workspace, by=by, arguments=arguments)
    record(workspace, by, "job.asked_for", name)
    return run


@transaction.atomic
def soon(name: str, workspace: Workspace) -> JobRun:
    """A run that begins after this moment: one that waits will do, one that runs may
    have looked already. Not audited: nobody asked, something happened."""
    waiting = JobRun.objects.filter(
        workspace=workspace, name=name, state=State.WAITING, due_at__lte=timezone.now()
    )
    return waiting.first() or _enqueue(name, workspace, arguments={})


@transaction.atomic
def retry(run: JobRun, *, by: User | None = None) -> JobRun:
    """A failed run again, from its first attempt."""
    fresh = JobRun.objects.filter(pk=run.pk, state=State.FAILED).update(
        state=State.WAITING,
        attempt=0,
        progress=0.0,
        due_at=timezone.now(),
        error="",
        traceback="",
        started_at=None,
        finished_at=None,
    )
    run.refresh_from_db()
    if fresh:
        _queue(run)
        record(run.workspace, by, "job.retried", run.name)
    return run


def _queue(run: JobRun) -> None:
    from perennial.apps.jobs.tasks import execute_run

    later = run.due_at if run.due_at > timezone.now() else None
    task = execute_run.using(run_after=later, queue_name=job(run.name).lane.value)
    result = task.enqueue(run.pk)
    JobRun.objects.filter(pk=run.pk).update(task_id=str(result.id))


# --- running -----------------------------------------------------------------


def execute(run_id: int) -> None:
    """Claims the run, does it, writes down how it went. Never raises for the
    job's own failure; what is not ours to claim is left alone."""
    run = _claim(run_id)
    if run is None:
        return
    known = job(run.name)
    try:
        with _heartbeat(run):
            known.function()(run.workspace.key, _reporter(run), **run.arguments)
    except Exception as error:
        _fail(run, error, attempts=known.attempts)
    else:
        _finish(run, state=State.DONE, progress=1.0, message="")


def _claim(run_id: int) -> JobRun | None:
    now = timezone.now()
    waiting = JobRun.objects.filter(pk=run_id, state=State.WAITING, due_at__lte=now)
    run = waiting.select_related("workspace").first()
    if run is None:
        return None
    run.attempt += 1
    run.worker = this_worker()
    is_ours = waiting.filter(attempt=run.attempt - 1).update(
        state=State.RUNNING,
        attempt=run.attempt,
        worker=run.worker,
        started_at=now,
        heartbeat_at=now,
        finished_at=None,
        progress=0.0,
        message="",
    )
    return run if is_ours else None


def _ours(run: JobRun) -> dict[str, object]:
    """The run as long as nobody took it over."""
    return {
        "pk": run.pk,
        "state": State.RUNNING,
        "worker": run.worker,
        "attempt": run.attempt,
    }


def _finish(run: JobRun, **values: object) -> bool:
    mine = JobRun.objects.filter(**_ours(run))
    return bool(mine.update(finished_at=timezone.now(), **values))


def _fail(run: JobRun, error: Exception, *, attempts: int) -> None:
    logger.error("job %s %s failed", run.name, run.pk, exc_info=error)
    is_last = run.attempt >= attempts or getattr(error, "permanent", False)
    values = {"error": _said(error), "traceback": traceback.format_exc()[-20_000:]}
    if is_last:
        _finish(run, state=State.FAILED, **values)
        return
    due = timezone.now() + _FIRST_RETRY * 4 ** (run.attempt - 1)
    with transaction.atomic():
        if _finish(run, state=State.WAITING, due_at=due, **values):
            run.due_at = due
            _queue(run)


def _said(error: Exception) -> str:
    """Our own errors are written for people; others get their kind before."""
    if isinstance(error, PerennialError):
        return str(error)[:500]
    return f"{type(error).__name__}: {error}"[:500]


def _reporter(run: JobRun) -> Report:
    last = 0.0

    def report(progress: float, message: str = "") -> None:
        nonlocal last
        if time.monotonic() - last < _REPORT_EVERY_S:
            return
        last = time.monotonic()
        mine = JobRun.objects.filter(**_ours(run))
        mine.update(
            progress=min(max(progress, 0.0), 1.0),
            message=message[:254],
            heartbeat_at=timezone.now(),
        )

    return report


@contextmanager
def _heartbeat(run: JobRun) -> Iterator[None]:
    over = threading.Event()

    def beat() -> None:
        try:
            while not over.wait(HEARTBEAT.total_seconds()):
                mine = JobRun.objects.filter(**_ours(run))
                mine.update(heartbeat_at=timezone.now())
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name="job-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=5)


# --- taking care -------------------------------------------------------------


def tick(now: datetime | None = None) -> list[JobRun]:
    """Asks for every scheduled run whose minute has come, once.

    Two workers may tick at the same time: the constraint on the slot decides.
    A minute missed while nothing ran is made up for, the last one only.
    """
    moment = now or timezone.now()
    made = []
    for workspace in Workspace.objects.all():
        for known in registry.JOBS:
            slot = schedule.last_slot(known.cron, workspace.timezone, moment)
            if slot is None or slot <= workspace.created_at:
                continue
            if workspace.job_runs.filter(name=known.name, slot=slot).exists():
                continue
            try:
                made.append(enqueue(known.name, workspace, slot=slot))
            except IntegrityError:
                continue  # the other one was first
    return made


def reap(now: datetime | None = None) -> list[JobRun]:
    """Gives runs of dead workers to others: no heartbeat for a minute, or a
    process of this machine that is gone."""
    moment = now or timezone.now()
    lost = []
    for run in JobRun.objects.filter(state=State.RUNNING):
        is_silent = run.heartbeat_at is None or run.heartbeat_at < moment - LOST_AFTER
        if is_silent or _is_gone(run.worker):
            lost.append(_take_back(run))
    lost += [_queue_again(run) for run in _unqueued(moment)]
    return [run for run in lost if run is not None]


def _unqueued(now: datetime) -> list[JobRun]:
    """Runs long due whose queue entry is gone: a worker died between taking the
    entry and claiming the run."""
    due = JobRun.objects.filter(state=State.WAITING, due_at__lt=now - LOST_AFTER)
    ready = DBTaskResult.objects.filter(status="READY").values_list("id", flat=True)
    queued = {str(task_id) for task_id in ready}
    return [run for run in due if run.task_id not in queued]


@transaction.atomic
def _queue_again(run: JobRun) -> JobRun:
    if run.task_id:
        DBTaskResult.objects.filter(pk=run.task_id).delete()
    _queue(run)
    return run


def _is_gone(worker: str) -> bool:
    host, _, pid = worker.rpartition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


@transaction.atomic
def _take_back(run: JobRun) -> JobRun | None:
    """A run that killed its worker as often as it may try has failed."""
    is_last = run.attempt >= job(run.name).attempts
    values = {
        "state": State.FAILED if is_last else State.WAITING,
        "error": "The worker died while it ran this.",
        "due_at": timezone.now(),
        "finished_at": timezone.now() if is_last else None,
    }
    if not JobRun.objects.filter(**_ours(run)).update(**values):
        return None
    DBTaskResult.objects.filter(pk=run.task_id).delete()
    run.refresh_from_db()
    if not is_last:
        logger.warning("job %s %s lost its worker and is given on", run.name, run.pk)
        _queue(run)
    return run
