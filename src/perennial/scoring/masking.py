"""Personal data in what people write, hidden from those who need not see it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

#: Stands where something is hidden.
HIDDEN: Final = "•••"
_MAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
#: A number one can call: seven digits or more, with what people put between them.
_PHONE: Final = re.compile(r"(?<!\w)\+?\d(?:[\s()/.-]{0,2}\d){6,14}(?!\w)")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{4}")
#: Shorter parts of names are words of a language too often.
_SHORTEST_NAME: Final = 3


def masked(text: str, names: Iterable[str] = ()) -> str:
    """The text without mail addresses, telephone numbers and these names, whole or by
    their parts; a name is met with a capital letter only. Dates stay."""
    text = _MAIL.sub(HIDDEN, text)
    text = _PHONE.sub(
        lambda found: found[0] if _DATE.fullmatch(found[0]) else HIDDEN, text
    )
    parts = {part for name in names for part in name.split()}
    told = sorted(
        (p for p in parts if len(p) >= _SHORTEST_NAME and p[0].isupper()), reverse=True
    )
    if not told:
        return text
    ways = "|".join(map(re.escape, told))
    return re.sub(rf"(?<!\w)(?:{ways})s?(?!\w)", HIDDEN, text)
