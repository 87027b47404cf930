"""What a comment speaks of, and how: F04 of the reference.

Pure: a text in, topics with a sentiment in [-1, 1] each out. A comment is read clause
by clause, so that what is praised and what is blamed in one sentence stay apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Final

import ftfy
import snowballstemmer

from perennial.scoring import lessons, lexicon
from perennial.scoring.lessons import Corrected, Lessons, Met
from perennial.scoring.moods import Moods
from perennial.scoring.taxonomy import LANGUAGES, OTHER, STANDARD, Topic

#: Without corrections.
NOTHING: Final = Lessons()
_NO_WORDS: Final[frozenset[str]] = frozenset()
#: What a clause that denies, and feels nothing else, is worth.
_DENIAL: Final = -0.5
#: What is left of a feeling that is turned round.
_TURNED: Final = -0.8
#: The larger, the more words it takes to be sure of a feeling.
_DOUBT: Final = 1.5
#: Words before a feeling within which a denial turns it, and after it: in German and
#: Swedish the denial of a verb follows it.
_BEFORE: Final = 3
_AFTER: Final[Mapping[str, int]] = {"en": 0, "de": 2, "sv": 1}
#: Compounds are met from this length of a word on.
_SHORTEST_PART: Final = 3

_NAMES: Final = {"en": "english", "de": "german", "sv": "swedish"}
_WORD: Final = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_SENTENCE: Final = re.compile(r"[.!?\n;]+(?:\s|$)")
_COMMA: Final = re.compile(r",\s|\s[-–—]\s|[():]")


@dataclass(frozen=True)
class Reading:
    """A comment as it was read.

    `language` is None where no word is known. `topics` has a sentiment for each topic,
    or for `other` alone where it speaks of none; none at all for an empty text.
    """

    language: str | None
    topics: Mapping[str, float] = field(default_factory=dict)


class Reader:
    """Reads comments by a taxonomy, by what scores taught, and by what corrections
    taught, by language."""

    def __init__(
        self,
        topics: Sequence[Topic] = STANDARD,
        moods: Mapping[str, Moods] | None = None,
        taught: Mapping[str, Lessons] | None = None,
    ) -> None:
        self._moods = moods or {}
        self._lessons = taught or {}
        self._met = {
            language: {topic.key: _pattern(topic, language) for topic in topics}
            for language in LANGUAGES
        }

    def with_moods(self, moods: Mapping[str, Moods]) -> Reader:
        """The same reader, by what these scores taught."""
        other = copy(self)
        other._moods = moods
        return other

    def read(self, comment: str, told: str | None = None) -> Reading:
        """`told` is the language that is said of the comment; its words go first."""
        text = mended(comment)
        language = language_of(text, told)
        clauses = self._clauses(text, language or LANGUAGES[0])
        if not clauses:
            return Reading(language)
        mood = _mean(clause.feeling for clause in clauses)
        found: dict[str, list[_Clause]] = {}
        for clause in clauses:
            for key in self._topics(clause.line, language or LANGUAGES[0]):
                found.setdefault(key, []).append(clause)
        topics = {key: _told(of, clauses, mood) for key, of in found.items()}
        return Reading(language, topics or {OTHER: mood})

    def _topics(self, line: str, language: str) -> Iterator[str]:
        """Topics that a clause speaks of."""
        taught = self._lessons.get(language, NOTHING)
        stems = line.split()
        for key, pattern in self._met[language].items():
            less = taught.less.get(key, ())
            met = (lessons.edges(line, *m.span()) for m in pattern.finditer(line))
            is_met = any(not edges.intersection(less) for edges in met)
            if is_met or not taught.more.get(key, _NO_WORDS).isdisjoint(stems):
                yield key

    def corrected(
        self, comment: str, told: str | None, said: Iterable[str]
    ) -> tuple[str, Corrected]:
        """A comment as corrections are learned from, with its language."""
        text = mended(comment)
        language = language_of(text, told) or LANGUAGES[0]
        clauses = self._clauses(text, language)
        met = [
            Met(key, lessons.edges(clause.line, *found.span()))
            for clause in clauses
            for key, pattern in self._met[language].items()
            for found in pattern.finditer(clause.line)
        ]
        return language, Corrected(
            [clause.line.split() for clause in clauses],
            frozenset(each.topic for each in met),
            frozenset(said),
            met,
        )

    def _clauses(self, text: str, language: str) -> list[_Clause]:
        taught = self._moods.get(language)
        made = []
        for number, words in _sentences(text, language):
            stems = [stem(word, language) for word in words]
            feeling = _feeling(words, stems, language)
            learned = taught.of(stems) if taught else None
            if learned is not None:
                feeling = (feeling + learned) / 2
            made.append(_Clause(number, f" {' '.join(stems)} ", feeling))
        return made


def mended(text: str) -> str:
    """The text with broken encodings repaired, and one kind of apostrophe."""
    return ftfy.fix_text(text).replace("\u2019", "'").strip()


def language_of(text: str, told: str | None = None) -> str | None:
    """The language most words belong to; `told` decides between equals. None where no
    word is known and nothing is told that is read."""
    words = _words(text)
    votes = {
        language: sum(word in _known(language) for word in words)
        for language in LANGUAGES
    }
    most = max(votes.values())
    first = (told or "").lower()[:2]
    if first in LANGUAGES and votes[first] == most:
        return first
    return max(votes, key=votes.__getitem__) if most else None


# Clauses


@dataclass(frozen=True)
class _Clause:
    """Stems of a clause between blanks, the sentence it is of, and what it feels."""

    sentence: int
    line: str
    feeling: float


def _sentences(text: str, language: str) -> Iterable[tuple[int, list[str]]]:
    """Words of each clause with the number of its sentence."""
    for number, sentence in enumerate(_SENTENCE.split(text)):
        for part in _COMMA.split(sentence):
            for words in _parted(_words(part), language):
                yield number, words


def _parted(words: Sequence[str], language: str) -> Iterable[list[str]]:
    """A clause ends where a word says that something else begins."""
    clause: list[str] = []
    for word in words:
        if word not in _set(lexicon.PARTING[language]):
            clause.append(word)
        elif clause:
            yield clause
            clause = []
    if clause:
        yield clause


def _told(of: Sequence[_Clause], every: Sequence[_Clause], mood: float) -> float:
    """How clauses speak of a topic; where they say nothing, their sentences do, then
    the whole comment."""
    near = {clause.sentence for clause in of}
    sentences = [clause for clause in every if clause.sentence in near]
    return _mean(c.feeling for c in of) or _mean(c.feeling for c in sentences) or mood


def _mean(feelings: Iterable[float]) -> float:
    """The mean of what is felt at all."""
    felt = [feeling for feeling in feelings if feeling]
    return sum(felt) / len(felt) if felt else 0.0


def _feeling(words: Sequence[str], stems: Sequence[str], language: str) -> float:
    """What a clause feels, in [-1, 1]."""
    weights = _weights(language)
    denies = [word in _set(lexicon.DENYING[language]) for word in words]
    total, is_felt = 0.0, False
    for at, (word, stemmed) in enumerate(zip(words, stems, strict=True)):
        weight = weights.get(word) or weights.get(stemmed)
        if not weight or denies[at]:
            continue
        around = denies[max(0, at - _BEFORE) : at + 1 + _AFTER[language]]
        total += weight * _TURNED if any(around) else weight
        is_felt = True
    if not is_felt and any(denies):
        total = _DENIAL
    return float(total / (total * total + _DOUBT) ** 0.5)


# Words


def stems_of(text: str, language: str) -> list[str]:
    """The stems of a text that is mended, in their order."""
    return [stem(word, language) for word in _words(text)]


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


@lru_cache(maxsize=50_000)
def stem(word: str, language: str) -> str:
    """What the forms of a word share; the word itself where that only binds, as the
    stem of the German for security does."""
    stemmed = str(_stemmer(language).stemWord(word))
    return word if stemmed in _set(lexicon.BINDING[language]) else stemmed


@cache
def _stemmer(language: str) -> snowballstemmer.stemmer:
    return snowballstemmer.stemmer(_NAMES[language])


@cache
def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


@cache
def _weights(language: str) -> Mapping[str, float]:
    """What words feel, by the word and by its stem; the word goes first."""
    strengths = (
        (lexicon.GOOD, 1.0),
        (lexicon.BAD, -1.0),
        (lexicon.VERY_GOOD, 2.0),
        (lexicon.VERY_BAD, -2.0),
    )
    told = {w: s for words, s in strengths for w in words[language].split()}
    return {stem(word, language): s for word, s in told.items()} | told


@cache
def _known(language: str) -> frozenset[str]:
    """Words by which a language is told: those that bind, feel or name a topic."""
    told = _set(lexicon.BINDING[language]) | _set(lexicon.DENYING[language])
    named = {
        word.strip("*")
        for topic in STANDARD
        for phrase in topic.words[language]
        for word in phrase.split()
    }
    return told | _weights(language).keys() | named


def _pattern(topic: Topic, language: str) -> re.Pattern[str]:
    ways = "|".join(_way(phrase, language) for phrase in topic.words[language])
    return re.compile(f"(?<= )(?:{ways})(?= )")


def _way(phrase: str, language: str) -> str:
    return " ".join(_one(word, language) for word in phrase.lower().split())


def _one(word: str, language: str) -> str:
    plain = word.strip("*")
    stemmed = re.escape(stem(plain, language))
    if len(plain) < _SHORTEST_PART:
        return stemmed
    before = r"\S*" if word.startswith("*") else ""
    after = r"\S*" if word.endswith("*") else ""
    return f"{before}{stemmed}{after}"
