"""The navigation: one list. A new screen adds its line here, in this order:

Home, Accounts, Health, Metrics, Insights, Playbooks, Tasks, Surveys, Guides,
then, below the rule, Data and Settings. Nothing is listed before it exists.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from perennial.apps.customers.queries import live_customers
from perennial.apps.team.roles import Role
from perennial.apps.work.tasks.views import waiting
from perennial.apps.work.telling.views import unread
from perennial.ui.navigation import NavItem


def for_admins(request: HttpRequest) -> bool:
    role = getattr(request, "role", None)
    return isinstance(role, Role) and role.covers(Role.ADMIN)


NAVIGATION = [
    NavItem("home", _("Home"), icon="home", url="customers:home", phone=True),
    NavItem(
        "accounts",
        _("Accounts"),
        icon="building",
        url="customers:accounts",
        phone=True,
        count=live_customers,
    ),
    NavItem("health", _("Health"), icon="heartbeat", url="health:health"),
    NavItem(
        "metrics",
        _("Metrics"),
        icon="chart-line",
        url="reports:metrics",
        phone=True,
    ),
    NavItem("insights", _("Insights"), icon="bulb", url="insights:insights"),
    NavItem("playbooks", _("Playbooks"), icon="route", url="work:playbooks"),
    NavItem(
        "tasks",
        _("Tasks"),
        icon="checkbox",
        url="work:tasks",
        phone=True,
        count=waiting,
    ),
    NavItem("surveys", _("Surveys"), icon="message-2", url="surveys:surveys"),
    NavItem("guides", _("Guides"), icon="map-2", url="guides:guides"),
    NavItem(
        "notices",
        _("Notifications"),
        icon="bell",
        url="work:notices",
        below=True,
        count=unread,
    ),
    NavItem("data", _("Data"), icon="database", url="intake:data", below=True),
    NavItem(
        "settings",
        _("Settings"),
        icon="settings",
        url="team:settings",
        below=True,
        shown=for_admins,
    ),
]

#: The pages of Settings, as tabs in this order.
SETTINGS_PAGES = [
    NavItem(
        "workspace",
        _("Workspace"),
        icon="adjustments",
        url="workspace_settings",
        shown=for_admins,
    ),
    NavItem("people", _("People"), icon="users", url="team:people", shown=for_admins),
    NavItem(
        "fields",
        _("Account fields"),
        icon="list-details",
        url="customers:fields",
        shown=for_admins,
    ),
    NavItem("tokens", _("API tokens"), icon="key", url="team:tokens", shown=for_admins),
    NavItem(
        "jobs", _("Background jobs"), icon="clock", url="jobs:jobs", shown=for_admins
    ),
    NavItem(
        "audit", _("Audit log"), icon="history", url="team:audit", shown=for_admins
    ),
]
