"""The builder: a form, what people will see of it, and who."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.guides import actions, audience, drawing, forms, queries, tokens
from perennial.apps.guides import words as names
from perennial.apps.guides.models import Guide
from perennial.apps.guides.views import guide_or_404, shared
from perennial.apps.onboarding import progress as onboarding
from perennial.apps.surveys.edit_views import framed
from perennial.apps.surveys.forms import LANGUAGES
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.roles import Role
from perennial.core import guides as documents
from perennial.core.errors import BadValue, PerennialError
from perennial.core.guides import read
from perennial.core.numbers import whole
from perennial.core.reading import spoken


@role_required(Role.VIEWER)
def edit(request: TeamRequest, pk: int) -> HttpResponse:
    """The form; a change of it is kept and shown at once, and reaches people once it is
    published."""
    guide = guide_or_404(request, pk)
    if request.method == "POST":
        if not request.membership.covers(Role.MEMBER):
            raise PermissionDenied
        refused = _save(request, guide)
        if refused is not None:
            return refused
    template = "guides/edit.html"
    if request.htmx and not request.POST.get("do"):
        template += "#live"
    return render(request, template, _context(request, guide))


def _save(request: TeamRequest, guide: Guide) -> HttpResponse | None:
    document = forms.document_of(request.POST, guide.document)
    document["site"] = request.POST.get("site", document.get("site", "")).strip()[:500]
    name, do = request.POST.get("name", guide.name), request.POST.get("do", "")
    try:
        problem = actions.save(guide, request.membership, name, document)
        if do == "publish" and not problem:
            actions.publish(guide, request.membership)
            messages.success(request, _("The guide is live."))
            return redirect("guides:guide", guide.pk)
    except PerennialError as error:
        messages.error(request, str(error))
        guide.refresh_from_db()
    return None


def _context(request: TeamRequest, guide: Guide) -> dict[str, Any]:
    document = _document(guide)
    segments = request.workspace.segments.filter(archived_at=None)
    others = queries.guides(request.workspace).exclude(pk=guide.pk)
    return {
        **shared(request, guide, "edit"),
        **_drafted(request, guide),
        "is_list": forms.list_of(guide.document) == "items",
        "is_one": guide.form not in {*documents.LISTS, "walkthrough"},
        "spoken": guide.document.get("languages") or [],
        "known": LANGUAGES,
        "metrics": audience.metrics(),
        "segments": segments.order_by("name"),
        "others": others.order_by("name"),
        "flows": onboarding.flows(request.workspace),
        "look": document and audience.look(guide, document),
        "is_changed": queries.is_changed(guide),
        "versions": guide.versions.select_related("by").order_by("-number"),
        "stamp": int(guide.changed_at.timestamp() * 1000),
    }


def _drafted(request: TeamRequest, guide: Guide) -> dict[str, Any]:
    """The draft in the language and the variant that are looked at."""
    asked = request.POST or request.GET
    has_other = bool(guide.document.get("other"))
    language = forms.language_of(guide.document, asked.get("lang", ""))
    variant = "b" if asked.get("variant") == "b" and has_other else "a"
    return {
        "guide": guide,
        "form": forms.shown(guide.document, language, variant),
        "is_anchored": guide.form in {"tooltip", "hotspot"},
        "lang": language,
        "variant": variant,
        "has_other": has_other,
        "names": names,
        "at": whole(asked.get("at", "")) or 0,
        "is_lost": "lost" in asked,
        "usual_lost": documents.usual_lost(guide.form),
        "site": guide.document.get("site", ""),
        "may_edit": request.membership.covers(Role.MEMBER),
    }


def _document(guide: Guide) -> documents.Guide | None:
    try:
        return read(guide.document)
    except BadValue:
        return None


@role_required(Role.VIEWER)
def preview(request: TeamRequest, pk: int) -> HttpResponse:
    """A page with the guide on it, drawn by the snippet itself; it tells nothing."""
    guide = guide_or_404(request, pk)
    document = _document(guide)
    if document is None:
        none = {"problem": actions.problem(guide)}
        return framed(render(request, "surveys/preview_none.html", none))
    language = spoken([request.GET.get("lang", "")], document.languages)
    variant = request.GET.get("variant", "a")
    spec = drawing.drawn(guide, document, variant, language)
    spec["at"] = min(
        whole(request.GET.get("at", "")) or 0, max(len(spec["steps"]) - 1, 0)
    )
    context = {"spec": {**spec, "kind": "guide"}, "is_lost": "lost" in request.GET}
    return framed(render(request, "guides/preview.html", context))


@role_required(Role.MEMBER)
def pick(request: TeamRequest, pk: int) -> HttpResponse:
    """To the team's own product, with the picker for one step on it."""
    guide = guide_or_404(request, pk)
    site = str(guide.document.get("site", ""))
    # Their own address, on their own machine perhaps: http is fine here.
    if urlsplit(site).scheme not in {"http", "https"}:
        messages.error(request, _("Say first where your product is: https://…"))
        return redirect("guides:edit", pk)
    variant, step = request.GET.get("variant", "a"), request.GET.get("step", "")
    token = tokens.to_pick(guide, request.membership, variant, step)
    address = site.partition("#")[0]
    return HttpResponseRedirect(f"{address}#perennial-pick={token}")


@role_required(Role.VIEWER)
def anchor(request: TeamRequest, pk: int, step: str) -> HttpResponse:
    """Where a step points, as it stands now: asked again when somebody comes back from
    their product."""
    guide = guide_or_404(request, pk)
    context = _drafted(request, guide)
    for n, each in enumerate(context["form"]["parts"]):
        if each["id"] == step:
            found = {**context, "each": each, "n": n}
            return render(request, "guides/edit_anchor.html", found)
    raise Http404


@require_POST
@role_required(Role.MEMBER)
def bring_back(request: TeamRequest, pk: int) -> HttpResponse:
    """A version that was shown before becomes the draft."""
    guide = guide_or_404(request, pk)
    try:
        number = whole(request.POST.get("number", "")) or 0
        actions.draft_from(guide, request.membership, number)
        messages.success(request, _("It is the draft again; publish it to show it."))
    except PerennialError as error:
        messages.error(request, str(error))
    return redirect("guides:edit", pk)
