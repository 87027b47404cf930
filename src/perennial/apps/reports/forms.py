from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class BoardForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80)
    is_shared = forms.BooleanField(
        label=_("Everybody in the workspace sees it"), required=False
    )
