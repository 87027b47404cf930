"""Lists of health as files that spreadsheets open."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date

from django.http import HttpResponse

from perennial.apps.health.outreach import Row
from perennial.apps.health.queries import Mover
from perennial.apps.intake.csvs import safe


def movers(rows: Iterable[Mover], as_of: date) -> HttpResponse:
    """Customers whose color changed in 28 days."""
    head = ("account_id", "name", "color_before", "score_before", "color", "score",
            "part", "points", "scorecard_changed", "mrr")  # fmt: skip
    lines = (
        [
            safe(row.account.account_id),
            safe(row.account.name),
            row.before,
            row.score_before,
            row.account.color,
            row.account.score,
            *(row.moved or ("", None)),
            row.version_changed,
            row.account.mrr,
        ]
        for row in rows
    )
    return _file("health-movers", as_of, head, lines)


def outreach(rows: Iterable[Row], as_of: date) -> HttpResponse:
    """Customers in the order to call them."""
    head = ("account_id", "name", "color", "score", "mrr", "renewal_on", "p_renew",
            "value_at_risk", "points_to_green")  # fmt: skip
    lines = (
        [
            safe(row.account.account_id),
            safe(row.account.name),
            row.account.color,
            row.account.score,
            row.account.mrr,
            row.account.renewal_on,
            row.p_renew,
            row.at_risk,
            row.missing,
        ]
        for row in rows
    )
    return _file("whom-to-call", as_of, head, lines)


def _file(
    name: str, as_of: date, head: Sequence[str], lines: Iterable[Sequence[object]]
) -> HttpResponse:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(lines)
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{as_of}.csv"'
    return response
