"""Are themes of comments found, and how they are spoken of?

    python -m benchmarks.themes             comments of the example company
    python -m benchmarks.themes ANSWERS.csv answers with columns NPS_SCORE, text and
                                            CUSTOMER_RESPONSE_DATE (day/month/year)

Beside a plain baseline: the name of a topic as it stands in the text, and words of
praise less words of blame. Planted themes are one a comment, so that a second topic
counts as wrong even where a sentence speaks of two.
"""

from __future__ import annotations

import csv
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import product
from pathlib import Path

from sklearn.metrics import roc_auc_score

from perennial.demo.comments import sentences
from perennial.demo.phrases import LANGUAGES, POSITIVE, THEMES
from perennial.scoring import lexicon, moods, themes
from perennial.scoring.taxonomy import OTHER, STANDARD

#: From which a sentiment counts (F04).
_FELT = 0.25


def main() -> None:
    if sys.argv[1:]:
        answers(Path(sys.argv[1]))
    else:
        planted()


def planted() -> None:
    reader = themes.Reader()
    for language in LANGUAGES:
        found, plain = Counter[str](), Counter[str]()
        began = time.process_time()
        for text, theme, mood in _planted(language):
            reading = reader.read(text)
            topics = set(reading.topics) - {OTHER}
            felt = reading.topics.get(theme, reading.topics.get(OTHER, 0.0))
            found.update(_judged(topics, theme, felt, mood))
            found["language"] += reading.language == language
        seconds = time.process_time() - began
        for text, theme, mood in _planted(language):
            felt = _plain_feeling(text, language)
            plain.update(_judged(_named(text, language), theme, felt, mood))
        print(
            f"{language}: {_told(found)}, language {found['language'] / found['n']:.3f}"
            f", {seconds / found['n'] * 1e3:.2f} ms a comment"
        )
        print(f"    plain words: {_told(plain)}")


def _planted(language: str) -> Iterable[tuple[str, str, str]]:
    for theme, mood in product(THEMES, (POSITIVE, "negative")):
        for text in sentences(language, theme, mood):
            yield text, theme, mood


def _judged(topics: Iterable[str], theme: str, felt: float, mood: str) -> Iterable[str]:
    """Names of what is to be counted, once each time."""
    every = set(topics)
    sign = 1 if mood == POSITIVE else -1
    yield "n"
    yield "hit" if theme in every else "missed"
    yield from ("more" for topic in every if topic != theme)
    yield "right" if felt * sign >= _FELT else "weak" if abs(felt) < _FELT else "wrong"


def _named(text: str, language: str) -> set[str]:
    """Topics whose plain name is in the text."""
    line = text.lower()
    return {
        topic.key for topic in STANDARD if topic.words[language][0].strip("*") in line
    }


def _plain_feeling(text: str, language: str) -> float:
    words = text.lower().replace(".", " ").replace(",", " ").split()
    good = (lexicon.GOOD[language] + " " + lexicon.VERY_GOOD[language]).split()
    bad = (lexicon.BAD[language] + " " + lexicon.VERY_BAD[language]).split()
    return float(sum(w in good for w in words) - sum(w in bad for w in words))


def _told(count: Counter[str]) -> str:
    precision = count["hit"] / max(1, count["hit"] + count["more"])
    recall = count["hit"] / count["n"]
    right, wrong = count["right"] / count["n"], count["wrong"] / count["n"]
    return (
        f"precision {precision:.2f}, recall {recall:.2f}; "
        f"sentiment right {right:.2f}, wrong way round {wrong:.2f}"
    )


def answers(path: Path) -> None:
    """How well words part promoters from detractors (area under the curve)."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["text"].strip()]
    rows = [r for r in rows if r["NPS_SCORE"] and not 7 <= float(r["NPS_SCORE"]) <= 8]
    rows.sort(key=lambda row: _when(row["CUSTOMER_RESPONSE_DATE"]))
    half = len(rows) // 2
    texts = [themes.mended(row["text"]) for row in rows]
    points = [float(row["NPS_SCORE"]) for row in rows]
    stems = [themes.stems_of(text, "en") for text in texts[:half]]
    learned = moods.learn(stems, points[:half])
    later, happy = texts[half:], [score >= 9 for score in points[half:]]
    taught = themes.Reader(moods={"en": learned} if learned else {})
    print(f"{len(rows)} answers; the later half, taught by the earlier one:")
    for name, felt in {
        "plain words": [_plain_feeling(text, "en") for text in later],
        "clauses": _felt(themes.Reader(), later),
        "and scores": _felt(taught, later),
    }.items():
        print(f"    {name}: {roc_auc_score(happy, felt):.3f}")


def _when(text: str) -> datetime:
    return datetime.strptime(text, "%d/%m/%Y %H:%M")  # noqa: DTZ007


def _felt(reader: themes.Reader, texts: Sequence[str]) -> list[float]:
    every = [list(reader.read(text).topics.values()) for text in texts]
    return [sum(felt) / len(felt) if felt else 0.0 for felt in every]


if __name__ == "__main__":
    main()
