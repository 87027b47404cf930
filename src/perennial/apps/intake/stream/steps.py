"""What a call has to pass to become an event: named steps, in the order they count.

A step is a condition over a row of `reading.CALLS`; a call for which it holds is
dropped with the step's reason, and kept with it in `rejects`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from perennial.apps.intake.files.sql import any_of, literal
from perennial.apps.intake.models import CALLS
from perennial.apps.intake.stream.reading import LEFT

#: Longest ids and names, in characters.
LONGEST_ID = 500
LONGEST_NAME = 300
LONGEST_MESSAGE_ID = 200
#: Distinct event names of a workspace: more come from ids written into names.
MOST_NAMES = 5_000
_TYPES = tuple(call for call in CALLS if call != "batch")


class Drop(StrEnum):
    """Why a call did not become an event: stable codes."""

    UNREADABLE = "unreadable"
    FAILED = "failed"
    UNKNOWN_TYPE = "unknown_type"
    BAD_ID = "bad_id"
    BAD_MESSAGE_ID = "bad_message_id"
    NO_NAME = "no_name"
    LONG_NAME = "long_name"
    NO_USER = "no_user"
    NO_GROUP = "no_group"
    NO_PREVIOUS_ID = "no_previous_id"
    BAD_PROPERTIES = "bad_properties"
    BAD_TIME = "bad_time"
    TOO_MANY_NAMES = "too_many_names"

    @property
    def about(self) -> str | Promise:
        return _ABOUT[self]


_ABOUT: Final[dict[Drop, str | Promise]] = {
    Drop.UNREADABLE: _("It could not be read."),
    Drop.FAILED: _("It could not be loaded; the mistake is on our side."),
    Drop.UNKNOWN_TYPE: _(
        "Its type is none of track, identify, group, page, screen and alias."
    ),
    Drop.BAD_ID: _(
        "An id is neither text nor a number, or longer than 500 characters."
    ),
    Drop.BAD_MESSAGE_ID: _(
        "The message id is not text, or longer than 200 characters."
    ),
    Drop.NO_NAME: _("It has no event name."),
    Drop.LONG_NAME: _("The event name is longer than 300 characters."),
    Drop.NO_USER: _("It names neither a user nor an anonymous id."),
    Drop.NO_GROUP: _("It names no group."),
    Drop.NO_PREVIOUS_ID: _("It names no previous id."),
    Drop.BAD_PROPERTIES: _("Its properties are not an object."),
    Drop.BAD_TIME: _("Its time is not a date between 1970 and 2200."),
    Drop.TOO_MANY_NAMES: _("There are 5,000 other event names already."),
}


@dataclass(frozen=True)
class Step:
    """A check: calls for which `fails` holds are dropped."""

    name: str
    reason: Drop
    fails: str


STEPS: Final = (
    Step(
        "type is known",
        Drop.UNKNOWN_TYPE,
        f"type IS NULL OR type NOT IN {any_of(_TYPES)}",
    ),
    Step(
        "ids are text",
        Drop.BAD_ID,
        f"has_odd_id OR len(user_id) > {LONGEST_ID} "
        f"OR len(anonymous_id) > {LONGEST_ID} OR len(account_id) > {LONGEST_ID} "
        f"OR len(previous_id) > {LONGEST_ID}",
    ),
    Step(
        "message id is text",
        Drop.BAD_MESSAGE_ID,
        f"has_odd_message_id OR len(message_id) > {LONGEST_MESSAGE_ID}",
    ),
    Step("event has a name", Drop.NO_NAME, "type = 'track' AND event_name IS NULL"),
    Step("name is short", Drop.LONG_NAME, f"len(event_name) > {LONGEST_NAME}"),
    Step(
        "somebody did it",
        Drop.NO_USER,
        "type != 'group' AND user_id IS NULL AND anonymous_id IS NULL",
    ),
    Step("group is named", Drop.NO_GROUP, "type = 'group' AND group_id IS NULL"),
    Step(
        "alias has two ids",
        Drop.NO_PREVIOUS_ID,
        "type = 'alias' AND (previous_id IS NULL OR user_id IS NULL)",
    ),
    Step(
        "properties are an object",
        Drop.BAD_PROPERTIES,
        "has_odd_properties",
    ),
    Step(
        "time can be read",
        Drop.BAD_TIME,
        "has_time AND client IS NULL OR happened IS NULL",
    ),
)


def dropped() -> str:
    """SQL of the reason a call is dropped for; null for those that pass."""
    cases = " ".join(f"WHEN {s.fails} THEN {literal(s.reason)}" for s in STEPS)
    return f"CASE {cases} END"


def is_leaving() -> str:
    """SQL: does a call take a user out of an account?"""
    return (
        "CASE WHEN type = 'group' THEN "
        "json_extract_string(properties, '$.left') = 'true' "
        "OR json_extract(properties, '$.left_at') IS NOT NULL "
        "OR json_extract(properties, '$.ends_at') IS NOT NULL "
        f"ELSE event = {literal(LEFT)} END"
    )
