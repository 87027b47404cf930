"""What customers wrote, and what is written about them, as somebody may read it: the
one place every page, file and answer of the API takes it from.

Broken encodings are repaired for all. Who only looks, a viewer or a token that only
reads, sees no names of the account's people, no mail addresses, no numbers to call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import ApiToken, Membership, Workspace
from perennial.apps.team.roles import Role
from perennial.lake import quotes
from perennial.scoring.masking import masked
from perennial.scoring.themes import mended

Reader = Membership | ApiToken


def reads_all(reader: Reader) -> bool:
    """May somebody see personal data in what customers wrote?"""
    if isinstance(reader, ApiToken):
        return reader.covers(ApiToken.Scope.WRITE)
    return reader.covers(Role.MEMBER)


def shown(
    workspace: Workspace, texts: Sequence[tuple[str | None, str]], *, mask: bool
) -> list[str]:
    """Texts as they may be read, each given with the id of its account."""
    ids = sorted({account for account, text in texts if account and text})
    names = quotes.names(lake_of(workspace), ids) if mask and ids else {}
    return [
        masked(mended(text), names.get(account or "", ())) if mask else mended(text)
        for account, text in texts
    ]


def hide(workspace: Workspace, rows: Sequence[Any], *names: str) -> None:
    """Hide personal data in texts of rows with an `account_id`, for those who may not
    see it: in place, so that nobody saves these rows."""
    told = [(row.account_id, getattr(row, name)) for row in rows for name in names]
    texts = iter(shown(workspace, told, mask=True))
    for row in rows:
        for name in names:
            setattr(row, name, next(texts))
