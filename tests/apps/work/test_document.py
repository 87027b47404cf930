"""Playbooks as documents: what is read, what is refused, where steps lead."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import override

from perennial.apps.work.playbooks import library
from perennial.apps.work.playbooks.document import BranchStep
from perennial.apps.work.playbooks.reading import parse, read
from perennial.core.errors import BadValue

RED = {"field": "health_color", "op": "is", "value": "red"}


def book(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "Risk", "when": {"condition": RED}, "steps": list(steps), **more}


TASK = {"do": "task", "title": "Call"}


def test_steps_lead_on_in_order_and_out_of_branches() -> None:
    inner = {"do": "branch", "if": RED, "then": [TASK], "else": [TASK]}
    outer = {"do": "branch", "if": RED, "then": [TASK, inner], "else": []}
    found = read(book(TASK, outer, TASK))
    assert [s.id for s in found.every_step()] == [
        "1", "2", "2.then.1", "2.then.2", "2.then.2.then.1", "2.then.2.else.1", "3",
    ]  # fmt: skip
    following = {s.id: found.after(s.id) for s in found.every_step()}
    assert following == {
        "1": "2",
        "2": "3",
        "2.then.1": "2.then.2",
        "2.then.2": "3",
        "2.then.2.then.1": "3",
        "2.then.2.else.1": "3",
        "3": "",
    }


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "playbook: must be a mapping"),
        (book(name=""), "name: is missing"),
        (book(when={"trigger": "often"}), "when.trigger: must be one of matches"),
        (book(when={"condition": {"field": "x"}}), "when.condition: field: 'x'"),
        (book(limits={"hold_out": 91}), "limits.hold_out: must be from 0 to 90"),
        (book(limits={"after_days": 1.5}), "must be a whole number, not 1.5"),
        (book(limits={"after_day": 1}), "'after_day' is not known"),
        (book({"do": "dance"}), r"steps\[1\].do: must be one of task"),
        (book({"do": "task"}), r"steps\[1\].title: is missing"),
        (book({**TASK, "who": "me"}), r"steps\[1\].who: must be one of owner"),
        (book({"do": "assign", "by": "luck"}), "by: must be one of fewest_accounts"),
        (book({"do": "assign", "among": "Bob"}), "list of at most 50 addresses"),
        (book({"do": "wait"}), r"steps\[1\].days: is missing"),
        (book({"do": "webhook", "url": "http://x.example"}), "begins with https"),
        (book({"do": "email", "to": "Bob", "subject": "a", "text": "b"}), "not 'Bob'"),
        (book({"do": "branch", "if": RED}), r"steps\[1\].then: is missing"),
        (book({"do": "branch", "if": RED, "then": ["x"]}), r"steps\[1.then.1\]: must"),
        (book(*[TASK] * 41), "steps: at most 40"),
        (book(ends={"after_days": 0}), "ends.after_days: must be from 1"),
    ],
)
def test_refused_with_place_and_reason(document: object, reason: str) -> None:
    with pytest.raises(BadValue, match=reason):
        read(document)


def test_branches_end_somewhere() -> None:
    deep: dict[str, Any] = TASK
    for _ in range(6):
        deep = {"do": "branch", "if": RED, "then": [deep]}
    with pytest.raises(BadValue, match="deeper than 4"):
        read(book(deep))


def test_yaml_says_where_it_is_none() -> None:
    with pytest.raises(BadValue, match="not YAML in line 2"):
        parse("name: a\nsteps: [")


@pytest.mark.parametrize("language", ["en", "de", "sv"])
@pytest.mark.parametrize("key", list(library.READY))
def test_ready_made_ones_are_whole(key: str, language: str) -> None:
    with override(language):
        found = read(library.document(key))
    assert found.steps
    assert found.start.condition
    for step in found.every_step():
        if isinstance(step, BranchStep):
            assert step.then
