"""Surveys as documents: what is asked, what follows which score, what is said after.

    kind: nps
    languages: [en, de]
    ask: {en: How likely ..., de: Wie wahrscheinlich ...}
    low: {en: Not at all, ...}
    high: {en: Extremely, ...}
    follow_ups:
      - {id: why, kind: text, from: 0, to: 6, ask: {en: What went wrong?}}
      - {id: best, kind: choice, from: 9, to: 10, ask: {...}, options: [{en: Speed}]}
    thanks: [{from: 0, to: 10, text: {en: Thank you.}}]
    mail: {subject: {...}, text: {...}}

Pure: a document in, frozen values out; what is wrong is said with its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, cast

from perennial.core import reading
from perennial.core.errors import BadValue
from perennial.core.reading import Words

Kind: TypeAlias = Literal["nps", "csat", "ces"]

KINDS: Final[tuple[Kind, ...]] = ("nps", "csat", "ces")
#: The scale of each kind, both ends in it.
SCALES: Final[Mapping[Kind, tuple[int, int]]] = {
    "nps": (0, 10),
    "csat": (1, 5),
    "ces": (1, 7),
}
FOLLOW_UPS: Final = ("text", "choice")
LONGEST_ANSWER = 5_000
MOST_FOLLOW_UPS, MOST_OPTIONS = 6, 12


@dataclass(frozen=True)
class FollowUp:
    """A question for those whose score is in `[low, high]`; a choice has `options`."""

    id: str
    kind: str
    ask: Words
    low: int
    high: int
    options: tuple[Words, ...] = ()

    def fits(self, score: int) -> bool:
        return self.low <= score <= self.high


@dataclass(frozen=True)
class Thanks:
    """What is said at the end to those whose score is in `[low, high]`."""

    text: Words
    low: int
    high: int


@dataclass(frozen=True)
class Questionnaire:
    """What a survey asks, in its languages; the first one stands in for others."""

    kind: Kind
    languages: tuple[str, ...]
    ask: Words
    low: Words
    high: Words
    follow_ups: tuple[FollowUp, ...] = ()
    thanks: tuple[Thanks, ...] = ()
    subject: Words | None = None
    intro: Words | None = None

    @property
    def scale(self) -> tuple[int, int]:
        return SCALES[self.kind]

    @property
    def scores(self) -> range:
        low, high = self.scale
        return range(low, high + 1)

    def language(self, wanted: Iterable[str]) -> str:
        """The first language of those wanted that there is, as `de` for `de-AT`."""
        return reading.spoken(wanted, self.languages)

    @property
    def default(self) -> str:
        return self.languages[0]

    def said(self, words: Words | None, language: str) -> str:
        """The text in a language, or in the first one that has it."""
        return reading.said(words, language, self.default)

    def following(self, score: int) -> list[FollowUp]:
        """The questions that follow a score."""
        return [each for each in self.follow_ups if each.fits(score)]

    def closing(self, score: int | None, language: str) -> str:
        """What is said at the end, after a score or without one."""
        fits = (
            each
            for each in self.thanks
            if score is not None and each.low <= score <= each.high
        )
        found = next(fits, None)
        return self.said(found.text if found else None, language)

    def checked(self, score: int, answers: Mapping[str, str]) -> dict[str, str]:
        """Answers to the questions that follow this score; raises `BadValue`.

        Others are left out: whoever changes the score is asked something else.
        """
        if score not in self.scores:
            raise BadValue(f"a score is one of {_span(self.scale)}, not {score}")
        kept = {}
        for each in self.following(score):
            text = answers.get(each.id, "").strip()
            if not text:
                continue
            if each.kind == "choice" and text not in _places(each.options):
                raise BadValue(f"{each.id}: no such choice")
            if len(text) > LONGEST_ANSWER:
                raise BadValue(f"{each.id}: at most {LONGEST_ANSWER} characters")
            kept[each.id] = text.replace("\x00", "")
        return kept

    def comment(self, answers: Mapping[str, str]) -> str:
        """What was written, as one text."""
        texts = (each.id for each in self.follow_ups if each.kind == "text")
        return "\n\n".join(answers[name] for name in texts if answers.get(name))

    def chosen(self, answers: Mapping[str, str]) -> dict[str, str]:
        """The choices made, in the words of the first language."""
        return {
            each.id: self.said(each.options[int(answers[each.id])], self.default)
            for each in self.follow_ups
            if each.kind == "choice" and answers.get(each.id)
        }


def _places(options: Sequence[Words]) -> list[str]:
    return [str(n) for n in range(len(options))]


# --- reading -----------------------------------------------------------------


def read(document: object) -> Questionnaire:
    """What a document asks; raises `BadValue` with the place and the reason."""
    given = reading.mapping(document, "the survey")
    kind = given.get("kind")
    if kind not in KINDS:
        raise BadValue(f"kind: one of {', '.join(KINDS)}")
    languages = reading.languages(given.get("languages"))
    scale = SCALES[kind]
    mail = reading.mapping(given.get("mail", {}), "mail")
    follow_ups = tuple(
        _follow_up(each, f"follow-up {n}", languages, scale)
        for n, each in enumerate(
            reading.listed(given.get("follow_ups", []), "follow_ups"), 1
        )
    )
    if len(follow_ups) > MOST_FOLLOW_UPS:
        raise BadValue(f"at most {MOST_FOLLOW_UPS} questions follow")
    if len({each.id for each in follow_ups}) < len(follow_ups):
        raise BadValue("two questions that follow have the same id")
    return Questionnaire(
        kind=cast(Kind, kind),
        languages=languages,
        ask=reading.words(given.get("ask"), "question", languages, is_needed=True),
        low=reading.words(given.get("low"), "low end", languages),
        high=reading.words(given.get("high"), "high end", languages),
        follow_ups=follow_ups,
        thanks=tuple(
            _thanks(each, f"thanks {n}", languages, scale)
            for n, each in enumerate(
                reading.listed(given.get("thanks", []), "thanks"), 1
            )
        ),
        subject=reading.words(mail.get("subject"), "subject", languages),
        intro=reading.words(mail.get("text"), "mail", languages),
    )


def _follow_up(
    given: object, place: str, languages: Sequence[str], scale: tuple[int, int]
) -> FollowUp:
    found = reading.mapping(given, place)
    kind, name = str(found.get("kind", "text")), str(found.get("id", ""))
    if kind not in FOLLOW_UPS:
        raise BadValue(f"{place}: text or choice")
    if not name.isidentifier() or len(name) > 40:
        raise BadValue(f"{place}: an id of letters")
    options = tuple(
        reading.words(each, f"{place}, choice {n}", languages, is_needed=True)
        for n, each in enumerate(reading.listed(found.get("options", []), place), 1)
    )
    if kind == "choice" and not 2 <= len(options) <= MOST_OPTIONS:
        raise BadValue(f"{place}: 2 to {MOST_OPTIONS} choices")
    low, high = _bounds(found, place, scale)
    ask = reading.words(found.get("ask"), place, languages, is_needed=True)
    return FollowUp(name, kind, ask, low, high, options if kind == "choice" else ())


def _thanks(
    given: object, place: str, languages: Sequence[str], scale: tuple[int, int]
) -> Thanks:
    found = reading.mapping(given, place)
    low, high = _bounds(found, place, scale)
    return Thanks(reading.words(found.get("text"), place, languages), low, high)


def _bounds(
    given: Mapping[str, Any], place: str, scale: tuple[int, int]
) -> tuple[int, int]:
    low, high = given.get("from", scale[0]), given.get("to", scale[1])
    is_fine = isinstance(low, int) and isinstance(high, int)
    if not is_fine or not scale[0] <= low <= high <= scale[1]:
        raise BadValue(f"{place}: scores within {_span(scale)}")
    return low, high


def _span(scale: tuple[int, int]) -> str:
    return f"{scale[0]} to {scale[1]}"
