"""Why an account needs a human: sentences built from measured facts.

`needs` finds the accounts in the lake, `reasons` says why in words; both read the
thresholds here, and a test holds them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import ibis
import ibis.expr.types as ir
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from perennial.apps.customers.account import DETRACTOR, FULL, Account
from perennial.apps.customers.listing import Reader, license_use
from perennial.apps.customers.words import capitalized, spelled
from perennial.core.windows import day_start
from perennial.ui import formats
from perennial.ui.formats import Regional

#: Log-ins must have been this many before a fall of them means anything.
LOGINS_ENOUGH = 10
LOGINS_FALL = 0.30
QUIET_DAYS = 7
USERS_FALL = 0.25
HEALTH_FALL = 10
DETRACTOR_DAYS = 30
RENEWAL_DAYS = 90
#: Without this share of the key features, or of the seats, it is said.
LOW_SHARE = 0.50
UNTOUCHED_DAYS = 60
MRR_FALL = 0.05
STALLED_DAYS = 10
#: Fewer seats than this are full by chance.
SEATS_ENOUGH = 4


@dataclass(frozen=True)
class Steps:
    """How far an onboarding came: the furthest step, of how many, since when."""

    done: int
    of: int
    last_at: datetime | None


@dataclass(frozen=True)
class Facts:
    """What is known beside the measures of an account."""

    key_features_used: int | None = None
    key_features: int | None = None
    steps: Steps | None = None


@dataclass(frozen=True)
class Reason:
    """One fact in words, and the tab of the account that shows it.

    `is_signal`: it brings an account on the list by itself; others only explain.
    """

    kind: str
    text: str
    tab: str = ""
    is_signal: bool = False


@dataclass(frozen=True)
class Sentence:
    """The reasons as one sentence, the first one in front."""

    lead: str
    rest: str


def reasons(account: Account, facts: Facts, regional: Regional) -> list[Reason]:
    """Every reason that holds, the most telling first."""
    found = [r for build in _BUILDERS if (r := build(account, facts, regional))]
    if any(r.kind == "quiet" for r in found):
        silent = {"logins", "users", "features", "seats"}
        found = [r for r in found if r.kind not in silent]
    # Where nothing else is known, the score alone has to do.
    told = [r for r in found if r.kind not in {"score", "renewal"}]
    return [r for r in found if r.kind != "score"] if told else found


def sentence(found: list[Reason], most: int = 3) -> Sentence | None:
    """ "Logins down 62% in two weeks; two urgent tickets; renewal in 41 days."

    The renewal always stays in: it says how much time there is.
    """
    if not found:
        return None
    shown = found[:most]
    renewal = [r for r in found if r.kind == "renewal"]
    if renewal and renewal[0] not in shown:
        shown = [*shown[:-1], renewal[0]]
    lead, *others = [reason.text for reason in shown]
    rest = "".join(f"; {text}" for text in others)
    # Some languages end a shortened date with a stop of its own.
    stop = "" if (rest or lead).endswith(".") else "."
    return Sentence(capitalized(lead), f"{rest}{stop}")


def needs(measures: ir.Table, reader: Reader) -> ir.BooleanValue:
    """Accounts with a reason to look at today; ready ones to grow left out."""
    m = measures
    fall = 1 - m.logins_14d.fill_null(0) / m.logins_14d_before.cast("float64")
    quiet = m.last_seen_at < _instant(reader, QUIET_DAYS - 1)
    detractor = (m.nps_score <= DETRACTOR) & (
        m.nps_at >= _instant(reader, DETRACTOR_DAYS)
    )
    signals = [
        m.health_color.isin(["red", "orange"]),
        (m.logins_14d_before >= LOGINS_ENOUGH) & (fall >= LOGINS_FALL),
        quiet,
        m.urgent_tickets > 0,
        (m.health_score - m.health_score_28d) <= -HEALTH_FALL,
        detractor,
    ]
    found = ibis.or_(*(signal.fill_null(False) for signal in signals))
    return (m.state == "paying") & found


def grows(measures: ir.Table) -> ir.BooleanValue:
    """Accounts whose seats are nearly all in use, and that are well."""
    well = measures.health_color.isin(["green", "yellow"])
    full = license_use(measures) >= FULL
    found = well & full & (measures.seats >= SEATS_ENOUGH)
    return (measures.state == "paying") & found.fill_null(False)


def _instant(reader: Reader, days: int) -> ir.TimestampScalar:
    return ibis.literal(day_start(reader.as_of - timedelta(days=days), reader.zone))


# --- one reason each, in the order they are told -----------------------------


def _days_since(at: datetime | date, account: Account, regional: Regional) -> int:
    local = at.astimezone(regional.zone).date() if isinstance(at, datetime) else at
    return (account.as_of - local).days


def _quiet(a: Account, _facts: Facts, regional: Regional) -> Reason | None:
    if a.last_seen_at is None:
        if not a.seats or a.status == "onboarding":
            return None
        return Reason("quiet", _("no log-in on record"), "people")
    days = _days_since(a.last_seen_at, a, regional)
    if days < QUIET_DAYS:
        return None
    said = _("nobody has logged in for %(days)s days") % {
        "days": formats.number(days, regional)
    }
    return Reason("quiet", said, "people", is_signal=True)


def _logins(a: Account, _facts: Facts, regional: Regional) -> Reason | None:
    before, now = a.logins_14d_before or 0, a.logins_14d or 0
    if before < LOGINS_ENOUGH or 1 - now / before < LOGINS_FALL:
        return None
    share = formats.percent(1 - now / before, regional, 0)
    said = _("logins down %(share)s in two weeks") % {"share": share}
    return Reason("logins", said, "usage", is_signal=True)


def _tickets(a: Account, _facts: Facts, regional: Regional) -> Reason | None:
    if not a.urgent_tickets:
        return None
    said = ngettext(
        "one urgent ticket is open", "%(n)s urgent tickets are open", a.urgent_tickets
    ) % {"n": spelled(a.urgent_tickets, regional)}
    return Reason("tickets", said, is_signal=True)


def _detractor(a: Account, _facts: Facts, regional: Regional) -> Reason | None:
    if a.nps_score is None or a.nps_at is None or a.nps_score > DETRACTOR:
        return None
    if _days_since(a.nps_at, a, regional) > DETRACTOR_DAYS:
        return None
    said = _("NPS answer %(score)s on %(day)s") % {
        "score": formats.number(a.nps_score, regional),
        "day": formats.day(a.nps_at, regional, a.as_of),
    }
    return Reason("nps", said, is_signal=True)


def _health(a: Account, _facts: Facts, regional: Regional) -> Reason | None:
    if a.score is None or a.score_28d is None:
        return None
    if a.score - a.score_28d > -HEALTH_FALL:
        return None
    fall = formats.number(-(a.change_28d or 0), regional)
    said = _("health down %(points)s points in 28 days") % {"points": fall}
    return Reason("health", said, is_signal=True)


def _users(a: Account, _facts: Facts, regional: Regional) -> Reason | None:
    before, now = a.active_users_before or 0, a.active_users or 0
    if before - now < 2 or 1 - now / before < USERS_FALL:
        return None
    said = _("active users down from %(before)s to %(now)s") % {
        "before": formats.number(before, regional),
        "now": formats.number(now, regional),
    }
    return Reason("users", said, "people")


def _features(a: Account, facts: Facts, regional: Regional) -> Reason | None:
    used, of = facts.key_features_used, facts.key_features
    if not a.is_risky or used is None or not of or used / of > LOW_SHARE:
        return None
    said = _("%(used)s of %(of)s key features used") % {
        "used": formats.number(used, regional),
        "of": formats.number(of, regional),
    }
    return Reason("features", said, "usage")


def _seats(a: Account, _facts: Facts, regional: Regional) -> Reason | None:
    use = a.license_use
    if not a.is_risky or use is None or use > LOW_SHARE:
        return None
    said = _("%(used)s of %(of)s seats in use") % {
        "used": formats.number(a.active_users, regional),
        "of": formats.number(a.seats, regional),
    }
    return Reason("seats", said, "people")


def _mrr(a: Account, _facts: Facts, regional: Regional) -> Reason | None:
    change = a.mrr_change
    if change is None or change > -MRR_FALL:
        return None
    share = formats.percent(-change, regional, 0)
    said = _("MRR down %(share)s in 90 days") % {"share": share}
    return Reason("mrr", said, "money")


def _stalled(a: Account, facts: Facts, regional: Regional) -> Reason | None:
    """Onboarding without a step for some days."""
    if a.status != "onboarding" or facts.steps is None:
        return None
    steps = facts.steps
    since = steps.last_at or a.created_at
    if since is None:
        return None
    days = _days_since(since, a, regional)
    if days < STALLED_DAYS:
        return None
    numbers = {
        "step": formats.number(steps.done, regional),
        "of": formats.number(steps.of, regional),
        "days": formats.number(days, regional),
    }
    said = _("onboarding has stood at step %(step)s of %(of)s for %(days)s days")
    return Reason("onboarding", said % numbers, "people", is_signal=True)


def _full(a: Account, _facts: Facts, regional: Regional) -> Reason | None:
    use, seats = a.license_use, a.seats or 0
    if use is None or use < FULL or seats < SEATS_ENOUGH or a.is_risky or not a.color:
        return None
    numbers = {
        "used": formats.number(a.active_users, regional),
        "of": formats.number(seats, regional),
    }
    if use > 1:
        said = _("%(used)s people use %(of)s seats: ready to expand") % numbers
    else:
        said = _("%(used)s of %(of)s seats in use: ready to expand") % numbers
    return Reason("expand", said, "money")


def _untouched(a: Account, _facts: Facts, regional: Regional) -> Reason | None:
    if not a.is_risky:
        return None
    if a.last_touch_at is None:
        return Reason("touch", _("no contact on record"))
    days = _days_since(a.last_touch_at, a, regional)
    if days < UNTOUCHED_DAYS:
        return None
    said = _("last contact %(days)s days ago") % {
        "days": formats.number(days, regional)
    }
    return Reason("touch", said)


def _renewal(a: Account, _facts: Facts, regional: Regional) -> Reason | None:
    days = a.days_to_renewal
    if days is None or days > RENEWAL_DAYS or not a.is_customer:
        return None
    if days == 0:
        return Reason("renewal", _("renewal today"), "money")
    said = ngettext("renewal tomorrow", "renewal in %(days)s days", days) % {
        "days": formats.number(days, regional)
    }
    return Reason("renewal", said, "money")


def _score(a: Account, _facts: Facts, regional: Regional) -> Reason | None:
    """What can always be said of a red or orange account."""
    if not a.is_risky or a.score is None:
        return None
    missing = a.cuts[1] - a.score
    said = _("%(points)s points below yellow") % {
        "points": formats.number(missing, regional, 1)
    }
    return Reason("score", said)


_BUILDERS = (
    _quiet,
    _logins,
    _tickets,
    _users,
    _stalled,
    _detractor,
    _features,
    _health,
    _seats,
    _mrr,
    _full,
    _untouched,
    _renewal,
    _score,
)
