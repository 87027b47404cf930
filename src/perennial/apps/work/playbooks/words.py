"""Playbooks in words: triggers, steps, what a run did, why one did not start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from django.utils.functional import Promise
from django.utils.translation import (
    get_language,
    gettext_lazy,
    ngettext,
    pgettext_lazy,
)
from django.utils.translation import gettext as _

from perennial.apps.customers import attributes, condition_words
from perennial.apps.work.models import Priority, Run, RunEntry
from perennial.apps.work.playbooks.document import (
    AssignStep,
    Book,
    BranchStep,
    EmailStep,
    GuideStep,
    PostStep,
    SetStep,
    Step,
    SurveyStep,
    TagStep,
    TaskStep,
    WaitStep,
)
from perennial.apps.work.playbooks.owners import Nobody
from perennial.apps.work.playbooks.reading import read

Text = str | Promise
Say = Callable[[Any], str]

SITUATIONS: Final[Mapping[str, Text]] = {
    "risk": pgettext_lazy("situation", "Risk"),
    "adoption": pgettext_lazy("situation", "Low adoption"),
    "expansion": pgettext_lazy("situation", "Expansion"),
    "renewal": pgettext_lazy("situation", "Renewal"),
    "onboarding": pgettext_lazy("situation", "Onboarding"),
    "reengagement": pgettext_lazy("situation", "Re-engagement"),
    "education": pgettext_lazy("situation", "Education"),
    "other": pgettext_lazy("situation", "Other"),
}
TRIGGERS: Final[Mapping[str, Text]] = {
    "matches": gettext_lazy("While an account matches"),
    "enters": gettext_lazy("When an account begins to match"),
    "leaves": gettext_lazy("When an account no longer matches"),
    "manual": gettext_lazy("Only when a person starts it"),
}
STEPS: Final[Mapping[str, Text]] = {
    "task": gettext_lazy("Task"),
    "email": gettext_lazy("E-mail"),
    "chat": gettext_lazy("Message to Slack or Teams"),
    "webhook": gettext_lazy("Webhook"),
    "tag": gettext_lazy("Tag"),
    "set": gettext_lazy("Stage or attribute"),
    "assign": gettext_lazy("Owner by rule"),
    "survey": gettext_lazy("Survey"),
    "guide": gettext_lazy("Guide"),
    "wait": gettext_lazy("Wait"),
    "branch": pgettext_lazy("step of a playbook", "If"),
}
WHO: Final[Mapping[str, Text]] = {
    "owner": gettext_lazy("The account's owner"),
    "manager": gettext_lazy("The head (an admin)"),
    "starter": gettext_lazy("Whoever started it"),
}
PRIORITIES: Final[Mapping[str, Text]] = {
    priority.name.lower(): priority.label for priority in Priority
}
ASSIGN: Final[Mapping[str, Text]] = {
    "fewest_accounts": gettext_lazy("Whoever has the fewest accounts"),
    "least_mrr": gettext_lazy("Whoever has the least MRR"),
}
#: Why an account that matches did not start.
REFUSALS: Final[Mapping[str, Text]] = {
    "running": gettext_lazy("it is running for this account"),
    "resting": gettext_lazy("it started not long ago, and the account rests"),
    "often_enough": gettext_lazy("it has started as often as it may"),
    "loop": gettext_lazy("it started three times in 30 days: it may be going round"),
    "too_many_at_once": gettext_lazy("ten playbooks started for the account this week"),
    "owner_full": gettext_lazy("the owner has as many starts this week as allowed"),
    "waiting": gettext_lazy("it has not matched long enough"),
    "not_new": gettext_lazy("it matched before the playbook was turned on"),
    "no_match": gettext_lazy("the conditions do not hold"),
    "manual": gettext_lazy("only a person starts it"),
    "off": gettext_lazy("the playbook is not on"),
}
_ENDINGS: Final[Mapping[str, Text]] = {
    "started": gettext_lazy("Started"),
    "held_out": gettext_lazy("Held out, to compare with"),
    "finished": gettext_lazy("Every step is done"),
    "condition": gettext_lazy("Over: the ending condition held"),
    "time": gettext_lazy("Over: its time ran out"),
    "held": gettext_lazy("The wait is over: its condition held"),
    "time_over": gettext_lazy("The wait is over"),
    "yes": gettext_lazy("The condition held"),
    "no": gettext_lazy("The condition did not hold"),
}


#: What a form offers for e-mails.
_LANGUAGES: Final = (
    *("cs", "da", "de", "en", "es", "fi", "fr"),
    *("it", "ja", "nb", "nl", "pl", "pt", "sv"),
)


@dataclass(frozen=True)
class StepLine:
    """A step as the page shows it; `depth` steps in for what is below a branch."""

    id: str
    when: str
    depth: int
    icon: str
    title: str
    sub: str = ""
    who: str = ""
    asks: str = ""


def step_lines(book: Book, say: Say) -> list[StepLine]:
    """Every step in order, with the day it comes at the earliest."""
    lines: list[StepLine] = []
    _collect(book.steps, 0, 0, "", lines, say)
    return lines


def _collect(
    steps: tuple[Step, ...],
    day: int,
    depth: int,
    when: str,
    lines: list[StepLine],
    say: Say,
) -> int:
    for step in steps:
        at = when or (_("at once") if day == 0 else _("day %(n)s") % {"n": day})
        lines.append(StepLine(step.id, at, depth, **_told(step, say)))
        if isinstance(step, WaitStep):
            day += step.days
        elif isinstance(step, BranchStep):
            _collect(step.then, day, depth + 1, _("if so"), lines, say)
            _collect(step.otherwise, day, depth + 1, _("if not"), lines, say)
    return day


def _told(step: Step, say: Say) -> dict[str, str]:
    if isinstance(step, TaskStep):
        title = f"{STEPS['task']}: {step.title}"
        who = str(WHO[step.who])
        return {"icon": "checkbox", "title": title, "sub": _due(step), "who": who}
    if isinstance(step, EmailStep):
        return {"icon": "mail", **_email(step)}
    if isinstance(step, PostStep):
        sub = step.text or step.url
        return {"icon": "send", "title": str(STEPS[step.channel]), "sub": sub}
    if isinstance(step, SetStep):
        title = f"{step.field}: {step.value}"
        return {"icon": "pencil", "title": title}
    if isinstance(step, AssignStep):
        among = ", ".join(step.among) or _("Among everybody who owns accounts")
        title = f"{STEPS['assign']}: {ASSIGN[step.by]}"
        return {"icon": "user-check", "title": title, "sub": among}
    if isinstance(step, TagStep):
        tags = [*(f"+ {tag}" for tag in step.add), *(f"− {tag}" for tag in step.remove)]
        return {"icon": "tag", "title": f"{STEPS['tag']}: {', '.join(tags)}"}
    if isinstance(step, SurveyStep):
        sub = _("By mail, to those whom the rules of asking allow")
        title = f"{STEPS['survey']}: {step.survey}"
        return {"icon": "message-2", "title": title, "sub": sub}
    if isinstance(step, GuideStep):
        sub = _("In the product, to the people of the account")
        title = f"{STEPS['guide']}: {step.guide}"
        return {"icon": "map-2", "title": title, "sub": sub}
    if isinstance(step, WaitStep):
        days = ngettext("Wait %(n)s day", "Wait %(n)s days", step.days)
        sub = _("or until: %(what)s") % {"what": say(step.until)} if step.until else ""
        asks = _("Another condition") if step.until else _("Wait for a condition")
        title = days % {"n": step.days}
        return {"icon": "clock", "title": title, "sub": sub, "asks": asks}
    title = _("If %(what)s") % {"what": say(step.condition)}
    return {"icon": "git-branch", "title": title, "asks": _("Another condition")}


def _email(step: EmailStep) -> dict[str, str]:
    to = {
        "contact": _("To the user who is most active"),
        "owner": _("To the account's owner"),
    }
    names = [language_name(letter.language) for letter in step.letters]
    also = f" · {_('also in')} {', '.join(names)}" if names else ""
    return {
        "title": f"{STEPS['email']}: “{step.subject}”",
        "sub": f"{to.get(step.to, step.to)}{also}",
        "who": _("the owner sends it") if step.is_draft else _("sent by itself"),
    }


def language_name(code: str) -> str:
    """A language as the reader calls it: "German"."""
    try:
        named = Locale.parse(code).get_display_name(get_language() or "en")
    except (ValueError, UnknownLocaleError):
        return code
    return str(named or code)


def languages() -> list[tuple[str, str]]:
    """Languages a form offers for an e-mail, by name; a document may have any."""
    named = [(code, language_name(code)) for code in _LANGUAGES]
    return sorted(named, key=lambda pair: pair[1])


def _due(step: TaskStep) -> str:
    if step.due_days is None:
        return step.notes
    due = ngettext("Due in %(n)s day", "Due in %(n)s days", step.due_days)
    return f"{due % {'n': step.due_days}}. {step.notes}".strip()


def saying(choices: condition_words.Choices) -> Say:
    return lambda condition: condition_words.sentence(condition, choices)


_NOBODY: Mapping[Nobody, Text] = {
    Nobody.GONE: gettext_lazy("No owner chosen: the account is gone"),
    Nobody.AWAY: gettext_lazy("No owner chosen: who could be is away"),
    Nobody.LEFT: gettext_lazy(
        "No owner chosen: nobody who is named can own accounts any more"
    ),
    Nobody.NONE: gettext_lazy("No owner chosen: nobody here can own accounts"),
}


def entry(line: RunEntry) -> str:
    """What a step did, as a sentence without a stop."""
    details = line.details
    if line.what == "task":
        owner = details.get("owner") or _("nobody")
        return _("Task “%(title)s” for %(who)s") % {
            "title": details.get("title", ""),
            "who": owner,
        }
    if line.what == "message":
        return _("Message “%(title)s”") % {"title": details.get("title", "")}
    if line.what == "edit":
        return _edited(details)
    if line.what == "waits":
        days = int(details.get("days", 0))
        return ngettext("Waits %(n)s day", "Waits %(n)s days", days) % {"n": days}
    if line.what == "person":
        return _("Stopped by %(who)s") % {"who": details.get("who", "")}
    if line.what == "nobody":
        return str(_NOBODY[Nobody(details["why"])])
    return str(_ENDINGS.get(line.what, line.what))


def entries(
    run: Run, found: Sequence[RunEntry], say: Say
) -> list[tuple[RunEntry, str, str]]:
    """Its log: what each step did, and the condition it asked."""
    book = read(run.version.document)
    return [(each, entry(each), _asked(book, each, say)) for each in found]


def _asked(book: Book, line: RunEntry, say: Say) -> str:
    """What a step asked, as the version said it that the run follows."""
    step = book.step(line.step) if line.step else None
    if isinstance(step, BranchStep):
        return say(step.condition)
    if isinstance(step, WaitStep) and step.until is not None:
        return _("until %(what)s") % {"what": say(step.until)}
    is_end = line.what == "condition" and book.end.condition is not None
    return say(book.end.condition) if is_end and book.end.condition else ""


def _edited(details: Mapping[str, Any]) -> str:
    if "survey" in details:
        return _("Invited to “%(survey)s”") % {"survey": details["survey"]}
    if "guide" in details:
        return _("Chosen for the guide “%(guide)s”") % {"guide": details["guide"]}
    if details.get("field") == attributes.OWNER:
        who = details["value"] or _("nobody could be chosen")
        return _("Owner: %(who)s") % {"who": who}
    if "field" in details:
        return f"{details['field']}: {details['value']}"
    told = {"add": "+", "remove": "−"}
    return ", ".join(f"{told[n]} {details[n]}" for n in told if details.get(n))
