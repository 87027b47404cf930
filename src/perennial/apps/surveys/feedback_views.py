"""Themes: what customers write about, and the comments themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import yaml
from django.contrib import messages
from django.core.exceptions import PermissionDenied
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
from perennial.lake import quotes, taxonomies
from perennial.lake.workspace import Workspace as Lake
from perennial.scoring import taxonomy_text
from perennial.scoring.taxonomy import OTHER, Topic
from perennial.ui.redirects import back

#: Comments that a preview reads, the last ones.
_LOOKED_AT: Final = 200


@role_required(Role.VIEWER)
def themes(request: TeamRequest) -> HttpResponse:
    lake, asked = lake_of(request.workspace), request.GET
    days = days_of(request)
    span = results.span_of(days, lake.today)
    language = asked.get("language", "")
    language = language if language in feedback.LANGUAGES else ""
    source = asked.get("source", "")
    source = source if source in feedback.SOURCES else ""
    topic = asked.get("topic", "")
    show = asked.get("show", "")
    if show != "corrected" and (show != "mismatch" or source not in feedback.SCORED):
        show = ""
    every = feedback.lines(lake, span.start, span.end, language, source)
    lines = feedback.called(lake, every)
    comments = feedback.counted(lake, span.start, span.end, language).comments
    found = feedback.found(lake, span.start, span.end, language, topic, show, source)
    page = Paginator(found, PAGE).get_page(asked.get("page"))
    may_edit = request.membership.covers(Role.MEMBER)
    context = {
        "nav": "surveys",
        "tabs": tabs("themes"),
        "days": days,
        "periods": PERIODS,
        "spoken": language,
        "read_in": feedback.LANGUAGES,
        "sources": [
            (name, look.title, comments.get(name, 0))
            for name, look in feedback.SOURCES.items()
            if name in comments or name == source
        ],
        "comments": sum(comments.values()),
        "source": source,
        "has_scores": source in feedback.SCORED,
        "source_title": feedback.SOURCES[source].title if source else _("All"),
        "lines": lines,
        "first": next((e for e in lines if e.topic != OTHER), None),
        "rising": [each for each in lines if each.is_rising],
        "topic": topic,
        "title": feedback.titles(lake).get(topic, topic),
        "show": show,
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
    """Topics a person may choose: those in force, then others that came up."""
    named = feedback.titles(lake)
    more = sorted(feedback.known(lake) - named.keys())
    return [*named.items(), *((key, feedback.TITLES.get(key, key)) for key in more)]


@require_POST
@role_required(Role.MEMBER)
def correct(request: TeamRequest) -> HttpResponse:
    given, by = request.POST, request.membership
    comment = given.get("comment", "")
    try:
        if given.get("do") == "take_back":
            feedback.take_back(by, comment)
        else:
            feedback.correct(by, comment, given.getlist("topic"))
    except BadValue as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Saved."))
    return redirect(back(request, reverse("surveys:themes")))


@role_required(Role.MEMBER)
def topics(request: TeamRequest) -> HttpResponse:
    """The topics as a text: what a change of it would do, then to put it in force."""
    lake, sent = lake_of(request.workspace), request.POST
    number, now = taxonomies.active(lake.lake)
    text = sent.get("text", "").replace("\r\n", "\n") or _yaml(now)
    problem, changed = "", None
    may_turn = request.membership.covers(Role.ADMIN)
    if request.method == "POST":
        try:
            if sent.get("do") == "publish":
                if not may_turn:
                    raise PermissionDenied
                number = feedback.publish_topics(request.membership, text)
                said = _("Version %(n)s is in force; comments are being read again.")
                messages.success(request, said % {"n": number})
                return redirect("surveys:topics")
            wanted = taxonomy_text.read(feedback.parsed(text))
            changed = quotes.preview(lake, wanted, _LOOKED_AT)
        except BadValue as error:
            problem = str(error)
    context = {
        "nav": "surveys",
        "tabs": tabs("themes"),
        "text": text,
        "number": number,
        "problem": problem,
        "changed": changed,
        "shown": (changed or [])[:PAGE],
        "looked_at": _LOOKED_AT,
        "may_turn": may_turn,
    }
    status = 422 if problem else 200
    return render(request, "surveys/topics.html", context, status=status)


def _yaml(topics: Sequence[Topic]) -> str:
    document = taxonomy_text.to_document(topics)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=88)
