"""What the browser snippet asks: what to show, what was claimed, what was answered.

From pages of other origins: no cookie is read or set, and the write key says whose
page it is. A person is believed when the page carries the signature of the team's own
server, or the team does without (`SurveySettings.takes_unsigned`).
"""

from __future__ import annotations

from typing import Any, Final

from perennial.apps.intake import sources
from perennial.apps.surveys import answering, hooks, inviting, tokens
from perennial.apps.surveys.hooks import Visitor
from perennial.apps.surveys.pages import Given, open_to_pages, text
from perennial.apps.team.models import Workspace
from perennial.core.errors import PerennialError

#: A browser asks again what there is after this long, at the earliest.
_AGAIN_S: Final = 600


@open_to_pages
def things(given: Given) -> tuple[dict[str, Any], int]:
    """What could be shown to the person of this page: one request, one answer, each
    thing with the pages and the event it waits for."""
    workspace = _workspace(given)
    if workspace is None:
        return {}, 401
    user, found = text(given, "userId"), []
    if user and _is_believed(workspace, user, text(given, "signature")):
        visitor = Visitor(user, text(given, "groupId"))
        for kind, shows in hooks.shows().items():
            for thing in shows.things(workspace, visitor):
                ticket = tokens.make(tokens.TICKET, kind, *thing["ticket"])
                found.append({**thing, "kind": kind, "ticket": ticket})
    return {"things": found, "again_s": _AGAIN_S}, 200


@open_to_pages
def claim(given: Given) -> tuple[dict[str, Any], int]:
    """The thing of a ticket, now that its moment has come."""
    workspace = _workspace(given)
    if workspace is None:
        return {}, 401
    said = tokens.read(tokens.TICKET, text(given, "ticket"))
    kind, *words = (str(each) for each in said or [""])
    shows, languages = hooks.shows().get(kind), [text(given, "language")]
    found = shows.claim(workspace, words, languages) if shows else None
    return {"show": found and {**found, "kind": kind}}, 200


@open_to_pages
def answer(given: Given) -> tuple[dict[str, Any], int]:
    """An answer, or a refusal, for the token that came with the survey."""
    invite = tokens.invite_of(text(given, "token"))
    if invite is None:
        return {}, 404
    if given.get("refused"):
        answering.refuse(invite)
        return {"ok": True}, 200
    score, answers = given.get("score"), given.get("answers")
    if not isinstance(score, int) or isinstance(score, bool):
        return {}, 400
    said = answers if isinstance(answers, dict) else {}
    try:
        answering.answer(
            invite,
            score,
            {str(name): str(words) for name, words in said.items()},
            is_complete=bool(given.get("done")),
        )
    except PerennialError as error:
        return {"detail": str(error)}, 400
    return {"ok": True}, 200


def _workspace(given: Given) -> Workspace | None:
    return sources.workspace_of_key(text(given, "key"))


def _is_believed(workspace: Workspace, user: str, signature: str) -> bool:
    if tokens.is_signed(workspace, user, signature):
        return True
    return inviting.settings_of(workspace).takes_unsigned
