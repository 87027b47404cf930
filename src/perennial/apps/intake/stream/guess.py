"""What an event name most likely is, where nobody has said it yet.

Only guesses that differ from the default matter: a name without a definition is a
feature and counts as activity. People see a guess in the catalog and change it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import pyarrow as pa

from perennial.apps.intake.stream.reading import NAMES
from perennial.lake.store import Lake
from perennial.lake.tables import TABLES

_SEPARATED: Final = r"(?:^|[ _.:-])(?:{})(?:$|[ _.:-])"
_KINDS: Final = {
    "login": r"(?:user[ _.-]*)?(?:log|sign)(?:ged|ed)?[ _.-]*in",
    "page": r"(?:page|screen)[ _.-]*view(?:ed)?|view(?:ed)?[ _.-]*(?:page|screen)",
    "system": r"heartbeat|ping|keep[ _-]?alive|healthcheck|webhook|cron|"
    r"e?mail[ _.-]*(?:sent|delivered|bounced)|notification[ _.-]*(?:sent|delivered)|"
    r"account[ _.-]*(?:added|removed)[ _.-]*user",
    "billing": r"invoice[ _.-]*(?:paid|created|sent|failed)|payment[ _.-]*\w+|"
    r"subscription[ _.-]*(?:created|updated|renewed|canceled|cancelled)",
    "support": r"ticket[ _.-]*(?:created|opened|closed|solved)|"
    r"(?:support|help)[ _.-]*(?:requested|contacted)",
}
_PATTERNS: Final = {
    kind: re.compile(_SEPARATED.format(pattern), re.IGNORECASE)
    for kind, pattern in _KINDS.items()
}


def kind_of(name: str) -> str:
    """login, page, system, billing, support, or feature."""
    if name in (NAMES["page"], NAMES["screen"]):
        return "page"
    if name.startswith("$"):
        return "system"
    return next((k for k, p in _PATTERNS.items() if p.search(name)), "feature")


def define(lake: Lake, names: Iterable[str]) -> None:
    """Write down the guess for new names, where it is not the default.

    Names that have a definition, from a file or a person, are left alone.
    """
    guesses = {name: kind_of(name) for name in names if not name.startswith("$")}
    if not any(kind != "feature" for kind in guesses.values()):
        return
    table = TABLES["event_definitions"]
    with lake.lock(table.name):
        defined = set(lake.read(table.name)["name"].to_pylist())
        rows = [
            {**dict.fromkeys(table.names), "name": name, "kind": kind}
            for name, kind in guesses.items()
            if kind != "feature" and name not in defined
        ]
        if rows:
            lake.write(table.name, pa.Table.from_pylist(rows, schema=table.schema()))
