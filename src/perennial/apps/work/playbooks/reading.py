"""Playbooks read from documents: every mistake is refused with its place and reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, cast
from urllib.parse import urlsplit

import yaml

from perennial.apps.work.playbooks.document import (
    ASSIGN,
    MOST_DAYS,
    PRIORITIES,
    SITUATIONS,
    TRIGGERS,
    WHO,
    Assign,
    AssignStep,
    Book,
    BranchStep,
    EmailStep,
    End,
    GuideStep,
    Letter,
    Limits,
    PostStep,
    SetStep,
    Start,
    Step,
    SurveyStep,
    TagStep,
    TaskStep,
    Trigger,
    WaitStep,
    Who,
)
from perennial.core.errors import BadValue
from perennial.metrics import conditions
from perennial.metrics.conditions import Condition

_MOST_STEPS, _DEEPEST, _MOST_LANGUAGES = 40, 4, 20


def parse(text: str) -> Book:
    """The playbook of a YAML or JSON text."""
    try:
        return read(yaml.safe_load(text))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise BadValue(f"this is not YAML{where}") from None


def read(document: object) -> Book:
    """The playbook of a document; raises `BadValue` with the place and the reason."""
    known = ("name", "situation", "description", "when", "limits", "steps", "ends")
    given = _mapping(document, "playbook", known)
    steps = _steps(given.get("steps", []), "", 0)
    book = Book(
        name=_text(given, "name", "name", 120, needed=True),
        situation=_one(given, "situation", "situation", SITUATIONS, "other"),
        description=_text(given, "description", "description", 1000),
        start=_start(given.get("when", {})),
        limits=_limits(given.get("limits", {})),
        steps=steps,
        end=_end(given.get("ends", {})),
    )
    if sum(1 for _ in book.every_step()) > _MOST_STEPS:
        raise BadValue(f"steps: at most {_MOST_STEPS}")
    return book


def _start(given: object) -> Start:
    found = _mapping(given, "when", ("trigger", "condition"))
    trigger = _one(found, "trigger", "when.trigger", TRIGGERS, "matches")
    return Start(
        cast("Trigger", trigger),
        _condition(found.get("condition", {"all": []}), "when.condition"),
    )


def _limits(given: object) -> Limits:
    names = ("after_days", "again_after_days", "most", "owner_week", "hold_out")
    found = _mapping(given, "limits", names)
    plain = Limits()

    def number(name: str, least: int, most: int) -> int | None:
        return _number(found, name, f"limits.{name}", least, most)

    return Limits(
        after_days=number("after_days", 1, 60) or plain.after_days,
        again_after_days=_or(number("again_after_days", 0, 3650), 30),
        most=number("most", 1, 1000),
        owner_week=number("owner_week", 1, 1000),
        hold_out=_or(number("hold_out", 0, 90), 0),
    )


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _end(given: object) -> End:
    found = _mapping(given, "ends", ("condition", "after_days"))
    condition = found.get("condition")
    return End(
        None if condition is None else _condition(condition, "ends.condition"),
        _or(_number(found, "after_days", "ends.after_days", 1, MOST_DAYS), 60),
    )


def _steps(given: object, place: str, depth: int) -> tuple[Step, ...]:
    where = f"steps{place and f'[{place}]'}"
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise BadValue(f"{where}: must be a list")
    if depth > _DEEPEST:
        raise BadValue(f"{where}: branches are nested deeper than {_DEEPEST}")
    prefix = f"{place}." if place else ""
    return tuple(
        _step(each, f"{prefix}{n}", depth) for n, each in enumerate(given, start=1)
    )


def _step(given: object, step_id: str, depth: int) -> Step:
    place = f"steps[{step_id}]"
    if not isinstance(given, Mapping):
        raise BadValue(f"{place}: must be a mapping with do")
    do = given.get("do")
    build = _KINDS.get(str(do))
    if build is None:
        raise BadValue(f"{place}.do: must be one of {', '.join(_KINDS)}, not {do!r}")
    if do == "branch":
        return _branch(given, step_id, place, depth)
    return build(given, step_id, place)


def _task(given: Mapping[str, Any], step_id: str, place: str) -> Step:
    names = ("do", "title", "who", "due_days", "priority", "notes", "checklist")
    _mapping(given, place, names)
    items = given.get("checklist", [])
    if not isinstance(items, Sequence) or isinstance(items, str) or len(items) > 50:
        raise BadValue(f"{place}.checklist: must be a list of at most 50 texts")
    return TaskStep(
        step_id,
        title=_text(given, "title", f"{place}.title", 200, needed=True),
        who=cast("Who", _one(given, "who", f"{place}.who", WHO, "owner")),
        due_days=_number(given, "due_days", f"{place}.due_days", 0, MOST_DAYS),
        priority=_one(given, "priority", f"{place}.priority", PRIORITIES, "normal"),
        notes=_text(given, "notes", f"{place}.notes", 5000),
        checklist=tuple(str(item)[:200] for item in items if str(item).strip()),
    )


def _email(given: Mapping[str, Any], step_id: str, place: str) -> Step:
    _mapping(given, place, ("do", "to", "subject", "text", "draft", "languages"))
    to = _text(given, "to", f"{place}.to", 254) or "contact"
    if to not in {"contact", "owner"} and "@" not in to:
        raise BadValue(f"{place}.to: must be contact, owner or an address, not {to!r}")
    draft = given.get("draft", True)
    if not isinstance(draft, bool):
        raise BadValue(f"{place}.draft: must be true or false")
    return EmailStep(
        step_id,
        to=to,
        subject=_text(given, "subject", f"{place}.subject", 200, needed=True),
        text=_text(given, "text", f"{place}.text", 10_000, needed=True),
        is_draft=draft,
        letters=_letters(given, place),
    )


def _letters(given: Mapping[str, Any], place: str) -> tuple[Letter, ...]:
    """The same e-mail in other languages: `languages: {de: {subject: …, text: …}}`."""
    place, said = f"{place}.languages", given.get("languages", {})
    if not isinstance(said, Mapping) or len(said) > _MOST_LANGUAGES:
        raise BadValue(f"{place}: must be a mapping of at most {_MOST_LANGUAGES}")
    found = []
    for code, letter in said.items():
        if not (isinstance(code, str) and len(code) == 2 and code.islower()):
            raise BadValue(
                f"{place}: a language is two letters, as in de, not {code!r}"
            )
        inside = f"{place}.{code}"
        if not isinstance(letter, Mapping):
            raise BadValue(f"{inside}: must have subject and text")
        _mapping(letter, inside, ("subject", "text"))
        subject = _text(letter, "subject", f"{inside}.subject", 200, needed=True)
        text = _text(letter, "text", f"{inside}.text", 10_000, needed=True)
        found.append(Letter(code, subject, text))
    return tuple(found)


def _post(given: Mapping[str, Any], step_id: str, place: str) -> Step:
    _mapping(given, place, ("do", "url", "text"))
    url = _text(given, "url", f"{place}.url", 500, needed=True)
    if urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
        raise BadValue(f"{place}.url: must be an address that begins with https://")
    channel: Literal["chat", "webhook"] = "chat" if given["do"] == "chat" else "webhook"
    needed = channel == "chat"
    text = _text(given, "text", f"{place}.text", 2000, needed=needed)
    return PostStep(step_id, channel, url, text)


def _set(given: Mapping[str, Any], step_id: str, place: str) -> Step:
    _mapping(given, place, ("do", "field", "value"))
    return SetStep(
        step_id,
        _text(given, "field", f"{place}.field", 64, needed=True),
        _text(given, "value", f"{place}.value", 500, needed=True),
    )


def _assign(given: Mapping[str, Any], step_id: str, place: str) -> Step:
    _mapping(given, place, ("do", "by", "among"))
    by = _one(given, "by", f"{place}.by", ASSIGN, ASSIGN[0])
    among = _texts(given, "among", f"{place}.among", 50, "addresses")
    return AssignStep(step_id, cast("Assign", by), among)


def _survey(given: Mapping[str, Any], step_id: str, place: str) -> Step:
    _mapping(given, place, ("do", "survey"))
    name = _text(given, "survey", f"{place}.survey", 120, needed=True)
    return SurveyStep(step_id, name)


def _guide(given: Mapping[str, Any], step_id: str, place: str) -> Step:
    _mapping(given, place, ("do", "guide"))
    name = _text(given, "guide", f"{place}.guide", 120, needed=True)
    return GuideStep(step_id, name)


def _tag(given: Mapping[str, Any], step_id: str, place: str) -> Step:
    _mapping(given, place, ("do", "add", "remove"))
    add, remove = (
        _texts(given, name, f"{place}.{name}", 20, "tags") for name in ("add", "remove")
    )
    if not add and not remove:
        raise BadValue(f"{place}: needs add or remove")
    return TagStep(step_id, add, remove)


def _texts(
    given: Mapping[str, Any], name: str, place: str, most: int, what: str
) -> tuple[str, ...]:
    texts = given.get(name, [])
    if not isinstance(texts, Sequence) or isinstance(texts, str) or len(texts) > most:
        raise BadValue(f"{place}: must be a list of at most {most} {what}")
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise BadValue(f"{place}: {what} are texts")
    return tuple(dict.fromkeys(text.strip() for text in texts))


def _wait(given: Mapping[str, Any], step_id: str, place: str) -> Step:
    _mapping(given, place, ("do", "days", "until"))
    days = _number(given, "days", f"{place}.days", 1, MOST_DAYS)
    if days is None:
        raise BadValue(f"{place}.days: is missing")
    until = given.get("until")
    return WaitStep(
        step_id, days, None if until is None else _condition(until, f"{place}.until")
    )


def _branch(given: Mapping[str, Any], step_id: str, place: str, depth: int) -> Step:
    _mapping(given, place, ("do", "if", "then", "else"))
    then = _steps(given.get("then", []), f"{step_id}.then", depth + 1)
    if not then:
        raise BadValue(f"{place}.then: is missing")
    return BranchStep(
        step_id,
        _condition(given.get("if"), f"{place}.if"),
        then,
        _steps(given.get("else", []), f"{step_id}.else", depth + 1),
    )


def _never(given: Mapping[str, Any], step_id: str, place: str) -> Step:
    raise AssertionError("branches know how deep they are")


_KINDS: Final = {
    "task": _task,
    "email": _email,
    "chat": _post,
    "webhook": _post,
    "tag": _tag,
    "set": _set,
    "assign": _assign,
    "survey": _survey,
    "guide": _guide,
    "wait": _wait,
    "branch": _never,
}
STEP_KINDS: Final = tuple(_KINDS)


def _condition(given: object, place: str) -> Condition:
    try:
        return conditions.read(given)
    except BadValue as error:
        raise BadValue(f"{place}: {error}") from None


def _mapping(given: object, place: str, known: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise BadValue(f"{place}: must be a mapping")
    for name in given:
        if name not in known:
            listed = ", ".join(known)
            raise BadValue(f"{place}: {name!r} is not known; known: {listed}")
    return given


def _text(
    given: Mapping[str, Any], name: str, place: str, most: int, *, needed: bool = False
) -> str:
    value = given.get(name, "")
    if not isinstance(value, str):
        raise BadValue(f"{place}: must be a text, not {value!r}")
    text = value.strip()
    if needed and not text:
        raise BadValue(f"{place}: is missing")
    if len(text) > most:
        raise BadValue(f"{place}: is longer than {most} characters")
    return text


def _one(
    given: Mapping[str, Any], name: str, place: str, known: Sequence[str], default: str
) -> str:
    value = given.get(name, default)
    if value not in known:
        raise BadValue(f"{place}: must be one of {', '.join(known)}, not {value!r}")
    return str(value)


def _number(
    given: Mapping[str, Any], name: str, place: str, least: int, most: int
) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadValue(f"{place}: must be a whole number, not {value!r}")
    if not least <= value <= most:
        raise BadValue(f"{place}: must be from {least} to {most}")
    return value
