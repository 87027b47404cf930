"""Words of guides in the product, and of the picker on it."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext


def of_guide(language: str) -> dict[str, str]:
    """The texts of buttons, and what a screen reader says, in the language of the
    guide; `{n}` and `{all}` are filled in by the snippet."""
    with override(language):
        return {
            "close": _("Close"),
            "back": _("Back"),
            "next": pgettext("button of a guide", "Next"),
            "done": _("Done"),
            "hide": _("Do not show again"),
            "search": _("Search"),
            "none": _("Nothing found"),
            "ticked": pgettext("item of a list", "Done"),
            "progress": _("{n} of {all}"),
        }


def of_picker(language: str) -> dict[str, str]:
    """What the picker says to a member of the team, in their language."""
    with override(language):
        return {
            "point": _("Point at the element for: {step}"),
            "browse": _("Browse"),
            "pick": pgettext("an element of a page", "Pick"),
            "cancel": _("Cancel"),
            "close": _("Close"),
            "use": _("Use this element"),
            "again": _("Choose another"),
            "one": _("Exactly this element matches"),
            "weak": _(
                "Only its place on the page tells it apart. It may get lost when the "
                "page changes."
            ),
            "shut": _(
                "What is inside it is out of reach: a frame, or a closed part of the "
                "page. Only the whole can be pointed at."
            ),
            "keys": _("Arrows walk, Enter chooses, Esc cancels"),
            "saved": _("Saved. You can close this page."),
            "failed": _("That could not be saved. Try again."),
        }
