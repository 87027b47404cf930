"""Versions of what was learned: what is new, who approved what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.insights import actions, queries, words
from perennial.apps.insights.changes import change_texts, in_force_before
from perennial.apps.insights.views import shared
from perennial.apps.jobs.queries import latest
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.core.errors import PerennialError
from perennial.core.settings import COMPOSITE, HEALTH_MODES, Settings
from perennial.lake.models import Version


@role_required(Role.VIEWER)
def versions(request: TeamRequest) -> HttpResponse:
    """Every version, the newest first, with what was new in it."""
    lake = lake_of(request.workspace)
    run = latest(request.workspace, "review_models")
    found = list(queries.versions(lake))
    names = queries.feature_names(lake)
    context = {
        **shared(request, "versions"),
        "versions": [
            _entry(v, found, names, lake.settings, request) for v in reversed(found)
        ],
        "run": run if run is not None and run.is_active else None,
        "failed": run if run is not None and run.state == "failed" else None,
        "may_look": request.membership.covers(Role.MEMBER),
        "may_decide": request.membership.covers(Role.ADMIN),
        "modes": [(mode, words.MODES[mode]) for mode in HEALTH_MODES],
        "mode": lake.settings.health_mode,
        # The first version that is approved colors customers, unless a person objects.
        "asks_for_colors": lake.settings.health_mode == COMPOSITE,
        "was_approved": any(v.status == "approved" for v in found),
    }
    return render(request, "insights/versions.html", context)


def _entry(
    version: Version,
    every: Sequence[Version],
    names: Mapping[str, str],
    settings: Settings,
    request: TeamRequest,
) -> dict[str, Any]:
    before = in_force_before(every, version)
    return {
        "version": version,
        "status": words.STATUS[version.status],
        "is_first": before is None,
        "changes": change_texts(before, version, names, settings, request.regional),
    }


@require_POST
@role_required(Role.MEMBER)
def look(request: TeamRequest) -> HttpResponse:
    actions.look_again(request.membership)
    messages.success(request, _("Learning in the background; this takes a minute."))
    return redirect("insights:versions")


@require_POST
@role_required(Role.ADMIN)
def go_by(request: TeamRequest) -> HttpResponse:
    try:
        actions.go_by(request.membership, request.POST.get("mode", ""))
    except PerennialError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Colors follow with the next refresh."))
    return redirect("insights:versions")


@require_POST
@role_required(Role.ADMIN)
def decide(request: TeamRequest, number: int) -> HttpResponse:
    lake = lake_of(request.workspace)
    if number not in {v.number for v in queries.versions(lake)}:
        raise Http404
    approve = request.POST.get("do") == "approve"
    try:
        actions.decide(
            request.membership,
            number,
            approve=approve,
            note=request.POST.get("note", ""),
            colors="colors" in request.POST,
        )
    except PerennialError as error:
        messages.error(request, str(error))
        return redirect("insights:versions")
    if approve:
        said = _("Version %(n)s is in force; scores follow with the next refresh.")
    else:
        said = _("Version %(n)s was rejected.")
    messages.success(request, said % {"n": number})
    return redirect("insights:versions")
