"""What an alert says, made from its facts in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from perennial.apps.work.alerts.rules import BY_KEY, INCIDENT
from perennial.ui import formats
from perennial.ui.formats import Regional
from perennial.ui.templatetags.ui import state_word

Facts = Mapping[str, Any]


def title(rule: str) -> str:
    return str(BY_KEY[rule].title) if rule in BY_KEY else _("Data incident")


def sentence(rule: str, facts: Facts, regional: Regional, today: date) -> str:
    """One sentence without a stop; a rule that is no more has its facts as they are."""
    say = _SENTENCES.get(rule)
    return say(facts, regional, today) if say else title(rule)


def _renewal(facts: Facts, regional: Regional) -> str:
    days = int(facts["to_renewal"])
    if days == 0:
        return _("renewal today")
    return ngettext("renewal tomorrow", "renewal in %(days)s days", days) % {
        "days": formats.number(days, regional)
    }


def _renewal_at_risk(f: Facts, regional: Regional, _today: date) -> str:
    said = {"color": state_word(f["health_color"]), "when": _renewal(f, regional)}
    return _("%(color)s, and %(when)s") % said


def _renewal_ahead(f: Facts, regional: Regional, _today: date) -> str:
    text = _renewal(f, regional)
    return text[:1].upper() + text[1:]


def _worsened(f: Facts, regional: Regional, today: date) -> str:
    return _("Health went from %(before)s to %(after)s on %(day)s") % {
        "before": state_word(f["turned_from"]),
        "after": state_word(f["turned_to"]),
        "day": formats.day(date.fromisoformat(f["turned_on"]), regional, today),
    }


def _no_usage(f: Facts, regional: Regional, today: date) -> str:
    last = datetime.fromisoformat(f["last_seen_at"]).astimezone(regional.zone).date()
    days = formats.number((today - last).days, regional)
    return _("Nobody has logged in for %(days)s days") % {"days": days}


def _usage_fell(f: Facts, regional: Regional, _today: date) -> str:
    before, now = f["logins_14d_before"], f["logins_14d"] or 0
    share = formats.percent(1 - now / before, regional, 0)
    return _("Log-ins down %(share)s in two weeks, from %(before)s to %(now)s") % {
        "share": share,
        "before": formats.number(before, regional),
        "now": formats.number(now, regional),
    }


def _tickets(f: Facts, regional: Regional, _today: date) -> str:
    count = int(f["urgent_tickets"])
    return ngettext(
        "%(n)s urgent ticket is open", "%(n)s urgent tickets are open", count
    ) % {"n": formats.number(count, regional)}


def _detractor(f: Facts, regional: Regional, today: date) -> str:
    at = datetime.fromisoformat(f["nps_at"])
    return _("NPS answer %(score)s on %(day)s") % {
        "score": formats.number(f["nps_score"], regional),
        "day": formats.day(at, regional, today),
    }


def _stalled(f: Facts, regional: Regional, _today: date) -> str:
    return _("Onboarding has stood at step %(step)s of %(of)s for %(days)s days") % {
        "step": formats.number(f["step_done"], regional),
        "of": formats.number(f["step_of"], regional),
        "days": formats.number(f["step_days"], regional),
    }


def _goal(f: Facts, regional: Regional, _today: date) -> str:
    return ngettext(
        "Goal “%(goal)s” has been due for a day",
        "Goal “%(goal)s” has been due for %(days)s days",
        int(f["goal_days"]),
    ) % {"goal": f["goal"], "days": formats.number(f["goal_days"], regional)}


def _champion(f: Facts, _regional: Regional, _today: date) -> str:
    return _("The champion %(name)s is gone") % {"name": f["champion"]}


def _seats(f: Facts, regional: Regional, _today: date) -> str:
    return _("%(used)s of %(of)s seats in use") % {
        "used": formats.number(f["active_users"], regional),
        "of": formats.number(f["seats"], regional),
    }


def _seats_idle(f: Facts, regional: Regional, today: date) -> str:
    return f"{_seats(f, regional, today)}, {_renewal(f, regional)}"


def _seats_level(f: Facts, regional: Regional, today: date) -> str:
    return _("%(seats)s, as for months, %(when)s") % {
        "seats": _seats(f, regional, today),
        "when": _renewal(f, regional),
    }


def _incident(f: Facts, regional: Regional, _today: date) -> str:
    text = _("Only %(events)s events arrived yesterday, usual are %(usual)s")
    return text % {
        "events": formats.number(f["events"], regional),
        "usual": formats.number(f["expected"], regional),
    }


_SENTENCES: Mapping[str, Callable[[Facts, Regional, date], str]] = {
    "renewal_at_risk": _renewal_at_risk,
    "worsened": _worsened,
    "no_usage": _no_usage,
    "usage_fell": _usage_fell,
    "urgent_tickets": _tickets,
    "detractor": _detractor,
    "onboarding_stalled": _stalled,
    "goal_overdue": _goal,
    "champion_gone": _champion,
    "seats_full": _seats,
    "seats_idle": _seats_idle,
    "seats_level": _seats_level,
    "renewal_ahead": _renewal_ahead,
    INCIDENT: _incident,
}
