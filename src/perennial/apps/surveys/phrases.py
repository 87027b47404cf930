"""Words of the survey in the product, in the language of the survey."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import override


def of_widget(language: str) -> dict[str, str]:
    """The texts of buttons and messages."""
    with override(language):
        return {
            "send": _("Send"),
            "close": _("Close"),
            "thanks": _("Thank you!"),
            "failed": _("That did not work. Try again in a moment."),
        }
