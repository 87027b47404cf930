"""What the frame shows: items of the navigation, entries of the palette.

Both are lists named in the settings, so that a new screen adds one line and
this package imports no application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.module_loading import import_string

Text = str | Promise


@dataclass(frozen=True)
class NavItem:
    """One line of the navigation.

    `key` is what a page sets as its `nav`; `count` gives the muted number of
    waiting work; `phone` puts the item into the tab bar of small screens; `shown`
    leaves the item out for people it is not for.
    """

    key: str
    label: Text
    icon: str
    url: str
    below: bool = False
    phone: bool = False
    count: Callable[[HttpRequest], int | None] | None = None
    shown: Callable[[HttpRequest], bool] | None = None

    def is_shown(self, request: HttpRequest) -> bool:
        return self.shown is None or self.shown(request)


@dataclass(frozen=True)
class Entry:
    """One line of the command palette.

    `template` renders something richer than the title (an account's health)
    from `data`; `group` is the heading it stands under.
    """

    group: Text
    title: Text
    url: str
    icon: str
    note: Text = ""
    facts: Text = ""
    key: str = ""
    template: str = ""
    data: object = None


@dataclass(frozen=True)
class Group:
    title: Text
    entries: list[Entry]


Provider = Callable[[HttpRequest, str], Iterable[Entry]]

#: A provider may give more; nobody reads more than this of one group.
MOST = 8


@cache
def _listed(path: str) -> Sequence[NavItem]:
    return cast("Sequence[NavItem]", import_string(path))


def items(request: HttpRequest) -> list[NavItem]:
    return [i for i in _listed(settings.NAVIGATION) if i.is_shown(request)]


def key_of(path: str) -> str:
    """The item a page belongs to: the one whose first folder the address has."""
    if path == "/":
        return next(
            (i.key for i in _listed(settings.NAVIGATION) if reverse(i.url) == "/"), ""
        )
    for item in _listed(settings.NAVIGATION):
        url = reverse(item.url)
        if url != "/" and path.startswith(f"/{url.split('/')[1]}/"):
            return item.key
    return ""


def settings_pages(request: HttpRequest) -> list[NavItem]:
    return [i for i in _listed(settings.SETTINGS_PAGES) if i.is_shown(request)]


def search(request: HttpRequest, query: str) -> list[Group]:
    """What every provider finds, in groups, in the order of the providers."""
    groups: dict[str, Group] = {}
    for path in settings.PALETTE:
        provider = cast("Provider", import_string(path))
        for entry in provider(request, query):
            group = groups.setdefault(str(entry.group), Group(entry.group, []))
            if len(group.entries) < MOST:
                group.entries.append(entry)
    return list(groups.values())


def matches(query: str, *texts: object) -> bool:
    """Every word of the query begins a word of one of the texts."""
    words = " ".join(str(text) for text in texts).casefold().split()
    return all(any(w.startswith(q) for w in words) for q in query.casefold().split())


def pages_of(
    group: Text, icon: str, pages: Iterable[tuple[str, Text]], query: str
) -> Iterator[Entry]:
    """Of the pages of an area, by the name of their address, those that match what was
    typed; nothing as long as that is nothing."""
    wanted = query.removeprefix(">").strip()
    if query[:1] in {"#", "@"} or not wanted:
        return
    for name, title in pages:
        if matches(wanted, title, group):
            yield Entry(group, title, reverse(name), icon)
