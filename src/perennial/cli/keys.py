"""Verbs of keys: what lets programs send events, and ask."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from perennial.cli import show
from perennial.cli.main import Place
from perennial.core.errors import BadValue, UnknownName
from perennial.lake.opening import open_workspace

if TYPE_CHECKING:
    from perennial.apps.intake.models import WriteKey
    from perennial.apps.team.models import ApiToken, Workspace


@click.group()
def keys() -> None:
    """Write keys, with which programs send, and API tokens, with which they ask."""


@keys.command("create")
@click.option("--kind", type=click.Choice(["write", "api"]), default="write")
@click.option("--name", required=True, help="The source that sends, or who asks.")
@click.option(
    "--scope",
    type=click.Choice(["read", "write"]),
    default="read",
    show_default=True,
    help="What an API token may do.",
)
@show.format_option
@click.pass_obj
def create(place: Place, kind: str, name: str, scope: str, format_: str) -> None:
    """Make a key, and the source it belongs to where that is missing.

    The text of an API token is printed once and kept nowhere.
    """
    workspace = application_workspace(place)
    if kind == "write":
        from perennial.apps.intake import sources

        row = _key(sources.create_key(workspace, name, by=None))
    else:
        from perennial.apps.team import tokens
        from perennial.apps.team.models import ApiToken

        token, text = tokens.create(
            workspace, name, by=None, scope=ApiToken.Scope(scope)
        )
        row = {**_token(token), "key": text}
    _print([row], format_)


@keys.command("list")
@show.format_option
@click.pass_obj
def list_(place: Place, format_: str) -> None:
    """List the keys of the workspace; of API tokens only how they begin."""
    workspace = application_workspace(place)
    known = [_key(key) for key in _keys(workspace)]
    show.rows([*known, *(_token(token) for token in _tokens(workspace))], format_)


@keys.command("revoke")
@click.argument("key")
@click.pass_obj
def revoke(place: Place, key: str) -> None:
    """Make a KEY (or its beginning) stop working; what it sent stays."""
    workspace = application_workspace(place)
    from perennial.apps.intake import sources
    from perennial.apps.team import tokens

    keys = [known for known in _keys(workspace) if known.key.startswith(key)]
    asking = [known for known in _tokens(workspace) if _is(known, key)]
    count = len(keys) + len(asking)
    if not count:
        raise UnknownName("key", key, [])
    if count > 1:
        raise BadValue(f"{count} keys begin with {key!r}: write more of it")
    if keys:
        sources.revoke(keys[0], by=None)
        click.echo(f"{sources.shown(keys[0].key)} of {keys[0].source} is revoked.")
    else:
        tokens.revoke(asking[0], by=None)
        click.echo(f"{asking[0]} is revoked.")


def _is(token: ApiToken, text: str) -> bool:
    """Does a token's text, or its beginning, name this token?"""
    shorter = min(len(token.start), len(text))
    return shorter > 0 and token.start[:shorter] == text[:shorter]


def _print(rows: Sequence[dict[str, Any]], format_: str) -> None:
    """One row: an object in JSON, as programs want it."""
    if format_ == "json":
        click.echo(json.dumps(rows[0], default=show.plain, ensure_ascii=False))
    else:
        show.rows(rows, format_)


def _key(key: WriteKey) -> dict[str, Any]:
    return {
        "key": key.key,
        "kind": "write",
        "source": key.source.name,
        "source_id": key.source.slug,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
    }


def _token(token: ApiToken) -> dict[str, Any]:
    return {
        "key": f"{token.start}…",
        "kind": f"api ({token.scope})",
        "source": token.name,
        "source_id": None,
        "created_at": token.created_at,
        "revoked_at": token.revoked_at,
    }


def _keys(workspace: Workspace) -> list[WriteKey]:
    from perennial.apps.intake.models import WriteKey

    mine = WriteKey.objects.filter(source__workspace=workspace)
    return list(mine.select_related("source").order_by("source__name", "pk"))


def _tokens(workspace: Workspace) -> list[ApiToken]:
    return list(workspace.tokens.order_by("name", "pk"))


def application_workspace(place: Place) -> Workspace:
    """The workspace's row, made where the folder has none yet."""
    from perennial.config.start import setup

    place.data.mkdir(parents=True, exist_ok=True)
    setup(place.data, migrate=True)
    from perennial.apps.team import actions

    settings = open_workspace(place.data, place.workspace, new=True).settings
    return actions.create_workspace(
        place.workspace, currency=settings.currency, timezone=settings.timezone
    )


COMMANDS = {keys.name: keys}
