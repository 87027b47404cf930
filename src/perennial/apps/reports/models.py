from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from perennial.apps.team.models import User, Workspace


class Board(models.Model):
    """A selection of metrics in an order of somebody's own.

    `tiles` is a list of "key" or "key:variant". Others see a board once it is
    shared; the board of all metrics is no row.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="boards"
    )
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    name = models.CharField(max_length=80)
    tiles = models.JSONField[list[str]](default=list)
    is_shared = models.BooleanField(default=False)
    changed_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name
