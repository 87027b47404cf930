"""The form of a playbook: what was sent, as a document, and back.

Steps travel as the document has them; a button adds one, takes one away, or moves
it. Whatever the form cannot say (branches in branches) is kept
as it is and edited as YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perennial.apps.customers import condition_form
from perennial.apps.work.playbooks.document import Book, EmailStep
from perennial.core.errors import BadValue

Text = str | Promise
Document = dict[str, Any]
_NUMBERS: Final = ("after_days", "again_after_days", "most", "owner_week", "hold_out")


@dataclass(frozen=True)
class Simple:
    """A condition of one row that the form offers; `number` is what it begins with."""

    label: Text
    field: str
    op: str
    value: tuple[str, ...] = ()
    number: float | None = None
    is_share: bool = False

    def document(self, given: str) -> Document:
        if self.number is None:
            return {"field": self.field, "op": self.op, "value": list(self.value)}
        text = given.strip().replace(",", ".")
        try:
            number = float(text) if text else self.number
        except ValueError:
            raise BadValue(_("%(given)s is not a number.") % {"given": given}) from None
        shown = number / 100 if self.is_share and text else number
        return {"field": self.field, "op": self.op, "value": round(shown, 6)}


SIMPLE: Final[Mapping[str, Simple]] = {
    "green": Simple(gettext_lazy("Health is green"), "health_color", "is", ("green",)),
    "risky": Simple(
        gettext_lazy("Health is red or orange"), "health_color", "is", ("red", "orange")
    ),
    "users_below": Simple(
        gettext_lazy("Active users fell by at least, %"),
        "active_users_change",
        "fell_by",
        number=0.1,
        is_share=True,
    ),
    "use_below": Simple(
        gettext_lazy("License use is less than, %"),
        "license_use",
        "less_than",
        number=0.5,
        is_share=True,
    ),
    "use_from": Simple(
        gettext_lazy("License use is at least, %"),
        "license_use",
        "at_least",
        number=0.6,
        is_share=True,
    ),
    "quiet": Simple(
        gettext_lazy("Nobody was seen for days"), "last_seen", "not_within", number=7
    ),
    "seen": Simple(
        gettext_lazy("Somebody was seen within days"), "last_seen", "within", number=3
    ),
    "untouched": Simple(
        gettext_lazy("No contact for days"), "last_touch", "not_within", number=30
    ),
    "gone": Simple(
        gettext_lazy("No longer a customer"), "state", "is_not", ("paying",)
    ),
}


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
                    {"field": "health_color", "op": "is", "value": ["red", "orange"]},
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
    chosen = sent.get("ends_when", "")
    found: Document = {}
    days = sent.get("ends_days", "").strip()
    if days:
        found["after_days"] = int(days) if days.isdecimal() else days
    if chosen == "kept" and "condition" in kept:
        found["condition"] = kept["condition"]
    elif chosen in SIMPLE:
        found["condition"] = SIMPLE[chosen].document(sent.get("ends_number", ""))
    return found


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
    if kind == "set":
        return {"do": kind, "field": text["to"], "value": text["title"]}
    condition = _chosen(sent)
    if kind == "wait":
        return _step(kind, {"until": condition} if condition else {}, days=text["days"])
    if condition is None:
        raise BadValue(_("Choose what the step asks."))
    return {"do": "branch", "if": condition, "then": [_placeholder()]}


_TEXTS: Final = ("title", "text", "days", "to", "checklist")


def _placeholder() -> Document:
    return {"do": "task", "title": _("What to do if so")}


def _step(kind: str, made: Document, **numbers: str) -> Document:
    found = {name: value for name, value in made.items() if value}
    for name, text in numbers.items():
        if text:
            found[name] = int(text) if text.isdecimal() else text
    return {"do": kind, **found}


def _chosen(sent: QueryDict) -> Document | None:
    chosen = SIMPLE.get(sent.get("step_if", ""))
    return chosen.document(sent.get("step_number", "")) if chosen else None


def chosen_end(document: Mapping[str, Any]) -> str:
    """What the list of endings shows for a document."""
    condition = document.get("ends", {}).get("condition")
    if condition is None:
        return ""
    for key, simple in SIMPLE.items():
        if simple.number is None and simple.document("") == condition:
            return key
    return "kept"


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
