"""The page of settings: the name of the workspace, and how it counts."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping, Sequence
from datetime import date

from babel.numbers import list_currencies
from django import forms
from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from perennial.apps.insights.words import MODES
from perennial.apps.intake import counting
from perennial.apps.team.access import TeamRequest, role_required
from perennial.apps.team.actions import rename
from perennial.apps.team.lake import lake_of
from perennial.apps.team.roles import Role
from perennial.core.errors import BadValue
from perennial.core.settings import CHURN_RECOGNITION, Settings, about
from perennial.ui import formats
from perennial.ui.formats import Regional

_LONGEST = 2_000
_CHURN = dict(
    zip(
        CHURN_RECOGNITION,
        (
            gettext_lazy("When the service ends"),
            gettext_lazy("When the cancellation takes effect"),
            gettext_lazy("When it is asked for"),
        ),
        strict=True,
    )
)


def _choices(key: str) -> list[tuple[str, str | Promise]]:
    """What a setting can be chosen from; nothing where it is written."""
    match key:
        case "timezone":
            zones = sorted(z for z in zoneinfo.available_timezones() if "/" in z)
            return [(zone, zone) for zone in ("UTC", *zones)]
        case "currency":
            return [(code, code) for code in sorted(list_currencies())]
        case "week_start":
            return [(str(n + 1), day) for n, day in WEEKDAYS.items()]
        case "fiscal_year_start":
            return [(str(n), month) for n, month in MONTHS.items()]
        case "churn_recognition":
            return list(_CHURN.items())
        case "health_mode":
            return list(MODES.items())
    return []


class GroupForm(forms.Form):
    """The settings of one group; an empty number is its default again."""

    def __init__(
        self,
        lines: Sequence[counting.Line],
        regional: Regional,
        today: date,
        data: QueryDict | None,
    ) -> None:
        super().__init__(data)
        for line in lines:
            self.fields[line.key] = field = _field(line)
            field.label, field.initial = _(about(line.key)), line.value
            field.help_text = _help(line, regional, today)
        self.is_changed = any(line.value != line.default for line in lines)

    def values(self) -> dict[str, str]:
        """What was written, by setting."""
        usual = Settings()
        return {
            key: value
            if value or isinstance(getattr(usual, key), (str, tuple))
            else str(getattr(usual, key))
            for key, value in self.cleaned_data.items()
        }


def _field(line: counting.Line) -> forms.CharField | forms.ChoiceField:
    if choices := _choices(line.key):
        known = {value for value, _word in choices}
        gone = [] if line.value in known else [(line.value, line.value)]
        return forms.ChoiceField(choices=[*gone, *choices])
    is_number = isinstance(getattr(Settings(), line.key), (int, float))
    attrs = {"inputmode": "decimal"} if is_number else {"autocomplete": "off"}
    return forms.CharField(
        required=False, max_length=_LONGEST, widget=forms.TextInput(attrs=attrs)
    )


def _help(line: counting.Line, regional: Regional, today: date) -> str:
    """The key, and, where it is another value, the default and who changed it."""
    said = format_html("<code>{}</code>", line.key)
    if line.value == line.default:
        return said
    default = dict(_choices(line.key)).get(line.default, line.default) or _("empty")
    said = format_html("{} · {}", said, _("by default %(value)s") % {"value": default})
    if line.changed_at is None:
        return said
    facts = {
        "day": formats.day(line.changed_at, regional, today),
        "who": line.changed_by,
    }
    return format_html("{} · {}", said, _("changed %(day)s by %(who)s") % facts)


def _wrong(request: TeamRequest, values: Mapping[str, str]) -> str | None:
    """The setting that does not fit; none where only several together do not."""
    now = lake_of(request.workspace).settings
    for key, value in values.items():
        try:
            now.with_values({key: value})
        except BadValue:
            return key
    return None


@role_required(Role.ADMIN)
def page(request: TeamRequest) -> HttpResponse:
    if "name" in request.POST:
        return _renamed(request)
    groups = counting.lines(request.workspace)
    sent = request.POST.get("group")
    forms_ = {
        title: GroupForm(
            lines,
            request.regional,
            lake_of(request.workspace).today,
            request.POST if title == sent else None,
        )
        for title, lines in groups.items()
    }
    form = forms_.get(sent or "")
    if form is not None and _saved(request, form):
        return redirect("workspace_settings")
    context = {
        "nav": "settings",
        "groups": [(title, _(title), forms_[title]) for title in groups],
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "reports/counting.html", context, status=status)


def _renamed(request: TeamRequest) -> HttpResponse:
    try:
        rename(request.membership, request.POST["name"])
        messages.success(request, _("The name is changed."))
    except BadValue as error:
        messages.error(request, str(error))
    return redirect("workspace_settings")


def _saved(request: TeamRequest, form: GroupForm) -> bool:
    """Keep what was sent, or say in the form what does not fit."""
    if not form.is_valid():
        return False
    values, user = form.values(), request.membership.user
    try:
        changed = counting.change(request.workspace, values, by=user.email, user=user)
    except BadValue as error:
        form.add_error(_wrong(request, values), str(error))
        return False
    if changed:
        said = ngettext(
            "%(n)s setting is changed. The numbers are being counted again.",
            "%(n)s settings are changed. The numbers are being counted again.",
            len(changed),
        )
        messages.success(request, said % {"n": len(changed)})
    else:
        messages.success(request, _("Nothing is changed."))
    return True
