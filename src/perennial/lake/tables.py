"""Every table of the lake, declared once.

Import, validation, storage, Ibis schemas and the generated reference all read
these declarations. To add a fact table, add one `Table` to `FACTS`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

Type = Literal["string", "int", "float", "money", "bool", "date", "timestamp", "json"]

#: Money keeps four decimals per row and is only rounded when it is shown.
ARROW_TYPES: Mapping[Type, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "money": pa.decimal128(18, 4),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "json": pa.string(),
}

#: Physical partition column: the UTC month of `Table.partition_by`, as "2026-11".
MONTH = "month"


@dataclass(frozen=True)
class Column:
    """One column: its logical type, and what the value means.

    `default` fills a missing value on import; `choices` is the closed set of
    values a row may carry.
    """

    name: str
    type: Type
    about: str
    required: bool = False
    default: str | int | bool | None = None
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table of the lake: columns, key, and how it is laid out on disk.

    - `key`: columns that identify a row; a row with a known key replaces it.
      `insert_only` tables (events) keep the first row instead.
    - `one_of`: groups of columns of which a row must carry at least one.
    - `partition_by`: a date or timestamp column; files are split by its UTC month.
    - `sort_by`: the order inside a file, which is what readers prune on.
    - `by_account`: pages look rows of one account up. Files are written in the order
      of `sort_by`, which begins with it, in small groups of rows.
    - Columns of a source that are not declared here are kept, as one JSON object,
      in `properties`.
    """

    name: str
    about: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    one_of: tuple[tuple[str, ...], ...] = ()
    partition_by: str | None = None
    sort_by: tuple[str, ...] = ()
    insert_only: bool = False
    by_account: bool = False

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.required)

    def schema(self, *, partitions: bool = False) -> pa.Schema:
        """Arrow schema of a row; with `partitions`, as it is stored."""
        fields = [
            pa.field(c.name, ARROW_TYPES[c.type], nullable=True) for c in self.columns
        ]
        if partitions and self.partition_by:
            fields.append(pa.field(MONTH, pa.string()))
        return pa.schema(fields)


PROPERTIES = Column("properties", "json", "Everything else the source said, as JSON.")


def _id(name: str, about: str, *, required: bool = False, aliases: str = "") -> Column:
    return Column(name, "string", about, required, aliases=tuple(aliases.split()))


ACCOUNT = _id(
    "account_id",
    "The customer's id in your systems.",
    aliases="account customer_id customer company_id organization_id group_id org_id",
)
USER = _id("user_id", "The person's id in your product.", aliases="user person_id")
TRAITS_AT = Column(
    "traits_at", "json", "When the intake last heard each trait, in epoch milliseconds."
)
CURRENCY = Column("currency", "string", "ISO 4217 code; empty: the workspace's.")


def _required(column: Column) -> Column:
    return Column(
        column.name,
        column.type,
        column.about,
        required=True,
        default=column.default,
        choices=column.choices,
        aliases=column.aliases,
    )


def _table(
    name: str,
    about: str,
    key: str,
    *columns: Column,
    one_of: tuple[tuple[str, ...], ...] = (),
    partition_by: str | None = None,
    sort_by: str = "",
    insert_only: bool = False,
) -> Table:
    if all(column.name != PROPERTIES.name for column in columns):
        columns = (*columns, PROPERTIES)
    return Table(
        name,
        about,
        tuple(key.split()),
        columns,
        one_of,
        partition_by,
        tuple(sort_by.split()) or tuple(key.split()),
        insert_only,
    )


_STARTS = Column(
    "starts_at",
    "timestamp",
    "First instant it holds; empty: since ever.",
    aliases=("start_date", "starts", "start"),
)
_ENDS = Column(
    "ends_at",
    "timestamp",
    "First instant it no longer holds; empty: still holds.",
    aliases=("end_date", "ends", "end"),
)

_SURVEY = (
    _id("survey", "Which of the surveys it belongs to."),
    Column("wave", "string", "Which of its waves."),
    Column("channel", "string", "How it reached them: product, email, link, api."),
)

_FACTS = (
    _table(
        "accounts",
        "The companies that buy, or may buy.",
        "account_id",
        _required(ACCOUNT),
        Column("name", "string", "Display name.", aliases=("account_name", "company")),
        _id("parent_account_id", "The account above this one."),
        Column("domain", "string", "The company's main e-mail domain."),
        Column("industry", "string", "Industry."),
        Column("country", "string", "ISO 3166 code."),
        Column("plan", "string", "Plan sold.", aliases=("plan_tier",)),
        Column("tier", "string", "Service tier."),
        Column("segment", "string", "Segment the targets and reports go by."),
        Column("lifecycle_stage", "string", "Where in its life the account stands."),
        Column(
            "owner_email",
            "string",
            "The customer success manager.",
            aliases=("csm", "owner"),
        ),
        CURRENCY,
        Column(
            "created_at",
            "timestamp",
            "When the account was created.",
            aliases=("signup_date",),
        ),
        Column("onboarding_completed_at", "timestamp", "When onboarding was done."),
        Column("is_test", "bool", "A test account: in no number."),
        TRAITS_AT,
    ),
    _table(
        "users",
        "The people who use the product.",
        "user_id",
        _required(USER),
        Column("email", "string", "E-mail address."),
        Column("name", "string", "Display name."),
        Column("role", "string", "Role in the product."),
        Column("created_at", "timestamp", "When the user was created."),
        Column("deactivated_at", "timestamp", "When the user was switched off."),
        Column("is_internal", "bool", "One of your own people: in no number."),
        Column("is_test", "bool", "A test user: in no number."),
        TRAITS_AT,
    ),
    _table(
        "memberships",
        "Which user belongs to which account, and when.",
        "user_id account_id starts_at",
        _required(USER),
        _required(ACCOUNT),
        _STARTS,
        _ENDS,
    ),
    _table(
        "events",
        "What users did, one row an event.",
        "source_id event_id",
        _id(
            "event_id",
            "Accepted once for ever within a source; empty: derived from the content.",
            aliases="message_id messageid",
        ),
        Column(
            "event",
            "string",
            "Event name.",
            required=True,
            aliases=("event_name", "event_type", "name"),
        ),
        Column(
            "timestamp",
            "timestamp",
            "When it happened.",
            required=True,
            aliases=("event_time", "event_at", "time", "occurred_at"),
        ),
        USER,
        _id("anonymous_id", "The device's id before log-in.", aliases="anonymousid"),
        ACCOUNT,
        Column("sent_at", "timestamp", "The client's clock when sending."),
        Column("received_at", "timestamp", "The server's clock; empty: the timestamp."),
        Column("properties", "json", "The event's properties, as JSON."),
        Column("context", "json", "Where it happened: page, device, library; as JSON."),
        _id("source_id", "The source that sent it; empty: imported from a file."),
        Column(
            "excluded_as",
            "string",
            "Why it is in no number; empty: it counts.",
            choices=("bot", "impersonated"),
        ),
        one_of=(("user_id", "anonymous_id"),),
        partition_by="timestamp",
        sort_by="account_id user_id timestamp",
        insert_only=True,
    ),
    _table(
        "event_definitions",
        "What an event name means, and since when.",
        "name valid_from",
        Column(
            "name",
            "string",
            "Event name.",
            required=True,
            aliases=("event", "event_type", "event_name"),
        ),
        Column(
            "kind",
            "string",
            "What kind of event it is.",
            default="feature",
            choices=("login", "feature", "page", "system", "billing", "support"),
        ),
        _id("feature_id", "The feature it is a use of; empty: a feature of its own."),
        Column(
            "counts_as_activity",
            "bool",
            "Does it make a user active? Empty: yes, but for system events.",
        ),
        Column(
            "valid_from", "timestamp", "Meaning holds from here; empty: since ever."
        ),
        Column("valid_to", "timestamp", "First instant it no longer holds."),
    ),
    _table(
        "features",
        "The parts of your product.",
        "feature_id",
        _id(
            "feature_id",
            "The feature's id.",
            required=True,
            aliases="feature feature_name",
        ),
        Column("name", "string", "Display name."),
        Column("area", "string", "Area of the product."),
        Column("is_key", "bool", "Counts for depth in the health score."),
        Column("is_core", "bool", "Counts for the product engagement score."),
        Column("released_at", "timestamp", "When it became available."),
    ),
    _table(
        "entitlements",
        "Which account may use which feature, and when.",
        "account_id feature_id starts_at",
        _required(ACCOUNT),
        _id(
            "feature_id",
            "The feature's id.",
            required=True,
            aliases="feature feature_name",
        ),
        _STARTS,
        _ENDS,
    ),
    _table(
        "usage",
        "Usage already added up by day, for those without events.",
        "account_id subscription_id user_id feature_id date",
        ACCOUNT,
        _id("subscription_id", "Leads to the account where that is not given."),
        Column(
            "date", "date", "Local day.", required=True, aliases=("usage_date", "day")
        ),
        _id("feature_id", "The feature's id.", aliases="feature feature_name"),
        USER,
        Column(
            "uses", "int", "How often.", required=True, aliases=("usage_count", "count")
        ),
        Column(
            "seconds",
            "int",
            "How long.",
            aliases=("usage_duration_secs", "duration_seconds"),
        ),
        Column("errors", "int", "How many errors.", aliases=("error_count",)),
        one_of=(("account_id", "subscription_id"),),
        partition_by="date",
        sort_by="date account_id user_id",
    ),
    _table(
        "seat_contracts",
        "How many seats an account has bought, and when.",
        "account_id starts_at",
        _required(ACCOUNT),
        Column(
            "seats",
            "int",
            "Seats bought.",
            required=True,
            aliases=("quantity", "licenses"),
        ),
        _STARTS,
        _ENDS,
    ),
    _table(
        "subscription_items",
        "What an account pays for, one row an item and validity.",
        "subscription_id item_id valid_from",
        _id(
            "subscription_id",
            "The subscription's id.",
            required=True,
            aliases="subscription",
        ),
        _required(ACCOUNT),
        Column("item_id", "string", "The item within it.", default=""),
        Column("product", "string", "Product sold."),
        Column("plan", "string", "Plan sold.", aliases=("plan_tier",)),
        Column("quantity", "float", "How many; empty: 1."),
        Column("unit_amount", "money", "Price of one per billing interval."),
        Column(
            "mrr",
            "money",
            "Monthly amount, final; replaces the calculation.",
            aliases=("mrr_amount", "monthly_amount"),
        ),
        CURRENCY,
        Column(
            "interval",
            "string",
            "Billing interval.",
            default="month",
            choices=("day", "week", "month", "quarter", "half_year", "year"),
        ),
        Column("interval_count", "int", "Intervals per bill.", default=1),
        Column(
            "usage_type",
            "string",
            "licensed or metered; metered is never MRR.",
            default="licensed",
            choices=("licensed", "metered"),
        ),
        Column("discount", "money", "Amount off per billing interval."),
        Column(
            "status",
            "string",
            "active, trialing, past_due, paused, canceled, ...",
            default="active",
        ),
        Column("is_trial", "bool", "A trial: no MRR."),
        Column("trial_end", "timestamp", "When the trial ends."),
        Column(
            "valid_from",
            "timestamp",
            "First instant it holds.",
            required=True,
            aliases=("start_date", "starts_at", "start"),
        ),
        Column(
            "valid_to",
            "timestamp",
            "First instant it no longer holds.",
            aliases=("end_date", "ends_at", "end"),
        ),
        Column("cancel_requested_at", "timestamp", "When the customer gave notice."),
        Column(
            "cancel_effective_at",
            "timestamp",
            "When the notice takes effect, though service may last longer.",
        ),
        Column("paused_from", "timestamp", "First paused instant."),
        Column("paused_to", "timestamp", "First instant no longer paused."),
        one_of=(("unit_amount", "mrr"),),
    ),
    _table(
        "contracts",
        "Contract terms and how they ended.",
        "account_id term_start",
        _required(ACCOUNT),
        Column("term_start", "date", "First day of the term.", required=True),
        Column("term_end", "date", "First day after the term.", required=True),
        Column("acv", "money", "Annual contract value."),
        CURRENCY,
        Column("auto_renew", "bool", "Renews unless canceled."),
        Column(
            "outcome",
            "string",
            "How it ended.",
            default="pending",
            choices=("renewed", "cancelled", "pending"),
        ),
        Column("outcome_at", "timestamp", "When that was known."),
        Column("churn_reason", "string", "Why they left."),
    ),
    _table(
        "payments",
        "Money received and given back.",
        "payment_id",
        _id("payment_id", "The payment's id.", required=True),
        _required(ACCOUNT),
        Column("paid_at", "timestamp", "When it was paid.", required=True),
        Column("amount", "money", "Amount, refunds positive too."),
        CURRENCY,
        Column(
            "kind",
            "string",
            "What for.",
            default="recurring",
            choices=("recurring", "usage", "one_off", "refund"),
        ),
        Column("tax", "money", "Tax within the amount."),
    ),
    _table(
        "fx_rates",
        "Exchange rates: 1 base = rate quote.",
        "date base quote",
        Column("date", "date", "Day of the rate.", required=True),
        Column("base", "string", "ISO 4217 code.", required=True),
        Column("quote", "string", "ISO 4217 code.", required=True),
        Column("rate", "float", "Closing rate.", required=True),
    ),
    _table(
        "costs",
        "What winning and keeping customers costs.",
        "month category",
        Column("month", "date", "First day of the month.", required=True),
        Column(
            "category",
            "string",
            "What for.",
            required=True,
            choices=(
                "cs_payroll",
                "support_payroll",
                "adoption_programs",
                "professional_services",
                "training",
                "customer_marketing",
                "sales",
                "marketing",
                "cogs",
            ),
        ),
        Column("amount", "money", "Amount.", required=True),
        CURRENCY,
    ),
    _table(
        "survey_responses",
        "Answers to NPS, CSAT and CES surveys.",
        "response_id",
        _id("response_id", "The answer's id.", required=True),
        Column(
            "kind",
            "string",
            "Which survey.",
            required=True,
            choices=("nps", "csat", "ces"),
        ),
        Column("scale_min", "int", "Lowest score of the scale."),
        Column("scale_max", "int", "Highest score of the scale."),
        Column("score", "float", "The score given.", required=True),
        Column("comment", "string", "What they wrote."),
        USER,
        ACCOUNT,
        Column("touchpoint", "string", "What it was asked about."),
        Column(
            "orientation",
            "string",
            "What a high effort score means: ease, or effort; empty: ease.",
            choices=("ease", "effort"),
        ),
        Column("language", "string", "Language of the comment."),
        _id(
            "invite_id",
            "The invitation it answers; of several answers the last counts.",
        ),
        *_SURVEY,
        Column("invited_at", "timestamp", "When they were asked."),
        Column("answered_at", "timestamp", "When they answered.", required=True),
    ),
    _table(
        "survey_invites",
        "Invitations to surveys, answered or not.",
        "invite_id",
        _id("invite_id", "The invitation's id.", required=True),
        Column(
            "kind",
            "string",
            "Which survey.",
            required=True,
            choices=("nps", "csat", "ces"),
        ),
        USER,
        ACCOUNT,
        Column("touchpoint", "string", "What it asks about."),
        Column("language", "string", "Language of the survey."),
        *_SURVEY,
        Column("invited_at", "timestamp", "When it was sent.", required=True),
        Column(
            "bounced_at", "timestamp", "When it came back; empty: it was delivered."
        ),
    ),
    _table(
        "feedback_annotations",
        "What comments speak of, found by analysis or by a person.",
        "response_id topic version annotated_by",
        _id(
            "response_id",
            "The answer the comment came with; of a ticket, a contact, a note or a "
            "cancellation its id with that word before it: ticket:4711.",
            required=True,
        ),
        Column("topic", "string", "What it speaks of; empty: of no known topic."),
        Column("sentiment", "float", "How it speaks of it, from -1 to 1."),
        Column(
            "version", "int", "Version of the analysis; the newest counts.", default=1
        ),
        Column(
            "annotated_by",
            "string",
            "Who found it; a person's word goes before an analysis, an analysis before "
            "built_in, what each refresh reads itself.",
            default="analysis",
            choices=("analysis", "person", "built_in"),
        ),
        Column("annotated_at", "timestamp", "When it was found."),
        Column("language", "string", "Language the comment was read in."),
        Column(
            "comment_hash",
            "string",
            "Of the comment as it was read; one that changed is read again.",
        ),
        Column(
            "source",
            "string",
            "Where it was said; empty: in an answer.",
            choices=("survey", "ticket", "contact", "note", "cancellation"),
        ),
    ),
    _table(
        "tickets",
        "Support tickets.",
        "ticket_id",
        _id("ticket_id", "The ticket's id.", required=True),
        ACCOUNT,
        USER,
        Column(
            "opened_at",
            "timestamp",
            "When it was opened.",
            required=True,
            aliases=("submitted_at", "created_at"),
        ),
        Column("first_response_at", "timestamp", "First answer by a person."),
        Column("solved_at", "timestamp", "When it was solved."),
        Column("closed_at", "timestamp", "When it was closed."),
        Column("reopened_count", "int", "How often reopened."),
        Column("agent_replies", "int", "Public replies by agents."),
        Column("customer_replies", "int", "Replies by the customer."),
        Column("transfers", "int", "How often handed on."),
        Column("priority", "string", "Priority."),
        Column("channel", "string", "Channel."),
        Column("topic", "string", "Topic."),
        Column(
            "subject",
            "string",
            "Its subject, as the customer wrote it.",
            aliases=("title",),
        ),
        Column(
            "description",
            "string",
            "Its first message: what it is about is read from here.",
            aliases=("body", "message"),
        ),
        Column("is_spam", "bool", "Spam: in no number."),
        Column("is_abandoned", "bool", "The customer gave up waiting."),
        Column("opened_by_agent", "bool", "Opened by an agent, not by the customer."),
        _id("merged_into", "The ticket that goes on in its place."),
    ),
    _table(
        "emails",
        "E-mails with customers (no bodies).",
        "message_id",
        _id("message_id", "The message's id.", required=True),
        _id("thread_id", "The conversation's id."),
        Column("sent_at", "timestamp", "When it was sent.", required=True),
        Column("from_address", "string", "Sender.", required=True),
        Column("to_addresses", "string", "Recipients, separated by commas."),
        ACCOUNT,
        Column(
            "direction", "string", "Seen from you.", choices=("inbound", "outbound")
        ),
        Column("is_automatic", "bool", "Sent by a machine."),
    ),
    _table(
        "touchpoints",
        "Calls, meetings and other contacts.",
        "touchpoint_id",
        _id("touchpoint_id", "The contact's id.", required=True),
        _required(ACCOUNT),
        Column("at", "timestamp", "When.", required=True),
        Column(
            "kind",
            "string",
            "What kind.",
            choices=("call", "meeting", "e-mail", "training"),
        ),
        Column("minutes", "float", "How long."),
        Column("staff_email", "string", "Who of you."),
        Column("summary", "string", "In a sentence."),
    ),
    _table(
        "notes",
        "What your people wrote down about customers.",
        "note_id",
        _id("note_id", "The note's id.", required=True),
        _required(ACCOUNT),
        Column("at", "timestamp", "When.", required=True, aliases=("created_at",)),
        Column("text", "string", "What it says.", required=True, aliases=("body",)),
        Column("staff_email", "string", "Who of you."),
    ),
    _table(
        "leads",
        "People and companies who may buy.",
        "lead_id",
        _id("lead_id", "The lead's id.", required=True),
        Column("created_at", "timestamp", "When it came in."),
        Column("source", "string", "Where from."),
        ACCOUNT,
    ),
    _table(
        "lead_stages",
        "When a lead reached which stage.",
        "lead_id stage",
        _id("lead_id", "The lead's id.", required=True),
        Column("stage", "string", "The stage.", required=True),
        Column("entered_at", "timestamp", "When.", required=True),
    ),
    _table(
        "onboarding_steps",
        "Onboarding steps completed.",
        "account_id user_id flow step",
        Column("flow", "string", "Which onboarding.", required=True),
        Column("step", "string", "Which step.", required=True),
        Column("position", "int", "Place in the flow."),
        ACCOUNT,
        USER,
        Column("completed_at", "timestamp", "When.", required=True),
        Column(
            "version",
            "int",
            "Version of the flow defined here; empty: another tool said so.",
        ),
        Column(
            "steps", "int", "Steps of the flow that have to be taken; empty: not known."
        ),
        one_of=(("account_id", "user_id"),),
    ),
    _table(
        "requests",
        "Requests your product answered.",
        "",
        Column("at", "timestamp", "When.", required=True),
        Column("status", "int", "HTTP status."),
        Column("duration_ms", "int", "How long it took."),
        Column("endpoint", "string", "What was asked."),
        ACCOUNT,
        partition_by="at",
        sort_by="at",
    ),
    _table(
        "incidents",
        "Outages and maintenance.",
        "incident_id",
        _id("incident_id", "The incident's id.", required=True),
        Column("starts_at", "timestamp", "First instant.", required=True),
        Column("ends_at", "timestamp", "First instant it was over."),
        Column("severity", "string", "How bad."),
        Column("announced_at", "timestamp", "When customers were told."),
        Column("planned", "bool", "Planned maintenance."),
        Column("service", "string", "The part of the product; empty: all of it."),
    ),
    _table(
        "goals",
        "What customers want to reach with your product, and by when.",
        "goal_id",
        _id("goal_id", "The goal's id.", required=True),
        _required(ACCOUNT),
        Column("measure", "string", "What is measured."),
        Column("baseline", "float", "Its value at the start.", required=True),
        Column("target", "float", "The value to reach.", required=True),
        Column("starts_on", "date", "First day."),
        Column("due_on", "date", "Last day to reach it.", required=True),
    ),
    _table(
        "goal_values",
        "How far goals are: measured values.",
        "goal_id measured_at",
        _id("goal_id", "The goal's id.", required=True),
        Column("measured_at", "timestamp", "When it was measured.", required=True),
        Column("value", "float", "The value.", required=True),
    ),
)

#: Fact tables by name, in the order of the contract.
FACTS: Mapping[str, Table] = {table.name: table for table in _FACTS}


# Derived tables: rebuilt by `refresh` from the facts, never imported.

_DATE = Column("date", "date", "Local day of the workspace.", required=True)
_ACCOUNT = Column("account_id", "string", "The account; empty: not attributed.")
_USER = Column("user_id", "string", "The user; empty: not known.")
_MS = Column("duration_ms", "int", "Time in the application, in milliseconds.")


def _derived(
    name: str,
    about: str,
    key: str,
    *columns: Column,
    partition_by: str | None = None,
    sort_by: str = "",
    by_account: bool = False,
) -> Table:
    names = tuple(key.split())
    sort = tuple(sort_by.split()) or names
    if by_account:
        sort = ("account_id", *(name for name in sort if name != "account_id"))
    return Table(
        name, about, names, columns, (), partition_by, sort, by_account=by_account
    )


_ROLLUPS = (
    _derived(
        "user_days",
        "Activity by day, account and user.",
        "date account_id user_id",
        _DATE,
        _ACCOUNT,
        _USER,
        Column("events", "int", "Activity events."),
        _MS,
        Column("last_at", "timestamp", "Last activity of the day."),
        partition_by="date",
        by_account=True,
    ),
    _derived(
        "presence",
        "Days a person was active on, in whichever account.",
        "date user_id",
        _DATE,
        Column("user_id", "string", "The person."),
        Column("previous_on", "date", "The last such day before; empty: none."),
        partition_by="date",
    ),
    _derived(
        "feature_days",
        "Feature uses by day, account, user and feature.",
        "date account_id user_id feature_id",
        _DATE,
        _ACCOUNT,
        _USER,
        Column("feature_id", "string", "The feature."),
        Column("uses", "int", "Uses."),
        Column("errors", "int", "Errors."),
        partition_by="date",
        by_account=True,
    ),
    _derived(
        "event_days",
        "Events by day, name and source, whether they count or not.",
        "date event source_id",
        _DATE,
        Column("event", "string", "Event name."),
        Column("source_id", "string", "The source; empty: files."),
        Column("events", "int", "Events."),
        Column("users", "int", "Distinct users of the day."),
        Column("first_at", "timestamp", "First of the day."),
        Column("last_at", "timestamp", "Last of the day."),
        partition_by="date",
    ),
    _derived(
        "sessions",
        "Sessions: activity of one user in one account without a gap over 30 minutes.",
        "account_id user_id started_at",
        _DATE,
        _ACCOUNT,
        _USER,
        Column("started_at", "timestamp", "First event."),
        Column("ended_at", "timestamp", "Last event."),
        Column("events", "int", "Activity events."),
        _MS,
        partition_by="date",
        sort_by="date account_id user_id started_at",
    ),
    _derived(
        "account_days",
        "Activity by day and account.",
        "date account_id",
        _DATE,
        _ACCOUNT,
        Column("active_users", "int", "Distinct active users, test users included."),
        Column("events", "int", "Activity events."),
        Column("sessions", "int", "Sessions started."),
        _MS,
        partition_by="date",
        by_account=True,
    ),
    _derived(
        "mrr_ledger",
        "MRR by account and day, as runs of equal days [date_from, date_to).",
        "account_id currency date_from",
        Column("account_id", "string", "The account."),
        Column("currency", "string", "ISO 4217 code."),
        Column("date_from", "date", "First day of the run."),
        Column("date_to", "date", "First day after the run; empty: still so."),
        Column("mrr_e4", "int", "MRR at the end of each day, in 1/10,000."),
        Column("is_paused", "bool", "Zero because paused."),
        Column("is_involuntary", "bool", "Zero because a payment failed."),
        Column(
            "late_e4",
            "int",
            "How much of its level is late news of closed months; empty: nothing.",
        ),
        by_account=True,
    ),
    _derived(
        "seat_ledger",
        "Seats bought by account and day, as runs of equal days.",
        "account_id date_from",
        Column("account_id", "string", "The account."),
        Column("date_from", "date", "First day of the run."),
        Column("date_to", "date", "First day after the run; empty: still so."),
        Column("seats", "int", "Seats at the end of each day; empty: no contract."),
        by_account=True,
    ),
    _derived(
        "assignments",
        "Seats in use: who belongs to which account on which days.",
        "account_id user_id date_from",
        Column("account_id", "string", "The account."),
        Column("user_id", "string", "The user."),
        Column("date_from", "date", "First day; empty: since ever."),
        Column("date_to", "date", "First day it no longer holds; empty: still holds."),
        by_account=True,
    ),
    _derived(
        "request_days",
        "Requests by day, account, endpoint, outcome and duration.",
        "date account_id endpoint outcome duration_ms",
        _DATE,
        _ACCOUNT,
        Column("endpoint", "string", "What was asked."),
        Column(
            "outcome", "string", "ok; refused: status 4xx; failed: 5xx or no answer."
        ),
        Column(
            "duration_ms",
            "int",
            "Milliseconds; over 10,000 to four digits; empty: not known.",
        ),
        Column("requests", "int", "How many."),
        partition_by="date",
    ),
    _derived(
        "definition_days",
        "What people's own metrics count of events, by day, account and user.",
        "metric version date account_id user_id value of",
        Column("metric", "string", "Key of the metric."),
        Column("version", "int", "Which version of its definition."),
        _DATE,
        _ACCOUNT,
        _USER,
        Column("value", "string", "What is distinct, added up or ranked, as text."),
        Column("of", "int", "1 where the condition of a ratio's part holds."),
        Column("times", "int", "Events."),
        partition_by="date",
        sort_by="metric version date account_id",
    ),
    _derived(
        "account_attributes",
        "Attributes of accounts as they are now: text columns and properties.",
        "account_id name",
        Column("account_id", "string", "The account."),
        Column("name", "string", "The attribute."),
        Column("value", "string", "Its value, as text."),
        by_account=True,
    ),
    _derived(
        "account_measures",
        "One row an account, as of the last refresh: what lists and Home show.",
        "account_id",
        Column("account_id", "string", "The account."),
        Column("as_of", "date", "The day the row speaks of: everything before it."),
        Column("name", "string", "Display name."),
        Column("segment", "string", "Segment."),
        Column("plan", "string", "Plan."),
        Column("country", "string", "Country."),
        Column("industry", "string", "Industry."),
        Column("owner_email", "string", "Customer success manager."),
        Column("lifecycle_stage", "string", "Stage."),
        Column(
            "state", "string", "lead, trial, paying, paused, churned (G5), or archived."
        ),
        Column("created_at", "timestamp", "When created."),
        Column("customer_since", "date", "First paid day."),
        Column("mrr_e4", "int", "MRR in the workspace currency, in 1/10,000."),
        Column("mrr_90d_e4", "int", "The same 90 days ago."),
        Column("renewal_on", "date", "First day after the running contract term."),
        Column("seats", "int", "Seats bought."),
        Column("assigned_users", "int", "Live memberships."),
        Column("active_users", "int", "Users active in the last 28 days."),
        Column("active_users_before", "int", "Users active in the 28 days before."),
        Column("logins_14d", "int", "Sessions of the last 14 days."),
        Column("logins_14d_before", "int", "Sessions of the 14 days before."),
        Column("last_seen_at", "timestamp", "Last activity."),
        Column("last_touch_at", "timestamp", "Last call, meeting or e-mail."),
        Column("nps_score", "float", "Last NPS answer."),
        Column("nps_at", "timestamp", "When it was given."),
        Column("open_tickets", "int", "Tickets not solved."),
        Column("urgent_tickets", "int", "Of those, priority urgent or high."),
        Column("health_score", "float", "Health score, 0 to 100; empty: no score."),
        Column("health_color", "string", "red, orange, yellow, green."),
        Column("health_status", "string", "ok, insufficient, onboarding, inactive."),
        Column("health_cuts", "json", "Where orange, yellow and green begin."),
        Column("health_score_28d", "float", "The score 28 days ago."),
        Column("health_color_1d", "string", "The color of the day before."),
        Column(
            "health_weeks",
            "string",
            "Scores of the last 12 weeks, oldest first, separated by commas.",
        ),
        by_account=True,
    ),
)

#: Tables that `refresh` rebuilds, by name.
ROLLUPS: Mapping[str, Table] = {table.name: table for table in _ROLLUPS}

_RECORDS = (
    _derived(
        "identities",
        "Which ids are one person, as the intake was told.",
        "previous_id user_id",
        Column("previous_id", "string", "The anonymous id, or the former user id."),
        Column("user_id", "string", "The user it belongs to."),
        Column(
            "kind",
            "string",
            "anonymous: a device before sign-in; alias: a former user id.",
            choices=("anonymous", "alias"),
        ),
        Column("at", "timestamp", "When the link was first seen."),
    ),
    _derived(
        "health_snapshots",
        "Health of an account on a day; never rewritten, the newest computation counts.",
        "account_id date computed_at",
        Column("account_id", "string", "The account."),
        Column("date", "date", "The day the score is of: everything before it counts."),
        Column("score", "float", "0 to 100; empty: no score."),
        Column("color", "string", "red, orange, yellow, green; empty: no score."),
        Column("status", "string", "ok, insufficient, onboarding, inactive."),
        Column("coverage", "float", "Share of the weight that could be measured."),
        Column("frequency", "float", "Component, 0 to 100."),
        Column("breadth", "float", "Component, 0 to 100."),
        Column("depth", "float", "Component, 0 to 100."),
        Column("growth", "float", "Component, 0 to 100."),
        Column("active_days", "float", "Median active days of an active user."),
        Column("minutes", "float", "Minutes in the application of an active user."),
        Column("active_users", "int", "Active users in 28 days."),
        Column("seats", "int", "Seats bought."),
        Column("key_features_used", "int", "Distinct key features used."),
        Column("key_features", "int", "Key features entitled to."),
        Column("key_events_per_session", "float", "Key events in a session."),
        Column("active_users_before", "int", "Active users in the 28 days before."),
        Column("mrr_e4", "int", "MRR, in 1/10,000."),
        Column("mrr_90d_e4", "int", "MRR 90 days before, same exchange rate."),
        Column("computed_score", "float", "The score before an override."),
        Column("mode", "string", "What it is by: composite, band, calibrated."),
        Column("model", "int", "Version of the model, by another than a scorecard."),
        Column("composite_score", "float", "The score by the scorecard."),
        Column("composite_color", "string", "Its color."),
        Column("version", "int", "Version of the scorecard; 0: the built-in one."),
        Column("profile", "string", "Profile of the scorecard that fits."),
        Column("cuts", "json", "Where orange, yellow and green begin."),
        Column("parts", "json", "Name, value, weight, contribution of every part."),
        Column("state", "string", "Color after hysteresis; none: no score."),
        Column("waiting", "int", "Evaluations on another side, below 0: worse."),
        Column("frozen_since", "date", "Carried since this day: data were missing."),
        Column("computed_at", "timestamp", "When it was computed."),
        Column("recomputed", "bool", "Computed after its day."),
        partition_by="date",
        sort_by="date account_id",
        by_account=True,
    ),
    _derived(
        "health_transitions",
        "Changes of color that lasted or went far; never rewritten.",
        "account_id date recorded_at to_color",
        Column("account_id", "string", "The account."),
        Column("date", "date", "The day of the score that changed it."),
        Column("from_color", "string", "Color before; none: no score."),
        Column("to_color", "string", "Color from then on; none: no score."),
        Column("score_before", "float", "Score of the last day in the former color."),
        Column("score_after", "float", "Score of the day."),
        Column(
            "cause",
            "string",
            "score, model_change (another version), override, first_score, no_score.",
        ),
        Column("drivers", "json", "Parts by the points they moved the score."),
        Column("version", "int", "Version of the scorecard."),
        Column("mrr_e4", "int", "MRR of the day, in 1/10,000."),
        Column("recorded_at", "timestamp", "When it was written down."),
        sort_by="date account_id",
    ),
    _derived(
        "scorecards",
        "Published versions of the scorecard; never rewritten.",
        "version",
        Column("version", "int", "1 is the first that was published."),
        Column("name", "string", "Its name."),
        Column("document", "json", "All of it."),
        Column("note", "string", "What changed, and why."),
        Column("published_at", "timestamp", "When."),
        Column("published_by", "string", "By whom."),
    ),
    _derived(
        "health_overrides",
        "Scores set by a person for some days.",
        "override_id",
        Column("override_id", "string", "Its id."),
        Column("account_id", "string", "The account."),
        Column("score", "int", "0 to 100, in place of the computed one."),
        Column("reason", "string", "Why."),
        Column("author", "string", "Who set it."),
        Column("starts_on", "date", "First day it holds."),
        Column("ends_on", "date", "First day it no longer holds."),
        Column("set_at", "timestamp", "When it was set."),
    ),
    _derived(
        "health_pulses",
        "What people say of the relationship with an account.",
        "pulse_id",
        Column("pulse_id", "string", "Its id."),
        Column("account_id", "string", "The account."),
        Column("value", "int", "0 to 100."),
        Column("note", "string", "In words."),
        Column("author", "string", "Who says so."),
        Column("date", "date", "The day it holds from."),
        Column("said_at", "timestamp", "When it was said."),
    ),
    _derived(
        "data_incidents",
        "Days with less than half of the usual events; scores were frozen.",
        "date",
        Column("date", "date", "The day."),
        Column("events", "int", "Events by then."),
        Column("expected", "float", "Median of the same weekday before."),
        Column("detected_at", "timestamp", "When it was seen."),
    ),
    _derived(
        "former_attributes",
        "What accounts were before they became what they are; never rewritten.",
        "account_id name date_to",
        Column("account_id", "string", "The account."),
        Column("name", "string", "The attribute."),
        Column("value", "string", "Its value then, as text; empty: none."),
        Column("date_to", "date", "First local day it no longer was so."),
        by_account=True,
    ),
    _derived(
        "models",
        "Versions of what was learned about renewals, and what people made of them.",
        "version status at",
        Column("version", "int", "Number of the version, from 1."),
        Column(
            "status",
            "string",
            "proposed, with the document; approved or rejected by a person.",
            choices=("proposed", "approved", "rejected"),
        ),
        Column("at", "timestamp", "When."),
        Column("by", "string", "By whom; empty: the quarterly job."),
        Column("note", "string", "What was said about it."),
        Column("as_of", "date", "Learned from what was decided before this day."),
        Column("document", "json", "Power features, bands and the renewal model."),
    ),
    _derived(
        "renewal_scores",
        "Chance of renewal of a customer on a day; never rewritten, the newest counts.",
        "account_id date computed_at",
        Column("account_id", "string", "The account."),
        Column(
            "date", "date", "The day the chance is of: everything before it counts."
        ),
        Column("version", "int", "Version of the model."),
        Column("feature_id", "string", "The power feature of its segment."),
        Column("uses", "float", "Its uses in the last 30 days; empty: not entitled."),
        Column("band_color", "string", "Color of the band of so many uses (H02)."),
        Column("band_p", "float", "Chance of renewal in that band."),
        Column("gap_to_green", "int", "Uses missing to the green band."),
        Column("p", "float", "Chance that the next decision is a renewal (P03)."),
        Column("p_low", "float", "Lower end of its 95 % interval."),
        Column("p_high", "float", "Upper end."),
        Column("color", "string", "Color of that chance, by the cuts of the bands."),
        Column("reasons", "json", "What moves the chance, and how far: they add up."),
        Column("mrr_e4", "int", "MRR, in 1/10,000."),
        Column("renewal_on", "date", "First day after the running term."),
        Column("term_days", "int", "Length of the term."),
        Column("computed_at", "timestamp", "When it was computed."),
        partition_by="date",
        sort_by="date account_id",
        by_account=True,
    ),
    _derived(
        "forecasts",
        "What customers were expected to pay; never rewritten, the newest counts.",
        "as_of horizon segment computed_at",
        Column("as_of", "date", "The day it was told: everything before it counts."),
        Column("horizon", "int", "Months ahead."),
        Column("segment", "string", "Segment; empty: all customers."),
        Column("version", "int", "Version of the model."),
        Column("accounts", "int", "Customers on that day."),
        Column("mrr", "money", "What they paid a month."),
        Column("logos", "float", "Customers expected to stay."),
        Column("expected_mrr", "money", "MRR expected of them."),
        Column("lower", "money", "Lower end of the 80 % range."),
        Column("upper", "money", "Upper end."),
        Column("grr", "float", "Gross revenue retention expected."),
        Column("nrr", "float", "Net revenue retention expected."),
        Column("computed_at", "timestamp", "When it was computed."),
        Column("recomputed", "bool", "Told afterwards, from what was known then."),
    ),
    _derived(
        "insight_answers",
        "Insights that take long to compute, as of their last computation.",
        "name asked",
        Column("name", "string", "The insight."),
        Column("asked", "json", "Groups, condition and parameters."),
        Column("as_of", "date", "The day it speaks of: everything before it counts."),
        Column("rows", "json", "Its rows."),
        Column("computed_at", "timestamp", "When it was computed."),
    ),
    _derived(
        "rejects",
        "Rows that could not be taken, and why.",
        "source table_name row_number",
        Column("source", "string", "File name and digest, or source."),
        Column("table_name", "string", "The table it was meant for."),
        Column(
            "row_number", "int", "Row in the source; the first after the header is 1."
        ),
        Column("reason", "string", "Why, for people."),
        Column("code", "string", "Why, for programs."),
        Column("payload", "json", "The row as it came."),
        Column("rejected_at", "timestamp", "When."),
    ),
    _derived(
        "imports",
        "Files imported.",
        "import_id",
        Column("import_id", "string", "Digest of file, table and mapping."),
        Column("table_name", "string", "The table."),
        Column("file_name", "string", "The file's name."),
        Column("started_at", "timestamp", "When it began."),
        Column("finished_at", "timestamp", "When it was done."),
        Column("rows", "int", "Rows read."),
        Column("loaded", "int", "Rows new or changed."),
        Column("unchanged", "int", "Rows already known."),
        Column("rejected", "int", "Rows rejected."),
        Column("reasons", "json", "Rejected rows by reason."),
    ),
    _derived(
        "settings",
        "Settings of the workspace, every change kept.",
        "key changed_at",
        Column("key", "string", "Name of the setting."),
        Column("value", "json", "Its value."),
        Column("changed_at", "timestamp", "When."),
        Column("changed_by", "string", "By whom."),
    ),
    _derived(
        "metric_definitions",
        "Metrics people defined, every version kept.",
        "key version",
        Column("key", "string", "The metric."),
        Column("version", "int", "Which version of it, from 1."),
        Column("definition", "json", "What it counts."),
        Column("is_retired", "bool", "From here on it is no metric any more."),
        Column("changed_at", "timestamp", "When."),
        Column("changed_by", "string", "By whom."),
    ),
    _derived(
        "account_decisions",
        "What people decided of accounts: it holds against imports until released.",
        "account_id name",
        Column("account_id", "string", "The account."),
        Column("name", "string", "The column of accounts, or the property."),
        Column("value", "json", "What was decided."),
        Column("imported", "json", "What the sources say."),
        Column("decided_at", "timestamp", "When."),
        Column("decided_by", "string", "By whom."),
    ),
    _derived(
        "account_merges",
        "Accounts that people merged: what is told of one counts as another's.",
        "account_id",
        Column("account_id", "string", "The account that was merged."),
        Column("into_id", "string", "The one that stays."),
        Column("merged_at", "timestamp", "When."),
        Column("merged_by", "string", "By whom."),
    ),
    _derived(
        "segments",
        "Conditions on accounts that people named, every change kept.",
        "key changed_at",
        Column("key", "string", "The segment."),
        Column("name", "string", "What people call it."),
        Column("document", "json", "The condition."),
        Column("is_archived", "bool", "From here on it has no members."),
        Column("changed_at", "timestamp", "When."),
        Column("changed_by", "string", "By whom."),
    ),
    _derived(
        "segment_members",
        "Which accounts were in which segment, and when; from the refresh of each day.",
        "segment account_id starts_on",
        Column("segment", "string", "The segment."),
        Column("account_id", "string", "The account."),
        Column("starts_on", "date", "First day it was seen in it."),
        Column("ends_on", "date", "First day it no longer was; empty: still is."),
    ),
    _derived(
        "feedback_taxonomies",
        "Topics of comments as people defined them, every version kept.",
        "version",
        Column("version", "int", "1 is the first; before it the standard holds."),
        Column("document", "json", "Topics, with names and words by language."),
        Column("published_at", "timestamp", "When."),
        Column("published_by", "string", "By whom."),
    ),
    _derived(
        "onboarding_flows",
        "Onboarding flows people defined, every version kept.",
        "flow version",
        Column("flow", "string", "What it is called."),
        Column("version", "int", "1 is the first."),
        Column("document", "json", "Whom it is for, and its steps."),
        Column("is_stopped", "bool", "Nobody enters any more."),
        Column("changed_at", "timestamp", "When."),
        Column("changed_by", "string", "By whom."),
    ),
    _derived(
        "onboarding_entries",
        "Who is in which onboarding flow, and the version they follow.",
        "flow account_id user_id",
        Column("flow", "string", "The flow."),
        Column("account_id", "string", "The account."),
        Column("user_id", "string", "The person; empty: the flow is of accounts."),
        Column("started_on", "date", "Local day they began."),
        Column("version", "int", "The version they follow."),
    ),
    _derived(
        "onboarding_ticks",
        "Steps of onboarding that people told of, or took back.",
        "flow step account_id user_id",
        Column("flow", "string", "The flow."),
        Column("step", "string", "The step."),
        Column("account_id", "string", "The account."),
        Column("user_id", "string", "The person; empty: the flow is of accounts."),
        Column("completed_at", "timestamp", "When it was done; empty: taken back."),
        Column("by", "string", "Who said so; empty: they themselves."),
    ),
    _derived(
        "metric_targets",
        "What numbers should be, every change kept.",
        "metric segment group changed_at",
        Column("metric", "string", "The metric."),
        Column("segment", "string", "Of which segment; empty: of all."),
        Column("group", "string", "Of which class of users; empty: of all."),
        Column("target", "float", "Where it should get to."),
        Column("floor", "float", "Below it a customer needs support."),
        Column("ceiling", "float", "Above it a customer is ready to expand."),
        Column("changed_at", "timestamp", "When."),
        Column("changed_by", "string", "By whom."),
    ),
)

#: Tables the product writes about its own work, by name.
RECORDS: Mapping[str, Table] = {table.name: table for table in _RECORDS}

TABLES: Mapping[str, Table] = {**FACTS, **ROLLUPS, **RECORDS}

#: The column that says when a row holds from: a table knows nothing before its first.
DATED: Mapping[str, str] = {
    "user_days": "date",
    "presence": "date",
    "feature_days": "date",
    "sessions": "date",
    "account_days": "date",
    "request_days": "date",
    "definition_days": "date",
    "mrr_ledger": "date_from",
    "seat_ledger": "date_from",
    "contracts": "term_start",
    "costs": "month",
    "emails": "sent_at",
    "events": "timestamp",
    "goals": "due_on",
    "health_snapshots": "date",
    "incidents": "starts_at",
    "lead_stages": "entered_at",
    "leads": "created_at",
    "onboarding_steps": "completed_at",
    "payments": "paid_at",
    "requests": "at",
    "subscription_items": "valid_from",
    "survey_invites": "invited_at",
    "survey_responses": "answered_at",
    "tickets": "opened_at",
    "touchpoints": "at",
    "notes": "at",
}
assert set(DATED) <= set(TABLES)
