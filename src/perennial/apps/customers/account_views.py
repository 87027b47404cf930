"""The pages of one account. Every tab shares the header and the tiles."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from perennial.apps.customers import account_page as page
from perennial.apps.customers import (
    contacts,
    details,
    explain,
    family,
    hooks,
    money,
    note_queries,
    overview,
    parts,
    people,
    queries,
    timeline_feed,
    usage,
    wording,
)
from perennial.apps.customers.account import Account
from perennial.apps.customers.models import Contact
from perennial.apps.customers.moments import About
from perennial.apps.customers.words import owner_names
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role


@role_required(Role.VIEWER)
def account(request: TeamRequest, account_id: str) -> HttpResponse:
    into = lake_of(request.workspace).lake.merges.get(account_id)
    if into is not None:
        return redirect("customers:account", into)
    found = queries.get_account_or_404(request.workspace, account_id)
    part = request.GET.get("part", "") if request.htmx else ""
    if part in _LATE:
        late = _LATE[part](request, found)
        return render(request, f"customers/account_late.html#{part}", late)
    stored = overview.history(request.workspace, found)
    health = overview.on(stored, found.as_of)
    names = owner_names(request.workspace)
    regional = request.regional
    rules = overview.rules_of(request.workspace, health)
    context = {
        **page.shared(request, found, stored, names, "account"),
        "why": overview.why(stored, found, rules, regional),
        "frozen": explain.frozen_text(health, found.as_of, regional),
        "chart": overview.chart(stored, found, regional, _("Health")),
        "panels": hooks.panels(request, found),
        "family": family.family(request.workspace, found),
        "details": details.short(request.workspace, account_id, names),
        "pinned": note_queries.pinned(
            request.workspace, account_id, names, request.membership
        ),
    }
    return render(request, "customers/account.html", context)


def _features(request: TeamRequest, found: Account) -> dict[str, Any]:
    return {"account": found, "matrix": usage.matrix(request.workspace, found).short()}


def _recent(request: TeamRequest, found: Account) -> dict[str, Any]:
    """What happened last, and the people of the account."""
    workspace = request.workspace
    staff = people.people(workspace, found)
    about = About(
        workspace,
        found,
        request.regional,
        owner_names(workspace),
        {person.user_id: person.name for person in staff},
        mask=not wording.reads_all(request.membership),
    )
    return {
        "account": found,
        "now": page.now(request, found),
        "entries": timeline_feed.newest(about, overview.history(workspace, found)),
        "contacts": contacts.contacts_of(workspace, found, staff),
        "people": staff[: page.SOME_PEOPLE],
        "people_count": len(staff),
    }


#: Cards that come once the page stands: they read most, and a page is there at once
#: however long an account's story is.
_LATE = {"features": _features, "recent": _recent}


@role_required(Role.VIEWER)
def account_timeline(request: TeamRequest, account_id: str) -> HttpResponse:
    """Everything that happened, filtered and searched; more comes on scroll."""
    found = queries.get_account_or_404(request.workspace, account_id)
    asked = timeline_feed.parse(request.GET)
    names = owner_names(request.workspace)
    staff = people.people(request.workspace, found)
    users = {person.user_id: person.name for person in staff}
    mask = not wording.reads_all(request.membership)
    about = About(request.workspace, found, request.regional, names, users, mask)
    context = {
        "asked": asked,
        "page": timeline_feed.page(about, asked),
        "account": found,
        "now": page.now(request, found),
    }
    template = "customers/timeline_tab.html"
    if request.htmx:
        part = "#rows" if asked.before else "#results"
        return render(request, f"{template}{part}", context)
    kinds = [
        (asked.url(kind=key, before=None), word, key == asked.kind)
        for key, word in {"": _("Everything"), **timeline_feed.KINDS}.items()
    ]
    context |= {**_shared(request, found, "timeline"), "kinds": kinds}
    context["kind_word"] = timeline_feed.KINDS.get(asked.kind, _("Everything"))
    return render(request, template, context)


@role_required(Role.VIEWER)
def account_usage(request: TeamRequest, account_id: str) -> HttpResponse:
    found = queries.get_account_or_404(request.workspace, account_id)
    weeks = usage.weekly(request.workspace, found)
    context = {
        **_shared(request, found, "usage"),
        "users": page.users_chart(weeks, request.regional),
        "sessions": page.sessions_chart(weeks, request.regional),
        "matrix": usage.matrix(request.workspace, found),
        "has_usage": any(week.sessions or week.users for week in weeks),
    }
    return render(request, "customers/usage.html", context)


@role_required(Role.VIEWER)
def account_money(request: TeamRequest, account_id: str) -> HttpResponse:
    found = queries.get_account_or_404(request.workspace, account_id)
    items = money.items(request.workspace, found)
    changes = money.mrr_levels(request.workspace, found)
    months = money.history(request.workspace, found, changes)
    terms = money.terms(request.workspace, found)
    reasons = wording.shown(
        request.workspace,
        [(account_id, term.churn_reason) for term in terms],
        mask=not wording.reads_all(request.membership),
    )
    context = {
        **_shared(request, found, "money"),
        "items": [page.item_row(item, request.regional) for item in items],
        "note": page.items_note(items, found, request.regional),
        "mrr_chart": page.mrr_chart(months, request.regional),
        "terms": [
            page.term_row(term, reason, request.regional)
            for term, reason in zip(terms, reasons, strict=True)
        ],
        "seat_changes": money.seat_levels(request.workspace, found),
    }
    return render(request, "customers/money.html", context)


@role_required(Role.VIEWER)
def account_people(request: TeamRequest, account_id: str) -> HttpResponse:
    """Health of single people is computed when asked for: it takes a moment."""
    found = queries.get_account_or_404(request.workspace, account_id)
    staff = people.people(request.workspace, found)
    with_health = "health" in request.GET
    if with_health:
        staff = people.with_health(request.workspace, found, staff)
    known = contacts.contacts_of(request.workspace, found, staff)
    if request.htmx:
        rows = {
            "people": staff,
            "with_health": True,
            "now": page.now(request, found),
            "account": found,
            "may_edit": request.membership.covers(Role.MEMBER),
            "roles": Contact.Role.choices,
            "role_of": {k.contact.user_id: k.contact.role for k in known},
        }
        return render(request, "customers/people.html#rows", rows)
    context = {
        **_shared(request, found, "people", people=len(staff)),
        "people": staff,
        "with_health": with_health,
        "kinds": people.kinds(staff),
        "contacts": known,
        "coverage": contacts.coverage(known),
        "roles": Contact.Role.choices,
        "role_of": {k.contact.user_id: k.contact.role for k in known},
    }
    return render(request, "customers/people.html", context)


@role_required(Role.VIEWER)
def account_health(request: TeamRequest, account_id: str) -> HttpResponse:
    """The health score explained, as a drawer or a page."""
    found = queries.get_account_or_404(request.workspace, account_id)
    stored = overview.history(request.workspace, found)
    health = overview.on(stored, found.as_of)
    rules = overview.rules_of(request.workspace, health)
    context = {
        "nav": "accounts",
        "now": page.now(request, found),
        "account": found,
        "why": overview.why(stored, found, rules, request.regional),
        "health": health,
        "reason": page.no_score(found, stored, request.regional),
        "inputs": page.inputs(health, request.regional),
        "counts": [parts.counts_text(c, request.regional) for c in rules.components],
        "cuts": rules.cuts,
        "command": explain.command(found.account_id, found.as_of),
    }
    template = "customers/health.html"
    return render(request, f"{template}#part" if request.htmx else template, context)


def _shared(
    request: TeamRequest, found: Account, tab: str, people: int | None = None
) -> dict[str, Any]:
    stored = overview.history(request.workspace, found)
    names = owner_names(request.workspace)
    return page.shared(request, found, stored, names, tab, people=people)
