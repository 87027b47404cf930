"""What people decide about versions, and the work that follows."""

from __future__ import annotations

from perennial.apps.intake import counting
from perennial.apps.jobs import actions as jobs
from perennial.apps.jobs.models import JobRun
from perennial.apps.team.actions import must_cover, record
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Membership
from perennial.apps.team.roles import Role
from perennial.lake import models
from perennial.lake.models import Version


def look_again(by: Membership) -> JobRun:
    """Learn anew in the background; members do that."""
    must_cover(by, Role.MEMBER)
    return jobs.enqueue("review_models", by.workspace, by=by.user)


def go_by(by: Membership, mode: str) -> None:
    """What health goes by from the next refresh on; admins say so. Raises `BadValue`
    for what is no mode."""
    must_cover(by, Role.ADMIN)
    changed = {"health_mode": mode}
    counting.change(by.workspace, changed, by=by.user.email, user=by.user)


def decide(
    by: Membership, number: int, *, approve: bool, note: str, colors: bool = False
) -> Version:
    """Approve or reject a version; admins do that. Scores follow with the refresh that
    is asked for, and past forecasts are told from then. With `colors`, health goes by
    its chances from then on."""
    must_cover(by, Role.ADMIN)
    lake = lake_of(by.workspace)
    version = models.decide(
        lake, number, approve=approve, by=by.user.email, note=note.strip()
    )
    verb = "model.approved" if approve else "model.rejected"
    record(by.workspace, by.user, verb, f"v{number}", version=number, note=note.strip())
    if approve and colors:
        go_by(by, "calibrated")
    if approve:
        jobs.run_now("refresh", by.workspace, by=by.user)
        jobs.enqueue("tell_past_forecasts", by.workspace, by=by.user)
    return version
