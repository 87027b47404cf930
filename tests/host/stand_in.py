"""In place of Perennial, for tests of what the snippet draws: answers what a test wants,
and writes down what it is told."""

from __future__ import annotations

import json
from typing import Any, Final

from playwright.sync_api import BrowserContext, Route

_CORS: Final = {"Access-Control-Allow-Origin": "*", "Content-Type": "application/json"}
WORDS: Final = {
    "close": "Close",
    "back": "Back",
    "next": "Next",
    "done": "Done",
    "progress": "{n} of {all}",
    "hide": "Do not show again",
    "search": "Search",
    "none": "Nothing found",
    "ticked": "Done",
}
_PICKER: Final = {
    "point": "Point at the element of step {step}",
    "keys": "Arrows walk, Enter chooses, Escape cancels",
    "browse": "Use the page",
    "pick": "Point",
    "cancel": "Cancel",
    "use": "Use this element",
    "again": "Choose another",
    "one": "Exactly this element fits.",
    "weak": "Only its place tells it apart.",
    "shut": "What is inside it is out of reach.",
    "saved": "Saved. You can close this page.",
    "failed": "That could not be saved.",
    "close": "Close",
}
_LOOK: Final = {
    "accent": "#0F766E",
    "mode": "auto",
    "radius": 12,
    "position": "bottom-right",
}
#: Of forms that lie beside the page.
_STAYS: Final = {"banner", "hotspot", "checklist", "resource_center"}
_PRINT: Final = {"selectors": ["[data-testid=print]"], "text": "Print"}


def step(**more: Any) -> dict[str, Any]:
    return {
        "id": "s1",
        "place": "anchor",
        "anchor": _PRINT,
        "lost": "center",
        "page": "",
        "title": "Print the day",
        "body": "Every tour on **one page**, for those who drive.",
        "advance": "button",
        "event": "",
        "buttons": [],
        **more,
    }


def item(number: int, title: str, **more: Any) -> dict[str, Any]:
    plain = {"body": "", "done": False, "event": "", "does": "none"}
    return {"id": f"i{number}", "title": title, "guide": "", "url": ""} | plain | more


class StandIn:
    """Of one browser. `add` a guide, then open a page of the host."""

    def __init__(self, context: BrowserContext) -> None:
        self.guides: dict[str, dict[str, Any]] = {}
        self.things: list[dict[str, Any]] = []
        self.told: list[tuple[str, str]] = []
        self.picked: list[dict[str, Any]] = []
        self.claimed: list[str] = []
        context.route("**/v1/batch", self._fulfill({}))
        context.route("**/snippet/v1/things", self._things)
        context.route("**/snippet/v1/claim", self._claim)
        context.route("**/snippet/v1/told", self._told)
        context.route("**/snippet/v1/pick", self._pick)
        context.route("**/snippet/v1/picked", self._picked)

    def add(self, form: str, *steps: dict[str, Any], **more: Any) -> None:
        name = f"g{len(self.guides)}"
        thing = {
            "kind": "guide",
            "id": name,
            "pages": [],
            "event": "",
            "delay_s": 0,
            "ticket": name,
            "stays": form in _STAYS,
        }
        self.things.append(thing | more.pop("thing", {}))
        self.guides[name] = {
            "kind": "guide",
            "token": f"token of {name}",
            "language": "en",
            "direction": "ltr",
            "form": form,
            "name": "Your first day",
            "at": 0,
            "look": _LOOK | more.pop("look", {}),
            "steps": list(steps),
            "items": [],
            "words": WORDS,
            **more,
        }

    def _fulfill(self, body: object) -> Any:
        text = json.dumps(body)
        return lambda route: route.fulfill(status=200, headers=_CORS, body=text)

    def _things(self, route: Route) -> None:
        self._fulfill({"things": self.things, "again_s": 600})(route)

    def _claim(self, route: Route) -> None:
        ticket = json.loads(route.request.post_data or "{}")["ticket"]
        self.claimed.append(ticket)
        self._fulfill({"show": self.guides.get(ticket)})(route)

    def _told(self, route: Route) -> None:
        said = json.loads(route.request.post_data or "{}")
        self.told.append((said["did"], said["step"]))
        self._fulfill({"ok": True})(route)

    def _pick(self, route: Route) -> None:
        if json.loads(route.request.post_data or "{}")["token"] != "good":
            return route.fulfill(status=404, headers=_CORS, body="{}")
        words = _PICKER
        self._fulfill(
            {"step": "2", "language": "en", "direction": "ltr", "words": words}
        )(route)
        return None

    def _picked(self, route: Route) -> None:
        self.picked.append(json.loads(route.request.post_data or "{}"))
        self._fulfill({"ok": True})(route)
