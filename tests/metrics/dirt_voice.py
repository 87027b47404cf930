"""What goes wrong in answers, tickets, e-mails, requests, incidents and goals.

Test accounts and users, one's own people, former ids, users of two accounts and of
none, scores off the scale, several answers to one invitation, instants around
midnight and clock changes, ends before starts, open ends, repeats and nothing at all.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import polars as pl

from tests.metrics.world import Tables, append

#: Midnight in Berlin, and around the night in March an hour was lost.
MIDNIGHT = datetime(2026, 2, 28, 23, 0, tzinfo=UTC)
SPRING = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
NOON = datetime(2026, 4, 15, 10, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
MICROSECOND = timedelta(microseconds=1)

#: Two accounts of different segments, one for tests, one nobody told of.
BIG, SMALL, TRIED, UNKNOWN = "v_big", "v_small", "v_tried", "v_unknown"


def add(tables: Tables) -> None:
    """Add the rows that break naive code."""
    _people(tables)
    _answers(tables)
    _invites(tables)
    _tickets(tables)
    _emails(tables)
    _touches(tables)
    _notes(tables)
    annotate(tables)
    _requests(tables)
    _incidents(tables)
    _goals(tables)


def _people(tables: Tables) -> None:
    append(
        tables,
        "accounts",
        [
            {"account_id": BIG, "segment": "Enterprise", "created_at": MIDNIGHT},
            {"account_id": SMALL, "segment": "SMB", "created_at": MIDNIGHT},
            {"account_id": TRIED, "segment": "SMB", "is_test": True},
        ],
    )
    append(
        tables,
        "users",
        [
            {"user_id": "v_both", "role": "admin"},
            {"user_id": "v_new", "role": "planner"},
            {"user_id": "v_moved", "role": None},
            {"user_id": "v_test", "is_test": True},
            {"user_id": "v_own", "is_internal": True},
        ],
    )
    append(
        tables,
        "memberships",
        [
            {"user_id": "v_both", "account_id": BIG, "starts_at": MIDNIGHT},
            {"user_id": "v_both", "account_id": SMALL, "starts_at": None},
            {"user_id": "v_new", "account_id": SMALL, "starts_at": MIDNIGHT},
            {
                "user_id": "v_moved",
                "account_id": BIG,
                "starts_at": MIDNIGHT,
                "ends_at": NOON,
            },
            {"user_id": "v_moved", "account_id": SMALL, "starts_at": NOON},
        ],
    )
    append(
        tables,
        "identities",
        [{"previous_id": "v_old", "user_id": "v_new", "kind": "alias", "at": NOON}],
    )


def _answers(tables: Tables) -> None:
    rows: list[dict[str, object]] = []

    def answer(kind: str, score: float | None, at: datetime, **more: object) -> None:
        rows.append(
            {
                "response_id": f"v{len(rows):04d}",
                "kind": kind,
                "score": score,
                "answered_at": at,
                **more,
            }
        )

    scores = (0, 2, 3, 5, 6, 7, 8, 9, 10, 11, -1, 8.5, None, 1e300)
    for number, score in enumerate(scores):
        at = NOON + HOUR * number
        answer("nps", score, at, account_id=BIG)
        answer("nps", score, at, account_id=SMALL, scale_min=1, scale_max=10)
        answer("csat", score, at, account_id=UNKNOWN, scale_max=10)
        answer("csat", score, at, scale_min=1, scale_max=7, touchpoint="support")
        answer("csat", score, at, scale_min=0, scale_max=1)
        answer("csat", score, at, scale_min=1, scale_max=3)
        answer("ces", score, at, account_id=BIG, orientation="effort")
        answer("ces", score, at, account_id=BIG, scale_max=5, orientation="ease")
        answer("ces", score, at, account_id=SMALL, scale_min=5, scale_max=5)
        answer("nps", score, at, scale_min=1, scale_max=5)
        answer("csat", score, at, scale_min=7, scale_max=1)
    for who in ("v_both", "v_new", "v_old", "v_moved", "v_test", "v_own", "v_nobody"):
        for account in (None, BIG, SMALL, TRIED, UNKNOWN):
            for at in (MIDNIGHT, MIDNIGHT - MICROSECOND, NOON, SPRING):
                score = float((len(rows) * 7) % 11)
                answer("nps", score, at, user_id=who, account_id=account)
    # At one instant, and after the question about a single touchpoint.
    answer("nps", 2.0, SPRING, user_id="v_both", account_id=BIG)
    answer("nps", 10.0, SPRING, user_id="v_both", account_id=BIG, comment="so late")
    answer("nps", 0.0, SPRING, user_id="v_new", account_id=SMALL, touchpoint="order")
    # One invitation, several answers: the last one that is valid counts.
    for kind, score in (("nps", 4.0), ("nps", 10.0), ("nps", 12.0), ("csat", 3.0)):
        at = NOON + HOUR * len(rows)
        answer(kind, score, at, account_id=SMALL, invite_id="v_invite", comment=" ")
        answer(kind, score, at, account_id=SMALL, comment="Fine")
    append(tables, "survey_responses", rows)


def annotate(tables: Tables) -> None:
    """Topics of comments, as a text analysis and people would write them."""
    chance = random.Random(5)
    names = ("price", "Confusing", "overload", "speed", "support", " ", None)
    commented = tables["survey_responses"].filter(pl.col("comment").is_not_null())
    rows: dict[tuple[object, ...], dict[str, object]] = {}
    for response in commented["response_id"].sort().to_list():
        for version in (1, 2):
            if chance.random() < 0.3:
                continue
            for name in chance.sample(names, k=chance.choice((0, 1, 1, 2))):
                by = "person" if chance.random() < 0.1 else "analysis"
                feeling = chance.choice((-1.0, -0.25, -0.2499, 0.0, 0.25, 0.8, None))
                key = (response, name, version, by)
                rows[key] = {
                    "response_id": response,
                    "topic": name,
                    "version": version,
                    "annotated_by": by,
                    "sentiment": feeling,
                }
    rows[("gone",)] = {"response_id": "gone", "topic": "price", "version": 1}
    append(tables, "feedback_annotations", list(rows.values()))
    _annotate_elsewhere(tables)


def _annotate_elsewhere(tables: Tables) -> None:
    """The same of what is no answer: a topic each for some, of one version."""
    chance = random.Random(6)
    keys = {
        "ticket": tables["tickets"]["ticket_id"].sort(),
        "contact": tables["touchpoints"]["touchpoint_id"].sort(),
        "cancellation": tables["contracts"]
        .select(pl.concat_str("account_id", pl.lit(":"), "term_start"))
        .to_series()
        .sort(),
    }
    if "notes" in tables:
        keys["note"] = tables["notes"]["note_id"].sort()
    rows: list[dict[str, object]] = [
        {
            "response_id": f"{source}:{key}",
            "source": source,
            "topic": chance.choice(("price", "Confusing", "speed", None)),
            "version": 1,
            "annotated_by": "built_in",
            "sentiment": chance.choice((-1.0, -0.25, 0.0, 0.3, None)),
            "language": chance.choice(("en", "de", None)),
        }
        for source, some in keys.items()
        for key in some
        if chance.random() < 0.5
    ]
    append(tables, "feedback_annotations", rows)


def _invites(tables: Tables) -> None:
    base = {"kind": "nps", "account_id": SMALL, "channel": "email"}
    append(
        tables,
        "survey_invites",
        [
            {**base, "invite_id": "v_invite", "invited_at": NOON},
            {**base, "invite_id": "v_silent", "invited_at": MIDNIGHT - MICROSECOND},
            {**base, "invite_id": "v_back", "invited_at": NOON, "bounced_at": NOON},
            {
                **base,
                "invite_id": "v_of_test",
                "invited_at": NOON,
                "account_id": TRIED,
            },
            {
                "invite_id": "v_of_own",
                "kind": "ces",
                "invited_at": NOON,
                "user_id": "v_own",
            },
            {
                "invite_id": "v_moved",
                "kind": "csat",
                "invited_at": SPRING,
                "user_id": "v_moved",
            },
        ],
    )


def _tickets(tables: Tables) -> None:
    rows: list[dict[str, object]] = []

    def ticket(opened: datetime, solved: datetime | None, **more: object) -> None:
        rows.append(
            {
                "ticket_id": f"v{len(rows):03d}",
                "account_id": BIG,
                "user_id": "v_both",
                "opened_at": opened,
                "first_response_at": opened + HOUR,
                "solved_at": solved,
                "agent_replies": 1,
                "topic": f"topic {len(rows)}",
                "subject": "A question",
                **more,
            }
        )

    for more in (
        {},
        {"agent_replies": 2},
        {"agent_replies": 0},
        {"agent_replies": 0, "first_response_at": None},
        {"agent_replies": None},
        {"reopened_count": 1},
        {"transfers": 2},
        {"is_spam": True},
        {"is_abandoned": True},
        {"opened_by_agent": True},
        {"merged_into": "v000"},
        {"account_id": TRIED},
        {"account_id": UNKNOWN},
        {"user_id": "v_own"},
        {"user_id": "v_test"},
        {"user_id": "v_moved", "account_id": None},
        {"user_id": None, "account_id": None},
        {"first_response_at": NOON - HOUR},
    ):
        ticket(NOON, NOON + HOUR * 50, **more)
        ticket(MIDNIGHT - HOUR, MIDNIGHT, **more)
        ticket(SPRING - HOUR * 30, SPRING + HOUR * 30, **more)
    ticket(NOON, NOON - HOUR)
    ticket(NOON, None, closed_at=NOON + HOUR, is_abandoned=True)
    ticket(NOON, NOON, first_response_at=NOON)
    ticket(datetime(1999, 1, 1, tzinfo=UTC), NOON)
    # The same person comes back: after exactly seven days, and a moment later.
    week, end = timedelta(days=7), NOON + HOUR * 50
    for number, gap in enumerate((timedelta(0), week, week + MICROSECOND)):
        for again in ({}, {"is_spam": True}, {"user_id": "v_old"}):
            about = f"again {number} {len(again)} {'user_id' in again}"
            ticket(NOON, end, topic=about, user_id="v_new", account_id=SMALL)
            ticket(end + gap, None, **{"topic": about, "user_id": "v_new", **again})
    ticket(NOON, end, topic=None)
    ticket(end + HOUR, None, topic=None)
    ticket(NOON, end, subject=None, description="It is slow")
    ticket(NOON, end, subject=" ", description=None)
    append(tables, "tickets", rows)


def _emails(tables: Tables) -> None:
    rows: list[dict[str, object]] = []

    def thread(*messages: tuple[timedelta, str | None], **more: object) -> None:
        for number, (after, direction) in enumerate(messages):
            rows.append(
                {
                    "message_id": f"v{len(rows):03d}",
                    "thread_id": f"v{len(rows) - number}",
                    "sent_at": NOON + after,
                    "direction": direction,
                    "from_address": "Ann <ANN@ours.example>, x@y.example",
                    "to_addresses": "Bob <Bob@theirs.example>; c@d.example",
                    "account_id": SMALL,
                    **more,
                }
            )

    inbound, outbound, none = "inbound", "outbound", timedelta(0)
    thread((none, inbound), (HOUR, outbound))
    thread((none, inbound), (HOUR + MINUTE, outbound), (HOUR * 2, outbound))
    thread((none, outbound), (HOUR, outbound), (HOUR * 2, inbound))
    thread((none, inbound), (none, outbound))  # at one instant, by their ids
    thread((none, inbound), (HOUR, inbound), (HOUR * 3, outbound), (HOUR * 4, inbound))
    thread((none, inbound), (HOUR, None), (HOUR * 2, outbound))
    thread((none, inbound), (HOUR * 72, outbound))
    thread((none, inbound), (HOUR * 72 + timedelta(seconds=1), outbound))
    thread((none, inbound), (HOUR, outbound), account_id=TRIED)
    thread((none, inbound), (HOUR, outbound), account_id=UNKNOWN)
    thread((none, inbound), (HOUR, outbound), thread_id=None)
    thread((none, inbound), (HOUR, outbound), is_automatic=True)
    thread((none, inbound), (HOUR, outbound), to_addresses=None, account_id=None)
    thread((SPRING - NOON, inbound), (SPRING - NOON + HOUR * 12, outbound))
    thread((MIDNIGHT - NOON - HOUR, inbound), (MIDNIGHT - NOON, outbound))
    append(tables, "emails", rows)


def _touches(tables: Tables) -> None:
    minutes = (None, 0.0, -30.0, 12.3456, 600.0, 1e300)
    append(
        tables,
        "touchpoints",
        [
            {
                "touchpoint_id": f"v{number}{account}",
                "account_id": account,
                "at": MIDNIGHT if number % 2 else MIDNIGHT - MICROSECOND,
                "minutes": length,
            }
            for number, length in enumerate(minutes)
            for account in (BIG, SMALL, TRIED, UNKNOWN)
        ],
    )
    colors = ("red", "orange", "yellow", "green", None)
    paying = tables["subscription_items"]["account_id"].unique().sort().to_list()
    append(
        tables,
        "health_snapshots",
        [
            {
                "account_id": account,
                "date": day.date(),
                "color": colors[(number + step) % 5],
                "computed_at": day + HOUR * step,
            }
            for number, account in enumerate([*paying, BIG])
            for day in (MIDNIGHT, SPRING, NOON)
            for step in range(1 + number % 2)
        ],
    )


def _notes(tables: Tables) -> None:
    said = [(BIG, NOON), (SMALL, MIDNIGHT - HOUR), (TRIED, NOON), (UNKNOWN, SPRING)]
    rows = [
        {"note_id": f"v{n}", "account_id": account, "at": at, "text": text}
        for n, (account, at, text) in enumerate(
            (account, at, text) for account, at in said for text in ("So it is.", " ")
        )
    ]
    append(tables, "notes", rows)


def _requests(tables: Tables) -> None:
    rows: list[dict[str, object]] = []
    durations = (0, 1, 499, 500, 501, 2000, 2001, 9999, 10_000, 10_001, 12_345, 99_995)
    statuses = (200, None, 0, 399, 400, 404, 499, 500, 599, 600)
    for number, duration in enumerate((*durations, 123_456, -5, None, 2**62)):
        for place, status in enumerate(statuses):
            rows.append(
                {
                    "at": (MIDNIGHT, MIDNIGHT - MICROSECOND, SPRING)[number % 3],
                    "status": status,
                    "duration_ms": duration,
                    "endpoint": (None, "/a", "/HealthZ", "/b")[(number + place) % 4],
                    "account_id": (BIG, None, TRIED, UNKNOWN)[place % 4],
                }
            )
    append(tables, "requests", rows)


def _incidents(tables: Tables) -> None:
    def incident(
        name: str, starts: datetime, hours: float | None, **more: object
    ) -> dict[str, object]:
        ends = None if hours is None else starts + HOUR * hours
        return {
            "incident_id": f"v_{name}",
            "starts_at": starts,
            "ends_at": ends,
            **more,
        }

    told = NOON - HOUR * 48
    append(
        tables,
        "incidents",
        [
            incident("over_midnight", MIDNIGHT - HOUR, 3, severity="Major outage"),
            incident("inside", MIDNIGHT, 1, severity="partial"),
            incident("at_night", SPRING - HOUR, 5, severity="partial", service="api"),
            incident("unrated", SPRING, 1, service="api"),
            incident("degraded", SPRING, 9, severity="degraded"),
            incident("backwards", NOON, -5, severity="major"),
            incident("moment", NOON, 0, severity="major"),
            incident("planned", NOON, 4, planned=True, announced_at=told),
            incident("late", NOON, 6, planned=True, announced_at=told + MICROSECOND),
            incident("untold", NOON + HOUR * 9, 1, planned=True, severity="minor"),
            incident("open", datetime(2026, 6, 9, 20, tzinfo=UTC), None),
            incident("to_come", datetime(2026, 8, 1, tzinfo=UTC), 5, severity="major"),
        ],
    )


def _goals(tables: Tables) -> None:
    goals: list[dict[str, object]] = []
    values: list[dict[str, object]] = []
    due = MIDNIGHT.date()
    late = MIDNIGHT + timedelta(days=1)  # in Berlin, the day after the due day

    def goal(
        baseline: float, target: float, *told: tuple[datetime, float], **more: object
    ) -> None:
        name = f"v_goal{len(goals)}"
        goals.append(
            {
                "goal_id": name,
                "account_id": (BIG, SMALL)[len(goals) % 2],
                "measure": "speed",
                "baseline": baseline,
                "target": target,
                "due_on": due,
                **more,
            }
        )
        values.extend(
            {"goal_id": name, "measured_at": at, "value": value} for at, value in told
        )

    early = MIDNIGHT - timedelta(days=3)
    goal(10, 6, (early, 7), (MIDNIGHT - MICROSECOND, 6))
    goal(10, 6, (early, 6), (MIDNIGHT - HOUR, 9))
    goal(0.02, 0.04, (early, 0.035), (MIDNIGHT, 0.05))
    goal(0.02, 0.04, (late, 0.05))
    goal(5, 5, (early, 7))
    goal(1, 2)
    goal(1, 2, (early, -5), (early + HOUR, 1.5))
    goal(1, 2, (early, -1e300), measure=None)
    goal(1, 1e300, (early, 3))
    goal(1, 2, (early, 2), account_id=TRIED)
    goal(1, 2, (early, 2), account_id=UNKNOWN)
    values.append({"goal_id": "nobody's", "measured_at": early, "value": 1.0})
    append(tables, "goals", goals)
    append(tables, "goal_values", values)
