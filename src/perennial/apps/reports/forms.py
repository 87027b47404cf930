from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from perennial.apps.intake.words import TABLE_NAMES
from perennial.apps.reports.values import CLASSES
from perennial.core.errors import PerennialError
from perennial.lake import definitions
from perennial.metrics.custom import OF_A_COLUMN, UNITS, Definition
from perennial.metrics.registry import Metric

MEASURES = {
    "count": _("How many there are"),
    "unique": _("How many different ones"),
    "sum": _("Sum"),
    "average": _("Average"),
    "ratio": _("Share of them"),
    "percentile": _("Percentile"),
}
UNIT_NAMES = {
    "count": _("Number"),
    "money": _("Money"),
    "score": _("Score"),
    "index": _("Index"),
    "milliseconds": _("Milliseconds"),
    "seconds": _("Seconds"),
    "minutes": _("Minutes"),
    "hours": _("Hours"),
    "days": _("Days"),
    "months": _("Months"),
}
GOOD = {
    "up": _("More is better"),
    "down": _("Less is better"),
    "none": _("Neither"),
}


class BoardForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=80)
    is_shared = forms.BooleanField(
        label=_("Everybody in the workspace sees it"), required=False
    )


def _tables() -> list[tuple[str, Any]]:
    return [(name, TABLE_NAMES.get(name, name)) for name in definitions.COUNTED]


class DefinitionForm(forms.Form):
    """A metric of one's own. What does not fit is said by the definition itself."""

    title = forms.CharField(label=_("What it is called"), max_length=80)
    key = forms.CharField(
        label=_("Key"),
        max_length=60,
        help_text=_("How programs call it, as in exports_a_week."),
    )
    table = forms.ChoiceField(label=_("What is counted"), choices=_tables)
    measure = forms.ChoiceField(label=_("How"), choices=lambda: list(MEASURES.items()))
    column = forms.CharField(
        label=_("Column"),
        required=False,
        max_length=80,
        help_text=_("What is different, added up or ranked."),
    )
    where = forms.CharField(
        label=_("Which of them"),
        required=False,
        max_length=500,
        help_text=_("A condition; empty: all."),
    )
    part = forms.CharField(
        label=_("Which are the share"),
        required=False,
        max_length=500,
        help_text=_("Only for a share: a condition on those above."),
    )
    percentile = forms.IntegerField(
        label=_("Percentile"), required=False, min_value=1, max_value=99, initial=50
    )
    unit = forms.ChoiceField(
        label=_("Unit"), choices=[(name, UNIT_NAMES[name]) for name in UNITS]
    )
    good = forms.ChoiceField(label=_("Direction"), choices=list(GOOD.items()))
    about = forms.CharField(
        label=_("What it says"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors:
            try:
                data["definition"] = definitions.checked(self._definition(data))
            except PerennialError as error:
                raise forms.ValidationError(
                    gettext("This is no metric yet: %(why)s.") % {"why": error}
                ) from None
        return data

    def _definition(self, data: dict[str, Any]) -> Definition:
        """Without what the chosen way of counting does not ask for."""
        measure = data["measure"]
        return Definition.of(
            {
                **data,
                "at": definitions.times(data["table"])[0],
                "column": data["column"] if measure in OF_A_COLUMN else "",
                "part": data["part"] if measure == "ratio" else "",
                "percentile": data["percentile"] or 50,
            }
        )


class TargetForm(forms.Form):
    """A target of a metric; ratios are given as percent, as they are shown."""

    segment = forms.ChoiceField(label=_("Segment"), required=False)
    group = forms.ChoiceField(label=_("Class"), required=False)
    target = forms.FloatField(label=_("Target"), required=False)
    floor = forms.FloatField(
        label=_("Floor"),
        required=False,
        help_text=_("Customers below it need support."),
    )
    ceiling = forms.FloatField(
        label=_("Ceiling"),
        required=False,
        help_text=_("Customers above it are ready to expand."),
    )

    def __init__(
        self, *given: Any, metric: Metric, segments: list[str], **more: Any
    ) -> None:
        super().__init__(*given, **more)
        self._scale = 100 if metric.unit == "ratio" else 1
        segment, group = self.fields["segment"], self.fields["group"]
        assert isinstance(segment, forms.ChoiceField)
        assert isinstance(group, forms.ChoiceField)
        segment.choices = [("", _("All customers")), *((s, s) for s in segments)]
        if metric.focus == "daily":
            group.choices = [(name, str(CLASSES[name])) for name in CLASSES]
        else:
            del self.fields["group"]
        if self._scale == 100:
            for name in ("target", "floor", "ceiling"):
                self.fields[name].label = f"{self.fields[name].label} (%)"

    @property
    def values(self) -> dict[str, Any]:
        """As the metric counts; the group of its number where it has groups."""
        data = self.cleaned_data
        found = {
            name: None if data[name] is None else data[name] / self._scale
            for name in ("target", "floor", "ceiling")
        }
        return {**found, "segment": data["segment"], "group": data.get("group", "")}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        low, high = data.get("floor"), data.get("ceiling")
        if low is not None and high is not None and low > high:
            raise forms.ValidationError(gettext("The floor is above the ceiling."))
        return data
