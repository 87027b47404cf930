"""The form of a survey: texts in one language at a time, everything else once.

What the form does not show, the other languages, is kept from the stored document.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.http import QueryDict

from perennial.apps.surveys.document import CHANNELS, TRIGGERS
from perennial.core.numbers import whole
from perennial.core.questionnaire import MOST_FOLLOW_UPS, SCALES

LANGUAGES: Final = [code for code, _name in settings.LANGUAGES]
_NUMBERS: Final = (
    *("every_days", "sample", "hold_out", "most_a_day"),
    *("first_days", "remind_days", "delay_s"),
)
_LONGEST: Final = 5_000


def language_of(document: Mapping[str, Any], wanted: str) -> str:
    """The language a form shows."""
    spoken = document.get("languages") or LANGUAGES[:1]
    return wanted if wanted in spoken else str(spoken[0])


def document_of(sent: QueryDict, stored: Mapping[str, Any]) -> dict[str, Any]:
    """The stored document as the form changes it; whether it is right, `read` says."""
    made = copy.deepcopy(dict(stored))
    language = language_of(made, sent.get("lang", ""))
    chosen = [code for code in LANGUAGES if code in sent.getlist("languages")]
    made["languages"] = chosen or made["languages"]
    for name in ("ask", "low", "high"):
        made[name] = _said(made.get(name), language, sent.get(name, ""))
    made["follow_ups"] = _follow_ups(sent, made, language)
    made["thanks"] = _thanks(sent, made, language)
    mail = made.get("mail") or {}
    made["mail"] = {
        "subject": _said(mail.get("subject"), language, sent.get("subject", "")),
        "text": _said(mail.get("text"), language, sent.get("text", "")),
    }
    made["who"] = _who(sent)
    made["when"] = _when(sent)
    return _with_one_more(made, sent.get("do", ""))


def _said(words: Any, language: str, text: str) -> dict[str, str]:
    return {**(words or {}), language: text.strip()[:_LONGEST]}


def _follow_ups(
    sent: QueryDict, made: Mapping[str, Any], language: str
) -> list[dict[str, Any]]:
    scale, found = SCALES[made["kind"]], []
    for n, each in enumerate(made.get("follow_ups") or []):
        if f"ask-{n}" not in sent or sent.get("do") == f"remove-{n}":
            if f"ask-{n}" not in sent:
                found.append(each)
            continue
        changed = {
            **each,
            "ask": _said(each.get("ask"), language, sent.get(f"ask-{n}", "")),
            **_bounds(sent, f"{n}", scale),
        }
        if each.get("kind") == "choice":
            lines = sent.get(f"options-{n}", "").splitlines()
            changed["options"] = _options(each.get("options") or [], language, lines)
        found.append(changed)
    return found


def _options(
    stored: list[dict[str, str]], language: str, lines: list[str]
) -> list[dict[str, str]]:
    """A choice a line; those further down keep their place in other languages."""
    texts = [line.strip() for line in lines if line.strip()]
    known = [*stored, *({} for _ in texts[len(stored) :])]
    return [
        _said(each, language, text) for each, text in zip(known, texts, strict=False)
    ]


def _thanks(
    sent: QueryDict, made: Mapping[str, Any], language: str
) -> list[dict[str, Any]]:
    scale, found = SCALES[made["kind"]], []
    for n, each in enumerate(made.get("thanks") or []):
        if f"thanks-{n}" not in sent:
            found.append(each)
        elif sent.get("do") != f"unthank-{n}":
            text = _said(each.get("text"), language, sent.get(f"thanks-{n}", ""))
            bounds = _bounds(sent, f"thanks-{n}", scale)
            found.append({**each, "text": text, **bounds})
    return found


def _bounds(sent: QueryDict, name: str, scale: tuple[int, int]) -> dict[str, int]:
    low, high = (whole(sent.get(f"{end}-{name}", "")) for end in ("from", "to"))
    return {
        "from": scale[0] if low is None else low,
        "to": scale[1] if high is None else high,
    }


def _who(sent: QueryDict) -> dict[str, Any]:
    return {
        "segment": sent.get("segment", ""),
        "roles": [r.strip() for r in sent.get("roles", "").split(",") if r.strip()],
        "pages": [p.strip() for p in sent.get("pages", "").split() if p.strip()],
        "event": sent.get("event", "").strip(),
    }


def _when(sent: QueryDict) -> dict[str, Any]:
    found: dict[str, Any] = {
        "channels": [c for c in CHANNELS if c in sent.getlist("channels")],
        "trigger": sent.get("trigger", TRIGGERS[0]),
        "ends_on": sent.get("ends_on", "") or None,
        "touchpoint": sent.get("touchpoint", "").strip(),
    }
    for name in _NUMBERS:
        text = sent.get(name, "").strip()
        # What is no number stays as it is written, and is refused by its name.
        number = whole(text)
        found[name] = (text or None) if number is None else number
    if found["sample"] is None:
        del found["sample"]
    return found


def _with_one_more(made: dict[str, Any], do: str) -> dict[str, Any]:
    low, high = SCALES[made["kind"]]
    if do in {"add-text", "add-choice"} and len(made["follow_ups"]) < MOST_FOLLOW_UPS:
        taken = {each.get("id") for each in made["follow_ups"]}
        free = next(f"q{n}" for n in range(1, 99) if f"q{n}" not in taken)
        more: dict[str, Any] = {"id": free, "kind": do[4:], "from": low, "to": high}
        made["follow_ups"].append({**more, "ask": {}, "options": []})
    if do == "add-thanks":
        made["thanks"].append({"from": low, "to": high, "text": {}})
    return made


def shown(document: Mapping[str, Any], language: str) -> dict[str, Any]:
    """What the form holds: the texts of one language, and everything else."""

    def said(words: Any) -> str:
        return str((words or {}).get(language, ""))

    low, high = SCALES[document["kind"]]
    mail, who, when = (document.get(n) or {} for n in ("mail", "who", "when"))
    return {
        "ask": said(document.get("ask")),
        "low": said(document.get("low")),
        "high": said(document.get("high")),
        "follow_ups": [
            {
                **each,
                "first": each.get("from", low),
                "last": each.get("to", high),
                "said": said(each.get("ask")),
                "lines": "\n".join(said(o) for o in each.get("options") or []),
            }
            for each in document.get("follow_ups") or []
        ],
        "thanks": [
            {
                "first": e.get("from", low),
                "last": e.get("to", high),
                "said": said(e.get("text")),
            }
            for e in document.get("thanks") or []
        ],
        "subject": said(mail.get("subject")),
        "text": said(mail.get("text")),
        "segment": who.get("segment", ""),
        "roles": ", ".join(who.get("roles") or []),
        "pages": "\n".join(who.get("pages") or []),
        "event": who.get("event", ""),
        **{name: when.get(name) for name in (*_NUMBERS, "ends_on", "touchpoint")},
        "sample": when.get("sample", 100),
        "channels": when.get("channels") or [],
        "trigger": when.get("trigger") or TRIGGERS[0],
    }
