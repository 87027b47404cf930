"""Answers exported from other survey tools: which of their columns is what.

Tools name columns after their own words or after the question itself. What is said
here fills only what the file's own names and the options leave open.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import pyarrow as pa

from perennial.apps.intake.files.columns import fold, match
from perennial.apps.intake.files.model import ImportOptions, LakeWriter, Written
from perennial.apps.intake.files.sources import SourceColumn
from perennial.lake.tables import FACTS

TABLE: Final = "survey_responses"
#: Names of columns, folded, by what they hold: the first that is there.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "response_id": (
        *("responseid", "surveyresponseid", "respondentid", "submissionid"),
        *("token", "networkid", "id"),
    ),
    "score": ("score", "npsscore", "rating", "nps", "q1", "answer"),
    "comment": ("comment", "comments", "text", "feedback", "verbatim", "q2"),
    "answered_at": (
        *("submitdateutc", "submittedat", "recordeddate", "responsedate", "enddate"),
        *("datecompleted", "respondedat", "createdat", "updatedat", "date"),
    ),
}
#: Parts of a question, folded, and the survey it is of.
_ASKED: Final = {
    "recommend": "nps",
    "weiterempfehlen": "nps",
    "rekommendera": "nps",
    "satisfied": "csat",
    "zufrieden": "csat",
    "nojd": "csat",
    "easyto": "ces",
    "effort": "ces",
}
#: What begins a question that is answered in words.
_IN_WORDS: Final = ("what", "why", "tellus", "please", "was", "warum", "vad")
_EMAILS: Final = ("email", "emailaddress", "recipientemail", "personemail")


def completed(
    table: str, columns: Sequence[SourceColumn], options: ImportOptions
) -> tuple[str, ImportOptions]:
    """The table and the options of an import, with what the columns of a survey tool
    say. Another table, or a file that says it all itself, is left alone."""
    if table not in {TABLE, "auto"}:
        return table, options
    given = {*options.mapping, *options.constants}
    own = match(FACTS[TABLE], columns, skip=frozenset(given))
    has = given | set(own)
    if has >= set(FACTS[TABLE].required):
        return table, options
    mapping, constants = _found(columns, has)
    if not has | set(mapping) | set(constants) >= set(FACTS[TABLE].required):
        return table, options
    options = replace(
        options,
        mapping={**mapping, **options.mapping},
        constants={**constants, **options.constants},
    )
    return TABLE, options


def _found(
    columns: Sequence[SourceColumn], has: set[str]
) -> tuple[dict[str, str], dict[str, str]]:
    names = {fold(column.name): column.name for column in columns}
    if any(column.name == "#" for column in columns):
        names["id"] = "#"
    mapping = {}
    for target, known in _NAMES.items():
        first = next((names[name] for name in known if name in names), None)
        if target not in has and first is not None:
            mapping[target] = first
    constants: dict[str, str] = {}
    for folded, name in names.items():
        kind = next((k for part, k in _ASKED.items() if part in folded), None)
        if kind is not None:
            mapping["score"] = name
            constants.setdefault("kind", kind)
        elif folded.startswith(_IN_WORDS) and "comment" not in {*has, *mapping}:
            mapping["comment"] = name
    if "surveytype" in names:
        constants.pop("kind", None)
        mapping["kind"] = names["surveytype"]
    elif "score" in {*has, *mapping}:
        # A score whose question is not told is a Net Promoter Score everywhere.
        constants.setdefault("kind", "nps")
    return (
        {target: name for target, name in mapping.items() if target not in has},
        {target: text for target, text in constants.items() if target not in has},
    )


class KnowingPeople:
    """Writes answers with the user their address belongs to, where the file has
    addresses and no ids."""

    def __init__(self, lake: LakeWriter) -> None:
        self._lake = lake
        self._users: dict[str, str] | None = None
        self.read: Callable[[str], pa.Table] = lake.read

    def write(
        self, name: str, rows: pa.Table, *, progress: Mapping[str, int] | None = None
    ) -> Written:
        if name == TABLE and rows["user_id"].null_count:
            rows = self._with_users(rows)
        return self._lake.write(name, rows, progress=progress)

    def _with_users(self, rows: pa.Table) -> pa.Table:
        if self._users is None:
            users = self._lake.read("users").select(["email", "user_id"]).to_pylist()
            self._users = {
                row["email"].strip().lower(): row["user_id"]
                for row in users
                if row["email"]
            }
        known = self._users
        ids = [
            user or known.get(_address(said))
            for user, said in zip(
                rows["user_id"].to_pylist(), rows["properties"].to_pylist(), strict=True
            )
        ]
        place = rows.schema.get_field_index("user_id")
        return rows.set_column(
            place, rows.schema.field(place), pa.array(ids, pa.string())
        )


def _address(properties: str | None) -> str:
    """The e-mail address among what a row says beside its columns."""
    said = json.loads(properties) if properties else {}
    found = (v for key, v in said.items() if fold(key) in _EMAILS)
    return str(next(found, "") or "").strip().lower()
