"""Guides to begin with, in three languages."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from perennial.core.errors import UnknownName

_LANGUAGES: Final = ["en", "de", "sv"]


def _said(en: str, de: str, sv: str) -> dict[str, str]:
    return dict(zip(_LANGUAGES, (en, de, sv), strict=True))


def _button(does: str, label: dict[str, str], url: str = "") -> dict[str, Any]:
    return {"label": label, "does": does, "url": url}


_NEXT: Final = _button("next", _said("Next", "Weiter", "Nästa"))
_BACK: Final = _button("back", _said("Back", "Zurück", "Tillbaka"))
_DONE: Final = _button("done", _said("Done", "Fertig", "Klar"))
_LATER: Final = _button("snooze", _said("Later", "Später", "Senare"))


def _step(
    name: str,
    title: dict[str, str],
    body: dict[str, str],
    *buttons: dict[str, Any],
    place: str = "center",
) -> dict[str, Any]:
    made = {"id": name, "place": place, "title": title, "body": body}
    return {**made, "buttons": list(buttons)}


def _item(
    name: str, title: dict[str, str], body: dict[str, str], **more: str
) -> dict[str, Any]:
    return {"id": name, "title": title, "body": body, **more}


_TOUR: Final[dict[str, Any]] = {
    "form": "walkthrough",
    "steps": [
        _step(
            "welcome",
            _said("Welcome!", "Willkommen!", "Välkommen!"),
            _said(
                "Three short steps show you the way to your first result.",
                "Drei kurze Schritte führen Sie zum ersten Ergebnis.",
                "Tre korta steg visar vägen till ditt första resultat.",
            ),
            _LATER,
            _button("next", _said("Show me", "Zeigen", "Visa mig")),
        ),
        _step(
            "here",
            _said("It begins here", "Hier fängt es an", "Här börjar det"),
            _said(
                "Click this button to go on.",
                "Klicken Sie auf diesen Knopf, um weiterzugehen.",
                "Klicka på den här knappen för att gå vidare.",
            ),
            _BACK,
            place="anchor",
        ),
        _step(
            "end",
            _said("That was it", "Das war es", "Det var allt"),
            _said(
                "You can come back to this at any time.",
                "Sie können jederzeit hierher zurückkommen.",
                "Du kan komma tillbaka hit när som helst.",
            ),
            _DONE,
        ),
    ],
    "who": {"known": "all"},
    "when": {"often": "until_finished", "most": 3, "hold_out": 10},
}

_CHECKLIST: Final[dict[str, Any]] = {
    "form": "checklist",
    "title": _said("Getting started", "Erste Schritte", "Kom igång"),
    "items": [
        _item(
            "invite",
            _said("Invite your team", "Laden Sie Ihr Team ein", "Bjud in ditt team"),
            _said(
                "It is more use with colleagues.",
                "Mit Kolleginnen und Kollegen nützt es mehr.",
                "Det gör mer nytta tillsammans med kollegor.",
            ),
        ),
        _item(
            "first",
            _said(
                "Make your first report",
                "Erstellen Sie den ersten Bericht",
                "Skapa din första rapport",
            ),
            {},
        ),
        _item(
            "connect",
            _said("Connect your data", "Verbinden Sie Ihre Daten", "Koppla dina data"),
            {},
        ),
    ],
    "when": {"often": "until_finished", "rest_days": 3},
}

_ANNOUNCEMENT: Final[dict[str, Any]] = {
    "form": "announcement",
    "steps": [
        _step(
            "news",
            _said("Something new", "Etwas Neues", "Något nytt"),
            _said(
                "**Reports by e-mail.** Choose a day, and they come by themselves.",
                "**Berichte per E-Mail.** Wählen Sie einen Tag, und sie kommen von "
                "selbst.",
                "**Rapporter via e-post.** Välj en dag, så kommer de av sig själva.",
            ),
            _button("done", _said("Got it", "Verstanden", "Jag förstår")),
            place="corner",
        )
    ],
    "when": {"often": "once"},
}

_DIALOG: Final[dict[str, Any]] = {
    **_ANNOUNCEMENT,
    "form": "modal",
    "steps": [{**_ANNOUNCEMENT["steps"][0], "place": "center"}],
}

_BANNER: Final[dict[str, Any]] = {
    "form": "banner",
    "steps": [
        _step(
            "notice",
            _said(
                "Planned work on Sunday",
                "Geplante Arbeiten am Sonntag",
                "Planerat arbete på söndag",
            ),
            _said(
                "From 6 to 8 in the morning, saving may fail.",
                "Von 6 bis 8 Uhr kann das Speichern fehlschlagen.",
                "Mellan 6 och 8 på morgonen kan det misslyckas att spara.",
            ),
            place="top",
        )
    ],
    "when": {"often": "once"},
}

_HOTSPOT: Final[dict[str, Any]] = {
    "form": "hotspot",
    "steps": [
        _step(
            "hint",
            _said("New here", "Neu hier", "Nytt här"),
            _said(
                "Drag the columns to change their order.",
                "Ziehen Sie die Spalten, um ihre Reihenfolge zu ändern.",
                "Dra i kolumnerna för att ändra ordningen.",
            ),
            _button("done", _said("Got it", "Verstanden", "Jag förstår")),
            place="anchor",
        )
    ],
    "when": {"often": "once", "hold_out": 20},
}

_TIP: Final[dict[str, Any]] = {**_HOTSPOT, "form": "tooltip"}

_HELP: Final[dict[str, Any]] = {
    "form": "resource_center",
    "title": _said("Help", "Hilfe", "Hjälp"),
    "items": [
        _item(
            "docs",
            _said("Documentation", "Dokumentation", "Dokumentation"),
            _said(
                "Everything, to look it up.",
                "Alles zum Nachschlagen.",
                "Allt, att slå upp i.",
            ),
            does="open",
            url="/help",
        ),
        _item(
            "talk",
            _said("Talk to us", "Sprechen Sie mit uns", "Prata med oss"),
            {},
            does="open",
            url="/contact",
        ),
    ],
}

_ALL: Final[Mapping[str, dict[str, Any]]] = {
    "tour": _TOUR,
    "checklist": _CHECKLIST,
    "announcement": _ANNOUNCEMENT,
    "dialog": _DIALOG,
    "hotspot": _HOTSPOT,
    "tip": _TIP,
    "banner": _BANNER,
    "help": _HELP,
}
#: What people choose among: title and what it is for.
TITLES: Final[Mapping[str, tuple[Promise, Promise]]] = {
    "tour": (_("Welcome tour"), _("Leads newcomers to a first result, step by step.")),
    "checklist": (
        _("Getting started"),
        _("A list that ticks itself as people do what is on it."),
    ),
    "announcement": (_("What is new"), _("Says once that something is there now.")),
    "dialog": (_("Important news"), _("In the middle, until it is closed.")),
    "hotspot": (_("Hint at a feature"), _("A dot beside it, for whoever wonders.")),
    "tip": (_("Tip at an element"), _("A box that points at it, once.")),
    "banner": (_("Notice"), _("A line over the page, until it is closed.")),
    "help": (_("Help"), _("A button in the corner with guides and links.")),
}


def document(template: str) -> dict[str, Any]:
    """A copy of a template's document; raises `UnknownName`."""
    if template not in _ALL:
        raise UnknownName("template", template, list(_ALL))
    return {"languages": list(_LANGUAGES), **copy.deepcopy(_ALL[template])}
