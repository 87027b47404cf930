"""A guide as the snippet draws it, in one language."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from perennial.apps.guides import phrases
from perennial.apps.guides.models import Guide
from perennial.core.guides import Button, Content, Item, Step
from perennial.core.guides import Guide as Document
from perennial.core.reading import direction


def drawn(
    guide: Guide,
    document: Document,
    variant: str,
    language: str,
    *,
    token: str = "",
    at: str = "",
    done: Collection[str] = (),
    tickets: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    """Without a token it is a preview: nothing is told. `at` is the step to begin with,
    `done` the items that are ticked, `tickets` those of the guides a list begins."""
    content, look = document.content(variant), document.look
    return {
        "token": token,
        "language": language,
        "direction": direction(language),
        "form": document.form,
        "name": guide.name,
        "title": document.said(document.title, language) or guide.name,
        "at": _place(content, at),
        "look": {
            "accent": look.accent,
            "mode": look.mode,
            "radius": look.radius,
            "position": look.position,
        },
        "steps": [_step(document, each, language) for each in content.steps],
        "items": [
            _item(document, each, language, done, tickets or {})
            for each in content.items
        ],
        "words": phrases.of_guide(language),
    }


def _place(content: Content, step: str) -> int:
    ids = [each.id for each in content.steps]
    return ids.index(step) if step in ids else 0


def _step(document: Document, step: Step, language: str) -> dict[str, Any]:
    anchor = step.anchor
    return {
        "id": step.id,
        "place": step.place,
        "anchor": anchor and {"selectors": list(anchor.selectors), "text": anchor.text},
        "lost": step.lost,
        "page": step.page,
        "title": document.said(step.title, language),
        "body": document.said(step.body, language),
        "advance": step.advance,
        "event": step.event,
        "buttons": [_button(document, each, language) for each in step.buttons],
    }


def _button(document: Document, button: Button, language: str) -> dict[str, str]:
    label = document.said(button.label, language)
    return {"label": label, "does": button.does, "url": button.url}


def _item(
    document: Document,
    item: Item,
    language: str,
    done: Collection[str],
    tickets: Mapping[int, str],
) -> dict[str, Any]:
    ticket = tickets.get(item.guide or 0, "")
    return {
        "id": item.id,
        "title": document.said(item.title, language),
        "body": document.said(item.body, language),
        "done": item.id in done,
        "event": item.event,
        # A guide that is not there for this person is nothing to begin.
        "does": "none" if item.does == "guide" and not ticket else item.does,
        "guide": ticket,
        "url": item.url,
    }
