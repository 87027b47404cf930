"""Where everything stands: a document as marks, page by page."""

from __future__ import annotations

from dataclasses import replace

from perennial.ui.documents.blocks import (
    Bars,
    Block,
    Column,
    Document,
    Facts,
    Items,
    Page,
    Picture,
    Table,
)
from perennial.ui.documents.marks import (
    LINE,
    Box,
    Grid,
    Image,
    Mark,
    Run,
    Text,
    fitted,
    lines_of,
    width_of,
)

MARGIN, GAP, FOOT = 44.0, 28.0, 36.0
_ROW, _SMALL, _BODY, _HEAD = 24.0, 11.0, 13.0, 15.0
_FACT, _FACT_HEIGHT = 128.0, 74.0
_BAR = 42.0
Sheet = list[Mark]


def sheets(document: Document) -> list[Sheet]:
    """The marks of each page, the cover first."""
    cover = [_cover(document)] if document.subtitle else []
    found = [sheet for page in document.pages for sheet in _pages(page, document)]
    total = len(cover) + len(found)
    for n, sheet in enumerate(found, start=len(cover) + 1):
        sheet += _foot(document, f"{n} / {total}")
    return [*cover, *found]


def _cover(document: Document) -> Sheet:
    wide, high = document.size
    width, y = wide - 2 * MARGIN, high * 0.3
    title = [Run(document.title, 600)]
    marks: Sheet = [
        Box(0, 0, 8, high, "accent"),
        Text(MARGIN, MARGIN, width, 20, 13, [Run(document.author, 500, "ink-2")]),
    ]
    lines = lines_of(title, 38, width)
    marks.append(Text(MARGIN, y, width, lines * 38 * LINE, 38, title, level=1))
    y += lines * 38 * LINE + 4
    marks.append(Text(MARGIN, y, width, 26, 17, [Run(document.subtitle, 400, "ink-2")]))
    y += 44
    if document.mark:
        color, word = document.mark
        long = width_of(word, 13, 600) + 24
        marks.append(Box(MARGIN, y, long, 26, f"{color}-soft", 6))
        runs = [Run(word, 600, color)]
        marks.append(Text(MARGIN + 12, y + 4.5, long, 18, 13, runs))
        y += 50
    marks += _facts(Facts(document.facts), MARGIN, y, width)
    return marks


def _pages(page: Page, document: Document) -> list[Sheet]:
    """One page, and those that follow where its column is too long."""
    wide, high = document.size
    sheet, top = _head(page, wide)
    if page.facts:
        facts = Facts(page.facts)
        sheet += _facts(facts, MARGIN, top, wide - 2 * MARGIN)
        top += height_of(facts, wide - 2 * MARGIN) + 8
    width = wide - 2 * MARGIN - GAP * (len(page.columns) - 1)
    whole = sum(column.share for column in page.columns)
    x, rest = MARGIN, []
    is_bare = not (page.facts or page.lead or page.rest)
    for column in page.columns:
        own = width * column.share / whole
        room = (top, high - FOOT - 12)
        marks, left = _column(column, x, room, own, is_bare=is_bare)
        sheet += marks
        rest += [Column(left)] if left else []
        x += own + GAP
    found = [sheet]
    if rest:
        found += _pages(
            replace(page, lead="", rest="", facts=(), columns=rest), document
        )
    return found


def _head(page: Page, wide: float) -> tuple[Sheet, float]:
    width = wide - 2 * MARGIN
    sheet: Sheet = [
        Text(MARGIN, 34, width, 30, 22, [Run(page.title, 600)], level=1),
    ]
    top = 74.0
    if page.lead or page.rest:
        gap = " " if page.rest[:1].isalnum() else ""
        runs = [Run(page.lead, 600), Run(f"{gap}{page.rest}", 400, "ink-2")]
        high = lines_of(runs, 14, width) * 14 * LINE
        sheet.append(Text(MARGIN, 68, width, high, 14, runs))
        top = 68 + high + 20
    return sheet, top


def _foot(document: Document, number: str) -> Sheet:
    wide, high = document.size
    y, width = high - FOOT, wide - 2 * MARGIN
    runs, last = [Run(document.footer, 400, "ink-3")], Run(number, 400, "ink-3")
    return [
        Box(MARGIN, y, width, 0.75, "axis"),
        Text(MARGIN, y + 8, width - 80, 14, 9.5, runs),
        Text(wide - MARGIN - 80, y + 8, 80, 14, 9.5, [last], is_right=True),
    ]


def _column(
    column: Column, x: float, room: tuple[float, float], width: float, *, is_bare: bool
) -> tuple[Sheet, list[Block]]:
    """Blocks that fit below each other, and those that are left for another page.

    No page has more room than a bare one: there, the first stands whatever it takes.
    """
    marks: Sheet = []
    top, bottom = room
    y = top
    blocks = list(column.blocks)
    while blocks:
        high = height_of(blocks[0], width)
        if y + high > bottom:
            is_alone = is_bare and y == top
            part, later = _split(blocks[0], bottom - y, is_alone=is_alone)
            if part is not None:
                marks += _drawn(part, x, y, width)
            return marks, [*([later] if later else []), *blocks[1:]]
        marks += _drawn(blocks[0], x, y, width)
        y += high + 20
        del blocks[0]
    return marks, []


def _split(
    block: Block, room: float, *, is_alone: bool
) -> tuple[Block | None, Block | None]:
    """What of a block fits; a table and a list may be parted, others never."""
    if isinstance(block, Table):
        rows = int((room - _title_height(block) - _ROW) // _ROW)
        if rows >= 2:
            above = replace(block, rows=block.rows[:rows], sums=False)
            return above, replace(block, rows=block.rows[rows:])
    if isinstance(block, Items) and len(block.items) > 1:
        for n in range(len(block.items) - 1, 0, -1):
            first = replace(block, items=block.items[:n])
            if height_of(first, 400) <= room:
                return first, replace(block, items=block.items[n:], numbered=False)
    return (block, None) if is_alone else (None, block)


# --- blocks ------------------------------------------------------------------


def height_of(block: Block, width: float) -> float:
    if isinstance(block, Facts):
        rows = -(-len(block.facts) // _fact_columns(block, width))
        return rows * _FACT_HEIGHT
    if isinstance(block, Picture):
        return _title_height(block) + block.height
    if isinstance(block, Table):
        return _title_height(block) + _ROW * (len(block.rows) + 1)
    if isinstance(block, Bars):
        return _title_height(block) + _BAR * len(block.bars)
    if not block.items:
        return _title_height(block) + 18
    return _title_height(block) + sum(_item_height(i, width) for i in block.items)


def _drawn(block: Block, x: float, y: float, width: float) -> Sheet:
    if isinstance(block, Facts):
        return _facts(block, x, y, width)
    marks = _title(block, x, y, width)
    y += _title_height(block)
    if isinstance(block, Picture):
        marks.append(Image(x, y, width, block.height, block.png, block.text))
    elif isinstance(block, Table):
        marks.append(_grid(block, x, y, width))
    elif isinstance(block, Bars):
        marks += _bars(block, x, y, width)
    else:
        marks += _items(block, x, y, width)
    return marks


def _title_height(block: Picture | Table | Bars | Items) -> float:
    return (28.0 if block.title else 0.0) + (15.0 if block.sub else 0.0)


def _title(
    block: Picture | Table | Bars | Items, x: float, y: float, width: float
) -> Sheet:
    marks: Sheet = []
    if block.title:
        runs = [Run(fitted(block.title, _HEAD, width, 600), 600)]
        marks.append(Text(x, y, width, 21, _HEAD, runs, level=2))
    if block.sub:
        runs = [Run(fitted(block.sub, _SMALL, width), 400, "ink-3")]
        marks.append(Text(x, y + 21, width, 15, _SMALL, runs))
    return marks


def _fact_columns(block: Facts, width: float) -> int:
    return max(1, min(len(block.facts), int(width // _FACT)))


def _facts(block: Facts, x: float, y: float, width: float) -> Sheet:
    if not block.facts:
        return []
    columns = _fact_columns(block, width)
    own = width / columns
    marks: Sheet = []
    for n, fact in enumerate(block.facts):
        left, top = x + (n % columns) * own, y + (n // columns) * _FACT_HEIGHT
        room = own - 14
        large = 23 if width_of(fact.value, 23, 600) <= room else 15
        for dy, size, text, weight, color in (
            (0, _SMALL, fact.label, 400, "ink-2"),
            (15 + (23 - large) / 2, large, fact.value, 600, fact.color),
            (47, _SMALL, fact.note, 400, "ink-3"),
        ):
            runs = [Run(fitted(text, size, room, weight), weight, color)]
            marks.append(Text(left, top + dy, room, size * LINE, size, runs))
    return marks


def _grid(block: Table, x: float, y: float, width: float) -> Grid:
    whole = sum(block.widths)
    widths = [width * share / whole for share in block.widths]
    rows = [
        [
            fitted(cell, _SMALL, own - 12, 500 if n == 0 or not c else 400)
            for c, (cell, own) in enumerate(zip(row, widths, strict=True))
        ]
        for n, row in enumerate((block.head, *block.rows))
    ]
    return Grid(x, y, widths, _ROW, _SMALL, rows, block.figures, block.sums)


def _bars(block: Bars, x: float, y: float, width: float) -> Sheet:
    """Name, a track with its share and the figure on one line, the detail below."""
    marks: Sheet = []
    text, figure = width * 0.54, width * 0.19
    start, long = x + text + 6, width - text - figure - 12
    for bar in block.bars:
        name = [Run(fitted(bar.name, _BODY, text, 500), 500)]
        detail = [Run(fitted(bar.detail, _SMALL, width), 400, "ink-3")]
        shown = [Run(bar.figure, 600)]
        marks += [
            Text(x, y, text, 18, _BODY, name),
            Box(start, y + 5, long, 8, "grid", 4),
            Text(x + width - figure, y, figure, 18, _BODY, shown, is_right=True),
            Text(x, y + 18, width, 15, _SMALL, detail),
        ]
        if bar.share:
            part = max(long * min(bar.share, 1), 8)
            marks.insert(-2, Box(start, y + 5, part, 8, "accent", 4))
        y += _BAR
    return marks


def _item_height(item: tuple[str, str], width: float) -> float:
    text, detail = item
    lines = lines_of([Run(text, 500)], _BODY, width - 22)
    return lines * _BODY * LINE + (15.0 if detail else 0.0) + 10


def _items(block: Items, x: float, y: float, width: float) -> Sheet:
    if not block.items:
        return [Text(x, y, width, 18, _BODY, [Run(block.empty, 400, "ink-3")])]
    marks: Sheet = []
    for n, (text, detail) in enumerate(block.items, start=1):
        high = _item_height((text, detail), width)
        if block.numbered:
            marks.append(Text(x, y, 18, 16, _BODY, [Run(f"{n}", 600, "accent")]))
        else:
            marks.append(Box(x + 2, y + 6.5, 5, 5, "accent", 2.5))
        room = width - 22
        marks.append(Text(x + 22, y, room, high, _BODY, [Run(text, 500)]))
        if detail:
            runs = [Run(fitted(detail, _SMALL, room), 400, "ink-3")]
            marks.append(Text(x + 22, y + high - 25, room, 15, _SMALL, runs))
        y += high
    return marks
