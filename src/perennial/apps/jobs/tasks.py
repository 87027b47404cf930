"""The one task of the queue: run the run with this id."""

from __future__ import annotations

from django_tasks import task

from perennial.apps.jobs import actions


@task()
def execute_run(run_id: int) -> None:
    actions.execute(run_id)
