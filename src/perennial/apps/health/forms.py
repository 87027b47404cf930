"""Forms on the health page of an account."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

_DAYS = [(str(days), str(days)) for days in (7, 14, 30, 60, 90)]


class OverrideForm(forms.Form):
    score = forms.IntegerField(label=_("Score, 0 to 100"), min_value=0, max_value=100)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("What you know that the numbers do not."),
    )
    days = forms.ChoiceField(label=_("For how many days"), choices=_DAYS, initial="30")


class PulseForm(forms.Form):
    value = forms.IntegerField(
        label=_("How is it going, 0 to 100"), min_value=0, max_value=100
    )
    note = forms.CharField(label=_("Note"), max_length=500, required=False)
