from collections.abc import Callable
from typing import Any

import pytest

from automix_graph.evaluation import contains, exact_match, f1, is_correct


@pytest.mark.parametrize(
    ("answer", "gold", "language", "same"),
    [
        ("The Denver Broncos.", "Denver Broncos", "en", True),
        ("“Denver” Broncos", "denver broncos", "en", True),
        ("U.S.", "us", "en", True),
        ("ＮＡＳＡ", "NASA", "en", True),
        ("1,900", "1900", "en", True),
        ("Denver", "Denver Broncos", "en", False),
        ("A", "A", "en", True),
        ("The", "A", "en", False),
        ("+", "-", "en", False),
        ("", "the", "en", False),
        ("《红楼梦》。", "红楼梦", "zh", True),
        ("２００８ 年", "2008年", "zh", True),
        ("A 股", "股", "zh", False),
        ("北京", "北京市", "zh", False),
        ("？", "！", "zh", False),
    ],
)
def test_exact_match(answer: str, gold: str, language: str, same: bool) -> None:
    assert exact_match(answer, [gold], language) is same
    assert exact_match(answer, ["of no matter", gold], language) is same


@pytest.mark.parametrize(
    ("answer", "gold", "language", "expected"),
    [
        ("the Broncos", "Denver Broncos", "en", 2 / 3),
        ("Denver, Denver!", "Denver", "en", 2 / 3),
        ("Carolina", "Denver", "en", 0.0),
        ("", "Denver", "en", 0.0),
        ("北京大学", "北京", "zh", 2 * 2 / 6),
        ("iPhone 手机", "iPhone手机", "zh", 1.0),
    ],
)
def test_f1(answer: str, gold: str, language: str, expected: float) -> None:
    assert f1(answer, [gold], language) == pytest.approx(expected)
    assert f1(answer, ["§", gold], language) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("answer", "gold", "found"),
    [
        ("It began in 1900.", "19", False),
        ("It began in 1919", "19", False),
        ("It took 19 days", "19", True),
        ("yesterday", "yes", False),
        ("From 1914-1918.", "1918", True),
        ("From 1914–1918.", "1914", True),
        ("about 3.5 km", "5", False),
        ("about 3.5 km", "35", False),
        ("about 3.5 km.", "3.5", True),
        ("1,900 people", "1900", True),
        ("900 people", "1,900", False),
        ("It cost $35.", "35", True),
        ("in the U.S. Army", "US Army", True),
        ("a state-of-the-art plant", "state of the art", True),
        ("It was O’Neill, he said.", "O'Neill", True),
        ("Denver's Broncos", "Denver Broncos", False),
        ("Broncos of Denver", "Denver Broncos", False),
        ("The answer is 42", "the 42", True),
        ("a dog", "A", False),
        ("Ask the WHO.", "The WHO", True),
        ("", "x", False),
    ],
)
def test_contains_in_english(answer: str, gold: str, found: bool) -> None:
    assert contains(answer, [gold], "en") is found


@pytest.mark.parametrize(
    ("answer", "gold", "found"),
    [
        ("始于2008年8月。", "2008年", True),
        ("始于12008年", "2008年", False),
        ("共有15人", "5", False),
        ("共有5万人", "5", False),
        ("共有5万人", "5万", True),
        ("共有3.5米", "5", False),
        ("共有3.5米", "3", False),
        ("共有3.5米", "3.5米", True),
        ("共有2、5、7", "5", True),
        ("共有1,900人", "1900人", True),
        ("二十人", "十人", False),
        ("他在北京大学读书", "北京大学", True),
        ("他在 北京 大学读书", "北京大学", True),
        ("用AIDS表示", "AI", False),
        ("用AI表示", "AI", True),
        ("住在New York市", "new york", True),
        ("《红楼梦》的作者是“曹雪芹”", "曹雪芹", True),
        ("Ｇｏｏｇｌｅ公司", "google", True),
        ("作者是高鹗", "曹雪芹", False),
    ],
)
def test_contains_in_chinese(answer: str, gold: str, found: bool) -> None:
    assert contains(answer, [gold], "zh") is found


@pytest.mark.parametrize(
    ("answer", "golds", "language", "right"),
    [
        ("It was won by the Denver Broncos.", ["Denver Broncos"], "en", True),
        ("Broncos", ["Denver Broncos"], "en", True),
        ("Carolina Panthers", ["Denver Broncos"], "en", False),
        ("14 May 1948", ["15 May 1948"], "en", False),
        ("May 15, 1948", ["15 May 1948"], "en", True),
        ("around 3.5 km", ["around 35 km"], "en", False),
        ("", ["Denver"], "en", False),
        ("…", ["Denver"], "en", False),
        ("五月十五日", ["五月十四日"], "zh", False),
        ("曹雪芹先生", ["清代曹雪芹"], "zh", True),
        ("高鹗", ["曹雪芹"], "zh", False),
    ],
)
def test_is_correct(answer: str, golds: list[str], language: str, right: bool) -> None:
    assert is_correct(answer, golds, language) is right


@pytest.mark.parametrize(("word", "longest", "language"), [("word ", 40, "en"), ("字", 80, "zh")])
def test_a_long_answer_is_right_only_if_it_holds_the_gold_answer(word: str, longest: int, language: str) -> None:
    gold = word * longest + "甲"
    assert is_correct(word * longest, [gold], language)
    assert not is_correct(word * (longest + 1), [gold], language)
    assert is_correct(word * longest * 3 + " gold", ["gold"], language)


@pytest.mark.parametrize("score", [exact_match, f1, contains, is_correct])
@pytest.mark.parametrize(
    ("golds", "language", "complaint"),
    [
        ([], "en", "no gold answer"),
        ([" "], "en", "gold answer ' ' is blank"),
        ("Denver", "en", "give a list"),
        (["Denver"], "de", "language 'de' has no rule"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    score: Callable[[str, Any, str], float], golds: Any, language: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        score("Denver", golds, language)
