"""A number explained: in words, with its numbers, inputs, caveats, and elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from perennial.apps.reports import detail
from perennial.apps.reports.asked import Asked
from perennial.apps.reports.board import ask
from perennial.apps.reports.results import Answers, Question
from perennial.apps.team.access import TeamRequest
from perennial.lake.tables import TABLES
from perennial.metrics.registry import Metric


@dataclass(frozen=True)
class Input:
    """A table the number is made from."""

    name: str
    about: str
    rows: int


@dataclass(frozen=True)
class Elsewhere:
    """The same number in another tool, to copy."""

    key: str
    title: str
    text: str


def page(request: TeamRequest, metric: Metric, asked: Asked) -> dict[str, Any]:
    answers = Answers(request.workspace)
    context = detail.page(request, metric, asked, parts=(), wait=True)
    question = ask(metric, asked, context["period"])
    url = reverse("reports:metric", args=[metric.key]) + asked.url()
    return context | {
        "inputs": inputs(answers, metric),
        "elsewhere": [*elsewhere(question, request.workspace.key)],
        "sql": answers.sql(question),
        "computed_at": answers.keep(f"at {question!r}", metric.reads, _now(answers)),
        "metric_url": url,
        "explain_url": reverse("reports:explain", args=[metric.key]) + asked.url(),
    }


def _now(answers: Answers) -> Any:
    def now() -> datetime:
        return answers.lake.now

    return now


def inputs(answers: Answers, metric: Metric) -> list[Input]:
    store = answers.lake.lake
    names = dict.fromkeys((*metric.reads, "accounts"))
    return [
        Input(name, TABLES[name].about if name in TABLES else "", store.count(name))
        for name in names
    ]


def elsewhere(question: Question, workspace: str) -> list[Elsewhere]:
    """Command line and Python; both name dates, so that they stay true."""
    return [
        Elsewhere("cli", _("Command line"), _cli(question, workspace)),
        Elsewhere("python", "Python", _python(question, workspace)),
    ]


def _cli(question: Question, workspace: str) -> str:
    words = ["perennial"]
    if workspace != "default":
        words.append(f"--workspace {workspace}")
    words.append(f"metric {question.key}")
    words.append(f"--start {question.start} --end {question.end}")
    if question.where:
        where = question.where.replace("\\", "\\\\").replace('"', '\\"')
        where = where.replace("$", "\\$").replace("`", "\\`")
        words.append(f'--where "{where}"')
    if question.variant:
        words.append(f"--variant {question.variant}")
    return " ".join(words)


def _python(question: Question, workspace: str) -> str:
    named = f', "{workspace}"' if workspace != "default" else ""
    parts = [f'"{question.key}"', f'start="{question.start}"', f'end="{question.end}"']
    if question.where:
        parts.append(f"where={question.where!r}")
    if question.variant:
        parts.append(f'variant="{question.variant}"')
    return f'perennial.open("perennial-data"{named}).metric({", ".join(parts)}).value'
