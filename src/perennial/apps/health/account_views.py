"""The health of one account over time, and what people add to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from perennial.apps.customers import account_page, explain, overview, queries
from perennial.apps.customers.account import Account
from perennial.apps.health import actions, files, history
from perennial.apps.health.forms import OverrideForm, PulseForm
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.core.errors import PerennialError
from perennial.scoring.scorecard import Pulse


@role_required(Role.VIEWER)
def account(request: TeamRequest, account_id: str) -> HttpResponse:
    found = queries.get_account_or_404(request.workspace, account_id)
    if request.GET.get("format") == "csv":
        return files.history(overview.history(request.workspace, found))
    return _page(request, found)


@require_POST
@role_required(Role.MEMBER)
def override(request: TeamRequest, account_id: str) -> HttpResponse:
    """Set a score for some days."""
    found = queries.get_account_or_404(request.workspace, account_id)
    form = OverrideForm(request.POST)
    if not form.is_valid():
        return _page(request, found, override_form=form)
    given = form.cleaned_data
    ends_on = lake_of(request.workspace).today + timedelta(days=int(given["days"]))
    try:
        actions.set_override(
            request.membership,
            account_id,
            score=given["score"],
            reason=given["reason"],
            ends_on=ends_on,
        )
    except PerennialError as error:
        form.add_error(None, str(error))
        return _page(request, found, override_form=form)
    messages.success(request, _("The score is set; it shows within minutes."))
    return redirect("health:account", account_id)


@require_POST
@role_required(Role.MEMBER)
def withdraw(request: TeamRequest, account_id: str, pk: int) -> HttpResponse:
    """Let the computed score count again."""
    every = request.workspace.health_overrides.filter(account_id=account_id)
    actions.withdraw_override(get_object_or_404(every, pk=pk), request.membership)
    messages.success(request, _("The computed score counts again within minutes."))
    return redirect("health:account", account_id)


@require_POST
@role_required(Role.MEMBER)
def pulse(request: TeamRequest, account_id: str) -> HttpResponse:
    """Say how the relationship is."""
    found = queries.get_account_or_404(request.workspace, account_id)
    form = PulseForm(request.POST)
    if not form.is_valid():
        return _page(request, found, pulse_form=form)
    given = form.cleaned_data
    actions.say_pulse(
        request.membership, account_id, value=given["value"], note=given["note"]
    )
    messages.success(request, _("The pulse is noted."))
    return redirect("health:account", account_id)


def _page(
    request: TeamRequest,
    found: Account,
    *,
    override_form: OverrideForm | None = None,
    pulse_form: PulseForm | None = None,
) -> HttpResponse:
    workspace, regional = request.workspace, request.regional
    stored = overview.history(workspace, found)
    health = overview.on(stored, found.as_of)
    components = overview.rules_of(workspace, health).components
    context: dict[str, Any] = {
        "nav": "health",
        "now": account_page.now(request, found),
        "account": found,
        "chart": overview.chart(stored, found, regional, _("Health")),
        "turns": history.turns(request.workspace, found.account_id, regional),
        "overrides": history.overrides(workspace, found.account_id),
        "in_force": actions.in_force(workspace, found.account_id),
        "pulses": history.pulses(workspace, found.account_id),
        "counts_pulse": any(isinstance(c.source, Pulse) for c in components),
        "frozen": explain.frozen_text(health, found.as_of, regional),
        "override_form": override_form or OverrideForm(prefix=None),
        "pulse_form": pulse_form or PulseForm(prefix=None),
        "may_edit": request.membership.covers(Role.MEMBER),
    }
    failed = override_form is not None or pulse_form is not None
    return render(
        request, "health/account.html", context, status=422 if failed else 200
    )
