"""Background work that acts on what the numbers say."""

from __future__ import annotations

from django.utils.translation import gettext as _

from perennial.apps.jobs.registry import Report
from perennial.apps.team.models import Workspace
from perennial.apps.work import outbox
from perennial.apps.work.alerts import actions as alerts
from perennial.apps.work.mailings import sending as mailings
from perennial.apps.work.models import ManyStart
from perennial.apps.work.plans import actions as plans
from perennial.apps.work.playbooks import engine, trying
from perennial.apps.work.playbooks import many as starting_many
from perennial.apps.work.strategy import actions as strategy
from perennial.apps.work.telling import digest, notices


def follow_up(workspace: str, report: Report) -> None:
    """Alerts, playbooks and messages as the newest numbers say.

    Run again, it changes nothing.
    """
    where = Workspace.objects.get(key=workspace)
    report(0.0, _("Looking at every account"))
    plans.measure(where)
    strategy.measure(where)
    alerts.evaluate(where)
    report(0.4, _("Taking the next steps of playbooks"))
    engine.evaluate(where)
    report(0.8, _("Sending messages"))
    notices.tell(where)
    notices.tell_team(where)
    digest.send_due(where)
    mailings.send_due(where)
    outbox.send_due(where)


def start_playbook(workspace: str, report: Report, *, many: int) -> None:
    """Start a playbook for many accounts; what was started by then stays started."""
    every = ManyStart.objects.filter(playbook__workspace__key=workspace)
    found = every.select_related("playbook__workspace", "by").filter(pk=many).first()
    if found is not None:  # else its playbook was deleted
        starting_many.go_on(found, report)


def try_playbook(workspace: str, report: Report, *, playbook: int) -> None:
    """What a playbook would have done in the past 90 days."""
    found = Workspace.objects.get(key=workspace).playbooks.filter(pk=playbook).first()
    if found is not None:  # else it was deleted
        trying.keep(found, report)
