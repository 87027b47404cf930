"""What several models of work share."""

from __future__ import annotations

from django.db import models
from django.utils.translation import pgettext_lazy

#: Ids of accounts, as the lake has them.
ID_LENGTH = 254


class Priority(models.IntegerChoices):
    """Most urgent first."""

    URGENT = 0, pgettext_lazy("priority", "Urgent")
    HIGH = 1, pgettext_lazy("priority", "High")
    NORMAL = 2, pgettext_lazy("priority", "Normal")
    LOW = 3, pgettext_lazy("priority", "Low")
