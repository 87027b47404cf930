"""Roles, from least to most."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

_RANK = {"viewer": 0, "member": 1, "admin": 2, "owner": 3}


class Role(models.TextChoices):
    """What a person may do in a workspace; each role can do what stands below.

    Viewers read. Members work: notes, tasks, edits. Admins run the workspace:
    people, imports, jobs, settings. Owners also make and unmake owners.
    """

    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    MEMBER = "member", _("Member")
    VIEWER = "viewer", _("Viewer")

    def covers(self, needed: Role) -> bool:
        return _RANK[self.value] >= _RANK[needed.value]
