"""What the pages of Insights show as files: some tables a page, each by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from perennial.apps.insights.queries import Chance
from perennial.apps.team.access import TeamRequest
from perennial.scoring.trials import Comparison
from perennial.ui.files import FORMATS, Cell, download

Rows = Sequence[Mapping[str, Any]]

#: Tables as people read their names.
TABLES: Mapping[str, str | Promise] = {
    "features": _("Features"),
    "bands": _("Bands"),
    "gap": _("Gap before the decision"),
    "below": _("Below green"),
    "moves": _("What moves the chances"),
    "due_segments": _("Renewals by segment"),
    "due_owners": _("Renewals by owner"),
    "models": _("Models"),
    "calibration": _("Calibration"),
    "ways": _("Ways to tell"),
    "early": _("By days before"),
    "survival": _("Survival"),
    "chances": _("Chances of renewal"),
    "months": _("Renewals by month"),
    "forecast": _("Forecast"),
    "hindsight": _("Past forecasts"),
    "patterns": _("Usage patterns"),
    "product": _("Product health"),
    "forms": _("Lifetime value"),
    "segments": _("Lifetime value by segment"),
    "parameters": _("Who buys freely"),
}


def page(
    request: TeamRequest,
    template: str,
    context: Mapping[str, Any],
    tables: Mapping[str, Callable[[], Rows]],
) -> HttpResponse:
    """The page, or the table of it that the address asks for as a file.

    Tables are made only when asked for: they can be longer than the page.
    """
    wanted = tables.get(request.GET.get("of", ""))
    if request.GET.get("format") in FORMATS and wanted is not None:
        rows = wanted()
        head = list(dict.fromkeys(name for row in rows for name in row))
        lines = [[_cell(row.get(name)) for name in head] for row in rows]
        return download(request.GET, request.GET["of"], head, lines)
    return render(
        request,
        template,
        {**context, "tables": [(name, TABLES[name]) for name in tables]},
    )


def _cell(value: Any) -> Cell:
    """Lists as one text; true and false as words."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "; ".join(str(_cell(part)) for part in value)
    if value is None or isinstance(value, str | int | float | date):
        return value
    return str(value)


def plain(found: Sequence[Any]) -> Rows:
    """Dataclasses as rows."""
    return [asdict(row) for row in found]


def models(compared: Comparison) -> Rows:
    """Models by how well they told decisions they had not seen."""
    return [
        {
            "model": t.model,
            "adopted": t.adopted,
            "failed": t.failed,
            **{k: v for k, v in asdict(t.quality).items() if k != "groups"},
        }
        for t in compared.trials
    ]


def chances(customers: Sequence[Chance]) -> Rows:
    """Customers with their chances and, a column each, what moves them by how much."""
    return [
        {
            **{k: v for k, v in asdict(c).items() if k != "reasons"},
            **{f"because_of_{name}": move for name, move in c.reasons},
        }
        for c in customers
    ]
