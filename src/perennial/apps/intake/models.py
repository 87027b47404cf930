"""Where events come from, and the inbox they wait in until they are in the lake."""

from __future__ import annotations

import secrets
from typing import Final

from django.db import models
from django.db.models.functions import Now

from perennial.apps.team.models import Workspace

#: Calls of the tracking protocol.
CALLS: Final = ("batch", "track", "identify", "group", "page", "screen", "alias")


def new_slug() -> str:
    return f"src_{secrets.token_hex(8)}"


def new_key() -> str:
    # Hexadecimal: a key that begins with "-" would look like an option.
    return secrets.token_hex(16)


class Source(models.Model):
    """A product, site or service that sends events. `slug` marks its events."""

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="sources"
    )
    slug = models.CharField(max_length=32, unique=True, default=new_slug)
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now())
    archived_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "name"], name="source_name_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class WriteKey(models.Model):
    """Lets a program add events to a source, and nothing else.

    Kept as it is: every browser that runs the snippet knows it.
    """

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="keys")
    key = models.CharField(max_length=64, unique=True, default=new_key)
    created_at = models.DateTimeField(db_default=Now())
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.key[:6]}… of {self.source}"


class Batch(models.Model):
    """One request that was acknowledged; it goes when the lake has all of it.

    `body` is the JSON object as it was sent, unpacked.
    """

    source = models.ForeignKey(
        Source, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    call = models.CharField(max_length=10)
    received_at = models.DateTimeField()
    body = models.BinaryField()
    size = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.call} {self.pk} of {self.source}"
