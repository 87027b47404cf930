"""How long somebody belonged to an account, from calls that say "in" and "out".

A spell is open from the first "in" to the next "out". Calls may come late: an
earlier "in" moves the start back, and an "out" without an "in" is kept as an empty
spell, so that an "in" that comes after it but was before it ends there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple


class Call(NamedTuple):
    """Somebody was seen in an account, or left it."""

    at: datetime
    is_in: bool


class Spell(NamedTuple):
    """Half open; `end` None: still so. `start` None: since ever."""

    start: datetime | None
    end: datetime | None


def spells(known: Iterable[Spell], calls: Iterable[Call]) -> list[Spell]:
    """The spells of one user in one account, oldest first.

    An "out" that comes later than "in" calls which were made after it ends the
    spell; the next "in" begins a new one.
    """
    known = list(known)
    ever = [spell for spell in known if spell.start is None]
    points = {Call(s.start, is_in=True) for s in known if s.start and s.start != s.end}
    points |= {Call(spell.end, is_in=False) for spell in known if spell.end}
    points |= set(calls)
    begun: datetime | None = None
    is_open, found = bool(ever), list[Spell]()
    for at, is_in in sorted(points):  # an "out" before an "in" of the same instant
        if is_in and not is_open:
            begun, is_open = at, True
        elif not is_in:
            found.append(Spell(begun if is_open else at, at))
            is_open = False
    if is_open:
        found.append(Spell(begun, None))
    return found
