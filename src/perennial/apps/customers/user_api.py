"""The people who use the product, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import ibis.expr.types as ir
import polars as pl
from django.http import Http404
from ninja import Router, Schema
from pydantic import Field

from perennial.api import paging
from perennial.api.problems import ERRORS
from perennial.apps.team import tokens
from perennial.apps.team.access import TokenRequest
from perennial.apps.team.lake import lake_of
from perennial.lake.workspace import Workspace as Lake

router = Router(auth=tokens.READ, tags=["customers"])


class UserOut(Schema):
    """Somebody who uses the product; what nobody said is null."""

    user_id: str
    email: str | None
    name: str | None
    role: str | None
    created_at: datetime | None
    deactivated_at: datetime | None
    is_internal: bool
    is_test: bool
    account_ids: list[str] = Field(description="Where the person belongs, or once did.")


@router.get("/users", response={200: paging.Page[UserOut], **ERRORS})
def list_users(
    request: TokenRequest,
    account_id: str = "",
    limit: paging.Limit = paging.USUAL,
    cursor: str | None = None,
) -> paging.Page[UserOut]:
    """Users by id, of an account or of all."""
    lake = lake_of(request.auth.workspace)
    found = lake.table("users")
    if account_id:
        pairs = _pairs(lake)
        theirs = pairs.filter(pairs.account_id == account_id)
        found = found.semi_join(theirs, "user_id")
    rows, following = paging.of_table(lake, found, "user_id", limit, cursor)
    return paging.Page(items=_users(lake, rows), next_cursor=following)


@router.get("/users/{path:user_id}", response={200: UserOut, **ERRORS})
def get_user(request: TokenRequest, user_id: str) -> UserOut:
    """One user."""
    lake = lake_of(request.auth.workspace)
    users = lake.table("users")
    found = _users(lake, lake.engine.run(users.filter(users.user_id == user_id)))
    if not found:
        raise Http404("no such user")
    return found[0]


def _users(lake: Lake, rows: pl.DataFrame) -> list[UserOut]:
    accounts = _accounts(lake, rows["user_id"].to_list())
    return [
        _user(row, accounts.get(row["user_id"], []))
        for row in rows.iter_rows(named=True)
    ]


def _pairs(lake: Lake) -> ir.Table:
    """Who belongs where: as was said, or as events tell."""
    said, seen = lake.table("memberships"), lake.table("user_days")
    ids = ("user_id", "account_id")
    return said.select(*ids).union(seen.select(*ids))


def _accounts(lake: Lake, ids: list[str]) -> dict[str, list[str]]:
    pairs = _pairs(lake)
    pairs = pairs.filter(pairs.user_id.isin(ids) & pairs.account_id.notnull())
    found = lake.engine.run(pairs.distinct().order_by("user_id", "account_id"))
    accounts: dict[str, list[str]] = {}
    for user, account in found.iter_rows():
        accounts.setdefault(user, []).append(account)
    return accounts


def _user(row: dict[str, Any], accounts: list[str]) -> UserOut:
    said = ("user_id", "email", "name", "role", "created_at", "deactivated_at")
    return UserOut(
        **{name: row[name] for name in said},
        is_internal=bool(row["is_internal"]),
        is_test=bool(row["is_test"]),
        account_ids=accounts,
    )
