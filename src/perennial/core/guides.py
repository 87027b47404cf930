"""Guides as documents: what is shown where, to whom, how often.

    form: walkthrough
    languages: [en, de]
    title: {en: Getting started, de: Erste Schritte}
    steps:
      - {id: s1, place: anchor, page: /reports/*, title: {en: Export}, body: {en: ...},
         anchor: {selectors: ["#export"], text: Export}, lost: skip, advance: click,
         buttons: [{label: {en: Next}, does: next}]}
    items: [{id: i1, title: {en: Invite}, event: Invited, does: open, url: /team}]
    other: {steps: [...], items: [...]}
    look: {accent: "#4B48C8", mode: auto, radius: 8, position: bottom-right}
    who: {segment: new, pages: [/reports/*], guide: 12, progress: finished}
    when: {often: every, every_days: 30, most: 3, hold_out: 10, other: 50, by: account}
    target: {event: Report exported, days: 14}

Pure: a document in, frozen values out; what is wrong is said with its place. Texts are
text: `body` knows paragraphs, lists, **bold** and [links](https://...), and whoever
draws it makes nodes of them. Addresses are https or a path: nothing a browser runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

from perennial.core import reading
from perennial.core.errors import BadValue
from perennial.core.guide_rules import (
    Target,
    When,
    Who,
    read_target,
    read_when,
    read_who,
)
from perennial.core.reading import Words, one_of

FORMS: Final = (
    *("tooltip", "modal", "banner", "hotspot", "walkthrough", "checklist"),
    *("resource_center", "announcement"),
)
#: Forms that stay on the page until they are done with, beside whatever else is shown.
STAYING: Final = frozenset({"banner", "hotspot", "checklist", "resource_center"})
#: Forms that are a list of things to do or to read, not steps.
LISTS: Final = frozenset({"checklist", "resource_center"})
PLACES: Final = ("anchor", "center", "top", "bottom", "corner")
#: What a step does when its element is not there in time: wait for it, let the next
#: step begin, end the guide, or say it in the middle of the window.
LOST: Final = ("wait", "skip", "end", "center")
ADVANCES: Final = ("button", "click", "event")
DOES: Final = ("next", "back", "done", "close", "open", "snooze")
ITEM_DOES: Final = ("none", "open", "guide")
MODES: Final = ("auto", "light", "dark")
POSITIONS: Final = ("bottom-right", "bottom-left", "top-right", "top-left")
MOST_STEPS, MOST_ITEMS, MOST_BUTTONS, MOST_SELECTORS = 12, 12, 3, 8
LONGEST_SELECTOR, LONGEST_PAGE = 500, 500

_COLOR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
#: A path of the product, not of another host; or another host, encrypted.
_ADDRESS = re.compile(r"/(?![/\\])[^\s\\]*|https://[^\s\\/?#]+(?:[/?#]\S*)?")
_LINK = re.compile(r"\]\(([^)]*)\)")


@dataclass(frozen=True)
class Anchor:
    """The element a step points at: selectors, the best first, and its text."""

    selectors: tuple[str, ...]
    text: str = ""


@dataclass(frozen=True)
class Button:
    label: Words
    does: str
    url: str = ""


@dataclass(frozen=True)
class Step:
    """One box: where it stands, what it says, what leads on."""

    id: str
    place: str
    title: Words
    body: Words
    anchor: Anchor | None = None
    lost: str = "center"
    page: str = ""
    advance: str = "button"
    event: str = ""
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True)
class Item:
    """A line of a list. It is ticked by `event`, by the `step` of an onboarding flow
    (its reference), or not at all."""

    id: str
    title: Words
    body: Words
    event: str = ""
    step: str = ""
    does: str = "none"
    url: str = ""
    guide: int | None = None


@dataclass(frozen=True)
class Content:
    """What is shown to one half of the people, or to all."""

    steps: tuple[Step, ...] = ()
    items: tuple[Item, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """The ids of everything that can be seen or ticked."""
        return (*(s.id for s in self.steps), *(i.id for i in self.items))


@dataclass(frozen=True)
class Look:
    accent: str = "#4B48C8"
    mode: str = "auto"
    radius: int = 8
    position: str = "bottom-right"


@dataclass(frozen=True)
class Guide:
    """`title` stands over a list; the name of the guide does where it is empty."""

    form: str
    languages: tuple[str, ...]
    title: Words
    first: Content
    other: Content | None = None
    look: Look = field(default_factory=Look)
    who: Who = field(default_factory=Who)
    when: When = field(default_factory=When)
    target: Target | None = None

    @property
    def stays(self) -> bool:
        return self.form in STAYING

    @property
    def pages(self) -> tuple[str, ...]:
        """Where it begins: the pages it is for, else that of its first step."""
        if self.who.pages or not self.first.steps or not self.first.steps[0].page:
            return self.who.pages
        return (self.first.steps[0].page,)

    def content(self, variant: str) -> Content:
        return self.other if variant == "b" and self.other else self.first

    def ends_without(self, variant: str, step: str) -> bool:
        """Is the guide over for somebody once the element of this step is lost?"""
        steps = self.content(variant).steps
        return any(each.id == step and each.lost == "end" for each in steps)

    def said(self, words: Words, language: str) -> str:
        return reading.said(words, language, self.languages[0])


def is_page(patterns: Sequence[str], path: str) -> bool:
    """Is a path one of these? Of no pattern, every path is."""
    return not patterns or any(fnmatchcase(path, each) for each in patterns)


# --- reading -----------------------------------------------------------------


def read(document: object) -> Guide:
    """What a document shows; raises `BadValue` with the place and the reason."""
    given = reading.mapping(document, "the guide")
    form = one_of(given, "form", FORMS, "")
    languages = reading.languages(given.get("languages"))
    other = given.get("other")
    when = read_when(reading.part(given, "when"))
    if when.other and not other:
        raise BadValue("variants: the second one has a share, and says nothing")
    return Guide(
        form=form,
        languages=languages,
        title=reading.words(given.get("title"), "title", languages),
        first=_content(given, form, languages),
        other=_content(reading.part(given, "other"), form, languages, "variant B, ")
        if other
        else None,
        look=_look(reading.part(given, "look")),
        who=read_who(reading.part(given, "who")),
        when=when,
        target=read_target(reading.part(given, "target")),
    )


def check_draft(document: object) -> None:
    """Raise `BadValue` for what no builder can show; a draft may be unfinished."""
    given = reading.mapping(document, "the guide")
    one_of(given, "form", FORMS, "")
    reading.languages(given.get("languages"))
    for name in ("title", "look", "when", "target"):
        reading.part(given, name)
    for name in ("roles", "pages"):
        reading.texts(reading.part(given, "who"), name)
    for content in (given, reading.part(given, "other")):
        for part in (*reading.rows(content, "steps"), *reading.rows(content, "items")):
            place = str(part.get("id") or "a part without an id")
            _id(part, place)
            for name in ("title", "body"):
                reading.part(part, name)
            anchor = reading.part(part, "anchor")
            reading.listed(anchor.get("selectors") or (), place)
            for button in reading.rows(part, "buttons"):
                reading.part(button, "label")


def _content(
    given: Mapping[str, Any], form: str, languages: Sequence[str], place: str = ""
) -> Content:
    is_list = form in LISTS
    name, most = ("items", MOST_ITEMS) if is_list else ("steps", MOST_STEPS)
    if form != "walkthrough" and not is_list:
        most = 1
    found = reading.listed(given.get(name) or (), name)
    if not 1 <= len(found) <= most:
        said = f"1 to {most}" if most > 1 else "exactly one"
        raise BadValue(f"{place}{name}: {said} in this form")
    word = name.removesuffix("s")
    parts = [
        (reading.mapping(each, f"{place}{word} {n}"), f"{place}{word} {n}")
        for n, each in enumerate(found, 1)
    ]
    if len({str(each.get("id")) for each, _ in parts}) < len(parts):
        raise BadValue(f"{place}{name}: two have the same id")
    if is_list:
        return Content(items=tuple(_item(e, at, languages) for e, at in parts))
    return Content(steps=tuple(_step(e, at, form, languages) for e, at in parts))


def _step(
    given: Mapping[str, Any], place: str, form: str, languages: Sequence[str]
) -> Step:
    at = f"{place}, "
    stands = one_of(given, "place", PLACES, "center", at)
    anchor = _anchor(reading.part(given, "anchor"), place)
    if form in {"tooltip", "hotspot"}:
        stands = "anchor"
    if stands == "anchor" and anchor is None:
        raise BadValue(f"{place}: point at an element of the page")
    advance = one_of(given, "advance", ADVANCES, "button", at)
    event = str(given.get("event") or "").strip()[:200]
    if advance == "event" and not event:
        raise BadValue(f"{place}: the name of the event it waits for")
    if advance == "click" and stands != "anchor":
        raise BadValue(f"{place}: a click on what? Point at an element of the page")
    buttons = reading.listed(given.get("buttons") or (), f"{at}buttons")
    if len(buttons) > MOST_BUTTONS:
        raise BadValue(f"{place}: at most {MOST_BUTTONS} buttons")
    return Step(
        id=_id(given, place),
        place=stands,
        title=_title(given, place, languages),
        body=_body(given, place, languages),
        anchor=anchor if stands == "anchor" else None,
        lost=one_of(given, "lost", LOST, usual_lost(form), at),
        page=str(given.get("page") or "").strip()[:LONGEST_PAGE],
        advance=advance,
        event=event,
        buttons=tuple(
            _button(each, f"{at}button {n}", languages)
            for n, each in enumerate(buttons, 1)
        ),
    )


def usual_lost(form: str) -> str:
    """What steps do that do not say it: a walkthrough is worth reading anywhere."""
    return "center" if form == "walkthrough" else "skip"


def _item(given: Mapping[str, Any], place: str, languages: Sequence[str]) -> Item:
    does = one_of(given, "does", ITEM_DOES, "none", f"{place}, ")
    guide = reading.number(given, "guide", 1, 2**63 - 1)
    if does == "guide" and guide is None:
        raise BadValue(f"{place}: which guide does it begin?")
    return Item(
        id=_id(given, place),
        title=_title(given, place, languages),
        body=_body(given, place, languages),
        event=str(given.get("event") or "").strip()[:200],
        step=str(given.get("step") or "").strip()[:300],
        does=does,
        url=_address(given, place, is_needed=does == "open"),
        guide=guide if does == "guide" else None,
    )


def _id(given: Mapping[str, Any], place: str) -> str:
    name = str(given.get("id") or "")
    if not (name.isascii() and name.isidentifier()) or len(name) > 40:
        raise BadValue(f"{place}: an id of letters and digits")
    return name


def _title(given: Mapping[str, Any], place: str, languages: Sequence[str]) -> Words:
    title = reading.words(given.get("title"), place, languages, is_needed=True)
    if any(len(text) > 120 for text in title.values()):
        raise BadValue(f"{place}: a title of at most 120 characters")
    return title


def _body(given: Mapping[str, Any], place: str, languages: Sequence[str]) -> Words:
    body = reading.words(given.get("body"), place, languages)
    for text in body.values():
        for url in _LINK.findall(text):
            if not is_address(url):
                raise BadValue(f"{place}: links lead to https:// or a path, not {url}")
    return body


def _anchor(given: Mapping[str, Any], place: str) -> Anchor | None:
    found = reading.listed(given.get("selectors") or (), place)
    selectors = tuple(str(each).strip() for each in found if str(each).strip())
    if len(selectors) > MOST_SELECTORS:
        raise BadValue(f"{place}: at most {MOST_SELECTORS} selectors")
    if any(len(each) > LONGEST_SELECTOR for each in selectors):
        raise BadValue(f"{place}: selectors of at most {LONGEST_SELECTOR} characters")
    text = str(given.get("text") or "").strip()[:120]
    return Anchor(selectors, text) if selectors else None


def _button(given: object, place: str, languages: Sequence[str]) -> Button:
    found = reading.mapping(given, place)
    does = one_of(found, "does", DOES, "next", f"{place}, ")
    label = reading.words(found.get("label"), place, languages, is_needed=True)
    return Button(label, does, _address(found, place, is_needed=does == "open"))


def _address(given: Mapping[str, Any], place: str, *, is_needed: bool) -> str:
    url = str(given.get("url") or "").strip()
    if not is_needed:
        return ""
    if not is_address(url):
        raise BadValue(f"{place}: an address that begins with https:// or /")
    return url


def is_address(url: str) -> bool:
    """May a guide lead there? To https, or to a path of the product itself."""
    return len(url) <= LONGEST_PAGE and _ADDRESS.fullmatch(url) is not None


def _look(given: Mapping[str, Any]) -> Look:
    accent = str(given.get("accent") or "#4B48C8")
    if not _COLOR.fullmatch(accent):
        raise BadValue("accent: a color as #4B48C8")
    radius = reading.number(given, "radius", 0, 24)
    return Look(
        accent,
        one_of(given, "mode", MODES, "auto"),
        8 if radius is None else radius,
        one_of(given, "position", POSITIONS, "bottom-right"),
    )
