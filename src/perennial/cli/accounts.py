"""The verb `accounts`: two entries of one customer become one, and two again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from perennial.cli import show
from perennial.cli.keys import application_workspace
from perennial.cli.main import Place
from perennial.core.errors import UnknownName

if TYPE_CHECKING:
    from perennial.apps.customers.models import Merge
    from perennial.apps.team.models import Workspace

_account = click.argument("account")
_FOLLOWS = "Numbers follow with the next `perennial refresh`."


@click.group()
def accounts() -> None:
    """Merge accounts, take a merge back, and list the merges."""


@accounts.command("merge")
@_account
@click.option("--into", required=True, help="The account that stays: its id or name.")
@click.option(
    "--take",
    multiple=True,
    help="An attribute ACCOUNT is right about, where both say something. Repeatable.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would move.")
@show.format_option
@click.pass_obj
def merge(
    place: Place,
    account: str,
    into: str,
    take: tuple[str, ...],
    dry_run: bool,
    format_: str,
) -> None:
    """Let ACCOUNT, an id or a name, count as another one from now on.

    Nothing that was measured is rewritten; `unmerge` takes it back. Prints what moves,
    and with --dry-run also the attributes of which the two say different things.
    """
    workspace = application_workspace(place)
    from perennial.apps.customers import merging, queries

    goes, stays = (queries.meant(workspace, text) for text in (account, into))
    of = {title.key: title for title in merging.titles(workspace)}
    for key in take:
        if key not in of:
            raise UnknownName("attribute", key, list(of))
    if dry_run:
        merging.check(workspace, goes.account_id, stays.account_id)
        rows = _going(workspace, goes.account_id)
        for each in merging.conflicts(workspace, goes.account_id, stays.account_id):
            there, here = each.shown({})
            rows.append(_line(each.of.key, None, f"{there} / {here}"))
        show.rows(rows, format_)
        return
    made = merging.apply(workspace, None, goes.account_id, stays.account_id, taken=take)
    moved = merging.moved(made)
    show.rows([_line(str(each.word), each.count, "") for each in moved], format_)
    said = f"{goes.account_id} counts as {stays.account_id}. {_FOLLOWS}"
    click.echo(said, err=True)


@accounts.command("unmerge")
@_account
@click.pass_obj
def unmerge(place: Place, account: str) -> None:
    """Take the merge of ACCOUNT, by its id, back: what moved goes back to it."""
    workspace = application_workspace(place)
    from perennial.apps.customers import merging

    live = workspace.account_merges.filter(undone_at=None)
    made = live.filter(account_id=account).first()
    if made is None:
        known = live.values_list("account_id", flat=True)
        raise UnknownName("merged account", account, list(known))
    merging.apply_undo(made, None)
    click.echo(f"{account} is an account of its own again. {_FOLLOWS}", err=True)


@accounts.command("merges")
@show.format_option
@click.pass_obj
def merges(place: Place, format_: str) -> None:
    """List the merges, also those that were taken back, the newest first."""
    found = application_workspace(place).account_merges.order_by("-at", "-pk")
    show.rows([_merge(each) for each in found], format_)


def _going(workspace: Workspace, account_id: str) -> list[dict[str, Any]]:
    from perennial.apps.customers import merging

    going = merging.going(workspace, account_id)
    return [_line(str(each.word), each.count, "") for each in going]


def _line(what: str, count: int | None, differs: str) -> dict[str, Any]:
    return {"what": what, "count": count, "stays_and_goes": differs or None}


def _merge(made: Merge) -> dict[str, Any]:
    return {
        "account_id": made.account_id,
        "into": made.into_id,
        "name": made.name,
        "by": made.author,
        "at": made.at,
        "undone_at": made.undone_at,
    }


COMMANDS = {accounts.name: accounts}
