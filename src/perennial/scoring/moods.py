"""What the words of a workspace's own customers tell of their scores.

A lexicon knows words in general; what "crew" or "depot" means to happy and unhappy
customers only their scores can teach. Learned for each language apart, from comments
that came before those it is used on.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import tanh
from typing import Final

#: Comments of a language, and of its happy and its unhappy ones, to learn from.
ENOUGH: Final = 200
ENOUGH_OF_EACH: Final = 40
#: Scores from 0 to 10 from which people are happy, and up to which unhappy.
HAPPY: Final = 8.5
UNHAPPY: Final = 6.5
#: Comments a word or a pair of words has to be in.
_LEAST: Final = 3
#: The smaller, the closer weights stay to nothing.
_FREEDOM: Final = 0.3


@dataclass(frozen=True)
class Moods:
    """Log-odds of a happy customer, by stem and by pair of stems."""

    weights: Mapping[str, float]

    def of(self, stems: Sequence[str]) -> float | None:
        """From -1 to 1; None where no word was learned."""
        known = [self.weights[part] for part in parts(stems) if part in self.weights]
        return tanh(sum(known) / 2) if known else None


def learn(comments: Sequence[Sequence[str]], points: Sequence[float]) -> Moods | None:
    """From stems of comments in one language and their scores, 0 to 10; None where
    there are too few."""
    told = [
        (stems, score >= HAPPY)
        for stems, score in zip(comments, points, strict=True)
        if score >= HAPPY or score <= UNHAPPY
    ]
    happy = sum(is_happy for _, is_happy in told)
    if len(told) < ENOUGH or min(happy, len(told) - happy) < ENOUGH_OF_EACH:
        return None
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    words = CountVectorizer(analyzer=parts, binary=True, min_df=_LEAST)
    counted = words.fit_transform([stems for stems, _ in told])
    model = LogisticRegression(C=_FREEDOM, class_weight="balanced")
    model.fit(counted, [is_happy for _, is_happy in told])
    names = words.get_feature_names_out()
    return Moods(dict(zip(names, map(float, model.coef_[0]), strict=True)))


def parts(stems: Sequence[str]) -> Iterable[str]:
    """Stems, each once, and the pairs of those that follow each other."""
    pairs = (" ".join(pair) for pair in itertools.pairwise(stems))
    return dict.fromkeys([*stems, *pairs])
