"""What customers wrote, and what is written about them, as somebody may read it: the
one place every page, file and answer of the API takes it from.

Broken encodings are repaired for all. Who only looks, a viewer or a token that only
reads, sees no names of the account's people, no mail addresses, no numbers to call.
Nor does a channel that many read, whoever it is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    hide_in(workspace, [(row.account_id, vars(row)) for row in rows], *names)


def hide_in(
    workspace: Workspace, told: Iterable[tuple[str | None, dict[str, Any]]], *names: str
) -> None:
    """The same in what mappings have under these names, each given with the id of its
    account: in place."""
    found = [(account, each, n) for account, each in told for n in names if each.get(n)]
    texts = shown(workspace, [(a, each[n]) for a, each, n in found], mask=True)
    for (_account, each, name), text in zip(found, texts, strict=True):
        each[name] = text
