"""Guides: what their documents may say, and when they may be shown, for a year."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perennial.core import guiding
from perennial.core.errors import BadValue
from perennial.core.guide_rules import OFTEN
from perennial.core.guides import FORMS, LISTS, is_address, read
from perennial.core.guiding import Reader, Reason, Shown, refusal, variant

DAY = date(2026, 6, 1)
ANA = Reader("ana", "acme", first_seen_on=date(2026, 1, 1))
DOCUMENT: dict[str, Any] = {
    "form": "walkthrough",
    "languages": ["en", "de"],
    "steps": [
        {"id": "s1", "place": "anchor", "page": "/reports/*", "advance": "click",
         "anchor": {"selectors": ["#export"], "text": "Export"},
         "title": {"en": "Export", "de": "Export"},
         "body": {"en": "See [how](https://help.example/x) and [here](/help)."}},
        {"id": "s2", "title": {"en": "Done", "de": "Fertig"},
         "buttons": [{"label": {"en": "OK", "de": "OK"}, "does": "done"}]},
    ],
}  # fmt: skip


def guide(form: str = "modal", **parts: Any) -> guiding.Guide:
    """A small guide of a form."""
    one = {"id": "x", "title": {"en": "Hello"}, "anchor": {"selectors": ["#x"]}}
    made = {"form": form, "languages": ["en"]}
    return read({**made, "items" if form in LISTS else "steps": [one], **parts})


def test_a_document_is_read_whole() -> None:
    found = read(DOCUMENT)
    first, last = found.first.steps
    assert (first.place, first.anchor and first.anchor.selectors) == (
        "anchor",
        ("#export",),
    )
    assert found.pages == ("/reports/*",)
    assert (
        found.said(first.body, "de")
        == "See [how](https://help.example/x) and [here](/help)."
    )
    assert (last.place, last.buttons[0].does) == ("center", "done")
    assert (first.lost, guide("tooltip").first.steps[0].lost) == ("center", "skip")
    ended = copy.deepcopy(DOCUMENT)
    ended["steps"][0]["lost"] = "end"
    assert [read(ended).ends_without("a", step) for step in ("s1", "s2")] == [
        True,
        False,
    ]
    ended["steps"][0]["lost"] = "explode"
    with pytest.raises(BadValue, match="step 1, lost: one of wait"):
        read(ended)
    assert {guide(form).form for form in FORMS} == set(FORMS)
    assert [guide(form).stays for form in ("modal", "banner", "checklist")] == [
        False,
        True,
        True,
    ]


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    made = copy.deepcopy(DOCUMENT)
    at: Any = made
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = to
    return made


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ([], "names and values"),
        (changed("form", to="popup"), "form: one of tooltip"),
        (changed("languages", to=["english"]), "two letters"),
        (changed("steps", to=[]), "steps: 1 to 12"),
        (changed("form", to="modal"), "steps: exactly one"),
        (changed("steps", 1, "id", to="s1"), "the same id"),
        (changed("steps", 1, "id", to="s 2"), "step 2: an id"),
        (changed("steps", 0, "title", to={"en": "Export"}), "step 1: the text in de"),
        (changed("steps", 0, "anchor", to={}), "step 1: point at an element"),
        (changed("steps", 0, "advance", to="event"), "step 1: the name of the event"),
        (changed("steps", 1, "advance", to="click"), "step 2: a click on what?"),
        (changed("steps", 1, "buttons", 0, "does", to="open"), "step 2, button 1: an address"),
        (changed("steps", 0, "body", to={"en": "[x](javascript:alert(1))"}), "step 1: links lead"),
        (changed("look", to={"accent": "red;}"}), "accent"),
        (changed("look", to={"radius": 99}), "radius: 0 to 24"),
        (changed("who", to={"known": "new"}), "since"),
        (changed("when", to={"hold_out": "some"}), "hold_out: a whole number"),
        (changed("when", to={"other": 50}), "variants"),
        (changed("when", to={"starts_on": "2026-06-01", "ends_on": "2026-06-01"}), "ends_on"),
        (changed("target", to={"event": "X", "metric": "dau"}), "not both"),
        (changed("other", to={"steps": [{}]}), "variant B, step 1: an id"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(document: Any, reason: str) -> None:
    with pytest.raises(BadValue, match=reason.replace("?", r"\?")):
        read(document)


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "//evil.example", "/\\evil.example", "http://x.example", "https://",
     "data:text/html,x", "https:x", " https://x.example", "JaVaScRiPt:x", "/x y", "/" + "x" * 600],
)  # fmt: skip
def test_addresses_that_lead_astray(url: str) -> None:
    assert not is_address(url)


def test_addresses() -> None:
    assert is_address("/reports?x=1#top")
    assert is_address("https://x.example")
    assert is_address("https://x.example/a?b#c")


# --- when --------------------------------------------------------------------


def on(days: int) -> date:
    return DAY + timedelta(days=days)


@pytest.mark.parametrize(
    ("parts", "shown", "reason"),
    [
        ({}, Shown(), None),
        ({}, Shown(1, DAY), Reason.SHOWN),
        ({}, Shown(1, DAY, finished_on=DAY), Reason.FINISHED),
        ({"often": "until_finished"}, Shown(1, on(-1)), None),
        ({"often": "until_finished"}, Shown(1, DAY), Reason.SHOWN),
        ({"often": "until_finished"}, Shown(1, on(-9), finished_on=on(-9)), Reason.FINISHED),
        ({"often": "until_finished"}, Shown(1, on(-6), dismissed_on=on(-6)), Reason.RESTING),
        ({"often": "until_finished"}, Shown(1, on(-7), dismissed_on=on(-7)), None),
        ({"often": "every", "every_days": 10}, Shown(1, on(-9), finished_on=on(-9)), Reason.SHOWN),
        ({"often": "every", "every_days": 10}, Shown(1, on(-10), finished_on=on(-10)), None),
        ({"often": "every", "most": 2}, Shown(2, on(-99)), Reason.ENOUGH),
        ({}, Shown(1, DAY, snoozed_until=on(1)), Reason.SNOOZED),
        ({}, Shown(1, on(-1), snoozed_until=DAY), None),
        ({"starts_on": "2026-06-02"}, Shown(), Reason.NOT_OPEN),
        ({"ends_on": "2026-06-01"}, Shown(), Reason.NOT_OPEN),
        ({}, Shown(1, on(-1), is_held_out=True), Reason.HELD_OUT),
    ],
)  # fmt: skip
def test_when_it_is_shown(
    parts: dict[str, Any], shown: Shown, reason: Reason | None
) -> None:
    assert refusal(guide(when=parts), ANA, shown, DAY) is reason


def test_what_stays_goes_on_and_what_comes_between_rests() -> None:
    once = Shown(1, on(-5))
    assert refusal(guide("checklist"), ANA, once, DAY) is None
    assert (
        refusal(guide("banner"), ANA, replace(once, dismissed_on=on(-1)), DAY)
        is Reason.SHOWN
    )
    over = replace(once, dismissed_on=on(-1), finished_on=on(-1))
    assert refusal(guide("resource_center"), ANA, over, DAY) is None
    tour = guide("walkthrough")
    assert refusal(tour, ANA, Shown(1, on(-1)), DAY) is None
    assert refusal(tour, ANA, Shown(1, on(-2)), DAY) is Reason.SHOWN
    guided = replace(ANA, guided_on=DAY)
    assert refusal(tour, guided, Shown(), DAY) is Reason.DAY_FULL
    assert refusal(tour, guided, Shown(1, DAY), DAY) is None
    assert refusal(guide("announcement"), guided, Shown(), DAY) is None


@pytest.mark.parametrize(
    ("who", "reader", "reason"),
    [
        ({"invited": True}, {}, Reason.NOT_INVITED),
        ({"invited": True}, {"is_invited": True}, None),
        ({}, {"is_own": True}, Reason.OWN),
        ({"known": "new", "since": "2026-01-01"}, {}, None),
        ({"known": "new", "since": "2026-01-02"}, {}, Reason.KNOWN),
        ({"known": "known", "since": "2026-01-02"}, {}, None),
        ({"known": "known", "since": "2026-01-02"}, {"first_seen_on": None}, Reason.KNOWN),
        ({"guide": 4}, {}, Reason.PROGRESS),
        ({"guide": 4}, {"finished": frozenset({4})}, None),
        ({"guide": 4, "progress": "not_seen"}, {"seen": frozenset({4})}, Reason.PROGRESS),
        ({"guide": 4, "progress": "not_finished"}, {"seen": frozenset({4})}, None),
    ],
)  # fmt: skip
def test_for_whom_it_is(
    who: dict[str, Any], reader: dict[str, Any], reason: Reason | None
) -> None:
    assert refusal(guide(who=who), replace(ANA, **reader), Shown(), DAY) is reason


# --- chance ------------------------------------------------------------------


@given(st.integers(0, 90), st.integers(0, 100), st.text(min_size=1))
@settings(max_examples=30, deadline=None)
def test_shares_are_kept_and_accounts_stay_together(
    hold_out: int, other: int, key: str
) -> None:
    split = {"hold_out": hold_out, "other": other}
    people = [Reader(f"p{n}", f"a{n // 4}") for n in range(800)]
    more = {"steps": [{"id": "y", "title": {"en": "B"}}]}
    found = guide(when=split, other=more)
    drawn = [variant(found, key, each) for each in people]
    held = drawn.count("held_out") / 800
    assert abs(held - hold_out / 100) < 0.08
    seen = 800 - drawn.count("held_out")
    assert abs(drawn.count("b") / max(seen, 1) - other / 100) < (
        0.1 if seen > 300 else 0.3
    )
    assert drawn == [variant(found, key, each) for each in people]
    together = guide(when={**split, "by": "account"}, other=more)
    by_account = [variant(together, key, each) for each in people]
    assert all(len(set(by_account[n : n + 4])) == 1 for n in range(0, 800, 4))
    alone = guide(when={"hold_out": hold_out})
    assert "b" not in [variant(alone, key, each) for each in people[:50]]


# --- a year ------------------------------------------------------------------


class Simulated:
    """One person through a year: they come, they close, they finish, they put off."""

    def __init__(self, guides: dict[str, guiding.Guide], seed: int) -> None:
        self.guides, self.draw = guides, Random(seed)
        self.shown = dict.fromkeys(guides, Shown())
        self.begun: dict[str, list[date]] = {key: [] for key in guides}
        self.reader = replace(ANA, person=f"p{seed}")

    def visit(self, day: date) -> None:
        for key, found in self.guides.items():
            shown = self.shown[key]
            if refusal(found, self.reader, shown, day) is not None:
                continue
            if variant(found, key, self.reader) == "held_out":
                self.shown[key] = Shown(1, day, is_held_out=True)
                continue
            if not guiding.goes_on(found, shown, day):
                shown = replace(shown, times=shown.times + 1, began_on=day)
                self.begun[key].append(day)
                if found.form in guiding.INTERRUPTING:
                    self.reader = replace(self.reader, guided_on=day)
            self.shown[key] = self.answered(shown, day)

    def answered(self, shown: Shown, day: date) -> Shown:
        drawn = self.draw.random()
        if drawn < 0.2:
            return replace(shown, finished_on=day)
        if drawn < 0.5:
            return replace(shown, dismissed_on=day)
        if drawn < 0.6:
            return replace(shown, snoozed_until=day + timedelta(days=1))
        return shown


parts_of_when = st.fixed_dictionaries(
    {
        "often": st.sampled_from(OFTEN),
        "every_days": st.integers(1, 60),
        "rest_days": st.integers(0, 30),
        "hold_out": st.sampled_from([0, 50]),
    },
    optional={"most": st.integers(1, 5)},
)


@given(
    st.lists(st.tuples(st.sampled_from(FORMS), parts_of_when), min_size=1, max_size=5),
    st.integers(0, 10_000),
)
@settings(max_examples=40, deadline=None)
def test_a_year_of_visits_breaks_no_rule(
    chosen: list[tuple[str, dict[str, Any]]], seed: int
) -> None:
    guides = {f"g{n}": guide(form, when=when) for n, (form, when) in enumerate(chosen)}
    person = Simulated(guides, seed)
    for n in range(365):
        for _ in range(person.draw.randint(0, 2)):
            person.visit(on(n))
    between = []
    for key, found in guides.items():
        begun, when = person.begun[key], found.when
        if variant(found, key, person.reader) == "held_out":
            assert not begun
        assert len(begun) <= (when.most or 365)
        if when.often == "once":
            assert len(begun) <= 1
        gap = when.every_days if when.often == "every" else 1
        assert all((b - a).days >= gap for a, b in pairwise(begun))
        if found.form in guiding.INTERRUPTING:
            between += begun
    assert len(between) == len(set(between))
