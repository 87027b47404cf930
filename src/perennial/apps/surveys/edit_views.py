"""The builder: a form, and what people will see of it in every channel."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from perennial.apps.surveys import actions, forms, inviting, mailing, tokens, words
from perennial.apps.surveys.document import Document, read
from perennial.apps.surveys.hosted import try_page
from perennial.apps.surveys.models import Channel, Survey
from perennial.apps.surveys.showing import widget
from perennial.apps.surveys.views import shared, survey_or_404
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.addresses import absolute
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue, PerennialError


@role_required(Role.VIEWER)
def edit(request: TeamRequest, pk: int) -> HttpResponse:
    """The form; a change of it is kept and shown at once, and asked after a start."""
    survey = survey_or_404(request, pk)
    if request.method == "POST":
        if not request.membership.covers(Role.MEMBER):
            raise PermissionDenied
        refused = _save(request, survey)
        if refused is not None:
            return refused
    template = "surveys/edit.html"
    if request.htmx and request.POST.get("do", "") == "":
        template += "#live"
    wanted = request.POST.get("lang") or request.GET.get("lang", "")
    return render(request, template, _context(request, survey, wanted))


def _save(request: TeamRequest, survey: Survey) -> HttpResponse | None:
    document = forms.document_of(request.POST, survey.document)
    name = request.POST.get("name", survey.name)
    try:
        problem = actions.save(survey, request.membership, name, document)
        if request.POST.get("do") == "start" and not problem:
            actions.start(survey, request.membership)
            messages.success(request, _("The survey is running."))
            return redirect("surveys:survey", survey.pk)
    except PerennialError as error:
        messages.error(request, str(error))
        survey.refresh_from_db()
    return None


def _context(request: TeamRequest, survey: Survey, wanted: str) -> dict[str, Any]:
    language = forms.language_of(survey.document, wanted)
    document = _document(survey)
    channel = request.POST.get("channel") or request.GET.get("channel", "product")
    return {
        **shared(request, survey, "edit"),
        "form": forms.shown(survey.document, language),
        "lang": language,
        "spoken": survey.document.get("languages") or [],
        "known": forms.LANGUAGES,
        "channels": Channel.choices,
        "triggers": words.TRIGGERS.items(),
        "segments": request.workspace.segments.filter(archived_at=None).order_by(
            "name"
        ),
        "preview": channel if channel in {"product", "email", "page"} else "product",
        "look": _look(survey, document),
        "can_send": mailing.can_send(),
        "reasons": words.REASONS,
        "is_changed": _is_changed(survey),
        "preview_link": absolute(
            reverse("surveys:preview", args=[tokens.make(tokens.PREVIEW, survey.pk)])
        ),
        "public_link": absolute(reverse("surveys:open", args=[survey.key])),
        "stamp": int(survey.changed_at.timestamp() * 1000),
    }


def _document(survey: Survey) -> Document | None:
    try:
        return read(survey.document)
    except BadValue:
        return None


def _look(survey: Survey, document: Document | None) -> dict[str, Any] | None:
    """Whom the draft would ask today, and why not the others."""
    if document is None:
        return None
    try:
        found = inviting.look(survey, document)
    except PerennialError:
        return None
    reasons = sorted(found.reasons.items(), key=lambda pair: -pair[1])
    return {
        "ready": len(found.ready),
        "matched": found.matched,
        "reasons": [(n, words.REASONS[reason]) for reason, n in reasons],
    }


def _is_changed(survey: Survey) -> bool:
    version = survey.versions.filter(number=survey.number).first()
    return version is not None and version.document != survey.document


# --- previews ----------------------------------------------------------------


@role_required(Role.VIEWER)
def preview_product(request: TeamRequest, pk: int) -> HttpResponse:
    """A page with the survey in its corner, drawn by the snippet itself."""
    survey = survey_or_404(request, pk)
    document = _document(survey)
    if document is None:
        return _unfinished(request, survey)
    language = document.asks.language([request.GET.get("lang", "")])
    context = {"spec": widget(survey, document.asks, language, token="")}
    return framed(render(request, "surveys/preview_product.html", context))


@role_required(Role.VIEWER)
def preview_email(request: TeamRequest, pk: int) -> HttpResponse:
    """The mail as it will be; its links lead to the page that keeps nothing."""
    survey = survey_or_404(request, pk)
    document = _document(survey)
    if document is None:
        return _unfinished(request, survey)
    language = document.asks.language([request.GET.get("lang", "")])
    token = tokens.make(tokens.PREVIEW, survey.pk)
    page = reverse("surveys:preview", args=[token])
    mail = mailing.compose(document.asks, language, request.workspace, page, page)
    response = framed(HttpResponse(mail.html))
    response._csp_replace["style-src"] = ["'unsafe-inline'"]  # type: ignore[attr-defined]
    return response


@role_required(Role.VIEWER)
def preview_page(request: TeamRequest, pk: int) -> HttpResponse:
    """The hosted page."""
    survey = survey_or_404(request, pk)
    if _document(survey) is None:
        return _unfinished(request, survey)
    return framed(try_page(request, survey))


def _unfinished(request: TeamRequest, survey: Survey) -> HttpResponse:
    context = {"problem": actions.problem(survey)}
    return framed(render(request, "surveys/preview_none.html", context))


def framed(response: HttpResponse) -> HttpResponse:
    """A preview may stand in a frame of our own pages, and nowhere else."""
    response["X-Frame-Options"] = "SAMEORIGIN"
    response._csp_replace = {"frame-ancestors": ["'self'"]}  # type: ignore[attr-defined]
    return response
