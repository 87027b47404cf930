"""What the command palette finds among the accounts."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from perennial.apps.customers import queries, segment_queries
from perennial.apps.customers.account import Account
from perennial.apps.customers.words import STATES, name_of, owner_names
from perennial.apps.team.models import Workspace
from perennial.ui import formats, navigation
from perennial.ui.context import regional as regional_of
from perennial.ui.formats import Regional
from perennial.ui.navigation import MOST, Entry


def accounts(request: HttpRequest, query: str) -> Iterator[Entry]:
    """Accounts by name, with their health, MRR, renewal and owner."""
    workspace = getattr(request, "workspace", None)
    if not query or query[0] in ">@#" or not isinstance(workspace, Workspace):
        return
    found = queries.named(workspace, query, MOST)
    names = owner_names(workspace) if found else {}
    for account in found:
        yield Entry(
            _("Accounts"),
            account.name,
            reverse("customers:account", args=[account.account_id]),
            icon="building",
            facts=_facts(account, names, regional_of(request)),
            template="customers/palette_account.html",
            data=account,
        )


def _facts(account: Account, names: dict[str, str], regional: Regional) -> str:
    """ "€4,750 · renews 22 Jun · Maja"; the state of those who do not pay."""
    if not account.is_customer:
        return str(STATES.get(account.state, account.state))
    parts = [formats.money(account.mrr, regional)]
    if account.renewal_on is not None:
        day = formats.day(account.renewal_on, regional, account.as_of)
        parts.append(_("renews %(day)s") % {"day": day})
    owner = name_of(account.owner_email, names).partition(" ")[0]
    return " · ".join([*parts, owner] if owner else parts)


def segments(request: HttpRequest, query: str) -> Iterator[Entry]:
    """Segments by name, with how many accounts are in each."""
    workspace = getattr(request, "workspace", None)
    if not query or query[0] in ">@#" or not isinstance(workspace, Workspace):
        return
    found = [
        segment
        for segment in segment_queries.segments(workspace)
        if navigation.matches(query, segment.name)
    ]
    sizes = segment_queries.sizes(workspace) if found else {}
    for segment in found[:MOST]:
        size = sizes.get(segment.key, segment_queries.Size())
        yield Entry(
            _("Segments"),
            segment.name,
            reverse("customers:segment", args=[segment.key]),
            icon="filter",
            facts=formats.number(size.accounts, regional_of(request)),
        )
