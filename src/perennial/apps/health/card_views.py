"""Scorecards on screen: versions, drafts, live preview, back-test, publishing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import unified_diff
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.customers import queries as customers
from perennial.apps.customers.parts import counts_text
from perennial.apps.health import actions, backtest, editor, files, tried, verdicts
from perennial.apps.health.models import Draft
from perennial.apps.health.preview import preview
from perennial.apps.health.tabs import tabs
from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs.queries import latest
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue, PerennialError
from perennial.core.numbers import whole
from perennial.lake import scorecards
from perennial.lake.scorecards import Version
from perennial.scoring.documents import BadScorecard, Problem
from perennial.scoring.scorecard import Scorecard
from perennial.scoring.scorecard_text import plain, write

#: A scorecard of a hundred parts is far smaller.
_MOST_BYTES = 200_000


@role_required(Role.VIEWER)
def listing(request: TeamRequest) -> HttpResponse:
    """Every version, the newest first, and the drafts people work on."""
    lake = lake_of(request.workspace)
    versions = scorecards.history(lake)[::-1]
    card = versions[0].card
    shares = card.rules[-1].shares
    context = {
        "nav": "health",
        "tabs": tabs("scorecards"),
        "versions": versions,
        "active": versions[0],
        "parts": [
            (counts_text(c, request.regional), shares[c.name])
            for c in card.rules[-1].components
        ],
        "drafts": request.workspace.scorecard_drafts.select_related("by").order_by(
            "-pk"
        ),
        "may_draft": request.membership.covers(Role.MEMBER),
    }
    return render(request, "health/scorecards.html", context)


@role_required(Role.VIEWER)
def version(request: TeamRequest, number: int) -> HttpResponse:
    """One version as the document it is; `?format=yaml` is the file."""
    found = _version(request, number)
    format_ = request.GET.get("format", "")
    if format_ in ("yaml", "json"):
        name = f"scorecard-{number}.{format_}"
        return _file(write(found.card, format_), name)  # type: ignore[arg-type]
    context = {
        "nav": "health",
        "tabs": tabs("scorecards"),
        "version": found,
        "text": write(found.card),
        "may_draft": request.membership.covers(Role.MEMBER),
    }
    return render(request, "health/version.html", context)


@require_POST
@role_required(Role.MEMBER)
def start(request: TeamRequest) -> HttpResponse:
    """A draft from a version, or from a file that was sent."""
    lake = lake_of(request.workspace)
    upload = request.FILES.get("file")
    try:
        if upload is not None:
            if (upload.size or 0) > _MOST_BYTES:
                raise BadValue(_("The file is too large to be a scorecard."))
            card = scorecards.check(lake, upload.read().decode("utf-8", "replace"))
            based_on = scorecards.active(lake).number
        else:
            number = whole(request.POST.get("version", ""))
            based_on = -1 if number is None else number
            card = _version(request, based_on).card
    except PerennialError as error:
        messages.error(request, str(error))
        return redirect("health:scorecards")
    draft = actions.start_draft(request.membership, card, based_on=based_on)
    return redirect("health:draft", draft.pk)


@role_required(Role.VIEWER)
def draft(request: TeamRequest, pk: int) -> HttpResponse:
    """The editor: parts and weights, who would change color, the back-test."""
    found = _draft(request, pk)
    if request.GET.get("format") == "yaml":
        card = scorecards.stored(lake_of(request.workspace), found.document)
        return _file(write(card), f"scorecard-draft-{pk}.yaml")
    if request.method == "POST":
        return _edited(request, found)
    return render(request, "health/draft.html", _page(request, found))


def _edited(request: TeamRequest, draft: Draft) -> HttpResponse:
    if not request.membership.covers(Role.MEMBER):
        raise Http404
    form = request.POST.dict()
    text = form.get("text")
    try:
        document = plain(text) if text is not None else _document(request, form, draft)
        actions.save_draft(draft, document, request.membership)
    except PerennialError as error:
        context = {**_page(request, draft), "problems": _problems(error)}
        context |= {
            "text": text if text is not None else context["text"],
            "parts": editor.filled(context["parts"], form),
            "cuts": editor.typed(context["cuts"], form),
            "coverage": form.get("min_coverage", context["coverage"]),
        }
        return render(request, "health/draft.html", context, status=422)
    messages.success(request, _("The draft is saved."))
    return redirect("health:draft", draft.pk)


def _document(
    request: TeamRequest, form: Mapping[str, str], draft: Draft
) -> editor.Document:
    document = editor.changed(draft.document, form)
    if form.get("remove"):
        return editor.without_part(document, form["remove"])
    if form.get("do") == "add":
        offer, target = form.get("offer", ""), form.get("offer_target", "")
        catalog = lake_of(request.workspace).catalog
        return editor.with_part(document, offer, target, catalog)
    return document


def _page(request: TeamRequest, draft: Draft) -> dict[str, Any]:
    lake = lake_of(request.workspace)
    current, card = scorecards.active(lake), scorecards.stored(lake, draft.document)
    return {
        "nav": "health",
        "tabs": tabs("scorecards"),
        "draft": draft,
        "current": current,
        "card": card,
        "total": sum(c.weight for c in card.rules[-1].components),
        "parts": editor.parts(card, current.card, request.regional),
        "cuts": editor.cuts(card),
        "offers": editor.offers(card, lake.catalog),
        "missing": editor.MISSING,
        "onboarding": editor.ONBOARDING,
        "coverage": f"{card.min_coverage * 100:g}",
        "text": write(card),
        "may_edit": request.membership.covers(Role.MEMBER),
        "may_publish": request.membership.covers(Role.ADMIN),
        **_judged(request, draft, card, current),
    }


def _judged(
    request: TeamRequest, draft: Draft, card: Scorecard, current: Version
) -> dict[str, Any]:
    """The back-test, if it is of this very draft; the run, where one goes on."""
    run = latest(request.workspace, "backtest_scorecard")
    is_of = run is not None and run.arguments.get("draft") == draft.pk
    is_fresh = (
        draft.judged == backtest.digest_of(card)
        and draft.verdict is not None
        and draft.verdict.get("version") == current.number
    )
    verdict = draft.verdict if is_fresh else None
    return {
        "run": run if is_of else None,
        "is_running": is_of and run is not None and run.state in ("waiting", "running"),
        "verdict": verdicts.of(verdict, request.regional) if verdict else None,
        "modes": verdicts.modes(lake_of(request.workspace)) if verdict else [],
        "is_outdated": draft.verdict is not None and not is_fresh,
    }


@role_required(Role.VIEWER)
def shown(request: TeamRequest, pk: int) -> HttpResponse:
    """Who would change color: under the draft, or under what its form says now;
    `?format=csv` names everybody."""
    found = _draft(request, pk)
    book = customers.book(request.workspace)
    if book is None:
        raise Http404
    lake = lake_of(request.workspace)
    try:
        document = found.document
        if request.method == "POST":
            document = editor.changed(document, request.POST.dict())
        card = scorecards.written(lake, document)
        found_now = preview(lake, card, book.as_of)
    except PerennialError as error:
        return render(request, "health/preview.html", {"problems": _problems(error)})
    if request.GET.get("format") == "csv":
        return files.changed(found_now.accounts, book.as_of)
    context = {"preview": found_now, "shares": _shares(card)}
    return render(request, "health/preview.html", context)


@role_required(Role.VIEWER)
def one(request: TeamRequest, pk: int) -> HttpResponse:
    """One account under the draft: a part of the editor, and a page without it."""
    found = _draft(request, pk)
    book = customers.book(request.workspace)
    if book is None:
        raise Http404
    lake, wanted = lake_of(request.workspace), request.GET.get("account", "")
    context: dict[str, Any] = {"wanted": wanted}
    try:
        card = scorecards.written(lake, found.document)
        told = tried.of(lake, card, book.as_of, wanted, request.regional)
        context["tried"] = told
    except PerennialError as error:
        context["try_problems"] = _problems(error)
    if request.htmx:
        return render(request, "health/tried.html", context)
    return render(request, "health/draft.html", {**_page(request, found), **context})


def _problems(error: PerennialError) -> Sequence[Problem]:
    if isinstance(error, BadScorecard):
        return error.problems
    return [Problem("", str(error))]


def _shares(card: Scorecard) -> float:
    return sum(c.weight for c in card.rules[-1].components)


@require_POST
@role_required(Role.MEMBER)
def judge(request: TeamRequest, pk: int) -> HttpResponse:
    """Ask for the back-test of a draft."""
    found = _draft(request, pk)
    jobs.run_now(
        "backtest_scorecard", request.workspace, by=request.user, draft=found.pk
    )
    return redirect("health:draft", pk)


@role_required(Role.VIEWER)
def judged(request: TeamRequest, pk: int) -> HttpResponse:
    """The column of the back-test: progress, then the verdict."""
    found = _draft(request, pk)
    context = _page(request, found)
    return render(request, "health/backtest.html", context)


@role_required(Role.MEMBER)
def review(request: TeamRequest, pk: int) -> HttpResponse:
    """What is another than in the version in force; publishing it is for admins."""
    found = _draft(request, pk)
    note = request.POST.get("note", "")
    if request.method == "POST":
        try:
            version = actions.publish_draft(found, request.membership, note)
        except PerennialError as error:
            messages.error(request, str(error))
        else:
            said = _("Version %(n)s is published. Scores follow within minutes.")
            messages.success(request, said % {"n": version.number})
            return redirect("health:scorecards")
    lake = lake_of(request.workspace)
    current, card = scorecards.active(lake), scorecards.stored(lake, found.document)
    context = {
        "nav": "health",
        "tabs": tabs("scorecards"),
        "draft": found,
        "current": current,
        "differences": editor.differences(current.card, card, request.regional),
        "diff": "\n".join(_diff(current, card)),
        "note": note,
        "may_publish": request.membership.covers(Role.ADMIN),
        **_judged(request, found, card, current),
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "health/review.html", context, status=status)


def _diff(current: Version, card: Scorecard) -> list[str]:
    """The two documents line by line, as a pull request shows them."""
    old, new = write(current.card).splitlines(), write(card).splitlines()
    return list(unified_diff(old, new, lineterm="", n=2))[2:]


@require_POST
@role_required(Role.MEMBER)
def discard(request: TeamRequest, pk: int) -> HttpResponse:
    found = _draft(request, pk)
    actions.discard_draft(found, request.membership)
    messages.success(request, _("The draft is discarded."))
    return redirect("health:scorecards")


def _draft(request: TeamRequest, pk: int) -> Draft:
    return get_object_or_404(request.workspace.scorecard_drafts, pk=pk)


def _version(request: TeamRequest, number: int) -> Version:
    try:
        return scorecards.version(lake_of(request.workspace), number)
    except BadValue:
        raise Http404 from None


def _file(text: str, name: str) -> HttpResponse:
    kind = "application/json" if name.endswith(".json") else "application/yaml"
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
