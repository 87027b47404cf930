"""Words of guides in the product, in the language of the guide."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext


def of_guide(language: str) -> dict[str, str]:
    """The texts of buttons, and what a screen reader says; `{n}` and `{all}` are filled
    in by the snippet."""
    with override(language):
        return {
            "close": _("Close"),
            "back": _("Back"),
            "next": pgettext("button of a guide", "Next"),
            "done": _("Done"),
            "snooze": _("Later"),
            "hide": _("Hide this"),
            "open": _("Open"),
            "begin": pgettext("button of a guide", "Begin"),
            "list": _("Checklist"),
            "help": pgettext("button of a guide", "Help"),
            "progress": _("{n} of {all}"),
            "step": _("Step {n} of {all}"),
        }
