from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Now

from perennial.apps.team.models import User, Workspace


class Segment(models.Model):
    """A condition on accounts with a name; `document` is what the YAML says.

    The lake knows it by its key (`perennial.lake.segments`), which never changes.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="segments"
    )
    key = models.SlugField(max_length=64)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=500, blank=True)
    document = models.JSONField[dict[str, Any]]()
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    changed_at = models.DateTimeField(db_default=Now())
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="segment_key")
        ]

    def __str__(self) -> str:
        return self.name
