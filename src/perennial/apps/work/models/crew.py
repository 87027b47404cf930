"""Who is away, and who stands in."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from perennial.apps.team.models import Membership


class Absence(models.Model):
    """Days on which a member is away, and who stands in: `[starts_on, ends_on)`."""

    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="absences"
    )
    stand_in = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="standing_in"
    )
    starts_on = models.DateField()
    ends_on = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gt=F("starts_on")), name="absence_has_days"
            ),
            models.CheckConstraint(
                condition=~Q(membership=F("stand_in")), name="absence_has_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership.user} until {self.ends_on}"
