"""What the page of background jobs reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from perennial.apps.jobs import registry, schedule
from perennial.apps.jobs.models import JobRun, State
from perennial.apps.jobs.registry import Job
from perennial.apps.team.models import Workspace


@dataclass(frozen=True)
class JobLine:
    """One job with its latest run and its next minute."""

    job: Job
    last: JobRun | None
    next_at: datetime | None


def lines(workspace: Workspace) -> list[JobLine]:
    now = timezone.now()
    zone = workspace.timezone
    return [
        JobLine(
            known,
            latest(workspace, known.name),
            schedule.next_slot(known.cron, zone, now),
        )
        for known in registry.JOBS
    ]


def latest(workspace: Workspace, name: str) -> JobRun | None:
    return workspace.job_runs.filter(name=name).order_by("-pk").first()


def runs(workspace: Workspace) -> QuerySet[JobRun]:
    return workspace.job_runs.select_related("by").order_by("-pk")


def failed_count(workspace: Workspace) -> int:
    return workspace.job_runs.filter(state=State.FAILED).count()
