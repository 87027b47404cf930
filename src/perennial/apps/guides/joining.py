"""What guides add to the pages of customers (`customers.hooks`)."""

from __future__ import annotations

from django.db.models import Count, Max, Q
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from perennial.apps.customers.account import Account
from perennial.apps.customers.hooks import Belonging
from perennial.apps.guides import queries
from perennial.apps.guides.models import Invited, Showing
from perennial.apps.team.access import TeamRequest
from perennial.apps.team.models import Workspace

#: Guides of a card.
_FEW = 5


def panel(request: TeamRequest, account: Account) -> SafeString | str:
    """Guides that people of an account saw, the last first; nothing where none did."""
    here = Q(showings__account_id=account.account_id, showings__seen_at__isnull=False)
    found = (
        queries.guides(request.workspace)
        .annotate(
            seen=Count("showings", filter=here),
            finished=Count(
                "showings", filter=here & Q(showings__finished_at__isnull=False)
            ),
            last_at=Max("showings__seen_at", filter=here),
        )
        .filter(seen__gt=0)
        .order_by("-last_at")[:_FEW]
    )
    if not found:
        return ""
    return render_to_string("guides/account_panel.html", {"guides": found}, request)


def belongings(workspace: Workspace) -> list[Belonging]:
    """What goes along where accounts are merged."""
    mine = {"guide__workspace": workspace}
    chosen = Invited.objects.filter(**mine)
    return [
        Belonging(gettext_lazy("Guides shown"), Showing.objects.filter(**mine)),
        Belonging(gettext_lazy("Guides chosen for it"), chosen, once=("guide_id",)),
    ]
