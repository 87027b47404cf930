"""Themes: what customers write about, and the comments themselves."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.customers import wording
from perennial.apps.surveys import feedback, results
from perennial.apps.surveys.views import PAGE, PERIODS, days_of, tabs
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring.taxonomy import OTHER
from perennial.ui.redirects import back


@role_required(Role.VIEWER)
def themes(request: TeamRequest) -> HttpResponse:
    lake, asked = lake_of(request.workspace), request.GET
    days = days_of(request)
    span = results.span_of(days, lake.today)
    language = asked.get("language", "")
    language = language if language in feedback.LANGUAGES else ""
    topic, mismatch = asked.get("topic", ""), asked.get("show") == "mismatch"
    lines = feedback.lines(lake, span.start, span.end, language)
    quotes = feedback.found(lake, span.start, span.end, language, topic, mismatch)
    page = Paginator(quotes, PAGE).get_page(asked.get("page"))
    may_edit = request.membership.covers(Role.MEMBER)
    context = {
        "nav": "surveys",
        "tabs": tabs("themes"),
        "days": days,
        "periods": PERIODS,
        "spoken": language,
        "read_in": feedback.LANGUAGES,
        "lines": lines,
        "first": next((e for e in lines if e.topic != OTHER), None),
        "rising": [each for each in lines if each.is_rising],
        "topic": topic,
        "title": feedback.TITLES.get(topic, topic),
        "mismatch": mismatch,
        "page": page,
        "said": feedback.said(
            request.workspace,
            list(page),
            mask=not wording.reads_all(request.membership),
        ),
        "choices": _choices(lake),
        "may_edit": may_edit,
        "here": request.get_full_path(),
    }
    return render(request, "surveys/themes.html", context)


def _choices(lake: Lake) -> list[tuple[str, object]]:
    """Topics a person may choose: those of the standard, then others."""
    more = sorted(feedback.known(lake) - feedback.TITLES.keys())
    return [*feedback.TITLES.items(), *((key, key) for key in more)]


@require_POST
@role_required(Role.MEMBER)
def correct(request: TeamRequest) -> HttpResponse:
    given = request.POST
    try:
        feedback.correct(
            request.membership, given.get("comment", ""), given.getlist("topic")
        )
    except BadValue as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Saved."))
    return redirect(back(request, reverse("surveys:themes")))
