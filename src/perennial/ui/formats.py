"""Numbers, money, dates and relative times as the workspace reads them.

No Django here: notebooks, e-mails and the command line show the same text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

Number: TypeAlias = "int | float | Decimal"

EMPTY = "–"
MINUS = "−"

#: Money has decimals below this amount only.
WHOLE_MONEY_FROM = 100

_DAY = {"en": "d MMM", "de": "d. MMM", "sv": "d MMM"}


@dataclass(frozen=True)
class Regional:
    """How one workspace, read by one person, shows numbers and times."""

    locale: str = "en"
    currency: str = "USD"
    timezone: str = "UTC"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def number(value: Number | None, regional: Regional, places: int = 0) -> str:
    """`1234.5` as "1,235" or, with one place, "1,234.5"; None as an en dash."""
    if value is None:
        return EMPTY
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return _minus(_grouped(abs(rounded), places, regional.locale), rounded)


@lru_cache(maxsize=16_384)
def _grouped(value: Decimal, places: int, locale: str) -> str:
    """Kept, because lists show the same small numbers again and again."""
    pattern = "#,##0" + ("." + "0" * places if places else "")
    return str(format_decimal(value, pattern, locale))


def percent(value: Number | None, regional: Regional, places: int = 1) -> str:
    """A share, `0.895`, as "89.5%"."""
    if value is None:
        return EMPTY
    points = number(Decimal(str(value)) * 100, regional, places)
    return points + ("%" if regional.locale == "en" else "\u00a0%")


def money(value: Number | None, regional: Regional, currency: str | None = None) -> str:
    """An amount with its currency; whole from 100 on, else in minor units."""
    if value is None:
        return EMPTY
    code = currency or regional.currency
    rounded = _rounded_money(Decimal(str(value)))
    places = max(-int(rounded.as_tuple().exponent), 0)
    text = number(abs(rounded), regional, places)
    return _minus(_money_pattern(regional.locale, code).replace("0", text), rounded)


def money_plain(value: Number | None, regional: Regional) -> str:
    """An amount whose currency stands in the column head."""
    if value is None:
        return EMPTY
    rounded = _rounded_money(Decimal(str(value)))
    return number(rounded, regional, max(-int(rounded.as_tuple().exponent), 0))


def _rounded_money(amount: Decimal) -> Decimal:
    whole = abs(amount) >= WHOLE_MONEY_FROM or amount == amount.to_integral_value()
    return amount.quantize(Decimal(1) if whole else Decimal("0.01"), ROUND_HALF_UP)


@cache
def _money_pattern(locale: str, code: str) -> str:
    """Where the sign of the currency goes: "€0" or "0 €"."""
    where = Locale.parse(locale)
    symbol = str(where.currency_symbols.get(code, code))
    before = str(where.currency_formats["standard"].pattern).index("¤") == 0
    if before:
        return f"{symbol}0" if not symbol.isalpha() else f"{symbol}\u00a00"
    return f"0\u00a0{symbol}"


def currency_symbol(regional: Regional) -> str:
    symbols = Locale.parse(regional.locale).currency_symbols
    return str(symbols.get(regional.currency, regional.currency))


def _minus(text: str, value: Decimal) -> str:
    return f"{MINUS}{text}" if value < 0 else text


def day(value: date | datetime | None, regional: Regional, today: date) -> str:
    """ "22 Jun", and "31 Jan ’27" when the year is not this one."""
    if value is None:
        return EMPTY
    local = _local(value, regional)
    pattern = _DAY.get(regional.locale, "d MMM")
    if local.year != today.year:
        pattern += " ’yy"
    return _date_text(local, pattern, regional.locale)


@lru_cache(maxsize=4_096)
def _date_text(value: date, pattern: str, locale: str) -> str:
    return str(format_date(value, pattern, locale))


def exact(value: date | datetime | None, regional: Regional) -> str:
    """The whole date, with the time and the zone where there is one."""
    if value is None:
        return EMPTY
    if not isinstance(value, datetime):
        pattern = f"EEE {_DAY.get(regional.locale, 'd MMM')} y"
        return _date_text(value, pattern, regional.locale)
    local = value.astimezone(regional.zone)
    pattern = f"EEE {_DAY.get(regional.locale, 'd MMM')} y"
    said = _date_text(local.date(), pattern, regional.locale)
    return f"{said}, {local:%H:%M} {local.tzname()}"


def clock(value: datetime, regional: Regional) -> str:
    return value.astimezone(regional.zone).strftime("%H:%M")


def _local(value: date | datetime, regional: Regional) -> date:
    if isinstance(value, datetime):
        return value.astimezone(regional.zone).date()
    return value


def days_between(value: date | datetime, now: datetime, regional: Regional) -> int:
    """Calendar days in the workspace's zone from `value` to `now`."""
    return (_local(now, regional) - _local(value, regional)).days


def initials(name: str) -> str:
    """ "Maja Lindqvist" as "ML"; an address gives the letters before the @."""
    words = [
        w for w in name.partition("@")[0].replace(".", " ").split() if w[0].isalnum()
    ]
    if not words:
        return "?"
    return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()
