"""The pages of Data, as tabs."""

from __future__ import annotations

from typing import TypedDict

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from perennial.apps.intake import rejected
from perennial.apps.intake.models import Source
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace


class Tab(TypedDict):
    label: str | Promise
    url: str
    on: bool
    count: int | None


PAGES = (
    ("data", _("Overview")),
    ("sources", _("Sources")),
    ("live", _("Live")),
    ("rejects", _("Rejects")),
    ("catalog", _("Events")),
)


def tabs(workspace: Workspace, on: str) -> list[Tab]:
    lake = lake_of(workspace)
    counts = {
        "sources": Source.objects.filter(workspace=workspace, archived_at=None).count(),
        "rejects": rejected.total(lake, lake.now),
    }
    return [
        Tab(
            label=label,
            url=reverse(f"intake:{name}"),
            on=name == on,
            count=counts.get(name) or None,
        )
        for name, label in PAGES
    ]
