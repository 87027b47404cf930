"""The whole timeline of an account, a page at a time: filtered, searched, by time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy, pgettext_lazy

from perennial.apps.customers import (
    hooks,
    moments,
    money,
    overview,
    timeline,
    wording,
)
from perennial.apps.customers.moments import About
from perennial.apps.customers.timeline import Entry, instant_of

#: Entries that come at once, and what a search looks through of other applications.
PAGE, SEARCHED = 40, 2_000
#: Entries of the short timeline.
SHORT = 12
_TICK = timedelta(microseconds=1)
_END = datetime(9999, 1, 1, tzinfo=UTC)

#: What a timeline is filtered by, with the words of the menu.
KINDS: Mapping[str, str | Promise] = {
    "contact": gettext_lazy("Contacts"),
    "note": gettext_lazy("Notes"),
    "ticket": gettext_lazy("Tickets"),
    "survey": gettext_lazy("Surveys"),
    "guide": gettext_lazy("Guides"),
    "health": gettext_lazy("Health"),
    "usage": gettext_lazy("Usage"),
    "billing": gettext_lazy("Money and contracts"),
    "onboarding": gettext_lazy("Onboarding"),
    "account": gettext_lazy("Edits of the account"),
    "lead": pgettext_lazy("before they bought", "Sales"),
    "work": gettext_lazy("Tasks and playbooks"),
}


@dataclass(frozen=True)
class Asked:
    """What a page of the timeline asks for.

    It begins before an instant, or at it after `skip` entries of that very instant.
    """

    kind: str = ""
    q: str = ""
    before: datetime | None = None
    skip: int = 0

    def url(self, **changes: object) -> str:
        asked = replace(self, **changes)  # type: ignore[arg-type]
        pairs = [("kind", asked.kind), ("q", asked.q)]
        if asked.before is not None:
            pairs += [("before", asked.before.isoformat()), ("skip", str(asked.skip))]
        return f"?{urlencode([(n, v) for n, v in pairs if v])}"


@dataclass(frozen=True)
class Page:
    entries: list[Entry]
    following: Asked | None


def parse(query: QueryDict) -> Asked:
    """What an address asks for; what it does not know is left out."""
    kind, skip = query.get("kind", ""), query.get("skip", "")
    try:
        before = datetime.fromisoformat(query.get("before", ""))
    except ValueError:
        before = None
    if before is not None and before.tzinfo is None:
        before = before.replace(tzinfo=UTC)
    return Asked(
        kind if kind in KINDS else "",
        query.get("q", "").strip()[:100],
        before,
        min(int(skip), 10_000) if before and skip.isdecimal() else 0,
    )


def page(about: About, asked: Asked, size: int = PAGE) -> Page:
    """A page of entries, the newest first, and what asks for the next one."""
    start = asked.before or _END
    count = SEARCHED if asked.q or asked.kind else size + asked.skip + 1
    found = _as_read(about, [*_own(about), *_others(about, start, count)])
    zone = about.regional
    timed = [(instant_of(e.at, zone), e) for e in found if _fits(e, asked)]
    # Equal instants keep the order of their sources, so that pages do not overlap.
    timed.sort(key=lambda pair: pair[0], reverse=True)
    same = [pair for pair in timed if pair[0] == start][asked.skip :]
    rest = [*same, *(pair for pair in timed if pair[0] < start)]
    shown = rest[:size]
    if len(rest) <= size:
        return Page([e for _, e in shown], None)
    last = shown[-1][0]
    skip = sum(at == last for at, _ in shown) + (asked.skip if last == start else 0)
    return Page([e for _, e in shown], replace(asked, before=last, skip=skip))


def newest(about: About, history: overview.History, most: int = SHORT) -> list[Entry]:
    """The short timeline of an overview: without e-mails and what came before them."""
    own = timeline.timeline(
        about.workspace,
        about.account,
        history,
        about.names,
        about.users,
        about.regional,
    )
    more = [*moments.notes(about), *_others(about, _END, most)]
    every = sorted(
        (*own, *more), key=lambda e: instant_of(e.at, about.regional), reverse=True
    )
    return _as_read(about, every[:most])


def _as_read(about: About, entries: Sequence[Entry]) -> list[Entry]:
    """Entries with what customers wrote as the reader may see it: before a search
    looks at them, or it would tell."""
    account = about.account.account_id
    told = [(account, text) for e in entries for text in (e.title, e.quote, e.said)]
    texts = iter(wording.shown(about.workspace, told, mask=about.mask))
    return [
        replace(e, title=next(texts), quote=next(texts), said=next(texts))
        for e in entries
    ]


def _own(about: About) -> Iterator[Entry]:
    account, regional = about.account, about.regional
    yield from timeline.every(about.lake, account, about.names, about.users, regional)
    yield from _kind(
        "billing",
        timeline.seat_entries(money.seat_levels(about.workspace, account), regional),
    )
    yield from _kind(
        "billing",
        timeline.mrr_entries(money.mrr_levels(about.workspace, account), regional),
    )
    history = overview.history(about.workspace, account)
    yield from _kind("health", timeline.health_entries(history, regional))
    yield from moments.entries(about)


def _kind(kind: str, entries: Iterator[Entry]) -> Iterator[Entry]:
    return (replace(entry, kind=kind) for entry in entries)


def _others(about: About, before: datetime, most: int) -> Iterator[Entry]:
    limit = min(before, _END - _TICK) + _TICK
    for provide in hooks.providers():
        yield from provide(about.workspace, about.account, about.regional, limit, most)


def _fits(entry: Entry, asked: Asked) -> bool:
    if asked.kind and entry.kind != asked.kind:
        return False
    if not asked.q:
        return True
    said: Sequence[object] = (
        entry.text,
        *(entry.title, entry.detail),
        *(entry.quote, entry.said, entry.html),
    )
    text = " ".join(strip_tags(str(part)) for part in said).casefold()
    return all(word in text for word in asked.q.casefold().split())
