"""What customers write in tickets: a subject, and a first message on its topic."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pyarrow as pa

from perennial.demo.arrow import Ints, pick
from perennial.demo.names import COUNTRIES
from perennial.demo.phrases import LANGUAGES, NEGATIVE, OPENINGS, SENTENCES
from perennial.demo.world import World

#: Topics of tickets, with the theme a message on each speaks of.
TOPICS = {
    "billing": "price",
    "onboarding": "onboarding",
    "performance": "performance",
    "mobile app": "mobile app",
    "reports": "reports",
    "integrations": "integrations",
    "how to": "",
}
#: Subjects name a topic in few words, in the order of `TOPICS`.
_SUBJECTS = {
    "en": (
        "Invoice",
        "Onboarding",
        "Very slow today",
        "Mobile app",
        "Weekly report",
        "Calendar integration",
        "A short question",
    ),
    "de": (
        "Rechnung",
        "Einrichtung",
        "Heute sehr langsam",
        "Mobile App",
        "Wochenbericht",
        "Kalender-Schnittstelle",
        "Eine kurze Frage",
    ),
    "sv": (
        "Faktura",
        "Komma igång",
        "Mycket långsamt i dag",
        "Mobilappen",
        "Veckorapporten",
        "Kalenderintegration",
        "En kort fråga",
    ),
}
#: Questions of how something is done: on no theme.
_QUESTIONS = {
    "en": (
        "How do I move a job to another crew?",
        "Where do we change the address of a depot?",
        "Can two crews share one job?",
        "How do I bring back a job that was deleted?",
    ),
    "de": (
        "Wie verschiebe ich einen Einsatz in ein anderes Team?",
        "Wo ändern wir die Adresse eines Standorts?",
        "Können sich zwei Teams einen Einsatz teilen?",
        "Wie hole ich einen gelöschten Einsatz zurück?",
    ),
    "sv": (
        "Hur flyttar jag ett jobb till ett annat team?",
        "Var ändrar vi adressen till en depå?",
        "Kan två team dela på ett jobb?",
        "Hur tar jag tillbaka ett jobb som har raderats?",
    ),
}


@cache
def messages(language: str, topic: str) -> tuple[str, ...]:
    """Every first message there is in a language, on a topic."""
    theme = TOPICS[topic]
    said = SENTENCES[language, theme, NEGATIVE] if theme else _QUESTIONS[language]
    parts = product(OPENINGS[language], said)
    return tuple(" ".join(part for part in some if part) for some in parts)


def words(
    rng: np.random.Generator, world: World, stint: Ints, topic: Ints
) -> tuple[pa.Array, pa.Array]:
    """Subjects and first messages of tickets on these topics (places in `TOPICS`)."""
    groups = list(product(LANGUAGES, TOPICS))
    pool = [text for group in groups for text in messages(*group)]
    size = len(messages(*groups[0]))
    group = spoken(rng, world, stint) * len(TOPICS) + topic
    subjects = [subject for language in LANGUAGES for subject in _SUBJECTS[language]]
    return (
        pick(subjects, group),
        pick(pool, group * size + rng.integers(0, size, len(group))),
    )


def spoken(rng: np.random.Generator, world: World, stint: Ints) -> Ints:
    """Index into `LANGUAGES`; one in eight writes English anyhow."""
    codes = [c.language if c.language in LANGUAGES else "en" for c in COUNTRIES]
    own = np.array([LANGUAGES.index(code) for code in codes])
    country = world.accounts.country[world.stints.account[stint]]
    return np.where(rng.random(len(stint)) < 0.125, 0, own[country])
