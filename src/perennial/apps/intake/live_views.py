"""What arrives: the live stream, and what could not be taken."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from perennial.apps.intake import arriving, headlines, live, rejected
from perennial.apps.intake.replay import replay
from perennial.apps.intake.tabs import tabs
from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs import queries as runs
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.apps.team.roles import Role
from perennial.ui import formats

#: So many rejects are sent again while one waits, more by a job.
AT_ONCE = 2_000


@role_required(Role.VIEWER)
def stream(request: TeamRequest) -> HttpResponse:
    """Newest first; asked for by htmx, the rows alone."""
    asked = live.Asked.of(request.GET.dict())
    rows = live.arrived(request.workspace, asked)
    names = arriving.names(request.workspace)
    is_paused = "paused" in request.GET
    context = {
        "asked": asked,
        "rows": [(row, names.get(row.slug, row.slug)) for row in rows],
        "names": names,
        "chosen": asked.source,
        "chosen_name": names.get(asked.source, asked.source),
        "is_paused": is_paused,
        "is_full": len(rows) == live.MOST,
        "most": live.MOST,
        "minutes": int(live.SPAN.total_seconds() // 60),
        "headline": headlines.live(rows, asked, is_paused=is_paused),
    }
    if request.htmx:
        return render(request, "intake/live.html#rows", context)
    context["tabs"] = tabs(request.workspace, "live")
    return render(request, "intake/live.html", context)


@role_required(Role.VIEWER)
def opened(request: TeamRequest) -> HttpResponse:
    """One event or reject with all it carries: a page, or the drawer's content."""
    slug, id_ = request.GET.get("source", ""), request.GET.get("id", "")
    find = _refused if "refused" in request.GET else _taken
    context = find(request.workspace, slug, id_)
    context["name"] = arriving.names(request.workspace).get(slug, slug)
    template = "intake/opened.html"
    return render(request, f"{template}#part" if request.htmx else template, context)


def _taken(workspace: Workspace, slug: str, id_: str) -> dict[str, object]:
    found = live.opened(workspace, slug, id_)
    if found is None:
        raise Http404
    return {"opened": found}


def _refused(workspace: Workspace, slug: str, id_: str) -> dict[str, object]:
    is_number = id_.isdecimal() and len(id_) < 19
    found = rejected.example(workspace, slug, int(id_)) if is_number else None
    if found is None:
        raise Http404
    about, cure = rejected.about(found.code), rejected.cure(found.code)
    return {"reject": found, "about": about, "cure": cure}


@role_required(Role.VIEWER)
def rejects(request: TeamRequest) -> HttpResponse:
    """By reason; asked for by htmx, with the progress of a replay."""
    slug = request.GET.get("source", "")
    groups = rejected.groups(request.workspace, slug)
    names = arriving.names(request.workspace)
    context = {
        "tabs": tabs(request.workspace, "rejects"),
        "groups": [(group, _named(group, names)) for group in groups],
        "names": names,
        "chosen": slug,
        "chosen_name": names.get(slug, slug),
        "sendable": sum(group.sendable for group in groups),
        "days": rejected.DAYS,
        "run": runs.latest(request.workspace, "replay_rejects"),
        "headline": headlines.rejects(groups, request.regional),
        "may_replay": request.role.covers(Role.MEMBER),
    }
    template = "intake/rejects.html"
    return render(request, f"{template}#live" if request.htmx else template, context)


@require_POST
@role_required(Role.MEMBER)
def replay_(request: TeamRequest) -> HttpResponse:
    """Send rejects of a reason again, or all of them."""
    code = request.POST.get("code", "")
    count = _sendable(request.workspace, code)
    if count > AT_ONCE:
        jobs.run_now(
            "replay_rejects",
            request.workspace,
            by=request.user,
            code=code,
            person=request.user.pk,
        )
        return redirect("intake:rejects")
    sent = replay(request.workspace, code=code or None, by=request.user)
    said = ngettext(
        "%(n)s call was sent again. If it still cannot be taken, it comes back here.",
        "%(n)s calls were sent again. Those that still cannot be taken come back here.",
        sent,
    )
    shown = formats.number(sent, request.regional)
    messages.success(request, said % {"n": shown} if sent else _("Nothing was sent."))
    return redirect("intake:rejects")


def _named(
    group: rejected.Group, names: Mapping[str, str]
) -> list[tuple[str, str, int]]:
    return [(slug, names.get(slug, slug), count) for slug, count in group.sources]


def _sendable(workspace: Workspace, code: str) -> int:
    lake = lake_of(workspace)
    found = rejected.counts(lake, lake.now)
    return sum(one.sendable for one in found if not code or one.code == code)
