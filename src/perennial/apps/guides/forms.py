"""The form of a guide: texts in one language and one variant at a time.

What the form does not show, other languages and the other variant, is kept from the
stored document.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.http import QueryDict

from perennial.apps.surveys.forms import LANGUAGES
from perennial.core.guide_rules import When
from perennial.core.guides import (
    LISTS,
    MOST_BUTTONS,
    MOST_ITEMS,
    MOST_STEPS,
    POSITIONS,
    Look,
    usual_lost,
)
from perennial.core.numbers import whole

_LONGEST: Final = 5_000
Row = dict[str, Any]


def list_of(document: Mapping[str, Any]) -> str:
    """The name of what a guide is made of: its steps, or the items of a list."""
    return "items" if document.get("form") in LISTS else "steps"


def document_of(sent: QueryDict, stored: Mapping[str, Any]) -> dict[str, Any]:
    """The stored document as the form changes it; whether it is right, `read` says."""
    made = copy.deepcopy(dict(stored))
    language = language_of(made, sent.get("lang", ""))
    made["languages"] = [
        code for code in LANGUAGES if code in sent.getlist("languages")
    ] or made["languages"]
    made["title"] = _said(made.get("title"), language, sent.get("title", ""))
    content = (
        made["other"] if sent.get("variant") == "b" and made.get("other") else made
    )
    name = list_of(made)
    content[name] = _parts(sent, content.get(name) or [], name, language)
    made["look"] = _look(sent)
    made["who"] = _who(sent)
    made["when"] = _when(sent)
    made["target"] = _target(sent)
    return _with_variants(made, sent.get("do", ""))


def language_of(document: Mapping[str, Any], wanted: str) -> str:
    """The language a form shows."""
    spoken = document.get("languages") or LANGUAGES[:1]
    return wanted if wanted in spoken else str(spoken[0])


def _said(words: Any, language: str, text: str) -> dict[str, str]:
    return {**(words or {}), language: text.strip()[:_LONGEST]}


def _number(sent: QueryDict, name: str) -> int | str | None:
    """What is no number stays as it is written, and is refused by its name."""
    text = sent.get(name, "").strip()
    number = whole(text)
    return (text or None) if number is None else number


# --- steps and items ---------------------------------------------------------


def _parts(sent: QueryDict, stored: list[Row], name: str, language: str) -> list[Row]:
    change = _item if name == "items" else _step
    found = [
        change(sent, each, str(n), language) if f"title-{n}" in sent else each
        for n, each in enumerate(stored)
    ]
    do, _, at = sent.get("do", "").partition("-")
    place = whole(at)
    if place is not None and place < len(found):
        _move(found, do, place)
    if (
        sent.get("do") == "add"
        and len(found) < (MOST_ITEMS, MOST_STEPS)[name == "steps"]
    ):
        found.append(_new(found, name))
    return found


def _move(found: list[Row], do: str, place: int) -> None:
    if do == "remove":
        del found[place]
    elif do == "up" and place:
        found.insert(place - 1, found.pop(place))
    elif do == "down":
        found.insert(place + 1, found.pop(place))


def _new(found: list[Row], name: str) -> Row:
    taken = {each.get("id") for each in found}
    free = next(f"{name[0]}{n}" for n in range(1, 99) if f"{name[0]}{n}" not in taken)
    return {"id": free, "title": {}, "body": {}}


def _step(sent: QueryDict, stored: Row, n: str, language: str) -> Row:
    selectors = [s.strip() for s in sent.get(f"selectors-{n}", "").splitlines()]
    anchor = stored.get("anchor") or {}
    return {
        **stored,
        "title": _said(stored.get("title"), language, sent.get(f"title-{n}", "")),
        "body": _said(stored.get("body"), language, sent.get(f"body-{n}", "")),
        "place": sent.get(f"place-{n}") or "center",
        "page": sent.get(f"page-{n}", "").strip(),
        "anchor": {**anchor, "selectors": [each for each in selectors if each]},
        "lost": sent.get(f"lost-{n}", stored.get("lost", "")),
        "advance": sent.get(f"advance-{n}") or "button",
        "event": sent.get(f"event-{n}", "").strip(),
        "buttons": _buttons(sent, stored.get("buttons") or [], n, language),
    }


def _buttons(sent: QueryDict, stored: list[Row], n: str, language: str) -> list[Row]:
    found = []
    for m, each in enumerate(stored):
        at = f"{n}-{m}"
        if sent.get("do") == f"unbutton-{at}":
            continue
        label = _said(each.get("label"), language, sent.get(f"label-{at}", ""))
        does, url = sent.get(f"does-{at}", each.get("does")), sent.get(f"url-{at}", "")
        found.append({"label": label, "does": does, "url": url.strip()})
    if sent.get("do") == f"button-{n}" and len(found) < MOST_BUTTONS:
        found.append({"label": {}, "does": "next", "url": ""})
    return found


def _item(sent: QueryDict, stored: Row, n: str, language: str) -> Row:
    return {
        **stored,
        "title": _said(stored.get("title"), language, sent.get(f"title-{n}", "")),
        "body": _said(stored.get("body"), language, sent.get(f"body-{n}", "")),
        "event": sent.get(f"event-{n}", "").strip(),
        "step": sent.get(f"step-{n}", ""),
        "does": sent.get(f"does-{n}") or "none",
        "url": sent.get(f"url-{n}", "").strip(),
        "guide": _number(sent, f"guide-{n}"),
    }


# --- whom, when and how ------------------------------------------------------


def _look(sent: QueryDict) -> Row:
    return {
        "accent": sent.get("accent") or Look.accent,
        "mode": sent.get("mode") or Look.mode,
        "radius": _number(sent, "radius"),
        "position": sent.get("position") or POSITIONS[0],
    }


def _who(sent: QueryDict) -> Row:
    return {
        "segment": sent.get("segment", ""),
        "roles": [r.strip() for r in sent.get("roles", "").split(",") if r.strip()],
        "pages": sent.get("pages", "").split(),
        "event": sent.get("begins", "").strip(),
        "guide": _number(sent, "guide"),
        "progress": sent.get("progress") or "finished",
        "known": sent.get("known") or "all",
        "since": sent.get("since") or None,
        "invited": "invited" in sent,
    }


def _when(sent: QueryDict) -> Row:
    found: Row = {
        "often": sent.get("often") or "once",
        "starts_on": sent.get("starts_on") or None,
        "ends_on": sent.get("ends_on") or None,
        "by": sent.get("by") or "person",
    }
    names = ("every_days", "most", "rest_days", "delay_s", "hold_out", "other")
    return found | {name: _number(sent, name) for name in names}


def _target(sent: QueryDict) -> Row:
    kind, event = sent.get("target", ""), sent.get("target_event", "").strip()
    if not kind:
        return {}
    named = {"event": event} if kind == "event" else {"metric": kind}
    return {**named, "days": _number(sent, "days")}


def _with_variants(made: dict[str, Any], do: str) -> dict[str, Any]:
    name = list_of(made)
    if do == "variant" and not made.get("other"):
        made["other"] = {name: copy.deepcopy(made.get(name) or [])}
        made["when"]["other"] = 50
    elif do == "one":
        made.pop("other", None)
    if not made.get("other"):
        made["when"]["other"] = None
    return made


# --- what the form holds -----------------------------------------------------


def shown(document: Mapping[str, Any], language: str, variant: str) -> dict[str, Any]:
    """The texts of one language and variant, and everything else."""

    def said(words: Any) -> str:
        return str((words or {}).get(language, ""))

    other = document.get("other")
    content = other if variant == "b" and other else document
    who, when, target, look = (
        document.get(n) or {} for n in ("who", "when", "target", "look")
    )
    usual = {name: getattr(When, name) for name in When.__dataclass_fields__}
    return {
        "title": said(document.get("title")),
        "parts": [
            _part(each, said, usual_lost(str(document.get("form"))))
            for each in content.get(list_of(document)) or []
        ],
        **{
            name: usual[name] if when.get(name) is None else when[name]
            for name in usual
        },
        **{name: who.get(name) or "" for name in ("segment", "since", "guide")},
        "known": who.get("known") or "all",
        "progress": who.get("progress") or "finished",
        "roles": ", ".join(who.get("roles") or []),
        "pages": "\n".join(who.get("pages") or []),
        "begins": who.get("event", ""),
        "invited": bool(who.get("invited")),
        "accent": look.get("accent") or Look.accent,
        "mode": look.get("mode") or Look.mode,
        "radius": Look.radius if look.get("radius") is None else look["radius"],
        "position": look.get("position") or Look.position,
        "target": "event" if target.get("event") else target.get("metric", ""),
        "target_event": target.get("event", ""),
        "days": 14 if target.get("days") is None else target["days"],
    }


def _part(each: Row, said: Callable[[Any], str], lost: str) -> Row:
    anchor = each.get("anchor") or {}
    return {
        **each,
        "said": said(each.get("title")),
        "text": said(each.get("body")),
        "selectors": "\n".join(anchor.get("selectors") or []),
        "anchored": anchor.get("text", ""),
        "place": each.get("place") or "center",
        "lost": each.get("lost") or lost,
        "advance": each.get("advance") or "button",
        "does": each.get("does") or "none",
        "buttons": [
            {**button, "said": said(button.get("label"))}
            for button in each.get("buttons") or []
        ],
    }
