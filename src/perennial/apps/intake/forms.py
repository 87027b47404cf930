from __future__ import annotations

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from perennial.apps.intake.actions import AUTO
from perennial.apps.intake.words import KINDS, TABLE_NAMES
from perennial.lake.tables import FACTS


def table_choices() -> list[tuple[str, object]]:
    """Recognize it, or one of the tables in the order they are declared."""
    named = [(name, TABLE_NAMES.get(name, name)) for name in FACTS]
    return [(AUTO, gettext_lazy("Recognize it from the columns")), *named]


class TableForm(forms.Form):
    table = forms.ChoiceField(
        label=gettext_lazy("What it holds"), choices=table_choices, initial=AUTO
    )


class UploadForm(TableForm):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV, JSON or Parquet, plain or as .gz or .zst."),
        max_length=255,
        error_messages={"empty": gettext_lazy("The file is empty.")},
    )
    field_order = ("file", "table")

    def clean_file(self) -> UploadedFile[bytes]:
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        limit = settings.UPLOAD_LIMIT_MB
        if (file.size or 0) > limit << 20:
            said = _(
                "The file is larger than %(limit)s MB. Import it with the command "
                "line, or in parts."
            )
            raise forms.ValidationError(said % {"limit": limit})
        return file


class SourceForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("What sends: “Web application”, “Back end”."),
    )


def kind_choices() -> list[tuple[str, object]]:
    return list(KINDS.items())


class DefinitionForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("What it is"), choices=kind_choices)
    feature = forms.CharField(
        label=gettext_lazy("Which feature"),
        required=False,
        max_length=300,
        help_text=gettext_lazy(
            "Several events can be one feature. Empty: a feature of its own. Only for "
            "feature use."
        ),
        widget=forms.TextInput(attrs={"list": "features", "autocomplete": "off"}),
    )
    is_key = forms.BooleanField(
        label=gettext_lazy("Key feature: counts for depth in the health score"),
        required=False,
    )
    counts = forms.BooleanField(
        label=gettext_lazy("Counts as activity of its user"), required=False
    )
