"""What the browser snippet tells of guides, and what the picker points at.

From pages of other origins, as in `surveys.snippet_views`: a signed token says what is
spoken of, no cookie is read.
"""

from __future__ import annotations

from typing import Any

from perennial.apps.guides import actions, phrases, queries, telling, tokens
from perennial.apps.guides.models import Guide
from perennial.apps.surveys.pages import Given, open_to_pages, text
from perennial.apps.team.models import Membership
from perennial.apps.team.roles import Role
from perennial.core.errors import PerennialError
from perennial.core.guides import LONGEST_PAGE, LONGEST_SELECTOR, MOST_SELECTORS
from perennial.core.reading import direction


@open_to_pages
def told(given: Given) -> tuple[dict[str, Any], int]:
    """What became of a guide, for the token that came with it."""
    found = tokens.showing_of(text(given, "token"))
    if found is None:
        return {}, 404
    try:
        telling.tell(*found, text(given, "did"), text(given, "step"))
    except PerennialError as error:
        return {"detail": str(error)}, 400
    return {"ok": True}, 200


@open_to_pages
def pick(given: Given) -> tuple[dict[str, Any], int]:
    """What the picker is to be pointed at, and its words."""
    found = _picking(given)
    if found is None:
        return {}, 404
    guide, by, variant, step = found
    language = by.user.language or "en"
    said = queries.name_of_step(guide, variant, step, language)
    return {
        "name": guide.name,
        "step": said,
        "language": language,
        "direction": direction(language),
        "words": phrases.of_picker(language),
    }, 200


def _picking(given: Given) -> tuple[Guide, Membership, str, str] | None:
    found = tokens.picked_of(text(given, "token"))
    return found if found and found[1].covers(Role.MEMBER) else None


@open_to_pages
def picked(given: Given) -> tuple[dict[str, Any], int]:
    """The element a member of the team pointed at, into the draft."""
    found = _picking(given)
    if found is None:
        return {}, 404
    guide, by, variant, step = found
    selectors = given.get("selectors")
    if not isinstance(selectors, list):
        return {}, 400
    usable = [
        each.strip()
        for each in selectors
        if isinstance(each, str) and 0 < len(each.strip()) <= LONGEST_SELECTOR
    ]
    if not usable:
        return {}, 400
    anchor = {
        "selectors": usable[:MOST_SELECTORS],
        "text": text(given, "text")[:120],
        "page": text(given, "page")[:LONGEST_PAGE],
    }
    if not actions.point(guide, by, variant, step, anchor):
        return {}, 404
    return {"ok": True}, 200
