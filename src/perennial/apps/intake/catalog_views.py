"""The event catalog: all names, one name, what it means."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.intake import catalog, definitions, headlines, volume
from perennial.apps.intake.arriving import names as names_of_sources
from perennial.apps.intake.catalog import Asked, Line
from perennial.apps.intake.forms import DefinitionForm
from perennial.apps.intake.tabs import tabs
from perennial.apps.intake.words import KINDS
from perennial.apps.jobs import queries as runs
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import AuditEntry
from perennial.apps.team.roles import Role

_PAGE = 50
_HISTORY = 10


@role_required(Role.VIEWER)
def names(request: TeamRequest) -> HttpResponse:
    """Every event name; asked for by htmx, the progress of what was changed."""
    run = runs.latest(request.workspace, definitions.JOB)
    if request.htmx:
        return render(request, "intake/applying.html", {"run": run})
    every = catalog.lines(request.workspace)
    asked = _asked(request)
    found = catalog.chosen(every, asked)
    context = {
        "tabs": tabs(request.workspace, "catalog"),
        "page": Paginator(found, _PAGE).get_page(request.GET.get("page")),
        "asked": asked,
        "kinds": KINDS,
        "kind": KINDS.get(asked.kind, ""),
        "guesses": sum(1 for one in every if one.definition.is_guess),
        "all": len(every),
        "heads": _heads(asked),
        "run": run,
        "headline": headlines.catalog(every, request.regional),
    }
    return render(request, "intake/catalog.html", context)


def _asked(request: HttpRequest) -> Asked:
    query = request.GET
    sort = query.get("sort", "").removeprefix("-")
    kind = query.get("kind", "")
    known = sort in catalog.SORTS
    return Asked(
        query.get("q", "").strip()[:200],
        kind if kind in KINDS else "",
        "guesses" in query,
        sort if known else "recent",
        not known or query["sort"].startswith("-"),
    )


def _heads(asked: Asked) -> list[dict[str, Any]]:
    """Heads that sort: figures begin with the largest."""
    titles = {
        "event": _("Event"),
        "recent": _("30 days"),
        "users": _("Users a day"),
        "first": _("First seen"),
        "last": _("Last seen"),
    }
    return [
        {
            "key": key,
            "title": title,
            "on": asked.sort == key,
            "descending": asked.descending,
            "sort": _next_sort(asked, key),
        }
        for key, title in titles.items()
    ]


def _next_sort(asked: Asked, key: str) -> str:
    is_down = not asked.descending if asked.sort == key else key != "event"
    return f"-{key}" if is_down else key


@role_required(Role.VIEWER)
def name(request: TeamRequest) -> HttpResponse:
    """One event name: how often, what it carries, what it means."""
    found = _line(request)
    context = _context(request, found, _form(found))
    return render(request, "intake/event.html", context)


@require_POST
@role_required(Role.MEMBER)
def define(request: TeamRequest) -> HttpResponse:
    found = _line(request)
    form = DefinitionForm(request.POST)
    if found.definition.is_fixed or not form.is_valid():
        context = _context(request, found, form)
        return render(request, "intake/event.html", context, status=422)
    said = definitions.Said(
        form.cleaned_data["kind"],
        form.cleaned_data["counts"],
        form.cleaned_data["feature"].strip(),
        form.cleaned_data["is_key"],
    )
    definitions.define(request.workspace, found.name, said, by=request.user)
    messages.success(request, _("Saved."))
    return redirect(f"{reverse('intake:event')}?{urlencode({'name': found.name})}")


def _line(request: TeamRequest) -> Line:
    found = catalog.line(request.workspace, request.GET.get("name", ""))
    if found is None:
        raise Http404
    return found


def _form(found: Line) -> DefinitionForm:
    meaning = found.definition
    is_own = meaning.feature_id == found.name
    return DefinitionForm(
        initial={
            "kind": meaning.kind,
            "feature": "" if is_own else meaning.feature_name,
            "is_key": meaning.is_key,
            "counts": meaning.counts,
        }
    )


def _context(
    request: TeamRequest, found: Line, form: DefinitionForm
) -> dict[str, object]:
    lake = lake_of(request.workspace)
    chart = volume.chart(
        lake, "event", found.name, request.regional, days=90, height=200
    )
    sources = names_of_sources(request.workspace)
    return {
        "line": found,
        "chart": chart,
        "sample": catalog.sample(lake, found.seen),
        "sources": [sources.get(slug, slug) for slug in found.seen.sources],
        "features": definitions.feature_names(lake),
        "form": form,
        "history": _history(request, found.name),
        "run": runs.latest(request.workspace, definitions.JOB),
        "headline": headlines.event(found, request.regional),
        "may_define": request.role.covers(Role.MEMBER),
    }


def _history(request: TeamRequest, name: str) -> list[AuditEntry]:
    entries = AuditEntry.objects.filter(
        workspace=request.workspace, verb="event.defined", target=name
    )
    return list(entries.order_by("-pk")[:_HISTORY])
