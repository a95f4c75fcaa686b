"""Numbers in a text, as they are written in English and in Chinese.

Understood: 1,234.5 with commas between thousands, -5 (a sign in front of a digit, but not within 1914-1918), 1.2e6,
12 % and 12 percent, 3.5 million (thousand, billion, trillion), full-width digits; 一百二十, 二〇二四,
三点五, 3.5万, 百分之十二, also in capitals (壹佰).

Not understood: English numbers in words, fractions (1/2 is 1 and 2), decimal commas (1,5 is 1 and 5), Roman numerals.
A Chinese numeral within another word (一般) counts as a number.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

from automix_graph.errors import ConfigurationError

RELATIVE_TOLERANCE: Final = 1e-6

_DIGITS: Final = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {
    "零": 0,
    "两": 2,
    "兩": 2,
}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}
_GROUPS: Final = {"万": 10_000, "亿": 100_000_000}
_CAPITALS: Final = str.maketrans("壹贰叁肆伍陆柒捌玖拾佰仟萬億點", "一二三四五六七八九十百千万亿点")
_SCALES: Final = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}

_HAN: Final = "".join((*_DIGITS, *_UNITS, *_GROUPS))
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NUMBER: Final = re.compile(
    rf"(?P<hundredths>百分之)?"
    rf"(?:(?P<sign>(?<![\w.)\]])[-−–])?(?P<arabic>\d+(?:\.\d+)?(?:e[+-]?\d{{1,3}}(?!\w))?)"
    rf"(?:\s?(?P<scale>{'|'.join(_SCALES)})\b|(?P<group>[百千]?[万亿]+))?"
    rf"|(?P<han>[{_HAN}]+(?:点[{''.join(_DIGITS)}]+)?[万亿]?))"
    r"\s?(?P<percent>%|percent\b|per cent\b)?"
)


class Number(NamedTuple):
    """A number in a text.

    Attributes:
        value: as it is written; 12 for 12 %.
        percent: whether it is a percentage.
    """

    value: float
    percent: bool


def numbers_in(text: str) -> tuple[Number, ...]:
    """Return the numbers in a text, in their order.

    Example:
        >>> [number.value for number in numbers_in("From 1914-1918, about 1,200 or 3.5 million, 三百二十万")]
        [1914.0, 1918.0, 1200.0, 3500000.0, 3200000.0]
    """
    folded = _THOUSANDS.sub("", unicodedata.normalize("NFKC", text).casefold().translate(_CAPITALS))
    found = (_read(match) for match in _NUMBER.finditer(folded))
    return tuple(number for number in found if number is not None and math.isfinite(number.value))


def holds_numbers(answer: str, gold: str) -> bool:
    """Return whether an answer holds every number of a gold answer.

    Two numbers are equal within a relative tolerance of 1e-6. A percentage equals the number in front of its sign, and
    its fraction: 12 % is 12 and 0.12, but 12 is not 0.12.

    Raises:
        ConfigurationError: the gold answer holds no number.

    Example:
        >>> holds_numbers("About 1,500 people, or 12 percent.", "1500"), holds_numbers("0.12", "12%")
        (True, True)
    """
    wanted = numbers_in(gold)
    if not wanted:
        raise ConfigurationError("the gold answer holds no number")
    found = numbers_in(answer)
    return all(any(_equal(one, other) for other in found) for one in wanted)


def _equal(one: Number, other: Number) -> bool:
    if _close(one.value, other.value):
        return True
    if one.percent is other.percent:
        return False
    percent, plain = (one, other) if one.percent else (other, one)
    return _close(percent.value / 100, plain.value)


def _close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=RELATIVE_TOLERANCE)


def _read(match: re.Match[str]) -> Number | None:
    percent = match["hundredths"] is not None or match["percent"] is not None
    if match["arabic"] is None:
        value = _han(match["han"])
        return None if value is None else Number(value, percent)
    value = float(match["arabic"]) * _SCALES.get(match["scale"] or "", 1.0)
    for character in match["group"] or "":
        value *= (_UNITS | _GROUPS)[character]
    return Number(-value if match["sign"] else value, percent)


def _han(text: str) -> float | None:
    """Return the value of a Chinese number; None where the characters are none."""
    whole, _, rest = text.partition("点")
    ending = rest[-1:] if rest[-1:] in _GROUPS else ""
    rest = rest.removesuffix(ending) if ending else rest
    value = _han_whole(whole)
    if value is None:
        return None
    if rest:
        value += int("".join(str(_DIGITS[digit]) for digit in rest)) / 10 ** len(rest)
    return value * _GROUPS[ending] if ending else value


def _han_whole(text: str) -> float | None:
    if all(character in _DIGITS for character in text):
        return float("".join(str(_DIGITS[digit]) for digit in text))  # 二〇二四
    total, section, digit = 0.0, 0.0, None
    for character in text:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character in _UNITS:
            section += (1 if digit is None else digit) * _UNITS[character]
            digit = None
        else:
            section += digit or 0
            if not section and not total:
                return None  # a unit alone, as in 万一
            total, section, digit = _grouped(total, section, _GROUPS[character]), 0.0, None
    return total + section + (digit or 0)


def _grouped(total: float, section: float, group: int) -> float:
    """Return the sum so far when 万 or 亿 ends a section: 三万亿 multiplies all that stands before."""
    return (total + section) * group if total < group else total + section * group


def best_of(answer: str, golds: Sequence[str]) -> bool:
    """Return whether an answer holds the numbers of one of the gold answers that hold any.

    Raises:
        ConfigurationError: no gold answer holds a number.
    """
    numeric = [gold for gold in golds if numbers_in(gold)]
    if not numeric:
        raise ConfigurationError("no gold answer holds a number; score these questions in another way than 'numeric'")
    return any(holds_numbers(answer, gold) for gold in numeric)
