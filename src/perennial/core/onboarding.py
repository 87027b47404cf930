"""Onboarding flows: what their documents say, and how far somebody got.

    per: user
    since: 2026-01-01
    who: {all: [{field: plan, op: is, value: [pro]}]}
    value: First report
    steps:
      - {name: Invite accepted, event: Invite Accepted}
      - {name: Board set up, event: Board Changed, where: "columns >= 3", times: 2}
      - {name: Ten seats, condition: {all: [{field: seats, op: at_least, value: 10}]}}
      - {name: Kick-off call, by: hand, optional: true}

Whoever starts on or after `since` enters, and follows the version of that day for
good. What `who`, `where` and `condition` say is read by those who can ask it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, cast, get_args
from zoneinfo import ZoneInfo

from perennial.core import reading
from perennial.core.errors import BadValue
from perennial.core.windows import DAY, local_date

Per = Literal["user", "account"]
#: What completes a step: an event, a condition on the account, a person of the team,
#: the checklist of a guide, or a row that another tool sent.
By = Literal["event", "condition", "hand", "checklist", "import"]
PERS: Final[tuple[Per, ...]] = get_args(Per)
BYS: Final[tuple[By, ...]] = get_args(By)
#: What is told of a step, and not found out.
TOLD: Final = frozenset({"hand", "checklist"})
MOST_STEPS, MOST_TIMES, LONGEST = 20, 1_000, 80
_EVERYBODY: Final[Mapping[str, Any]] = {"all": []}


@dataclass(frozen=True)
class Step:
    """A step, done by the `times`-th event `event` that meets `where`, by an account
    that meets `condition`, a person's by the one they came to, or by being told so. An
    optional one is in no drop-off."""

    name: str
    by: By
    event: str = ""
    where: str = ""
    times: int = 1
    condition: Mapping[str, Any] | None = None
    is_optional: bool = False


@dataclass(frozen=True)
class Flow:
    """One version of a flow, for whoever starts on or after `since`.

    `value` names the step that is the first value; empty: the last that has to be done.
    """

    per: Per
    since: date
    steps: tuple[Step, ...]
    who: Mapping[str, Any]
    value: str = ""

    @property
    def chain(self) -> tuple[str, ...]:
        """The steps that have to be taken, in their order."""
        return tuple(step.name for step in self.steps if not step.is_optional)

    @property
    def is_for_all(self) -> bool:
        return self.who == _EVERYBODY

    def step(self, name: str) -> Step | None:
        return next((step for step in self.steps if step.name == name), None)

    def place(self, name: str) -> int | None:
        """Place in the chain, from 1; None for an optional step."""
        return self.chain.index(name) + 1 if name in self.chain else None


def version_of(versions: Mapping[int, Flow], started: date) -> int | None:
    """The version that holds for whoever started on a day: the newest of those that
    reach so far back. None before all of them."""
    fits = [number for number, flow in versions.items() if flow.since <= started]
    return max(fits, default=None)


def completed(instants: Iterable[datetime], times: int) -> datetime | None:
    """When something happened for the `times`-th time; None: not yet."""
    ordered = sorted(instants)
    return ordered[times - 1] if len(ordered) >= times else None


@dataclass(frozen=True)
class Progress:
    """How far one of those in a flow got: `done` has the instant of each step taken."""

    flow: Flow
    started: date
    done: Mapping[str, datetime]

    @property
    def reached(self) -> int:
        """Steps taken one after the other from the first on (A04): a step taken out
        of order is not reached."""
        last: datetime | None = None
        for place, name in enumerate(self.flow.chain):
            at = self.done.get(name)
            if at is None or (last is not None and at < last):
                return place
            last = at
        return len(self.flow.chain)

    @property
    def finished_at(self) -> datetime | None:
        """When the last of the steps that have to be taken was, in whatever order."""
        taken = [self.done.get(name) for name in self.flow.chain]
        known = [at for at in taken if at is not None]
        return max(known) if len(known) == len(taken) else None

    @property
    def next_step(self) -> str | None:
        """The first step that has to be taken and is not; None: finished."""
        waiting = (name for name in self.flow.chain if name not in self.done)
        return next(waiting, None)

    @property
    def last_step(self) -> str | None:
        """The furthest step taken, of those that have to be; None: none yet."""
        taken = [name for name in self.flow.chain if name in self.done]
        return taken[-1] if taken else None

    @property
    def valued_at(self) -> datetime | None:
        """When the first value was reached."""
        return self.done.get(self.flow.value or self.flow.chain[-1])

    def moved(self, zone: ZoneInfo) -> date:
        """The local day of the last step, or the day it began."""
        days = [local_date(at, zone) for at in self.done.values()]
        return max([self.started, *days])

    def is_stalled(self, today: date, days: int, zone: ZoneInfo) -> bool:
        """Not finished, and without a step for so many whole days (A04)."""
        return self.finished_at is None and self.moved(zone) < today - DAY * days


# --- documents ---------------------------------------------------------------


def read(document: object) -> Flow:
    """The flow of a document; raises `BadValue` with the place and the reason."""
    given = _mapping(document, "flow", {"per", "since", "who", "value", "steps"})
    per = given.get("per")
    if per not in PERS:
        raise BadValue(f"per: one of {', '.join(PERS)}")
    listed = given.get("steps")
    if not isinstance(listed, Sequence) or isinstance(listed, str) or not listed:
        raise BadValue("steps: a list with a step at least")
    if len(listed) > MOST_STEPS:
        raise BadValue(f"steps: at most {MOST_STEPS}")
    steps = tuple(_step(each, f"step {n}") for n, each in enumerate(listed, 1))
    names = [step.name for step in steps]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise BadValue(f"steps: {twice!r} is there twice")
    if all(step.is_optional for step in steps):
        raise BadValue("steps: one at least is not optional")
    value = str(given.get("value") or "").strip()
    if value and value not in names:
        raise BadValue(f"value: there is no step {value!r}")
    who = _mapping(given.get("who") or _EVERYBODY, "who")
    return Flow(cast(Per, per), _day(given.get("since")), steps, who, value)


def check_draft(document: object) -> None:
    """Raise `BadValue` for what no form can show; a draft may be unfinished."""
    given = reading.mapping(document, "the flow")
    for part in (given, *reading.rows(given, "steps")):
        reading.part(part, "who")
        reading.part(part, "condition")


def to_document(flow: Flow) -> dict[str, Any]:
    """The document a flow is read from."""
    made: dict[str, Any] = {"per": flow.per, "since": flow.since.isoformat()}
    if not flow.is_for_all:
        made["who"] = flow.who
    if flow.value:
        made["value"] = flow.value
    return {**made, "steps": [_told(step) for step in flow.steps]}


def _told(step: Step) -> dict[str, Any]:
    made: dict[str, Any] = {"name": step.name}
    if step.by == "event":
        made["event"] = step.event
        made |= {"where": step.where} if step.where else {}
        made |= {"times": step.times} if step.times > 1 else {}
    elif step.by == "condition":
        made["condition"] = step.condition
    else:
        made["by"] = step.by
    return made | ({"optional": True} if step.is_optional else {})


def _step(document: object, place: str) -> Step:
    known = {"name", "by", "event", "where", "times", "condition", "optional"}
    given = _mapping(document, place, known)
    name = clean_name(given.get("name"), place)
    by = given.get("by") or _by(given)
    if by not in BYS:
        raise BadValue(f"{place}: by is one of {', '.join(BYS)}")
    if not isinstance(optional := given.get("optional", False), bool):
        raise BadValue(f"{place}: optional is true or false")
    for only, kind in (("event", "event"), ("where", "event"), ("times", "event"),
                       ("condition", "condition")):  # fmt: skip
        if given.get(only) and by != kind:
            raise BadValue(f"{place}: {only} does not go with by: {by}")
    if by == "event":
        return _of_event(given, name, place, is_optional=optional)
    condition = None
    if by == "condition":
        condition = _mapping(given.get("condition"), f"{place}, condition")
    return Step(name, cast(By, by), condition=condition, is_optional=optional)


def _by(given: Mapping[str, Any]) -> str:
    return "condition" if given.get("condition") else "event"


def _of_event(
    given: Mapping[str, Any], name: str, place: str, *, is_optional: bool
) -> Step:
    event = str(given.get("event") or "").strip()
    if not event or len(event) > 200:
        raise BadValue(f"{place}: the name of the event that completes it")
    times = given.get("times", 1)
    is_whole = isinstance(times, int) and not isinstance(times, bool)
    if not is_whole or not 1 <= times <= MOST_TIMES:
        raise BadValue(f"{place}: times is a whole number from 1 to {MOST_TIMES}")
    where = str(given.get("where") or "").strip()
    return Step(name, "event", event, where, times, is_optional=is_optional)


def clean_name(given: object, place: str) -> str:
    """The name of a flow or a step: guides refer to it as `flow/step`."""
    name = " ".join(str(given or "").split())
    if not name or len(name) > LONGEST or "/" in name:
        raise BadValue(f"{place}: a name of at most {LONGEST} characters, without /")
    return name


def _day(given: object) -> date:
    if isinstance(given, datetime):
        raise BadValue("since: a day, without a time")
    if isinstance(given, date):  # YAML reads dates of itself
        return given
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise BadValue("since: a day is expected, as 2026-11-22") from None


def _mapping(
    given: object, place: str, known: set[str] | None = None
) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadValue(f"{place}: names and values are expected")
    if known is not None and (unknown := [n for n in given if n not in known]):
        raise BadValue(f"{place}: {unknown[0]!r} is not known")
    return given
