"""Topics and sentiment of comments, against what people would read in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial.core.settings import Settings
from perennial.demo.phrases import LANGUAGES, POSITIVE, SENTENCES
from perennial.scoring import moods
from perennial.scoring.taxonomy import OTHER, STANDARD, Topic
from perennial.scoring.themes import Reader, language_of, mended, stems_of

READER = Reader()
FELT = 0.25


def signs(comment: str) -> dict[str, int]:
    """Topics with 1 where they are praised, -1 where they are blamed, otherwise 0."""
    read = READER.read(comment).topics
    return {topic: (s >= FELT) - (s <= -FELT) for topic, s in read.items()}


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        # Of one sentence, each clause for itself.
        ("Great support, but far too expensive.", {"support": 1, "price": -1}),
        ("Der Support ist toll, aber der Preis bleibt unklar.",
         {"support": 1, "price": -1}),
        ("Supporten är fantastisk men fakturorna är krångliga.",
         {"support": 1, "price": -1, "usability": -1}),
        # A denial turns round what it stands before, and in German after.
        ("The dashboard is not reliable.", {"reports": -1, "performance": -1}),
        ("Die Schnittstelle funktioniert leider nicht.", {"integrations": -1}),
        ("Rapporterna fungerar inte.", {"reports": -1}),
        ("Nie Probleme mit der Rechnung.", {"price": 1}),
        ("Aldrig några problem med inloggningen.", {"security": 1}),
        # Compounds, and forms of a word.
        ("Die Monatsauswertungen sind super.", {"reports": 1}),
        ("Kundrapporterna är bra.", {"reports": 1}),
        # A topic of which its clause says nothing is spoken of as its sentence does.
        ("The onboarding, which we began in May, was a nightmare.", {"onboarding": -1}),
        # None of these words is a topic, and the German for "itself" is none either.
        ("All good, thanks!", {OTHER: 1}),
        ("Das erklärt sich.", {OTHER: 0}),
        ("Nothing.", {OTHER: -1}),
        ("!!! 10/10", {}),
        ("", {}),
    ],
)  # fmt: skip
def test_read_as_people_do(comment: str, told: dict[str, int]) -> None:
    assert signs(comment) == told


def test_broken_encodings_are_mended() -> None:
    broken = "Die Einführung war großartig".encode().decode("latin-1")
    assert mended(broken) == "Die Einführung war großartig"
    assert READER.read(broken).language == "de"
    assert signs(broken) == {"onboarding": 1}


def test_what_is_told_of_the_language_decides_between_equals() -> None:
    assert language_of("Problem!", "sv-SE") == "sv"
    assert language_of("Problem!", "de") == "de"
    assert language_of("We have a problem with the invoice", "de") == "en"
    assert language_of("Ütközés", "hu") is None
    # No word is known: as many of one language as of the other.
    assert language_of("Ütközés", "de") == "de"


def test_every_planted_language_and_most_themes_are_found() -> None:
    """Single sentences of the example company; `benchmarks.themes` has it all."""
    for language in LANGUAGES:
        hits = more = right = wrong = n = 0
        for (spoken, theme, mood), texts in SENTENCES.items():
            if spoken != language:
                continue
            for text in texts:
                read = READER.read(text)
                assert read.language == language, text
                n += 1
                hits += theme in read.topics
                more += len(read.topics.keys() - {theme, OTHER})
                felt = read.topics.get(theme, read.topics.get(OTHER, 0.0))
                sign = 1 if mood == POSITIVE else -1
                right += felt * sign >= FELT
                wrong += felt * sign <= -FELT
        assert hits / n >= 0.8, language
        assert hits / (hits + more) >= 0.8, language
        assert right >= 10 * wrong / 2, language


def test_a_taxonomy_of_ones_own() -> None:
    depots = Topic("depots", {"en": ("depot",), "de": ("*lager",), "sv": ("*depå*",)})
    reader = Reader([depots])
    assert reader.read("Our depots like it.").topics.keys() == {"depots"}
    assert reader.read("Im Zentrallager läuft es.").topics.keys() == {"depots"}
    assert reader.read("Support är bra.").topics.keys() == {OTHER}


class TestLearning:
    HAPPY = ("the purple crew came", "crew was here", "crew on monday")
    SAD = ("the depot opened", "depot was here", "depot on monday")

    def learned(self, times: int) -> moods.Moods | None:
        texts = [*self.HAPPY * times, *self.SAD * times]
        stems = [stems_of(text, "en") for text in texts]
        return moods.learn(stems, [10.0] * 3 * times + [2.0] * 3 * times)

    def test_words_nobody_would_list(self) -> None:
        taught = self.learned(40)
        assert taught is not None
        reader = Reader(moods={"en": taught})
        (felt,) = reader.read("It is the depot").topics.values()
        (other,) = reader.read("It is the crew").topics.values()
        assert felt <= -FELT < FELT <= other
        assert set(READER.read("It is the depot").topics.values()) == {0.0}

    def test_not_from_few_or_from_one_kind(self) -> None:
        assert self.learned(10) is None
        stems = [["crew"]] * 500
        assert moods.learn(stems, [10.0] * 500) is None
        # Neither happy nor unhappy: no lesson.
        assert moods.learn(stems, [10.0] * 100 + [7.5] * 370 + [2.0] * 30) is None


@given(st.text(max_size=80), st.sampled_from([None, "en", "de", "sv", "xx", ""]))
def test_any_text_is_read(comment: str, told: str | None) -> None:
    read = READER.read(comment, told)
    assert all(-1 <= felt <= 1 for felt in read.topics.values())
    assert read.topics.keys() <= {OTHER, *(topic.key for topic in STANDARD)}


def test_the_standard_topics_have_one_that_says_the_product_confuses() -> None:
    """Or else everybody would have that part of a good experience (O02)."""
    assert {topic.key for topic in STANDARD} & set(Settings().experience_topics)
    confused = READER.read("The menus are confusing.")
    assert confused.topics["confusing"] < 0
