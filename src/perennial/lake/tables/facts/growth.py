"""Leads, onboarding, outages and goals: what a customer's way is told by."""

from __future__ import annotations

from perennial.lake.tables.declared import (
    ACCOUNT,
    USER,
    Column,
    fact,
    id_column,
    required,
)

TABLES = (
    fact(
        "leads",
        "People and companies who may buy.",
        "lead_id",
        id_column("lead_id", "The lead's id.", required=True),
        Column("created_at", "timestamp", "When it came in."),
        Column("source", "string", "Where from."),
        ACCOUNT,
    ),
    fact(
        "lead_stages",
        "When a lead reached which stage.",
        "lead_id stage",
        id_column("lead_id", "The lead's id.", required=True),
        Column("stage", "string", "The stage.", required=True),
        Column("entered_at", "timestamp", "When.", required=True),
    ),
    fact(
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
    fact(
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
    fact(
        "incidents",
        "Outages and maintenance.",
        "incident_id",
        id_column("incident_id", "The incident's id.", required=True),
        Column("starts_at", "timestamp", "First instant.", required=True),
        Column("ends_at", "timestamp", "First instant it was over."),
        Column("severity", "string", "How bad."),
        Column("announced_at", "timestamp", "When customers were told."),
        Column("planned", "bool", "Planned maintenance."),
        Column("service", "string", "The part of the product; empty: all of it."),
    ),
    fact(
        "goals",
        "What customers want to reach with your product, and by when.",
        "goal_id",
        id_column("goal_id", "The goal's id.", required=True),
        required(ACCOUNT),
        Column("measure", "string", "What is measured."),
        Column("baseline", "float", "Its value at the start.", required=True),
        Column("target", "float", "The value to reach.", required=True),
        Column("starts_on", "date", "First day."),
        Column("due_on", "date", "Last day to reach it.", required=True),
    ),
    fact(
        "goal_values",
        "How far goals are: measured values.",
        "goal_id measured_at",
        id_column("goal_id", "The goal's id.", required=True),
        Column("measured_at", "timestamp", "When it was measured.", required=True),
        Column("value", "float", "The value.", required=True),
    ),
)
