"""The jobs of the platform. Each is idempotent; see `registry`."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from perennial.apps.jobs.models import JobRun, State
from perennial.apps.jobs.registry import Report

KEEP_RUNS = timedelta(days=90)


def maintain_lake(workspace: str, report: Report) -> None:
    """Small files become large ones, and files nobody reads are deleted."""
    from perennial.lake.opening import open_workspace

    open_workspace(settings.DATA.path, workspace).lake.maintain(report)


def tidy(workspace: str, report: Report) -> None:
    """Old runs of this workspace; sessions and queue entries of all."""
    now = timezone.now()
    old = JobRun.objects.filter(
        workspace__key=workspace, finished_at__lt=now - KEEP_RUNS
    )
    old.filter(state__in=[State.DONE, State.FAILED]).delete()
    Session.objects.filter(expire_date__lt=now).delete()
    finished = DBTaskResult.objects.finished()
    finished.filter(finished_at__lt=now - timedelta(days=1)).delete()
