"""Corrections teach: measured on comments that nobody corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from perennial.scoring import lessons, themes
from perennial.scoring.lessons import Lessons
from perennial.scoring.themes import Reader

Told = Sequence[tuple[str, set[str]]]

#: What people corrected: a word of their own for a topic, and one that misleads.
TAUGHT: Told = [
    ("The turntable stalls every morning.", {"features"}),
    ("Our turntables are great.", {"features"}),
    ("We reported the fault twice.", {"support"}),
    ("I reported the fault, nobody answered.", {"support"}),
    ("The report is fine.", {"reports"}),
]
#: Never corrected, and not of the same sentences.
HELD_OUT: Told = [
    ("A second turntable would help.", {"features"}),
    ("Love the turntable!", {"features"}),
    ("Nobody cares about turntables here.", {"features"}),
    ("They reported the fault to their vendor.", {"support"}),
    ("Somebody reported the fault.", {"support"}),
    ("The report is late.", {"reports"}),
    ("Reports are beautiful.", {"reports"}),
    ("It is too expensive.", {"price"}),
    ("We fixed every morning ourselves.", {"other"}),
]


def learned(told: Told) -> Mapping[str, Lessons]:
    reader = Reader()
    every = [reader.corrected(text, "en", said)[1] for text, said in told]
    others = [themes.stems_of("The food at lunch was fine.", "en")] * 40
    return {"en": lessons.learn(every, others, "en")}


def quality(reader: Reader) -> tuple[float, float]:
    """Precision and recall of topics over the comments held out."""
    pairs = [(set(reader.read(text, "en").topics), said) for text, said in HELD_OUT]
    hits = sum(len(found & said) for found, said in pairs)
    return hits / sum(len(f) for f, _ in pairs), hits / sum(len(s) for _, s in pairs)


def test_what_people_corrected_is_met_in_other_comments() -> None:
    before, after = quality(Reader()), quality(Reader(taught=learned(TAUGHT)))
    assert before == (4 / 9, 4 / 9)
    assert after == (1.0, 1.0)


def test_one_correction_teaches_nothing() -> None:
    found = learned(TAUGHT[::2])["en"]
    assert found == Lessons()
    assert found.digest == ""
    assert learned(TAUGHT)["en"].digest == learned(TAUGHT[::-1])["en"].digest != ""


def test_a_word_that_everybody_uses_is_no_word_of_a_topic() -> None:
    told = [("The morning crew is great.", {"crew"}), ("A great morning.", {"crew"})]
    every = [Reader().corrected(text, "en", said)[1] for text, said in told]
    common = [["morn", "great"]] * 30
    assert lessons.learn(every, common, "en").more == {}
    assert lessons.learn(every, [["else"]] * 30, "en").more["crew"] >= {"morn"}
