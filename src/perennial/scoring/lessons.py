"""What corrections by people teach about the words of topics.

Two kinds of lesson, each from several corrections that agree, so that one slip of the
hand teaches nothing. A word that comments on a topic have, and that is rare elsewhere,
becomes a word of it. Where a word of a topic was met and did not mean it, it does not
count beside the neighbor it had. Pure: comments in, words out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from perennial.core.ids import digest
from perennial.scoring import lexicon
from perennial.scoring.taxonomy import OTHER

#: Corrections that have to agree.
ENOUGH: Final = 2
#: Of corrected comments with a word, the share that is on the topic.
_SURE: Final = 0.8
#: A word that so many of all comments have is no word of one topic.
_COMMON: Final = 0.1
_SHORTEST: Final = 4

#: Words by topic.
Words = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Corrected:
    """A comment a person corrected: its clauses as stems, the topics it was read to
    speak of, and those it does. `met` has the stems each topic was met by, with the
    place in their clause."""

    clauses: Sequence[Sequence[str]]
    read: frozenset[str]
    said: frozenset[str]
    met: Sequence[Met] = ()

    @property
    def stems(self) -> set[str]:
        return {stem for clause in self.clauses for stem in clause}


@dataclass(frozen=True)
class Met:
    """A topic, and the pairs of stems at the edges of the words it was met by."""

    topic: str
    edges: frozenset[str]


@dataclass(frozen=True)
class Lessons:
    """Of one language: stems that are a topic's, too, and pairs of stems beside which
    a word of a topic does not count."""

    more: Words = field(default_factory=dict)
    less: Words = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The same for the same lessons; empty without any."""
        told = [
            (kind, topic, *sorted(words))
            for kind, of in (("more", self.more), ("less", self.less))
            for topic, words in sorted(of.items())
        ]
        return digest(repr(told))[:12] if told else ""


def learn(
    corrected: Sequence[Corrected],
    comments: Sequence[Iterable[str]],
    language: str,
) -> Lessons:
    """Lessons of corrections in one language. `comments` are the stems of others, by
    which it is judged how common a word is."""
    return Lessons(_more(corrected, comments, language), _less(corrected))


def _more(
    corrected: Sequence[Corrected], comments: Sequence[Iterable[str]], language: str
) -> Words:
    common = Counter(stem for stems in comments for stem in set(stems))
    most = _COMMON * len(comments)
    having = Counter(stem for each in corrected for stem in each.stems)
    binding = {*lexicon.BINDING[language].split(), *lexicon.DENYING[language].split()}
    found: dict[str, frozenset[str]] = {}
    for topic in {t for each in corrected for t in each.said - each.read - {OTHER}}:
        on_it = [each for each in corrected if topic in each.said]
        missed = Counter(s for e in on_it if topic not in e.read for s in e.stems)
        right = Counter(stem for each in on_it for stem in each.stems)
        words = frozenset(
            stem
            for stem, n in missed.items()
            if n >= ENOUGH
            and right[stem] >= _SURE * having[stem]
            and len(stem) >= _SHORTEST
            and stem not in binding
            and common[stem] <= max(most, right[stem])
        )
        if words:
            found[topic] = words
    return found


def _less(corrected: Sequence[Corrected]) -> Words:
    wrong: dict[str, Counter[str]] = defaultdict(Counter)
    right: dict[str, Counter[str]] = defaultdict(Counter)
    for each in corrected:
        for met in each.met:
            of = right if met.topic in each.said else wrong
            of[met.topic].update(met.edges)
    found = {
        topic: frozenset(
            pair for pair, n in pairs.items() if n >= ENOUGH and not right[topic][pair]
        )
        for topic, pairs in wrong.items()
    }
    return {topic: pairs for topic, pairs in found.items() if pairs}


def edges(line: str, start: int, end: int) -> frozenset[str]:
    """Pairs of stems at the edges of what was met in a clause between blanks: of the
    stem before and the first one met, of the last one and the stem after."""
    before, inside, after = line[:start].split(), line[start:end], line[end:].split()
    around = [*before[-1:], *inside.split(), *after[:1]]
    every = [" ".join(pair) for pair in pairwise(around)]
    kept = (every[:1] if before else []) + (every[-1:] if after else [])
    return frozenset(kept)
