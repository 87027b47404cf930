"""The form of a flow: what it sends as a document, and what it shows of one."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import QueryDict

from perennial.apps.customers import condition_form
from perennial.core.numbers import whole
from perennial.core.onboarding import BYS, MOST_STEPS

Document = Mapping[str, Any]
#: A condition that the form cannot show, and keeps.
KEPT = "kept"


def document_of(sent: QueryDict, stored: Document) -> dict[str, Any]:
    """The stored document as the form changes it; whether it is right, `read` says."""
    made = copy.deepcopy(dict(stored))
    made["per"] = sent.get("per") or made.get("per")
    made["since"] = sent.get("since", "")
    made["value"] = sent.get("value", "")
    if "join" in sent:
        made["who"] = condition_form.document_of(sent)
    old = [*(stored.get("steps") or []), *({} for _ in range(MOST_STEPS))]
    steps = [_step(sent, n, old[n]) for n in range(MOST_STEPS) if f"name-{n}" in sent]
    made["steps"] = _arranged(steps, sent.get("do", ""))
    if made["value"] not in {step["name"] for step in made["steps"]}:
        made["value"] = ""
    return made


def _step(sent: QueryDict, n: int, old: Document) -> dict[str, Any]:
    by = sent.get(f"by-{n}", "")
    made: dict[str, Any] = {"name": " ".join(sent.get(f"name-{n}", "").split())}
    if by == "event":
        made["event"] = sent.get(f"event-{n}", "").strip()
        where, times = sent.get(f"where-{n}", "").strip(), sent.get(f"times-{n}", "")
        made |= {"where": where} if where else {}
        # What is no number stays as it is written, and is refused by its name.
        number = whole(times.strip())
        if times.strip() and number != 1:
            made["times"] = times.strip() if number is None else number
    elif by == "condition":
        segment = sent.get(f"segment-{n}", "")
        made |= {"by": by, "condition": old.get("condition")}
        if segment != KEPT:
            made["condition"] = _member_of(segment) if segment else None
    else:
        made["by"] = by
    return made | ({"optional": True} if f"optional-{n}" in sent else {})


def _member_of(segment: str) -> dict[str, Any]:
    return {"all": [{"field": "member_of", "op": "is", "value": [segment]}]}


def _arranged(steps: list[dict[str, Any]], do: str) -> list[dict[str, Any]]:
    """Steps after a button: one more, one less, one further up or down."""
    verb, _, place = do.partition(":")
    at = whole(place)
    if verb == "add" and len(steps) < MOST_STEPS:
        return [*steps, {"name": "", "event": ""}]
    if at is None or at >= len(steps):
        return steps
    if verb == "remove":
        return [*steps[:at], *steps[at + 1 :]]
    to = {"up": at - 1, "down": at + 1}.get(verb, at)
    if 0 <= to < len(steps):
        steps[at], steps[to] = steps[to], steps[at]
    return steps


def shown(document: Document) -> list[dict[str, Any]]:
    """The steps as the form holds them."""
    return [_shown(step) for step in document.get("steps") or []]


def _shown(step: Document) -> dict[str, Any]:
    condition = step.get("condition")
    segment = _segment(condition)
    by = step.get("by") or ("condition" if condition else "event")
    return {
        "name": step.get("name", ""),
        "by": by if by in BYS else "event",
        "event": step.get("event", ""),
        "where": step.get("where", ""),
        "times": step.get("times", 1),
        "segment": KEPT if condition and segment is None else segment or "",
        "optional": bool(step.get("optional")),
    }


def _segment(condition: Any) -> str | None:
    """The segment a condition is the membership of; None: it is another condition."""
    rows: Sequence[Any] = (
        condition.get("all", ()) if isinstance(condition, dict) else ()
    )
    if len(rows) != 1 or not isinstance(rows[0], dict):
        return None
    value = rows[0].get("value")
    is_plain = rows[0].get("field") == "member_of" and rows[0].get("op") == "is"
    return str(value[0]) if is_plain and value and len(value) == 1 else None
