"""Playbooks as documents: when they start, for whom, what they do, when they end.

    name: Usage dip before renewal
    situation: risk
    when: {trigger: matches, condition: {all: [...]}}
    limits: {after_days: 2, again_after_days: 60, owner_week: 5, hold_out: 10}
    steps:
      - {do: task, title: Call the main contact, due_days: 2, priority: high}
      - {do: wait, days: 7}
      - do: branch
        if: {field: active_users_change, op: fell_by, value: 0.1}
        then: [{do: task, title: Book a review}]
    ends: {condition: {field: health_color, op: is, value: green}, after_days: 60}

Pure: text in, frozen values out. Every step has an id of its own: `1`, `2`,
`2.then.1`; runs remember where they are by it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from perennial.metrics import conditions
from perennial.metrics.conditions import Condition

Trigger: TypeAlias = Literal["matches", "enters", "leaves", "manual"]
Who: TypeAlias = Literal["owner", "manager", "starter"]
Assign: TypeAlias = Literal["fewest_accounts", "least_mrr"]

TRIGGERS: Final[tuple[Trigger, ...]] = ("matches", "enters", "leaves", "manual")
SITUATIONS: Final = (
    "risk",
    "adoption",
    "expansion",
    "renewal",
    "onboarding",
    "reengagement",
    "education",
    "other",
)
PRIORITIES: Final = ("urgent", "high", "normal", "low")
WHO: Final[tuple[Who, ...]] = ("owner", "manager", "starter")
ASSIGN: Final[tuple[Assign, ...]] = ("fewest_accounts", "least_mrr")
#: A run that goes on longer than this has been forgotten.
MOST_DAYS: Final = 366


@dataclass(frozen=True)
class Start:
    """`enters`: only accounts that did not match before; `leaves`: those that did."""

    trigger: Trigger = "matches"
    condition: Condition = conditions.EVERYBODY


@dataclass(frozen=True)
class Limits:
    """How often it may start.

    - `after_days`: local days in a row that an account matches first.
    - `again_after_days`: rest of an account after a start; `most`: starts in all.
    - `owner_week`: starts an owner gets in seven days; None: as they come.
    - `hold_out`: percent of accounts left alone, to compare with.
    """

    after_days: int = 1
    again_after_days: int = 30
    most: int | None = None
    owner_week: int | None = None
    hold_out: int = 0


@dataclass(frozen=True)
class TaskStep:
    id: str
    title: str
    who: Who = "owner"
    due_days: int | None = None
    priority: str = "normal"
    notes: str = ""
    checklist: tuple[str, ...] = ()


@dataclass(frozen=True)
class Letter:
    """What an e-mail says in one language, by its two letters."""

    language: str
    subject: str
    text: str


@dataclass(frozen=True)
class EmailStep:
    """`to` is an address, `owner`, or `contact`: the account's most active user.

    A draft waits in the outbox until the owner sends it. `letters` say the same in
    other languages; readers of none of them get `subject` and `text`.
    """

    id: str
    to: str
    subject: str
    text: str
    is_draft: bool = True
    letters: tuple[Letter, ...] = ()

    def letter(self, language: str) -> Letter:
        """What a reader of a language gets; regions of it are the same."""
        wanted = language.strip().lower().replace("_", "-").partition("-")[0]
        for letter in self.letters:
            if letter.language == wanted:
                return letter
        return Letter("", self.subject, self.text)


@dataclass(frozen=True)
class PostStep:
    """A message to a chat channel, or the run as JSON to any address."""

    id: str
    channel: Literal["chat", "webhook"]
    url: str
    text: str = ""


@dataclass(frozen=True)
class SetStep:
    """Another stage, or another value of an attribute of one's own, as text."""

    id: str
    field: str
    value: str


@dataclass(frozen=True)
class AssignStep:
    """Gives the account an owner: whoever has least. `among` are addresses; without
    any, everybody who owns an account."""

    id: str
    by: Assign = "fewest_accounts"
    among: tuple[str, ...] = ()


@dataclass(frozen=True)
class TagStep:
    """Tags that the account gets, and tags it loses."""

    id: str
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class SurveyStep:
    """Invites the people of the account to a running survey, by mail: those whom the
    rules of asking allow."""

    id: str
    survey: str


@dataclass(frozen=True)
class GuideStep:
    """Chooses the account for a guide that is shown to chosen ones."""

    id: str
    guide: str


@dataclass(frozen=True)
class WaitStep:
    """For some days at the same local time; or until a condition holds, at most
    that long."""

    id: str
    days: int
    until: Condition | None = None


@dataclass(frozen=True)
class BranchStep:
    id: str
    condition: Condition
    then: tuple[Step, ...]
    otherwise: tuple[Step, ...] = ()


Step: TypeAlias = (
    TaskStep
    | EmailStep
    | PostStep
    | SetStep
    | AssignStep
    | TagStep
    | SurveyStep
    | GuideStep
    | WaitStep
    | BranchStep
)


@dataclass(frozen=True)
class End:
    """Over, whatever step it is at: when a condition holds, or after some days."""

    condition: Condition | None = None
    after_days: int = 60


@dataclass(frozen=True)
class Book:
    """A playbook as it is run."""

    name: str
    situation: str = "other"
    description: str = ""
    start: Start = field(default_factory=Start)
    limits: Limits = field(default_factory=Limits)
    steps: tuple[Step, ...] = ()
    end: End = field(default_factory=End)

    def every_step(self) -> Iterator[Step]:
        yield from _walk(self.steps)

    def step(self, step_id: str) -> Step | None:
        return next((s for s in self.every_step() if s.id == step_id), None)

    def after(self, step_id: str) -> str:
        """The step that follows in its list, or after the branch it is in; "": none."""
        return _after(self.steps, step_id, "") or ""

    @property
    def first(self) -> str:
        return self.steps[0].id if self.steps else ""


def _walk(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, BranchStep):
            yield from _walk(step.then)
            yield from _walk(step.otherwise)


def _after(steps: Sequence[Step], step_id: str, outer: str) -> str | None:
    """None where the step is not below these."""
    for n, step in enumerate(steps):
        following = steps[n + 1].id if n + 1 < len(steps) else outer
        if step.id == step_id:
            return following
        if isinstance(step, BranchStep):
            for inner in (step.then, step.otherwise):
                found = _after(inner, step_id, following)
                if found is not None:
                    return found
    return None
