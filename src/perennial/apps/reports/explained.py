"""A number explained: in words, with its numbers, inputs, caveats, and elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from perennial.apps.reports import detail
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.board import ask, asked_spans
from perennial.apps.reports.results import Answers
from perennial.apps.team.access import TeamRequest
from perennial.core.windows import Period, local_date
from perennial.lake.tables import TABLES
from perennial.metrics.registry import Metric


@dataclass(frozen=True)
class Input:
    """A table the number is made from."""

    name: str
    about: str
    rows: int


def page(request: TeamRequest, metric: Metric, asked: Asked) -> dict[str, Any]:
    answers = Answers(request.workspace)
    context = detail.page(request, metric, asked, parts=(), wait=True)
    question = ask(metric, asked, context["period"])
    url = reverse("reports:metric", args=[metric.key]) + asked.url()
    return context | {
        "inputs": inputs(answers, metric),
        "sql": answers.sql(question),
        "computed_at": answers.computed_at(question, asked_spans(asked, answers.today)),
        "released": released(answers, metric, context["period"]),
        "provisional_hours": answers.lake.settings.provisional_hours,
        "metric_url": url,
        "explain_url": reverse("reports:explain", args=[metric.key]) + asked.url(),
    }


def inputs(answers: Answers, metric: Metric) -> list[Input]:
    store = answers.lake.lake
    names = dict.fromkeys((*metric.reads, "accounts"))
    return [
        Input(name, TABLES[name].about if name in TABLES else "", store.count(name))
        for name in names
    ]


def released(answers: Answers, metric: Metric, period: Period) -> list[str]:
    """Features that were open for a part of the period only, where it counts (U05)."""
    if metric.key != "feature_adoption":
        return []
    lake = answers.lake
    features = lake.table("features")
    rows = lake.engine.run(features.filter(features.released_at.notnull()))
    return sorted(
        row["name"] or row["feature_id"]
        for row in rows.iter_rows(named=True)
        if period.start < local_date(row["released_at"], lake.settings.tz) < period.end
    )
