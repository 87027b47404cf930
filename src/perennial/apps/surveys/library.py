"""Surveys to begin with, in three languages."""

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


_NPS: Final[dict[str, Any]] = {
    "kind": "nps",
    "languages": _LANGUAGES,
    "ask": _said(
        "How likely are you to recommend us to a friend or colleague?",
        "Wie wahrscheinlich ist es, dass Sie uns weiterempfehlen?",
        "Hur troligt är det att du skulle rekommendera oss till en vän eller kollega?",
    ),
    "low": _said("Not at all likely", "Sehr unwahrscheinlich", "Inte alls troligt"),
    "high": _said("Extremely likely", "Sehr wahrscheinlich", "Mycket troligt"),
    "follow_ups": [
        {
            "id": "why_not",
            "kind": "text",
            "from": 0,
            "to": 6,
            "ask": _said(
                "We are sorry to hear that. What should we change?",
                "Das tut uns leid. Was sollten wir ändern?",
                "Det var tråkigt att höra. Vad borde vi ändra på?",
            ),
        },
        {
            "id": "missing",
            "kind": "text",
            "from": 7,
            "to": 8,
            "ask": _said(
                "What is missing for a better score?",
                "Was fehlt zu einer besseren Note?",
                "Vad saknas för ett bättre betyg?",
            ),
        },
        {
            "id": "best",
            "kind": "text",
            "from": 9,
            "to": 10,
            "ask": _said(
                "What do you like most?",
                "Was gefällt Ihnen am besten?",
                "Vad tycker du bäst om?",
            ),
        },
    ],
    "thanks": [
        {
            "from": 0,
            "to": 6,
            "text": _said(
                "Thank you for being frank. Somebody will look into it.",
                "Danke für die offenen Worte. Wir gehen dem nach.",
                "Tack för att du är uppriktig. Vi tittar på det.",
            ),
        },
        {
            "from": 7,
            "to": 10,
            "text": _said(
                "Thank you! Your answer helps us.",
                "Vielen Dank! Ihre Antwort hilft uns.",
                "Tack! Ditt svar hjälper oss.",
            ),
        },
    ],
    "mail": {
        "subject": _said(
            "One question about your experience with us",
            "Eine Frage zu Ihren Erfahrungen mit uns",
            "En fråga om hur du upplever oss",
        ),
        "text": _said(
            "It takes one click, and we read every answer.",
            "Ein Klick genügt, und wir lesen jede Antwort.",
            "Det räcker med ett klick, och vi läser alla svar.",
        ),
    },
    "when": {"channels": ["product", "email"], "every_days": 91, "remind_days": 5},
}

_CSAT: Final[dict[str, Any]] = {
    "kind": "csat",
    "languages": _LANGUAGES,
    "ask": _said(
        "How satisfied are you with the help you received?",
        "Wie zufrieden sind Sie mit unserer Hilfe?",
        "Hur nöjd är du med hjälpen du fick?",
    ),
    "low": _said("Very dissatisfied", "Sehr unzufrieden", "Mycket missnöjd"),
    "high": _said("Very satisfied", "Sehr zufrieden", "Mycket nöjd"),
    "follow_ups": [
        {
            "id": "reason",
            "kind": "choice",
            "from": 1,
            "to": 3,
            "ask": _said("What was it?", "Woran lag es?", "Vad berodde det på?"),
            "options": [
                _said(
                    "It took too long",
                    "Es hat zu lange gedauert",
                    "Det tog för lång tid",
                ),
                _said(
                    "The problem is not solved",
                    "Das Problem ist nicht gelöst",
                    "Problemet är inte löst",
                ),
                _said(
                    "I had to explain it several times",
                    "Ich musste es mehrmals erklären",
                    "Jag fick förklara flera gånger",
                ),
            ],
        },
        {
            "id": "more",
            "kind": "text",
            "ask": _said(
                "Is there anything you want to add?",
                "Möchten Sie etwas hinzufügen?",
                "Är det något du vill tillägga?",
            ),
        },
    ],
    "thanks": [
        {
            "text": _said(
                "Thank you! Your answer helps us.",
                "Vielen Dank! Ihre Antwort hilft uns.",
                "Tack! Ditt svar hjälper oss.",
            )
        }
    ],
    "mail": {
        "subject": _said("How did we do?", "Wie waren wir?", "Hur gick det?"),
        "text": _said(
            "Your ticket was solved. Was it solved well?",
            "Ihre Anfrage wurde gelöst. Auch gut gelöst?",
            "Ditt ärende är löst. Blev det bra?",
        ),
    },
    "when": {
        "channels": ["email"],
        "trigger": "ticket_solved",
        "touchpoint": "support",
        "first_days": 0,
    },
}

_CES: Final[dict[str, Any]] = {
    "kind": "ces",
    "languages": _LANGUAGES,
    "ask": _said(
        "Setting it up was easy.",
        "Die Einrichtung war einfach.",
        "Det var lätt att komma igång.",
    ),
    "low": _said("Strongly disagree", "Trifft gar nicht zu", "Håller inte alls med"),
    "high": _said("Strongly agree", "Trifft voll zu", "Håller helt med"),
    "follow_ups": [
        {
            "id": "hard",
            "kind": "text",
            "from": 1,
            "to": 4,
            "ask": _said("What was hard?", "Was war schwierig?", "Vad var svårt?"),
        },
        {
            "id": "easy",
            "kind": "text",
            "from": 5,
            "to": 7,
            "ask": _said("What helped most?", "Was hat geholfen?", "Vad hjälpte mest?"),
        },
    ],
    "thanks": [
        {
            "text": _said(
                "Thank you! Your answer helps us.",
                "Vielen Dank! Ihre Antwort hilft uns.",
                "Tack! Ditt svar hjälper oss.",
            )
        }
    ],
    "mail": {
        "subject": _said(
            "How was getting started?", "Wie war der Einstieg?", "Hur var starten?"
        ),
        "text": {},
    },
    "when": {
        "channels": ["product", "email"],
        "trigger": "onboarding_done",
        "touchpoint": "onboarding",
        "first_days": 0,
    },
}

_ALL: Final[Mapping[str, dict[str, Any]]] = {"nps": _NPS, "csat": _CSAT, "ces": _CES}
#: What people choose among: title and what it is for.
TITLES: Final[Mapping[str, tuple[Promise, Promise]]] = {
    "nps": (_("Relationship NPS"), _("Would they recommend us? Every quarter.")),
    "csat": (_("Satisfaction with support"), _("After a ticket was solved.")),
    "ces": (_("Effort of setting up"), _("After onboarding was completed.")),
}


def document(template: str) -> dict[str, Any]:
    """A copy of a template's document; raises `UnknownName`."""
    if template not in _ALL:
        raise UnknownName("template", template, list(_ALL))
    return copy.deepcopy(_ALL[template])
