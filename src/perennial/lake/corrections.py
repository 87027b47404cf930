"""What people corrected in the topics of comments, and what that teaches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from perennial.metrics.said import everything
from perennial.metrics.surveys import ranked
from perennial.scoring import lessons as learning
from perennial.scoring import themes
from perennial.scoring.lessons import Corrected, Lessons
from perennial.scoring.taxonomy import Topic

if TYPE_CHECKING:
    from perennial.lake.workspace import Workspace

NAME: Final = "feedback_annotations"
#: Comments by which it is judged how common a word is, the last ones.
_OTHERS: Final = 1_000


def lessons(workspace: Workspace, topics: Sequence[Topic]) -> Mapping[str, Lessons]:
    """Lessons by language; empty where nobody corrected anything."""
    table = workspace.engine.table(NAME)
    table = table.filter(table.annotated_by == "person")
    said = workspace.engine.run(ranked(table)).sort("response_id")
    if said.is_empty():
        return {}
    reader = themes.Reader(topics)
    spoken: dict[str, set[str]] = defaultdict(set)
    for response, topic in said.select("response_id", "topic").iter_rows():
        spoken[response] |= {topic} if topic else set()
    every = everything(workspace.engine.table)
    mine = every.filter(every.response_id.isin(list(spoken)))
    corrected: dict[str, list[Corrected]] = defaultdict(list)
    for row in workspace.engine.run(mine).sort("response_id").iter_rows(named=True):
        said_of = spoken[row["response_id"]]
        language, found = reader.corrected(row["comment"], row["language"], said_of)
        corrected[language].append(found)
    others = _others(workspace, list(spoken))
    return {
        language: learning.learn(some, others[language], language)
        for language, some in corrected.items()
        if len(some) >= learning.ENOUGH
    }


def _others(workspace: Workspace, but: Sequence[str]) -> Mapping[str, list[list[str]]]:
    """Stems of the last comments that nobody corrected, by language."""
    rows = everything(workspace.engine.table)
    rows = rows.filter(~rows.response_id.isin(list(but)))
    rows = rows.order_by([rows["at"].desc(), rows.response_id]).limit(_OTHERS)
    found: dict[str, list[list[str]]] = defaultdict(list)
    told = workspace.engine.run(rows.select("comment", "language"))
    for comment, language in told.iter_rows():
        text = themes.mended(comment)
        spoken = themes.language_of(text, language)
        if spoken is not None:
            found[spoken].append(themes.stems_of(text, spoken))
    return found
