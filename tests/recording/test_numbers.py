"""Numbers in texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automix_graph.recording.numbers import best_of, holds_numbers, numbers_in


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("none here", []),
        ("1,234.5 and 1,2", [1234.5, 1, 2]),
        ("12,345,678", [12345678]),
        ("It is -5, not 5.", [-5, 5]),
        ("\u22125", [-5]),
        ("1914-1918", [1914, 1918]),
        ("2008-08-09", [2008, 8, 9]),
        ("1.5e3 or 2E-2", [1500, 0.02]),
        ("3.5 million, 2 billion", [3500000, 2000000000]),
        ("3 millions", [3]),
        ("１２３", [123]),
        ("一百二十", [120]),
        ("一百零五", [105]),
        ("十", [10]),
        ("十五人，二十三人", [15, 23]),
        ("两千零八年", [2008]),
        ("二〇二四年", [2024]),
        ("三点五", [3.5]),
        ("三点五亿", [350000000]),
        ("3.5万", [35000]),
        ("1200万", [12000000]),
        ("2千万", [20000000]),
        ("三万五千", [35000]),
        ("一亿二千万", [120000000]),
        ("三万亿", [3000000000000]),
        ("壹佰贰拾", [120]),
        ("万一下雨", []),
        ("9" * 400, []),
    ],
)
def test_numbers(text: str, values: list[float]) -> None:
    assert [number.value for number in numbers_in(text)] == pytest.approx(values)


@pytest.mark.parametrize("text", ["12%", "12 %", "12 percent", "12 per cent", "百分之十二", "百分之12", "十二%"])
def test_percentages(text: str) -> None:
    assert [(number.value, number.percent) for number in numbers_in(text)] == [(12, True)]


@pytest.mark.parametrize(
    ("answer", "gold", "holds"),
    [
        ("About 1,500 people.", "1500", True),
        ("1500.0001", "1500", True),
        ("1500.01", "1500", False),
        ("15", "1500", False),
        ("12%", "0.12", True),
        ("0.12", "12%", True),
        ("12", "12%", True),
        ("12%", "12", True),
        ("12", "0.12", False),
        ("12%", "0.12%", False),
        ("3.5万", "35,000", True),
        ("between 3 and 5", "3-5", True),
        ("3", "3-5", False),
        ("0", "0", True),
        ("0.0000001", "0", False),
        ("five", "5", False),
    ],
)
def test_holds_numbers(answer: str, gold: str, holds: bool) -> None:
    assert holds_numbers(answer, gold) is holds


def test_gold_answers_without_a_number_are_passed_over_but_not_all() -> None:
    assert best_of("It was 5", ["five", "5"])
    with pytest.raises(ValueError, match="no gold answer holds a number"):
        best_of("It was 5", ["five"])


@given(st.integers(min_value=0, max_value=10**15), st.booleans())
def test_a_number_is_found_however_it_is_grouped(number: int, grouped: bool) -> None:
    text = f"They counted {number:,} of them." if grouped else f"They counted {number} of them."
    assert holds_numbers(text, str(number))


@given(st.integers(min_value=1, max_value=9999_9999))
def test_a_chinese_number_is_read_as_it_is_written(number: int) -> None:
    assert [found.value for found in numbers_in(f"共{chinese(number)}人")] == [number]


def chinese(number: int) -> str:
    """Write a whole number below 10^8 in Chinese, by the rules of school books."""
    high, low = divmod(number, 10_000)
    if not high:
        return section(low)
    if not low:
        return f"{section(high)}万"
    return f"{section(high)}万{'零' if low < 1000 else ''}{section(low)}"


def section(number: int) -> str:
    digits, text, gap = "零一二三四五六七八九", "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            text += ("零" if gap and text else "") + digits[digit] + name
        gap = not digit
    return text


@given(st.text(alphabet="0123456789,.-−%eE万亿千百十点零一二两 a", max_size=40))
def test_any_text_is_read(text: str) -> None:
    numbers_in(text)
