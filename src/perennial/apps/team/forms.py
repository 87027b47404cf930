from __future__ import annotations

import zoneinfo
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from perennial.apps.team.models import ApiToken, Membership
from perennial.apps.team.roles import Role


class SignInForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class RoleForm(forms.Form):
    """Roles that the person in front of the screen may hand out."""

    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, by: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(r.value, r.label) for r in Role if by.covers(r)]
        self.fields["role"] = forms.ChoiceField(
            label=_("Role"), choices=offered, initial=Role.MEMBER.value
        )

    def role_value(self) -> Role:
        return Role(self.cleaned_data["role"])


class AddMemberForm(RoleForm):
    email = forms.EmailField(
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    name = forms.CharField(label=_("Name"), max_length=120, required=False)

    field_order = ("email", "name", "role")


class TokenForm(forms.Form):
    name = forms.CharField(
        label=_("Name"), max_length=120, help_text=_("Which program asks with it.")
    )
    scope = forms.ChoiceField(label=_("May"), choices=ApiToken.Scope.choices)


def _zones() -> list[tuple[str, Any]]:
    names = sorted(z for z in zoneinfo.available_timezones() if "/" in z or z == "UTC")
    return [("", _("As the workspace")), *((name, name) for name in names)]


class ProfileForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=120, required=False)
    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("As the browser says")), *settings.LANGUAGES],
    )
    timezone = forms.ChoiceField(label=_("Time zone"), required=False, choices=_zones)
    has_shortcuts = forms.BooleanField(
        label=_("Single-key shortcuts (J, K, ?)"), required=False
    )
