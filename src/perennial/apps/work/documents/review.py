"""The quarterly review of an account: what its page says, on pages to present.

From the same functions and the same charts. The version for the customer leaves out
what is the team's own: the score, the chance of renewal, why somebody should call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.html import strip_tags
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from perennial.apps.customers import account_page, chance, money, overview, today, usage
from perennial.apps.customers import reasons as why_now
from perennial.apps.customers.account import Account
from perennial.apps.customers.usage import FeatureRow, Week
from perennial.apps.team.lake import lake_of
from perennial.apps.team.models import Workspace
from perennial.apps.work.documents import voice
from perennial.apps.work.documents.goals import goal_bar, milestone_items
from perennial.apps.work.models import Milestone, Plan, Task
from perennial.apps.work.plans import queries as plans
from perennial.apps.work.tasks import queries as tasks
from perennial.core.windows import DAY, Period
from perennial.ui import documents, formats
from perennial.ui.documents import Bar, Bars, Column, Document, Fact, Items, Page
from perennial.ui.documents import Table as Grid
from perennial.ui.formats import Regional
from perennial.ui.templatetags.ui import state_word

WEEKS = 13
#: Sizes of charts: half a page, and most of one.
_HALF, _WIDE = (422.0, 190.0), (519.0, 190.0)
_MOST_FEATURES, _MOST_ITEMS, _MOST_STEPS = 13, 6, 8


@dataclass(frozen=True)
class Review:
    """What a review is of: an account, the 13 weeks before the day its data speak of,
    and for whom. `mask`: without personal data in what people wrote."""

    workspace: Workspace
    account: Account
    regional: Regional
    for_customer: bool = False
    mask: bool = True

    @property
    def period(self) -> Period:
        return Period(self.account.as_of - DAY * 7 * WEEKS, self.account.as_of)


def compose(review: Review) -> Document:
    """The document in the language that is active."""
    account = review.account
    span = _span(review)
    title = _("Quarterly review")
    pages = [
        *([] if review.for_customer else [_health(review)]),
        _usage(review),
        _adoption(review),
        _goals(review),
        voice.page(
            review.workspace,
            account,
            review.period,
            review.regional,
            mask=review.mask,
        ),
        _money(review),
        _next_steps(review),
    ]
    word = str(state_word(account.color)) if account.color else ""
    score = f"{account.shown_score} {word}"
    mark = (account.color, score) if word and not review.for_customer else None
    return Document(
        title=account.name,
        subtitle=f"{title} · {span}",
        author=review.workspace.name,
        footer=f"{review.workspace.name} · {account.name} · {title} {span}",
        language=get_language() or "en",
        pages=pages,
        facts=_cover_facts(review),
        mark=mark,
    )


def _span(review: Review) -> str:
    first, last = review.period.start, review.period.end - DAY
    said = _day(first, review, last), _day(last, review, date.min)
    return f"{said[0]} – {said[1]}"


def _day(day: date, review: Review, other: date) -> str:
    """With its year where that is another one."""
    return formats.day(day, review.regional, other)


def _cover_facts(review: Review) -> list[Fact]:
    a, regional = review.account, review.regional
    found = [Fact("MRR", formats.money(a.mrr, regional))]
    if a.seats:
        used = formats.number(a.active_users, regional)
        of = formats.number(a.seats, regional)
        found.append(Fact(_("Seats in use"), f"{used} / {of}"))
    if a.renewal_on:
        found.append(Fact(_("Renewal"), formats.day(a.renewal_on, regional, a.as_of)))
    if a.customer_since:
        since = formats.day(a.customer_since, regional, date.min)
        found.append(Fact(_("Customer since"), since))
    return found


def _health(review: Review) -> Page:
    a, regional = review.account, review.regional
    stored = overview.history(review.workspace, a)
    snapshot = overview.on(stored, a.as_of)
    rules = overview.rules_of(review.workspace, snapshot)
    why = overview.why(stored, a, rules, regional)
    told = why_now.reasons(a, today.facts_of(review.workspace, a, snapshot), regional)
    sentence = account_page.said(a, told, regional)
    lead, rest = (sentence.lead, sentence.rest.strip()) if sentence else ("", "")
    chart = documents.picture(
        overview.chart(stored, a, regional, _("Health")),
        _("Health, the last 26 weeks"),
        "",
        regional,
        width=_HALF[0],
        height=270,
    )
    if why is None:
        lead = lead or account_page.no_score(a, stored, regional)
        return _page(_("Health"), lead, rest, [], chart)
    return _page(_("Health"), lead, rest, _parts(why, regional), chart)


def _parts(why: overview.Why, regional: Regional) -> list[documents.Block]:
    """What the score is made of, and what would raise it."""
    bars = []
    for row in why.rows:
        points, possible = row.part.points, row.part.possible
        if points is None or not possible:
            continue
        got = formats.number(points, regional, 1)
        most = formats.number(possible, regional, why.places)
        measured = strip_tags(str(row.measured))
        share = float(points / possible)
        bars.append(Bar(str(row.name), measured, share, f"{got} / {most}"))
    sub = _("Points of possible points, by part")
    found: list[documents.Block] = [Bars(why.title, bars, sub=sub)]
    if why.way:
        way = (strip_tags(str(why.way.missing)), strip_tags(str(why.way.steps)))
        found.append(Items(_("The way up"), [way]))
    return found


def _page(
    title: str,
    lead: str,
    rest: str,
    left: Sequence[documents.Block],
    *right: documents.Block | None,
) -> Page:
    columns = [Column(left), Column([block for block in right if block])]
    return Page(title, lead, rest, [column for column in columns if column.blocks])


# --- usage -------------------------------------------------------------------


def _usage(review: Review) -> Page:
    a, regional = review.account, review.regional
    weeks = usage.weekly(review.workspace, a)
    now, before = weeks[-WEEKS:], weeks[-2 * WEEKS : -WEEKS]
    width, height = _HALF
    users = documents.picture(
        account_page.users_chart(weeks, regional),
        _("Active users by week"),
        _("Distinct people with activity, whole calendar weeks"),
        regional,
        width=width,
        height=height,
    )
    sessions = documents.picture(
        account_page.sessions_chart(weeks, regional),
        _("Sessions by week"),
        _("Sessions started"),
        regional,
        width=width,
        height=height,
    )
    facts = [
        _mean_fact(_("Active users a week"), now, before, "users", regional),
        _mean_fact(_("Sessions a week"), now, before, "sessions", regional),
        Fact(
            _("Seats in use"),
            formats.percent(a.license_use, regional, 0),
            _seats(a, regional),
        ),
        Fact(_("Last seen"), formats.day(a.last_seen_at, regional, a.as_of)),
    ]
    lead, rest = _usage_words(now, before, regional)
    columns = [Column(_some(users)), Column(_some(sessions))]
    return Page(_("Usage"), lead, rest, columns, facts)


def _some(block: documents.Block | None) -> list[documents.Block]:
    return [block] if block else []


def _mean(weeks: Sequence[Week], name: str) -> float:
    return sum(float(getattr(week, name)) for week in weeks) / max(len(weeks), 1)


def _mean_fact(
    label: str,
    now: Sequence[Week],
    before: Sequence[Week],
    name: str,
    regional: Regional,
) -> Fact:
    """A weekly mean, with what it was in the weeks before, where there was anything."""
    was = _mean(before, name)
    told = {"was": formats.number(was, regional, 1)}
    note = _("%(was)s in the 13 weeks before") % told if was else ""
    return Fact(label, formats.number(_mean(now, name), regional, 1), note)


def _usage_words(
    now: Sequence[Week], before: Sequence[Week], regional: Regional
) -> tuple[str, str]:
    users, were = _mean(now, "users"), _mean(before, "users")
    figures = {
        "n": formats.number(users, regional, 1),
        "was": formats.number(were, regional, 1),
    }
    lead = _("%(n)s people used the product in a usual week.") % figures
    if not were:
        return lead, ""
    return lead, _("It was %(was)s in the 13 weeks before.") % figures


def _seats(account: Account, regional: Regional) -> str:
    if not account.seats:
        return ""
    figures = {
        "used": formats.number(account.active_users, regional),
        "of": formats.number(account.seats, regional),
    }
    return _("%(used)s of %(of)s seats in use") % figures


def _adoption(review: Review) -> Page:
    matrix = usage.matrix(review.workspace, review.account)
    keys = [row for row in matrix.rows if row.is_key]
    used = [row for row in keys if row.lately]
    unused = [row.name for row in keys if not row.lately]
    regional = review.regional
    figures = {
        "n": formats.number(len(used), regional),
        "of": formats.number(len(keys), regional),
    }
    said = _("%(n)s of %(of)s key features were used in the last 28 days.") % figures
    lead = said if keys else ""
    shown = matrix.rows[:_MOST_FEATURES]
    head = (_("Feature"), _("Key"), _("Last 28 days"), _("28 days before"), _("Change"))
    table = Grid(
        _("What is used"),
        head,
        [_feature(row, regional) for row in shown],
        (2.9, 1.2, 1.4, 1.5, 1.0),
        frozenset({2, 3, 4}),
        sub=_("Uses; key features first"),
    )
    waiting = Items(
        _("What is not used yet"),
        [(name, "") for name in unused[:_MOST_ITEMS]],
        empty=_("Every key feature is in use."),
    )
    columns = [Column([table], 2.1), *([Column([waiting])] if keys else [])]
    return Page(_("Adoption"), lead, "", columns)


def _feature(row: FeatureRow, regional: Regional) -> Sequence[str]:
    change = formats.EMPTY
    if row.change is not None and row.before >= usage.USES_ENOUGH:
        change = formats.percent(row.change, regional, 0)
        change = f"+{change}" if row.change > 0 else change
    return (
        row.name,
        _("Key") if row.is_key else "",
        formats.number(row.lately, regional),
        formats.number(row.before, regional),
        change,
    )


# --- goals -------------------------------------------------------------------


def _plans(review: Review) -> list[plans.PlanLine]:
    account_id = review.account.account_id
    found: list[Plan] = list(
        plans.plans(review.workspace).filter(account_id=account_id)
    )
    return plans.lines(review.workspace, found, mask=review.mask)


def _goals(review: Review) -> Page:
    regional, lines = review.regional, _plans(review)
    goals = [goal for line in lines for goal in line.goals]
    stones = [stone for line in lines for stone in line.milestones]
    reached = sum(goal.state == "reached" for goal in goals)
    lead = ngettext(
        "%(done)s of %(n)s goal is reached.",
        "%(done)s of %(n)s goals are reached.",
        len(goals),
    ) % {"done": reached, "n": len(goals)}
    bars = Bars(
        _("Goals"),
        [
            goal_bar(goal, review.workspace, review.account.as_of, regional)
            for goal in goals[:8]
        ],
    )
    if not goals:
        words = _(
            "No goal is agreed on yet: what should be reached by the next review?"
        )
        return Page(_("Goals"), words, "", [Column([_stones(stones[:10], review)])])
    return _page(_("Goals"), lead, "", [bars], _stones(stones[:12], review))


def _stones(stones: Sequence[Milestone], review: Review) -> Items:
    items = milestone_items(stones, review.account.as_of, review.regional)
    return Items(_("Milestones"), items, empty=_("No milestone yet."))


# --- money and what comes ----------------------------------------------------


def _money(review: Review) -> Page:
    a, regional, workspace = review.account, review.regional, review.workspace
    months = money.history(workspace, a, money.mrr_levels(workspace, a))
    width, height = _WIDE
    chart = documents.picture(
        account_page.mrr_chart(months, regional),
        _("MRR by month"),
        _("At the end of each month"),
        regional,
        width=width,
        height=height,
    )
    change = formats.percent(a.mrr_change, regional)
    note = _("%(change)s in 90 days") % {"change": change} if a.mrr_change else ""
    facts = [Fact("MRR", formats.money(a.mrr, regional), note)]
    facts += _renewal_facts(review)
    items = [
        account_page.item_row(item, regional)
        for item in money.items(workspace, a)[:_MOST_ITEMS]
    ]
    table = Grid(
        _("What is paid for"),
        (_("Product"), _("Quantity"), _("A month")),
        [(i.product, i.quantity, i.monthly) for i in items],
        (2.4, 1.0, 1.2),
        frozenset({1, 2}),
    )
    lead = _renewal_words(review)
    columns = [Column(_some(chart), 1.6), *([Column([table])] if items else [])]
    return Page(_("Money and renewal"), lead, "", columns, facts)


def _renewal_facts(review: Review) -> list[Fact]:
    a, regional = review.account, review.regional
    found = [
        Fact(_("Seats"), formats.number(a.seats, regional), _seats(a, regional)),
        Fact(
            _("Renewal"),
            formats.day(a.renewal_on, regional, a.as_of),
            _in_days(a, regional),
        ),
    ]
    told = chance.chance_of(lake_of(review.workspace), a.account_id, a.as_of)
    if told and not review.for_customer:
        low, high = (formats.percent(p, regional, 0) for p in (told.low, told.high))
        likely = _("likely %(low)s–%(high)s") % {"low": low, "high": high}
        p = formats.percent(told.p, regional, 0)
        found.append(Fact(_("Chance of renewal"), p, likely if told.low else ""))
    return found


def _in_days(account: Account, regional: Regional) -> str:
    days = account.days_to_renewal
    if days is None:
        return ""
    said = ngettext("in %(n)s day", "in %(n)s days", days)
    return said % {"n": formats.number(days, regional)}


def _renewal_words(review: Review) -> str:
    a = review.account
    if a.renewal_on is None:
        return ""
    day = formats.day(a.renewal_on, review.regional, a.as_of)
    return _("The contract renews: %(day)s") % {"day": day}


def _next_steps(review: Review) -> Page:
    """Open tasks of the account and milestones not yet done, what is due first."""
    a, regional = review.account, review.regional
    found = tasks.of_workspace(review.workspace).filter(
        account_id=a.account_id, state__in=tasks.ACTIVE
    )
    open_ = list(found.order_by(*tasks.DUE_FIRST)[:_MOST_STEPS])
    if review.mask:
        tasks.hide(review.workspace, open_)
    stones = [s for line in _plans(review) for s in line.milestones if not s.done_on]
    ours = Items(
        pgettext("next steps", "What we do"),
        [(task.title, _whose(task, a.as_of, regional)) for task in open_]
        if not review.for_customer
        else milestone_items(
            [s for s in stones if s.side == "ours"], a.as_of, regional
        ),
        numbered=True,
        empty=_("Nothing is open."),
    )
    theirs = (
        [s for s in stones if s.side == "theirs"] if review.for_customer else stones
    )
    agreed = Items(
        _("What we ask of you") if review.for_customer else _("Milestones ahead"),
        milestone_items(theirs[:_MOST_STEPS], a.as_of, regional),
        numbered=True,
        empty=_("Nothing is open."),
    )
    return Page(_("Next steps"), "", "", [Column([ours]), Column([agreed])])


def _whose(task: Task, day: date, regional: Regional) -> str:
    who = task.owner.display_name if task.owner else _("nobody")
    if not task.due_on:
        return who
    due = formats.day(task.due_on, regional, day)
    return f"{who} · {_('due %(day)s') % {'day': due}}"
