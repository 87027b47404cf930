"""Guides: the list, results, and what turns them on and off."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.guides import actions, audience, library, queries, results
from perennial.apps.guides.models import Guide, Showing
from perennial.apps.onboarding.tabs import tabs
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.core.errors import PerennialError
from perennial.core.names import free
from perennial.ui.files import download
from perennial.ui.redirects import back

PERIODS: Final = (30, 90, 365)


def guide_or_404(request: TeamRequest, pk: int) -> Guide:
    return get_object_or_404(queries.guides(request.workspace), pk=pk)


@role_required(Role.VIEWER)
def guides(request: TeamRequest) -> HttpResponse:
    found = queries.listed(request.workspace)
    context = {
        "nav": "guides",
        "tabs": tabs("guides"),
        "lines": found,
        "live": sum(each.guide.state == Guide.State.ON for each in found),
        "lost": sum(bool(each.lost) for each in found),
        "templates": library.TITLES,
        "days": queries.USUAL_DAYS,
        "may_edit": request.membership.covers(Role.MEMBER),
    }
    return render(request, "guides/guides.html", context)


@require_POST
@role_required(Role.MEMBER)
def new(request: TeamRequest) -> HttpResponse:
    template = request.POST.get("template", "")
    title = library.TITLES.get(template, ("",))[0]
    taken = set(request.workspace.guides.values_list("name", flat=True))
    try:
        guide = actions.add(request.membership, free(str(title), taken), template)
    except PerennialError as error:
        messages.error(request, str(error))
        return redirect("guides:guides")
    return redirect("guides:edit", guide.pk)


@require_POST
@role_required(Role.ADMIN)
def turn(request: TeamRequest, pk: int) -> HttpResponse:
    """Publish, pause or archive."""
    guide, do = guide_or_404(request, pk), request.POST.get("do", "")
    verbs = {
        "publish": actions.publish,
        "pause": actions.pause,
        "archive": actions.archive,
    }
    if do not in verbs:
        raise Http404
    try:
        verbs[do](guide, request.membership)
    except PerennialError as error:
        messages.error(request, str(error))
    if do == "archive":
        return redirect("guides:guides")
    return redirect(back(request, reverse("guides:guide", args=[pk])))


def shared(request: TeamRequest, guide: Guide, on: str) -> dict[str, Any]:
    """What every page of a guide shows."""
    pages = [("results", _("Results"), "guide"), ("edit", _("Edit"), "edit")]
    return {
        "nav": "guides",
        "guide": guide,
        "tabs": [
            {
                "label": title,
                "url": reverse(f"guides:{name}", args=[guide.pk]),
                "on": key == on,
            }
            for key, title, name in pages
        ],
        "may_edit": request.membership.covers(Role.MEMBER),
        "may_turn": request.membership.covers(Role.ADMIN),
        "problem": actions.problem(guide),
    }


# --- results -----------------------------------------------------------------


@role_required(Role.VIEWER)
def guide(request: TeamRequest, pk: int) -> HttpResponse:
    """Results: what it changed before how far people came."""
    found = guide_or_404(request, pk)
    days = _days(request)
    showings = results.showings(found, days)
    if request.GET.get("format") in {"csv", "xlsx"}:
        return _file(request, found, showings)
    if request.GET.get("part") == "change":
        return _change(request, found, showings)
    sides = results.sides(showings)
    variant = "b" if request.GET.get("variant") == "b" and "b" in sides else "a"
    context = {
        **shared(request, found, "results"),
        "days": days,
        "periods": PERIODS,
        "whole": results.whole(sides),
        "sides": sides,
        "variant": variant,
        "steps": results.reached(found, showings, variant, request.LANGUAGE_CODE)
        if found.number
        else [],
        "between": results.between(sides),
        "is_enough": results.is_enough(sides),
        "has_target": bool(found.document.get("target")),
        "segments": results.by_segment(found, showings),
        "fewest": results.FEWEST,
        "lost": queries.lost(found, lake_of(request.workspace)),
    }
    return render(request, "guides/results.html", context)


def _change(
    request: TeamRequest, guide: Guide, showings: QuerySet[Showing]
) -> HttpResponse:
    """What it changed: asked for after the page, for it reads what people did."""
    context = {
        "change": results.change(guide, showings),
        "has_target": True,
        "metrics": audience.metrics(),
        "fewest": results.FEWEST,
    }
    return render(request, "guides/change.html", context)


def _days(request: TeamRequest) -> int:
    text = request.GET.get("days", "")
    return int(text) if text in map(str, PERIODS) else queries.USUAL_DAYS


def _file(
    request: TeamRequest, guide: Guide, showings: QuerySet[Showing]
) -> HttpResponse:
    """Everybody who came to the moment of being shown it, a line each."""
    head = ("user_id", "account_id", "variant", "version", "times", "came_at",
            "seen_at", "finished_at", "dismissed_at", "last_step")  # fmt: skip
    zone = lake_of(request.workspace).settings.tz
    lines = (
        [
            each.person,
            each.account_id,
            each.variant,
            each.number,
            each.times,
            *(
                at.astimezone(zone).isoformat(timespec="seconds") if at else None
                for at in (
                    each.claimed_at,
                    each.seen_at,
                    each.finished_at,
                    each.dismissed_at,
                )
            ),
            each.step,
        ]
        for each in showings.order_by("claimed_at", "pk")
    )
    return download(request.GET, f"guide-{guide.pk}", head, lines)
