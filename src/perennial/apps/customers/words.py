"""Words that several pages of customers share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy, pgettext_lazy

from perennial.apps.team.models import Workspace
from perennial.ui import formats
from perennial.ui.formats import Number, Regional

Text = str | Promise

#: Where an account stands (G5).
STATES: Mapping[str, Text] = {
    "paying": pgettext_lazy("state of an account", "Customer"),
    "trial": pgettext_lazy("state of an account", "Trial"),
    "free": pgettext_lazy("state of an account", "Free"),
    "lead": pgettext_lazy("state of an account", "Lead"),
    "paused": pgettext_lazy("state of an account", "Paused"),
    "churned": pgettext_lazy("state of an account", "Churned"),
    "archived": pgettext_lazy("state of an account", "Archived"),
}

_SMALL: tuple[Text, ...] = (
    "",
    gettext_lazy("one"),
    gettext_lazy("two"),
    gettext_lazy("three"),
    gettext_lazy("four"),
    gettext_lazy("five"),
    gettext_lazy("six"),
    gettext_lazy("seven"),
    gettext_lazy("eight"),
    gettext_lazy("nine"),
)


def spelled(count: int, regional: Regional) -> str:
    """Numbers below ten as words, as people write them in sentences."""
    if 0 < count < len(_SMALL):
        return str(_SMALL[count])
    return formats.number(count, regional)


def figure(value: Number | None, regional: Regional, places: int = 1) -> str:
    """A number with decimals only where it has some: "12", "64.8"."""
    if value is None:
        return formats.EMPTY
    whole = round(float(value), places) == round(float(value))
    return formats.number(value, regional, 0 if whole else places)


def capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def listed(parts: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    pair = {"first": ", ".join(parts[:-1]), "last": parts[-1]}
    return gettext("%(first)s and %(last)s") % pair


def owner_names(workspace: Workspace) -> dict[str, str]:
    """Names of the people of a workspace by address."""
    pairs = workspace.memberships.values_list("user__email", "user__name")
    return {email: name for email, name in pairs if name}


def name_of(email: str | None, names: Mapping[str, str]) -> str:
    """The name of an owner; of those who have no account, from their address."""
    if not email:
        return ""
    known = names.get(email.lower())
    if known:
        return known
    words = email.partition("@")[0].replace("_", ".").replace("+", ".").split(".")
    return " ".join(word.title() for word in words if word)
