"""Is the process up, and can it answer? For supervisors and balancers."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from perennial.config.folder import DataFolder


@require_safe
@login_not_required
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


@require_safe
@login_not_required
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    folder: DataFolder = settings.DATA
    checks = {"database": _database_answers(), "lake": folder.lake.is_dir()}
    status = 200 if all(checks.values()) else 503
    words = {name: "ok" if good else "failed" for name, good in checks.items()}
    return JsonResponse(
        {"status": "ok" if status == 200 else "failed", **words}, status=status
    )


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM team_workspace LIMIT 1")
    except DatabaseError:
        return False
    return True
