"""The form of a playbook: what was sent, as a document, and back.

Steps travel as the document has them; a button adds one, takes one away, or moves
it. Whatever the form cannot say (branches in branches) is kept
as it is and edited as YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from django.http import QueryDict
from django.utils.translation import gettext as _

from perennial.apps.customers import condition_form
from perennial.apps.work.playbooks.document import Book, EmailStep
from perennial.core.errors import BadValue

Document = dict[str, Any]
_NUMBERS: Final = ("after_days", "again_after_days", "most", "owner_week", "hold_out")


#: What a new branch asks, before it is said on its own page.
_FIRST: Final = {"field": "health_color", "op": "is", "value": ["red", "orange"]}
#: The place of the condition that ends a playbook; others are ids of steps.
ENDS: Final = "ends"
#: What the condition of a step is called in the document.
_ASKS: Final = {"branch": "if", "wait": "until"}


def blank() -> Document:
    """A playbook to begin with: it matches red accounts and does nothing yet."""
    return {
        "name": _("New playbook"),
        "situation": "risk",
        "when": {
            "trigger": "matches",
            "condition": {
                "all": [
                    {"field": "state", "op": "is", "value": ["paying"]},
                    _FIRST,
                ]
            },
        },
        "limits": {"after_days": 2, "again_after_days": 60},
        "steps": [],
        "ends": {"after_days": 60},
    }


def document_of(sent: QueryDict, kept: Mapping[str, Any]) -> Document:
    """What the form says, with the steps as a button left them."""
    made: Document = {
        "name": sent.get("name", "").strip(),
        "situation": sent.get("situation", "other"),
        "description": sent.get("description", "").strip(),
        "when": {
            "trigger": sent.get("trigger", "matches"),
            "condition": condition_form.document_of(sent),
        },
        "limits": _limits(sent),
        "steps": deepcopy(list(kept.get("steps", []))),
        "ends": _ends(sent, kept.get("ends", {})),
    }
    _press(sent, made["steps"])
    return made


def _limits(sent: QueryDict) -> Document:
    found: Document = {}
    for name in _NUMBERS:
        text = sent.get(name, "").strip()
        if text:
            found[name] = int(text) if text.isdecimal() else text
    return found


def _ends(sent: QueryDict, kept: Mapping[str, Any]) -> Document:
    """The condition has a page of its own."""
    found = {name: kept[name] for name in ("condition",) if name in kept}
    days = sent.get("ends_days", "").strip()
    return found | (
        {"after_days": int(days) if days.isdecimal() else days} if days else {}
    )


# --- steps -------------------------------------------------------------------


def _press(sent: QueryDict, steps: list[Any]) -> None:
    do, _dot, step_id = sent.get("do", "").partition(":")
    if do == "add_step":
        place = sent.get("place", "")
        _list_at(steps, place).append(step_of(sent))
    elif do == "add_letter":
        inside, index = _found(steps, sent.get("letter_of", ""))
        _add_letter(inside[index], sent)
    elif do in {"remove", "up", "down"} and step_id:
        inside, index = _found(steps, step_id)
        if do == "remove":
            inside.pop(index)
        else:
            other = index + (1 if do == "down" else -1)
            if 0 <= other < len(inside):
                inside[index], inside[other] = inside[other], inside[index]


def _add_letter(step: Any, sent: QueryDict) -> None:
    """The e-mail of a step in one more language, or anew in one it has; without a
    text that language goes."""
    if not isinstance(step, dict) or step.get("do") != "email":
        raise BadValue(_("There is no such step."))
    said = {
        "subject": sent.get("letter_subject", "").strip(),
        "text": sent.get("letter_text", "").strip(),
    }
    others = dict(step.get("languages", {}))
    others.pop(sent.get("letter_language", ""), None)
    if said["subject"] or said["text"]:
        others[sent.get("letter_language", "")] = said
    step["languages"] = others
    if not others:
        del step["languages"]


def _list_at(steps: list[Any], place: str) -> list[Any]:
    """The list a new step goes into: the outermost, or one side of a branch."""
    if not place:
        return steps
    step_id, _dot, side = place.rpartition(".")
    inside, index = _found(steps, step_id)
    if side not in {"then", "else"} or inside[index].get("do") != "branch":
        raise BadValue(_("There is no such place."))
    found: list[Any] = inside[index].setdefault(side, [])
    return found


def _found(steps: list[Any], step_id: str) -> tuple[list[Any], int]:
    """The list a step is in, and where: ids are as `document` counts them."""
    inside, parts = steps, step_id.split(".")
    try:
        while len(parts) > 1:
            inside = inside[int(parts[0]) - 1][parts[1]]
            parts = parts[2:]
        index = int(parts[0]) - 1
        inside[index]
    except (ValueError, IndexError, KeyError, TypeError):
        raise BadValue(_("There is no such step.")) from None
    return inside, index


def step_of(sent: QueryDict) -> Document:
    """The step of the form below the steps; only what its kind knows."""
    kind = sent.get("kind", "task")
    text = {name: sent.get(f"step_{name}", "").strip() for name in _TEXTS}
    if kind == "task":
        made = {"title": text["title"], "notes": text["text"]}
        made["who"] = sent.get("step_who", "owner")
        made["priority"] = sent.get("step_priority", "normal")
        items = [x.strip() for x in text["checklist"].splitlines() if x.strip()]
        return _step(kind, {**made, "checklist": items}, due_days=text["days"])
    if kind == "email":
        made = {"to": text["to"], "subject": text["title"], "text": text["text"]}
        return {"do": kind, **made, "draft": "step_draft" in sent}
    if kind in {"chat", "webhook"}:
        return {"do": kind, "url": text["to"], "text": text["text"]}
    if kind == "tag":
        tags = [tag.strip() for tag in text["title"].split(",") if tag.strip()]
        return {"do": kind, "add": tags}
    if kind == "survey":
        return {"do": kind, "survey": text["title"]}
    if kind == "guide":
        return {"do": kind, "guide": text["title"]}
    if kind == "assign":
        people = [each.strip() for each in text["to"].split(",") if each.strip()]
        rule = {"by": sent.get("step_rule", "fewest_accounts")}
        return _step(kind, {**rule, "among": people})
    if kind == "set":
        return {"do": kind, "field": text["to"], "value": text["title"]}
    if kind == "wait":
        return _step(kind, {}, days=text["days"])
    return {"do": "branch", "if": _FIRST, "then": [_placeholder()]}


_TEXTS: Final = ("title", "text", "days", "to", "checklist")


def _placeholder() -> Document:
    return {"do": "task", "title": _("What to do if so")}


def _step(kind: str, made: Document, **numbers: str) -> Document:
    found = {name: value for name, value in made.items() if value}
    for name, text in numbers.items():
        if text:
            found[name] = int(text) if text.isdecimal() else text
    return {"do": kind, **found}


# --- conditions of steps -----------------------------------------------------


def asked_at(sent: QueryDict, document: Mapping[str, Any]) -> str:
    """The place whose condition is said next: a button asks for it, or a branch is
    new; empty: none."""
    do, _dot, place = sent.get("do", "").partition(":")
    if do == "ask":
        return place
    if do != "add_step" or sent.get("kind") != "branch":
        return ""
    inside = sent.get("place", "")
    n = len(_list_at(deepcopy(list(document["steps"])), inside))
    return f"{inside}.{n}" if inside else str(n)


def condition_at(document: Mapping[str, Any], place: str) -> Document | None:
    """The condition of a step, or of the end; None where it has none yet.

    Raises `BadValue` where there is no such step, or it asks nothing.
    """
    holder, name = _holder(document, place)
    found: Document | None = holder.get(name)
    return found


def may_clear(document: Mapping[str, Any], place: str) -> bool:
    """Is there a condition that the place can do without?"""
    holder, name = _holder(document, place)
    return name in holder and name != "if"


def with_condition(
    document: Mapping[str, Any], place: str, condition: Document | None
) -> Document:
    """The document with another condition there, or with none."""
    made: Document = deepcopy(dict(document))
    made.setdefault(ENDS, {})
    holder, name = _holder(made, place)
    if condition is not None:
        holder[name] = condition
    elif name == "if":
        raise BadValue(_("Choose what the step asks."))
    else:
        holder.pop(name, None)
    return made


def _holder(document: Mapping[str, Any], place: str) -> tuple[Document, str]:
    """What a condition is part of, and its name there."""
    if place == ENDS:
        return document.get(ENDS, {}), "condition"
    inside, index = _found(list(document.get("steps", [])), place)
    step = inside[index]
    if step.get("do") not in _ASKS:
        raise BadValue(_("There is no such step."))
    return step, _ASKS[step["do"]]


def places(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Where a new step can go: at the end, or into a branch."""
    found = [("", _("At the end"))]
    for n, step in enumerate(document.get("steps", []), start=1):
        if isinstance(step, Mapping) and step.get("do") == "branch":
            found.append((f"{n}.then", _("Into step %(n)s, if so") % {"n": n}))
            found.append((f"{n}.else", _("Into step %(n)s, if not") % {"n": n}))
    return found


def emails(book: Book) -> list[tuple[str, str]]:
    """Steps that may say the same in other languages: id and subject."""
    every = (step for step in book.every_step() if isinstance(step, EmailStep))
    return [(step.id, step.subject) for step in every]
