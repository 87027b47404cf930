"""What screens call the parts of guides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from perennial.core.guiding import Reason

Names = Mapping[str, Promise]

PLACES: Final[Names] = {
    "anchor": pgettext_lazy("place of a guide", "at an element"),
    "center": pgettext_lazy("place of a guide", "in the middle"),
    "top": pgettext_lazy("place of a guide", "at the top"),
    "bottom": pgettext_lazy("place of a guide", "at the bottom"),
    "corner": pgettext_lazy("place of a guide", "in the corner"),
}
LOST: Final[Names] = {
    "wait": pgettext_lazy("a step without its element", "waits for it"),
    "skip": pgettext_lazy("a step without its element", "is left out"),
    "end": pgettext_lazy("a step without its element", "ends the guide"),
    "center": pgettext_lazy("a step without its element", "stands in the middle"),
}
ADVANCES: Final[Names] = {
    "button": pgettext_lazy("what leads on", "a button"),
    "click": pgettext_lazy("what leads on", "a click on the element"),
    "event": pgettext_lazy("what leads on", "an event"),
}
DOES: Final[Names] = {
    "next": pgettext_lazy("what a button does", "next step"),
    "back": pgettext_lazy("what a button does", "step back"),
    "done": pgettext_lazy("what a button does", "finish"),
    "close": pgettext_lazy("what a button does", "close"),
    "open": pgettext_lazy("what a button does", "open an address"),
    "snooze": pgettext_lazy("what a button does", "ask again tomorrow"),
}
ITEM_DOES: Final[Names] = {
    "none": pgettext_lazy("what an item does", "nothing"),
    "open": pgettext_lazy("what an item does", "opens an address"),
    "guide": pgettext_lazy("what an item does", "begins a guide"),
}
MODES: Final[Names] = {
    "auto": pgettext_lazy("look of a guide", "As the system"),
    "light": pgettext_lazy("look of a guide", "Light"),
    "dark": pgettext_lazy("look of a guide", "Dark"),
}
POSITIONS: Final[Names] = {
    "bottom-right": _("Bottom right"),
    "bottom-left": _("Bottom left"),
    "top-right": _("Top right"),
    "top-left": _("Top left"),
}
OFTEN: Final[Names] = {
    "once": pgettext_lazy("how often a guide is shown", "Once"),
    "until_finished": pgettext_lazy("how often a guide is shown", "Until finished"),
    "every": pgettext_lazy("how often a guide is shown", "Again and again"),
}
PROGRESS: Final[Names] = {
    "finished": pgettext_lazy("progress in a guide", "have finished"),
    "not_finished": pgettext_lazy("progress in a guide", "have not finished"),
    "seen": pgettext_lazy("progress in a guide", "have seen"),
    "not_seen": pgettext_lazy("progress in a guide", "have not seen"),
}
KNOWN: Final[Names] = {
    "all": pgettext_lazy("people of a guide", "Everybody"),
    "new": pgettext_lazy("people of a guide", "First seen since"),
    "known": pgettext_lazy("people of a guide", "First seen before"),
}
UNITS: Final[Names] = {
    "person": pgettext_lazy("unit of chance", "by person"),
    "account": pgettext_lazy("unit of chance", "by account"),
}

#: Why people do not see a guide, whatever the day.
REASONS: Final[Mapping[Reason, Promise]] = {
    Reason.OWN: _("are your own people or test users"),
    Reason.NOT_OPEN: _("are for another time: it is not shown yet, or no more"),
    Reason.NOT_INVITED: _("are in accounts that were not chosen"),
    Reason.KNOWN: _("have been here for too long, or not long enough"),
    Reason.PROGRESS: _("are not that far in the other guide"),
}
