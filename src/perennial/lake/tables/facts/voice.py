"""What customers say, and what is said to them."""

from __future__ import annotations

from perennial.lake.tables.declared import (
    ACCOUNT,
    USER,
    Column,
    fact,
    id_column,
    required,
)

_SURVEY = (
    id_column("survey", "Which of the surveys it belongs to."),
    Column("wave", "string", "Which of its waves."),
    Column("channel", "string", "How it reached them: product, email, link, api."),
)

TABLES = (
    fact(
        "survey_responses",
        "Answers to NPS, CSAT and CES surveys.",
        "response_id",
        id_column("response_id", "The answer's id.", required=True),
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
        id_column(
            "invite_id",
            "The invitation it answers; of several answers the last counts.",
        ),
        *_SURVEY,
        Column("invited_at", "timestamp", "When they were asked."),
        Column("answered_at", "timestamp", "When they answered.", required=True),
    ),
    fact(
        "survey_invites",
        "Invitations to surveys, answered or not.",
        "invite_id",
        id_column("invite_id", "The invitation's id.", required=True),
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
    fact(
        "feedback_annotations",
        "What comments speak of, found by analysis or by a person.",
        "response_id topic version annotated_by",
        id_column(
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
    fact(
        "tickets",
        "Support tickets.",
        "ticket_id",
        id_column("ticket_id", "The ticket's id.", required=True),
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
        id_column("merged_into", "The ticket that goes on in its place."),
    ),
    fact(
        "emails",
        "E-mails with customers (no bodies).",
        "message_id",
        id_column("message_id", "The message's id.", required=True),
        id_column("thread_id", "The conversation's id."),
        Column("sent_at", "timestamp", "When it was sent.", required=True),
        Column("from_address", "string", "Sender.", required=True),
        Column("to_addresses", "string", "Recipients, separated by commas."),
        ACCOUNT,
        Column(
            "direction", "string", "Seen from you.", choices=("inbound", "outbound")
        ),
        Column("is_automatic", "bool", "Sent by a machine."),
    ),
    fact(
        "touchpoints",
        "Calls, meetings and other contacts.",
        "touchpoint_id",
        id_column("touchpoint_id", "The contact's id.", required=True),
        required(ACCOUNT),
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
    fact(
        "notes",
        "What your people wrote down about customers.",
        "note_id",
        id_column("note_id", "The note's id.", required=True),
        required(ACCOUNT),
        Column("at", "timestamp", "When.", required=True, aliases=("created_at",)),
        Column("text", "string", "What it says.", required=True, aliases=("body",)),
        Column("staff_email", "string", "Who of you."),
    ),
)
