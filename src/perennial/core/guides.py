"""Guides as documents: what is shown where, to whom, how often.

    form: walkthrough
    languages: [en, de]
    title: {en: Getting started, de: Erste Schritte}
    steps:
      - {id: s1, place: anchor, page: /reports/*, title: {en: Export}, body: {en: ...},
         anchor: {selectors: ["#export"], text: Export}, advance: click,
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
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Final

from perennial.core import reading
from perennial.core.errors import BadValue
from perennial.core.reading import Words

FORMS: Final = (
    *("tooltip", "modal", "banner", "hotspot", "walkthrough", "checklist"),
    *("resource_center", "announcement"),
)
#: Forms that stay on the page until they are done with, beside whatever else is shown.
STAYING: Final = frozenset({"banner", "hotspot", "checklist", "resource_center"})
#: Forms that are a list of things to do or to read, not steps.
LISTS: Final = frozenset({"checklist", "resource_center"})
PLACES: Final = ("anchor", "center", "top", "bottom", "corner")
ADVANCES: Final = ("button", "click", "event")
DOES: Final = ("next", "back", "done", "close", "open", "snooze")
ITEM_DOES: Final = ("none", "open", "guide")
MODES: Final = ("auto", "light", "dark")
POSITIONS: Final = ("bottom-right", "bottom-left", "top-right", "top-left")
OFTEN: Final = ("once", "until_finished", "every")
PROGRESS: Final = ("finished", "not_finished", "seen", "not_seen")
#: What is counted as one by chance and in the effect: a person or a whole account.
UNITS: Final = ("person", "account")
KNOWN: Final = ("all", "new", "known")
MOST_STEPS, MOST_ITEMS, MOST_BUTTONS, MOST_SELECTORS = 12, 12, 3, 8
LONGEST_SELECTOR, LONGEST_PAGE, LONGEST_DELAY_S = 500, 500, 600

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
class Who:
    """For whom: everybody, unless said otherwise.

    `progress` in another `guide`; `known` tells people first seen since `since` from
    those before; `invited`: accounts that a playbook or a person chose, alone.
    """

    segment: str = ""
    roles: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    event: str = ""
    guide: int | None = None
    progress: str = "finished"
    known: str = "all"
    since: date | None = None
    invited: bool = False


@dataclass(frozen=True)
class When:
    """How often and from when: see `core.guiding`. Shares in percent: `hold_out` of all
    see nothing, `other` of those who see something see the second variant."""

    often: str = "once"
    every_days: int = 30
    most: int | None = None
    rest_days: int = 7
    starts_on: date | None = None
    ends_on: date | None = None
    delay_s: int = 0
    hold_out: int = 0
    other: int = 0
    by: str = "person"


@dataclass(frozen=True)
class Target:
    """What the guide is to bring about, within `days` of being shown: an event, or a
    metric of the catalog."""

    event: str = ""
    metric: str = ""
    days: int = 14


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

    def said(self, words: Words, language: str) -> str:
        return reading.said(words, language, self.languages[0])


def is_page(patterns: Sequence[str], path: str) -> bool:
    """Is a path one of these? Of no pattern, every path is."""
    return not patterns or any(fnmatchcase(path, each) for each in patterns)


# --- reading -----------------------------------------------------------------


def read(document: object) -> Guide:
    """What a document shows; raises `BadValue` with the place and the reason."""
    given = reading.mapping(document, "the guide")
    form = _one_of(given, "form", FORMS, "")
    languages = reading.languages(given.get("languages"))
    other = given.get("other")
    when = _when(reading.part(given, "when"))
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
        who=_who(reading.part(given, "who")),
        when=when,
        target=_target(reading.part(given, "target")),
    )


def _one_of(
    given: Mapping[str, Any],
    name: str,
    known: Sequence[str],
    usual: str,
    place: str = "",
) -> str:
    found = str(given.get(name) or usual)
    if found not in known:
        raise BadValue(f"{place}{name}: one of {', '.join(known)}")
    return found


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
    stands = _one_of(given, "place", PLACES, "center", at)
    anchor = _anchor(reading.part(given, "anchor"), place)
    if form in {"tooltip", "hotspot"}:
        stands = "anchor"
    if stands == "anchor" and anchor is None:
        raise BadValue(f"{place}: point at an element of the page")
    advance = _one_of(given, "advance", ADVANCES, "button", at)
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
        page=str(given.get("page") or "").strip()[:LONGEST_PAGE],
        advance=advance,
        event=event,
        buttons=tuple(
            _button(each, f"{at}button {n}", languages)
            for n, each in enumerate(buttons, 1)
        ),
    )


def _item(given: Mapping[str, Any], place: str, languages: Sequence[str]) -> Item:
    does = _one_of(given, "does", ITEM_DOES, "none", f"{place}, ")
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
    does = _one_of(found, "does", DOES, "next", f"{place}, ")
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
        _one_of(given, "mode", MODES, "auto"),
        8 if radius is None else radius,
        _one_of(given, "position", POSITIONS, "bottom-right"),
    )


def _who(given: Mapping[str, Any]) -> Who:
    known, since = _one_of(given, "known", KNOWN, "all"), reading.day(given, "since")
    if known != "all" and since is None:
        raise BadValue("since: the day that tells new people from known ones")
    return Who(
        segment=str(given.get("segment") or ""),
        roles=reading.texts(given, "roles"),
        pages=reading.texts(given, "pages"),
        event=str(given.get("event") or "").strip()[:200],
        guide=reading.number(given, "guide", 1, 2**63 - 1),
        progress=_one_of(given, "progress", PROGRESS, "finished"),
        known=known,
        since=since,
        invited=bool(given.get("invited")),
    )


def _when(given: Mapping[str, Any]) -> When:
    def number(name: str, low: int, high: int, usual: int) -> int:
        found = reading.number(given, name, low, high)
        return usual if found is None else found

    starts_on, ends_on = reading.day(given, "starts_on"), reading.day(given, "ends_on")
    if starts_on and ends_on and ends_on <= starts_on:
        raise BadValue("ends_on: after the first day")
    return When(
        often=_one_of(given, "often", OFTEN, "once"),
        every_days=number("every_days", 1, 730, 30),
        most=reading.number(given, "most", 1, 1_000),
        rest_days=number("rest_days", 0, 730, 7),
        starts_on=starts_on,
        ends_on=ends_on,
        delay_s=number("delay_s", 0, LONGEST_DELAY_S, 0),
        hold_out=number("hold_out", 0, 90, 0),
        other=number("other", 0, 100, 0),
        by=_one_of(given, "by", UNITS, "person"),
    )


def _target(given: Mapping[str, Any]) -> Target | None:
    event = str(given.get("event") or "").strip()[:200]
    metric = str(given.get("metric") or "").strip()
    if event and metric:
        raise BadValue("target: an event or a metric, not both")
    if not event and not metric:
        return None
    days = reading.number(given, "days", 1, 90)
    return Target(event, metric, 14 if days is None else days)
