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

from perennial.core.errors import BadValue

Kind: TypeAlias = Literal["nps", "csat", "ces"]
Words: TypeAlias = Mapping[str, str]

KINDS: Final[tuple[Kind, ...]] = ("nps", "csat", "ces")
#: The scale of each kind, both ends in it.
SCALES: Final[Mapping[Kind, tuple[int, int]]] = {
    "nps": (0, 10),
    "csat": (1, 5),
    "ces": (1, 7),
}
FOLLOW_UPS: Final = ("text", "choice")
#: Languages that are written from the right.
_FROM_THE_RIGHT: Final = frozenset({"ar", "fa", "he", "ur", "yi"})
LONGEST, LONGEST_ANSWER = 1_000, 5_000
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
        short = (code.lower().replace("_", "-").partition("-")[0] for code in wanted)
        return next((code for code in short if code in self.languages), self.default)

    @property
    def default(self) -> str:
        return self.languages[0]

    def said(self, words: Words | None, language: str) -> str:
        """The text in a language, or in the first one that has it."""
        found = words or {}
        return found.get(language) or found.get(self.default) or ""

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


def direction(language: str) -> Literal["ltr", "rtl"]:
    """Which way a language is written."""
    return "rtl" if language in _FROM_THE_RIGHT else "ltr"


# --- reading -----------------------------------------------------------------


def read(document: object) -> Questionnaire:
    """What a document asks; raises `BadValue` with the place and the reason."""
    given = _mapping(document, "the survey")
    kind = given.get("kind")
    if kind not in KINDS:
        raise BadValue(f"kind: one of {', '.join(KINDS)}")
    languages = _languages(given.get("languages"))
    scale = SCALES[kind]
    mail = _mapping(given.get("mail", {}), "mail")
    follow_ups = tuple(
        _follow_up(each, f"follow-up {n}", languages, scale)
        for n, each in enumerate(_list(given.get("follow_ups", []), "follow_ups"), 1)
    )
    if len(follow_ups) > MOST_FOLLOW_UPS:
        raise BadValue(f"at most {MOST_FOLLOW_UPS} questions follow")
    if len({each.id for each in follow_ups}) < len(follow_ups):
        raise BadValue("two questions that follow have the same id")
    return Questionnaire(
        kind=cast(Kind, kind),
        languages=languages,
        ask=_words(given.get("ask"), "question", languages, is_needed=True),
        low=_words(given.get("low"), "low end", languages),
        high=_words(given.get("high"), "high end", languages),
        follow_ups=follow_ups,
        thanks=tuple(
            _thanks(each, f"thanks {n}", languages, scale)
            for n, each in enumerate(_list(given.get("thanks", []), "thanks"), 1)
        ),
        subject=_words(mail.get("subject"), "subject", languages),
        intro=_words(mail.get("text"), "mail", languages),
    )


def _languages(given: object) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(str(each) for each in _list(given, "languages")))
    if not found or not all(len(each) == 2 and each.isalpha() for each in found):
        raise BadValue("languages: two letters each, as en")
    return found


def _follow_up(
    given: object, place: str, languages: Sequence[str], scale: tuple[int, int]
) -> FollowUp:
    found = _mapping(given, place)
    kind, name = str(found.get("kind", "text")), str(found.get("id", ""))
    if kind not in FOLLOW_UPS:
        raise BadValue(f"{place}: text or choice")
    if not name.isidentifier() or len(name) > 40:
        raise BadValue(f"{place}: an id of letters")
    options = tuple(
        _words(each, f"{place}, choice {n}", languages, is_needed=True)
        for n, each in enumerate(_list(found.get("options", []), place), 1)
    )
    if kind == "choice" and not 2 <= len(options) <= MOST_OPTIONS:
        raise BadValue(f"{place}: 2 to {MOST_OPTIONS} choices")
    low, high = _bounds(found, place, scale)
    ask = _words(found.get("ask"), place, languages, is_needed=True)
    return FollowUp(name, kind, ask, low, high, options if kind == "choice" else ())


def _thanks(
    given: object, place: str, languages: Sequence[str], scale: tuple[int, int]
) -> Thanks:
    found = _mapping(given, place)
    low, high = _bounds(found, place, scale)
    return Thanks(_words(found.get("text"), place, languages), low, high)


def _bounds(
    given: Mapping[str, Any], place: str, scale: tuple[int, int]
) -> tuple[int, int]:
    low, high = given.get("from", scale[0]), given.get("to", scale[1])
    is_fine = isinstance(low, int) and isinstance(high, int)
    if not is_fine or not scale[0] <= low <= high <= scale[1]:
        raise BadValue(f"{place}: scores within {_span(scale)}")
    return low, high


def _words(
    given: object, place: str, languages: Sequence[str], *, is_needed: bool = False
) -> Words:
    """A text in some languages; needed in every one, or in none."""
    texts = _mapping(given or {}, place)
    found = {
        code: str(texts[code]).strip()
        for code in languages
        if str(texts.get(code) or "").strip()
    }
    if is_needed:
        for code in languages:
            if code not in found:
                raise BadValue(f"{place}: the text in {code} is missing")
    if any(len(text) > LONGEST for text in found.values()):
        raise BadValue(f"{place}: at most {LONGEST} characters")
    return found


def _mapping(given: object, place: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadValue(f"{place}: names and values are expected")
    return given


def _list(given: object, place: str) -> list[Any]:
    if not isinstance(given, list | tuple):
        raise BadValue(f"{place}: a list is expected")
    return list(given)


def _span(scale: tuple[int, int]) -> str:
    return f"{scale[0]} to {scale[1]}"
