"""Documents people edit as drafts, and put in force as numbered versions."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any, TypeVar

from django.db import models
from django.db.models.functions import Now

from perennial.apps.team.models import User


class Version(models.Model):
    """What a document said when it was put in force: numbered, and never changed.

    The model adds the foreign key to what it is a version of, as `versions`.
    """

    number = models.PositiveIntegerField()
    document = models.JSONField[dict[str, Any]]()
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True


V = TypeVar("V", bound=Version)


def in_force(
    versions: models.Manager[V], document: dict[str, Any], *, by: User, at: datetime
) -> V:
    """The version that says what the document says: the last one, or a new one."""
    last = versions.order_by("-number").first()
    if last is not None and last.document == document:
        return last
    number = last.number + 1 if last else 1
    # A copy: the draft goes on being edited.
    return versions.create(
        number=number, document=copy.deepcopy(document), by=by, at=at
    )
