"""The same number in other tools, to copy."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from perennial.apps.reports.results import Question


@dataclass(frozen=True)
class Elsewhere:
    key: str
    title: str
    text: str


def elsewhere(question: Question, workspace: str, address: str) -> list[Elsewhere]:
    """Command line, Python and HTTP; all name dates, so that they stay true."""
    return [
        Elsewhere("cli", _("Command line"), _cli(question, workspace)),
        Elsewhere("python", "Python", _python(question, workspace)),
        Elsewhere("http", "HTTP", _http(question, address)),
    ]


def _cli(question: Question, workspace: str) -> str:
    words = ["perennial"]
    if workspace != "default":
        words.append(f"--workspace {workspace}")
    words.append(f"metric {question.key}")
    words.append(f"--start {question.start} --end {question.end}")
    if question.grain != "total":
        words.append(f"--grain {question.grain}")
    if question.where:
        where = question.where.replace("\\", "\\\\").replace('"', '\\"')
        where = where.replace("$", "\\$").replace("`", "\\`")
        words.append(f'--where "{where}"')
    if question.variant:
        words.append(f"--variant {question.variant}")
    words += [f"--set {shlex.quote(f'{name}={v}')}" for name, v in question.params]
    return " ".join(words)


def _http(question: Question, address: str) -> str:
    asked = {
        "start": question.start,
        "end": question.end,
        "grain": "" if question.grain == "total" else question.grain,
        "where": question.where,
        "variant": question.variant,
    }
    pairs = [(name, value) for name, value in asked.items() if value]
    pairs += [("set", f"{name}={value}") for name, value in question.params]
    query = urlencode(pairs)
    path = f"{address}/api/v1/metrics/{question.key}?{query}"
    return f'curl -H "Authorization: Bearer $TOKEN" "{path}"'


def _python(question: Question, workspace: str) -> str:
    named = f', "{workspace}"' if workspace != "default" else ""
    parts = [f'"{question.key}"', f'start="{question.start}"', f'end="{question.end}"']
    if question.grain != "total":
        parts.append(f'grain="{question.grain}"')
    if question.where:
        parts.append(f"where={question.where!r}")
    if question.variant:
        parts.append(f'variant="{question.variant}"')
    if question.params:
        parts.append(f"params={dict(question.params)!r}")
    return f'perennial.open("perennial-data"{named}).metric({", ".join(parts)}).value'
