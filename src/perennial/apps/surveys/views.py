"""Surveys: the list, results, answers, and the rests that hold for all."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.customers import wording
from perennial.apps.surveys import (
    actions,
    drawing,
    inviting,
    library,
    queries,
    replying,
    results,
    tokens,
)
from perennial.apps.surveys.models import Answer, Respondent, Survey
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.core.errors import PerennialError
from perennial.core.names import free
from perennial.ui.redirects import back

PERIODS: Final = (30, 90, 365)
PAGE: Final = 20


def survey_or_404(request: TeamRequest, pk: int) -> Survey:
    return get_object_or_404(queries.surveys(request.workspace), pk=pk)


@role_required(Role.VIEWER)
def surveys(request: TeamRequest) -> HttpResponse:
    found = queries.listed(request.workspace)
    context = {
        "nav": "surveys",
        "tabs": tabs("surveys"),
        "lines": found,
        "running": sum(each.survey.state == Survey.State.ON for each in found),
        "waiting": sum(each.waiting for each in found),
        "templates": library.TITLES,
        "days": results.USUAL_DAYS,
        "may_edit": request.membership.covers(Role.MEMBER),
        "may_turn": request.membership.covers(Role.ADMIN),
    }
    return render(request, "surveys/surveys.html", context)


def tabs(on: str) -> list[dict[str, Any]]:
    """The pages of what customers say: surveys, and themes in their comments."""
    pages = (("surveys", _("Surveys")), ("themes", _("Themes")))
    return [
        {"label": title, "url": reverse(f"surveys:{name}"), "on": name == on}
        for name, title in pages
    ]


@require_POST
@role_required(Role.MEMBER)
def new(request: TeamRequest) -> HttpResponse:
    template = request.POST.get("template", "")
    title = library.TITLES.get(template, ("",))[0]
    taken = set(request.workspace.surveys.values_list("name", flat=True))
    try:
        survey = actions.add(request.membership, free(str(title), taken), template)
    except PerennialError as error:
        messages.error(request, str(error))
        return redirect("surveys:surveys")
    return redirect("surveys:edit", survey.pk)


@require_POST
@role_required(Role.ADMIN)
def turn(request: TeamRequest, pk: int) -> HttpResponse:
    """Start, stop, archive, or give a new public link."""
    survey, do = survey_or_404(request, pk), request.POST.get("do", "")
    verbs = {
        "start": actions.start,
        "stop": actions.stop,
        "archive": actions.archive,
        "link": actions.new_link,
    }
    if do not in verbs:
        raise Http404
    try:
        verbs[do](survey, request.membership)
    except PerennialError as error:
        messages.error(request, str(error))
    if do == "archive":
        return redirect("surveys:surveys")
    return redirect(back(request, reverse("surveys:survey", args=[pk])))


# --- results -----------------------------------------------------------------


@role_required(Role.VIEWER)
def survey(request: TeamRequest, pk: int) -> HttpResponse:
    """Results: the score and its doubt before its trend, then what was said."""
    found = survey_or_404(request, pk)
    lake = lake_of(request.workspace)
    days = days_of(request)
    span = results.span_of(days, lake.today)
    seen = results.overview(lake, found.kind, found.name, days)
    now, then = seen.now, seen.before
    said = queries.answers(found, span)
    state, group = request.GET.get("show", ""), request.GET.get("group", "")
    shown = queries.answers(found, span, group=group, state=state)
    page = Paginator(shown, PAGE).get_page(request.GET.get("page"))
    by = request.GET.get("by", "")
    by = by if by in results.DIMENSIONS else results.DIMENSIONS[0]
    context = {
        **shared(request, found, "results"),
        "days": days,
        "periods": PERIODS,
        "score": now,
        "before": then,
        "is_change": results.is_change(now, then),
        "change": None if None in (now.value, then.value) else now.value - then.value,  # type: ignore[operator]
        "rate": results.rate(lake, found.name, span.start, span.end),
        "groups": _groups(now),
        "trend": drawing.trend(seen.trend, found.kind, request.regional),
        "bars": drawing.bars(queries.distribution(found, said), found.kind),
        "answered": said.count(),
        "by": by,
        "dimensions": drawing.DIMENSIONS,
        "parts": results.parts(lake, found.kind, found.name, by, span.start, span.end),
        "page": page,
        "said": queries.said(
            request.workspace,
            list(page),
            mask=not wording.reads_all(request.membership),
        ),
        "show": state,
        "group": group,
        "hours_to_close": queries.hours_to_close(said, found.kind),
        "here": request.get_full_path(),
    }
    return render(request, "surveys/results.html", context)


def days_of(request: TeamRequest) -> int:
    text = request.GET.get("days", "")
    return int(text) if text in map(str, PERIODS) else results.USUAL_DAYS


def _groups(score: results.Score) -> list[tuple[str, int, float]]:
    names = ("promoters", "passives", "detractors")
    pairs = zip(names, score.groups, strict=True)
    return [(name, n, n / score.n) for name, n in pairs] if score.n else []


def shared(request: TeamRequest, found: Survey, on: str) -> dict[str, Any]:
    """What every page of a survey shows."""
    pages = [("results", _("Results"), "survey"), ("edit", _("Edit"), "edit")]
    return {
        "nav": "surveys",
        "survey": found,
        "tabs": [
            {
                "label": title,
                "url": reverse(f"surveys:{name}", args=[found.pk]),
                "on": key == on,
            }
            for key, title, name in pages
        ],
        "may_edit": request.membership.covers(Role.MEMBER),
        "may_turn": request.membership.covers(Role.ADMIN),
        "problem": actions.problem(found),
    }


@require_POST
@role_required(Role.MEMBER)
def answer(request: TeamRequest, pk: int) -> HttpResponse:
    """See to an answer: done, open again, or a reply."""
    found = get_object_or_404(
        Answer.objects.select_related("survey", "invite"),
        pk=pk,
        survey__workspace=request.workspace,
        survey__archived_at=None,
    )
    do, given = request.POST.get("do", ""), request.POST
    try:
        if do == "close":
            actions.close(found, request.membership)
        elif do == "open":
            actions.open_again(found, request.membership)
        elif do == "reply":
            replying.reply(found, request.membership, given.get("text", ""))
            messages.success(request, _("The reply is on its way."))
        else:
            raise Http404
    except PerennialError as error:
        messages.error(request, str(error))
    return redirect(back(request, reverse("surveys:survey", args=[found.survey_id])))


# --- rests -------------------------------------------------------------------


@role_required(Role.ADMIN)
def rests(request: TeamRequest) -> HttpResponse:
    """How long people are left alone, whatever the survey."""
    if request.method == "POST":
        try:
            actions.set_rests(request.membership, request.POST)
        except PerennialError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("Saved."))
        return redirect("surveys:rests")
    gone = Respondent.objects.filter(
        workspace=request.workspace, unsubscribed_at__isnull=False
    )
    said = inviting.settings_of(request.workspace)
    context = {
        "nav": "surveys",
        "rests": [
            ("first_days", _("Before the first survey"), said.first_days),
            ("answer_days", _("After an answer"), said.answer_days),
            ("refusal_days", _("After closing one"), said.refusal_days),
            ("asked_days", _("After a question nobody answered"), said.asked_days),
        ],
        "said": said,
        "gone": gone.count(),
        "secret": tokens.person_secret(request.workspace),
    }
    return render(request, "surveys/rests.html", context)
