"""How the installation does, in figures that Prometheus collects from /metrics.

Of the whole installation, with no name in it: like the probes it asks no password.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from perennial import __version__
from perennial.apps.intake.models import Batch
from perennial.apps.jobs.models import JobRun, State

_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@require_safe
@login_not_required
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    try:
        text = "".join(_gauges())
    except DatabaseError:
        return HttpResponse("the database does not answer\n", _TYPE, status=503)
    return HttpResponse(text, _TYPE)


def _gauges() -> Iterator[str]:
    yield _gauge("info", "Always 1.", 1, f'{{version="{__version__}"}}')
    waiting = Batch.objects.count()
    yield _gauge("inbox_requests", "Requests that wait for the loader.", waiting)
    yield _gauge("inbox_age_seconds", "How long the oldest has waited.", _age())
    for state in (State.WAITING, State.RUNNING, State.FAILED):
        count = JobRun.objects.filter(state=state).count()
        yield _gauge(f"jobs_{state.value}", f"Runs of jobs, {state.value}.", count)
    free = shutil.disk_usage(settings.DATA.path).free
    yield _gauge("disk_free_bytes", "Free space in the data folder.", free)


def _age() -> float:
    oldest = Batch.objects.order_by("pk").values_list("received_at", flat=True).first()
    return max((timezone.now() - oldest).total_seconds(), 0.0) if oldest else 0.0


def _gauge(name: str, about: str, value: float, labels: str = "") -> str:
    full = f"perennial_{name}"
    return f"# HELP {full} {about}\n# TYPE {full} gauge\n{full}{labels} {value}\n"
