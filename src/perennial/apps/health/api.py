"""Health scores over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import Http404
from ninja import Router

from perennial.api import paging
from perennial.api.problems import ERRORS
from perennial.apps.team import tokens
from perennial.apps.team.access import TokenRequest
from perennial.apps.team.lake import lake_of
from perennial.lake import healthbook

router = Router(auth=tokens.READ, tags=["health"])

#: As `perennial health --format json` gives it.
Row = dict[str, Any]


@router.get("/health", response={200: paging.Page[Row], **ERRORS})
def list_health(
    request: TokenRequest,
    as_of: date | None = None,
    where: str | None = None,
    limit: paging.Limit = paging.USUAL,
    cursor: str | None = None,
) -> paging.Page[Row]:
    """Scores by account: today's, or as of a local day."""
    lake = lake_of(request.auth.workspace)
    last = paging.after(cursor) or ""
    found = healthbook.scores(
        lake, as_of=as_of, where=where, after=last, most=limit + 1
    )
    is_more = len(found) > limit
    following = paging.cursor(found[limit - 1]["account_id"]) if is_more else None
    return paging.Page(items=found[:limit], next_cursor=following)


@router.get("/health/{path:account_id}", response={200: list[Row], **ERRORS})
def get_health(
    request: TokenRequest,
    account_id: str,
    as_of: date | None = None,
    explain: bool = False,
    history: bool = False,
) -> list[Row]:
    """The score of an account, with `history` one row a day; else one row."""
    lake = lake_of(request.auth.workspace)
    found = healthbook.scores(
        lake, account=account_id, as_of=as_of, explain=explain, history=history
    )
    if not found:
        raise Http404("no account of this id has health on that day")
    return found
