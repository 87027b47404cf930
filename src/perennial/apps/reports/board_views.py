"""Screens where boards are made and arranged."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.reports import boards, values
from perennial.apps.reports.board import THEMES
from perennial.apps.reports.forms import BoardForm
from perennial.apps.reports.models import Board
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.core.errors import PerennialError
from perennial.metrics.registry import Metric


@role_required(Role.MEMBER)
def create(request: TeamRequest) -> HttpResponse:
    """A name; then the page where it is arranged."""
    form = BoardForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        board = boards.create(request.membership, form.cleaned_data["name"])
        return redirect("reports:board_edit", board.pk)
    status = 422 if form.errors else 200
    return render(request, "reports/board_new.html", {"form": form}, status=status)


@role_required(Role.MEMBER)
def edit(request: TeamRequest, pk: int) -> HttpResponse:
    """Its name, who sees it, and its tiles in their order."""
    board = _own(request, pk)
    given = {"name": board.name, "is_shared": board.is_shared}
    form = BoardForm(request.POST or None, initial=given)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        boards.change(
            board, data["name"], is_shared=data["is_shared"], by=request.membership
        )
        messages.success(request, _("The board is saved."))
        return redirect("reports:board_edit", pk)
    context = {
        "board": board,
        "form": form,
        "tiles": [_named(choice) for choice in boards.choices(board)],
        "offers": _offers(board),
    }
    status = 422 if form.errors else 200
    return render(request, "reports/board_edit.html", context, status=status)


@require_POST
@role_required(Role.MEMBER)
def tiles(request: TeamRequest, pk: int) -> HttpResponse:
    """One change of its tiles: add, remove, earlier, later."""
    board = _own(request, pk)
    verb, text = request.POST.get("do", ""), request.POST.get("tile", "")
    try:
        if verb == "add":
            boards.add(board, text)
        elif verb == "remove":
            boards.remove(board, text)
        elif verb in {"earlier", "later"}:
            boards.move(board, text, 1 if verb == "later" else -1)
    except PerennialError as error:
        messages.error(request, str(error))
    if request.POST.get("from") == "metric":
        messages.success(request, _("It is on the board %(name)s.") % {"name": board})
        return redirect("reports:metric", text.partition(":")[0])
    return redirect(f"{reverse('reports:board_edit', args=[pk])}#tiles")


@require_POST
@role_required(Role.MEMBER)
def delete(request: TeamRequest, pk: int) -> HttpResponse:
    board = _own(request, pk)
    boards.delete(board, by=request.membership)
    messages.success(request, _("The board %(name)s is deleted.") % {"name": board})
    return redirect("reports:metrics")


def _own(request: TeamRequest, pk: int) -> Board:
    """A board this person may change; others do not learn that it is there."""
    board = get_object_or_404(boards.visible(request.membership), pk=pk)
    if not boards.may_change(board, request.membership):
        raise Http404
    return board


def _named(choice: boards.Choice) -> tuple[str, str, str]:
    """Text, title and way of counting of a tile."""
    way = values.variant_name(choice.variant) if choice.variant else ""
    return choice.text, _(choice.metric.title), way


def _offers(board: Board) -> list[tuple[str, list[tuple[str, str]]]]:
    """What is not on the board yet: (text, label) by theme."""
    found: dict[str, list[tuple[str, str]]] = {}
    for metric in lake_of(board.workspace).catalog.values():
        if boards.is_a_number(metric):
            left = [c for c in _ways(metric) if c[0] not in board.tiles]
            theme = str(THEMES.get(metric.theme, metric.theme))
            found.setdefault(theme, []).extend(left)
    return [(theme, offers) for theme, offers in found.items() if offers]


def _ways(metric: Metric) -> list[tuple[str, str]]:
    title = _(metric.title)
    others = [
        (f"{metric.key}:{name}", f"{title}: {values.variant_name(name)}")
        for name in list(metric.variants)[1:]
    ]
    return [(metric.key, title), *others]
