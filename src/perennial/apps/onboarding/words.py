"""Words of onboarding that documents say by a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, pgettext_lazy

#: What completes a step.
BY: Final[Mapping[str, Promise]] = {
    "event": pgettext_lazy("completes a step", "An event"),
    "condition": pgettext_lazy("completes a step", "A segment"),
    "hand": pgettext_lazy("completes a step", "The team, by hand"),
    "checklist": pgettext_lazy("completes a step", "A checklist in the product"),
    "import": pgettext_lazy("completes a step", "Another tool"),
}
ICONS: Final[Mapping[str, str]] = {
    "event": "bolt",
    "condition": "filter",
    "hand": "user-check",
    "checklist": "checklist",
    "import": "upload",
}
PER: Final[Mapping[str, Promise]] = {
    "account": pgettext_lazy("a flow is", "Per account"),
    "user": pgettext_lazy("a flow is", "Per person"),
}
#: Attributes that drop-off is split by.
SPLITS: Final[Mapping[str, Promise]] = {
    "segment": gettext_lazy("Segment"),
    "plan": gettext_lazy("Plan"),
    "country": gettext_lazy("Country"),
    "owner_email": gettext_lazy("Owner"),
}
