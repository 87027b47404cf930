"""What the screens of surveys read: the list, answers one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q, QuerySet

from perennial.apps.customers import queries as customers
from perennial.apps.customers import wording
from perennial.apps.surveys import results
from perennial.apps.surveys.models import Answer, Survey
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.core.questionnaire import SCALES
from perennial.core.windows import Period, day_start
from perennial.lake import respondents

Answers = QuerySet[Answer]

#: Scores of an NPS survey by what they are called.
GROUPS: Final[Mapping[str, tuple[int, int]]] = {
    "detractors": (0, 6),
    "passives": (7, 8),
    "promoters": (9, 10),
}
#: From which score on a customer is not unhappy, by kind.
_FINE: Final = {"nps": 7, "csat": 4, "ces": 5}


@dataclass(frozen=True)
class Listed:
    survey: Survey
    line: results.Line | None
    waiting: int


@dataclass(frozen=True)
class Said:
    """An answer with the names of who gave it, and the comment and the reply to it as
    they may be read."""

    answer: Answer
    comment: str
    reply: str
    who: str
    account: str
    email: str
    is_low: bool


def surveys(workspace: Workspace) -> QuerySet[Survey]:
    return workspace.surveys.filter(archived_at=None).select_related("workspace")


def listed(workspace: Workspace) -> list[Listed]:
    """Every survey, running ones first, with what was found lately."""
    found = list(surveys(workspace).annotate(low=_unseen()).order_by("name"))
    if not found:
        return []
    lake = lake_of(workspace)
    span = results.span_of(results.USUAL_DAYS, lake.today)
    kinds = tuple(sorted({survey.kind for survey in found}))
    lines = results.lines(lake, kinds, span.start, span.end)
    order = {Survey.State.ON: 0, Survey.State.DRAFT: 1, Survey.State.OFF: 2}
    every = [Listed(s, lines.get(f"{s.kind}:{s.name}"), s.low) for s in found]
    return sorted(every, key=lambda each: order[Survey.State(each.survey.state)])


def _unseen() -> Count:
    """Unhappy answers that nobody saw to."""
    low = Q()
    for kind, fine in _FINE.items():
        low |= Q(kind=kind, answers__score__lt=fine)
    return Count("answers", filter=low & Q(answers__closed_at=None))


def answers(
    survey: Survey, span: Period, *, group: str = "", state: str = ""
) -> QuerySet[Answer]:
    """Answers of some days, the newest first: of a group; with a comment, or still
    to be seen to."""
    zone = lake_of(survey.workspace).settings.tz
    found = survey.answers.filter(
        answered_at__gte=day_start(span.start, zone),
        answered_at__lt=day_start(span.end, zone),
    )
    if group in GROUPS and survey.kind == "nps":
        found = found.filter(score__range=GROUPS[group])
    if state == "open":
        found = found.filter(closed_at=None, score__lt=_FINE[survey.kind])
    elif state == "comments":
        found = found.exclude(comment="")
    return found.select_related("closed_by", "invite").order_by("-answered_at", "-pk")


def said(workspace: Workspace, found: Sequence[Answer], *, mask: bool) -> list[Said]:
    """The answers of a page with names; `mask` hides personal data in comments."""
    ids = sorted({answer.person for answer in found if answer.person})
    people = respondents.people(lake_of(workspace), ids) if ids else {}
    accounts = customers.some(
        workspace, tuple(sorted({a.account_id for a in found if a.account_id}))
    )
    told = [(a.account_id, text) for a in found for text in (a.comment, a.reply)]
    texts = iter(wording.shown(workspace, told, mask=mask))
    made = []
    for answer in found:
        person = people.get(answer.person)
        account = accounts.get(answer.account_id)
        made.append(
            Said(
                answer,
                next(texts),
                next(texts),
                (person.name or person.email or person.user_id) if person else "",
                (account.name or account.account_id) if account else "",
                person.email if person else "",
                answer.score < _FINE[answer.survey.kind],
            )
        )
    return made


def distribution(survey: Survey, found: QuerySet[Answer]) -> list[tuple[int, int]]:
    """Answers by score, every score of the scale."""
    counted = dict(
        found.order_by()
        .values_list("score")
        .annotate(n=Count("pk"))
        .values_list("score", "n")
    )
    low, high = SCALES[survey.kind]  # type: ignore[index]
    return [(score, counted.get(score, 0)) for score in range(low, high + 1)]


def hours_to_close(found: QuerySet[Answer], kind: str) -> float | None:
    """Hours in the middle from an unhappy answer to somebody's seeing to it."""
    low = found.filter(closed_at__isnull=False, score__lt=_FINE[kind])
    spans = low.values_list("answered_at", "closed_at")
    return results.median_hours([end - start for start, end in spans if end])
