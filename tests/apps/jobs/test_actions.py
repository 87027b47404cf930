from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from perennial.apps.jobs import actions, registry
from perennial.apps.jobs.models import JobRun, State
from perennial.apps.jobs.registry import Job, Lane, Report
from perennial.apps.team.models import Workspace
from perennial.core.errors import BadValue, UnknownName
from tests.apps.team.cast import Cast

calls: list[tuple[str, object]] = []


def good(workspace: str, report: Report, times: int = 1) -> None:
    report(0.5, "half way")
    calls.append((workspace, times))


def bad(workspace: str, report: Report) -> None:
    calls.append((workspace, None))
    raise ValueError("no such luck")


def hopeless(workspace: str, report: Report) -> None:
    error = BadValue("the file is empty")
    error.permanent = True  # type: ignore[attr-defined]
    raise error


@pytest.fixture(autouse=True)
def jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    calls.clear()
    made = [
        Job(name, f"{__name__}.{name}", cron, name.title(), "")
        for name, cron in (("good", "0 4 * * *"), ("bad", ""), ("hopeless", ""))
    ]
    monkeypatch.setattr(registry, "JOBS", made)
    functions: dict[str, Callable[..., None]] = {
        "good": good,
        "bad": bad,
        "hopeless": hopeless,
    }
    monkeypatch.setattr(Job, "function", lambda self: functions[self.name])


def queued() -> list[int]:
    entries = DBTaskResult.objects.filter(status="READY").order_by("enqueued_at")
    return [entry.args_kwargs["args"][0] for entry in entries]


def fresh(run: JobRun) -> JobRun:
    return JobRun.objects.get(pk=run.pk)


def test_a_run_is_asked_for_and_done(cast: Cast) -> None:
    run = actions.enqueue("good", cast.workspace, times=3)
    assert queued() == [run.pk]
    actions.execute(run.pk)
    run = fresh(run)
    assert calls == [("default", 3)]
    assert (run.state, run.progress, run.attempt) == (State.DONE, 1.0, 1)
    assert run.duration is not None


def test_a_run_stays_in_its_lane(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for, tried again, taken back from the dead: the queue is the job's."""
    quick = Job("quick", "", "", "Quick", "", lane=Lane.QUICK)
    monkeypatch.setattr(registry, "JOBS", [*registry.JOBS, quick])
    monkeypatch.setattr(Job, "function", lambda self: bad)
    for name, queue in (("bad", "default"), ("quick", "quick")):
        DBTaskResult.objects.all().delete()
        run = actions.enqueue(name, cast.workspace)
        actions.execute(run.pk)
        JobRun.objects.filter(pk=run.pk).update(
            state=State.RUNNING, worker="elsewhere:7", heartbeat_at=None
        )
        actions.reap()
        entries = DBTaskResult.objects.values_list("queue_name", flat=True)
        assert set(entries) == {queue}
        assert len(entries) >= 2


def test_a_run_is_executed_once_however_often_it_is_delivered(cast: Cast) -> None:
    run = actions.enqueue("good", cast.workspace)
    for _ in range(3):
        actions.execute(run.pk)
    assert len(calls) == 1


def test_asking_is_part_of_the_transaction(cast: Cast) -> None:
    with transaction.atomic():
        actions.enqueue("good", cast.workspace)
        transaction.set_rollback(True)
    assert not JobRun.objects.exists()
    assert not queued()


def test_asking_now_does_not_double(cast: Cast) -> None:
    first = actions.run_now("good", cast.workspace, by=cast.owner)
    assert actions.run_now("good", cast.workspace) == first
    assert actions.run_now("good", cast.workspace, times=2) != first
    assert actions.run_now("good", cast.elsewhere) != first


def test_an_unknown_job_is_refused(cast: Cast) -> None:
    with pytest.raises(UnknownName):
        actions.enqueue("nonsense", cast.workspace)


def test_a_failed_run_is_tried_again_later_then_given_up(cast: Cast) -> None:
    run = actions.enqueue("bad", cast.workspace)
    waits = []
    for _ in range(3):
        JobRun.objects.update(due_at=timezone.now())
        actions.execute(run.pk)
        run = fresh(run)
        waits.append(run.due_at - timezone.now())
    assert len(calls) == 3
    assert (run.state, run.attempt) == (State.FAILED, 3)
    assert run.error == "ValueError: no such luck"
    assert "no such luck" in run.traceback
    assert waits[0] < waits[1] > timedelta(seconds=60)


def test_a_run_that_waits_for_its_retry_is_not_executed_early(cast: Cast) -> None:
    run = actions.enqueue("bad", cast.workspace)
    actions.execute(run.pk)
    actions.execute(run.pk)
    assert len(calls) == 1


def test_a_permanent_error_is_not_tried_again(cast: Cast) -> None:
    run = actions.enqueue("hopeless", cast.workspace)
    actions.execute(run.pk)
    run = fresh(run)
    assert (run.state, run.attempt) == (State.FAILED, 1)
    assert run.error == "the file is empty", "our own errors speak for themselves"


def test_a_failed_run_can_be_run_again(cast: Cast) -> None:
    run = actions.enqueue("hopeless", cast.workspace)
    actions.execute(run.pk)
    actions.retry(fresh(run), by=cast.owner)
    run = fresh(run)
    assert (run.state, run.attempt, run.error) == (State.WAITING, 0, "")
    assert queued().count(run.pk) >= 1


def test_retrying_what_did_not_fail_changes_nothing(cast: Cast) -> None:
    run = actions.enqueue("good", cast.workspace)
    actions.execute(run.pk)
    assert actions.retry(fresh(run)).state == State.DONE


# --- dead workers ------------------------------------------------------------


def running(cast: Cast, worker: str, seconds_ago: float = 0.0) -> JobRun:
    run = actions.enqueue("good", cast.workspace)
    DBTaskResult.objects.update(status="RUNNING")
    JobRun.objects.filter(pk=run.pk).update(
        state=State.RUNNING,
        attempt=1,
        worker=worker,
        heartbeat_at=timezone.now() - timedelta(seconds=seconds_ago),
    )
    return fresh(run)


def test_a_run_of_a_dead_process_of_this_machine_is_given_on_at_once(
    cast: Cast,
) -> None:
    host = actions.this_worker().rpartition(":")[0]
    run = running(cast, f"{host}:999999999")
    assert actions.reap() == [run]
    assert fresh(run).state == State.WAITING
    assert queued() == [run.pk]


def test_a_silent_worker_elsewhere_loses_its_run(cast: Cast) -> None:
    run = running(cast, "elsewhere:7", actions.LOST_AFTER.total_seconds() + 1)
    assert actions.reap() == [run]


def test_a_living_worker_keeps_its_run(cast: Cast) -> None:
    running(cast, "elsewhere:7", 5)
    assert actions.reap() == []
    JobRun.objects.update(worker=actions.this_worker())
    assert actions.reap() == []


def test_a_run_that_kills_its_workers_fails_in_the_end(cast: Cast) -> None:
    run = running(cast, "elsewhere:7", 120)
    JobRun.objects.update(attempt=3)
    actions.reap()
    run = fresh(run)
    assert run.state == State.FAILED
    assert "died" in run.error


def test_who_lost_a_run_cannot_finish_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was thought dead comes back: the other one's word counts."""
    run = actions.enqueue("good", cast.workspace)

    def taken_over(workspace: str, report: Report) -> None:
        JobRun.objects.filter(pk=run.pk).update(worker="other:1", attempt=2)

    monkeypatch.setattr(Job, "function", lambda self: taken_over)
    actions.execute(run.pk)
    run = fresh(run)
    assert (run.state, run.worker) == (State.RUNNING, "other:1")


def test_a_run_whose_queue_entry_got_lost_is_queued_again(cast: Cast) -> None:
    run = actions.enqueue("good", cast.workspace)
    DBTaskResult.objects.all().delete()
    assert actions.reap() == [], "not before it is long due"
    JobRun.objects.update(due_at=timezone.now() - timedelta(minutes=5))
    assert actions.reap() == [run]
    assert queued() == [run.pk]


# --- the schedule ------------------------------------------------------------


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def born(workspace: Workspace, text: str) -> None:
    Workspace.objects.update(created_at=at("2030-01-01"))
    Workspace.objects.filter(pk=workspace.pk).update(created_at=at(text))


def test_a_slot_is_asked_for_once(cast: Cast) -> None:
    born(cast.workspace, "2026-05-01")
    made = actions.tick(at("2026-05-12T02:00:30"))
    assert [(r.name, r.slot) for r in made] == [("good", at("2026-05-12T02:00"))]
    assert actions.tick(at("2026-05-12T02:00:59")) == []
    assert actions.tick(at("2026-05-12T23:00")) == []


def test_the_schedule_is_in_the_time_of_the_workspace(cast: Cast) -> None:
    """Four o'clock in Berlin is 02:00 UTC in summer and 03:00 in winter."""
    born(cast.workspace, "2026-01-01")
    slots = [
        actions.tick(at(f"{day}T12:00"))[0].slot for day in ("2026-01-15", "2026-07-15")
    ]
    assert slots == [at("2026-01-15T03:00"), at("2026-07-15T02:00")]


def test_of_many_missed_slots_the_last_is_made_up_for(cast: Cast) -> None:
    born(cast.workspace, "2026-01-01")
    made = actions.tick(at("2026-05-12T12:00"))
    assert [r.slot for r in made] == [at("2026-05-12T02:00")]


def test_nothing_is_made_up_for_before_the_workspace_was_there(cast: Cast) -> None:
    born(cast.workspace, "2026-05-12T10:00")
    assert actions.tick(at("2026-05-12T12:00")) == []


def test_two_that_tick_together_ask_once(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one does not see the first one's run; the constraint does."""
    born(cast.workspace, "2026-01-01")
    moment = at("2026-05-12T12:00")
    assert len(actions.tick(moment)) == 1
    from django.db.models import QuerySet

    monkeypatch.setattr(QuerySet, "exists", lambda self: False)
    assert actions.tick(moment) == []
    assert JobRun.objects.count() == 1
