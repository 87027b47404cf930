"""The pages of playbooks: list, editor, runs, results, and one run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import yaml
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.customers import condition_form
from perennial.apps.customers import queries as customers
from perennial.apps.customers.condition_words import Choices
from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs import queries as job_queries
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.apps.work.models import Playbook, Run
from perennial.apps.work.playbooks import (
    actions,
    editor,
    library,
    many,
    queries,
    results,
    trying,
    words,
)
from perennial.apps.work.playbooks.document import Book
from perennial.apps.work.playbooks.reading import parse, read
from perennial.core.errors import BadValue, PerennialError
from perennial.ui import charts
from perennial.ui.charts import Point
from perennial.ui.redirects import back

PAGE = 50


@role_required(Role.VIEWER)
def playbooks(request: TeamRequest) -> HttpResponse:
    lines = queries.lines(request.workspace)
    context = {
        "nav": "playbooks",
        "lines": lines,
        "headline": queries.headline(lines),
        "ready": [
            (
                key,
                words.SITUATIONS[book["situation"]],
                book["name"],
                book["description"],
            )
            for key, book in library.READY.items()
        ],
        "may_edit": request.membership.covers(Role.MEMBER),
    }
    return render(request, "work/playbooks.html", context)


@require_POST
@role_required(Role.MEMBER)
def new(request: TeamRequest) -> HttpResponse:
    """A draft: ready-made, from a YAML file, or blank."""
    try:
        playbook = actions.add(request.membership, _begun(request))
    except PerennialError as error:
        messages.error(request, str(error))
        return redirect("work:playbooks")
    return redirect("work:playbook", playbook.pk)


def _begun(request: TeamRequest) -> Mapping[str, Any]:
    sent = request.FILES.get("file")
    if sent is not None:
        text = sent.read(200_000).decode("utf-8", "replace")
        parse(text)
        return dict(yaml.safe_load(text))
    key = request.POST.get("ready", "")
    begun = library.document(key) if key in library.READY else editor.blank()
    taken = set(request.workspace.playbooks.values_list("name", flat=True))
    name, n = begun["name"], 2
    while begun["name"] in taken:
        begun["name"], n = f"{name} {n}", n + 1
    return begun


@role_required(Role.VIEWER)
def playbook(request: TeamRequest, pk: int) -> HttpResponse:
    """The editor; every button keeps what the form says."""
    found = or_404(request, pk)
    if request.GET.get("format") == "yaml":
        return _file(found)
    if request.method != "POST":
        return _editor(request, found, found.document)
    if not request.membership.covers(Role.MEMBER):
        return HttpResponse(status=403)
    document: Mapping[str, Any] = found.document
    try:
        document = _sent(request, found)
        actions.save(found, request.membership, document)
    except PerennialError as error:
        return _editor(request, found, document, problem=str(error))
    asked = editor.asked_at(request.POST, document)
    if asked:
        return redirect("work:playbook_condition", pk, asked)
    if request.POST.get("do") == "save":
        messages.success(request, _("Saved."))
    return redirect(f"{reverse('work:playbook', args=[pk])}{_anchor(request)}")


def _sent(request: TeamRequest, found: Playbook) -> Mapping[str, Any]:
    if request.POST.get("do") == "yaml":
        text = request.POST.get("yaml", "")
        parse(text)
        return dict(yaml.safe_load(text))
    return editor.document_of(request.POST, found.document)


def _anchor(request: TeamRequest) -> str:
    return "" if request.POST.get("do", "save") in {"save", "yaml"} else "#then"


def _editor(
    request: TeamRequest,
    found: Playbook,
    document: Mapping[str, Any],
    *,
    problem: str = "",
) -> HttpResponse:
    workspace = request.workspace
    may_edit = request.membership.covers(Role.MEMBER)
    book = _book(document) or _book(found.document)
    say = words.saying(Choices(workspace))
    when = request.POST if problem else document.get("when", {}).get("condition", {})
    tried = found.tried if trying.is_of(found) else None
    context = {
        **_shared(found, "playbook"),
        "document": document,
        "limits": document.get("limits", {}),
        "trigger": document.get("when", {}).get("trigger", "matches"),
        "editor": condition_form.editor(workspace, when, may_edit=may_edit),
        "steps": words.step_lines(book, say) if book else [],
        "places": editor.places(document),
        "letters": editor.emails(book) if book else [],
        "languages": words.languages(),
        "ends_said": say(book.end.condition) if book and book.end.condition else "",
        "ends_days": document.get("ends", {}).get("after_days", 60),
        "words": words,
        "yaml": yaml.safe_dump(dict(document), allow_unicode=True, sort_keys=False),
        "matches": queries.matches(workspace, book) if book else None,
        "load": queries.load(workspace, book) if book else [],
        "tried": tried,
        "tried_chart": _tried_chart(request, tried),
        "trying": job_queries.latest(workspace, "try_playbook"),
        "problem": problem,
        "may_edit": may_edit,
        "may_turn": request.membership.covers(Role.ADMIN),
        "is_changed": found.number
        and found.version_in_force.document != found.document,
    }
    status = 422 if problem else 200
    return render(request, "work/playbook.html", context, status=status)


def _book(document: Mapping[str, Any]) -> Book | None:
    try:
        return read(document)
    except BadValue:
        return None


def _tried_chart(request: TeamRequest, tried: Mapping[str, Any] | None) -> Any:
    if not tried:
        return None
    points = [Point(date.fromisoformat(day), n) for day, n in tried["weeks"]]
    return charts.bar_chart(
        points,
        request.regional,
        name=_("Starts"),
        grain="week",
        period=_("Week"),
        height=140,
    )


def _file(found: Playbook) -> HttpResponse:
    text = yaml.safe_dump(found.document, allow_unicode=True, sort_keys=False)
    response = HttpResponse(text, content_type="application/yaml")
    name = f"playbook-{found.pk}.yaml"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _shared(found: Playbook, on: str) -> dict[str, Any]:
    pages = {
        "playbook": _("Build"),
        "runs": _("Runs"),
        "results": _("Results"),
        "why": _("Why, why not"),
    }
    return {
        "nav": "playbooks",
        "playbook": found,
        "situation": words.SITUATIONS.get(found.document.get("situation", ""), ""),
        "tabs": [
            {
                "label": label,
                "url": reverse(f"work:{name}", args=[found.pk]),
                "on": name == on,
            }
            for name, label in pages.items()
        ],
    }


# --- on, off, try ------------------------------------------------------------


@require_POST
@role_required(Role.ADMIN)
def turn(request: TeamRequest, pk: int) -> HttpResponse:
    found = or_404(request, pk)
    try:
        if request.POST.get("to") == "off":
            actions.turn_off(found, request.membership)
            messages.success(request, _("Off. What is on its way goes on to its end."))
        else:
            actions.turn_on(found, request.membership)
            messages.success(request, _("On. It starts within minutes."))
    except PerennialError as error:
        messages.error(request, str(error))
    return redirect("work:playbook", pk)


@require_POST
@role_required(Role.MEMBER)
def dry_run(request: TeamRequest, pk: int) -> HttpResponse:
    """Ask for the past 90 days, in the background."""
    found = or_404(request, pk)
    jobs.run_now("try_playbook", request.workspace, by=request.user, playbook=found.pk)
    return redirect(f"{reverse('work:playbook', args=[pk])}#dry-run")


@role_required(Role.VIEWER)
def dry_run_state(request: TeamRequest, pk: int) -> HttpResponse:
    """The moving part of the page while a dry run goes on."""
    found = or_404(request, pk)
    tried = found.tried if trying.is_of(found) else None
    context = {
        "playbook": found,
        "tried": tried,
        "tried_chart": _tried_chart(request, tried),
        "trying": job_queries.latest(request.workspace, "try_playbook"),
        "may_edit": request.membership.covers(Role.MEMBER),
    }
    return render(request, "work/dry_run.html", context)


# --- runs --------------------------------------------------------------------


@role_required(Role.VIEWER)
def runs(request: TeamRequest, pk: int) -> HttpResponse:
    found = or_404(request, pk)
    state = request.GET.get("state", "")
    page = Paginator(queries.runs(found, state), PAGE).get_page(request.GET.get("page"))
    context = {
        **_shared(found, "runs"),
        "state": state,
        "states": Run.State.choices,
        "page": page,
        "lines": queries.with_accounts(request.workspace, list(page)),
        "many": many.newest(found),
    }
    return render(request, "work/runs.html", context)


@role_required(Role.VIEWER)
def run(request: TeamRequest, pk: int) -> HttpResponse:
    """One run: what each step did."""
    found = _run_or_404(request, pk)
    [line] = queries.with_accounts(request.workspace, [found])
    entries = queries.entries(found, request.membership)
    context = {
        **_shared(found.playbook, "runs"),
        "run": found,
        "account": line.account,
        "entries": words.entries(
            found, entries, words.saying(Choices(request.workspace))
        ),
        "may_edit": request.membership.covers(Role.MEMBER),
    }
    return render(request, "work/run.html", context)


@require_POST
@role_required(Role.MEMBER)
def stop(request: TeamRequest, pk: int) -> HttpResponse:
    found = _run_or_404(request, pk)
    try:
        actions.stop(found, request.membership)
    except PerennialError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Stopped. What it did stays."))
    return redirect("work:run", pk)


@require_POST
@role_required(Role.MEMBER)
def start(request: TeamRequest, pk: int) -> HttpResponse:
    """Start it for one account, because a person says so."""
    found = or_404(request, pk)
    account_id = request.POST.get("account", "")
    account = customers.get_account_or_404(request.workspace, account_id)
    try:
        started = actions.start_for(found, request.membership, [account_id])
    except PerennialError as error:
        messages.error(request, str(error))
    else:
        said = (
            _started(found, account_id) if started else _("It did not start: see why.")
        )
        messages.success(request, said % {"name": account.name})
    return redirect(back(request, reverse("work:runs", args=[pk])))


def _started(playbook: Playbook, account_id: str) -> str:
    run = playbook.runs.filter(account_id=account_id).latest("started_at")
    if run.ending == "condition":
        return _("Nothing to do for %(name)s: the ending condition holds already.")
    return _("Started for %(name)s.")


@role_required(Role.VIEWER)
def result(request: TeamRequest, pk: int) -> HttpResponse:
    found = or_404(request, pk)
    context = {
        **_shared(found, "results"),
        "results": results.results(found, lake_of(request.workspace)),
        "fewest": results.FEWEST,
        "after": results.AFTER_DAYS,
        "hold_out": found.document.get("limits", {}).get("hold_out", 0),
    }
    return render(request, "work/results.html", context)


@role_required(Role.VIEWER)
def why(request: TeamRequest, pk: int) -> HttpResponse:
    """Why it did not start; and the test on one account."""
    found = or_404(request, pk)
    asked = request.GET.get("account", "").strip()
    say = words.saying(Choices(request.workspace))
    verdict, problem = None, ""
    if asked:
        try:
            account = customers.meant(request.workspace, asked)
            verdict = queries.verdict(found, account, say)
        except PerennialError as error:
            problem = str(error)
    context = {
        **_shared(found, "why"),
        "asked": asked,
        "verdict": verdict,
        "problem": problem,
        "skips": queries.skips(found),
    }
    return render(request, "work/why.html", context)


def or_404(request: TeamRequest, pk: int) -> Playbook:
    return get_object_or_404(request.workspace.playbooks, pk=pk)


def _run_or_404(request: TeamRequest, pk: int) -> Run:
    every = Run.objects.filter(playbook__workspace=request.workspace)
    return get_object_or_404(every.select_related("playbook", "version"), pk=pk)
