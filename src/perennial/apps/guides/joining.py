"""What guides add to the pages of customers (`customers.hooks`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import Count, Max, Q
from django.db.models.functions import TruncDate
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy, ngettext

from perennial.apps.customers.account import Account
from perennial.apps.customers.hooks import Belonging
from perennial.apps.customers.timeline import Entry
from perennial.apps.guides import queries
from perennial.apps.guides.models import Invited, Showing
from perennial.apps.team.access import TeamRequest
from perennial.apps.team.models import Workspace
from perennial.ui import formats
from perennial.ui.formats import Regional

#: Guides of a card.
_FEW = 5


def names(workspace: Workspace) -> Mapping[str, str]:
    """Guides that were ever in force, by what conditions call them."""
    found = workspace.guides.filter(number__gt=0).order_by("name")
    return {str(pk): name for pk, name in found.values_list("pk", "name")}


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


def timeline(
    workspace: Workspace,
    account: Account,
    regional: Regional,
    before: datetime,
    limit: int,
) -> Iterable[Entry]:
    """Guides that people of an account saw first, an entry a guide and local day."""
    seen = Showing.objects.filter(
        guide__workspace=workspace,
        account_id=account.account_id,
        seen_at__isnull=False,
    )
    days = (
        seen.annotate(day=TruncDate("seen_at", tzinfo=regional.zone))
        .values("guide", "guide__name", "day")
        .annotate(n=Count("pk"), finished=Count("finished_at"), at=Max("seen_at"))
        .filter(at__lt=before)
        .order_by("-at")
    )
    for each in days[:limit]:
        yield Entry(
            each["at"],
            icon="map-2",
            text=format_html(
                "<b>{}</b> {}",
                each["guide__name"],
                _came(each["n"], each["finished"], regional),
            ),
            kind="guide",
            url=reverse("guides:guide", args=[each["guide"]]),
        )


def _came(seen: int, finished: int, regional: Regional) -> str:
    said = [
        ngettext("seen by %(n)s person", "seen by %(n)s people", seen)
        % {"n": formats.number(seen, regional)}
    ]
    if finished:
        said.append(
            ngettext("finished by %(n)s", "finished by %(n)s", finished)
            % {"n": formats.number(finished, regional)}
        )
    return ", ".join(said)


def belongings(workspace: Workspace) -> list[Belonging]:
    """What goes along where accounts are merged."""
    mine = {"guide__workspace": workspace}
    chosen = Invited.objects.filter(**mine)
    return [
        Belonging(gettext_lazy("Guides shown"), Showing.objects.filter(**mine)),
        Belonging(gettext_lazy("Guides chosen for it"), chosen, once=("guide_id",)),
    ]
