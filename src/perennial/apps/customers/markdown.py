"""Markdown as safe HTML. What people write is never trusted, not even after it was
rendered: only what is listed here reaches a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

from perennial.apps.team.models import User

_TAGS = {
    *("p", "br", "strong", "em", "s", "code", "pre", "blockquote", "ul", "ol", "li"),
    *("a", "hr", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}}
_SCHEMES = {"http", "https", "mailto", "tel"}
#: A note's headings are no headings of its page.
_HEADING = re.compile(r"<(/?)h[1-6]>")
_MENTION = re.compile(r"(?<![\w@.])@([\w][\w.+-]*(?:@[\w.-]+\w)?)")

_MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(
    ["table", "strikethrough"]
)


def render(text: str) -> SafeString:
    """The HTML of a text in Markdown."""
    raw = _HEADING.sub(
        lambda m: "</strong></p>" if m[1] else "<p><strong>", _MARKDOWN.render(text)
    )
    clean = nh3.clean(
        raw,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
    return SafeString(clean)


def plain(text: str, most: int = 200) -> str:
    """The beginning of a text without its marks, for lists and summaries."""
    words = " ".join(nh3.clean(_MARKDOWN.render(text), tags=set()).split())
    words = words.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def mentioned(text: str, people: Iterable[User]) -> Iterator[User]:
    """Those a text speaks to: `@maja`, `@maja.lindqvist`, `@maja@example.com`.

    The first part of an address, the whole of it, or a name without its spaces.
    """
    said = {name.lower().rstrip(".") for name in _MENTION.findall(text)}
    for user in people:
        own = {user.email, user.email.partition("@")[0]}
        own |= {user.name.replace(" ", "."), user.name.replace(" ", "")}
        if said & {name.lower() for name in own if name}:
            yield user
