"""A thousand mixed calls that every client makes, and what has to come of them.

Call `i` is told by its number alone, here and in each client: what arrives is
compared with what this module expects, not with what the client says it did.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

COUNT = 1_000
TYPES = (
    *("identify", "group", "page", "screen", "alias"),
    *("track", "track", "track", "track", "track"),
)


@dataclass(frozen=True)
class Expected:
    """An event of the lake. `said` is part of its properties."""

    event: str
    user_id: str
    account_id: str | None
    at: datetime
    said: dict[str, Any]


def expected(base: datetime, *, in_page: bool = False) -> Iterator[Expected]:
    """What has to arrive; a page says nothing of users but who signed in last."""
    for i in range(COUNT):
        kind = TYPES[i % 10]
        user = f"user-{(i - i % 10 if in_page else i) % 50}"
        account = f"account-{i % 7}"
        at = base + timedelta(seconds=i)
        text = f'Ünï "{i}" 😀'
        if kind == "alias":
            yield Expected("$alias", user, None, at, {"previousId": f"old-{i}"})
            continue
        said = {"i": i, "text": text, "nested": {"on": i % 2 == 0, "list": [1, i]}}
        if kind == "group":
            yield Expected("$group", user, account, at, said)
            continue
        names = {"identify": "$identify", "page": "Page viewed"}
        names |= {"screen": "Screen viewed", "track": f"Event {i % 13}"}
        in_account = account if kind == "track" else None
        yield Expected(names[kind], user, in_account, at, said)
